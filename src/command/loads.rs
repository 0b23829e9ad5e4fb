//! What the trials of a search are to compute, and what that takes.

use std::collections::HashMap;

use efflux_base::error::{Error, Result};
use efflux_data::{Pack, Parts, days_up_to_targets, iterations_per_epoch};
use efflux_job::cost::{Workload, trainer_megabytes};
use efflux_job::{Backend, Chosen, Fit, Inputs, Part, Sampling, Settings, Split, Training};

use super::study::Study;

/// Of the plan for a GPU, where more of them gain little.
const LANES: u32 = 128;

/// What configurations are to compute.
pub(crate) struct Loads {
    /// Of each configuration whose windows fit into the calendar, in each fold if there are folds.
    of: Vec<(Workload, Training)>,
    /// The different inputs that configurations see.
    inputs: Vec<Chosen>,
    /// Of the largest trainer.
    pub(crate) trainer_megabytes: f64,
    /// The pack in memory.
    pub(crate) pack_megabytes: f64,
}

impl Loads {
    pub(crate) fn of(study: &Study) -> Result<Self> {
        let sites = study.pack.sites.len();
        let mut loads = Self {
            of: Vec::new(),
            inputs: Vec::new(),
            trainer_megabytes: 0.0,
            pack_megabytes: megabytes(&study.pack),
        };
        let mut targets = Targets::default();
        let folds = study.contract.folds_of_search();
        let mut known: Vec<(&Inputs, usize)> = Vec::new();
        for (_, settings) in study.job.configured() {
            let Settings {
                inputs,
                params,
                training,
                ..
            } = settings;
            let count = match known.iter().find(|(one, _)| *one == inputs) {
                Some((_, count)) => *count,
                None => {
                    let chosen = study.contract.variables.choose(inputs);
                    let chosen = chosen.map_err(|reason| Error::Job {
                        path: study.job.path.clone(),
                        reason,
                    })?;
                    let count = chosen.dynamic.len() + chosen.statics.len() + chosen.derived.len();
                    known.push((inputs, count));
                    loads.inputs.push(chosen);
                    count
                }
            };
            let takes = trainer_megabytes(params, training, sites, loads.pack_megabytes);
            loads.trainer_megabytes = loads.trainer_megabytes.max(takes);
            for &fold in &folds {
                let Some((updates, site_days)) = targets.load(study, settings, fold) else {
                    continue;
                };
                let workload = Workload {
                    hidden_size: params.hidden_size,
                    layers: params.layers,
                    inputs: count,
                    updates,
                    site_days,
                };
                loads.of.push((workload, *training));
            }
        }
        Ok(loads)
    }

    /// The names of one kind of inputs; where configurations see different ones, how many.
    pub(crate) fn inputs(&self, kind: impl Fn(&Chosen) -> &Vec<String>) -> String {
        match &self.inputs[..] {
            [all] => kind(all).join(", "),
            several => {
                let counts = several.iter().map(|one| kind(one).len());
                let (least, most) = (counts.clone().min(), counts.max());
                format!(
                    "{} to {}, in {} sets",
                    least.unwrap_or(0),
                    most.unwrap_or(0),
                    several.len()
                )
            }
        }
    }

    /// Epochs, and optimizer steps of a trial.
    pub(crate) fn updates(&self) -> String {
        let range = |of: &dyn Fn(&(Workload, Training)) -> u64| {
            let values = self.of.iter().map(of);
            match (values.clone().min(), values.max()) {
                (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
                (Some(one), _) => one.to_string(),
                _ => "no".to_owned(),
            }
        };
        let updates = range(&|(workload, _)| workload.updates);
        let fewer = match self
            .of
            .iter()
            .any(|(_, training)| training.patience.is_some())
        {
            true => " at most",
            false => "",
        };
        let windows = match updates.contains("to") {
            true => ", by window",
            false => "",
        };
        format!(
            "{} epochs; {updates} updates{fewer}{windows}",
            range(&|(_, training)| training.epochs.into())
        )
    }

    /// Hours of a CPU core, natively, for a trial, for the new trials of the search and for the members.
    pub(crate) fn core_time(&self, new: usize, members: usize) -> Option<String> {
        let is_torch =
            |training: &Training| training.backend == Backend::Torch || training.threads > 1;
        if self.of.iter().any(|(_, training)| is_torch(training)) {
            return None;
        }
        let (mean, most) = mean_and_most(self.of.iter().map(|(workload, _)| workload.core_hours()));
        (mean > 0.0).then(|| {
            format!(
                "on CPUs about {} core hours a trial ({} at most), {} for the new ones and {} for the members; at 3.7 GHz with \
                 AVX2 or AVX-512",
                rounded(mean),
                rounded(most),
                rounded(mean * new as f64),
                rounded(mean * members as f64)
            )
        })
    }

    /// Hours of a GPU for a trial, in libtorch.
    pub(crate) fn gpu_time(&self) -> Option<String> {
        if self
            .of
            .iter()
            .any(|(workload, training)| training.backend == Backend::Native || workload.layers > 1)
        {
            return None;
        }
        let hours = |lanes| {
            mean_and_most(
                self.of
                    .iter()
                    .map(|(workload, _)| workload.gpu_hours(lanes)),
            )
            .0
        };
        let (alone, in_lanes) = (hours(1), hours(LANES));
        (alone > 0.0).then(|| {
            format!(
                "on an NVIDIA H200 about {} GPU hours a trial one at a time, {} in {LANES} lanes",
                rounded(alone),
                rounded(in_lanes)
            )
        })
    }
}

/// What updates of one window length compute: by split and window, of which there are few.
#[derive(Default)]
struct Targets {
    /// Days with a target by site, for each split.
    days: Vec<(Split, Vec<Vec<usize>>)>,
    /// Site-days up to targets, by split and window.
    sums: HashMap<(usize, usize), usize>,
}

impl Targets {
    /// Updates of a training, and site-days of each; nothing where its windows do not fit into the calendar.
    fn load(
        &mut self,
        study: &Study,
        settings: &Settings,
        fold: Option<usize>,
    ) -> Option<(u64, f64)> {
        let (sites, days) = (study.pack.sites.len(), study.pack.calendar.days);
        let training = &settings.training;
        let (window, warm_up) = (
            training.window_days as usize,
            training.warm_up_days as usize,
        );
        let by_formula = || iterations_per_epoch(sites, days, sites, window, warm_up);
        let updates = training.epoch_updates.or_else(by_formula)?;
        let updates = u64::from(updates) * u64::from(training.epochs);
        if training.sampler == Sampling::Root {
            let windows = training
                .batch_windows
                .map_or(sites, |windows| windows as usize);
            return Some((updates, (windows * (window + warm_up)) as f64));
        }
        let split = self.split(study, settings, fold)?;
        let targets = &self.days[split].1;
        let sum = self.sums.entry((split, window)).or_insert_with(|| {
            let of_sites = targets.iter();
            of_sites
                .map(|targets| days_up_to_targets(targets, days, window))
                .sum()
        });
        let starts = days.saturating_sub(window).max(1);
        Some((updates, *sum as f64 / starts as f64))
    }

    /// The place of a split among those that are known.
    fn split(&mut self, study: &Study, settings: &Settings, fold: Option<usize>) -> Option<usize> {
        let of_fold = settings.split.in_fold(fold);
        let known = self.days.iter().position(|(split, _)| *split == of_fold);
        if known.is_some() {
            return known;
        }
        let view = study
            .contract
            .view(&settings.in_fold(fold), Fit::Train)
            .ok()?;
        let parts = Parts::of_view(&study.pack.flux, &view);
        let targets = (0..study.pack.sites.len()).map(|site| {
            let flux = study.pack.flux_of(site);
            let fitted = parts.days(site, Part::Train);
            fitted.filter(|&day| !flux[day].is_nan()).collect()
        });
        self.days.push((of_fold, targets.collect()));
        Some(self.days.len() - 1)
    }
}

fn mean_and_most(hours: impl Iterator<Item = f64>) -> (f64, f64) {
    let hours: Vec<f64> = hours.collect();
    let mean = hours.iter().sum::<f64>() / hours.len().max(1) as f64;
    (mean, hours.iter().copied().fold(0.0, f64::max))
}

/// Two significant digits.
fn rounded(hours: f64) -> String {
    match hours {
        hours if hours < 0.0095 => format!("{hours:.4}"),
        hours if hours < 0.095 => format!("{hours:.3}"),
        hours if hours < 9.5 => format!("{hours:.2}"),
        _ => format!("{hours:.0}"),
    }
}

/// The pack in memory.
fn megabytes(pack: &Pack) -> f64 {
    let bytes = 4 * pack.values.len() + pack.filled.len() + 8 * pack.flux.len();
    bytes as f64 / 1e6
}
