//! Bad input: a message that names file and place, the right exit code, and nothing half written.

use std::fs;
use std::process::Command;

use efflux_data::Pack;
use efflux_testing::left_out;

use crate::harness::{Ended, JOB, Running, Study};

const SWEEP: [&str; 5] = ["sweep", "job.toml", "--run-dir", "run", "--slots=1"];

/// Runs a sweep of a changed job, expects a refusal, and that no trial has left a trace.
#[track_caller]
fn refuse_job(job: &str, code: i32, parts: &[&str]) {
    let study = Study::with(job);
    study.run(&SWEEP).refused(code, parts);
    assert!(
        !study.path("run").exists(),
        "a refused job left a run directory"
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_key() {
    let job = JOB.replace("hidden_size", "hiden_size");
    refuse_job(
        &job,
        2,
        &[
            "job.toml",
            "line 8",
            "hiden_size",
            "did you mean `hidden_size`",
        ],
    );
}

#[test]
fn a_pack_without_any_flux_has_nothing_to_train_on() {
    let study = Study::with(JOB);
    let mut pack = Pack::read(&study.path("small.h5")).unwrap();
    pack.flux.fill(f32::NAN);
    pack.count.fill(0);
    pack.sealed().write(&study.path("small.h5")).unwrap();
    let expected = [
        "small.h5",
        "nothing to train on: none of its 6 sites",
        "efflux predict",
    ];
    study.run(&SWEEP).refused(4, &expected);
    assert!(!study.path("run").exists());
}

#[test]
fn an_empty_axis_is_refused() {
    let job = JOB.replace("[8, 12]", "[]");
    refuse_job(
        &job,
        2,
        &[
            "job.toml",
            "line 8",
            "`grid.hidden_size`",
            "at least one value",
        ],
    );
}

#[test]
fn a_dropout_above_one_is_refused() {
    let job = JOB.replace("window_days = [30]", "dropout = [1.2]");
    refuse_job(&job, 2, &["job.toml", "`grid.dropout` has 1.2"]);
}

#[test]
fn a_window_longer_than_the_calendar_is_refused() {
    let job = JOB.replace("[30]", "[30, 3650]");
    refuse_job(
        &job,
        2,
        &[
            "job.toml",
            "`grid.window_days` has 3650",
            "days of the pack's calendar",
        ],
    );
}

#[test]
fn an_input_that_the_pack_does_not_have_is_refused_with_the_nearest_name() {
    let job = format!("{JOB}\n[inputs]\ndynamic = [\"precipitatoin\"]\n");
    refuse_job(&job, 2, &["job.toml", "precipitatoin", "precipitation"]);
}

#[test]
fn a_selection_that_no_site_can_vote_in_is_refused_before_anything_is_trained() {
    let job = format!("{JOB}\n[split]\nvalidation = 0.001\n");
    refuse_job(
        &job,
        2,
        &["job.toml", "nothing to select by", "split.validation"],
    );
}

#[test]
fn a_missing_job_file_is_named() {
    Study::new()
        .run(&["sweep", "none.toml"])
        .refused(4, &["none.toml", "No such file"]);
}

#[test]
fn a_missing_pack_is_named() {
    let study = Study::new();
    fs::remove_file(study.path("small.h5")).unwrap();
    study.run(&SWEEP).refused(4, &["small.h5"]);
    assert!(!study.path("run").exists());
}

#[test]
fn a_truncated_pack_is_refused() {
    let study = Study::new();
    let whole = fs::read(study.path("small.h5")).unwrap();
    for share in [0, 1, 50, 99] {
        study.write("small.h5", &whole[..whole.len() * share / 100]);
        study.run(&SWEEP).refused(4, &["small.h5"]);
    }
    assert!(!study.path("run").exists());
}

#[test]
fn a_file_that_is_no_pack_is_refused() {
    let study = Study::new();
    study.write("small.h5", "date,flux\n2003-01-01,1.5\n");
    study
        .run(&["inspect", "small.h5"])
        .refused(4, &["small.h5"]);
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    if std::path::Path::new("/dev/nvidiactl").exists() {
        left_out(
            "a_device_that_is_not_there_is_refused",
            "this machine has a GPU",
        );
        return;
    }
    let study = Study::new();
    let ended = study.run(&["sweep", "job.toml", "--run-dir", "run", "--device", "cuda"]);
    ended.refused(4, &["device", "libtorch_cuda.so"]);
    assert!(study.records("run").is_empty());
    assert!(!study.path("run").join("lock").exists());
}

#[test]
fn a_world_smaller_than_promised_is_refused() {
    let study = Study::new();
    let mut command = study.command(&SWEEP);
    // What an mpirun of another MPI does: it promises three, and each process finds itself alone.
    let ended: Ended = command.env("PMI_SIZE", "3").output().unwrap().into();
    ended.refused(
        4,
        &[
            "promised 3 processes",
            "mpirun is of another MPI",
            "`mpirun -n 3 efflux",
        ],
    );
    let mut command = study.command(&SWEEP);
    let srun = command.env("SLURM_STEP_NUM_TASKS", "3");
    let ended: Ended = srun.output().unwrap().into();
    ended.refused(
        4,
        &[
            "promised 3 processes",
            "srun without PMIx",
            "`srun --mpi=pmix -n 3 efflux",
        ],
    );
    assert!(!study.path("run").exists());
}

#[test]
fn another_contract_in_the_same_run_directory_is_refused_by_key() {
    let study = Study::new();
    study.run(&SWEEP).ok();
    let before = study.findings("run");
    // What is judged would be other days; how trials are trained is in their ids.
    study.write("job.toml", format!("{JOB}\n[split]\ntrain = 0.7\n"));
    study.run(&SWEEP).refused(
        2,
        &[
            "`split.train` was 0.8 and is now 0.7",
            "--run-dir run-2",
            "`efflux status run`",
        ],
    );
    study.write("job.toml", JOB);
    study
        .run(&[
            "synth", "-o", "small.h5", "--sites", "6", "--years", "3", "--seed", "9",
        ])
        .ok();
    study.run(&SWEEP).refused(2, &["`pack_digest`"]);
    assert_eq!(before, study.findings("run"));
}

#[test]
fn a_locked_run_directory_is_refused_and_the_holder_named() {
    let study = Study::with(&JOB.replace("epochs = 2", "epochs = 200"));
    let mut holder = Running::start(&mut study.command(&SWEEP));
    while !study.path("run/lock").exists() {
        assert!(!holder.has_ended(), "the first sweep ended early");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    study
        .run(&SWEEP)
        .refused(4, &["locked by process", &holder.id().to_string()]);
    holder.kill_all();
}

#[test]
fn a_run_directory_that_cannot_be_written_is_refused() {
    let study = Study::new();
    // A file system that takes no files, not even root's.
    let ended = study.run(&[
        "sweep",
        "job.toml",
        "--run-dir",
        "/proc/efflux-run",
        "--slots",
        "1",
    ]);
    ended.refused(4, &["/proc/efflux-run", "cannot create the directory"]);
    if !cfg!(target_os = "linux") || !rustix::process::geteuid().is_root() {
        return;
    }
    // An ordinary user in directories of somebody else's.
    fs::create_dir(study.path("foreign")).unwrap();
    study.run(&SWEEP).ok();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_efflux"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(study.directory.path(), mode).unwrap();
    let as_another = |arguments: &[&str]| -> Ended {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program)
            .args(arguments)
            .current_dir(study.directory.path());
        command.output().unwrap().into()
    };
    let ended = as_another(&["sweep", "job.toml", "--run-dir", "foreign/run"]);
    if ended.code == Some(127) || ended.code == Some(126) {
        let reason = format!("another user cannot run {}", program.display());
        left_out("a_run_directory_that_cannot_be_written_is_refused", &reason);
        return;
    }
    ended.refused(4, &["foreign/run", "Permission denied", "--run-dir"]);
    as_another(&SWEEP).refused(4, &["run", "another user's", "`efflux status"]);
    as_another(&["status", "run", "--exit-code"]).ok();
}

#[test]
fn a_run_directory_of_another_format_is_refused_with_what_to_do() {
    let study = Study::new();
    study.run(&SWEEP).ok();
    let manifest = study.path("run/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let later = text.replace("\"format\": 1", "\"format\": 99");
    assert_ne!(later, text);
    fs::write(&manifest, &later).unwrap();
    study
        .run(&SWEEP)
        .refused(4, &["run directory of format 99", "--run-dir run-2"]);
    assert_eq!(fs::read_to_string(&manifest).unwrap(), later);
}

#[test]
fn a_full_disk_is_named_and_leaves_no_half_written_pack() {
    let study = Study::new();
    let whole = fs::metadata(study.path("small.h5")).unwrap().len();
    // A file may not grow beyond half of what it needs.
    let script = format!(
        "ulimit -f {}; exec \"$0\" synth -o full.h5 --sites 6 --years 3",
        whole / 512 / 2
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_efflux")])
        .current_dir(study.directory.path());
    let ended: Ended = command.output().unwrap().into();
    ended.refused(4, &["full.h5"]);
    let left: Vec<String> = fs::read_dir(study.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("full"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_journal_that_cannot_grow_stops_the_sweep_and_the_same_command_continues() {
    let study = Study::new();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -f 4; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_efflux"),
        ])
        .args(SWEEP)
        .current_dir(study.directory.path());
    let ended: Ended = command.output().unwrap().into();
    ended.refused(4, &["run/journal/"]);
    study.run(&SWEEP).ok();
    let whole = Study::new();
    whole.run(&SWEEP).ok();
    assert_eq!(whole.findings("run"), study.findings("run"));
}

#[test]
fn the_same_seed_gives_the_same_pack_byte_for_byte() {
    let study = Study::new();
    study
        .run(&["synth", "-o", "again.h5", "--sites", "6", "--years", "3"])
        .ok();
    let bytes = |name| fs::read(study.path(name)).unwrap();
    assert!(bytes("small.h5") == bytes("again.h5"));
    study
        .run(&[
            "synth", "-o", "other.h5", "--sites", "6", "--years", "3", "--seed", "1",
        ])
        .ok();
    let digest = |name: &str| Pack::read(&study.path(name)).unwrap().digest;
    assert_ne!(digest("small.h5"), digest("other.h5"));
}
