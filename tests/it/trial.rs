//! One trial by itself: what it keeps, what it can be continued from, what it says when it cannot go on.

use std::fs;
use std::path::Path;
use std::process::Command;

use efflux_job::Stage;
use efflux_numerics::Level;
use efflux_run::record::{FailureClass, Outcome, Record};
use efflux_run::{RunDir, read_epochs};
use efflux_testing::left_out;

use crate::harness::{Ended, JOB, Running, Study, await_until, of_epochs};

/// The id of the first trial of the plan for this stage.
fn planned(study: &Study, stage: &str) -> String {
    let plan = study.run(&["plan", "job.toml", "--trials"]).ok().stdout;
    let mut lines = plan.lines().map(|line| line.split_whitespace());
    lines
        .find_map(|mut words| {
            let id = words.next()?;
            (words.next()? == stage).then(|| id.to_owned())
        })
        .unwrap()
}

fn record(ended: Ended) -> Record {
    serde_json::from_str(&ended.ok().stdout).unwrap()
}

/// All that a trial is for, byte by byte.
fn kept(directory: &Path) -> [Vec<u8>; 2] {
    ["weights.safetensors", "simulation.safetensors"]
        .map(|name| fs::read(directory.join(name)).unwrap())
}

/// Starts a trial that keeps its results in `directory`, and kills it when there is a checkpoint.
fn killed(study: &Study, id: &str, directory: &str, more: &[&str]) {
    let arguments = ["trial", "job.toml", "--id", id, "-o", directory];
    let brief = ["--checkpoint-seconds", "1"];
    let arguments = [&arguments[..], &brief, more].concat();
    let mut trial = Running::start(&mut study.command(&arguments));
    let checkpoint = study.path(directory).join(format!("{id}.checkpoint"));
    await_until("a checkpoint was written", || checkpoint.exists());
    trial.kill_all();
    assert!(
        !study.path(directory).join("weights.safetensors").exists(),
        "killed too late"
    );
}

fn long() -> Study {
    Study::with(&of_epochs(40).replace("[8, 12]", "[8]"))
}

#[test]
fn a_trial_that_keeps_its_results_goes_on_after_a_kill_to_the_same_bytes() {
    let study = long();
    let id = planned(&study, "final");
    let whole = record(study.run(&["trial", "job.toml", "--id", &id, "-o", "whole"]));
    assert_eq!(whole.trial.stage, Stage::Final);
    killed(&study, &id, "killed", &[]);
    let resumed = record(study.run(&["trial", "job.toml", "--id", &id, "-o", "killed"]));
    assert_eq!(resumed.outcome, whole.outcome);
    assert_eq!(resumed.place.device, whole.place.device);
    assert!(kept(&study.path("killed")) == kept(&study.path("whole")));
    let log = fs::read_to_string(study.path("killed/trainer.log")).unwrap();
    assert!(log.contains("goes on after epoch"), "{log}");
    assert!(
        !study
            .path("killed")
            .join(format!("{id}.checkpoint"))
            .exists()
    );
    // Epochs are those of one training, whichever process had them.
    let epochs = |name: &str| {
        let mut epochs = read_epochs(&RunDir::new(study.path(name))).unwrap();
        for epoch in &mut epochs {
            epoch.iterations_per_second = 0.0;
        }
        epochs
    };
    assert_eq!(epochs("whole").len(), 40);
    assert_eq!(epochs("killed"), epochs("whole"));
}

#[test]
fn a_trial_is_the_same_bytes_alone_and_after_another_in_one_trainer() {
    let study = Study::new();
    study.sweep("run", "1").ok();
    let records = study.records("run");
    let last = records.last().unwrap();
    assert_eq!((last.trial.stage, last.place.slot.0), (Stage::Final, 0));
    let id = last.trial.id.as_str();
    record(study.run(&["trial", "job.toml", "--id", id, "-o", "alone"]));
    let in_sweep = study.path("run/trials").join(id).join("attempt-1");
    assert!(kept(&study.path("alone")) == kept(&in_sweep));
}

#[test]
fn a_trial_continued_on_another_instruction_set_says_so() {
    let host = Level::of_this_host();
    if host == Level::Baseline {
        left_out(
            "continuing on another level",
            "this processor has one level",
        );
        return;
    }
    let study = long();
    let id = planned(&study, "search");
    killed(&study, &id, "run", &["--level", "baseline"]);
    let resumed = record(study.run(&["trial", "job.toml", "--id", &id, "-o", "run"]));
    let expected = format!(
        "cpu {}, 1 thread, begun on cpu baseline, 1 thread",
        host.name()
    );
    assert_eq!(resumed.place.device, expected);
    // On one level from beginning to end there is nothing to say.
    let arguments = ["trial", "job.toml", "--id", &id, "--level", "baseline"];
    let whole = record(study.run(&arguments));
    assert_eq!(whole.place.device, "cpu baseline, 1 thread");
    if host < Level::Avx512 {
        let too_high = ["trial", "job.toml", "--id", &id, "--level", "avx512"];
        study
            .run(&too_high)
            .refused(2, &["--level avx512", host.name()]);
    }
}

#[test]
fn every_epoch_of_a_sweep_is_on_file_while_it_runs() {
    let study = Study::with(
        &JOB.replace("[split]", "")
            .replace("epochs = 2", "epochs = 3"),
    );
    study.sweep("run", "2").ok();
    let epochs = read_epochs(&RunDir::new(study.path("run"))).unwrap();
    // Four search trials and two members, three epochs each.
    assert_eq!(epochs.len(), 18);
    for record in study.records("run") {
        let Outcome::Finished(summary) = &record.outcome else {
            panic!("{record:?}");
        };
        let of_trial: Vec<_> = epochs
            .iter()
            .filter(|epoch| epoch.trial == record.trial.id)
            .collect();
        assert_eq!(of_trial.len(), 3);
        assert_eq!(
            (of_trial[2].epoch, of_trial[2].loss),
            (summary.epoch, summary.loss)
        );
        assert!(of_trial.iter().all(|epoch| epoch.validation.sites > 0));
    }
}

#[test]
fn a_model_that_does_not_fit_into_memory_fails_with_its_sizes() {
    for backend in ["native", "torch"] {
        does_not_fit(backend);
    }
}

fn does_not_fit(backend: &str) {
    let training = format!("epochs = 2\nbackend = \"{backend}\"");
    let job = JOB.replace("epochs = 2", &training);
    let study = Study::with(&job.replace("[8, 12]", "[4096]"));
    let id = planned(&study, "search");
    // Room for libtorch and the pack, not for 800 MB of weights.
    let program = env!("CARGO_BIN_EXE_efflux");
    let script = format!("ulimit -v 2500000 && exec {program} trial job.toml --id {id}");
    let ended: Ended = Command::new("bash")
        .args(["-c", &script])
        .current_dir(study.path(""))
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let record: Record = serde_json::from_str(&ended.stdout).unwrap();
    let Outcome::Failed(failure) = record.outcome else {
        panic!("{:?}", record.outcome);
    };
    assert_eq!(failure.class, FailureClass::Memory, "{}", failure.message);
    for part in [
        "not enough memory",
        "6 sites",
        "hidden 4096",
        "MB for weights",
    ] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
}

#[test]
fn a_job_with_every_option_is_trained_and_its_rules_are_in_the_ids() {
    let options = r#"
epochs = 4
sampler = "observed"
warm_up_days = 10
loss = "huber"
huber_delta = 1.5
optimizer = "adamw"
learning_rate = 0.01
weight_decay = 0.02
schedule = "cosine"
clip_norm = 1.0
keep = "best"
patience = 2

[evaluation]
state = "window"
"#;
    let study = Study::with(&JOB.replace("epochs = 2", options));
    study.sweep("run", "2").ok();
    assert_eq!(study.records("run").len(), 6);
    let report = fs::read_to_string(study.path("run/report/index.html")).unwrap();
    assert!(report.contains("short records weigh more"));
    // Another rule makes other trials.
    let job = fs::read_to_string(study.path("job.toml")).unwrap();
    study.write(
        "job.toml",
        job.replace("clip_norm = 1.0", "clip_norm = 2.0"),
    );
    let plan = study.run(&["plan", "job.toml", "--run-dir", "run"]).ok();
    assert!(plan.stdout.contains("0 done"), "{}", plan.stdout);
}
