//! The two programs as such: what they link, how fast they answer, what they say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{JOB, Study};
use crate::programs::{EFFLUX, trainer};

/// The libraries that a program is loaded with and where they are, without the addresses, which may spell anything.
fn linked(program: impl AsRef<Path>) -> String {
    let output = Command::new("ldd").arg(program.as_ref()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let library = |line: &str| line.split(" (0x").next().map(str::to_owned);
    let libraries: Vec<String> = text.lines().filter_map(library).collect();
    libraries.join("\n")
}

#[test]
fn efflux_links_neither_libtorch_nor_cuda_and_the_trainer_no_mpi() {
    let efflux = linked(EFFLUX);
    for library in ["torch", "c10", "cuda", "cupti"] {
        assert!(!efflux.contains(library), "{library} in {efflux}");
    }
    let trainer = linked(trainer());
    assert!(trainer.contains("libtorch_cpu"), "{trainer}");
    for library in ["libmpi", "libtorch_cuda"] {
        assert!(!trainer.contains(library), "{library} in {trainer}");
    }
    assert!(!trainer.contains("not found"), "{trainer}");
}

/// The commit of the sources that the program was built from, where they are a repository.
fn commit() -> Option<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    if !Path::new(root).join(".git").exists() || std::env::var_os("EFFLUX_COMMIT").is_some() {
        return None;
    }
    let mut git = Command::new("git");
    git.args(["-C", root, "rev-parse", "--short=12", "HEAD"]);
    let output = git.output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| said.trim().to_owned())
}

#[test]
fn version_is_answered_without_anything_else() {
    let output = Command::new(EFFLUX).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut expected = format!("efflux {}", env!("CARGO_PKG_VERSION"));
    if let Some(commit) = commit() {
        expected += &format!(" ({commit}");
    }
    assert!(text.starts_with(&expected), "{text} is not {expected}");
    assert!(output.stderr.is_empty());
}

#[test]
fn a_trainer_started_by_hand_says_whose_it_is() {
    let output = Command::new(trainer()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("started by efflux"));
}

#[test]
fn every_command_has_a_manual_page() {
    let study = Study::new();
    study.run(&["man", "man"]).ok();
    let mut pages: Vec<_> = fs::read_dir(study.path("man")).unwrap().collect();
    let page = fs::read_to_string(study.path("man/efflux-sweep.1")).unwrap();
    assert!(
        page.contains("run directory belongs to one contract"),
        "{page}"
    );
    pages.retain(|page| page.is_ok());
    // Listed by the help, each in a line of its own with two spaces before.
    let help = study.run(&["--help"]).ok().stdout;
    let commands = help.split("Commands:").nth(1).unwrap();
    let commands = commands.split("Options:").next().unwrap().lines();
    let is_one = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    assert_eq!(pages.len(), commands.filter(is_one).count() + 1);
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
    for line in [
        "the configuration that the search selects: 2 trials: 0 done, 2 new",
        "one core with AVX2 or AVX-512, as measured elsewhere",
    ] {
        assert!(planned.contains(line), "{line}: {planned}");
    }
    assert!(!study.path("run").exists(), "a plan leaves no trace");
    let said = study.sweep("run", "2").ok().stderr;
    assert!(said.contains("6 trials of this launch took "), "{said}");
    let planned = study
        .run(&["plan", "job.toml", "--run-dir", "run"])
        .ok()
        .stdout;
    for line in [
        "4 trials: 4 done, 0 new",
        "2 trials: 2 done, 0 new",
        "together 0.00 s",
        "one core here, by the 6 trials that are done",
    ] {
        assert!(planned.contains(line), "{line}: {planned}");
    }
    assert!(!planned.contains("wall time"), "nothing is left: {planned}");
}

#[test]
fn plan_times_trials_of_this_host_and_says_what_to_ask_slurm_for() {
    let study = Study::new();
    let seeds: Vec<String> = (0..20_000).map(|seed| seed.to_string()).collect();
    let seeds = format!("search = [{}]", seeds.join(", "));
    study.write("many.toml", JOB.replace("search = [0, 1]", &seeds));
    let options = [
        "--calibrate",
        "--slots",
        "2",
        "--ranks",
        "3",
        "--walltime",
        "2:10",
    ];
    let planned = study.run(&[&["plan", "many.toml"], &options[..]].concat());
    let planned = planned.ok().stdout;
    for line in [
        "one core here, by ",
        " short trials\n",
        "with 3 ranks of 2 slots; ",
        "sbatch --ntasks=3 --cpus-per-task=2 --time=3 slurm/sweep.sbatch many.toml; ",
        "such jobs, which follow each other by themselves",
        "2 slots fit into the ",
    ] {
        assert!(planned.contains(line), "{line}: {planned}");
    }
    study
        .run(&["plan", "job.toml", "--walltime", "soon"])
        .refused(2, &["soon", "12:30:00"]);
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
    let alone: efflux_run::record::Record = serde_json::from_str(&printed).unwrap();
    assert_eq!((alone.trial, alone.outcome), (record.trial, record.outcome));
    study
        .run(&["trial", "job.toml", "--id", "zzz"])
        .refused(2, &["--id zzz", "no such trial"]);
}

/// Which package may use which, in order: each only some of those above it. The map in DESIGN.md, held.
const PACKAGES: [(&str, &str); 16] = [
    ("base", ""),
    ("numerics", ""),
    ("link", ""),
    ("testing", ""),
    ("analysis", "numerics"),
    ("job", "analysis base numerics"),
    ("process", ""),
    ("data", "base job numerics process"),
    ("ingest", "base data job numerics"),
    ("import", "base data ingest job"),
    ("run", "analysis base job numerics"),
    ("protocol", "base job numerics run"),
    ("model", "analysis base data job numerics"),
    ("cluster", "base job numerics protocol run"),
    ("report", "analysis base data job numerics process run"),
    (
        "trainer",
        "base data job model numerics process protocol run",
    ),
];

/// The only packages that may use these crates themselves.
const CONFINED: [(&str, &str); 6] = [
    ("tch", "efflux-model"),
    ("mpi", "efflux-cluster"),
    ("hdf5-metno", "efflux-data"),
    ("bzip2", "efflux-ingest"),
    ("lzma-rust2", "efflux-ingest"),
    ("faer", "efflux-process"),
];

/// What each program must not reach, by whatever way.
const FORBIDDEN: [(&str, &[&str]); 2] = [
    ("efflux", &["tch", "torch-sys", "efflux-model"]),
    (
        "efflux-trainer",
        &["mpi", "mpi-sys", "efflux-cluster", "efflux-ingest"],
    ),
];

/// What every package of the workspace and of its dependencies is linked with, by name.
fn crate_graph() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // What other platforms would need has not been downloaded.
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names: BTreeMap<String, String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        // Two versions of a crate count as one.
        let uses = graph.entry(names[&text(&node["id"])].clone()).or_default();
        for used in node["deps"].as_array().unwrap() {
            // Neither for build scripts nor for tests.
            let kinds = used["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                uses.insert(names[&text(&used["pkg"])].clone());
            }
        }
    }
    graph
}

#[test]
fn packages_use_only_those_that_they_may() {
    let graph = crate_graph();
    let own: BTreeSet<&str> = graph
        .keys()
        .filter_map(|name| name.strip_prefix("efflux-"))
        .collect();
    assert_eq!(own, PACKAGES.iter().map(|(name, _)| *name).collect());
    for (index, (name, may)) in PACKAGES.iter().enumerate() {
        let may: Vec<&str> = may.split_whitespace().collect();
        for used in &may {
            let above = PACKAGES[..index].iter().any(|(other, _)| other == used);
            assert!(above, "{name} comes before {used}");
        }
        for used in &graph[&format!("efflux-{name}")] {
            if let Some(used) = used.strip_prefix("efflux-") {
                assert!(may.contains(&used), "{name} uses {used}");
            }
        }
    }
    for (confined, home) in CONFINED {
        for (name, uses) in &graph {
            let outside = name.starts_with("efflux") && name != home;
            assert!(
                !(outside && uses.contains(confined)),
                "{name} uses {confined}"
            );
        }
        assert!(graph[home].contains(confined), "{home} without {confined}");
    }
    for (program, forbidden) in FORBIDDEN {
        let mut reached = BTreeSet::from([program]);
        let mut waiting = vec![program];
        while let Some(name) = waiting.pop() {
            for used in &graph[name] {
                if reached.insert(used) {
                    waiting.push(used);
                }
            }
        }
        assert!(reached.len() > 20, "{program} reaches only {reached:?}");
        for name in forbidden {
            assert!(!reached.contains(name), "{program} reaches {name}");
        }
    }
}
