//! Stopping rules against golden decisions.

use efflux_analysis::measures::NSE;
use efflux_analysis::statistics::median;
use efflux_job::{Policy, Stop};
use efflux_run::stopping::{Arrival, Decision, Field, Verdict, rule};
use efflux_testing::golden;
use serde_json::Value;

fn whole(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn wholes(values: &Value) -> Vec<usize> {
    values.as_array().unwrap().iter().map(whole).collect()
}

fn number(value: &Value) -> u32 {
    whole(value).try_into().unwrap()
}

/// One configuration at a rung with a single trial.
fn alone(configuration: usize, rung: usize, score: &Value) -> Arrival<'static> {
    Arrival {
        configuration,
        replication: 0,
        rung,
        score: score.as_f64(),
        sites: &[],
    }
}

#[test]
fn asha_gives_the_same_answers_whenever_it_is_asked() {
    let Some(golden) = golden("search_rules.json") else {
        return;
    };
    let cases = golden["asha"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let rungs = wholes(&case["rungs"]);
        let stop = Stop {
            policy: Policy::Asha,
            least: Some(number(&case["rungs"][0])),
            eta: Some(number(&case["eta"])),
            ..Stop::default()
        };
        let field = Field {
            configurations: whole(&case["trials"]),
            replications: 1,
            epochs: u32::try_from(rungs[rungs.len() - 1]).unwrap(),
            measure: NSE,
        };
        let mut rule = rule(stop, field).unwrap();
        let mut trained = Vec::new();
        for (place, event) in case["events"].as_array().unwrap().iter().enumerate() {
            if let Some(result) = event.get("result") {
                let (trial, rung) = (whole(&result["trial"]), whole(&result["rung"]));
                rule.on(&alone(trial, rung, &result["value"]));
                if rung + 1 == rungs.len() {
                    trained.push(trial);
                }
                continue;
            }
            let proposed = rule.propose();
            let expected = event["ask"].as_object().map(|ask| Decision {
                configuration: whole(&ask["trial"]),
                verdict: Verdict::GoOn(whole(&ask["rung"])),
            });
            assert_eq!(proposed, expected, "event {place}");
            if let Some(proposed) = proposed {
                rule.accept(proposed);
            }
        }
        trained.sort_unstable();
        let mut expected = wholes(&case["reached_last_rung"]);
        expected.sort_unstable();
        assert_eq!(trained, expected);
    }
}

#[test]
fn below_the_median_the_same_configurations_are_stopped_after_the_same_steps() {
    let Some(golden) = golden("search_rules.json") else {
        return;
    };
    let cases = golden["median"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let steps = whole(&case["steps"]);
        let stop = Stop {
            policy: Policy::Median,
            least: Some(number(&case["grace"])),
            every: Some(1),
            finished: Some(number(&case["least_trials"])),
            ..Stop::default()
        };
        let trials = case["trials"].as_array().unwrap();
        let field = Field {
            configurations: trials.len(),
            replications: 1,
            epochs: number(&case["steps"]),
            measure: NSE,
        };
        let mut rule = rule(stop, field).unwrap();
        for trial in trials {
            let number = whole(&trial["trial"]);
            let mut stopped = None;
            for (rung, value) in trial["values"].as_array().unwrap().iter().enumerate() {
                assert_eq!(stopped, None, "trial {number}");
                let decisions = rule.on(&alone(number, rung, value));
                if decisions
                    .iter()
                    .any(|one| one.verdict == Verdict::Stop(rung))
                {
                    stopped = Some(rung + 1);
                }
            }
            let expected = &trial["stopped_after"];
            let expected = (!expected.is_null()).then(|| whole(expected));
            // The last step is the end of training.
            let expected = expected.filter(|&after| after < steps);
            assert_eq!(stopped, expected, "trial {number}");
        }
    }
}

#[test]
fn site_by_site_the_same_configurations_are_given_up() {
    let Some(golden) = golden("search_rules.json") else {
        return;
    };
    let cases = golden["paired"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let stop = Stop {
            policy: Policy::Paired,
            least: Some(1),
            eta: Some(2),
            alpha: case["alpha"].as_f64(),
            ..Stop::default()
        };
        let configurations = case["scores"].as_array().unwrap();
        let field = Field {
            configurations: configurations.len(),
            replications: configurations[0].as_array().unwrap().len(),
            epochs: 2,
            measure: NSE,
        };
        let mut rule = rule(stop, field).unwrap();
        let mut decisions = Vec::new();
        for (configuration, trials) in configurations.iter().enumerate() {
            for (replication, sites) in trials.as_array().unwrap().iter().enumerate() {
                let sites = sites.as_array().unwrap().iter().map(Value::as_f64);
                let sites: Vec<Option<f64>> = sites.collect();
                let defined: Vec<f64> = sites.iter().copied().flatten().collect();
                decisions = rule.on(&Arrival {
                    configuration,
                    replication,
                    rung: 0,
                    score: median(&defined).ok(),
                    sites: &sites,
                });
            }
        }
        for (decision, expected) in decisions.iter().zip(case["decisions"].as_array().unwrap()) {
            assert_eq!(decision.configuration, whole(&expected["configuration"]));
            let given_up = decision.verdict == Verdict::Stop(0);
            assert_eq!(
                given_up,
                expected["given_up"].as_bool().unwrap(),
                "{expected}"
            );
        }
        assert_eq!(decisions.len(), configurations.len());
    }
}

#[test]
fn halving_has_the_same_configurations_go_on() {
    let Some(golden) = golden("search_rules.json") else {
        return;
    };
    let cases = golden["halving"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let rungs = wholes(&case["rungs"]);
        let stop = Stop {
            policy: Policy::Halving,
            least: Some(number(&case["rungs"][0])),
            eta: Some(number(&case["eta"])),
            ..Stop::default()
        };
        let field = Field {
            configurations: whole(&case["configurations"]),
            replications: whole(&case["replications"]),
            epochs: u32::try_from(rungs[rungs.len() - 1]).unwrap(),
            measure: NSE,
        };
        let mut rule = rule(stop, field).unwrap();
        let judged: Vec<usize> = rule.rungs().iter().map(|&rung| rung as usize).collect();
        assert_eq!(
            judged,
            rungs[..rungs.len() - 1],
            "the last rung is the whole training"
        );
        let mut standing: Vec<usize> = (0..field.configurations).collect();
        for (rung, stage) in case["stages"].as_array().unwrap().iter().enumerate() {
            assert_eq!(whole(&stage["budget"]), rungs[rung]);
            let mut decisions = Vec::new();
            let values = stage["values"].as_array().unwrap();
            let judged = values.iter().map(|of| whole(&of[0]));
            assert!(judged.eq(standing.iter().copied()), "rung {rung}");
            // Backwards: the order is of no consequence.
            for of in values.iter().rev() {
                for (replication, value) in of[1].as_array().unwrap().iter().enumerate() {
                    assert!(decisions.is_empty(), "decided before all had arrived");
                    decisions = rule.on(&Arrival {
                        configuration: whole(&of[0]),
                        replication,
                        rung,
                        score: value.as_f64(),
                        sites: &[],
                    });
                }
            }
            let goes_on = decisions
                .iter()
                .filter(|decision| decision.verdict == Verdict::GoOn(rung + 1));
            let on: Vec<usize> = goes_on.map(|decision| decision.configuration).collect();
            assert_eq!(on, wholes(&stage["go_on"]), "rung {rung}");
            if rung + 1 < rungs.len() {
                standing = on;
            }
        }
        assert!(
            standing.contains(&whole(&case["winner"])),
            "the winner is trained to the end"
        );
    }
}
