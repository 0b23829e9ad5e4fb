//! Rungs at which configurations are compared site by site: one is given up if it is worse than the leader, by a one-sided
//! signed-rank test over the sites, each with its mean difference over the configuration's trials. The leader has the best
//! mean, over its trials, of the median over sites.
//!
//! Sites at which a difference is not defined are left out; with fewer than 6 differences that are not zero nothing is given
//! up, except for want of a score.

use efflux_analysis::measures::Measure;
use efflux_analysis::paired::signed_rank;
use efflux_job::Stop;

use super::arrivals::{Arrivals, Arrived};
use super::rule::{Arrival, Decision, Field, StoppingRule};
use super::rungs::{Synchronous, best};

/// Differences below which nothing is said.
const LEAST_PAIRS: usize = 6;
/// Differences count to so many decimals: what two sums of the same values differ by is none.
const DECIMALS: f64 = 1e12;

#[derive(Debug)]
pub(super) struct Paired {
    rungs: Synchronous,
    field: Field,
    alpha: f64,
}

impl Paired {
    pub(super) fn new(stop: Stop, field: Field) -> Self {
        Self {
            rungs: Synchronous::new(field, stop.geometric(field.epochs)),
            field,
            alpha: stop.alpha(),
        }
    }
}

impl StoppingRule for Paired {
    fn rungs(&self) -> &[u32] {
        &self.rungs.epochs
    }

    fn compares_sites(&self) -> bool {
        true
    }

    fn on(&mut self, arrival: &Arrival<'_>) -> Vec<Decision> {
        let Self {
            rungs,
            field,
            alpha,
        } = self;
        rungs.on(arrival, |standing, arrivals| {
            not_worse(*field, *alpha, standing, arrivals)
        })
    }
}

/// The leader, and those that cannot be told from it.
fn not_worse(field: Field, alpha: f64, standing: &[usize], arrivals: &Arrivals) -> Vec<usize> {
    let Some(&leader) = best(field, 1, standing, arrivals).first() else {
        return Vec::new();
    };
    let leading = arrivals.whole(leader).unwrap_or_default();
    let stays = |&one: &usize| {
        if one == leader {
            return true;
        }
        let trials = arrivals.whole(one).unwrap_or_default();
        arrivals.mean(one).is_some() && !is_worse(field.measure, alpha, &leading, &trials)
    };
    standing.iter().copied().filter(stays).collect()
}

/// Whether a configuration is worse than the leader: trial beside trial, site beside site.
fn is_worse(measure: Measure, alpha: f64, leader: &[&Arrived], other: &[&Arrived]) -> bool {
    let sites = leader.first().map_or(0, |one| one.sites.len());
    let difference = |site: usize| {
        let at = |trial: &Arrived| (*trial.sites.get(site)?).map(|value| measure.goodness(value));
        let pairs = leader.iter().zip(other);
        let differences = pairs.map(|(leader, other)| Some(at(leader)? - at(other)?));
        let sum: f64 = differences.sum::<Option<f64>>()?;
        Some((sum / leader.len() as f64 * DECIMALS).round() / DECIMALS)
    };
    let differences: Vec<f64> = (0..sites).filter_map(difference).collect();
    signed_rank(&differences).is_ok_and(|test| test.n >= LEAST_PAIRS && test.p_above < alpha)
}
