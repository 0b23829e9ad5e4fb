//! The first screen: what was selected, how good it is, against what, and what to keep in mind.

use efflux_analysis::Defined;
use efflux_job::Part;

use super::Figures;
use super::html::{escape, figure};
use crate::comparison::Comparison;
use crate::evaluation::Series;
use crate::results::Results;
use crate::summary::Summary;
use crate::uncertainty::Uncertainty;
use crate::words;

pub(super) fn header(results: &Results<'_>, figures: &Figures) -> String {
    let links = [
        ("search", "Search"),
        ("training", "Training"),
        ("data", "Data"),
        ("scores", "Scores"),
        ("baselines", "Baselines"),
        ("series", "Series"),
        ("extremes", "Extremes"),
        ("uncertainty", "Uncertainty"),
        ("drivers", "Drivers"),
        ("sites", "Sites"),
        ("ends", "Best and worst"),
        ("failures", "Failures"),
        ("methods", "Methods"),
        ("provenance", "Provenance"),
    ];
    let links: Vec<String> = links
        .iter()
        .filter(|(id, _)| *id != "training" || figures.training.is_some())
        .map(|(id, name)| format!("<li><a href=\"#{id}\">{name}</a></li>"))
        .collect();
    format!(
        "<header>\n<p class=\"kind\">Daily soil CO₂ efflux · report of a sweep</p>\n<h1>{}</h1>\n\
         <nav aria-label=\"Sections\"><ul>{}</ul></nav>\n</header>\n",
        escape(results.job_name),
        links.concat()
    )
}

pub(super) fn section(
    results: &Results<'_>,
    summary: &Summary,
    comparisons: &[Comparison],
    uncertainty: &Uncertainty,
    caveats: &[String],
    figures: &Figures,
) -> String {
    let mut html = format!(
        "<section id=\"answer\" aria-label=\"Answer\">\n<p class=\"lead\">{}</p>\n<dl class=\"headline\">\n",
        lead(results, summary, comparisons, uncertainty)
    );
    let test = summary.test();
    let medians = [
        ("nse", "NSE", test.map(|test| test.nse)),
        ("kge", "KGE", test.map(|test| test.kge)),
        ("r", "Pearson r", test.map(|test| test.r)),
    ];
    for ((id, name, median), members) in medians.into_iter().zip(summary.members_test) {
        let baseline = (id == "nse").then_some(summary.training_mean_nse);
        html.push_str(&headline(id, name, median, members, baseline));
    }
    html.push_str("</dl>\n");
    html.push_str(&figure(
        &figures.classes.svg,
        &format!(
            "Performance classes of the ensemble mean on the test part, in the two readings of the paper. Text, good \
             above NSE 0.5 and KGE 0.3, poor below NSE 0.3 or KGE 0: {}. Captions, good above 0.3 and 0, poor below 0 \
             or −0.4: {}.",
            summary.classes, summary.classes_caption
        ),
    ));
    if !caveats.is_empty() {
        let items: Vec<String> = caveats
            .iter()
            .map(|caveat| format!("<li>{}</li>\n", escape(caveat)))
            .collect();
        html.push_str(&format!(
            "<aside aria-labelledby=\"caveats-title\">\n<h2 id=\"caveats-title\">To keep in mind</h2>\n\
             <ul>\n{}</ul>\n</aside>\n",
            items.concat()
        ));
    }
    html.push_str("</section>\n");
    html
}

fn lead(
    results: &Results<'_>,
    summary: &Summary,
    comparisons: &[Comparison],
    uncertainty: &Uncertainty,
) -> String {
    let selection = results.selection;
    let Some(winner) = &summary.selected else {
        return "No configuration could be selected, so there is no ensemble.".to_owned();
    };
    let field = match selection.configurations.len() {
        1 => "is the only configuration of the search".to_owned(),
        count => format!(
            "was selected from {count} configurations by the {} over sites on the {} part",
            words::metric(selection.metric),
            words::part(selection.on.part())
        ),
    };
    let ensemble = if summary.members == 0 {
        "None of its members has simulated the calendar yet.".to_owned()
    } else {
        let who = match (summary.members, summary.members_planned) {
            (1, 1) => "Its one member".to_owned(),
            (all, planned) if all == planned => format!("The mean of {all} members"),
            (some, planned) => format!("The mean of {some} of {planned} members"),
        };
        let better = if summary.sites_compared == 0 {
            String::new()
        } else if let Some(hardest) = hardest(comparisons) {
            hardest
        } else {
            format!(
                " At {} of {} its NSE is above that of the site’s mean over the training days.",
                summary.sites_better,
                words::counted(summary.sites_compared, "site")
            )
        };
        format!(
            "{who} reaches these medians over sites on the test part, the last {} % of each site’s \
             observed days.{better}{}",
            words::number(100.0 * (1.0 - results.contract.split.train), 0),
            super::uncertainty::headline(uncertainty).unwrap_or_default()
        )
    };
    format!(
        "<strong class=\"selected\">{}</strong> {field}. {ensemble}",
        escape(&winner.to_string())
    )
}

/// The baseline with the highest median of the differences to the ensemble, and how the ensemble does against it.
fn hardest(comparisons: &[Comparison]) -> Option<String> {
    let baselines = comparisons
        .iter()
        .filter(|comparison| matches!(comparison.series, Series::Baseline(_)));
    let (hardest, found, test) = baselines
        .filter_map(|one| Some((one, one.difference.ok()?, one.test.ok()?)))
        .min_by(|(_, a, _), (_, b, _)| a.median.total_cmp(&b.median))?;
    let verdict = match (test.p < 0.05, found.median > 0.0) {
        (true, true) => "better than",
        (true, false) => "worse than",
        (false, _) => "not told apart from",
    };
    Some(format!(
        " Site by site it is {verdict} the strongest baseline, {}: its NSE is higher at {} of {} \
         (<a href=\"#baselines\">baselines</a>).",
        hardest.label(),
        hardest.won,
        words::counted(hardest.compared, "site")
    ))
}

/// One number of the headline, with the range over members and, where there is one, the baseline.
fn headline(
    id: &str,
    name: &str,
    median: Option<Defined>,
    members: Defined<(f64, f64)>,
    baseline: Option<Defined>,
) -> String {
    let value = match median {
        Some(Ok(value)) => {
            format!(
                "<data id=\"headline-{id}\" value=\"{value}\">{}</data>",
                words::number(value, 3)
            )
        }
        Some(Err(reason)) => format!(
            "<span class=\"none\">not defined: {}</span>",
            escape(&reason.to_string())
        ),
        None => "<span class=\"none\">not defined</span>".to_owned(),
    };
    let mut notes = String::new();
    // A single member is the ensemble.
    if let Some((low, high)) = members.ok().filter(|(low, high)| low < high) {
        let (low, high) = (words::number(low, 3), words::number(high, 3));
        notes.push_str(&format!(
            "<dd class=\"note\">single members {low} to {high}</dd>"
        ));
    }
    if let Some(Ok(baseline)) = baseline {
        notes.push_str(&format!(
            "<dd class=\"note\">training mean {}</dd>",
            words::number(baseline, 3)
        ));
    }
    let part = words::part(Part::Test);
    format!("<div><dt>median {part} {name}</dt><dd class=\"value\">{value}</dd>{notes}</div>\n")
}
