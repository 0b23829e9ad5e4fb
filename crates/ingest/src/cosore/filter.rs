//! The percentile filter and the daily means.

use std::collections::BTreeMap;

use efflux_data::{Limits, share};

use super::dataset::{DataSet, Measurement};
use super::options::Filter;

/// The percentiles between which a measurement is plausible.
const PERCENTILES: [f64; 2] = [0.01, 0.99];
/// Share of a site's observed days that [`Filter::Training`] looks at: the training part of jobs, unless they say else.
const TRAINING: f64 = 0.8;

/// Daily means of one site.
#[derive(Clone, Debug, PartialEq)]
pub struct DailyMeans {
    /// Shape `[D]`, µmol m⁻² s⁻¹; NaN on a day without a value.
    pub flux: Vec<f64>,
    /// Measurements in the mean, shape `[D]`.
    pub count: Vec<u32>,
}

impl DailyMeans {
    /// The arithmetic mean of each of `days` days; one measurement suffices.
    pub(super) fn of<'a>(days: usize, kept: impl Iterator<Item = &'a Measurement>) -> Self {
        let mut daily = Self {
            flux: vec![0.0; days],
            count: vec![0; days],
        };
        for measurement in kept {
            daily.flux[measurement.day] += measurement.flux;
            daily.count[measurement.day] += 1;
        }
        for (flux, count) in daily.flux.iter_mut().zip(&daily.count) {
            // Nothing by nothing is NaN.
            *flux /= f64::from(*count);
        }
        daily
    }

    /// Days with a value.
    pub fn observed(&self) -> usize {
        self.count.iter().filter(|count| **count > 0).count()
    }
}

/// The filter of one site: the limits of its class, and the first day that they do not apply to.
#[derive(Clone, Copy, Debug)]
pub(super) struct SiteFilter {
    pub(super) low: f64,
    pub(super) high: f64,
    end: usize,
}

impl SiteFilter {
    /// Lets everything pass.
    const OPEN: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
        end: 0,
    };

    pub(super) fn is_below(&self, measurement: &Measurement) -> bool {
        measurement.day < self.end && measurement.flux < self.low
    }

    pub(super) fn is_above(&self, measurement: &Measurement) -> bool {
        measurement.day < self.end && measurement.flux > self.high
    }
}

/// The filter of each site, and the limits of each class. `unfiltered` are the sites' daily means without it.
///
/// With [`Filter::Training`] the end of a site's training days is found before anything is dropped. Days that are then
/// emptied move a job's own split later in time, never earlier: no day of its test part has a say in the limits.
pub(super) fn filters(
    filter: Filter,
    sites: &[DataSet],
    unfiltered: &[DailyMeans],
) -> (Vec<SiteFilter>, Vec<Limits>) {
    let ends: Vec<usize> = unfiltered
        .iter()
        .map(|daily| match filter {
            Filter::All => daily.flux.len(),
            Filter::Training => training_end(daily),
            Filter::None => 0,
        })
        .collect();
    let mut pools: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (of, &end) in sites.iter().zip(&ends) {
        let counted = of.measurements.iter().filter(|one| one.day < end);
        pools
            .entry(&of.site.igbp)
            .or_default()
            .extend(counted.map(|one| one.flux));
    }
    let limits: BTreeMap<&str, Limits> = pools
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(igbp, mut values)| {
            let [low, high] = PERCENTILES.map(|p| percentile(&mut values, p));
            let limits = Limits {
                igbp: igbp.to_owned(),
                values: values.len() as u64,
                low,
                high,
            };
            (igbp, limits)
        })
        .collect();
    let filters = sites
        .iter()
        .zip(ends)
        .map(|(of, end)| match limits.get(of.site.igbp.as_str()) {
            Some(&Limits { low, high, .. }) => SiteFilter { low, high, end },
            None => SiteFilter::OPEN,
        })
        .collect();
    (filters, limits.into_values().collect())
}

/// One after the last of a site's training days.
fn training_end(daily: &DailyMeans) -> usize {
    let training = share(TRAINING, daily.observed());
    let days = daily.count.iter().enumerate().filter(|(_, n)| **n > 0);
    days.take(training).last().map_or(0, |(day, _)| day + 1)
}

/// The quantile `p` of some values (at least one), interpolated linearly between the two nearest: exactly their value
/// where they are equal.
///
/// # Source
///
/// Hyndman and Fan (1996), *Sample Quantiles in Statistical Packages*, The American Statistician 50, 361–365,
/// definition 7.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Between 0 and the number of values.
fn percentile(values: &mut [f64], p: f64) -> f64 {
    let place = (values.len() - 1) as f64 * p;
    let below = place.floor();
    let (_, &mut a, rest) = values.select_nth_unstable_by(below as usize, f64::total_cmp);
    let b = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(a);
    a + (b - a) * (place - below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_neighbours_are_their_own_percentile() {
        assert_eq!(percentile(&mut [0.02; 300], 0.01), 0.02);
        assert_eq!(percentile(&mut [7.0], 0.99), 7.0);
        assert_eq!(percentile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
    }

    #[test]
    fn training_days_are_counted_where_there_are_values() {
        let measured = |day| Measurement { day, flux: 1.0 };
        let days = [1, 3, 4, 8, 9].map(measured);
        assert_eq!(training_end(&DailyMeans::of(12, days.iter())), 9);
        assert_eq!(training_end(&DailyMeans::of(12, days[..1].iter())), 0);
    }

    proptest! {
        #[test]
        fn percentiles_lie_among_the_values_and_in_order(
            mut values in prop::collection::vec(-1e9f64..1e9, 1..200),
        ) {
            let low = percentile(&mut values, 0.01);
            let high = percentile(&mut values, 0.99);
            values.sort_by(f64::total_cmp);
            prop_assert!(values[0] <= low && low <= high && high <= values[values.len() - 1]);
        }

        #[test]
        fn a_daily_mean_lies_among_its_measurements(
            fluxes in prop::collection::vec((0usize..5, -100f64..100.0), 0..50),
        ) {
            let measurements: Vec<Measurement> =
                fluxes.iter().map(|&(day, flux)| Measurement { day, flux }).collect();
            let daily = DailyMeans::of(5, measurements.iter());
            for day in 0..5 {
                let of = || fluxes.iter().filter(|(d, _)| *d == day).map(|(_, flux)| *flux);
                prop_assert_eq!(daily.count[day] as usize, of().count());
                let (low, high) = (of().fold(f64::INFINITY, f64::min), of().fold(f64::NEG_INFINITY, f64::max));
                let mean = daily.flux[day];
                prop_assert!(mean.is_nan() && low > high || low - 1e-9 <= mean && mean <= high + 1e-9);
            }
        }
    }
}
