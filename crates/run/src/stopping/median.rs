//! Stopping below the median: after a rung a configuration is given up if its best score so far is worse than the median of
//! what the running means of those that were trained to the end before were there. Its score is the mean over its trials, and
//! it arrives with the last of them.
//!
//! Nothing is given up before so many epochs, nor while too few were trained to the end. What it decides depends on when
//! trials arrive.
//!
//! # Source
//!
//! Golovin et al. (2017), *Google Vizier*, section 3.2, doi:10.1145/3097983.3098043.

use efflux_analysis::statistics::median;
use efflux_job::Stop;

use super::arrivals::Arrivals;
use super::rule::{Arrival, Decision, Field, StoppingRule, Verdict};

#[derive(Debug)]
pub(super) struct Median {
    field: Field,
    epochs: Vec<u32>,
    /// At every rung and, last, at the end of training.
    arrivals: Vec<Arrivals>,
    /// The first rung after which something may be given up.
    first: usize,
    /// So many have to be trained to the end before.
    least_finished: usize,
    /// The running means of those that were trained to the end, rung by rung.
    finished: Vec<Vec<f64>>,
}

impl Median {
    pub(super) fn new(stop: Stop, field: Field) -> Self {
        let epochs = stop.arithmetic(field.epochs);
        let grace = stop.least();
        Self {
            arrivals: vec![Arrivals::new(field.replications); epochs.len() + 1],
            first: epochs.partition_point(|&rung| rung < grace),
            epochs,
            least_finished: stop.finished() as usize,
            finished: Vec::new(),
            field,
        }
    }

    /// How good a configuration was at each rung before this one, as far as that is defined.
    fn goodness(&self, configuration: usize, rungs: usize) -> Vec<f64> {
        let means = self.arrivals[..rungs].iter();
        let means = means.filter_map(|rung| rung.mean(configuration));
        means
            .map(|mean| self.field.measure.goodness(mean))
            .collect()
    }

    /// Whether a configuration that has arrived at a rung is to be given up there.
    fn is_below(&self, configuration: usize, rung: usize) -> bool {
        if rung < self.first || self.finished.len() < self.least_finished {
            return false;
        }
        let best = self
            .goodness(configuration, rung + 1)
            .into_iter()
            .max_by(f64::total_cmp);
        let there = self.finished.iter().filter_map(|means| means.get(rung));
        let there: Vec<f64> = there.copied().collect();
        median(&there).is_ok_and(|median| best.is_none_or(|best| best < median))
    }
}

/// The means of the first value, the first two, …
fn running_means(values: &[f64]) -> Vec<f64> {
    let sums = values.iter().scan(0.0, |sum, value| {
        *sum += value;
        Some(*sum)
    });
    sums.zip(1_u32..)
        .map(|(sum, count)| sum / f64::from(count))
        .collect()
}

impl StoppingRule for Median {
    fn rungs(&self) -> &[u32] {
        &self.epochs
    }

    fn depends_on_time(&self) -> bool {
        true
    }

    fn on(&mut self, arrival: &Arrival<'_>) -> Vec<Decision> {
        let Arrival {
            configuration,
            rung,
            ..
        } = *arrival;
        let Some(arrivals) = self.arrivals.get_mut(rung) else {
            return Vec::new();
        };
        if !arrivals.add(arrival) || arrivals.count(configuration) < self.field.replications {
            return Vec::new();
        }
        let has_failed = arrivals.mean(configuration).is_none();
        if rung == self.epochs.len() {
            let values = self.goodness(configuration, rung);
            self.finished.push(running_means(&values));
            return Vec::new();
        }
        let verdict = if has_failed || self.is_below(configuration, rung) {
            Verdict::Stop(rung)
        } else {
            Verdict::GoOn(rung + 1)
        };
        vec![Decision {
            configuration,
            verdict,
        }]
    }
}
