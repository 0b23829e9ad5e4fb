mod site_models;

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::*;
use crate::{Fold, TrialId};

fn parse(text: &str) -> Result<Job> {
    Job::parse(Path::new("jobs/x.toml"), text.to_owned())
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn the_smallest_job_is_the_papers_configuration() {
    let job = parse("pack = \"a.h5\"").unwrap();
    assert_eq!(job.name, "x");
    let [configuration] = job.grid.configurations() else {
        panic!("more than one configuration");
    };
    let text = "hidden 128 · dropout 0.2 · window 30 d";
    assert_eq!(configuration.to_string(), text);
    assert_eq!(job.settings.training.epochs, 200);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_key() {
    assert_eq!(
        refusal("pack = \"a.h5\"\n[grid]\nhiden_size = [64]\n"),
        "jobs/x.toml: line 3: unknown key `hiden_size` (did you mean `hidden_size`?)"
    );
    assert!(refusal("pack = \"a.h5\"\n[spilt]\n").contains("did you mean `split`?"));
}

#[test]
fn a_stopping_rule_takes_its_own_keys_alone_and_needs_validation_days() {
    let with = |text: &str| format!("pack = \"a.h5\"\n[stop]\n{text}\n");
    assert!(!parse(&with("")).unwrap().stop.is_on());
    assert!(!parse(&with("policy = \"none\"")).unwrap().stop.is_on());
    let stop = parse(&with("policy = \"halving\"\nleast = 5\neta = 2"));
    assert_eq!(stop.unwrap().stop.geometric(100), [5, 10, 20, 40, 80]);
    let stop = parse(&with("policy = \"median\"\nevery = 40"));
    assert_eq!(stop.unwrap().stop.arithmetic(200), [40, 80, 120, 160]);
    let cases = [
        ("policy = \"best\"", "unknown variant `best`"),
        ("after = 3", "unknown key `after`"),
        ("policy = \"top\"\neta = 3", "line 4: `stop.eta` has 3 with"),
        (
            "policy = \"halving\"\neta = 1",
            "`stop.eta` has 1, expected 2",
        ),
        (
            "policy = \"top\"\nkeep = 0",
            "`stop.keep` has 0, expected 1",
        ),
        (
            "policy = \"halving\"\nleast = 200",
            "line 4: `stop.least` has 200",
        ),
        ("keep = 3", "expected no such key without a policy"),
        (
            "policy = \"paired\"\nalpha = 1.0",
            "line 4: `stop.alpha` has 1, expected above 0, below 1",
        ),
        (
            "policy = \"asha\"\nalpha = 0.1",
            "`stop.alpha` has 0.1 with",
        ),
        (
            "policy = \"asha\"\n[grid]\nhidden_size = [8, 12, 16, 20]",
            "`stop.least` has 1 with 4 configurations, expected at least 67",
        ),
        (
            "policy = \"asha\"\n[grid]\nhidden_size = [8, 12]",
            "`stop.eta` has 3, expected at most 2, the number of configurations",
        ),
        (
            "policy = \"median\"\nevery = 0",
            "`stop.every` has 0, expected 1",
        ),
        (
            "policy = \"median\"\nevery = 200",
            "line 4: `stop.every` has 200",
        ),
        (
            "policy = \"halving\"\n[selection]\non = \"test\"\n[split]\nvalidation = 0.0",
            "line 3: `stop.policy` has `halving`, expected `none` without",
        ),
    ];
    for (text, expected) in cases {
        let refused = refusal(&with(text));
        assert!(refused.contains(expected), "{text}: {refused}");
    }
}

#[test]
fn ids_of_trials_do_not_depend_on_a_stopping_rule() {
    let ids = |text: &str| {
        let job = parse(&format!("pack = \"a.h5\"\n{text}")).unwrap();
        let contract = contract(&job);
        let trials = job.search_trials(&contract).unwrap().into_vec().into_iter();
        (contract, trials.map(|trial| trial.id).collect::<Vec<_>>())
    };
    assert_eq!(ids(""), ids("[stop]\npolicy = \"halving\"\n"));
}

#[test]
fn impossible_values_are_refused_with_line_key_and_expectation() {
    let cases = [
        (
            "[grid]\ndropout = [0.2, 1.2]",
            "`grid.dropout` has 1.2, expected at least 0 and below 1",
        ),
        (
            "[grid]\nhidden_size = []",
            "`grid.hidden_size` has [], expected at least one value",
        ),
        (
            "[grid]\nwindow_days = [30, 30]",
            "`grid.window_days` has 30, expected each value once",
        ),
        (
            "[split]\ntrain = 1.0",
            "`split.train` has 1, expected above 0 and below 1",
        ),
        (
            "[split]\nfold = 1",
            "`split.fold` has 1, expected no such key: trials have it, one for each fold",
        ),
        (
            "[split]\nfolds = 1",
            "`split.folds` has 1, expected 2 or more",
        ),
        (
            "[split]\nkeep_together_km = -1.0",
            "`split.keep_together_km` has -1, expected kilometres, 0 or more",
        ),
        (
            "[model]\nlayers = 4",
            "`model.layers` has 4, expected 1, 2 or 3",
        ),
        (
            "[model]\nlayer_dropout = 0.2",
            "`model.layer_dropout` has 0.2, expected 0, because one layer has none above it",
        ),
        (
            "[grid]\nkeep_together_km = [1.0, 2.0]",
            "expected no such axis: it says which sites are judged",
        ),
        (
            "[selection]\non = \"train\"",
            "unknown variant `train`, expected `validation` or `test`",
        ),
        (
            "[training]\nepochs = 0",
            "`training.epochs` has 0, expected 1 or more",
        ),
        (
            "[training]\nlearning_rate = 0.0",
            "`training.learning_rate` has 0, expected above 0",
        ),
        (
            "[training]\nhuber_delta = 1.5",
            "`training.huber_delta` has 1.5, expected no such key unless `loss` is \"huber\"",
        ),
        (
            "[training]\nweight_decay = 0.1",
            "expected no such key unless `optimizer` is \"adamw\"",
        ),
        (
            "[training]\npatience = 0",
            "`training.patience` has 0, expected 1 or more",
        ),
        (
            "[analysis]\nbands = [0.9, 0.1]",
            "`analysis.bands` has [0.9, 0.1]",
        ),
        (
            "[analysis]\nsame_place_km = -1.0",
            "`analysis.same_place_km` has -1",
        ),
    ];
    for (text, expected) in cases {
        let message = refusal(&format!("pack = \"a.h5\"\n{text}\n"));
        assert!(message.starts_with("jobs/x.toml: line 3: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn without_a_validation_part_selection_must_say_test() {
    let text = "pack = \"a.h5\"\n[split]\nvalidation = 0.0\n";
    assert!(refusal(text).contains("there is no validation part"));
    let paper = parse(&format!("{text}[selection]\non = \"test\"\n")).unwrap();
    assert_eq!(paper.caveats().len(), 1);
}

#[test]
fn the_best_epoch_cannot_be_kept_without_validation_days() {
    let text = "pack = \"a.h5\"\n[training]\nkeep = \"best\"\n";
    let all = format!("{text}[final]\nfit = \"train+validation\"\n");
    assert!(refusal(&all).starts_with("jobs/x.toml: line 3: `training.keep` has \"best\""));
    let none = format!("{text}[split]\nvalidation = 0.0\n[selection]\non = \"test\"\n");
    assert!(refusal(&none).contains("split.validation is 0"));
    assert!(parse(text).is_ok());
}

#[test]
fn a_wrong_type_is_refused_with_its_line() {
    let message = refusal("pack = \"a.h5\"\n[grid]\nhidden_size = \"64\"\n");
    assert!(
        message.starts_with("jobs/x.toml: line 3: invalid type"),
        "{message}"
    );
}

fn variables() -> Variables {
    Variables::complete(&["t".to_owned()], &[])
}

fn contract(job: &Job) -> Contract {
    job.contract("d", variables(), 100).unwrap()
}

fn search(job: &Job) -> Vec<Trial> {
    job.search_trials(&contract(job)).unwrap().into_vec()
}

#[test]
fn ids_are_the_same_in_every_launch_and_differ_when_anything_differs() {
    let job = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8, 16]\n").unwrap();
    let trials = search(&job);
    assert_eq!(trials, search(&job));
    assert_ne!(trials[0].id, trials[1].id);
    let other = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8, 16]\n[training]\nepochs = 201\n");
    assert_ne!(trials[0].id, search(&other.unwrap())[0].id);
    let last = job.final_trials(&contract(&job), &trials[0].params);
    let last = last.unwrap();
    assert_ne!(
        trials[0].id, last[0].id,
        "a member keeps what a search trial does not"
    );
    assert_eq!(trials[0].id.as_str().len(), 16);
    // A run directory outlives the program that began it: the id is that of the one list that version 0.1.0 made.
    let whole = serde_json::json!([
        1,
        {
            "pack_digest": "d",
            "dynamic": ["t"],
            "static": [],
            "missing": "error",
            "split": {"train": 0.8, "validation": 0.1},
            "transform": {"target": "asinh", "inputs": "none", "scaling": "training"},
            "training": {
                "epochs": 200, "backend": "auto", "sampler": "uniform", "warm_up_days": 0, "loss": "mse",
                "huber_delta": null, "optimizer": "adadelta", "learning_rate": null, "weight_decay": null,
                "schedule": "constant", "clip_norm": null, "keep": "last", "patience": null, "tf32": false,
                "threads": 1,
            },
            "evaluation": {"state": "carried"},
        },
        "search",
        "train",
        {"hidden_size": 16, "dropout": 0.2, "window_days": 30},
        0,
    ]);
    let hash = Sha256::digest(whole.to_string());
    assert_eq!(trials[1].id.as_str(), efflux_numerics::hex(&hash[..8]));
}

#[test]
fn every_fold_has_its_trials_and_members_are_trained_on_all_sites_too() {
    let job = parse("pack = \"a.h5\"\n[split]\nkind = \"both\"\nfolds = 2\n").unwrap();
    let fold = |site: usize| Fold {
        name: site.to_string(),
        test: vec![site],
        left_out: Vec::new(),
    };
    let contract = Contract {
        folds: vec![fold(0), fold(1)],
        ..contract(&job)
    };
    let search = job.search_trials(&contract).unwrap();
    let folds = |trials: &[Trial]| -> Vec<Option<usize>> {
        trials.iter().map(|trial| trial.params.fold()).collect()
    };
    assert_eq!(folds(&search), [Some(0), Some(1)]);
    let selected = search[1].params.in_fold(None);
    assert_eq!(selected, job.grid.configurations()[0]);
    let last = job.final_trials(&contract, &selected).unwrap();
    let expected = [None, Some(0), Some(1)].map(|fold| [fold; 5]);
    assert_eq!(folds(&last), expected.as_flattened());
    let ids: HashSet<&TrialId> = search.iter().chain(&last).map(|trial| &trial.id).collect();
    assert_eq!(ids.len(), 2 + 15);
    let settings = job.settings.with(&search[1].params).unwrap();
    let view = contract.view(&settings, Fit::Train).unwrap();
    assert!(view.trains(0) && !view.trains(1));
}

#[test]
fn folds_and_a_stopping_rule_exclude_each_other() {
    let text = "pack = \"a.h5\"\n[split]\nkind = \"sites\"\n[stop]\npolicy = \"halving\"\n";
    assert!(
        refusal(text).contains("`stop.policy` has `halving`, expected `none` with folds of sites")
    );
}

#[test]
fn extending_an_axis_keeps_the_trials_there_were() {
    let small = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8]\n").unwrap();
    let large = parse("pack = \"a.h5\"\n[grid]\nhidden_size = [8, 16]\n").unwrap();
    let extended = search(&large);
    for trial in search(&small) {
        assert!(extended.contains(&trial));
    }
}

#[test]
fn a_window_longer_than_the_calendar_is_refused() {
    let job = parse("pack = \"a.h5\"\n[grid]\nwindow_days = [30, 365]\n").unwrap();
    let error = job.contract("d", variables(), 300).unwrap_err();
    assert!(
        error.to_string().contains("`grid.window_days` has 365"),
        "{error}"
    );
}

#[test]
fn a_difference_between_contracts_is_named_by_its_dotted_key() {
    let job = parse("pack = \"a.h5\"").unwrap();
    let mut other = contract(&job);
    other.split.train = 0.7;
    let (key, before, now) = contract(&job).difference(&other).unwrap();
    assert_eq!((&*key, &*before, &*now), ("split.train", "0.8", "0.7"));
    assert_eq!(contract(&job).difference(&contract(&job)), None);
}
