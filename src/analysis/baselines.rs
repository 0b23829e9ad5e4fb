//! What a simulation must beat to be worth its cost.

use super::metrics::{Pairs, Scores};
use super::statistics::mean;

/// The scores on the test days of a site of its mean flux over the days that were fitted on; NaN is missing.
///
/// NSE is never above 0 here: that is the score of the test part's own mean. KGE and correlation are undefined for a
/// constant. Without a training value no test day can be predicted, and no score is defined.
pub fn training_mean(training: &[f64], test: &[f64]) -> Scores {
    let present: Vec<f64> = training
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let level = mean(&present).unwrap_or(f64::NAN);
    let pairs: Pairs = test.iter().map(|&observed| (observed, level)).collect();
    pairs.scores()
}

#[cfg(test)]
mod tests {
    use super::super::Undefined;
    use super::*;

    #[test]
    fn the_training_mean_has_an_nse_and_no_kge() {
        let scores = training_mean(&[1.0, f64::NAN, 3.0], &[2.0, 3.0, 4.0]);
        assert_eq!(scores.nse, Ok(-1.5));
        assert_eq!(scores.kge, Err(Undefined::ConstantSimulation));
    }

    #[test]
    fn a_site_without_training_days_is_compared_with_nothing() {
        let scores = training_mean(&[f64::NAN], &[1.0, 2.0]);
        assert_eq!((scores.n, scores.nse.is_err()), (0, true));
    }
}
