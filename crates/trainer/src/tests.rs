//! The life of attempts, from orders to reports, without a process.

use std::cell::RefCell;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use efflux_base::error::{Error, Exit, Result};
use efflux_data::{Pack, variables};
use efflux_ingest::{SynthOptions, synthesize};
use efflux_job::{Contract, DeviceChoice, Job, Settings, Trial};
use efflux_numerics::Level;
use efflux_protocol::{
    Assignment, Frames, FromTrainer, Isolation, LaunchSpec, Simulation, ToTrainer,
    TrainerPreparation, TrialEvent, write_frame,
};
use efflux_run::record::{FailureClass, Outcome, Record, Summary};
use efflux_run::{Attempt, RunDir, Slot};

use crate::pipes::Pipes;
use crate::server::work;

/// A pack, two trials of a small job on it, and a folder for what they leave.
struct Bench {
    directory: tempfile::TempDir,
    contract: Contract,
    settings: Settings,
    trials: Vec<Trial>,
}

/// Reports, to be read when the trainer has ended.
#[derive(Clone, Default)]
struct Reports(Rc<RefCell<Vec<u8>>>);

impl Write for Reports {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bench {
    fn new(window_days: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pack.h5");
        let options = SynthOptions {
            sites: 6,
            years: Some(2),
            ..SynthOptions::default()
        };
        synthesize(&options).unwrap().write(&path).unwrap();
        let pack = Pack::read(&path).unwrap();
        let text = format!(
            "pack = \"pack.h5\"\n[training]\nepochs = 3\n[seeds]\nsearch = [0, 1]\n\
             [grid]\nhidden_size = [4]\nwindow_days = [{window_days}]\n"
        );
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        // A calendar in which every window fits: what does not fit into the pack's is for the trainer to find.
        let contract = job
            .contract(&pack.digest, variables(&pack), 100_000)
            .unwrap();
        Self {
            trials: job.search_trials(&contract).unwrap().into_vec(),
            contract,
            settings: job.settings,
            directory,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn preparation(&self) -> ToTrainer {
        let launch = LaunchSpec {
            name: "launch".into(),
            run: self.path("run"),
            pack: self.path("pack.h5"),
            contract: self.contract.clone(),
            settings: self.settings.clone(),
            device: DeviceChoice::Cpu,
            level: Level::of_this_host(),
            checkpoint_seconds: 3600,
            lanes: 1,
        };
        ToTrainer::Prepare(Box::new(TrainerPreparation {
            slot: Slot(3),
            ..TrainerPreparation::alone(launch)
        }))
    }

    fn assignment(&self, trial: usize) -> Assignment {
        Assignment {
            trial: self.trials[trial].clone(),
            attempt: Attempt(2),
            isolation: Isolation::SharedLanes,
            until: None,
            metric_of_sites: None,
            keep: None,
            checkpoint: Some(self.path("checkpoint")),
        }
    }
}

/// What a trainer reports of these orders, heartbeats left out, and how it ends.
fn reports_of(orders: &[ToTrainer]) -> (Vec<FromTrainer>, Result<()>) {
    let mut bytes = Vec::new();
    for order in orders {
        write_frame(&mut bytes, order).unwrap();
    }
    let reports = Reports::default();
    let ended = work(&mut Pipes::new(Cursor::new(bytes), reports.clone()));
    let mut frames = Frames::default();
    frames.push(&reports.0.borrow());
    let all = std::iter::from_fn(|| frames.pop::<FromTrainer>().unwrap());
    let is_beat =
        |report: &FromTrainer| matches!(report, FromTrainer::Trial(TrialEvent::Progress(_)));
    (all.filter(|report| !is_beat(report)).collect(), ended)
}

#[track_caller]
fn record(report: &FromTrainer) -> &Record {
    match report {
        FromTrainer::Trial(TrialEvent::Ended(record)) => record,
        other => panic!("no record: {other:?}"),
    }
}

#[track_caller]
fn summary(report: &FromTrainer) -> &Summary {
    match &record(report).outcome {
        Outcome::Finished(summary) => summary,
        Outcome::Failed(failure) => panic!("{failure:?}"),
    }
}

#[test]
fn a_trainer_reports_its_device_and_then_a_record_of_each_trial_in_turn() {
    let bench = Bench::new(30);
    let orders = [
        bench.preparation(),
        ToTrainer::Train(bench.assignment(0)),
        ToTrainer::Train(bench.assignment(1)),
        ToTrainer::Stop,
    ];
    let (reports, ended) = reports_of(&orders);
    ended.unwrap();
    let [FromTrainer::Ready(device), first, second] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert!(device.gpus.is_empty());
    for (report, trial) in [first, second].into_iter().zip(&bench.trials) {
        let record = record(report);
        assert_eq!((&record.trial, record.attempt), (trial, Attempt(2)));
        assert_eq!(record.place.slot, Slot(3));
        assert_eq!(summary(report).epoch, 3);
    }
    assert_ne!(
        summary(first).loss.to_bits(),
        summary(second).loss.to_bits()
    );
}

#[test]
fn a_trial_that_is_handed_back_goes_on_from_its_checkpoint_to_the_same_result() {
    let bench = Bench::new(30);
    let (prepare, train) = (bench.preparation(), ToTrainer::Train(bench.assignment(0)));
    let (whole, _) = reports_of(&[prepare.clone(), train.clone()]);
    assert!(!bench.path("checkpoint").exists(), "none is due");
    // The order to drain overtakes the trial.
    let drained = [prepare.clone(), train.clone(), ToTrainer::Drain];
    let (reports, ended) = reports_of(&drained);
    ended.unwrap();
    let Assignment { trial, attempt, .. } = bench.assignment(0);
    let released = TrialEvent::Released {
        trial: trial.id,
        attempt,
    };
    assert_eq!(reports[1..], [FromTrainer::Trial(released)]);
    assert!(bench.path("checkpoint").exists());
    let (resumed, _) = reports_of(&[prepare, train]);
    assert_eq!(summary(&resumed[1]), summary(&whole[1]));
}

#[test]
fn a_trial_is_handed_back_at_a_rung_with_its_scores_and_goes_on_from_there_to_the_same_result() {
    let bench = Bench::new(30);
    let (prepare, train) = (bench.preparation(), ToTrainer::Train(bench.assignment(0)));
    let (whole, _) = reports_of(&[prepare.clone(), train.clone()]);
    let to_rung = ToTrainer::Train(Assignment {
        until: Some(2),
        metric_of_sites: None,
        ..bench.assignment(0)
    });
    let (reports, ended) = reports_of(&[prepare.clone(), to_rung.clone()]);
    ended.unwrap();
    let [_, FromTrainer::Trial(TrialEvent::AtRung(result))] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert_eq!((&result.trial, result.epoch), (&bench.trials[0].id, 2));
    assert!(result.validation.sites > 0);
    // As if nobody had heard of it: the same scores, of the checkpoint.
    let (again, _) = reports_of(&[prepare.clone(), to_rung]);
    assert_eq!(again[1..], reports[1..]);
    let (resumed, _) = reports_of(&[prepare, train]);
    assert_eq!(summary(&resumed[1]), summary(&whole[1]));
}

#[test]
fn a_window_that_does_not_fit_into_the_pack_is_the_jobs_fault() {
    let bench = Bench::new(2000);
    let (reports, ended) =
        reports_of(&[bench.preparation(), ToTrainer::Train(bench.assignment(0))]);
    ended.unwrap();
    let Outcome::Failed(failure) = &record(&reports[1]).outcome else {
        panic!("{reports:?}");
    };
    assert_eq!(failure.class, FailureClass::Configuration, "{failure:?}");
}

#[test]
fn a_member_that_is_kept_simulates_a_pack_and_one_that_is_not_is_an_error() {
    let bench = Bench::new(30);
    let directory = bench.path("member");
    std::fs::create_dir_all(&directory).unwrap();
    let kept = Assignment {
        keep: Some(directory.clone()),
        ..bench.assignment(0)
    };
    let simulate = |weights| {
        ToTrainer::Simulate(Simulation {
            trial: bench.trials[0].clone(),
            weights,
            scaling: directory.join(RunDir::SCALING),
            residuals: None,
            site_prior: None,
            adapt: false,
            keep: bench.path("simulated"),
        })
    };
    let orders = [
        bench.preparation(),
        ToTrainer::Train(kept),
        simulate(directory.join(RunDir::WEIGHTS)),
        simulate(bench.path("nothing")),
    ];
    let (reports, ended) = reports_of(&orders);
    ended.unwrap();
    let [
        _,
        trained,
        FromTrainer::Simulated(id),
        FromTrainer::Failed(report),
    ] = &reports[..]
    else {
        panic!("{reports:?}");
    };
    summary(trained);
    assert_eq!(*id, bench.trials[0].id);
    assert!(bench.path("simulated").exists());
    assert_eq!(report.exit, Exit::Environment);
    assert!(report.message.contains("nothing"), "{report:?}");
}

#[test]
fn what_a_trainer_cannot_be_prepared_with_is_reported_and_ends_it() {
    let bench = Bench::new(30);
    std::fs::remove_file(bench.path("pack.h5")).unwrap();
    let (reports, ended) = reports_of(&[bench.preparation()]);
    let error = ended.unwrap_err();
    let [FromTrainer::Failed(report)] = &reports[..] else {
        panic!("{reports:?}");
    };
    assert_eq!(
        (report.exit, &report.message),
        (error.exit(), &error.to_string())
    );
    let (reports, ended) = reports_of(&[ToTrainer::Train(bench.assignment(0))]);
    assert!(reports.is_empty());
    assert!(matches!(ended, Err(Error::Trainer(_))));
}
