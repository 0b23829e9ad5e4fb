//! How gaps of a predictor are filled.

use efflux_data::{HELD, INTERPOLATED, OBSERVED};

/// Fills the missing (NaN) values of a daily series: linear in time between the nearest observed neighbours, however
/// far apart; before the first and after the last observed value that value is held. A series without any value
/// stays as it is.
///
/// Returns one flag a day: [`OBSERVED`], [`INTERPOLATED`] or [`HELD`].
///
/// ```
/// use efflux_data::{HELD, INTERPOLATED, OBSERVED};
/// use efflux_ingest::fill_gaps;
///
/// let mut series = [f64::NAN, 2.0, f64::NAN, 8.0];
/// let flags = fill_gaps(&mut series);
/// assert_eq!(series, [2.0, 2.0, 5.0, 8.0]);
/// assert_eq!(flags, [HELD, OBSERVED, INTERPOLATED, OBSERVED]);
/// ```
pub fn fill_gaps(series: &mut [f64]) -> Vec<u8> {
    let mut flags = vec![OBSERVED; series.len()];
    let mut previous: Option<usize> = None;
    for day in 0..series.len() {
        if series[day].is_nan() {
            continue;
        }
        match previous {
            None => hold(series, &mut flags, 0..day, day),
            Some(left) => {
                let step = (series[day] - series[left]) / (day - left) as f64;
                for gap in left + 1..day {
                    series[gap] = series[left] + step * (gap - left) as f64;
                    flags[gap] = INTERPOLATED;
                }
            }
        }
        previous = Some(day);
    }
    if let Some(last) = previous {
        let end = series.len();
        hold(series, &mut flags, last + 1..end, last);
    }
    flags
}

fn hold(series: &mut [f64], flags: &mut [u8], days: std::ops::Range<usize>, source: usize) {
    let value = series[source];
    series[days.clone()].fill(value);
    flags[days].fill(HELD);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn filling_keeps_what_was_observed_and_leaves_no_gap(
            series in prop::collection::vec(prop::option::of(-1e3f64..1e3), 0..100),
        ) {
            let mut filled: Vec<f64> = series.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            let flags = fill_gaps(&mut filled);
            let known: Vec<f64> = series.iter().copied().flatten().collect();
            for (day, value) in series.iter().enumerate() {
                if let Some(value) = value {
                    prop_assert_eq!(filled[day], *value);
                    prop_assert_eq!(flags[day], OBSERVED);
                } else if known.is_empty() {
                    prop_assert!(filled[day].is_nan());
                } else {
                    let low = known.iter().copied().fold(f64::INFINITY, f64::min) - 1e-9;
                    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 1e-9;
                    prop_assert!((low..=high).contains(&filled[day]));
                    prop_assert_ne!(flags[day], OBSERVED);
                }
            }
        }
    }
}
