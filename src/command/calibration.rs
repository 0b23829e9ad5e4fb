//! Times a few epochs of trials of each size on this host, so that a plan need not go by another one.

use std::path::Path;
use std::thread;

use efflux_base::error::{Error, Result};
use efflux_cluster::TrainerSession;
use efflux_job::{Configuration, DeviceChoice, Key, Section, Trial};
use efflux_protocol::{Assignment, TrainerPreparation};
use efflux_run::record::Outcome;

use super::loads::Loads;
use super::study::Study;
use super::timing::Timed;
use crate::cli::ComputeArgs;

/// Sizes that are timed at most, from the smallest to the largest.
const SIZES: usize = 5;
/// Seconds that the updates of the longer of two trials of a size are to take, by the estimate.
const SECONDS: f64 = 2.0;

/// Trains two short trials of each size on as many slots as the sweep will have, at the same time on all of them.
///
/// # Errors
///
/// Those of the trainers, and [`Error::Trainer`] if a trial fails.
pub(crate) fn calibrate(
    study: &Study,
    loads: &Loads,
    search: &[Trial],
    slots: usize,
) -> Result<Vec<Timed>> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(Error::io("make", &std::env::temp_dir()))?;
    let epochs = Key::of(Section::Training, "epochs");
    let epochs = epochs.ok_or_else(|| Error::Internal("trials have no epochs".into()))?;
    let sizes = loads.sizes();
    let last = sizes.len().min(SIZES) - 1;
    let mut timed = Vec::new();
    for number in 0..=last {
        let (place, workload) = sizes[number * (sizes.len() - 1) / last.max(1)];
        let trial = &search[place];
        let all = trial.params.epochs(&study.job.settings.training);
        let each = workload.core_seconds().updates / f64::from(all);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of epochs, which saturates"
        )]
        let several = ((SECONDS / each).ceil() as u32).clamp(2, all.max(2));
        let counts = [1, several.min(all)];
        let short = counts.map(|count| {
            let values = trial.params.values().iter().cloned();
            let others = values.filter(|(key, _)| *key != epochs);
            let params = Configuration::of(others.chain([(epochs, count.into())]).collect());
            Trial {
                params,
                ..trial.clone()
            }
        });
        let seconds = on_all_slots(study, &short, slots, folder.path())?;
        timed.extend(
            counts
                .into_iter()
                .zip(seconds)
                .map(|(count, seconds)| Timed {
                    workload: workload.of_epochs(count, all),
                    seconds,
                }),
        );
    }
    Ok(timed)
}

/// Mean seconds of each of these trials, which all slots train at once.
fn on_all_slots(
    study: &Study,
    trials: &[Trial; 2],
    slots: usize,
    folder: &Path,
) -> Result<[f64; 2]> {
    let of_slots = thread::scope(|scope| {
        let slots = 0..slots;
        let running: Vec<_> = slots
            .map(|slot| scope.spawn(move || on_one_slot(study, trials, folder, slot)))
            .collect();
        let ended = running.into_iter().map(|slot| {
            let panicked = |_| Err(Error::Internal("a slot of a calibration panicked".into()));
            slot.join().unwrap_or_else(panicked)
        });
        ended.collect::<Result<Vec<[f64; 2]>>>()
    })?;
    Ok([0, 1].map(|trial| {
        let seconds = of_slots.iter().map(|of_slot| of_slot[trial]);
        seconds.sum::<f64>() / of_slots.len().max(1) as f64
    }))
}

/// Seconds of each of these trials in one trainer.
fn on_one_slot(study: &Study, trials: &[Trial; 2], folder: &Path, slot: usize) -> Result<[f64; 2]> {
    let compute = ComputeArgs {
        device: DeviceChoice::Cpu,
        level: None,
    };
    let launch = study.launch("calibration".to_owned(), folder, &compute, u32::MAX)?;
    let log = folder.join(format!("trainer-{slot}.log"));
    let session = TrainerSession::start(TrainerPreparation::alone(launch), &log)?;
    // A trainer's first trial takes longer than those that follow, and is not counted.
    let [short, long] = trials;
    let assignments = [short, short, long].map(|trial| Assignment::alone(trial.clone()));
    let records = session.train_each(&assignments)?;
    let seconds = records[1..].iter().map(|record| match &record.outcome {
        Outcome::Finished(_) => Ok(record.seconds),
        Outcome::Failed(failure) => Err(Error::Trainer(format!(
            "calibration: {} failed: {}",
            record.trial.params, failure.message
        ))),
    });
    let seconds = seconds.collect::<Result<Vec<f64>>>()?;
    match seconds[..] {
        [short, long] => Ok([short, long]),
        _ => Err(Error::Internal(
            "a trial of a calibration has no record".into(),
        )),
    }
}
