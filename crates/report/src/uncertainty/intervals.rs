//! Intervals for a day's flux: as the members spread, and calibrated.

use std::collections::BTreeMap;

use efflux_analysis::conformal::conformal_factor;
use efflux_analysis::ensemble::interval;
use efflux_analysis::statistics::{mean, median};
use efflux_analysis::{Defined, Undefined};
use efflux_job::{Fit, Part};
use efflux_numerics::single;

use super::{Day, Forecast};
use crate::results::Results;

/// The levels that are judged.
pub(crate) const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];
/// That which reports quote.
pub(crate) const HEADLINE: f64 = 0.9;
/// A land cover with as many validation days is calibrated by itself.
const GROUP: usize = 200;

/// The intervals of one level.
pub(crate) struct Interval {
    pub(crate) level: f64,
    /// Quantiles over members.
    pub(crate) raw: Defined<Coverage>,
    /// Mean plus and minus the spread times a factor from validation days.
    pub(crate) calibrated: Defined<Coverage>,
    /// That factor over all sites together.
    pub(crate) factor: Defined,
    /// From forecasts of earlier days, with the standard deviations to either side; none where the pooled process is no
    /// member.
    pub(crate) forecast: Option<(Defined<Coverage>, Defined)>,
}

/// How intervals did on test days.
#[derive(Clone, Copy)]
pub(crate) struct Coverage {
    pub(crate) days: usize,
    /// The share of observations inside.
    pub(crate) share: f64,
    /// Mean width, flux units.
    pub(crate) width: f64,
    /// Its median.
    pub(crate) median_width: f64,
}

/// Counts what intervals hold.
#[derive(Default)]
pub(super) struct Hold {
    inside: usize,
    widths: Vec<f64>,
}

impl Hold {
    pub(super) fn add(&mut self, (low, high): (f64, f64), observed: f64) {
        self.inside += usize::from((low..=high).contains(&observed));
        self.widths.push(high - low);
    }

    /// Or of which days there are none.
    pub(super) fn coverage(self, days: &'static str) -> Defined<Coverage> {
        let missing = |_| Undefined::Missing(days);
        Ok(Coverage {
            days: self.widths.len(),
            width: mean(&self.widths).map_err(missing)?,
            median_width: median(&self.widths).map_err(missing)?,
            share: self.inside as f64 / self.widths.len() as f64,
        })
    }
}

pub(super) fn intervals(
    results: &Results<'_>,
    test: &[Vec<Day>],
    validation: &[Vec<Day>],
    forecast: Option<&Forecast<'_>>,
) -> Vec<Interval> {
    let validation = validation.iter().map(|days| {
        let days = days.iter().map(|day| Deviation {
            error: day.error(),
            spread: day.spread,
        });
        days.collect()
    });
    let calibration = Calibration::new(results, &validation.collect::<Vec<_>>());
    LEVELS
        .map(|level| Interval {
            level,
            raw: coverage(test, |_, day| interval(&day.members, level)),
            calibrated: calibration
                .as_ref()
                .map_err(|reason| *reason)
                .and_then(|of| {
                    let factors = of.factors(results, level);
                    coverage(test, |site, day| {
                        let reach = factors[site]? * of.scale(day.spread);
                        Ok((day.mean - reach, day.mean + reach))
                    })
                }),
            factor: calibration
                .as_ref()
                .map_err(|reason| *reason)
                .and_then(|of| conformal_factor(&of.all, level)),
            forecast: forecast.map(|of| (of.coverage(level), of.factor(level))),
        })
        .into()
}

/// The intervals of all levels about a mean with its spread, both `[S, D]`, in the unit of the target, as validation days calibrate them;
/// none where they do not.
pub(crate) fn from_validation(
    results: &Results<'_>,
    mean: &[f32],
    spread: &[f32],
) -> Vec<efflux_data::Interval> {
    let validation = (0..results.sites.len()).map(|site| {
        let observed = results.observed(site);
        let days = results.part_days(site, Part::Validation);
        let days = days.filter_map(|day| {
            let place = site * results.days + day;
            let found = Deviation {
                error: (f64::from(observed[day]) - f64::from(mean[place])).abs(),
                spread: spread[place].into(),
            };
            (found.error.is_finite() && found.spread.is_finite()).then_some(found)
        });
        days.collect()
    });
    let Ok(calibration) = Calibration::new(results, &validation.collect::<Vec<_>>()) else {
        return Vec::new();
    };
    let of_level = |level: f64| {
        let factors = calibration.factors(results, level);
        factors.iter().any(Result::is_ok).then(|| {
            let end = |sign: f64| {
                let days = mean.iter().zip(spread).enumerate();
                let days = days.map(|(place, (&mean, &spread))| {
                    let factor = factors[place / results.days].unwrap_or(f64::NAN);
                    let spread = f64::from(spread);
                    let reach = match spread.is_nan() {
                        true => f64::NAN,
                        false => factor * calibration.scale(spread),
                    };
                    single(f64::from(mean) + sign * reach)
                });
                days.collect()
            };
            efflux_data::Interval {
                level,
                lower: end(-1.0),
                upper: end(1.0),
            }
        })
    };
    LEVELS.into_iter().filter_map(of_level).collect()
}

/// How far the mean was off on a day, and how far members were apart.
struct Deviation {
    error: f64,
    spread: f64,
}

/// The scaled errors of validation days.
struct Calibration {
    /// By land cover, those with enough days.
    groups: BTreeMap<String, Vec<f64>>,
    all: Vec<f64>,
    /// Where members agree by chance their spread says nothing: a twentieth of its median is the least that counts.
    least: f64,
}

impl Calibration {
    fn new(results: &Results<'_>, validation: &[Vec<Deviation>]) -> Defined<Self> {
        if results.fit == Fit::TrainValidation {
            return Err(Undefined::Missing(
                "validation days that members were not fitted on",
            ));
        }
        let spreads: Vec<f64> = validation.iter().flatten().map(|day| day.spread).collect();
        let least = 0.05 * median(&spreads).map_err(|_| Undefined::Missing("validation days"))?;
        let mut found = Self {
            groups: BTreeMap::new(),
            all: Vec::new(),
            least: least.max(f64::MIN_POSITIVE),
        };
        for (site, days) in results.sites.iter().zip(validation) {
            let scaled: Vec<f64> = days
                .iter()
                .map(|day| day.error / found.scale(day.spread))
                .collect();
            found.all.extend(&scaled);
            found
                .groups
                .entry(site.igbp.clone())
                .or_default()
                .extend(scaled);
        }
        found.groups.retain(|_, errors| errors.len() >= GROUP);
        Ok(found)
    }

    fn scale(&self, spread: f64) -> f64 {
        spread.max(self.least)
    }

    /// The factor of each site: that of its land cover, else that of all sites. Found once a group, for it sorts the
    /// group's days.
    fn factors(&self, results: &Results<'_>, level: f64) -> Vec<Defined> {
        let of_all = conformal_factor(&self.all, level);
        let of_group = |(name, errors): (&String, &Vec<f64>)| {
            let factor = conformal_factor(errors, level);
            (name.clone(), factor)
        };
        let groups: BTreeMap<String, Defined> = self.groups.iter().map(of_group).collect();
        let sites = results.sites.iter();
        sites
            .map(|site| groups.get(&site.igbp).copied().unwrap_or(of_all))
            .collect()
    }
}

fn coverage(
    test: &[Vec<Day>],
    interval: impl Fn(usize, &Day) -> Defined<(f64, f64)>,
) -> Defined<Coverage> {
    let mut hold = Hold::default();
    for (site, of_site) in test.iter().enumerate() {
        for day in of_site {
            hold.add(interval(site, day)?, day.observed);
        }
    }
    hold.coverage("test days with two members or more")
}
