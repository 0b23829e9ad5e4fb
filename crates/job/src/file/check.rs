//! What can be wrong in a job beyond a single value: between sections, and in a configuration.

use std::collections::HashSet;
use std::fmt::Display;

use efflux_base::error::Result;

use super::Job;
use crate::configuration::Configuration;
use crate::section::{Key, Section};
use crate::settings::{Overlay, Refused, Settings};
use crate::{Analysis, Fit, FoldsBy, Keep, SelectionPart, Split, SplitKind, Training};

impl Job {
    /// Whether everything in the file can be. Returns the settings of its configurations.
    pub(super) fn validate(&self) -> Result<Vec<Settings>> {
        self.seeds("search", &self.seeds.search)?;
        self.seeds("final", &self.seeds.final_members)?;
        if self.settings.split.validation == 0.0 && self.selection.on == SelectionPart::Validation {
            let expected = "\"test\" (there is no validation part: split.validation is 0)";
            return Err(self.wrong("selection", "on", "\"validation\"", expected));
        }
        if let Some((key, found, expected)) = self.stop.fault(self.settings.training.epochs) {
            return Err(self.wrong("stop", key, found, expected));
        }
        let (count, epochs) = (
            self.grid.configurations().len(),
            self.settings.training.epochs,
        );
        if let Some(least) = self.stop.least_to_end(count, epochs) {
            if least >= epochs {
                let expected = format!("at most {count}, the number of configurations");
                return Err(self.wrong("stop", "eta", self.stop.eta(), &expected));
            }
            let found = format!("{} with {count} configurations", self.stop.least());
            let expected = format!(
                "at least {least}: one of every {} goes on from a rung, and none might come to the end",
                self.stop.eta()
            );
            return Err(self.wrong("stop", "least", found, &expected));
        }
        if self.stop.is_on() && self.settings.split.validation == 0.0 {
            let found = format!("`{}`", self.stop.policy.name());
            let expected = "`none` without a validation part (split.validation is 0)";
            return Err(self.wrong("stop", "policy", found, expected));
        }
        if let Some((key, found, expected)) = self.search.fault(self.grid.axes()) {
            return Err(self.wrong("search", key, found, expected));
        }
        if let Some((key, found, expected)) = self.ensemble.fault() {
            return Err(self.wrong("ensemble", key, found, expected));
        }
        if self.ensemble.is_fitted() && !self.keeps_forecasts() {
            let expected = if self.settings.split.has_folds() {
                "another rule or a list with folds of sites: networks of the search do not know the sites that they forecast"
            } else {
                "another rule or a list without a validation part (split.validation is 0): weights are fitted on forecasts of it"
            };
            return Err(self.wrong("ensemble", "weights", "\"fitted\"", expected));
        }
        self.check_folds()?;
        self.check_analysis()?;
        if let Some(fault) = self.contradiction(&self.settings) {
            return Err(self.wrong(fault.section, fault.key, fault.found, &fault.expected));
        }
        let configurations = self.grid.configurations().iter();
        let overlay = Overlay::of(&self.settings);
        let settings = configurations.map(|configuration| {
            let settings = overlay.with(configuration).and_then(|settings| {
                match settings.fault().or_else(|| self.contradiction(&settings)) {
                    None => Ok(settings),
                    Some(fault) => Err(fault),
                }
            });
            settings.map_err(|fault| self.refused(&fault, configuration))
        });
        settings.collect()
    }

    /// What these settings, each of them possible, say against the rest of the job.
    fn contradiction(&self, settings: &Settings) -> Option<Refused> {
        self.without_validation(&settings.training)
            .or_else(|| self.judged_days(settings))
            .or_else(|| self.epochs_of_rungs(settings))
    }

    /// Where a trial's course depends on its validation scores, no trial may be without validation days.
    fn without_validation(&self, training: &Training) -> Option<Refused> {
        let (key, found) = match (training.keep, training.patience) {
            (Keep::Best, _) => ("keep", "\"best\"".to_owned()),
            (Keep::Last, Some(patience)) => ("patience", patience.to_string()),
            (Keep::Last, None) => return None,
        };
        let expected = if self.settings.split.validation == 0.0 {
            "no such key without a validation part (split.validation is 0)"
        } else if self.final_members.fit == Fit::TrainValidation {
            "no such key with `final.fit = \"train+validation\"`, which leaves members no validation days"
        } else {
            return None;
        };
        Some(Refused::in_section(
            Section::Training.name(),
            (key, found, expected),
        ))
    }

    /// A configuration may fit on fewer days than `[split]` says, but on none that is judged.
    fn judged_days(&self, settings: &Settings) -> Option<Refused> {
        let (judged, own) = (self.settings.split, settings.split);
        if own == judged {
            return None;
        }
        let of_key = |key, found: &str, expected: &str| Refused {
            section: Section::Split.name(),
            key,
            found: found.to_owned(),
            expected: expected.to_owned(),
        };
        let refused =
            |key, found: f64, expected: String| of_key(key, &found.to_string(), &expected);
        if own.kind != judged.kind {
            let expected = match (judged.has_folds(), own.has_folds()) {
                (false, _) => {
                    Some("no such axis without folds: [split] says which sites are judged")
                }
                (true, false) => Some("`sites` or `both`, which judge the same sites and days"),
                (true, true) => None,
            };
            if let Some(expected) = expected {
                return Some(of_key("kind", own.kind.name(), expected));
            }
        }
        let of_days = |split: Split| [split.train, split.validation];
        if of_days(own) == of_days(judged) {
            return None;
        }
        if own.kind == SplitKind::Sites {
            let expected = "no such axis with `kind = \"sites\"`, which trains on whole records";
            return Some(refused("train", own.train, expected.to_owned()));
        }
        if self.final_members.fit == Fit::TrainValidation {
            let expected = "no such axis with `final.fit = \"train+validation\"`, which fits members on judged days";
            let key = if own.train == judged.train {
                "validation"
            } else {
                "train"
            };
            let found = if key == "train" {
                own.train
            } else {
                own.validation
            };
            return Some(refused(key, found, expected.to_owned()));
        }
        if own.train > judged.train {
            let expected = format!(
                "at most {}, the share of [split]: later days are judged",
                judged.train
            );
            return Some(refused("train", own.train, expected));
        }
        // To the rounding of a product.
        let most = judged.train * (1.0 - judged.validation);
        if own.train * (1.0 - own.validation) > most * (1.0 + 1e-9) {
            let expected = format!(
                "at least {}: with less, days that are judged would be fitted on",
                ((1.0 - most / own.train) * 1e6).round() / 1e6
            );
            return Some(refused("validation", own.validation, expected));
        }
        None
    }

    /// Rungs are epochs that all configurations have.
    fn epochs_of_rungs(&self, settings: &Settings) -> Option<Refused> {
        let (epochs, of_all) = (settings.training.epochs, self.settings.training.epochs);
        if !self.stop.is_on() || epochs == of_all {
            return None;
        }
        let policy = self.stop.policy.name();
        Some(Refused {
            section: Section::Training.name(),
            key: "epochs",
            found: epochs.to_string(),
            expected: format!(
                "{of_all} as [training] says: `stop.policy = \"{policy}\"` compares configurations of equal length"
            ),
        })
    }

    /// What cannot go together with folds of sites.
    fn check_folds(&self) -> Result<()> {
        let split = &self.settings.split;
        if let Some(fold) = split.fold {
            let expected = "no such key: trials have it, one for each fold";
            return Err(self.wrong("split", "fold", fold, expected));
        }
        if split.has_folds() && self.stop.is_on() {
            let found = format!("`{}`", self.stop.policy.name());
            let expected =
                "`none` with folds of sites: rungs are judged at sites that are trained on";
            return Err(self.wrong("stop", "policy", found, expected));
        }
        let least = 1.0 / f64::from(split.folds);
        if split.has_folds() && split.by == FoldsBy::Distance && split.largest_fold <= least {
            let expected = format!("above 1/{0}, because `split.folds` is {0}", split.folds);
            return Err(self.wrong("split", "largest_fold", split.largest_fold, &expected));
        }
        Ok(())
    }

    fn check_analysis(&self) -> Result<()> {
        let Analysis {
            spike_z,
            spike_window_days,
            bands: [low, high],
            temperature: _,
            same_place_km,
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
        if !(same_place_km >= 0.0 && same_place_km.is_finite()) {
            return Err(self.wrong("analysis", "same_place_km", same_place_km, "0 or more"));
        }
        Ok(())
    }

    /// A list of seeds: not empty, none twice.
    fn seeds(&self, key: &str, seeds: &[u64]) -> Result<()> {
        let mut seen = HashSet::new();
        let wrong = |found: &dyn Display, expected| Err(self.wrong("seeds", key, found, expected));
        match seeds.iter().find(|seed| !seen.insert(**seed)) {
            Some(twice) => wrong(twice, "each value once"),
            None if seeds.is_empty() => wrong(&"[]", "at least one value"),
            None => Ok(()),
        }
    }

    /// Whether a configuration's windows fit into a calendar.
    pub(super) fn check_calendar(
        &self,
        configuration: &Configuration,
        calendar_days: usize,
    ) -> Result<()> {
        let training = &self.settings.training;
        let days = |name: &str, unset: u32| {
            let key = Key::of(Section::Training, name);
            let set = key.and_then(|key| configuration.count(key));
            set.unwrap_or(unset.into())
        };
        let window = days("window_days", training.window_days);
        let warm_up = days("warm_up_days", training.warm_up_days);
        if window.saturating_add(warm_up) < calendar_days as u64 {
            return Ok(());
        }
        let of = match warm_up {
            0 => String::new(),
            _ => format!(" less {warm_up} of warm-up"),
        };
        let refused = Refused {
            section: Section::Training.name(),
            key: "window_days",
            found: window.to_string(),
            expected: format!("fewer than the {calendar_days} days of the pack's calendar{of}"),
        };
        Err(self.refused(&refused, configuration))
    }

    /// Whether some configuration has such settings.
    pub fn any(&self, is_so: impl Fn(&Settings) -> bool) -> bool {
        self.configured.iter().any(is_so)
    }

    /// The configurations with their settings.
    pub fn configured(&self) -> impl Iterator<Item = (&Configuration, &Settings)> {
        self.grid.configurations().iter().zip(&self.configured)
    }
}
