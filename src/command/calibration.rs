//! Times a few epochs of trials of each size on this host, so that a plan need not go by another one.

use std::path::Path;
use std::thread;

use efflux_base::error::{Error, Result};
use efflux_cluster::{TrainerSession, common_level};
use efflux_job::{Configuration, DeviceChoice, Key, Section, Trial};
use efflux_numerics::Level;
use efflux_protocol::{Assignment, Isolation, LaunchSpec, TrainerPreparation};
use efflux_run::record::Outcome;
use efflux_run::{Attempt, host};

use super::loads::Loads;
use super::study::Study;
use super::timing::Timed;

/// Sizes that are timed at most, from the smallest to the largest.
const SIZES: usize = 5;
/// Seconds that the longer of two trials of a size is to take, by the estimate.
const SECONDS: f64 = 1.0;

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
        let each = workload.core_hours() * 3600.0 / f64::from(all);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of epochs, which saturates"
        )]
        let several = ((SECONDS / each).ceil() as u32).clamp(2, all.max(2));
        for count in [1, several.min(all)] {
            let mut short = trial.clone();
            let values = trial.params.values().iter().cloned();
            let others = values.filter(|(key, _)| *key != epochs);
            short.params = Configuration::of(others.chain([(epochs, count.into())]).collect());
            timed.push(Timed {
                workload: workload.of_epochs(count, all),
                seconds: on_all_slots(study, &short, slots, folder.path())?,
            });
        }
    }
    Ok(timed)
}

/// Mean seconds of a trial that all slots train at once.
fn on_all_slots(study: &Study, trial: &Trial, slots: usize, folder: &Path) -> Result<f64> {
    let seconds = thread::scope(|scope| {
        let slots = 0..slots;
        let running: Vec<_> = slots
            .map(|slot| scope.spawn(move || alone(study, trial, folder, slot)))
            .collect();
        let ended = running.into_iter().map(|slot| {
            let panicked = |_| Err(Error::Internal("a slot of a calibration panicked".into()));
            slot.join().unwrap_or_else(panicked)
        });
        ended.collect::<Result<Vec<f64>>>()
    })?;
    Ok(seconds.iter().sum::<f64>() / seconds.len().max(1) as f64)
}

/// Seconds of a trial in a trainer of its own.
fn alone(study: &Study, trial: &Trial, folder: &Path, slot: usize) -> Result<f64> {
    let launch = LaunchSpec {
        name: "calibration".to_owned(),
        run: folder.to_owned(),
        pack: study.job.pack.clone(),
        contract: study.contract.clone(),
        settings: study.job.settings.clone(),
        device: DeviceChoice::Cpu,
        level: common_level(None, [(&*host(), Level::of_this_host())])?,
        checkpoint_seconds: u32::MAX,
        lanes: 1,
    };
    let log = folder.join(format!("trainer-{slot}.log"));
    let session = TrainerSession::start(TrainerPreparation::alone(launch), &log)?;
    let assignment = Assignment {
        trial: trial.clone(),
        attempt: Attempt::FIRST,
        isolation: Isolation::OwnTrainer,
        until: None,
        metric_of_sites: None,
        keep: None,
        checkpoint: None,
    };
    let record = session.train(&assignment, &mut |_| {})?;
    match record.outcome {
        Outcome::Finished(_) => Ok(record.seconds),
        Outcome::Failed(failure) => Err(Error::Trainer(format!(
            "calibration: {} failed: {}",
            trial.params, failure.message
        ))),
    }
}
