//! The two programs as such: what they link, how fast they answer, what they say of themselves.

use std::fs;
use std::path::Path;
use std::process::Command;

use efflux::job::Job;

use crate::harness::{Study, left_out};

const EFFLUX: &str = env!("CARGO_BIN_EXE_efflux");
const TRAINER: &str = env!("CARGO_BIN_EXE_efflux-trainer");

fn linked(program: &str) -> String {
    let output = Command::new("ldd").arg(program).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn efflux_links_neither_libtorch_nor_cuda_and_the_trainer_no_mpi() {
    if cfg!(debug_assertions) {
        left_out(
            "efflux_links_neither_libtorch_nor_cuda_and_the_trainer_no_mpi",
            "needs --release",
        );
        return;
    }
    let efflux = linked(EFFLUX);
    for library in ["torch", "c10", "cuda", "cupti"] {
        assert!(!efflux.contains(library), "{library} in {efflux}");
    }
    let trainer = linked(TRAINER);
    assert!(trainer.contains("libtorch_cpu"), "{trainer}");
    for library in ["libmpi", "libtorch_cuda"] {
        assert!(!trainer.contains(library), "{library} in {trainer}");
    }
    assert!(!trainer.contains("not found"), "{trainer}");
}

#[test]
fn version_is_answered_without_anything_else() {
    let output = Command::new(EFFLUX).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.trim(), format!("efflux {}", env!("CARGO_PKG_VERSION")));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_trainer_started_by_hand_says_whose_it_is() {
    let output = Command::new(TRAINER).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by efflux"));
}

#[test]
fn doctor_finds_a_machine_that_runs_these_tests_in_good_health() {
    let study = Study::new();
    let found = study.run(&["doctor"]).ok().stdout;
    for line in [
        "efflux",
        "MPI",
        "HDF5",
        "libtorch",
        "links are exclusive",
        "CUDA driver",
    ] {
        assert!(found.contains(line), "{line} is not in:\n{found}");
    }
    let nowhere = study.run(&["doctor", "--run-dir", "/proc"]);
    assert_eq!(nowhere.code, Some(4));
}

#[test]
fn plan_counts_what_is_new_and_what_is_done() {
    let study = Study::new();
    let planned = study
        .run(&["plan", "job.toml", "--run-dir", "run", "--trials"])
        .ok()
        .stdout;
    assert!(
        planned.contains("2 configurations × 2 seeds = 4 trials: 0 done, 4 new"),
        "{planned}"
    );
    assert!(!study.path("run").exists(), "a plan leaves no trace");
    study.sweep("run", "2").ok();
    let planned = study
        .run(&["plan", "job.toml", "--run-dir", "run"])
        .ok()
        .stdout;
    assert!(planned.contains("4 done, 0 new"), "{planned}");
}

#[test]
fn a_trial_in_the_foreground_gives_the_record_that_the_sweep_gave() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    let record = study.records("run").remove(0);
    let id = record.trial.id.as_str();
    let printed = study
        .run(&["trial", "job.toml", "--id", &id[..10]])
        .ok()
        .stdout;
    let alone: efflux::run::record::Record = serde_json::from_str(&printed).unwrap();
    assert_eq!((alone.trial, alone.outcome), (record.trial, record.outcome));
    study
        .run(&["trial", "job.toml", "--id", "zzz"])
        .refused(2, &["--id zzz", "no such trial"]);
}

/// What a user may write is what `jobs/README.md` lists.
#[test]
fn every_key_of_a_job_file_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/README.md");
    let text = fs::read_to_string(path).unwrap();
    let job = Job::parse(Path::new("x.toml"), "pack = \"a.h5\"".into()).unwrap();
    let keys = |section| match section {
        serde_json::Value::Object(map) => map.into_iter().map(|(key, _)| key).collect(),
        other => vec![format!("not a section: {other}")],
    };
    let sections = [
        ("inputs", serde_json::to_value(&job.inputs)),
        ("split", serde_json::to_value(job.split)),
        ("transform", serde_json::to_value(job.transform)),
        ("training", serde_json::to_value(job.training)),
        ("evaluation", serde_json::to_value(job.evaluation)),
        ("grid", serde_json::to_value(&job.grid)),
        ("seeds", serde_json::to_value(&job.seeds)),
        ("selection", serde_json::to_value(job.selection)),
        ("final", serde_json::to_value(job.last)),
        ("stop", serde_json::to_value(job.stop)),
        ("analysis", serde_json::to_value(job.analysis)),
    ];
    for (section, values) in sections {
        let documented = documented(&text, section);
        for key in keys(values.unwrap()) {
            assert!(
                documented.contains(&key),
                "`{key}` is not in the table of [{section}] in jobs/README.md"
            );
        }
    }
}

/// The keys that the table of a section lists.
fn documented(text: &str, section: &str) -> Vec<String> {
    let rest = text
        .split_once(&format!("[{section}]"))
        .map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("no [{section}] in jobs/README.md"));
    let table = rest.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|'));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let keys = first.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    keys.map(str::to_owned).collect()
}

/// The module map of `src/lib.rs`, held.
#[test]
fn tch_mpi_and_hdf5_stay_in_their_modules_and_imports_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let confined = [
        ("tch::", "model"),
        ("mpi::ffi", "cluster"),
        ("hdf5::", "data"),
    ];
    let allowed: [(&str, &[&str]); 7] = [
        ("analysis", &[]),
        ("job", &["analysis"]),
        ("data", &["job"]),
        ("model", &["analysis", "data", "job"]),
        ("run", &["analysis", "job"]),
        ("cluster", &["job", "run"]),
        ("report", &["analysis", "run", "data", "job"]),
    ];
    let mut files = 0;
    let mut waiting = vec![source.clone()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            files += 1;
            let inside = path.strip_prefix(&source).unwrap();
            let module = inside.iter().next().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            for (name, home) in confined {
                assert!(
                    !text.contains(name) || module == home,
                    "{name} in {}",
                    inside.display()
                );
            }
            let Some((_, imports)) = allowed.iter().find(|(name, _)| *name == module) else {
                continue;
            };
            for (other, _) in allowed {
                let used = text.contains(&format!("crate::{other}::"))
                    || text.contains(&format!("crate::{other};"));
                let may = other == module || imports.contains(&other);
                assert!(!used || may, "{} imports {other}", inside.display());
            }
        }
    }
    assert!(files > 50, "only {files} files looked at");
}
