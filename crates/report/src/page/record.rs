//! How it was done, and with what.

use efflux_analysis::measures::{Detail, Measure};
use efflux_job::{
    Keep, Loss, Missing, Optimizer, Sampling, Scaling, Schedule, State, Training, Transformation,
};

use crate::markup::{Html, html};
use crate::numbers::{self, counted};
use crate::results::Results;
use crate::section::{Frame, Part, Section};

pub(super) fn methods<'a>(results: &'a Results<'_>) -> Section<'a> {
    let contract = results.contract;
    let settings = results.settings;
    let (split, transform, training) = (settings.split, settings.transform, settings.training);
    let transformation = |which| match which {
        Transformation::None => "none",
        Transformation::Asinh => "asinh",
    };
    let rows = [
        ("daily inputs", results.inputs.dynamic.join(", ")),
        ("static inputs", results.inputs.statics.join(", ")),
        (
            "inputs that a site lacks",
            match settings.inputs.missing {
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
        ("members fit on", results.fit.name().to_owned()),
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
                Scaling::None => "none".to_owned(),
            },
        ),
        ("training", trained(&training)),
        (
            "simulation",
            match contract.evaluation.state {
                State::Carried => "whole calendar from a zero state",
                State::Window => "each day by a window of its own from a zero state",
            }
            .to_owned(),
        ),
    ];
    let about = Measure::listed(Detail::Full).map(|measure| measure.about);
    let about: Vec<&str> = about.filter(|about| !about.is_empty()).collect();
    let definitions = html!(
        "<p>All scores compare days on which a site was observed. {} Members are brought back to {} units before their \
         mean is taken. What a formula cannot give is named as not defined, with the reason.</p>\n",
        about.join(" "),
        results.target.name()
    );
    let job = html!("<pre>{}</pre>\n", results.job_text);
    Section {
        id: "methods",
        title: "Methods",
        frame: Frame::Named("Methods"),
        lead: pairs(rows.iter().map(|(name, value)| (*name, value.as_str()))),
        parts: vec![
            Part::Text(definitions),
            Part::Folded("The job file", vec![Part::Text(job)]),
        ],
    }
}

pub(super) fn provenance<'a>(results: &'a Results<'_>) -> Section<'a> {
    let digest = [("pack digest", results.contract.pack_digest.as_str())];
    let given = results
        .provenance
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    Section {
        id: "provenance",
        title: "Provenance",
        frame: Frame::Named("Provenance"),
        lead: pairs(given.chain(digest)),
        parts: Vec::new(),
    }
}

fn pairs<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Html {
    let rows = rows.map(|(name, value)| html!("<dt>{}</dt><dd>{}</dd>\n", name, value));
    html!("<dl class=\"pairs\">\n{}</dl>\n", rows.collect::<Html>())
}

fn percent(share: f64) -> String {
    format!("{} %", numbers::number(100.0 * share, 0))
}

/// How trials were trained, in one line.
fn trained(training: &Training) -> String {
    let mut parts = vec![match training.patience {
        None => counted(training.epochs as usize, "epoch"),
        Some(patience) => format!(
            "{} at most, ended by {patience} without a better validation score",
            counted(training.epochs as usize, "epoch")
        ),
    }];
    parts.extend(match training.keep {
        Keep::Last => None,
        Keep::Best => Some("the weights of the best validation score kept".to_owned()),
    });
    parts.extend(match training.sampler {
        Sampling::Uniform => None,
        Sampling::Observed => Some("windows drawn among those that hold a target".to_owned()),
        Sampling::Root => Some(
            "sites drawn by the square root of their targets, windows among those that hold one"
                .to_owned(),
        ),
    });
    if training.warm_up_days > 0 {
        let days = counted(training.warm_up_days as usize, "day");
        parts.push(format!("{days} of warm-up before each window"));
    }
    let optimizer = match training.optimizer {
        Optimizer::Adadelta => "Adadelta",
        Optimizer::Adam => "Adam",
        Optimizer::AdamW { .. } => "AdamW",
    };
    let schedule = match training.schedule {
        Schedule::Constant => "",
        Schedule::Linear => ", falling in equal steps",
        Schedule::Cosine => ", falling along a cosine",
        Schedule::WarmUpCosine => ", rising at first and falling along a cosine",
    };
    let rate = training.highest_rate();
    parts.push(format!("{optimizer} with learning rate {rate}{schedule}"));
    parts.extend(
        training
            .clip_norm
            .map(|longest| format!("gradients cut to length {longest}")),
    );
    parts.push(
        match training.loss {
            Loss::Mse => "mean squared error in scaled units",
            Loss::Nse => "squared error over each site’s variance",
            Loss::Huber { .. } => "Huber loss in scaled units",
        }
        .to_owned(),
    );
    parts.join("; ")
}
