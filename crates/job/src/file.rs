//! The job file: TOML in, a validated [`Job`] out. Everything that can be wrong in it is found here, before anything
//! starts; what depends on the pack as well is found when the contract is made.

mod check;
mod forecasts;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::configuration::Configuration;
use super::section::{Key, Section};
use super::settings::Refused;
use super::training::keys::TrainingKeys;
use super::trial::{Naming, OfConfiguration, SearchTrials};
use super::{
    Analysis, Baselines, Contract, EnsembleMembers, Evaluation, Final, Fit, Grid, Inputs, Params,
    Policy, Sampling, Scaling, Search, Seeds, Selection, SelectionPart, Settings, Split, Stage,
    Stop, Transform, Trial, Variables,
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
    /// `[inputs]`, `[split]`, `[transform]`, `[model]` and `[training]`: what configurations are laid over.
    pub settings: Settings,
    /// `[evaluation]`
    pub evaluation: Evaluation,
    /// `[search]`
    pub search: Search,
    /// `[grid]`
    pub grid: Grid,
    /// The settings of its configurations, in their order.
    configured: Vec<Settings>,
    /// `[seeds]`
    pub seeds: Seeds,
    /// `[selection]`
    pub selection: Selection,
    /// `[final]`
    pub final_members: Final,
    /// `[stop]`
    pub stop: Stop,
    /// `[ensemble]`
    pub ensemble: EnsembleMembers,
    /// `[baselines]`
    pub baselines: Baselines,
    /// `[analysis]`
    pub analysis: Analysis,
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    /// The pack to train on, relative to the directory that the command runs in.
    pack: PathBuf,
    #[serde(default)]
    inputs: Inputs,
    #[serde(default)]
    split: Split,
    #[serde(default)]
    transform: Transform,
    #[serde(default)]
    model: Params,
    #[serde(default)]
    training: TrainingKeys,
    #[serde(default)]
    evaluation: Evaluation,
    #[serde(default)]
    search: Search,
    /// Read by [`Grid`], which keeps its lines.
    #[serde(default, rename = "grid")]
    _grid: Option<IgnoredAny>,
    #[serde(default)]
    seeds: Seeds,
    #[serde(default)]
    selection: Selection,
    #[serde(default, rename = "final")]
    final_members: Final,
    #[serde(default)]
    stop: Stop,
    #[serde(default)]
    ensemble: EnsembleMembers,
    #[serde(default)]
    baselines: Baselines,
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
        let refused = |refused: Refused| {
            let place = (refused.section, refused.key);
            wrong(path, &text, place, &refused.found, &refused.expected)
        };
        let training = raw.training.training();
        let settings = Settings {
            inputs: raw.inputs,
            split: raw.split,
            transform: raw.transform,
            params: raw.model,
            training: training
                .map_err(|fault| refused(Refused::in_section(Section::Training.name(), fault)))?,
        };
        if let Some(fault) = settings.fault() {
            return Err(refused(fault));
        }
        let grid =
            Grid::parse(&text, &settings, raw.search).map_err(|(line, reason)| Error::Job {
                path: path.to_owned(),
                reason: format!("line {line}: {reason}"),
            })?;
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .filter(|stem| !stem.is_empty())
            .unwrap_or_else(|| "job".to_owned());
        let mut job = Self {
            name,
            path: path.to_owned(),
            text,
            pack: raw.pack,
            settings,
            evaluation: raw.evaluation,
            search: raw.search,
            grid,
            configured: Vec::new(),
            seeds: raw.seeds,
            selection: raw.selection,
            final_members: raw.final_members,
            stop: raw.stop,
            ensemble: raw.ensemble,
            baselines: raw.baselines,
            analysis: raw.analysis,
        };
        job.configured = job.validate()?;
        Ok(job)
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

    /// The error for a value that a configuration has, with the line that states it.
    fn refused(&self, refused: &Refused, configuration: &Configuration) -> Error {
        let Refused {
            section,
            key,
            found,
            expected,
        } = refused;
        let expected = format!("{expected} (in the configuration {configuration})");
        let stated = Key::called(&format!("{section}.{key}")).and_then(|key| {
            let line = self.grid.line(key, configuration.get(key)?)?;
            Some((line, key))
        });
        match stated {
            Some((line, key)) => Error::Job {
                path: self.path.clone(),
                reason: format!("line {line}: `grid.{key}` has {found}, expected {expected}"),
            },
            None => self.wrong(section, key, found, &expected),
        }
    }

    /// The contract between this job and a pack of this digest with these variables, for a calendar of this many days. It has
    /// no folds yet: these are made of the pack's sites.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] if a configuration's window does not fit into the calendar, or the pack has not its inputs.
    pub fn contract(
        &self,
        pack_digest: &str,
        variables: Variables,
        calendar_days: usize,
    ) -> Result<Contract> {
        for configuration in self.grid.configurations() {
            self.check_calendar(configuration, calendar_days)?;
        }
        let contract = Contract {
            pack_digest: pack_digest.to_owned(),
            evaluation: self.evaluation,
            split: self.settings.split,
            folds: Vec::new(),
            variables,
        };
        Ok(contract)
    }

    /// Every configuration with every search seed and each fold, if there are folds.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] if the pack has not the inputs of a configuration.
    pub fn search_trials(&self, contract: &Contract) -> Result<SearchTrials> {
        let mut naming = Naming::of(contract);
        let mut named: Vec<OfConfiguration> = Vec::new();
        let stage = (Stage::Search, Fit::Train);
        for fold in contract.folds_of_search() {
            for (one, settings) in self.configured() {
                named.push(match fold {
                    None => self.name(&mut naming, one, settings, stage)?,
                    Some(_) => {
                        let settings = settings.in_fold(fold);
                        self.name(&mut naming, &one.in_fold(fold), &settings, stage)?
                    }
                });
            }
        }
        let mut trials = Vec::with_capacity(named.len() * self.seeds.search.len());
        for &seed in &self.seeds.search {
            let of_seed = named.iter();
            trials.extend(of_seed.map(|one| one.trial(seed)));
        }
        Ok(SearchTrials::of(self.grid.configurations(), trials))
    }

    /// A configuration with every final seed: trained on all sites, and then in each fold, if there are folds.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] if the pack has not its inputs.
    pub fn final_trials(
        &self,
        contract: &Contract,
        configuration: &Configuration,
    ) -> Result<Vec<Trial>> {
        let settings = self.settings.with(configuration);
        let settings = settings.map_err(|fault| self.refused(&fault, configuration))?;
        let mut naming = Naming::of(contract);
        let stage = (Stage::Final, self.final_members.fit);
        let mut trials = Vec::new();
        for fold in std::iter::once(None).chain((0..contract.folds.len()).map(Some)) {
            let (one, settings) = (configuration.in_fold(fold), settings.in_fold(fold));
            let named = self.name(&mut naming, &one, &settings, stage)?;
            let seeds = self.seeds.final_members.iter();
            trials.extend(seeds.map(|&seed| named.trial(seed)));
        }
        Ok(trials)
    }

    fn name(
        &self,
        naming: &mut Naming<'_>,
        configuration: &Configuration,
        settings: &Settings,
        stage: (Stage, Fit),
    ) -> Result<OfConfiguration> {
        naming
            .configuration(configuration, settings, stage)
            .map_err(|reason| Error::Job {
                path: self.path.clone(),
                reason,
            })
    }

    /// What in this job makes its test scores optimistic, as sentences for the report.
    pub fn caveats(&self) -> Vec<&'static str> {
        let mut caveats = Vec::new();
        if self.selection.on == SelectionPart::Test {
            caveats.push(
                "The configuration was selected on the test part, as in the paper: the test scores are optimistic.",
            );
        }
        if self.any(|settings| settings.transform.scaling == Scaling::All) {
            caveats.push(
                "The target was scaled by the range of all days, the test part included, as in the paper.",
            );
        }
        if self.any(|settings| settings.training.sampler == Sampling::Observed) {
            caveats.push(
                "Windows were drawn among those that hold a target: short records weigh more than in the paper.",
            );
        }
        if matches!(self.stop.policy, Policy::Asha | Policy::Median) {
            caveats.push(
                "Which configurations were given up depends on when trials arrived at their rungs: another run of this job may give up others.",
            );
        }
        caveats
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
pub fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Error {
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
