//! How it was done, and with what.

use efflux_job::{Missing, Scaling, State, Transformation};

use super::html::{self, details, escape};
use crate::results::Results;
use crate::words;

pub(super) fn methods(results: &Results<'_>) -> String {
    let contract = results.contract;
    let (split, transform, training) = (contract.split, contract.transform, contract.training);
    let transformation = |which| match which {
        Transformation::None => "none",
        Transformation::Asinh => "asinh",
    };
    let rows = [
        ("daily inputs", contract.dynamic.join(", ")),
        ("static inputs", contract.statics.join(", ")),
        (
            "inputs that a site lacks",
            match contract.missing {
                Missing::Error => "refused".to_owned(),
                Missing::Indicator => "mean over sites and a 0/1 input".to_owned(),
            },
        ),
        (
            "split of each site’s observed days",
            if split.validation > 0.0 {
                let (train, validation) = (percent(split.train), percent(split.validation));
                format!("first {train} train, of which the last {validation} validate")
            } else {
                format!("first {} train, no validation part", percent(split.train))
            },
        ),
        ("members fit on", words::fit(results.fit).to_owned()),
        (
            "transformation",
            format!(
                "target {}, inputs {}",
                transformation(transform.target),
                transformation(transform.inputs)
            ),
        ),
        (
            "range of the target",
            match transform.scaling {
                Scaling::Training => "from the days fitted on".to_owned(),
                Scaling::All => "from all days".to_owned(),
            },
        ),
        ("training", words::training(&training)),
        (
            "simulation",
            match contract.evaluation.state {
                State::Carried => "whole calendar from a zero state",
                State::Window => "each day by a window of its own from a zero state",
            }
            .to_owned(),
        ),
    ];
    let definitions = "<p>All scores compare days on which a site was observed. NSE is the Nash–Sutcliffe efficiency \
        (Nash and Sutcliffe 1970): 1 is perfect, 0 is as good as the mean of the observations it is judged on. KGE is \
        the Kling–Gupta efficiency of 2009 (Gupta et al. 2009), made of correlation, ratio of standard deviations and \
        ratio of means. Bias is simulated minus observed. Members are brought back to flux units before their mean is \
        taken. What a formula cannot give is named as not defined, with the reason.</p>\n";
    let content = format!(
        "{}{definitions}{}",
        pairs(rows.iter().map(|(name, value)| (*name, value.as_str()))),
        details(
            "The job file",
            &format!("<pre>{}</pre>\n", escape(results.job_text))
        )
    );
    html::section("methods", "Methods", &content)
}

pub(super) fn provenance(results: &Results<'_>) -> String {
    let digest = [("pack digest", results.contract.pack_digest.as_str())];
    let given = results
        .provenance
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    html::section("provenance", "Provenance", &pairs(given.chain(digest)))
}

pub(super) fn footer() -> String {
    let files = [
        "summary",
        "classes",
        "sites",
        "scores",
        "extremes",
        "baselines",
        "intervals",
        "uncertainty",
        "ranks",
        "spread_error",
        "ensemble_size",
        "annual_sums",
        "events",
        "traits",
        "correlations",
        "groups",
        "season_tests",
        "members",
        "selection",
        "trials",
        "attempts",
    ];
    let links: Vec<String> = files
        .iter()
        .map(|file| format!("<a href=\"tables/{file}.csv\">{file}.csv</a>"))
        .collect();
    format!(
        "<footer>\n<p>The numbers of this page at full precision, beside it: {}.</p>\n</footer>\n",
        links.join(", ")
    )
}

fn pairs<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: Vec<String> = rows
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value)))
        .collect();
    format!("<dl class=\"pairs\">\n{}</dl>\n", rows.concat())
}

fn percent(share: f64) -> String {
    format!("{} %", words::number(100.0 * share, 0))
}
