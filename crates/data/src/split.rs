//! Which days of a site's record train, validate and test a model.

use std::ops::Range;

use efflux_job::{Part, Split};

/// The parts of one site's record as ranges of day indices, each from its first observed day to one after its last.
/// Days between two parts have no observation. A part without an observed day is an empty range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteParts {
    /// Days that weights are fitted on.
    pub train: Range<usize>,
    /// Days at the end of the training part that are kept back.
    pub validation: Range<usize>,
    /// Days used for nothing but the final judgement.
    pub test: Range<usize>,
}

impl SiteParts {
    /// Splits a record by its observed days, in order of time.
    ///
    /// Of `n` observed days the first `⌊train · n⌋` are the training part and the last
    /// `⌊validation · ⌊train · n⌋⌋` of those are its validation days; the rest of the record is the test part.
    ///
    /// # Arguments
    ///
    /// * `observed`: shape `[D]`; NaN marks a day without an observation.
    pub fn of(observed: &[f32], split: &Split) -> Self {
        let days: Vec<usize> = (0..observed.len())
            .filter(|&day| !observed[day].is_nan())
            .collect();
        let training = share(split.train, days.len());
        let kept_back = share(split.validation, training);
        Self {
            train: span(&days[..training - kept_back]),
            validation: span(&days[training - kept_back..training]),
            test: span(&days[training..]),
        }
    }

    /// The days of one part.
    pub fn part(&self, part: Part) -> Range<usize> {
        match part {
            Part::Train => self.train.clone(),
            Part::Validation => self.validation.clone(),
            Part::Test => self.test.clone(),
        }
    }
}

/// `⌊fraction · count⌋` for a fraction in `[0, 1]`, taken as a whole number of millionths so that 0.8 of 10 is 8,
/// whatever the nearest double of 0.8 is.
///
/// ```
/// assert_eq!(efflux_data::share(0.8, 10), 8);
/// assert_eq!(efflux_data::share(0.8, 9), 7);
/// ```
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped to 0 ..= 1,000,000 before.
pub fn share(fraction: f64, count: usize) -> usize {
    let millionths = (fraction * 1e6).round().clamp(0.0, 1e6) as u128;
    let part = count as u128 * millionths / 1_000_000;
    part as usize
}

fn span(days: &[usize]) -> Range<usize> {
    match (days.first(), days.last()) {
        (Some(&first), Some(&last)) => first..last + 1,
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: Split = Split {
        train: 0.8,
        validation: 0.1,
    };

    #[test]
    fn a_record_of_one_day_has_nothing_but_a_test_day() {
        let mut observed = [f32::NAN; 9];
        observed[4] = 1.0;
        let parts = SiteParts::of(&observed, &DEFAULT);
        assert_eq!(parts.test, 4..5);
        assert!(parts.train.is_empty() && parts.validation.is_empty());
    }

    #[test]
    fn without_validation_days_the_whole_training_part_is_fitted_on() {
        let split = Split {
            validation: 0.0,
            ..DEFAULT
        };
        let parts = SiteParts::of(&[1.0; 100], &split);
        assert_eq!(parts.train, 0..80);
        assert!(parts.validation.is_empty());
        assert_eq!(parts.test, 80..100);
    }

    #[test]
    fn decimal_shares_are_exact() {
        for count in 0..10_000 {
            assert_eq!(share(0.8, count), 4 * count / 5);
            assert_eq!(share(0.7, count), 7 * count / 10);
            assert_eq!(share(0.1, count), count / 10);
            assert_eq!(share(1.0, count), count);
        }
    }

    proptest! {
        #[test]
        fn every_observed_day_is_in_exactly_one_part(
            present in prop::collection::vec(any::<bool>(), 0..300),
            train in 0.001f64..0.999,
            validation in 0.0f64..0.999,
        ) {
            let observed: Vec<f32> = present.iter().map(|&p| if p { 1.0 } else { f32::NAN }).collect();
            let parts = SiteParts::of(&observed, &Split { train, validation });
            for (day, &present) in present.iter().enumerate() {
                let holders = [&parts.train, &parts.validation, &parts.test]
                    .iter()
                    .filter(|part| part.contains(&day))
                    .count();
                let expected = if present { holders == 1 } else { holders <= 1 };
                prop_assert!(expected, "day {} is in {} parts", day, holders);
            }
            for (earlier, later) in [(&parts.train, &parts.validation), (&parts.validation, &parts.test)] {
                prop_assert!(earlier.is_empty() || later.is_empty() || earlier.end <= later.start);
            }
            let total = present.iter().filter(|&&p| p).count();
            let tested = parts.test.clone().filter(|&day| present[day]).count();
            prop_assert_eq!(tested, total - share(train, total));
        }
    }
}
