//! A host with too little memory: trainers that the kernel kills, by a real limit on a control group.

use std::path::Path;

use efflux_run::record::{FailureClass, Outcome, Record};
use efflux_testing::left_out;
use jiff::Timestamp;
use rustix::process::Signal;

use crate::control_groups::ControlGroup;
use crate::harness::{
    Running, Study, await_until, clean, failures, finished, of_epochs, trainers_of,
};

/// Takes memory until the kernel has killed somebody else for it, then gives all of it back.
const GREEDY: &str = "import mmap, sys
open('/proc/self/oom_score_adj', 'w').write('-1000')
held = []
while 'oom_kill 0' in open(sys.argv[1]).read():
    held.append(mmap.mmap(-1, 1 << 20))
    held[-1].write(b'x' * (1 << 20))
";

/// A study with trials enough for something to happen in the middle.
fn study() -> Study {
    Study::with(&of_epochs(12).replace("search = [0, 1]", "search = [0, 1, 2]"))
}

/// A group, and a sweep of the study on three slots that runs in it.
fn sweep_in_a_group(study: &Study, test: &str) -> Option<(ControlGroup, Running)> {
    let group = match ControlGroup::new("memory") {
        Ok(group) => group,
        Err(reason) => {
            left_out(test, &reason);
            return None;
        }
    };
    let efflux = env!("CARGO_BIN_EXE_efflux");
    let mut command = group.command(&format!("{efflux} sweep job.toml --run-dir run --slots 3"));
    command.current_dir(study.directory.path());
    clean(&mut command);
    let sweep = Running::start(&mut command);
    await_until("a trial has ended", || finished(study, "run") >= 1);
    await_until("three are running", || trainers_of(sweep.id()).len() == 3);
    Some((group, sweep))
}

/// From when to when an attempt ran.
fn span(record: &Record) -> (f64, f64) {
    let began: Timestamp = record.started.parse().unwrap();
    let began = began.as_millisecond() as f64 / 1e3;
    (began, began + record.seconds)
}

#[test]
fn a_trainer_that_the_kernel_kills_for_memory_costs_a_slot_and_its_trial_is_tried_again_alone() {
    let study = study();
    let Some((group, mut sweep)) = sweep_in_a_group(&study, "too little memory on the host") else {
        return;
    };
    group.limit_memory(group.memory() + (64 << 20));
    study.write("greedy.py", GREEDY);
    let greedy = study.path("greedy.py");
    let words = format!("python3 {} {}", greedy.display(), group.events().display());
    let taken = group.command(&words).status().unwrap();
    assert!(taken.success(), "what was to be spared was killed itself");
    assert_eq!(sweep.wait(), Some(0));

    // One as a rule; what the kernel kills before it sees that it has enough is its own affair.
    let failed = failures(&study, "run");
    assert!(matches!(failed.len(), 1 | 2), "{failed:?}");
    for failure in &failed {
        assert_eq!(failure.class, FailureClass::MemoryHost, "{failed:?}");
        assert!(failure.message.contains("signal 9"), "{failed:?}");
    }
    assert_eq!(
        study.logs("run").matches("one slot fewer").count(),
        failed.len()
    );
    let records = study.records("run");
    let is_lost = |record: &&Record| matches!(record.outcome, Outcome::Failed(_));
    for lost in records.iter().filter(is_lost) {
        assert_tried_again_alone(&records, lost);
    }
    study.sweep("whole", "2").ok();
    assert_eq!(study.findings("whole"), study.findings("run"));
}

/// Asserts that the trial of this record had the device to itself next, and that the slot it was lost in has done nothing
/// since.
fn assert_tried_again_alone(records: &[Record], lost: &Record) {
    let killed_at = span(lost).1;
    let again = records
        .iter()
        .find(|record| record.trial.id == lost.trial.id && record.attempt > lost.attempt)
        .unwrap();
    let (begins, ends) = span(again);
    let others = records
        .iter()
        .filter(|record| record.trial.id != lost.trial.id);
    for other in others.clone() {
        let (began, ended) = span(other);
        // Seconds are written to the millisecond.
        assert!(
            ended < begins + 0.01 || began > ends - 0.01,
            "{other:?} ran beside {again:?}"
        );
    }
    let after = others.filter(|record| span(record).0 > killed_at);
    assert!(
        after.clone().count() > 0
            && after
                .clone()
                .all(|record| record.place.slot != lost.place.slot),
        "the slot was not given up"
    );
}

#[test]
fn a_kill_that_the_control_group_does_not_count_is_a_crash_and_costs_no_slot() {
    let study = study();
    let test = "kills that are not for memory";
    let Some((group, mut sweep)) = sweep_in_a_group(&study, test) else {
        return;
    };
    // In a container the kernel may call the group by a name that is none there.
    let name = group
        .events()
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_owned();
    let lines = std::fs::read_to_string(format!("/proc/{}/cgroup", sweep.id())).unwrap();
    let line = lines
        .lines()
        .find(|line| line.contains(name.to_str().unwrap()));
    if line.is_none_or(|line| {
        Path::new(line.rsplit(':').next().unwrap()) != Path::new("/").join(&name)
    }) {
        left_out(test, "this container cannot read its own control groups");
        return;
    }
    Running::signal(trainers_of(sweep.id())[0], Signal::KILL);
    assert_eq!(sweep.wait(), Some(0));
    let failed = failures(&study, "run");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].class, FailureClass::Crashed, "{failed:?}");
    assert!(!study.logs("run").contains("one slot fewer"));
}
