//! From `[grid]` to configurations and trials, and everything that is refused on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;

use crate::{Contract, Fold, Job, Trial, TrialId, Variables};

fn parse(text: &str) -> Result<Job, String> {
    let text = format!("pack = \"a.h5\"\n{text}\n");
    Job::parse(Path::new("x.toml"), text).map_err(|error| error.to_string())
}

fn configurations(text: &str) -> Vec<String> {
    let job = parse(text).unwrap();
    let all = job.grid.configurations().iter();
    all.map(ToString::to_string).collect()
}

fn contract(job: &Job) -> Contract {
    let names = ["warmth", "rain"].map(str::to_owned);
    let variables = Variables::complete(&names, &["clay".to_owned()]);
    job.contract("d", variables, 1000).unwrap()
}

fn search(text: &str) -> Vec<Trial> {
    let job = parse(text).unwrap();
    job.search_trials(&contract(&job)).unwrap().into_vec()
}

fn ids(trials: &[Trial]) -> BTreeSet<TrialId> {
    trials.iter().map(|trial| trial.id.clone()).collect()
}

#[test]
fn a_key_of_any_section_is_an_axis_by_its_short_or_its_dotted_name() {
    let text = "[grid]\nloss = [\"mse\", \"nse\"]\ntraining.learning_rate = [1, 0.5]\n\"split.train\" = [0.8, 0.6]";
    let all = configurations(text);
    assert_eq!(all.len(), 8);
    assert_eq!(
        all[0],
        "hidden 128 · dropout 0.2 · window 30 d · loss mse · learning_rate 1 · train 0.8"
    );
    assert_eq!(
        all[7],
        "hidden 128 · dropout 0.2 · window 30 d · loss nse · learning_rate 0.5 · train 0.6"
    );
    let section = "[grid.training]\nloss = [\"mse\", \"nse\"]\nlearning_rate = [1, 0.5]\n[grid.split]\ntrain = [0.8, 0.6]";
    assert_eq!(configurations(section), all);
}

#[test]
fn a_configuration_lies_over_the_job() {
    let job = parse(
        "[model]\nhidden_size = 16\n[training]\noptimizer = \"adam\"\n[grid]\nclip_norm = [\"none\", 1]\n\
         scaling = [\"all\"]",
    );
    let job = job.unwrap();
    let [without, with] = job.grid.configurations() else {
        panic!("{:?}", job.grid);
    };
    let of = |configuration| job.settings.with(configuration).unwrap();
    assert_eq!(of(without).training, job.settings.training);
    assert_eq!(of(with).training.clip_norm, Some(1.0));
    assert_eq!(of(with).params.hidden_size, 16);
    assert_ne!(of(with).transform, job.settings.transform);
}

#[test]
fn a_key_in_its_section_and_the_same_key_as_an_axis_of_one_value_are_the_same_trial() {
    let stated = search("[training]\nloss = \"nse\"\nwindow_days = 60\n[model]\ndropout = 0.5");
    let axes = search("[grid]\nloss = [\"nse\"]\nwindow_days = [60]\ndropout = [0.5]");
    assert_eq!(ids(&stated), ids(&axes));
    // In a configuration the keys of one section need not stand together.
    let stated = search(
        "[model]\nhidden_size = 16\nlayers = 2\n[training]\nwindow_days = 60\nepochs = 7\nloss = \"nse\"\n\
         [transform]\nscaling = \"all\"",
    );
    let axes = search(
        "[grid]\nlayers = [2]\nscaling = [\"all\"]\nloss = [\"nse\"]\nepochs = [7]\nhidden_size = [16]\nwindow_days = [60]",
    );
    assert_eq!(ids(&stated), ids(&axes));
}

#[test]
fn zipped_axes_vary_together() {
    let text = "[grid]\ndropout = [0.2, 0.5]\n[[grid.together]]\noptimizer = [\"adadelta\", \"adamw\"]\n\
        learning_rate = [\"none\", 0.001]\nweight_decay = [\"none\", 0.1]";
    assert_eq!(
        configurations(text),
        [
            "hidden 128 · dropout 0.2 · window 30 d · optimizer adadelta · learning_rate none · weight_decay none",
            "hidden 128 · dropout 0.2 · window 30 d · optimizer adamw · learning_rate 0.001 · weight_decay 0.1",
            "hidden 128 · dropout 0.5 · window 30 d · optimizer adadelta · learning_rate none · weight_decay none",
            "hidden 128 · dropout 0.5 · window 30 d · optimizer adamw · learning_rate 0.001 · weight_decay 0.1",
        ]
    );
}

#[test]
fn listed_configurations_stand_alone_or_behind_the_product_and_none_is_there_twice() {
    let listed = "[[grid.configurations]]\nhidden_size = 16\nloss = \"nse\"\n\
        [[grid.configurations]]\ndropout = 0.5";
    assert_eq!(
        configurations(listed),
        [
            "hidden 16 · dropout 0.2 · window 30 d · loss nse",
            "hidden 128 · dropout 0.5 · window 30 d · loss mse",
        ]
    );
    let both = format!("[grid]\ndropout = [0.2, 0.5]\n{listed}");
    assert_eq!(
        configurations(&both),
        [
            "hidden 128 · dropout 0.2 · window 30 d · loss mse",
            "hidden 128 · dropout 0.5 · window 30 d · loss mse",
            "hidden 16 · dropout 0.2 · window 30 d · loss nse",
        ]
    );
}

#[test]
fn rules_exclude_configurations_that_have_all_that_they_name() {
    let grid = "[grid]\nhidden_size = [64, 256]\nwindow_days = [30, 90, 365]\n";
    let all = format!("{grid}[[grid.exclude]]\nhidden_size = 256\nwindow_days = [90, 365]");
    assert_eq!(configurations(&all).len(), 4);
    let sets = "[inputs.groups]\na = [\"warmth\"]\nb = [\"rain\"]\n[grid]\nuse = [[\"a\"], [\"b\"], [\"a\", \"b\"]]\n\
        [[grid.exclude]]\nuse = [\"a\", \"b\"]";
    assert_eq!(configurations(sets).len(), 2);
}

#[test]
fn whatever_cannot_be_is_refused_with_line_found_and_expected() {
    let adam = "[training]\noptimizer = \"adam\"\n[grid]\n";
    let cases = [
        // A value that another key contradicts, wherever either stands.
        (
            "[grid]\noptimizer = [\"adamw\", \"adam\"]\nweight_decay = [0.1]",
            "line 4: `grid.weight_decay` has 0.1, expected no such key unless `optimizer` is \"adamw\" (in the \
             configuration hidden 128 · dropout 0.2 · window 30 d · optimizer adam · weight_decay 0.1)",
        ),
        (
            &format!("{adam}weight_decay = [\"none\", 0.1]"),
            "line 5: `grid.weight_decay` has 0.1, expected no such key",
        ),
        (
            "[training]\noptimizer = \"adamw\"\nweight_decay = 0.1\n[grid]\noptimizer = [\"adamw\", \"adam\"]",
            "line 4: `training.weight_decay` has 0.1, expected no such key unless",
        ),
        (
            "[grid]\npatience = [3]\n[split]\nvalidation = 0.0\n[selection]\non = \"test\"",
            "line 3: `grid.patience` has 3, expected no such key without a validation part",
        ),
        // Days that are judged.
        (
            "[grid]\ntrain = [0.9]",
            "line 3: `grid.train` has 0.9, expected at most 0.8",
        ),
        (
            "[grid]\nvalidation = [0.0]",
            "line 3: `grid.validation` has 0, expected at least 0.1",
        ),
        (
            "[grid]\ntrain = [0.5]\n[final]\nfit = \"train+validation\"",
            "line 3: `grid.train` has 0.5, expected no such axis with `final.fit",
        ),
        (
            "[split]\nkind = \"sites\"\n[grid]\ntrain = [0.5]",
            "line 5: `grid.train` has 0.5, expected no such axis with `kind = \"sites\"`",
        ),
        (
            "[grid]\nkind = [\"both\"]",
            "line 3: `grid.kind` has both, expected no such axis without folds",
        ),
        (
            "[split]\nkind = \"both\"\n[grid]\nkind = [\"both\", \"time\"]",
            "line 5: `grid.kind` has time, expected `sites` or `both`",
        ),
        (
            "[split]\nkind = \"both\"\n[grid]\nby = [\"random\", \"class\"]",
            "line 5: `grid.by` is a list, expected no such axis: it says which sites are judged",
        ),
        (
            "[grid]\nepochs = [\n  200,\n  50\n]\n[stop]\npolicy = \"top\"",
            "line 5: `grid.epochs` has 50, expected 200 as [training] says",
        ),
        // Values and keys that are none.
        (
            "[grid]\nloss = [\"mae\"]",
            "line 3: `grid.loss` has mae: unknown variant `mae`, expected one of `mse`",
        ),
        (
            "[grid]\nhidden_size = [1.5]",
            "line 3: `grid.hidden_size` has 1.5: invalid type",
        ),
        (
            "[grid]\nepochs = [\"none\"]",
            "line 3: `grid.epochs` has none: invalid type",
        ),
        (
            "[grid]\nhidden_size = 64",
            "line 3: invalid type: `grid.hidden_size` has 64, expected a list",
        ),
        (
            "[grid]\nlos = [\"mse\"]",
            "line 3: unknown key `los` (did you mean `loss`?)",
        ),
        (
            "[grid]\nmodel.loss = [\"mse\"]",
            "line 3: unknown key `model.loss`",
        ),
        (
            "[grid]\nthreads = [1, 2]",
            "line 3: `grid.threads` is a list, expected no such axis",
        ),
        ("[grid]\ngroups = [1]", "line 3: unknown key `groups`"),
        (
            "[grid]\nuse = [[\"a\"]]",
            "line 3: `grid.use` has a, expected names under [inputs.groups], of which there are none",
        ),
        (
            "[grid]\nloss = [\"mse\"]\ntraining.loss = [\"nse\"]",
            "line 4: `grid.loss` varies in two places",
        ),
        (
            "[[grid.together]]\nloss = [\"mse\", \"nse\"]\ndropout = [0.5]",
            "line 2: `grid.together.loss` has 2 values, expected 1",
        ),
        (
            "[grid.together]\nloss = [\"mse\"]",
            "`grid.together` is one table, expected a list of tables",
        ),
        (
            "[[grid.configurations]]\nloss = [\"mse\"]",
            "line 3: `grid.loss` has mse: ",
        ),
        (
            "[[grid.exclude]]\nloss = \"mse\"",
            "line 3: `grid.exclude` has `loss`, which the grid does not set",
        ),
        (
            "[grid]\nloss = [\"mse\"]\n[[grid.exclude]]\nloss = \"nse\"",
            "line 4: `grid.exclude` has loss nse, which excludes no configuration",
        ),
        (
            "[grid]\nloss = [\"mse\"]\n[[grid.exclude]]\nloss = [\"nse\", \"mse\"]",
            "line 4: `grid.exclude` has loss nse or mse, which excludes every configuration",
        ),
    ];
    for (text, expected) in cases {
        let refused = parse(text).unwrap_err();
        assert!(refused.contains(expected), "{text}\n{refused}\n{expected}");
    }
}

const RANGES: &str = "[grid]\nhidden_size = { min = 8, max = 64, log = true }\nlearning_rate = { min = 1e-4, max = 1e-1, log = true }\n\
    loss = [\"mse\", \"nse\"]\ndropout = { min = 0, max = 0.5 }\n";

fn drawn(method: &str, samples: usize, seed: u64) -> Vec<String> {
    let search = format!("[search]\nmethod = \"{method}\"\nsamples = {samples}\nseed = {seed}\n");
    configurations(&(search + RANGES))
}

#[test]
fn samples_are_drawn_from_lists_and_ranges_and_more_of_them_begin_with_the_same() {
    for method in ["random", "sobol"] {
        let few = drawn(method, 200, 0);
        assert_eq!(few.len(), 200, "{method}");
        assert_eq!(drawn(method, 400, 0)[..200], few, "{method}");
        assert_ne!(drawn(method, 200, 1), few, "{method}");
        let search = format!("[search]\nmethod = \"{method}\"\nsamples = 200\n{RANGES}");
        let job = parse(&search).unwrap();
        let (mut small, mut nse, mut low) = (0, 0, 0);
        for configuration in job.grid.configurations() {
            let settings = job.settings.with(configuration).unwrap();
            let (size, dropout) = (settings.params.hidden_size, settings.params.dropout);
            let rate = settings.training.learning_rate.unwrap();
            assert!((8..=64).contains(&size) && (0.0..=0.5).contains(&dropout));
            assert!((1e-4..=1e-1).contains(&rate));
            small += usize::from(size < 23);
            low += usize::from(rate < 10_f64.powf(-2.5));
            nse += usize::from(configuration.to_string().contains("loss nse"));
        }
        for half in [small, nse, low] {
            assert!(
                (75..=125).contains(&half),
                "{method}: {half} of 200 in a half"
            );
        }
    }
}

#[test]
fn the_samples_of_a_seed_are_the_same_on_every_machine() {
    let first = |method| drawn(method, 2, 7).join("; ");
    assert_eq!(
        first("random"),
        "hidden 47 · dropout 0.188439 · window 30 d · loss nse · learning_rate 0.000623294; \
         hidden 37 · dropout 0.178592 · window 30 d · loss mse · learning_rate 0.0242882"
    );
    assert_eq!(
        first("sobol"),
        "hidden 16 · dropout 0.31083 · window 30 d · loss mse · learning_rate 0.000361482; \
         hidden 46 · dropout 0.0608296 · window 30 d · loss nse · learning_rate 0.0114311"
    );
}

#[test]
fn samples_of_lists_alone_are_each_trained_once() {
    let text = "[search]\nmethod = \"random\"\nsamples = 500\n[grid]\nloss = [\"mse\", \"nse\"]\ndropout = [0.2, 0.5]";
    assert_eq!(configurations(text).len(), 4);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let random = "[search]\nmethod = \"random\"\nsamples = 9\n[grid]\n";
    let cases = [
        (
            "[grid]\ndropout = { min = 0, max = 0.5 }",
            "line 3: `grid.dropout` has the range {\"max\":0.5,\"min\":0}, expected a list, unless `search.method`",
        ),
        (
            &format!("{random}dropout = {{ min = 0.5, max = 0.1 }}"),
            "line 6: `grid.dropout` has the range {\"max\":0.1,\"min\":0.5}, expected `min` below `max`",
        ),
        (
            &format!("{random}dropout = {{ min = 0, max = 0.1, log = true }}"),
            "expected `min` above 0 with `log`",
        ),
        (
            &format!("{random}dropout = {{ low = 0, max = 0.1 }}"),
            "expected two numbers `min` and `max`",
        ),
        (
            &format!("{random}loss = {{ min = 0, max = 1 }}"),
            "expected values of this key (invalid type",
        ),
        (
            &format!("{random}dropout = {{ min = 0.5, max = 2 }}"),
            "line 6: `grid.dropout` has 1.",
        ),
        (
            "[search]\nsamples = 9",
            "line 3: `search.samples` has 9, expected no such key unless `method`",
        ),
        (
            "[search]\nmethod = \"sobol\"",
            "line 3: `search.method` has \"sobol\", expected \"grid\" where `samples`",
        ),
        (
            "[search]\nmethod = \"sobol\"\nsamples = 9",
            "expected \"grid\" where [grid] has no axis",
        ),
        (
            "[search]\nmethod = \"bayes\"",
            "unknown variant `bayes`, expected one of `grid`, `random`, `sobol`",
        ),
    ];
    for (text, expected) in cases {
        let refused = parse(text).unwrap_err();
        assert!(refused.contains(expected), "{text}\n{refused}\n{expected}");
    }
}

/// Axes of every section, each with values of which a job takes some.
const AXES: [(&str, &[&str]); 6] = [
    ("hidden_size", &["8", "16", "32"]),
    ("loss", &["\"mse\"", "\"nse\"", "\"huber\""]),
    ("learning_rate", &["\"none\"", "0.5", "0.25"]),
    ("use", &["[\"a\"]", "[\"a\", \"b\"]", "[\"b\"]"]),
    ("target", &["\"asinh\"", "\"none\""]),
    ("train", &["0.8", "0.5"]),
];

/// A job with the first so many values of every axis (none: the axis is left out) and seeds, of which all combinations or
/// so many samples are trained, in so many folds (none: on all sites).
fn sized(sizes: [usize; 6], seeds: usize, samples: usize, folds: usize) -> String {
    let mut text = match samples {
        samples if samples > 0 && sizes.iter().any(|&size| size > 0) => {
            format!("[search]\nmethod = \"sobol\"\nsamples = {samples}\n")
        }
        _ => String::new(),
    };
    text += "[inputs.groups]\na = [\"warmth\"]\nb = [\"rain\"]\n[seeds]\nsearch = [";
    text += &(0..seeds)
        .map(|seed| seed.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    text += "]\n";
    if folds > 0 {
        text += &format!("[split]\nkind = \"both\"\nfolds = {folds}\n");
    }
    text += "[grid]\n";
    for ((key, values), size) in AXES.iter().zip(sizes) {
        if size > 0 {
            text += &format!(
                "{key} = [{}]\n",
                values[..size.min(values.len())].join(", ")
            );
        }
    }
    text
}

/// Holds out one site.
fn fold(number: usize) -> Fold {
    Fold {
        name: number.to_string(),
        test: vec![number],
        left_out: Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever order a grid grows in, with whatever folds, every trial is trained once: its id is that of its stage, its
    /// settings and the fold that it holds out.
    #[test]
    fn a_grid_that_grows_in_any_direction_trains_every_trial_once(
        launches in prop::collection::vec(
            (prop::array::uniform6(0usize..4), 1usize..4, 0usize..40, prop::sample::select(vec![0usize, 2, 3, 5])),
            1..6,
        ),
    ) {
        let mut trained: BTreeMap<TrialId, String> = BTreeMap::new();
        for (sizes, seeds, samples, folds) in launches {
            let job = parse(&sized(sizes, seeds, samples, folds)).unwrap();
            let mut contract = contract(&job);
            contract.folds = (0..folds).map(fold).collect();
            let configurations = job.grid.configurations();
            let mut trials = job.search_trials(&contract).unwrap().into_vec();
            prop_assert_eq!(trials.len(), configurations.len() * seeds * folds.max(1));
            let members = job.final_trials(&contract, &configurations[0]).unwrap();
            prop_assert_eq!(members.len(), job.seeds.final_members.len() * (1 + folds));
            trials.extend(members);
            prop_assert_eq!(ids(&trials).len(), trials.len(), "one id twice in a launch");
            for trial in trials {
                let settings = job.settings.with(&trial.params).unwrap();
                let judged = contract.split;
                let meant = format!("{} {settings:?} {judged:?} {}", trial.stage, trial.seed);
                let known = trained.entry(trial.id).or_insert_with(|| meant.clone());
                prop_assert_eq!(&*known, &meant, "one id for two settings");
            }
        }
        let meanings: BTreeSet<&String> = trained.values().collect();
        prop_assert_eq!(meanings.len(), trained.len(), "two ids for the same settings");
    }
}
