//! What more members would bring.

use efflux_analysis::Defined;
use efflux_analysis::metrics::Pairs;
use efflux_analysis::statistics::{mean, median, range};

use super::Day;

/// How many different choices of members are tried of each number.
const CHOICES: usize = 10;

/// Ensembles of one size.
pub(crate) struct Size {
    pub(crate) members: usize,
    /// Mean over the choices of members of the median test NSE over sites.
    pub(crate) nse: Defined,
    /// The lowest and highest of these medians.
    pub(crate) range: Defined<(f64, f64)>,
}

/// Ensembles of 1 to all members. A choice is a stretch of the members as they stand in a circle, so each member is in
/// as many.
pub(super) fn sizes(test: &[Vec<Day>], members: usize) -> Vec<Size> {
    if members < 2 {
        return Vec::new();
    }
    let mut medians: Vec<Vec<f64>> = vec![Vec::new(); members];
    for choice in 0..members.min(CHOICES) {
        let first = choice * members / members.min(CHOICES);
        let mut sums: Vec<Vec<f64>> = test.iter().map(|days| vec![0.0; days.len()]).collect();
        for (size, found) in medians.iter_mut().enumerate() {
            let member = (first + size) % members;
            let mut scores = Vec::new();
            for (days, sums) in test.iter().zip(&mut sums) {
                for (day, sum) in days.iter().zip(sums.iter_mut()) {
                    *sum += day.members[member];
                }
                let pairs = days.iter().zip(sums.iter());
                let pairs: Pairs = pairs
                    .map(|(day, sum)| (day.observed, sum / (size + 1) as f64))
                    .collect();
                scores.extend(pairs.nse());
            }
            // All members together are one choice.
            if size + 1 < members || choice == 0 {
                found.extend(median(&scores));
            }
        }
    }
    medians
        .iter()
        .zip(1..)
        .map(|(medians, members)| Size {
            members,
            nse: mean(medians),
            range: range(medians),
        })
        .collect()
}
