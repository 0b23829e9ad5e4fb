//! Stopping rules against golden decisions.

use efflux_analysis::measures::NSE;
use efflux_job::{Policy, Stop};
use efflux_run::stopping::{Arrival, Field, Verdict, rule};
use efflux_testing::golden;
use serde_json::Value;

fn whole(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn wholes(values: &Value) -> Vec<usize> {
    values.as_array().unwrap().iter().map(whole).collect()
}

#[test]
fn halving_has_the_same_configurations_go_on() {
    let Some(golden) = golden("search_rules.json") else {
        return;
    };
    let cases = golden["halving"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let number = |value: &Value| u32::try_from(whole(value)).unwrap();
        let rungs = wholes(&case["rungs"]);
        let stop = Stop {
            policy: Policy::Halving,
            least: Some(number(&case["rungs"][0])),
            eta: Some(number(&case["eta"])),
            keep: None,
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
