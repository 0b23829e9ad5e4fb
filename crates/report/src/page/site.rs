//! A page of each site: its numbers and its series to zoom into. The page holds the data, its script draws them when a
//! site is opened, so that many sites cost little.

use efflux_analysis::Defined;
use efflux_analysis::classes::Reading;
use efflux_analysis::measures::{Detail, Measure};
use efflux_data::{HELD, INTERPOLATED};
use efflux_job::Part as RecordPart;
use efflux_numerics::single;
use serde_json::{Value, json};

use super::compact;
use crate::Findings;
use crate::evaluation::Series;
use crate::filled;
use crate::markup::{Html, html};
use crate::numbers;
use crate::section::{Frame, Part, Section};
use crate::uncertainty::{HEADLINE, from_validation};

/// Values of all sites together; records are thinned until they fit, so that the page stays below 20 MB.
const VALUES: usize = 9_000_000;

/// Parts that the largest value of a site is drawn in: more than a screen has pixels.
const PARTS: f64 = 2000.0;

/// Opened by a link to a site.
pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    Section {
        id: "site",
        title: "Site",
        frame: Frame::Hidden,
        lead: Html::default(),
        parts: vec![Part::Late(Box::new(|| content(findings)))],
    }
}

/// What the script shows, and the data it shows it from.
fn content(findings: &Findings<'_>) -> Html {
    let results = findings.results;
    let records: Vec<(usize, usize)> = (0..results.sites.len())
        .map(|site| record(results.observed(site)))
        .collect();
    let days: usize = records.iter().map(|(first, last)| last - first).sum();
    let ends = ends(findings);
    let series = if ends.is_some() { 5 } else { 3 };
    let step = (days * series).div_ceil(VALUES).max(1);
    let sites: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(site, days)| of_site(findings, site, *days, step, ends.as_ref()))
        .collect();
    let data = json!({
        "start": results.start.to_string(),
        "step": step,
        "unit": results.target.unit(),
        "alphabet": compact::ALPHABET.map(char::from).iter().collect::<String>(),
        "gap": compact::GAP,
        "sites": sites,
    });
    let thinned = match step {
        1 => String::new(),
        step => format!(" Points are means of {step} days."),
    };
    let band = match ends {
        Some(_) => "the band its calibrated 90 % interval",
        None => "the band one standard deviation over members to each side",
    };
    html!(
        "<p id=\"site-place\"></p>\n<div class=\"tools\" role=\"group\" aria-label=\"Range of days\">\
         <button type=\"button\" data-zoom=\"earlier\">Earlier</button>\
         <button type=\"button\" data-zoom=\"later\">Later</button>\
         <button type=\"button\" data-zoom=\"closer\">Closer</button>\
         <button type=\"button\" data-zoom=\"wider\">Wider</button>\
         <button type=\"button\" data-zoom=\"all\">Whole record</button>\
         <a id=\"site-download\" href=\"#site\">Download as CSV</a>\
         <a id=\"site-figure\" href=\"#site\">Save figure as SVG</a></div>\n\
         <svg id=\"site-series\" class=\"drawing\" viewBox=\"0 0 960 300\" role=\"img\" \
         aria-label=\"Observed and simulated {}\" font-size=\"12\"></svg>\n\
         <p class=\"caption\">Points are observed days, the line is the ensemble mean, {}. Shaded: validation and test part. The strip above the axis marks days on which an input was not measured: \
         light, between two measured values; dark, held from the nearest one.{} Drag over days to see them closer.</p>\n\
         <div id=\"site-scores\"></div>\n<p><a href=\"#sites\">All sites</a></p>\n\
         <script type=\"application/json\" id=\"series-data\">{}</script>\n",
        results.target.name(),
        band,
        thinned,
        Html::json(&data)
    )
}

/// Lower and upper end of the calibrated interval at a site on a day, in the unit of the target; NaN where it has none.
type Ends<'a> = Box<dyn Fn(usize, usize) -> [f64; 2] + 'a>;

/// As predictions have them; none where nothing calibrates them.
fn ends<'a>(findings: &'a Findings<'_>) -> Option<Ends<'a>> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    if let Some(forecast) = results.forecast {
        let factor = forecast.factor(HEADLINE).ok()?;
        return Some(Box::new(move |site, day| {
            let mean = evaluation.mean[site][day];
            let end = |deviations| forecast.away(mean, (site, day), deviations);
            [-factor, factor].map(|deviations| end(deviations).unwrap_or(f64::NAN))
        }));
    }
    let flat = |of: &[Vec<f64>]| {
        of.iter()
            .flatten()
            .copied()
            .map(single)
            .collect::<Vec<f32>>()
    };
    let (mean, spread) = (flat(&evaluation.mean), flat(&evaluation.spread));
    let mut intervals = from_validation(results, &mean, &spread).into_iter();
    let interval = intervals.find(|of| of.level == HEADLINE)?;
    Some(Box::new(move |site, day| {
        let place = site * results.days + day;
        [interval.lower[place], interval.upper[place]].map(f64::from)
    }))
}

/// First day of the record and the one after its last.
fn record(observed: &[f32]) -> (usize, usize) {
    let present = |value: &f32| value.is_finite();
    let first = observed.iter().position(present).unwrap_or(0);
    let last = observed.iter().rposition(present);
    (first, last.map_or(first, |last| last + 1))
}

fn of_site(
    findings: &Findings<'_>,
    site: usize,
    (first, last): (usize, usize),
    step: usize,
    ends: Option<&Ends<'_>>,
) -> Value {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let about = &results.sites[site];
    let observed = results.observed(site);
    let mean = &evaluation.mean[site];
    let spread = &evaluation.spread[site];
    let rows: Vec<Value> = Measure::listed(Detail::Full)
        .map(|measure| {
            let of_parts = RecordPart::ALL.map(|part| {
                let scores = evaluation.scores(Series::Ensemble, part);
                shown(scores[site][measure])
            });
            json!([measure.label, of_parts])
        })
        .collect();
    let mut series = vec![
        thinned(
            observed[first..last].iter().map(|&flux| f64::from(flux)),
            step,
        ),
        thinned(mean[first..last].iter().copied(), step),
        thinned(spread[first..last].iter().copied(), step),
    ];
    if let Some(ends) = ends {
        let end = |which: usize| thinned((first..last).map(|day| ends(site, day)[which]), step);
        series.extend([end(0), end(1)]);
    }
    let values = series.iter().flatten().flatten();
    let largest = values.fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let size = if largest > 0.0 { largest / PARTS } else { 1.0 };
    let written: Vec<String> = series.iter().map(|values| written(values, size)).collect();
    let properties = &findings.drivers.sites[site];
    let class = evaluation.class(site, Reading::Text);
    let name = results.target.name();
    let facts: Vec<(String, String)> = vec![
        (
            "class by the text’s thresholds".into(),
            class.map_or("not defined".to_owned(), |class| class.to_string()),
        ),
        ("observed days".into(), properties.observed_days.to_string()),
        ("smoothness (lag 1)".into(), shown(properties.smoothness.r)),
        (
            "seasonality (raw, lag 182)".into(),
            shown(properties.seasonality.r),
        ),
        (
            "cyclicality (lag 365)".into(),
            shown(properties.cyclicality.r),
        ),
        (
            "summer–winter difference".into(),
            shown(properties.seasons.difference),
        ),
        (
            format!("Q10 of observed {name}"),
            shown(properties.observed_q10()),
        ),
        (
            format!("Q10 of simulated {name}"),
            shown(properties.simulated_q10()),
        ),
        (
            "test days seen at the same place in training".into(),
            properties.test_days_seen.to_string(),
        ),
        (
            "inputs on observed test days".into(),
            inputs_known(findings, site),
        ),
    ];
    let stretches = |flag| -> Vec<[usize; 2]> {
        let stretches = filled::stretches(results, site, &(first..last), flag);
        stretches
            .iter()
            .map(|days| [days.start, days.end])
            .collect()
    };
    json!({
        "name": about.name,
        "id": about.id,
        "place": format!(
            "{} · {}°, {}°{}{}",
            about.id,
            numbers::number(about.latitude, 3),
            numbers::number(about.longitude, 3),
            if about.igbp.is_empty() { "" } else { " · " },
            about.igbp
        ),
        "first": first,
        "parts": RecordPart::ALL.map(|part| {
            let days = results.parts.span(site, part);
            json!([part.name(), days.start, days.end])
        }),
        "interpolated": stretches(INTERPOLATED),
        "held": stretches(HELD),
        "size": size,
        "observed": written[0],
        "mean": written[1],
        "spread": written[2],
        "lower": written.get(3),
        "upper": written.get(4),
        "scores": rows,
        "facts": facts,
    })
}

/// On how many observed test days the inputs were not measured, and which never were.
fn inputs_known(findings: &Findings<'_>, site: usize) -> String {
    let days = filled::test_days(findings.results, site);
    if days.filled() == 0 {
        return "all measured".to_owned();
    }
    let counts = [(days.held, "held"), (days.interpolated, "interpolated")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, how)| format!("one {how} on {count} of {}", days.days));
    let mut said: Vec<String> = counts.collect();
    said.extend(filled::remark(findings.results, site));
    said.join("; ")
}

fn shown(value: Defined) -> String {
    value.map_or_else(
        |reason| format!("not defined: {reason}"),
        |value| numbers::number(value, 3),
    )
}

/// Means of every `step` values, nothing where there is none.
fn thinned(values: impl Iterator<Item = f64>, step: usize) -> Vec<Option<f64>> {
    let values: Vec<f64> = values.collect();
    let points = values.chunks(step).map(|values| {
        let there = values.iter().copied().filter(|value| value.is_finite());
        let there: Vec<f64> = there.collect();
        (!there.is_empty()).then(|| there.iter().sum::<f64>() / there.len() as f64)
    });
    points.collect()
}

/// The values as whole multiples of `size`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "no value is more than so many times the size"
)]
fn written(values: &[Option<f64>], size: f64) -> String {
    let whole = values
        .iter()
        .map(|value| Some((value.as_ref()? / size).round() as i64));
    compact::encode(whole)
}
