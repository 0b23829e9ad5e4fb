//! Sites that models have not seen, for people.

use efflux_job::SplitKind;

use crate::Findings;
use crate::figures::{self, Estimate, Figure};
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
         models are exponential (Q10), fitted to the same training sites.",
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
        ],
    })
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
