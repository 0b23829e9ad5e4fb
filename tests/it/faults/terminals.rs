//! What surrounds a sweep and goes away: terminals, pipes, disks under logs; and what is not what it seems: names that are no
//! UTF-8, processes that cannot be seen.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use efflux_testing::left_out;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::harness::{
    Ended, Running, Study, await_until, longer, rank_of, trainers_of, undisturbed,
};
use crate::programs::EFFLUX;
use crate::shims;

const SWEEP: [&str; 6] = ["sweep", "job.toml", "--run-dir", "run", "--slots", "2"];

fn is_training(study: &Study) -> bool {
    fs::read_to_string(study.path("run/live.json")).is_ok_and(|live| live.contains("epochs_done"))
}

#[test]
fn a_terminal_that_closes_is_a_term_unless_nohup_was_asked_for() {
    let study = longer();
    // Whatever the tests themselves were started under.
    let by = |launcher: &[&str]| {
        let mut command = Command::new(launcher[0]);
        command
            .args(&launcher[1..])
            .arg(EFFLUX)
            .args(SWEEP)
            .current_dir(study.directory.path());
        Running::start(&mut command)
    };
    let mut sweep = by(&["env", "--default-signal=HUP"]);
    await_until("trials are running", || is_training(&study));
    Running::signal(sweep.id(), Signal::HUP);
    assert_eq!(sweep.wait(), Some(75));
    let mut sweep = by(&["nohup"]);
    await_until("trials are running", || is_training(&study));
    Running::signal(sweep.id(), Signal::HUP);
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
}

#[test]
fn a_library_that_takes_signals_for_itself_when_mpi_begins_does_not_keep_them() {
    if !cfg!(feature = "mpi") {
        left_out("signals under MPI", "built without the `mpi` feature");
        return;
    }
    let Some(shim) = shims::compiled("debugger", "signals under MPI") else {
        return;
    };
    let study = longer();
    let mut command = study.mpirun(2, &SWEEP);
    command.env("LD_PRELOAD", shim);
    let mut launch = Running::start(&mut command);
    await_until("trials are running", || is_training(&study));
    Running::signal(rank_of(&launch, 1), Signal::HUP);
    assert_eq!(launch.wait(), Some(75));
    study.sweep("run", "2").ok();
    assert_eq!(*undisturbed(), study.findings("run"));
}

#[test]
fn output_that_is_full_closed_or_read_by_nobody_changes_neither_result_nor_exit_code() {
    let study = longer();
    let shell = |text: &str| -> Ended {
        let mut command = Command::new("sh");
        command
            .args(["-c", text, EFFLUX])
            .current_dir(study.directory.path());
        command.output().unwrap().into()
    };
    let sweep = "\"$0\" sweep job.toml --run-dir run --slots 2";
    assert_eq!(shell(&format!("{sweep} >/dev/full 2>&1")).code, Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
    for into in [">/dev/full", ">/dev/full 2>&1", ">&- 2>&-"] {
        for command in [
            "status run --exit-code",
            "inspect small.h5",
            "evaluate run",
            "doctor",
        ] {
            let ended = shell(&format!("\"$0\" {command} {into}"));
            assert_eq!(ended.code, Some(0), "{command} {into}: {}", ended.stderr);
        }
    }
    let said = shell("\"$0\" status run >/dev/full").stderr;
    assert!(said.contains("stdout: No space left"), "{said}");
    // A reader that ends first.
    let piped = "{ \"$0\" inspect small.h5; echo $? >code; } | true; cat code";
    assert_eq!(shell(piped).stdout.trim(), "0");
}

#[test]
fn ctrl_z_stops_the_trainers_too_and_fg_goes_on() {
    let study = longer();
    let mut command = study.command(&SWEEP);
    let mut sweep = Running::start(command.process_group(0));
    await_until("trials are running", || is_training(&study));
    let group = Pid::from_raw(sweep.id().cast_signed()).unwrap();
    kill_process_group(group, Signal::TSTP).unwrap();
    let stands_still = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('T'))
    };
    let trainers = trainers_of(sweep.id());
    assert_eq!(trainers.len(), 2);
    await_until("all of them stand still", || {
        stands_still(&sweep.id()) && trainers.iter().all(stands_still)
    });
    kill_process_group(group, Signal::CONT).unwrap();
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
}

#[test]
fn a_run_directory_and_a_pack_whose_names_are_no_utf_8_are_as_good_as_any() {
    let study = longer();
    let folder = OsStr::from_bytes(b"f\xf6hr");
    let pack = OsStr::from_bytes(b"pack-\xe9.h5");
    fs::rename(study.path("small.h5"), study.directory.path().join(pack)).unwrap();
    let efflux = |arguments: &[&str], names: &[&OsStr]| -> Ended {
        let mut command = study.command(arguments);
        command.args(names).output().unwrap().into()
    };
    let sweep = ["sweep", "job.toml", "--slots", "2"];
    let names = [OsStr::new("--run-dir"), folder, OsStr::new("--pack"), pack];
    efflux(&sweep, &names).ok();
    efflux(&["status", "--exit-code"], &[folder]).ok();
    fs::rename(study.directory.path().join(folder), study.path("run")).unwrap();
    assert_eq!(*undisturbed(), study.findings("run"));
}

/// Runs a sweep so that `around`, a command that runs another one, hides the one that is at work.
fn is_refused_by_what_it_cannot_see(test: &str, around: &[&str]) {
    if !rustix::process::geteuid().is_root() {
        left_out(test, "only root can make namespaces");
        return;
    }
    let study = longer();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(study.directory.path(), everybody).unwrap();
    let through = |arguments: &[&str]| -> Ended {
        let mut command = Command::new(around[0]);
        command.args(&around[1..]).arg(EFFLUX).args(arguments);
        command
            .current_dir(study.directory.path())
            .output()
            .unwrap()
            .into()
    };
    let tried = through(&["--version"]);
    if tried.code != Some(0) {
        left_out(test, tried.stderr.trim());
        return;
    }
    let mut sweep = study.start_sweep("run", "2");
    await_until("trials are running", || is_training(&study));
    for folder in ["run", "run/jobs"] {
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(study.path(folder), everybody).unwrap();
    }
    through(&SWEEP).refused(4, &["locked by", &format!("process {}", sweep.id())]);
    assert_eq!(sweep.wait(), Some(0));
    assert_eq!(*undisturbed(), study.findings("run"));
}

#[test]
fn a_sweep_in_a_container_does_not_take_the_lock_of_one_outside() {
    let container = ["unshare", "--pid", "--fork", "--mount-proc", "--"];
    is_refused_by_what_it_cannot_see("a lock seen from a container", &container);
}

#[test]
fn another_user_who_may_not_see_the_process_does_not_take_its_lock() {
    let hidden =
        "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --clear-groups \"$@\"";
    let user = ["unshare", "--mount", "--", "sh", "-c", hidden, "sh"];
    is_refused_by_what_it_cannot_see("a lock of another user", &user);
}
