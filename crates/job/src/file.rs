//! The job file: TOML in, a validated [`Job`] out. Everything that can be wrong in it is found here, before anything
//! starts; what depends on the pack as well is found when the contract is made.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use serde::Deserialize;

use super::grid::Naming;
use super::{
    Analysis, Contract, Evaluation, Final, Fit, Grid, Inputs, Keep, Params, Part, Sampling,
    Scaling, Seeds, Selection, Split, Stage, Stop, Training, Transform, Trial,
};

/// A job file whose every value is possible.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The file's name without its ending; names the run directory.
    pub name: String,
    /// Where it was read.
    pub path: PathBuf,
    /// Its text, kept with the run.
    pub text: String,
    /// The pack, as written: relative to the directory the command runs in.
    pub pack: PathBuf,
    /// `[inputs]`
    pub inputs: Inputs,
    /// `[split]`
    pub split: Split,
    /// `[transform]`
    pub transform: Transform,
    /// `[training]`
    pub training: Training,
    /// `[evaluation]`
    pub evaluation: Evaluation,
    /// `[grid]`
    pub grid: Grid,
    /// `[seeds]`
    pub seeds: Seeds,
    /// `[selection]`
    pub selection: Selection,
    /// `[final]`
    pub last: Final,
    /// `[stop]`
    pub stop: Stop,
    /// `[analysis]`
    pub analysis: Analysis,
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    pack: PathBuf,
    #[serde(default)]
    inputs: Inputs,
    #[serde(default)]
    split: Split,
    #[serde(default)]
    transform: Transform,
    #[serde(default)]
    training: Training,
    #[serde(default)]
    evaluation: Evaluation,
    #[serde(default)]
    grid: Grid,
    #[serde(default)]
    seeds: Seeds,
    #[serde(default)]
    selection: Selection,
    #[serde(default, rename = "final")]
    last: Final,
    #[serde(default)]
    stop: Stop,
    #[serde(default)]
    analysis: Analysis,
}

impl Job {
    /// Reads and validates a job file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Job`] with line, key, value and what would be possible.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read the job file", path))?;
        Self::parse(path, text)
    }

    /// Validates the text of a job file; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] with line, key, value and what would be possible.
    pub fn parse(path: &Path, text: String) -> Result<Self> {
        let raw: Raw = toml::from_str(&text).map_err(|error| syntax(path, &text, &error))?;
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .filter(|stem| !stem.is_empty())
            .unwrap_or_else(|| "job".to_owned());
        let job = Self {
            name,
            path: path.to_owned(),
            text,
            pack: raw.pack,
            inputs: raw.inputs,
            split: raw.split,
            transform: raw.transform,
            training: raw.training,
            evaluation: raw.evaluation,
            grid: raw.grid,
            seeds: raw.seeds,
            selection: raw.selection,
            last: raw.last,
            stop: raw.stop,
            analysis: raw.analysis,
        };
        job.validate()?;
        Ok(job)
    }

    fn validate(&self) -> Result<()> {
        self.list(
            "grid",
            "hidden_size",
            &self.grid.hidden_size,
            "1 to 4096",
            |&h| (1..=4096).contains(&h),
        )?;
        self.list(
            "grid",
            "dropout",
            &self.grid.dropout,
            "at least 0 and below 1",
            |&p| (0.0..1.0).contains(&p),
        )?;
        self.list(
            "grid",
            "window_days",
            &self.grid.window_days,
            "1 or more",
            |&d| d >= 1,
        )?;
        self.list("seeds", "search", &self.seeds.search, "", |_| true)?;
        self.list("seeds", "final", &self.seeds.last, "", |_| true)?;
        for (key, names) in [
            ("dynamic", &self.inputs.dynamic),
            ("static", &self.inputs.statics),
        ] {
            if let Some(names) = names {
                distinct(names)
                    .map_err(|name| self.wrong("inputs", key, name, "each name once"))?;
            }
        }
        if self.inputs.dynamic.as_ref().is_some_and(Vec::is_empty) {
            return Err(self.wrong(
                "inputs",
                "dynamic",
                "[]",
                "at least one name, or no such key",
            ));
        }
        let Split { train, validation } = self.split;
        if !(train > 0.0 && train < 1.0) {
            return Err(self.wrong("split", "train", train, "above 0 and below 1"));
        }
        if !(0.0..1.0).contains(&validation) {
            return Err(self.wrong("split", "validation", validation, "at least 0 and below 1"));
        }
        if self.selection.on == Part::Train {
            return Err(self.wrong("selection", "on", "\"train\"", "\"validation\" or \"test\""));
        }
        if validation == 0.0 && self.selection.on == Part::Validation {
            let expected = "\"test\" (there is no validation part: split.validation is 0)";
            return Err(self.wrong("selection", "on", "\"validation\"", expected));
        }
        if let Some((key, found, expected)) = self.training.fault() {
            return Err(self.wrong("training", key, found, expected));
        }
        self.check_validation_is_there()?;
        let Analysis {
            spike_z,
            spike_window_days,
            bands: [low, high],
            temperature: _,
        } = self.analysis;
        if !(spike_z.is_finite() && spike_z > 0.0) {
            return Err(self.wrong("analysis", "spike_z", spike_z, "above 0"));
        }
        if spike_window_days < 2 {
            return Err(self.wrong(
                "analysis",
                "spike_window_days",
                spike_window_days,
                "2 or more",
            ));
        }
        if !(low > 0.0 && low < high && high < 1.0) {
            let found = format!("[{low}, {high}]");
            return Err(self.wrong("analysis", "bands", found, "0 < lower < upper < 1"));
        }
        Ok(())
    }

    /// Where a trial's course depends on its validation scores, no trial may be without validation days.
    fn check_validation_is_there(&self) -> Result<()> {
        let Training { keep, patience, .. } = self.training;
        let (key, found) = match (keep, patience) {
            (Keep::Best, _) => ("keep", "\"best\"".to_owned()),
            (Keep::Last, Some(patience)) => ("patience", patience.to_string()),
            (Keep::Last, None) => return Ok(()),
        };
        let missing = if self.split.validation == 0.0 {
            "no such key without a validation part (split.validation is 0)"
        } else if self.last.fit == Fit::TrainValidation {
            "no such key with `final.fit = \"train+validation\"`, which leaves members no validation days"
        } else {
            return Ok(());
        };
        Err(self.wrong("training", key, found, missing))
    }

    /// An axis: not empty, no value twice, every value possible.
    fn list<T: Display>(
        &self,
        section: &str,
        key: &str,
        values: &[T],
        expected: &str,
        possible: impl Fn(&T) -> bool,
    ) -> Result<()> {
        if values.is_empty() {
            return Err(self.wrong(section, key, "[]", "at least one value"));
        }
        distinct(values).map_err(|twice| self.wrong(section, key, twice, "each value once"))?;
        match values.iter().find(|value| !possible(value)) {
            Some(value) => Err(self.wrong(section, key, value, expected)),
            None => Ok(()),
        }
    }

    /// The error for a value that cannot be, with the line it stands on.
    pub(crate) fn wrong(
        &self,
        section: &str,
        key: &str,
        found: impl Display,
        expected: &str,
    ) -> Error {
        let place = line_of(&self.text, section, key)
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        Error::Job {
            path: self.path.clone(),
            reason: format!("{place}`{section}.{key}` has {found}, expected {expected}"),
        }
    }

    /// The contract between this job and a pack of this digest, with the inputs already chosen, for a calendar of
    /// this many days.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] if a window of the grid does not fit into the calendar.
    pub fn contract(
        &self,
        pack_digest: &str,
        dynamic: Vec<String>,
        statics: Vec<String>,
        calendar_days: usize,
    ) -> Result<Contract> {
        let warm_up = self.training.warm_up_days as usize;
        for &window in &self.grid.window_days {
            if window as usize + warm_up >= calendar_days {
                let of = match warm_up {
                    0 => String::new(),
                    _ => format!(" less {warm_up} of warm-up"),
                };
                let expected =
                    format!("fewer than the {calendar_days} days of the pack's calendar{of}");
                return Err(self.wrong("grid", "window_days", window, &expected));
            }
        }
        Ok(Contract {
            pack_digest: pack_digest.to_owned(),
            dynamic,
            statics,
            missing: self.inputs.missing,
            split: self.split,
            transform: self.transform,
            training: self.training,
            evaluation: self.evaluation,
        })
    }

    /// Every configuration with every search seed, seeds varying slowest so that the first results compare
    /// configurations.
    pub fn search_trials(&self, contract: &Contract) -> Vec<Trial> {
        let configurations = self.grid.configurations();
        let naming = Naming::of(contract);
        let mut trials = Vec::with_capacity(configurations.len() * self.seeds.search.len());
        for &seed in &self.seeds.search {
            for &params in &configurations {
                trials.push(naming.trial(Stage::Search, Fit::Train, params, seed));
            }
        }
        trials
    }

    /// The selected configuration with every final seed.
    pub fn final_trials(&self, contract: &Contract, params: Params) -> Vec<Trial> {
        let naming = Naming::of(contract);
        let seeds = self.seeds.last.iter();
        seeds
            .map(|&seed| naming.trial(Stage::Final, self.last.fit, params, seed))
            .collect()
    }

    /// What in this job makes its test scores optimistic, as sentences for the report.
    pub fn caveats(&self) -> Vec<&'static str> {
        let mut caveats = Vec::new();
        if self.selection.on == Part::Test {
            caveats.push(
                "The configuration was selected on the test part, as in the paper: the test scores are optimistic.",
            );
        }
        if self.transform.scaling == Scaling::All {
            caveats.push(
                "The target was scaled by the range of all days, the test part included, as in the paper.",
            );
        }
        if self.training.sampler == Sampling::Observed {
            caveats.push(
                "Windows were drawn among those that hold a target: short records weigh more than in the paper.",
            );
        }
        caveats
    }
}

/// `Err` with the first value that occurs twice, to the reader of the job.
fn distinct<T: Display>(values: &[T]) -> Result<(), &T> {
    let mut seen = HashSet::new();
    match values.iter().find(|value| !seen.insert(value.to_string())) {
        Some(value) => Err(value),
        None => Ok(()),
    }
}

/// The line (from 1) on which `key` of `[section]` is set.
pub(super) fn line_of(text: &str, section: &str, key: &str) -> Option<usize> {
    let mut current = "";
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            current = header.split(']').next().unwrap_or_default().trim();
        } else if let Some((name, _)) = line.split_once('=')
            && current == section
            && name.trim() == key
        {
            return Some(index + 1);
        }
    }
    None
}

/// A TOML error with its line, and for an unknown key the nearest one there is.
pub(super) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let place = error
        .span()
        .map(|span| text[..span.start].matches('\n').count() + 1)
        .map(|line| format!("line {line}: "))
        .unwrap_or_default();
    // serde says: unknown field `a`, expected one of `b`, `c`.
    let message = error.message();
    let mut names = message.split('`').skip(1).step_by(2);
    let reason = match (message.starts_with("unknown field"), names.next()) {
        (true, Some(unknown)) => {
            let nearest = names.max_by(|a, b| {
                strsim::jaro_winkler(unknown, a).total_cmp(&strsim::jaro_winkler(unknown, b))
            });
            match nearest {
                Some(nearest) => format!("unknown key `{unknown}` (did you mean `{nearest}`?)"),
                None => format!("unknown key `{unknown}`"),
            }
        }
        _ => message.trim_end().replace('\n', " "),
    };
    Error::Job {
        path: path.to_owned(),
        reason: format!("{place}{reason}"),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn parse(text: &str) -> Result<Job> {
        Job::parse(Path::new("jobs/x.toml"), text.to_owned())
    }

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_smallest_job_is_the_papers_configuration() {
        let job = parse("pack = \"a.h5\"").unwrap();
        assert_eq!(job.name, "x");
        let [params] = job.grid.configurations()[..] else {
            panic!("more than one configuration");
        };
        assert_eq!(
            (params.hidden_size, params.dropout, params.window_days),
            (128, 0.2, 30)
        );
        assert_eq!(job.training.epochs, 200);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_key() {
        assert_eq!(
            refusal("pack = \"a.h5\"\n[grid]\nhiden_size = [64]\n"),
            "jobs/x.toml: line 3: unknown key `hiden_size` (did you mean `hidden_size`?)"
        );
        assert!(refusal("pack = \"a.h5\"\n[spilt]\n").contains("did you mean `split`?"));
    }

    #[test]
    fn impossible_values_are_refused_with_line_key_and_expectation() {
        let cases = [
            (
                "[grid]\ndropout = [0.2, 1.2]",
                "`grid.dropout` has 1.2, expected at least 0 and below 1",
            ),
            (
                "[grid]\nhidden_size = []",
                "`grid.hidden_size` has [], expected at least one value",
            ),
            (
                "[grid]\nwindow_days = [30, 30]",
                "`grid.window_days` has 30, expected each value once",
            ),
            (
                "[split]\ntrain = 1.0",
                "`split.train` has 1, expected above 0 and below 1",
            ),
            (
                "[selection]\non = \"train\"",
                "`selection.on` has \"train\"",
            ),
            (
                "[training]\nepochs = 0",
                "`training.epochs` has 0, expected 1 or more",
            ),
            (
                "[training]\nlearning_rate = 0.0",
                "`training.learning_rate` has 0, expected above 0",
            ),
            (
                "[training]\nhuber_delta = 1.5",
                "`training.huber_delta` has 1.5, expected no such key unless `loss` is \"huber\"",
            ),
            (
                "[training]\nweight_decay = 0.1",
                "expected no such key unless `optimizer` is \"adamw\"",
            ),
            (
                "[training]\npatience = 0",
                "`training.patience` has 0, expected 1 or more",
            ),
            (
                "[analysis]\nbands = [0.9, 0.1]",
                "`analysis.bands` has [0.9, 0.1]",
            ),
        ];
        for (text, expected) in cases {
            let message = refusal(&format!("pack = \"a.h5\"\n{text}\n"));
            assert!(message.starts_with("jobs/x.toml: line 3: "), "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn without_a_validation_part_selection_must_say_test() {
        let text = "pack = \"a.h5\"\n[split]\nvalidation = 0.0\n";
        assert!(refusal(text).contains("there is no validation part"));
        let paper = parse(&format!("{text}[selection]\non = \"test\"\n")).unwrap();
        assert_eq!(paper.caveats().len(), 1);
    }

    #[test]
    fn the_best_epoch_cannot_be_kept_without_validation_days() {
        let text = "pack = \"a.h5\"\n[training]\nkeep = \"best\"\n";
        let all = format!("{text}[final]\nfit = \"train+validation\"\n");
        assert!(refusal(&all).starts_with("jobs/x.toml: line 3: `training.keep` has \"best\""));
        let none = format!("{text}[split]\nvalidation = 0.0\n[selection]\non = \"test\"\n");
        assert!(refusal(&none).contains("split.validation is 0"));
        assert!(parse(text).is_ok());
    }

    #[test]
    fn a_wrong_type_is_refused_with_its_line() {
        let message = refusal("pack = \"a.h5\"\n[grid]\nhidden_size = \"64\"\n");
        assert!(
            message.starts_with("jobs/x.toml: line 3: invalid type"),
            "{message}"
        );
    }

    fn contract(job: &Job) -> Contract {
        job.contract("d", vec!["t".into()], vec![], 100).unwrap()
    }

    #[test]
    fn ids_are_the_same_in_every_launch_and_differ_when_anything_differs() {
        let job = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8, 16]\n").unwrap();
        let trials = job.search_trials(&contract(&job));
        assert_eq!(trials, job.search_trials(&contract(&job)));
        assert_ne!(trials[0].id, trials[1].id);
        let mut other = contract(&job);
        other.training.epochs += 1;
        assert_ne!(trials[0].id, job.search_trials(&other)[0].id);
        let last = job.final_trials(&contract(&job), trials[0].params);
        assert_ne!(
            trials[0].id, last[0].id,
            "a member keeps what a search trial does not"
        );
        assert_eq!(trials[0].id.as_str().len(), 16);
        // A run directory outlives the program that began it: the id is that of the one list.
        let Trial {
            stage,
            fit,
            params,
            seed,
            ..
        } = trials[1];
        let whole = serde_json::json!([1, contract(&job), stage, fit, params, seed]);
        let hash = Sha256::digest(whole.to_string());
        assert_eq!(trials[1].id.as_str(), efflux_numerics::hex(&hash[..8]));
    }

    #[test]
    fn extending_an_axis_keeps_the_trials_there_were() {
        let small = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8]\n").unwrap();
        let large = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8, 16]\n").unwrap();
        let extended = large.search_trials(&contract(&large));
        for trial in small.search_trials(&contract(&small)) {
            assert!(extended.contains(&trial));
        }
    }

    #[test]
    fn a_window_longer_than_the_calendar_is_refused() {
        let job = parse("pack = \"a.h5\"\n[grid]\nwindow_days = [30, 365]\n").unwrap();
        let error = job.contract("d", vec![], vec![], 300).unwrap_err();
        assert!(
            error.to_string().contains("`grid.window_days` has 365"),
            "{error}"
        );
    }

    #[test]
    fn a_difference_between_contracts_is_named_by_its_dotted_key() {
        let job = parse("pack = \"a.h5\"").unwrap();
        let mut other = contract(&job);
        other.training.epochs = 7;
        let (key, before, now) = contract(&job).difference(&other).unwrap();
        assert_eq!((&*key, &*before, &*now), ("training.epochs", "200", "7"));
        assert_eq!(contract(&job).difference(&contract(&job)), None);
    }
}
