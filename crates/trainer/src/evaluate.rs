//! Evaluation of a trained model: it simulates the calendar, is kept, and is summed up.

use std::path::Path;
use std::time::Instant;

use efflux_data::{Member, ProcessVariables, Scales, SeenSites, SitePrior, write_member};
use efflux_job::{self as job, Params, Part, Stage, State, Trial, VALIDATION_DAYS};
use efflux_model::{Days, Flow, Trained, TrialError, checkpoint, guarded, medians, physical};
use efflux_protocol::{Assignment, FromTrainer, TrialEvent};
use efflux_run::record::Summary;
use efflux_run::{Heartbeat, RunDir};

use crate::HEARTBEAT;
use crate::attempt::{StopReason, not_written};
use crate::context::TrialContext;
use crate::new_sites::{self, NewSites};
use crate::pipes::Pipes;
use crate::residual;

/// Evaluates the trained models of one trial.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub(crate) context: TrialContext<'a>,
    pub(crate) assignment: &'a Assignment,
}

impl Evaluator<'_> {
    /// Runs the trained model over the calendar, keeps what is to be kept, and sums up.
    pub(crate) fn evaluate(
        self,
        trained: &Trained,
        pipes: &mut Pipes,
    ) -> Result<Summary, StopReason> {
        let state = self.context.contract.evaluation.state;
        let settings = self.context.settings_of(&self.assignment.trial.params)?;
        let expected = self.expected(trained, &settings.params)?;
        let new = expected.as_ref().and_then(|expected| expected.new.as_ref());
        let mut flux = self.simulate(trained, new, Days::All, state, pipes)?;
        let (pack, tensors) = (self.context.pack, self.context.tensors);
        let is_corrected = settings.params.residual_process;
        let fitted = |site: usize| tensors.fitted(site);
        let variables = ProcessVariables::of_soil(pack).filter(|_| is_corrected);
        let left = variables.map(|variables| SeenSites {
            sites: residual::left_over(pack, &variables, &fitted, &flux),
            variables,
        });
        if let Some(left) = &left {
            residual::correct(pack, left, &mut flux).map_err(|error| {
                TrialError::Defect(format!("the process of the residuals: {error}"))
            })?;
        }
        if let Some(directory) = &self.assignment.keep {
            // What the process makes of the other state nobody asks for, nor what the search does.
            let is_search = self.assignment.trial.stage == Stage::Search;
            let other = if is_corrected || is_search {
                None
            } else {
                Some(self.simulate(trained, new, Days::Observed, state.other(), pipes)?)
            };
            let member = Member {
                trial_id: self.assignment.trial.id.to_string(),
                seed: self.assignment.trial.seed,
                sites: self.context.tensors.site_ids.clone(),
                flux: flux.clone(),
                other_state: other,
            };
            let prior = expected.as_ref().map(|expected| &expected.prior);
            self.keep(directory, trained, (prior, left.as_ref()), &member)
                .map_err(|error| StopReason::Failed(not_written(error.to_string())))?;
        }
        let judged = |part, least| {
            let is_judged = |site: usize| tensors.is_judged(site);
            medians(tensors, &flux, part, least, is_judged)
        };
        let kept = trained.epoch.saturating_sub(1) as usize;
        Ok(Summary {
            updates: trained.updates,
            epoch: trained.epoch,
            loss: trained.losses.get(kept).copied().unwrap_or(f64::NAN),
            window_share: trained.window_share,
            train: medians(tensors, &flux, Part::Train, 0, |_| true),
            validation: judged(Part::Validation, VALIDATION_DAYS),
            test: judged(Part::Test, 0),
        })
    }

    /// What the trained weights let expect of sites that had none to be trained on, if the job asks for it.
    fn expected(self, trained: &Trained, params: &Params) -> Result<Option<Expected>, TrialError> {
        if params.site_prior == job::SitePrior::Zero {
            return Ok(None);
        }
        let TrialContext {
            pack,
            view,
            tensors,
            contract,
            ..
        } = self.context;
        let failed = |error: &dyn std::fmt::Display| {
            TrialError::Defect(format!("what is expected of new sites: {error}"))
        };
        let scales = Scales::fit(pack, view).map_err(|error| failed(&error))?;
        let prior = guarded(|| {
            let prior = new_sites::prior((pack, contract), (&scales, tensors), &trained.model);
            prior.map_err(|error| failed(&error))
        })?;
        let (trial, said) = (&self.assignment.trial.id, new_sites::said(&prior));
        efflux_base::complain!("{trial}: {said}");
        let new = NewSites::of(&prior, &trained.model, pack, (&scales, tensors));
        let new = new.map(|(sites, model)| (sites, trained.with_model(model)));
        Ok(Some(Expected { prior, new }))
    }

    /// Weights, scales, what is left over and simulation, durable before anybody is told of them.
    fn keep(
        self,
        directory: &Path,
        trained: &Trained,
        (prior, left): (Option<&SitePrior>, Option<&SeenSites>),
        member: &Member,
    ) -> efflux_base::error::Result<()> {
        checkpoint::save_weights(&trained.model, &directory.join(RunDir::WEIGHTS))?;
        Scales::fit(self.context.pack, self.context.view)?
            .write(&directory.join(RunDir::SCALING))?;
        if let Some(prior) = prior {
            prior.write(&directory.join(RunDir::SITE_PRIOR))?;
        }
        if let Some(left) = left {
            left.write(&directory.join(RunDir::RESIDUALS))?;
        }
        write_member(
            &directory.join(RunDir::SIMULATION),
            member,
            &self.context.pack.target,
        )
    }

    /// These days of all sites, in the unit of the target.
    ///
    /// * `new`: those that have weights of another model.
    fn simulate(
        self,
        trained: &Trained,
        new: Option<&(NewSites, Trained)>,
        days: Days,
        state: State,
        pipes: &mut Pipes,
    ) -> Result<Vec<f32>, StopReason> {
        let trial = &self.assignment.trial;
        let training = self.context.settings_of(&trial.params)?.training;
        let window = training.sequence_days();
        let mut heartbeats = Heartbeats::new(pipes);
        let mut run = |trained: &Trained, tensors| {
            trained.simulate(tensors, days, state, window as usize, &mut || {
                // Whether anybody listens shows when the record is reported.
                let _ = heartbeats.beat(|| done(trial, trained));
                if heartbeats.pipes.drains() {
                    Flow::Stop
                } else {
                    Flow::Continue
                }
            })
        };
        let tensors = self.context.tensors;
        let simulated = run(trained, tensors).and_then(|mut scaled| {
            if let Some((sites, theirs)) = new {
                let own = run(theirs, &sites.tensors)?;
                sites.put(days, tensors, &mut scaled, &own);
            }
            Ok(scaled)
        });
        match simulated {
            Ok(scaled) => Ok(physical(tensors, &scaled)),
            Err(TrialError::Interrupted) => Err(StopReason::HandedBack),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a training lets expect of sites that it had no day of.
struct Expected {
    prior: SitePrior,
    /// Those of the pack, and the model with the weights that are expected of them; none if there are none.
    new: Option<(NewSites, Trained)>,
}

/// Heartbeats, not too many.
struct Heartbeats<'a> {
    pipes: &'a mut Pipes,
    beaten: Instant,
}

impl<'a> Heartbeats<'a> {
    fn new(pipes: &'a mut Pipes) -> Self {
        Self {
            pipes,
            beaten: Instant::now(),
        }
    }

    /// Reports one, if it is time.
    fn beat(&mut self, heartbeat: impl FnOnce() -> Heartbeat) -> efflux_base::error::Result<()> {
        if self.beaten.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.beaten = Instant::now();
        let progress = TrialEvent::Progress(vec![heartbeat()]);
        self.pipes.report(&FromTrainer::Trial(progress))
    }
}

/// The heartbeat of a trial whose epochs are all done.
fn done(trial: &Trial, trained: &Trained) -> Heartbeat {
    let epochs = u32::try_from(trained.losses.len()).unwrap_or(u32::MAX);
    Heartbeat {
        trial: trial.id.clone(),
        epochs_done: epochs.into(),
        epochs,
        loss: trained.losses.last().copied(),
    }
}
