//! Runs side by side.

use std::fs;

use serde_json::Value;

use crate::harness::{JOB, Study};

fn compared(study: &Study, runs: &[&str]) -> Value {
    let ended = study.run(&[&["compare"], runs, &["--json"]].concat()).ok();
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The cell of a table at a row that has these words.
fn cell(table: &str, column: &str, words: &[&str]) -> String {
    let mut lines = table.lines();
    let place = lines
        .next()
        .unwrap()
        .split(',')
        .position(|name| name == column);
    let mut rows = lines.map(|line| line.split(',').collect::<Vec<&str>>());
    let row = rows.find(|row| words.iter().all(|word| row.contains(word)));
    row.unwrap()[place.unwrap()].to_owned()
}

fn notes(compared: &Value) -> String {
    compared["notes"].to_string()
}

/// Two runs of one pack whose jobs differ in the epochs alone.
fn two() -> Study {
    let study = Study::with(
        &JOB.replace("search = [0, 1]", "search = [0]")
            .replace("[8, 12]", "[8]"),
    );
    study.sweep("run", "1").ok();
    let job = fs::read_to_string(study.path("job.toml")).unwrap();
    study.write("job.toml", job.replace("epochs = 2", "epochs = 4"));
    study.sweep("longer", "1").ok();
    study
}

#[test]
fn runs_are_compared_on_the_same_days_with_the_scores_of_their_reports() {
    let study = two();
    let json = compared(&study, &["run", "longer"]);
    let keys: Vec<&Value> = json["differences"].as_array().unwrap().iter().collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(keys[0]["key"], "training.epochs");
    assert_eq!(keys[0]["values"].to_string(), "[2,4]");
    assert_eq!(notes(&json), "[]");

    let ended = study.run(&[
        "compare",
        "run",
        "longer",
        "--csv",
        "all.csv",
        "--sites-csv",
        "sites.csv",
    ]);
    let text = ended.ok().stdout;
    for expected in [
        "6 sites",
        "run 2 beside run 1",
        "better at",
        "training.epochs",
        "2  |  4",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for run in ["run", "longer"] {
        let of_report =
            fs::read_to_string(study.path(run).join("report/tables/summary.csv")).unwrap();
        let all = fs::read_to_string(study.path("all.csv")).unwrap();
        for score in ["nse", "kge", "rmse_umol_m-2_s-1"] {
            let theirs = cell(&of_report, "median", &["ensemble-mean", "test", score]);
            let ours = cell(&all, "median", &["ensemble-mean", run, score]);
            let [theirs, ours] = [theirs, ours].map(|number| number.parse::<f64>().unwrap());
            // The file of predictions has single precision.
            assert!(
                (theirs - ours).abs() < 1e-5,
                "{run} {score}: {theirs} {ours}"
            );
        }
        let scores = fs::read_to_string(study.path(run).join("report/tables/scores.csv")).unwrap();
        let sites = fs::read_to_string(study.path("sites.csv")).unwrap();
        let first = sites.lines().nth(1).unwrap().split(',').nth(1).unwrap();
        let days = cell(&scores, "days", &["ensemble-mean", "test", first]);
        assert_eq!(cell(&sites, "days", &[run, first]), days);
    }

    // The p value of the table is that of the sites' scores.
    let scores = &json["series"][0]["scores"];
    let nse = |row: &&Value| row["score"] == "nse" && row["run"] == "longer";
    let row = scores.as_array().unwrap().iter().find(nse).unwrap();
    let against = &row["against_first"];
    let counts = [&against["better"], &against["worse"]].map(|count| count.as_u64().unwrap());
    let sites = json["series"][0]["sites"].as_array().unwrap();
    let gains = sites.iter().map(|site| {
        let scores = &site["scores"]["nse"];
        scores[1].as_f64().unwrap() - scores[0].as_f64().unwrap()
    });
    let better = gains.filter(|gain| *gain > 0.0).count();
    assert_eq!(counts[0], better as u64);
    assert_eq!(counts[0] + counts[1], 6);
    let p = against["p"].as_f64().unwrap();
    assert!(p > 0.0 && p <= 1.0);
}

#[test]
fn what_makes_runs_unlike_is_said_and_days_that_they_do_not_share_do_not_count() {
    let study = two();
    let job = fs::read_to_string(study.path("job.toml")).unwrap();
    let judged = |compared: &Value| compared["series"][0]["days"].as_u64().unwrap();
    let all = judged(&compared(&study, &["run", "longer"]));

    // More is judged: the test days of both are those of the first.
    study.write("job.toml", job.clone() + "\n[split]\ntrain = 0.7\n");
    study.sweep("split", "1").ok();
    let json = compared(&study, &["run", "split"]);
    assert_eq!(judged(&json), all);
    assert!(notes(&json).contains("(split.train)"), "{json}");
    assert!(
        notes(&json).contains("split, ensemble mean: judged on"),
        "{json}"
    );

    study.write(
        "job.toml",
        job.clone() + "\n[evaluation]\nstate = \"window\"\n",
    );
    study.sweep("state", "1").ok();
    let json = compared(&study, &["run", "longer", "state"]);
    assert!(
        notes(&json).contains("different rules (evaluation.state)"),
        "{json}"
    );
    assert_eq!(json["runs"].as_array().unwrap().len(), 3);

    // Other sites of the same names: no observed flux is the same.
    let synth = [
        "synth", "-o", "other.h5", "--sites", "6", "--years", "3", "--seed", "7",
    ];
    study.run(&synth).ok();
    study.write("job.toml", job.replace("small.h5", "other.h5"));
    study.sweep("other", "1").ok();
    let refused = study.run(&["compare", "run", "other", "--csv", "not.csv"]);
    refused.refused(2, &["nothing to compare the runs by"]);
    assert!(!study.path("not.csv").exists());
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let study = two();
    let refused = study.run(&["compare", "run", "./run"]);
    refused.refused(2, &["is there twice, expected different runs"]);
    study.run(&["compare", "run"]).refused(2, &["RUN"]);
    study.run(&["compare", "run", "none"]).refused(4, &["none"]);
    fs::create_dir(study.path("empty")).unwrap();
    let refused = study.run(&["compare", "run", "empty"]);
    refused.refused(4, &["no sweep has been started here"]);
    fs::write(study.path("longer/ensemble/predictions.nc"), "nothing").unwrap();
    let refused = study.run(&["compare", "run", "longer"]);
    refused.refused(4, &["predictions.nc", "efflux evaluate"]);
    fs::remove_file(study.path("longer/ensemble/predictions.nc")).unwrap();
    let refused = study.run(&["compare", "run", "longer"]);
    refused.refused(4, &["no predictions to compare", "efflux status longer"]);
}
