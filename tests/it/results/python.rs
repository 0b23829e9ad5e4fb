//! What Python users read of a run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use efflux_data::{Pack, Scales, Tensors};
use efflux_testing::{left_out, row, rows};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::harness::{JOB, Study, of_epochs};

const PREDICTIONS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/results/predictions.py"
);
const APPEND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/results/append.py");
const STUDY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/results/study.py");
const SIMULATION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/results/simulation.py"
);

#[test]
fn python_opens_the_predictions_by_name_finds_the_median_of_the_table_and_adds_to_them() {
    let python = Python {
        program: "python3".into(),
        imports: "h5netcdf, netCDF4, xarray",
        required: "EFFLUX_REQUIRE_PYTHON",
    };
    if !python.is_there("the predictions in xarray") {
        return;
    }
    let study = Study::new();
    study.sweep("run", "2").ok();
    let run = study.path("run");
    let file = run.join("ensemble/predictions.nc");
    let said = python.says(PREDICTIONS, &[file.as_path()]);

    let pack = Pack::read(&study.path("small.h5")).unwrap();
    let sites: Vec<&str> = pack.sites.iter().map(|site| site.id.as_str()).collect();
    assert_eq!(
        said["dimensions"],
        serde_json::json!(["member", "site", "time"])
    );
    assert_eq!(said["sites"], serde_json::json!(sites));
    assert_eq!(said["seeds"], serde_json::json!([0, 1]));
    assert_eq!(said["units"], "umol m-2 s-1");
    assert_eq!(said["first_day"], pack.calendar.start.to_string());
    assert_eq!(said["days"], pack.calendar.days);

    let summary = rows(&run.join("report"), "summary.csv");
    let with = [
        ("series", "ensemble-mean"),
        ("part", "test"),
        ("score", "nse"),
    ];
    let expected: f64 = row(&summary, &with)["median"].parse().unwrap();
    let found = said["median_nse"].as_f64().unwrap();
    // The program rounds the mean of the members to 32 bits, and the table its numbers.
    assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");

    let said = python.says(APPEND, &[file.as_path()]);
    let expected = ["netCDF4", "h5netcdf", "xarray, netCDF4", "xarray, h5netcdf"]
        .map(|with| (with.to_owned(), 2.into()));
    assert_eq!(
        said,
        serde_json::Value::Object(expected.into_iter().collect())
    );
}

#[test]
fn the_page_on_python_runs_as_it_stands_and_finds_what_the_report_says() {
    let python = Python {
        program: "python3".into(),
        imports: "h5netcdf, xarray",
        required: "EFFLUX_REQUIRE_PYTHON",
    };
    if !python.is_there("the examples of docs/python.md") {
        return;
    }
    let study = Study::new();
    study.sweep("run", "2").ok();
    let said = python.runs_page("docs/python.md", &study, &[("runs/cosore-daily", "run")]);

    let report = study.path("run/report");
    let summary = rows(&report, "summary.csv");
    let with = [
        ("series", "ensemble-mean"),
        ("part", "test"),
        ("score", "nse"),
    ];
    let nse: f64 = row(&summary, &with)["median"].parse().unwrap();
    assert!(said.contains(&format!("sites: {nse:.3}")), "{nse}: {said}");
    let intervals = rows(&report, "intervals.csv");
    for (level, percent) in [("0.5", 50), ("0.9", 90)] {
        let with = [("kind", "calibrated"), ("level", level)];
        let share: f64 = row(&intervals, &with)["coverage"].parse().unwrap();
        let expected = format!("{percent}% interval: {:.1}% of the days", 100.0 * share);
        assert!(said.contains(&expected), "{expected}: {said}");
    }
}

#[test]
fn the_predictions_of_a_run_and_of_other_sites_are_a_table_too() {
    let study = Study::new();
    study.sweep("run", "2").ok();
    study.run(&["export", "run", "--daily", "daily.csv"]).ok();
    let read = |file: &str| -> Vec<BTreeMap<String, String>> {
        let text = fs::read(study.path(file)).unwrap();
        let mut reader = csv::Reader::from_reader(&*text);
        reader.deserialize().map(Result::unwrap).collect()
    };
    let rows = read("daily.csv");
    let pack = Pack::read(&study.path("small.h5")).unwrap();
    assert_eq!(rows.len(), pack.flux.len());
    let observed = rows.iter().filter(|row| !row["observed"].is_empty());
    let observed: Vec<&BTreeMap<String, String>> = observed.collect();
    assert_eq!(
        observed.len(),
        pack.flux.iter().filter(|value| !value.is_nan()).count()
    );
    assert!(observed.iter().all(|row| row["part"] != "unused"));
    for row in rows.iter().filter(|row| row["part"] == "test") {
        let number = |name: &str| row[name].parse::<f64>().unwrap();
        let ends = [
            "lower_95",
            "lower_50",
            "simulated_mean",
            "upper_50",
            "upper_95",
        ];
        assert!(ends.map(number).is_sorted(), "{row:?}");
    }

    let predict = ["predict", "run", "--pack", "small.h5", "-o", "there"];
    study.run(&predict).ok();
    study.run(&["export", "there", "--daily", "there.csv"]).ok();
    let there = read("there.csv");
    assert!(there.iter().all(|row| row["site_in_training"] == "1"));
    assert_eq!(there[0]["simulated_mean"], rows[0]["simulated_mean"]);

    fs::create_dir(study.path("empty")).unwrap();
    let refused = study.run(&["export", "empty", "--daily", "none.csv"]);
    refused.refused(4, &["empty", "has no predictions"]);
    assert!(!study.path("none.csv").exists());
}

#[test]
fn optuna_opens_the_trials_of_a_search_and_finds_the_best_of_the_table() {
    let python = Python {
        program: "python3".into(),
        imports: "optuna",
        required: "EFFLUX_REQUIRE_PYTHON",
    };
    if !python.is_there("the trials in Optuna") {
        return;
    }
    let job = of_epochs(4).replace("[8, 12]", "[8, 12]\nloss = [\"mse\", \"nse\"]");
    let study = Study::with(&format!(
        "{job}\n[stop]\npolicy = \"top\"\nleast = 2\nkeep = 2\n"
    ));
    study.sweep("run", "2").ok();
    let files = ["--csv", "trials.csv", "--optuna", "study.log"];
    study.run(&[&["export", "run"], &files[..]].concat()).ok();
    let said = python.says(STUDY, &[&study.path("study.log")]);
    assert_eq!(said["name"], "run");
    assert_eq!(said["direction"], "MAXIMIZE");
    assert_eq!(
        said["states"],
        serde_json::json!({"COMPLETE": 4, "PRUNED": 4})
    );
    assert_eq!(said["scored_epochs"], 4 * 4 + 4 * 2);

    let text = fs::read(study.path("trials.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(&*text);
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 8);
    let score = |row: &&BTreeMap<String, String>| row["median_nse"].parse::<f64>().ok();
    let scored = rows.iter().filter(|row| score(row).is_some());
    let best = scored
        .max_by(|a, b| score(a).unwrap().total_cmp(&score(b).unwrap()))
        .unwrap();
    assert_eq!(said["best_id"], best["trial"]);
    assert_eq!(said["best_value"].as_f64(), score(&best));
    let params = &said["best_params"];
    assert_eq!(params["hidden_size"].to_string(), best["hidden_size"]);
    assert_eq!(params["loss"], best["loss"]);
    assert_eq!(params["dropout"].to_string(), best["dropout"]);
}

#[test]
fn the_recipe_for_tensorboard_writes_event_files_of_every_trial() {
    let python = Python {
        program: std::env::var_os("EFFLUX_TENSORBOARD_PYTHON").unwrap_or("python3".into()),
        imports: "tensorboard.summary",
        required: "EFFLUX_REQUIRE_TENSORBOARD",
    };
    if !python.is_there("a search in TensorBoard") {
        return;
    }
    let study = Study::with(&format!(
        "{JOB}\n[stop]\npolicy = \"top\"\nleast = 1\nkeep = 1\n"
    ));
    study.sweep("run", "2").ok();
    study.run(&["export", "run", "--csv", "trials.csv"]).ok();
    let recipe = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tensorboard.md"));
    let recipe = recipe.unwrap();
    let code = recipe.split("```python\n").nth(1).unwrap();
    study.write("events.py", code.split("```").next().unwrap());
    let mut command = Command::new(&python.program);
    command.current_dir(study.directory.path());
    let output = command.args(["events.py", "run", "trials.csv", "events"]);
    let output = output.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4 trials\n");
    for (state, trials) in [("finished", 2), ("stopped", 2)] {
        let runs = fs::read_dir(study.path("events").join(state)).unwrap();
        let runs: Vec<_> = runs.map(|run| run.unwrap().path()).collect();
        assert_eq!(runs.len(), trials, "{state}");
        for run in runs {
            let mut files = fs::read_dir(&run).unwrap();
            let bytes = fs::read(files.next().unwrap().unwrap().path()).unwrap();
            let holds = |tag: &str| bytes.windows(tag.len()).any(|part| part == tag.as_bytes());
            assert!(
                holds("loss") && holds("validation_nse"),
                "{}",
                run.display()
            );
        }
    }
}

#[test]
fn the_page_on_torch_comes_to_the_simulation_of_a_member_and_trains_it_on() {
    let python = Python {
        program: std::env::var_os("EFFLUX_TORCH_PYTHON").unwrap_or("python3".into()),
        imports: "h5py, torch, safetensors.torch",
        required: "EFFLUX_REQUIRE_TORCH",
    };
    if !python.is_there("the examples of docs/torch.md") {
        return;
    }
    let study = Study::new();
    study.sweep("run", "2").ok();
    let names = [("runs/paper", "run"), ("data/my-pack.h5", "small.h5")];
    let said = python.runs_page("docs/torch.md", &study, &names);
    let number = |after: &str| -> f64 {
        let rest = said.split(after).nth(1).unwrap();
        let number = rest.split([' ', ';', '\n']).next().unwrap();
        number.parse().unwrap()
    };
    assert!(number("own simulation: ") < 1e-4, "{said}");
    assert!(number("before, ") < number("training days: "), "{said}");
}

#[test]
fn torch_loads_the_weights_and_comes_to_the_simulation_of_the_member() {
    let python = Python {
        program: std::env::var_os("EFFLUX_TORCH_PYTHON").unwrap_or("python3".into()),
        imports: "torch, safetensors.torch",
        required: "EFFLUX_REQUIRE_TORCH",
    };
    if !python.is_there("the weights in torch") {
        return;
    }
    let study = Study::new();
    study.sweep("run", "2").ok();
    let pack = Pack::read(&study.path("small.h5")).unwrap();
    let mut members = 0;
    for trial in fs::read_dir(study.path("run/trials")).unwrap() {
        let kept = trial.unwrap().path().join("attempt-1");
        let [weights, scaling, simulation] = [
            "weights.safetensors",
            "scaling.json",
            "simulation.safetensors",
        ]
        .map(|name| kept.join(name));
        let inputs = study.path("inputs.safetensors");
        let scales = Scales::read(&scaling).unwrap();
        write_inputs(&inputs, &Tensors::to_predict(&pack, &scales));
        let said = python.says(SIMULATION, &[&weights, &scaling, &inputs, &simulation]);
        let furthest = said["furthest"].as_f64().unwrap();
        assert!(furthest < 1e-5, "{said}");
        assert_eq!(said["values"], pack.flux.len());
        members += 1;
    }
    assert_eq!(members, 2);
}

/// What the model reads, daily `[S, D, F]` and static `[S, A]`.
fn write_inputs(path: &Path, tensors: &Tensors) {
    let bytes = |values: &[f32]| -> Vec<u8> {
        let values = values.iter();
        values.flat_map(|value| value.to_le_bytes()).collect()
    };
    let daily = bytes(&tensors.dynamic_values);
    let fixed = bytes(&tensors.static_values);
    let Tensors {
        sites,
        days,
        dynamic,
        statics,
        ..
    } = *tensors;
    let view = |shape: Vec<usize>, bytes| TensorView::new(Dtype::F32, shape, bytes).unwrap();
    let views = [
        ("dynamic", view(vec![sites, days, dynamic], &daily)),
        ("static", view(vec![sites, statics], &fixed)),
    ];
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// A Python, and what it has to have for a test to run.
struct Python {
    program: OsString,
    imports: &'static str,
    /// Set to 1 where the test must not be left out.
    required: &'static str,
}

impl Python {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if std::env::var_os("EFFLUX_TORCH_PYTHON").is_some_and(|own| own == self.program) {
            // The packages of the other tests are for another Python.
            command.env_remove("PYTHONPATH");
        }
        command
    }

    /// Whether it has what a script imports; says so where it has not.
    fn is_there(&self, test: &str) -> bool {
        let import = format!("import {}", self.imports);
        let output = self.command().args(["-c", &import]).output();
        let found = output.is_ok_and(|output| output.status.success());
        if !found {
            let program = self.program.to_string_lossy();
            let reason = format!("{program} cannot {import}");
            let required = std::env::var_os(self.required).is_some_and(|value| value == "1");
            assert!(!required, "{}=1, and {reason}", self.required);
            left_out(test, &reason);
        }
        found
    }

    /// What the examples of a page print, one after the other, with names of the study for those of the page.
    fn runs_page(&self, page: &str, study: &Study, names: &[(&str, &str)]) -> String {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let page = fs::read_to_string(page).unwrap();
        let blocks = page.split("```python\n").skip(1);
        let code: Vec<&str> = blocks.map(|of| of.split("```").next().unwrap()).collect();
        let mut code = code.concat();
        for (name, own) in names {
            assert!(code.contains(name), "{name}");
            code = code.replace(name, own);
        }
        study.write("page.py", code);
        let mut command = self.command();
        command.arg("page.py").current_dir(study.directory.path());
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a script prints about these files.
    fn says(&self, script: &str, files: &[&Path]) -> serde_json::Value {
        let output = self.command().arg(script).args(files).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
