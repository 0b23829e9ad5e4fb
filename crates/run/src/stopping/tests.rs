//! Any order of results: the same decisions, and no configuration lost.

use std::collections::HashMap;

use efflux_analysis::measures::{NSE, RMSE};
use efflux_job::{Policy, Stop};
use proptest::prelude::*;

use super::*;

fn stop(policy: Policy) -> Stop {
    Stop {
        policy,
        least: Some(2),
        eta: (policy != Policy::Top).then_some(3),
        keep: (policy == Policy::Top).then_some(2),
        ..Stop::default()
    }
}

const EPOCHS: u32 = 30;

/// A score for every configuration, trial and rung; none: the trial failed.
type Scores = Vec<Vec<Vec<Option<f64>>>>;

fn field(scores: &Scores) -> Field {
    Field {
        configurations: scores.len(),
        replications: scores[0].len(),
        epochs: EPOCHS,
        measure: NSE,
    }
}

/// Eight sites whose median this is.
fn sites(score: Option<f64>) -> Vec<Option<f64>> {
    let at = |site: i32| score.map(|score| score + f64::from(site - 4) / 64.0);
    (0..9).map(at).collect()
}

/// Has trials train as the rule lets them; `pick` says which of those that can is next to arrive.
fn played(
    policy: Policy,
    scores: &Scores,
    mut pick: impl FnMut(usize) -> usize,
) -> HashMap<usize, Verdict> {
    let mut rule = rule(stop(policy), field(scores)).unwrap();
    let rungs = rule.rungs().len();
    let mut verdicts: HashMap<usize, Verdict> = HashMap::new();
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    for (configuration, of) in scores.iter().enumerate() {
        open.extend((0..of.len()).map(|replication| (configuration, replication, 0)));
    }
    while !open.is_empty() {
        let (configuration, replication, rung) = open.swap_remove(pick(open.len()));
        let decisions = rule.on(&Arrival {
            configuration,
            replication,
            rung,
            score: scores[configuration][replication][rung],
            sites: &sites(scores[configuration][replication][rung]),
        });
        for decision in decisions {
            let before = verdicts.insert(decision.configuration, decision.verdict);
            assert!(
                !matches!(before, Some(Verdict::Stop(_))),
                "a stopped configuration is decided on once"
            );
            if let Verdict::GoOn(rung) = decision.verdict
                && rung < rungs
            {
                let all = 0..scores[decision.configuration].len();
                open.extend(all.map(|replication| (decision.configuration, replication, rung)));
            }
        }
    }
    verdicts
}

fn scores() -> impl Strategy<Value = Scores> {
    // Few values: ties.
    let score =
        prop_oneof![9 => (-4_i32..5).prop_map(|n| Some(f64::from(n) / 4.0)), 1 => Just(None)];
    (1_usize..20, 1_usize..4).prop_flat_map(move |(configurations, seeds)| {
        let rungs = prop::collection::vec(score.clone(), 3);
        let replications = prop::collection::vec(rungs, seeds);
        prop::collection::vec(replications, configurations)
    })
}

proptest! {
    #[test]
    fn the_order_of_results_decides_nothing_and_every_configuration_has_a_verdict(
        scores in scores(),
        policy in prop_oneof![Just(Policy::Top), Just(Policy::Halving), Just(Policy::Paired)],
        picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let in_order = played(policy, &scores, |_| 0);
        let mut picks = picks.iter().cycle();
        let shuffled = played(policy, &scores, |open| picks.next().unwrap().index(open));
        prop_assert_eq!(&in_order, &shuffled);
        prop_assert_eq!(in_order.len(), scores.len(), "no configuration is lost");
        let rungs = rule(stop(policy), field(&scores)).unwrap().rungs().len();
        let winners = in_order.iter().filter(|(_, verdict)| **verdict == Verdict::GoOn(rungs));
        let whole = |of: &Vec<Vec<Option<f64>>>| of.iter().all(|one| one.iter().all(Option::is_some));
        if scores.iter().all(whole) {
            prop_assert!(winners.count() >= 1, "somebody is trained to the end");
        } else {
            for (configuration, _) in winners {
                let of = &scores[*configuration];
                prop_assert!(of.iter().all(|one| one[..rungs].iter().all(Option::is_some)));
            }
        }
    }
}

#[test]
fn the_best_by_the_mean_over_their_seeds_go_on_and_of_equals_the_first() {
    let at_first = |values: &[[f64; 2]]| {
        let of = |values: &[f64; 2]| values.iter().map(|&value| vec![Some(value); 3]).collect();
        values.iter().map(of).collect::<Scores>()
    };
    // The luckiest seed is that of a configuration with the lowest mean.
    let scores = at_first(&[[0.5, 0.25], [0.375, 0.375], [0.25, 0.5], [0.75, -0.5]]);
    let verdicts = played(Policy::Top, &scores, |_| 0);
    let on: Vec<usize> = (0..4)
        .filter(|one| verdicts[one] == Verdict::GoOn(1))
        .collect();
    assert_eq!(on, [0, 1]);
    assert_eq!(verdicts[&3], Verdict::Stop(0));
}

#[test]
fn of_errors_the_lowest_goes_on() {
    let field = Field {
        configurations: 3,
        replications: 1,
        epochs: EPOCHS,
        measure: RMSE,
    };
    let mut rule = rule(stop(Policy::Halving), field).unwrap();
    let mut decisions = Vec::new();
    for (configuration, error) in [2.0, 0.5, 1.0].into_iter().enumerate() {
        decisions = rule.on(&Arrival {
            configuration,
            replication: 0,
            rung: 0,
            score: Some(error),
            sites: &[],
        });
    }
    assert_eq!(decisions[1].verdict, Verdict::GoOn(1));
    assert_eq!(decisions[0].verdict, Verdict::Stop(0));
}

/// Slots that train one configuration each, and a reading of Li et al.'s algorithm 2 word by word: what both give out.
fn asked(scores: &[Vec<Option<f64>>], eta: usize, picks: &[prop::sample::Index]) -> Vec<Decision> {
    let field = Field {
        configurations: scores.len(),
        replications: 1,
        epochs: 27,
        measure: NSE,
    };
    let stop = Stop {
        policy: Policy::Asha,
        least: Some(1),
        eta: u32::try_from(eta).ok(),
        ..Stop::default()
    };
    let mut rule = rule(stop, field).unwrap();
    let rungs = rule.rungs().len();
    let mut arrived: Vec<Vec<(usize, Option<f64>)>> = vec![Vec::new(); rungs];
    let mut promoted: Vec<Vec<usize>> = vec![Vec::new(); rungs];
    let (mut next, mut running, mut given) = (0, Vec::new(), Vec::new());
    let mut picks = picks.iter().cycle();
    loop {
        let expected = (0..rungs)
            .rev()
            .find_map(|rung| {
                let mut best: Vec<(f64, usize)> = Vec::new();
                best.extend(
                    arrived[rung]
                        .iter()
                        .filter_map(|&(one, score)| Some((score?, one))),
                );
                best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                best.truncate(arrived[rung].len() / eta);
                let mut open = best.iter().filter(|(_, one)| !promoted[rung].contains(one));
                open.next().map(|&(_, one)| (one, rung + 1))
            })
            .or((next < scores.len()).then_some((next, 0)));
        let proposed = rule.propose();
        let decision = expected.map(|(configuration, rung)| Decision {
            configuration,
            verdict: Verdict::GoOn(rung),
        });
        assert_eq!(proposed, decision);
        // Three slots; results come in any order.
        if let Some((configuration, rung)) = expected
            && running.len() < 3
        {
            rule.accept(decision.unwrap());
            match rung.checked_sub(1) {
                Some(before) => promoted[before].push(configuration),
                None => next += 1,
            }
            running.push((configuration, rung));
            given.extend(decision);
            continue;
        }
        if running.is_empty() {
            return given;
        }
        let (configuration, rung) = running.swap_remove(picks.next().unwrap().index(running.len()));
        let score = scores[configuration][rung];
        rule.on(&Arrival {
            configuration,
            replication: 0,
            rung,
            score,
            sites: &[],
        });
        if let Some(arrived) = arrived.get_mut(rung) {
            arrived.push((configuration, score));
        }
    }
}

proptest! {
    #[test]
    fn asha_gives_out_what_the_algorithm_says_and_every_configuration_begins_once(
        scores in scores().prop_map(|scores| scores.into_iter().map(|mut of| {
            let mut of = of.swap_remove(0);
            of.resize(6, Some(0.5));
            of
        }).collect::<Vec<_>>()),
        eta in 2_usize..5,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let given = asked(&scores, eta, &picks);
        let begun = given.iter().filter(|one| one.verdict == Verdict::GoOn(0));
        let begun: Vec<usize> = begun.map(|one| one.configuration).collect();
        prop_assert!(begun.into_iter().eq(0..scores.len()));
    }
}
