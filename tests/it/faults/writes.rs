//! Calls of the system that fail, or do nothing and say that they did; and ends in the middle of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;

use crate::harness::{Ended, JOB, Study, assert_each_trial_ran_once, of_epochs};
use crate::shims;

/// Has a call of this kind go wrong in `command`, on files whose paths have `part` in them.
fn faulty<'a>(
    command: &'a mut Command,
    shim: &Path,
    [call, how, part]: [&str; 3],
    at: usize,
) -> &'a mut Command {
    command
        .env("LD_PRELOAD", shim)
        .env("FAULT_CALL", call)
        .env("FAULT_HOW", how)
        .env("FAULT_PATH", part)
        .env("FAULT_AT", at.to_string())
}

/// How many such calls the command makes when none goes wrong.
fn calls(study: &Study, command: &mut Command, shim: &Path, call: &str, part: &str) -> usize {
    let count = study.path("count");
    let counted: Ended = faulty(command, shim, [call, "0", part], 0)
        .env("FAULT_COUNT", &count)
        .output()
        .unwrap()
        .into();
    counted.ok();
    let calls = fs::read(&count).unwrap().len();
    fs::remove_file(count).unwrap();
    calls
}

/// Each of the calls fails once, and each write is lost once: the file is the whole new one, or the command says that it is not
/// and the old one is there.
fn assert_no_call_is_lost(study: &Study, arguments: &[&str], file: &str) {
    let test = "calls of the system that fail";
    let Some(shim) = shims::compiled("fault", test) else {
        return;
    };
    let path = study.path(file);
    let name = path.file_name().unwrap().to_str().unwrap();
    let good = fs::read(&path).unwrap();
    let io = Errno::IO.raw_os_error().to_string();
    let full = Errno::DQUOT.raw_os_error().to_string();
    for (call, how) in [
        ("write", &*io),
        ("write", "lost"),
        ("fsync", &io),
        ("close", &full),
        ("rename", &io),
    ] {
        let calls = calls(study, &mut study.command(arguments), &shim, call, name);
        let mut refused = 0;
        for at in 1..=calls {
            fs::write(&path, "old").unwrap();
            let ended: Ended = faulty(&mut study.command(arguments), &shim, [call, how, name], at)
                .output()
                .unwrap()
                .into();
            let found = fs::read(&path).unwrap();
            let said = format!("{call} {at} of {calls}, {how}: {}", ended.stderr);
            if ended.code == Some(0) {
                assert!(found == good, "passes for success: {said}");
            } else {
                refused += 1;
                assert_eq!(ended.code, Some(4), "{said}");
                assert_eq!(found, b"old", "{said}");
                assert!(ended.stderr.contains(name), "{said}");
            }
        }
        assert!(refused > 0, "no {call} ({how}) was noticed, of {calls}");
    }
    let left = fs::read_dir(path.parent().unwrap()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.ends_with(".tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_call_that_fails_while_a_pack_is_written_never_passes_for_success() {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    let synth = ["synth", "-o", "pack.h5", "--sites", "3", "--years", "1"];
    study.run(&synth).ok();
    assert_no_call_is_lost(&study, &synth, "pack.h5");
}

#[test]
fn a_call_that_fails_while_predictions_are_written_never_passes_for_success() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let evaluate = ["evaluate", "run"];
    assert_no_call_is_lost(&study, &evaluate, "run/ensemble/predictions.nc");
}

#[test]
fn a_lock_that_was_made_although_the_file_server_says_that_it_is_taken_is_ours() {
    let Some(shim) = shims::compiled("fault", "a lost answer of a file server") else {
        return;
    };
    let study = Study::new();
    let mut sweep = study.command(&["sweep", "job.toml", "--run-dir", "run", "--slots", "2"]);
    let ended: Ended = faulty(&mut sweep, &shim, ["link", "done", "lock"], 1)
        .output()
        .unwrap()
        .into();
    ended.ok();
    assert!(!study.path("run/lock").exists());
}

#[test]
fn where_there_are_no_links_a_sweep_says_so_and_still_excludes_another() {
    let Some(shim) = shims::compiled("fault", "a file system without links") else {
        return;
    };
    let study = Study::new();
    let none = Errno::OPNOTSUPP.raw_os_error().to_string();
    let without_links = |command: &mut Command| -> Ended {
        faulty(command, &shim, ["link", &none, "/"], 1)
            .env("FAULT_ALWAYS", "1")
            .output()
            .unwrap()
            .into()
    };
    let sweep = ["sweep", "job.toml", "--run-dir", "run", "--slots", "2"];
    let said = without_links(&mut study.command(&sweep)).ok().stderr;
    assert!(said.contains("has no hard links"), "{said}");
    let doctor = without_links(&mut study.command(&["doctor", "--run-dir", "run"]));
    assert!(doctor.stdout.contains("no links"), "{}", doctor.stdout);
    // Held by somebody whose process cannot be looked for.
    fs::write(study.path("run/lock"), "somebody").unwrap();
    without_links(&mut study.command(&sweep)).refused(4, &["locked by"]);
}

#[test]
fn where_directories_cannot_be_flushed_a_sweep_and_doctor_say_so_and_nothing_else_changes() {
    let Some(shim) = shims::compiled("fault", "a file system that flushes no directories") else {
        return;
    };
    let study = Study::new();
    study.sweep("whole", "2").ok();
    for (run, errno) in [("run", Errno::INVAL), ("again", Errno::OPNOTSUPP)] {
        let how = errno.raw_os_error().to_string();
        let without = |command: &mut Command| -> Ended {
            faulty(command, &shim, ["fsync-directory", &how, "/"], 1)
                .env("FAULT_ALWAYS", "1")
                .output()
                .unwrap()
                .into()
        };
        let sweep = ["sweep", "job.toml", "--run-dir", run, "--slots", "2"];
        let said = without(&mut study.command(&sweep)).ok().stderr;
        assert_eq!(
            said.matches("cannot flush directories").count(),
            1,
            "{said}"
        );
        assert_eq!(study.findings(run), study.findings("whole"), "{errno}");
        let doctor = without(&mut study.command(&["doctor", "--run-dir", run])).ok();
        let says = "DIRECTORIES CANNOT BE FLUSHED";
        assert!(doctor.stdout.contains(says), "{}", doctor.stdout);
    }
    let doctor = study.run(&["doctor", "--run-dir", "run"]).ok().stdout;
    assert!(!doctor.contains("FLUSHED"), "{doctor}");
}

#[test]
fn an_empty_copy_of_the_job_is_named_with_its_way_out() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let complete = study.run(&["status", "run"]).ok().stdout;
    let empty = study.path("run/jobs/99990101T000000-1.toml");
    fs::write(&empty, "").unwrap();
    for command in ["status", "evaluate", "report"] {
        let refused = study.run(&[command, "run"]);
        refused.refused(4, &["99990101T000000-1.toml: is empty", "remove the file"]);
    }
    fs::remove_file(&empty).unwrap();
    assert_eq!(study.run(&["status", "run"]).ok().stdout, complete);
}

#[test]
fn a_sweep_that_is_killed_at_any_call_that_changes_files_loses_nothing_and_is_not_called_complete()
{
    let Some(shim) = shims::compiled("fault", "ends in the middle of calls") else {
        return;
    };
    kills(&shim, 8);
}

/// Kills a sweep at so many of its calls, spread evenly, and has it go on.
fn kills(shim: &Path, moments: usize) {
    let whole = Study::new();
    whole.sweep("run", "2").ok();
    let findings = whole.findings("run");
    let sweep = ["sweep", "job.toml", "--run-dir", "run", "--slots", "2"];
    let program = |command: &mut Command| {
        command.env("FAULT_PROGRAM", "/efflux");
    };
    let calls = {
        let study = Study::new();
        let mut command = study.command(&sweep);
        program(&mut command);
        calls(&study, &mut command, shim, "any", "/")
    };
    for moment in 1..=moments {
        let study = Study::new();
        let mut command = study.command(&sweep);
        program(&mut command);
        let at = calls * moment / moments;
        let ended: Ended = faulty(&mut command, shim, ["any", "kill", "/"], at)
            .output()
            .unwrap()
            .into();
        let status = study.run(&["status", "run", "--exit-code"]);
        if ended.code.is_none() && status.code == Some(0) {
            // What it says is there is there.
            assert_eq!(
                study.findings("run"),
                findings,
                "killed at call {at} of {calls}"
            );
            assert!(study.path("run/report/index.html").is_file(), "{at}");
        }
        study.sweep("run", "2").ok();
        assert_eq!(
            study.findings("run"),
            findings,
            "killed at call {at} of {calls}"
        );
        assert_each_trial_ran_once(&study, "run", 6);
        study.run(&["status", "run", "--exit-code"]).ok();
        let left = Command::new("find")
            .args(["run", "-name", ".*.tmp"])
            .current_dir(study.directory.path())
            .output()
            .unwrap();
        assert!(
            left.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&left.stdout)
        );
    }
}

#[test]
fn a_report_that_is_gone_or_of_other_records_is_unfinished_work() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let is_complete = || study.run(&["status", "run", "--exit-code"]).code;
    assert_eq!(is_complete(), Some(0));
    let sums = Command::new("sha256sum")
        .args(["-c", "--quiet", "results.sha256"])
        .current_dir(study.path("run"))
        .status();
    assert!(sums.unwrap().success());
    for gone in ["report/index.html", "ensemble/predictions.nc"] {
        let path = study.path("run").join(gone);
        let kept = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(is_complete(), Some(75), "{gone}");
        fs::write(&path, kept).unwrap();
        assert_eq!(is_complete(), Some(0), "{gone}");
    }
    study.write(
        "job.toml",
        JOB.replace("final = [0, 1]", "final = [0, 1, 2]"),
    );
    let mut sweep = study.start_sweep("run", "1");
    sweep.wait();
    assert_eq!(is_complete(), Some(0));
    let list = study.path("run/results.sha256");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, text.replace("# records ", "# records 0")).unwrap();
    assert_eq!(is_complete(), Some(75), "the report of other records");
}

#[test]
fn damage_is_found_at_the_start_named_with_its_way_out_and_repaired() {
    let study = Study::with(&of_epochs(2));
    study.sweep("whole", "2").ok();
    let findings = study.findings("whole");
    let file = |run: &str, folder: &str, ending: &str| {
        let found = Command::new("find")
            .args([&format!("{run}/{folder}"), "-name", &format!("*{ending}")])
            .current_dir(study.directory.path())
            .output()
            .unwrap();
        let found = String::from_utf8(found.stdout).unwrap();
        let mut found: Vec<&str> = found.lines().collect();
        found.sort_unstable();
        study.path(found.first().unwrap())
    };
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, &str, &str, Damage); 6] = [
        ("journal", ".jsonl", "efflux repair", |text| {
            text[300..340].fill(0)
        }),
        ("journal", ".jsonl", "efflux repair", |text| text[20] = b'x'),
        ("", "manifest.json", "remove the file", Vec::clear),
        ("trials", "weights.safetensors", "efflux repair", Vec::clear),
        (
            "trials",
            "simulation.safetensors",
            "efflux repair",
            |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 4;
            },
        ),
        ("trials", "scaling.json", "efflux repair", |text| {
            let point = text.iter().position(|&byte| byte == b'.').unwrap();
            text[point + 1] ^= 1;
        }),
    ];
    for (index, (folder, ending, way_out, damage)) in damages.into_iter().enumerate() {
        let run = format!("run-{index}");
        let copied = Command::new("cp")
            .args(["-r", "whole", &run])
            .current_dir(study.directory.path())
            .status();
        assert!(copied.unwrap().success());
        let path = file(&run, folder, ending);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let refused = study.sweep(&run, "2");
        refused.refused(4, &[name, way_out]);
        assert!(!refused.stderr.contains("EOF"), "{}", refused.stderr);
        study.run(&["repair", &run]).ok();
        study.sweep(&run, "2").ok();
        assert_eq!(study.findings(&run).tables, findings.tables, "{name}");
        let again = study.run(&["repair", &run]).ok();
        assert!(
            again.stdout.contains("nothing is damaged"),
            "{}",
            again.stdout
        );
    }
}
