//! What became of a trial: its model run over the calendar, kept, and summed up.

use std::path::Path;
use std::time::Instant;

use efflux_data::{Member, Scales, write_member};
use efflux_job::{Part, State, Trial, VALIDATION_DAYS};
use efflux_model::{Days, Flow, Trained, TrialError, checkpoint, medians, physical};
use efflux_protocol::{Assignment, Report};
use efflux_run::record::Summary;
use efflux_run::{Beat, RunDir};

use crate::attempt::{Cut, Ground, not_written};
use crate::{BEAT, Pipes};

/// Judges the trained models of one trial.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) ground: Ground<'a>,
    pub(crate) assignment: &'a Assignment,
}

impl Judge<'_> {
    /// Runs the trained model over the calendar, keeps what is to be kept, and sums up.
    pub(crate) fn judge(self, trained: &Trained, pipes: &mut Pipes) -> Result<Summary, Cut> {
        let state = self.ground.contract.evaluation.state;
        let flux = self.simulate(trained, Days::All, state, pipes)?;
        if let Some(directory) = &self.assignment.keep {
            let other = self.simulate(trained, Days::Observed, state.other(), pipes)?;
            let member = Member {
                trial_id: self.assignment.trial.id.to_string(),
                seed: self.assignment.trial.seed,
                sites: self.ground.tensors.site_ids.clone(),
                flux: flux.clone(),
                other_state: Some(other),
            };
            self.keep(directory, trained, &member)
                .map_err(|error| Cut::Failed(not_written(error.to_string())))?;
        }
        let medians = |part, least| medians(self.ground.tensors, &flux, part, least);
        let kept = trained.epoch.saturating_sub(1) as usize;
        Ok(Summary {
            updates: trained.updates,
            epoch: trained.epoch,
            loss: trained.losses.get(kept).copied().unwrap_or(f64::NAN),
            window_share: trained.window_share,
            train: medians(Part::Train, 0),
            validation: medians(Part::Validation, VALIDATION_DAYS),
            test: medians(Part::Test, 0),
        })
    }

    /// Weights, scales and simulation, durable before anybody is told of them.
    fn keep(
        self,
        directory: &Path,
        trained: &Trained,
        member: &Member,
    ) -> efflux_base::error::Result<()> {
        checkpoint::save_weights(&trained.model, &directory.join(RunDir::WEIGHTS))?;
        Scales::fit(
            self.ground.pack,
            self.ground.contract,
            self.assignment.trial.fit,
        )?
        .write(&directory.join(RunDir::SCALING))?;
        write_member(&directory.join(RunDir::SIMULATION), member)
    }

    /// These days of all sites, µmol m⁻² s⁻¹.
    fn simulate(
        self,
        trained: &Trained,
        days: Days,
        state: State,
        pipes: &mut Pipes,
    ) -> Result<Vec<f32>, Cut> {
        let trial = &self.assignment.trial;
        let window = trial.params.window_days + self.ground.contract.training.warm_up_days;
        let mut pulse = Pulse::new(pipes);
        let simulated = trained.simulate(
            self.ground.tensors,
            days,
            state,
            window as usize,
            &mut || {
                // Whether anybody listens shows when the record is reported.
                let _ = pulse.beat(|| done(trial, trained));
                if pulse.pipes.drains() {
                    Flow::Stop
                } else {
                    Flow::Continue
                }
            },
        );
        match simulated {
            Ok(scaled) => Ok(physical(self.ground.tensors, &scaled)),
            Err(TrialError::Interrupted) => Err(Cut::HandedBack),
            Err(error) => Err(error.into()),
        }
    }
}

/// Signs of life, not too many.
struct Pulse<'a> {
    pipes: &'a mut Pipes,
    beaten: Instant,
}

impl<'a> Pulse<'a> {
    fn new(pipes: &'a mut Pipes) -> Self {
        Self {
            pipes,
            beaten: Instant::now(),
        }
    }

    /// Reports this, if it is time.
    fn beat(&mut self, beat: impl FnOnce() -> Beat) -> efflux_base::error::Result<()> {
        if self.beaten.elapsed() < BEAT {
            return Ok(());
        }
        self.beaten = Instant::now();
        self.pipes.report(&Report::Progress(vec![beat()]))
    }
}

/// All epochs are done.
fn done(trial: &Trial, trained: &Trained) -> Beat {
    let epochs = u32::try_from(trained.losses.len()).unwrap_or(u32::MAX);
    Beat {
        trial: trial.id.clone(),
        epochs_done: epochs.into(),
        epochs,
        loss: trained.losses.last().copied(),
    }
}
