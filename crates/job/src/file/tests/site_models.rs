//! Models that know their sites, and means of unlike members.

use super::*;

#[test]
fn keys_of_a_head_with_weights_of_each_site_are_axes_and_leave_no_trace_in_ids_unless_set() {
    let with = |text: &str| parse(&format!("pack = \"a.h5\"\n{text}")).unwrap();
    let contract = |job: &Job| job.contract("d", variables(), 1000).unwrap();
    let ids = |text: &str| {
        let job = with(text);
        let trials = job.search_trials(&contract(&job)).unwrap();
        let trials = trials.iter();
        trials.map(|trial| trial.id.clone()).collect::<Vec<_>>()
    };
    let paper = ids("");
    assert_eq!(
        ids("[model]\nhead = \"shared\"\nsite_penalty = 1.0\nsite_prior = \"zero\""),
        paper
    );
    assert_eq!(ids("[training]\nwarm_up_updates = 20"), paper);
    assert_eq!(ids("[model]\nembedding = 0"), paper);
    let embeddings = ids("[grid]\nembedding = [0, 8]");
    assert_eq!(embeddings[0], paper[0]);
    assert_eq!(embeddings[1], ids("[model]\nembedding = 8")[0]);
    assert_ne!(embeddings[1], paper[0]);
    assert_eq!(ids("[ensemble]\nmembers = [\"lstm\", \"gp\"]"), paper);
    let site = "[model]\nhead = \"site\"\nskip = true\n";
    let grid = format!(
        "{site}[grid]\nsite_penalty = [1.0, 10.0]\nstate_dropout = [0.0, 0.1]\nsite_prior = [\"zero\", \"attributes\"]"
    );
    let axes = ids(&grid);
    assert_eq!(axes.len(), 8);
    assert_eq!(axes[0], ids(site)[0]);
    assert!(!axes.contains(&paper[0]));
    let derived = |text: &str| ids(&format!("[inputs]\ndynamic = [\"t\"]\n{text}"));
    assert_ne!(derived("derived = [\"mean(t, 7)\"]"), derived(""));
}

#[test]
fn what_a_site_model_cannot_be_is_refused_with_what_could() {
    let cases = [
        (
            "[model]\nskip = true",
            "`model.skip` has true, expected false unless `head` is \"site\"",
        ),
        (
            "[model]\nsite_prior = \"attributes\"",
            "`model.site_prior` has \"attributes\", expected \"zero\" unless `head` is \"site\"",
        ),
        (
            "[model]\nstate_dropout = 0.1",
            "expected 0 unless `head` is \"site\"",
        ),
        (
            "[model]\nembedding = 5000",
            "`model.embedding` has 5000, expected 0 to 4096",
        ),
        (
            "[model]\nsite_penalty = -1.0",
            "`model.site_penalty` has -1, expected 0 or more",
        ),
        (
            "[training]\nbatch_windows = 9",
            "unless `sampler` is \"root\"",
        ),
        (
            "[inputs]\nderived = [\"mean(t)\"]",
            "expected 2 arguments of `mean`",
        ),
        (
            "[ensemble]\nmembers = [\"gp\"]",
            "expected `lstm` among them",
        ),
        (
            "[ensemble]\nweights = [1.0, 2.0]",
            "a number above 0 for each",
        ),
        (
            "[ensemble]\nweights = \"fited\"",
            "unknown variant `fited`, expected one of `recommended`, `equal`, `fitted`",
        ),
        (
            "[ensemble]\nweights = 4.0",
            "expected a list of numbers, `\"recommended\"` or `\"equal\"` or `\"fitted\"`",
        ),
        (
            "[ensemble]\nweights = \"fitted\"",
            "no such rule unless `members` has several kinds",
        ),
        (
            "[ensemble]\ninflation = 1.1",
            "`ensemble.inflation` has 1.1, expected 1 unless `members` has several kinds",
        ),
        (
            "[ensemble]\ninflation = 3.0\nmembers = [\"lstm\", \"gp\"]",
            "expected above 0 and at most 2",
        ),
        (
            "[ensemble]\nweights = \"fitted\"\nmembers = [\"lstm\", \"gp\"]\n[split]\nkind = \"both\"",
            "networks of the search do not know the sites",
        ),
        (
            "[ensemble]\nweights = \"fitted\"\nmembers = [\"lstm\", \"gp\"]\n[split]\nvalidation = 0.0\n[selection]\non = \"test\"",
            "without a validation part",
        ),
    ];
    for (text, expected) in cases {
        let message = refusal(&format!("pack = \"a.h5\"\n{text}\n"));
        assert!(message.starts_with("jobs/x.toml: line 3: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn weights_are_a_rule_or_a_list_and_leave_ids_alone() {
    let of = |text: &str| {
        let text =
            format!("pack = \"a.h5\"\n[ensemble]\nmembers = [\"site-fit\", \"lstm\"]\n{text}");
        let job = parse(&text).unwrap();
        let contract = job.contract("d", variables(), 1000).unwrap();
        let search = job.search_trials(&contract).unwrap();
        let forecasts = job.forecast_trials(&contract, &search[0].params).unwrap();
        let ids: Vec<_> = forecasts.iter().map(|trial| trial.id.clone()).collect();
        let weights = job.ensemble.weights();
        (
            weights.map(|of| of.iter().map(|(_, weight)| *weight).collect::<Vec<_>>()),
            ids,
        )
    };
    let (left_out, ids) = of("");
    assert_eq!(left_out, Some(vec![1.0, 4.0]));
    assert!(!ids.is_empty());
    for (text, expected) in [
        ("weights = \"recommended\"", Some(vec![1.0, 4.0])),
        ("weights = \"equal\"\ninflation = 1.1", Some(vec![1.0, 1.0])),
        ("weights = \"fitted\"", None),
        ("weights = [2.0, 3.0]", Some(vec![2.0, 3.0])),
    ] {
        assert_eq!(of(text), (expected, ids.clone()), "{text}");
    }
}

#[test]
fn the_job_of_the_real_sites_can_be_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../jobs/cosore-daily.toml");
    let job = Job::read(&path).unwrap();
    assert_eq!(job.settings.inputs.derived.len(), 12);
    assert!(job.ensemble.is_mixed() && job.keeps_forecasts());
    assert!(job.settings.split.forecasts_as_far_as_the_test());
}
