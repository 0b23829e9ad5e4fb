//! Clocks of hosts that are wrong, and copies of a run directory in which a sweep is at work.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::harness::{Running, Study, await_until, longer, of_epochs, undisturbed};
use crate::shims;

fn is_training(study: &Study, run: &str) -> bool {
    let live = study.path(run).join("live.json");
    fs::read_to_string(live).is_ok_and(|live| live.contains("epochs_done"))
}

#[test]
fn whether_a_sweep_is_at_work_goes_by_the_clock_of_the_file_server_whatever_those_of_hosts_say() {
    let Some(shim) = shims::compiled("clock", "clocks that are wrong") else {
        return;
    };
    let study = Study::with(&of_epochs(10_000));
    let by_clock = |command: &mut Command, skew: &str| {
        command.env("LD_PRELOAD", &shim).env("CLOCK_SKEW", skew);
    };
    let is_active = |run: &str, skew: &str| {
        let mut status = study.command(&["status", run, "--json"]);
        by_clock(&mut status, skew);
        let said = status.output().unwrap().stdout;
        let status: serde_json::Value = serde_json::from_slice(&said).unwrap();
        status["active"] == true
    };
    const SKEWS: [&str; 3] = ["-7200", "0", "7200"];
    for writer in SKEWS {
        let run = format!("run{writer}");
        let mut sweep = study.command(&["sweep", "job.toml", "--run-dir", &run, "--slots", "1"]);
        by_clock(&mut sweep, writer);
        let mut sweep = Running::start(&mut sweep);
        await_until("a trial is running", || is_training(&study, &run));
        for reader in SKEWS {
            assert!(is_active(&run, reader), "{writer} s, seen by {reader} s");
        }
        sweep.kill_all();
        let live = study.path(&run).join("live.json");
        let live = File::options().append(true).open(live).unwrap();
        let minute_ago = SystemTime::now() - Duration::from_secs(61);
        live.set_modified(minute_ago).unwrap();
        for reader in SKEWS {
            assert!(!is_active(&run, reader), "{writer} s, seen by {reader} s");
        }
    }
}

#[test]
fn a_copy_of_a_run_directory_goes_on_by_itself_while_the_original_is_at_work() {
    let study = longer();
    let mut sweep = study.start_sweep("run", "2");
    await_until("trials are running", || is_training(&study, "run"));
    // Stands still, so that it is at work for as long as the copy is.
    Running::signal(sweep.id(), Signal::STOP);
    let copied = Command::new("cp")
        .args(["-r", "run", "copy"])
        .current_dir(study.directory.path())
        .status();
    assert!(copied.unwrap().success());
    assert!(study.path("copy/lock").exists());
    study.sweep("copy", "2").ok();
    assert_eq!(study.findings("copy"), *undisturbed());
    Running::signal(sweep.id(), Signal::CONT);
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(study.findings("run"), *undisturbed());
}
