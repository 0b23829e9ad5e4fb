//! Files that are cut, changed or cannot grow, and clocks that are set back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::harness::{
    Ended, JOB, Running, Study, await_until, finished, longer, of_epochs, undisturbed,
};

const SWEEP: [&str; 6] = ["sweep", "job.toml", "--run-dir", "run", "--slots", "1"];

/// The files of a folder of the run whose names end so.
fn files(study: &Study, folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(study.path("run").join(folder))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            !name.starts_with('.') && name.ends_with(ending)
        })
        .collect();
    found.sort();
    found
}

/// Takes the run back to one journal with this content, and to no launch before.
fn leave_only(study: &Study, journal: &Path, text: &[u8]) {
    for other in files(study, "journal", ".jsonl") {
        fs::remove_file(other).unwrap();
    }
    fs::remove_dir_all(study.path("run/launches")).unwrap();
    fs::write(journal, text).unwrap();
}

#[test]
fn a_journal_cut_in_its_last_record_costs_that_trial_and_a_flipped_byte_is_refused() {
    let study = Study::new();
    study.sweep("run", "1").ok();
    let whole = study.findings("run");
    let journal = files(&study, "journal", ".jsonl").remove(0);
    let text = fs::read(&journal).unwrap();
    let begin = text[..text.len() - 1]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    // Every byte is tried in the journal's own tests; here the sweep that follows.
    for length in [begin, (begin + text.len()) / 2, text.len() - 1] {
        leave_only(&study, &journal, &text[..length]);
        let before = finished(&study, "run");
        study.sweep("run", "1").ok();
        assert_eq!(finished(&study, "run"), before + 1, "cut at {length}");
        assert_eq!(whole, study.findings("run"));
    }
    let mut damaged = text.clone();
    damaged[begin / 2] ^= 1;
    let line = text[..begin / 2]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    leave_only(&study, &journal, &damaged);
    let name = journal.file_name().unwrap().to_str().unwrap();
    study
        .sweep("run", "1")
        .refused(4, &[name, &format!("damaged at byte {line}")]);
    assert_eq!(fs::read(&journal).unwrap(), damaged, "it was left as it is");
}

#[test]
fn a_checkpoint_that_is_cut_or_changed_is_refused_and_its_trial_starts_over() {
    let job = of_epochs(30)
        .replace("[8, 12]", "[8]")
        .replace("[0, 1]", "[0]");
    let study = Study::with(&job);
    study.sweep("whole", "1").ok();
    let mut sweep = study.start_sweep("run", "1");
    await_until("a trial is running", || {
        fs::read_to_string(study.path("run/live.json"))
            .is_ok_and(|live| live.contains("epochs_done"))
    });
    Running::signal(sweep.id(), Signal::USR2);
    assert_eq!(sweep.ends().0, Some(75));
    let checkpoint = files(&study, "checkpoints", ".safetensors").remove(0);
    let good = fs::read(&checkpoint).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() - 9] ^= 1;
    let damages = [good[..good.len() / 2].to_vec(), flipped, Vec::new(), good];
    for (index, damage) in damages.into_iter().enumerate() {
        let run = format!("run-{index}");
        let copied = Command::new("cp")
            .args(["-r", "run", &run])
            .current_dir(study.directory.path())
            .status();
        assert!(copied.unwrap().success());
        let name = checkpoint.file_name().unwrap();
        fs::write(study.path(&run).join("checkpoints").join(name), damage).unwrap();
        study.sweep(&run, "1").ok();
        assert_eq!(study.findings("whole"), study.findings(&run));
        let text = study.logs(&run);
        let said = if index == 3 {
            "goes on after epoch"
        } else {
            "starts over"
        };
        assert!(text.contains(said), "{index}: {text}");
    }
}

/// A sweep of which no file may grow beyond so many blocks of 512 bytes.
fn on_a_full_disk(study: &Study, blocks: u64) -> Ended {
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_efflux")])
        .args(SWEEP)
        .args(["--checkpoint-seconds", "1", "--retries", "0"])
        .current_dir(study.directory.path());
    command.output().unwrap().into()
}

#[test]
fn a_disk_that_is_full_once_all_is_trained_is_named_and_costs_no_finished_trial() {
    let study = longer();
    // Room for the largest file of a trial, not for what all members are put together in.
    let members = undisturbed().simulations.values();
    let largest = members.map(|bytes| bytes.len() as u64).max().unwrap();
    let full = on_a_full_disk(&study, largest / 512 + 2);
    full.refused(4, &["ensemble/predictions.nc", "File too large"]);
    assert!(!study.path("run/ensemble/predictions.nc").exists());
    let before = finished(&study, "run");
    assert_eq!(before, 6, "all trials are in the journal");
    study.sweep("run", "2").ok();
    assert_eq!(finished(&study, "run"), before);
    assert_eq!(*undisturbed(), study.findings("run"));
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_its_attempt_with_a_message() {
    let study = Study::with(&of_epochs(60).replace("[8, 12]", "[8]"));
    let ended = on_a_full_disk(&study, 12);
    assert_ne!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("checkpoints/"), "{}", ended.stderr);
    assert!(ended.stderr.contains("File too large"), "{}", ended.stderr);
    assert!(files(&study, "checkpoints", ".safetensors").is_empty());
}

/// What the files below a folder hold, by their place in it, the unfinished ones too.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_disk_that_is_full_at_any_file_of_the_report_leaves_that_file_as_it_was() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let report = study.path("run/report");
    let new = contents(&report);
    let ensemble = study.path("run/ensemble");
    let predictions = contents(&ensemble);
    let old = b"what an earlier report said\n".to_vec();
    // Just too little room for this file; of those that are as large the first is hit.
    let limits: BTreeSet<usize> = new.values().map(|text| (text.len() - 1) / 512).collect();
    let mut hit = BTreeSet::new();
    for blocks in limits {
        for path in new.keys() {
            fs::write(path, &old).unwrap();
        }
        for command in ["evaluate", "report"] {
            let script = format!("ulimit -f {blocks}; exec \"$0\" {command} run");
            let full: Ended = Command::new("sh")
                .args(["-c", &script, env!("CARGO_BIN_EXE_efflux")])
                .current_dir(study.directory.path())
                .output()
                .unwrap()
                .into();
            if full.code == Some(0) {
                continue;
            }
            full.refused(4, &["File too large"]);
            assert_eq!(contents(&ensemble), predictions, "{}", full.stderr);
            if full.stderr.contains("run/ensemble/") {
                continue;
            }
            let is_named = |path: &&PathBuf| {
                let path = path.strip_prefix(study.directory.path()).unwrap();
                full.stderr.contains(path.to_str().unwrap())
            };
            let named: Vec<_> = new.keys().filter(is_named).collect();
            assert_eq!(named.len(), 1, "{}", full.stderr);
            assert!(new[named[0]].len() > blocks * 512, "{}", full.stderr);
            assert_eq!(fs::read(named[0]).unwrap(), old, "{}", full.stderr);
            hit.insert(named[0].clone());
        }
        let now = contents(&report);
        assert!(now.keys().eq(new.keys()), "nothing unfinished is left");
        for (path, text) in now {
            assert!(text == old || text == new[&path], "{}", path.display());
        }
    }
    assert!(hit.contains(&report.join("index.html")), "{hit:?}");
    for command in ["evaluate", "report"] {
        study.run(&[command, "run"]).ok();
    }
    assert_eq!(contents(&report), new);
}

#[test]
fn a_clock_that_was_set_back_between_launches_mixes_nothing_up() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    // As if the first launch had been made by a clock that was far ahead.
    for folder in ["jobs", "journal", "logs", "launches"] {
        for file in files(&study, folder, "") {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            fs::rename(&file, file.with_file_name(format!("2099{}", &name[4..]))).unwrap();
        }
    }
    study.write(
        "job.toml",
        JOB.replace("final = [0, 1]", "final = [0, 1, 2]"),
    );
    study.sweep("run", "2").ok();
    assert_eq!(finished(&study, "run"), 7);
    let status = study.run(&["status", "run", "--json"]).ok().stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        status["final"]["planned"], 3,
        "the latest job is the one that counts"
    );
}
