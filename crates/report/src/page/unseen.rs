//! Sites that models have not seen, for people.

use efflux_data::INSIDE_AREA;
use efflux_job::SplitKind;

use crate::Findings;
use crate::figures::{self, Chart, Estimate, Figure, Ink, Layer, Shape};
use crate::markup::{Html, html};
use crate::numbers;
use crate::section::{Drawing, Frame, Part, Section};
use crate::tables;
use crate::unseen::{Model, Unseen};

/// None without folds.
pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Option<Section<'a>> {
    let (results, unseen) = (findings.results, findings.unseen.as_ref()?);
    let members = results.unseen.map_or(0, <[_]>::len);
    let of = results.members_planned;
    let count = if members < of {
        html!("<strong>{} of {} members</strong> are there.", members, of)
    } else {
        html!("{} of {} members are there.", members, of)
    };
    let trained_on = match results.settings.split.kind {
        SplitKind::Sites => "the whole records of the other sites",
        SplitKind::Time | SplitKind::Both => "the earlier days of the other sites",
    };
    let caption = html!(
        "{} hold out sites, and members of each are trained on {}: nothing of a site that is held out, or of another at its \
         place, is in their weights, scales or choices. All models are judged on the same test days. {} The temperature \
         models are exponential (Q10), fitted to the same training sites, as are the regression of asinh(flux) on temperature, its \
         square, season, latitude and moisture, and the pooled process. Whether another program has seen these sites efflux \
         cannot know.",
        numbers::counted(results.contract.folds.len(), "fold"),
        trained_on,
        count
    );
    Some(Section {
        id: "unseen",
        title: "Unseen sites",
        frame: Frame::Named("Unseen sites"),
        lead: Html::default(),
        parts: vec![
            Part::table(tables::unseen::models(unseen)),
            Part::table(tables::unseen::sites(findings, unseen)),
            Part::figure(|| {
                let figure = differences(unseen);
                Drawing::new("Unseen sites", figure, Html::default())
            }),
            Part::caption(caption),
            Part::figure(|| distances(findings, unseen)),
            Part::Folded(
                "How far each site is from the others",
                vec![Part::table(tables::unseen::far(findings, unseen))],
            ),
            Part::table(tables::unseen::intervals(unseen)),
        ],
    })
}

/// Errors against distances.
fn distances(findings: &Findings<'_>, unseen: &Unseen) -> Drawing {
    let title = "Errors at unseen sites by their dissimilarity";
    let Some(distances) = findings.results.distances else {
        return Drawing::none(title, "no member has finished");
    };
    if distances.threshold.is_nan() {
        return Drawing::none(title, "too few sites differ and have all inputs");
    }
    let of = |area: &dyn Fn(u8) -> bool| -> Vec<(f64, f64)> {
        let sites = distances.index.iter().zip(&unseen.rmse);
        let sites = sites.zip(&distances.area).filter(|(_, of)| area(**of));
        let points = sites.filter_map(|((index, rmse), _)| Some((*index, rmse.ok()?)));
        points.filter(|(index, _)| index.is_finite()).collect()
    };
    let inside = Layer::new(
        "inside",
        Ink::Good,
        Shape::Points,
        of(&|of| of == INSIDE_AREA),
    );
    let outside = Layer::new(
        "outside",
        Ink::Poor,
        Shape::Points,
        of(&|of| of != INSIDE_AREA),
    );
    if inside.values.is_empty() && outside.values.is_empty() {
        return Drawing::none(title, "no site has an index");
    }
    let chart = Chart {
        x: "dissimilarity index".into(),
        y: "root mean square test error, asinh units".into(),
        layers: vec![inside, outside],
        ..Chart::default()
    };
    let rises = match unseen.with_distance {
        Ok(found) => html!(
            "Their rank correlation is {} (p {}, {} sites).",
            numbers::number(found.r, 2),
            numbers::number(found.p, 3),
            found.n
        ),
        Err(reason) => html!(
            "Their rank correlation is not defined: {}.",
            reason.to_string()
        ),
    };
    let caption = html!(
        "Each site's distance to the nearest site of another fold, in mean distances between sites (Meyer and Pebesma 2021), \
         and how wrong members are that have not seen it. A site is its mean and standard deviation of each daily variable and \
         its static inputs, each weighted by its rank correlation with what the members simulate. Up to {} a site is inside the \
         area of applicability. {}",
        numbers::number(distances.threshold, 2),
        rises
    );
    Drawing::new(title, chart.draw("unseen-distance", title), caption)
}

fn differences(unseen: &Unseen) -> Figure {
    let others = unseen
        .models
        .iter()
        .filter(|one| one.model != Model::Unseen);
    let rows: Vec<Estimate> = others
        .filter_map(|one| {
            let found = one.difference.ok()?;
            Some(Estimate {
                label: one.model.label().to_owned(),
                low: found.low,
                value: found.median,
                high: found.high,
            })
        })
        .collect();
    figures::forest(
        "unseen",
        "Members at unseen sites against other models",
        "median over sites of test NSE, members at unseen sites minus the other, with its 95 % interval",
        0.0,
        &rows,
    )
}
