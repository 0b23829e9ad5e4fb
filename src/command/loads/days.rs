//! How many site-days a trial computes: of windows, of validation and of its simulation.

use std::collections::HashMap;
use std::ops::Range;

use efflux_base::error::{Error, Result};
use efflux_data::{
    Parts, ProcessVariables, days_up_to_targets, iterations_per_epoch, windows_with_target,
};
use efflux_job::cost::{Residuals, Workload};
use efflux_job::{Fit, Part, Sampling, Settings, Split, Stage, State, Training, VALIDATION_DAYS};
use efflux_numerics::Level;

use crate::command::study::Study;

/// What trials compute, with what many of them have in common counted once.
pub(super) struct Days<'a> {
    study: &'a Study,
    level: Level,
    /// Observed days of all sites.
    observed: usize,
    /// Days of each site that a process of residuals speaks of, once it is wanted.
    spans: Option<Vec<usize>>,
    views: Vec<View>,
    /// By view, window and warm-up.
    drawn: HashMap<(usize, usize, usize), Drawn>,
}

/// Days of each site that trials of one split see.
struct View {
    split: Split,
    fit: Fit,
    /// Those with a target, by site; none at sites that are not trained on.
    targets: Vec<Vec<usize>>,
    /// From the first to the last that validation runs are scored on.
    validation: Vec<Range<usize>>,
}

/// Site-days that an update computes, on average, by how its windows are drawn.
#[derive(Clone, Copy, Default)]
struct Drawn {
    uniform: f64,
    observed: f64,
    /// Of a window that holds a target.
    window: f64,
}

impl<'a> Days<'a> {
    pub(super) fn of(study: &'a Study) -> Self {
        Self {
            study,
            level: Level::of_this_host(),
            spans: None,
            observed: study.pack.flux.iter().filter(|flux| !flux.is_nan()).count(),
            views: Vec::new(),
            drawn: HashMap::new(),
        }
    }

    /// What a trial with these settings and so many inputs computes, in a fold or on all sites.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] if the pack has not what the settings ask for.
    pub(super) fn workload(
        &mut self,
        stage: Stage,
        settings: &Settings,
        inputs: usize,
        fold: Option<usize>,
    ) -> Result<Workload> {
        let (sites, days) = (self.study.pack.sites.len(), self.study.pack.calendar.days);
        let training = &settings.training;
        let (window, warm_up) = lengths(training);
        let by_formula = || iterations_per_epoch(sites, days, sites, window, warm_up);
        let iterations = training.epoch_updates.or_else(by_formula);
        let iterations = iterations.ok_or_else(|| Error::Job {
            path: self.study.job.path.clone(),
            reason: format!("windows of {window} days do not fit into {days} days"),
        })?;
        let fit = match stage {
            Stage::Search => Fit::Train,
            Stage::Final => self.study.job.final_members.fit,
        };
        let view = self.view(settings, fit, fold)?;
        let drawn = self.drawn(view, window, warm_up);
        let validated = self.views[view].validation.iter();
        let validated: usize = validated
            .map(|days| days.end - days.start.saturating_sub(window + warm_up))
            .sum();
        let validated = f64::from(training.epochs) * validated as f64;
        let [carried, windowed] = self.simulated(stage, settings);
        let residuals = match settings.params.residual_process {
            true => self.residuals(view),
            false => Residuals::default(),
        };
        Ok(Workload {
            hidden_size: settings.params.hidden_size,
            layers: settings.params.layers,
            inputs,
            updates: u64::from(iterations) * u64::from(training.epochs),
            site_days: match training.sampler {
                Sampling::Uniform => drawn.uniform,
                Sampling::Observed => drawn.observed,
                Sampling::Root => {
                    training.batch_windows.map_or(sites as f64, f64::from) * drawn.window
                }
            },
            validated_days: validated,
            simulated_days: carried,
            windowed_days: windowed,
            calendar_days: (sites * days) as f64,
            residuals,
            level: self.level,
        })
    }

    /// What the process of residuals computes of a view.
    fn residuals(&mut self, view: usize) -> Residuals {
        let pack = &self.study.pack;
        let spans = self.spans.get_or_insert_with(|| {
            let variables = ProcessVariables::of_soil(pack);
            let span = |site| Some(variables.as_ref()?.span(pack, site)?.len());
            (0..pack.sites.len())
                .map(|site| span(site).unwrap_or(0))
                .collect()
        });
        let mut all = Residuals::default();
        for (targets, &span) in self.views[view].targets.iter().zip(&*spans) {
            let days = targets.len() as f64;
            if span > 0 {
                all.pairs += days * (span as f64 + days / 2.0);
                all.factored += days.powi(3) / 3.0;
            }
        }
        all
    }

    /// Site-days of the simulation of a trained model, for a member in both states: of one run, and by window.
    fn simulated(&self, stage: Stage, settings: &Settings) -> [f64; 2] {
        let calendar = (self.study.pack.sites.len() * self.study.pack.calendar.days) as f64;
        let sequence = f64::from(settings.training.sequence_days());
        let has_other = stage == Stage::Final && !settings.params.residual_process;
        match (self.study.contract.evaluation.state, has_other) {
            (State::Carried, false) => [calendar, 0.0],
            (State::Carried, true) => [calendar, sequence * self.observed as f64],
            (State::Window, false) => [0.0, calendar * sequence],
            (State::Window, true) => [calendar, calendar * sequence],
        }
    }

    /// The place of what a trial sees among what is known.
    fn view(&mut self, settings: &Settings, fit: Fit, fold: Option<usize>) -> Result<usize> {
        let split = settings.split.in_fold(fold);
        let known = self
            .views
            .iter()
            .position(|view| (view.split, view.fit) == (split, fit));
        if let Some(known) = known {
            return Ok(known);
        }
        let view = self.study.contract.view(&settings.in_fold(fold), fit);
        let view = view.map_err(|reason| Error::Job {
            path: self.study.job.path.clone(),
            reason,
        })?;
        let pack = &self.study.pack;
        let parts = Parts::of_view(&pack.flux, &view);
        let observed = |site: usize, part| {
            let flux = pack.flux_of(site);
            let days = parts.days(site, part);
            days.filter(move |&day| !flux[day].is_nan())
        };
        let sites = || 0..pack.sites.len();
        let of_fit = |site: usize| {
            if !view.trains(site) {
                return Vec::new();
            }
            let days = observed(site, Part::Train)
                .chain(observed(site, Part::Validation).filter(|_| fit.holds(Part::Validation)));
            days.collect()
        };
        let validates = |site: &usize| {
            view.trains(*site)
                && !fit.holds(Part::Validation)
                && observed(*site, Part::Validation).count() >= VALIDATION_DAYS
        };
        self.views.push(View {
            split,
            fit,
            targets: sites().map(of_fit).collect(),
            validation: sites()
                .filter(validates)
                .map(|site| parts.span(site, Part::Validation))
                .collect(),
        });
        Ok(self.views.len() - 1)
    }

    fn drawn(&mut self, view: usize, window: usize, warm_up: usize) -> Drawn {
        let days = self.study.pack.calendar.days;
        let targets = &self.views[view].targets;
        *self
            .drawn
            .entry((view, window, warm_up))
            .or_insert_with(|| {
                let starts = days.saturating_sub(window + warm_up).max(1) as f64;
                let (mut drawn, mut sites) = (Drawn::default(), 0);
                for targets in targets {
                    let windows = windows_with_target(targets.iter().copied(), days, window);
                    if windows == 0 {
                        continue;
                    }
                    let reached = days_up_to_targets(targets, days, window) + windows * warm_up;
                    drawn.uniform += reached as f64 / starts;
                    drawn.observed += reached as f64 / windows as f64;
                    sites += 1;
                }
                drawn.window = drawn.observed / f64::from(sites.max(1));
                drawn
            })
    }
}

/// Days of a window, and of the warm-up before it.
fn lengths(training: &Training) -> (usize, usize) {
    (
        training.window_days as usize,
        training.warm_up_days as usize,
    )
}
