//! What the paper's numbers and this run's rest on, side by side.

use std::path::Path;

use efflux_base::error::Result;
use efflux_job::{
    Job, Params, Scaling, Settings, Split, SplitKind, State, Training, Transform, Transformation,
};

use super::data::{gaps, inputs, measurements, period, products, sites};
use super::{Here, Same, Setting};
use crate::numbers::{counted, number};

/// The paper's own setting, as a job.
const JOB: &str = include_str!("../../../../jobs/paper.toml");
const JOB_PATH: &str = "jobs/paper.toml";

/// Sites, data, inputs, training and reading, in this order.
pub(super) fn settings(here: &Here<'_>) -> Result<Vec<Setting>> {
    let paper = Job::parse(Path::new(JOB_PATH), JOB.to_owned())?;
    let (theirs, ours) = (&paper.settings, here.results.settings);
    let read = here.results.inputs;
    let names = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
    let (dynamic, statics) = (&theirs.inputs.dynamic, &theirs.inputs.statics);
    Ok(vec![
        sites(here),
        period(here),
        measurements(here),
        inputs("daily inputs", &names(dynamic), &read.dynamic),
        inputs("static inputs", &names(statics), &read.statics),
        inputs("derived inputs", &theirs.inputs.derived, &read.derived),
        products(here),
        gaps(here),
        transformation(theirs.transform, ours.transform),
        range(theirs.transform.scaling, ours.transform.scaling),
        split(&theirs.split, &ours.split),
        training(theirs, ours),
        chosen(here, &paper),
        judged(here),
        simulation(here),
        classes(),
        unusual(here),
    ])
}

fn transformation(theirs: Transform, ours: Transform) -> Setting {
    let name = |which: Transformation| match which {
        Transformation::None => "as they are",
        Transformation::Asinh => "arcsinh",
    };
    let said = |of: Transform| format!("target {}, inputs {}", name(of.target), name(of.inputs));
    Setting {
        what: "transformation",
        paper: format!("arcsinh of “the data”, read as {}", said(theirs)),
        here: said(ours),
        same: Same::of(ours.target == theirs.target && ours.inputs == theirs.inputs),
    }
}

fn range(theirs: Scaling, ours: Scaling) -> Setting {
    let name = |scaling: Scaling| match scaling {
        Scaling::Training => "from the days fitted on",
        Scaling::All => "from all days",
        Scaling::None => "none",
    };
    Setting {
        what: "range of the target",
        paper: name(theirs).to_owned(),
        here: name(ours).to_owned(),
        same: Same::of(ours == theirs),
    }
}

fn split(theirs: &Split, ours: &Split) -> Setting {
    let percent = |share: f64| format!("{} %", number(100.0 * share, 0));
    let said = |split: &Split| {
        let validation = match split.validation > 0.0 {
            true => format!("of these the last {} validate", percent(split.validation)),
            false => "no validation part".to_owned(),
        };
        let folds = match split.kind {
            SplitKind::Time => "",
            SplitKind::Sites | SplitKind::Both => "; folds of sites besides",
        };
        let train = percent(split.train);
        format!("the first {train} of each site’s observed days train, {validation}{folds}")
    };
    let is_same = ours.train.to_bits() == theirs.train.to_bits()
        && ours.validation.to_bits() == theirs.validation.to_bits()
        && ours.kind == theirs.kind;
    Setting {
        what: "split",
        paper: said(theirs),
        here: said(ours),
        same: Same::of(is_same),
    }
}

/// What trials are trained with, besides the keys that are among the paper's numbers.
fn training(theirs: &Settings, ours: &Settings) -> Setting {
    let training = Training {
        window_days: theirs.training.window_days,
        epochs: theirs.training.epochs,
        // These two change the last bits alone.
        backend: theirs.training.backend,
        threads: theirs.training.threads,
        ..ours.training
    };
    let params = Params {
        hidden_size: theirs.params.hidden_size,
        dropout: theirs.params.dropout,
        ..ours.params
    };
    let is_alike = training == theirs.training && params == theirs.params;
    Setting {
        what: "training",
        paper: "hydroDL’s LSTM, mean squared error; optimizer and batches are not said".to_owned(),
        here: match is_alike {
            true => "mean squared error, for the rest hydroDL’s defaults",
            false => "not hydroDL’s defaults: see Methods and the job file",
        }
        .to_owned(),
        same: if is_alike { Same::NotSaid } else { Same::No },
    }
}

/// How hyperparameters are chosen.
fn chosen(here: &Here<'_>, paper: &Job) -> Setting {
    let selection = here.results.selection;
    let text = match selection.candidates.len() {
        0 | 1 => "no search: one configuration".to_owned(),
        count => format!(
            "the best of {} by {}",
            counted(count, "configuration"),
            selection.compared_by()
        ),
    };
    Setting {
        what: "hyperparameters",
        paper: format!(
            "by a grid search whose scores are not described, the seed among them; read as on the {} part",
            paper.selection.on.name()
        ),
        here: text,
        same: Same::NotSaid,
    }
}

/// What is judged.
fn judged(here: &Here<'_>) -> Setting {
    let results = here.results;
    let seeds: Vec<String> = results
        .members
        .iter()
        .map(|of| of.seed.to_string())
        .collect();
    let (text, same) = match (&seeds[..], results.mixed) {
        (_, Some(_)) => ("the mean of networks and other models".to_owned(), Same::No),
        ([], None) => ("nothing yet".to_owned(), Same::Unknown),
        ([seed], None) => (format!("one network, seed {seed}"), Same::of(seed == "0")),
        (seeds, None) => (
            format!(
                "the mean of {} networks, seeds {}",
                seeds.len(),
                seeds.join(", ")
            ),
            Same::No,
        ),
    };
    Setting {
        what: "what is judged",
        paper: "one network, seed 0".to_owned(),
        here: text,
        same,
    }
}

fn simulation(here: &Here<'_>) -> Setting {
    Setting {
        what: "simulation",
        paper: "not described; hydroDL runs the whole series from a zero state".to_owned(),
        here: match here.results.contract.evaluation.state {
            State::Carried => "the whole calendar from a zero state",
            State::Window => "each day by a window of its own from a zero state",
        }
        .to_owned(),
        same: Same::NotSaid,
    }
}

fn classes() -> Setting {
    Setting {
        what: "good, fair and poor",
        paper: "two definitions and two sets of counts; the class means follow from the text’s"
            .to_owned(),
        here: "the text’s thresholds; the captions’ counts by the one reading that can give them"
            .to_owned(),
        same: Same::Yes,
    }
}

/// How extremes and spikes are read.
fn unusual(here: &Here<'_>) -> Setting {
    let analysis = here.results.analysis;
    let [low, high] = analysis.bands;
    Setting {
        what: "extremes",
        paper: "the lowest and the highest 5 %, of each site or of all is not said".to_owned(),
        here: format!(
            "below the {} % and above the {} % quantile of each site’s test days",
            number(100.0 * low, 0),
            number(100.0 * high, 0)
        ),
        same: match [low.to_bits(), high.to_bits()] == [0.05_f64, 0.95].map(f64::to_bits) {
            true => Same::NotSaid,
            false => Same::No,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::numbers::NUMBERS;
    use super::*;

    #[test]
    fn the_papers_job_has_the_papers_numbers() {
        let job = Job::parse(Path::new(JOB_PATH), JOB.to_owned()).unwrap();
        let printed = |id: &str| {
            let mut numbers = NUMBERS.iter();
            numbers.find(|number| number.id == id).unwrap().value()
        };
        let Job {
            settings, seeds, ..
        } = &job;
        let pairs = [
            ("hidden", f64::from(settings.params.hidden_size)),
            ("dropout", settings.params.dropout),
            ("window", f64::from(settings.training.window_days)),
            ("epochs", f64::from(settings.training.epochs)),
            ("seed", seeds.final_members[0] as f64),
        ];
        for (id, value) in pairs {
            assert_eq!(value.to_bits(), printed(id).to_bits(), "{id}");
        }
        let inputs = &settings.inputs;
        let counts = [&inputs.dynamic, &inputs.statics].map(|of| of.as_ref().map(Vec::len));
        assert_eq!(counts, [Some(11), Some(10)]);
    }
}
