//! What a simulation must beat to be worth its cost.

use super::Defined;
use super::metrics::{Pairs, Scores};
use super::statistics::mean;

/// The scores on the test days of a site of its mean flux over the days that were fitted on; NaN is missing.
///
/// NSE is never above 0 here: that is the score of the test part's own mean. KGE and correlation are undefined for a
/// constant.
///
/// # Errors
///
/// [`super::Undefined::TooFew`] without a training value.
pub fn training_mean(training: &[f64], test: &[f64]) -> Defined<Scores> {
    let present: Vec<f64> = training
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let level = mean(&present)?;
    let pairs: Pairs = test.iter().map(|&observed| (observed, level)).collect();
    Ok(pairs.scores())
}

#[cfg(test)]
mod tests {
    use super::super::Undefined;
    use super::*;

    #[test]
    fn the_training_mean_has_an_nse_and_no_kge() {
        let scores = training_mean(&[1.0, f64::NAN, 3.0], &[2.0, 3.0, 4.0]).unwrap();
        assert_eq!(scores.nse, Ok(-1.5));
        assert_eq!(scores.kge, Err(Undefined::ConstantSimulation));
    }

    #[test]
    fn a_site_without_training_days_has_no_training_mean() {
        assert!(training_mean(&[f64::NAN], &[1.0, 2.0]).is_err());
    }
}
