//! The job file: TOML in, a validated [`Job`] out. Everything that can be wrong in it is found here, before anything
//! starts; what depends on the pack as well is found when the contract is made.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use serde::Deserialize;

use super::grid::Naming;
use super::training::keys::TrainingKeys;
use super::{
    Analysis, Contract, Evaluation, Final, Fit, Grid, Inputs, Keep, Params, Sampling, Scaling,
    Seeds, Selection, SelectionPart, Split, Stage, Stop, Training, Transform, Trial,
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
    pub final_members: Final,
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
    training: TrainingKeys,
    #[serde(default)]
    evaluation: Evaluation,
    #[serde(default)]
    grid: Grid,
    #[serde(default)]
    seeds: Seeds,
    #[serde(default)]
    selection: Selection,
    #[serde(default, rename = "final")]
    final_members: Final,
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
        let training = raw.training.training().map_err(|(key, found, expected)| {
            wrong(path, &text, ("training", key), found, expected)
        })?;
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
            training,
            evaluation: raw.evaluation,
            grid: raw.grid,
            seeds: raw.seeds,
            selection: raw.selection,
            final_members: raw.final_members,
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
        self.list("seeds", "final", &self.seeds.final_members, "", |_| true)?;
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
        if let Some((key, found, expected)) = self.split.fault() {
            return Err(self.wrong("split", key, found, expected));
        }
        if self.split.validation == 0.0 && self.selection.on == SelectionPart::Validation {
            let expected = "\"test\" (there is no validation part: split.validation is 0)";
            return Err(self.wrong("selection", "on", "\"validation\"", expected));
        }
        if let Some((key, found, expected)) = self.training.fault() {
            return Err(self.wrong("training", key, found, expected));
        }
        if let Some((key, found, expected)) = self.stop.fault(self.training.epochs) {
            return Err(self.wrong("stop", key, found, expected));
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
        if self.stop.is_on() && self.split.validation == 0.0 {
            let found = format!("`{}`", self.stop.policy.name());
            let expected = "`none` without a validation part (split.validation is 0)";
            return Err(self.wrong("stop", "policy", found, expected));
        }
        let Training { keep, patience, .. } = self.training;
        let (key, found) = match (keep, patience) {
            (Keep::Best, _) => ("keep", "\"best\"".to_owned()),
            (Keep::Last, Some(patience)) => ("patience", patience.to_string()),
            (Keep::Last, None) => return Ok(()),
        };
        let missing = if self.split.validation == 0.0 {
            "no such key without a validation part (split.validation is 0)"
        } else if self.final_members.fit == Fit::TrainValidation {
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
        wrong(&self.path, &self.text, (section, key), found, expected)
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
        let seeds = self.seeds.final_members.iter();
        seeds
            .map(|&seed| naming.trial(Stage::Final, self.final_members.fit, params, seed))
            .collect()
    }

    /// What in this job makes its test scores optimistic, as sentences for the report.
    pub fn caveats(&self) -> Vec<&'static str> {
        let mut caveats = Vec::new();
        if self.selection.on == SelectionPart::Test {
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

/// The error for a value that cannot be, with the line of the file that it stands on.
fn wrong(
    path: &Path,
    text: &str,
    (section, key): (&str, &str),
    found: impl Display,
    expected: &str,
) -> Error {
    let place = line_of(text, section, key)
        .map(|line| format!("line {line}: "))
        .unwrap_or_default();
    Error::Job {
        path: path.to_owned(),
        reason: format!("{place}`{section}.{key}` has {found}, expected {expected}"),
    }
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
mod tests;
