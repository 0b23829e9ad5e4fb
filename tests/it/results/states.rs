//! Scores with a carried state and with that of a window.

use std::fs;

use efflux_data::{Member, Target, read_member, write_member};
use efflux_testing::{row, rows};

use crate::harness::Study;

/// One configuration, so that the state has no part in the selection.
const JOB: &str = r#"
pack = "small.h5"

[training]
epochs = 2

[grid]
hidden_size = [8]
window_days = [30]

[seeds]
final = [0, 1]

[evaluation]
"#;

/// A study that was swept with this state.
fn swept(state: &str) -> Study {
    let study = Study::with(&format!("{JOB}state = \"{state}\"\n"));
    study.sweep("run", "2").ok();
    study
}

/// Rewrites the simulation of each member.
fn change(study: &Study, change: fn(Member) -> Member) {
    for trial in fs::read_dir(study.path("run/trials")).unwrap() {
        let path = trial
            .unwrap()
            .path()
            .join("attempt-1/simulation.safetensors");
        let member = read_member(&path).unwrap();
        write_member(&path, &change(member), &Target::default()).unwrap();
    }
}

#[test]
fn either_state_has_the_same_scores_whichever_of_them_the_job_asks_for() {
    let [carried, window] = ["carried", "window"].map(swept);
    let tables = [&carried, &window].map(|study| study.path("run/report"));
    let states = tables.each_ref().map(|report| rows(report, "states.csv"));
    assert_eq!(states[0], states[1]);
    let test = row(&states[0], &[("part", "test")]);
    assert_ne!(test["carried_median_nse"], test["window_median_nse"]);
    assert_eq!(test["sites_compared"], "6");

    for (report, asked, other) in [
        (&tables[0], "carried", "window"),
        (&tables[1], "window", "carried"),
    ] {
        let scores = rows(report, "scores.csv");
        for run in ["ensemble-mean", "member-1"] {
            let named = format!("{run}-{other}-state");
            for (series, state) in [(run, asked), (named.as_str(), other)] {
                let found = scores.iter();
                let found = found.filter(|row| row["series"] == series && row["state"] == state);
                // Six sites in three parts.
                assert_eq!(found.count(), 18, "{series}, {state}");
            }
        }
        let page = fs::read_to_string(report.join("index.html")).unwrap();
        assert!(page.contains("With the state of a window the NSE is higher at"));
    }
}

#[test]
fn members_that_kept_one_state_are_reported_with_that_one() {
    let study = swept("carried");
    let before = rows(&study.path("run/report"), "sites.csv");
    change(&study, |member| Member {
        other_state: None,
        ..member
    });
    study.run(&["evaluate", "run"]).ok();
    study.run(&["report", "run"]).ok();
    assert_eq!(rows(&study.path("run/report"), "sites.csv"), before);
    assert_eq!(rows(&study.path("run/report"), "states.csv"), []);
    let page = fs::read_to_string(study.path("run/report/index.html")).unwrap();
    assert!(page.contains("simulated with one state alone"));
}

#[test]
fn a_simulation_with_days_too_few_is_refused_by_name() {
    let study = swept("carried");
    change(&study, |mut member| {
        member.other_state.as_mut().unwrap().pop();
        member
    });
    let refused = study.run(&["evaluate", "run"]);
    refused.refused(
        4,
        &[
            "simulation.safetensors",
            "values of the other state, expected",
        ],
    );
}
