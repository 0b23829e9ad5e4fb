//! Intervals for a day's flux: as the members spread, and calibrated.

use std::collections::BTreeMap;

use efflux_analysis::conformal::conformal_factor;
use efflux_analysis::ensemble::interval;
use efflux_analysis::statistics::median;
use efflux_analysis::{Defined, Undefined};
use efflux_job::Fit;

use super::Day;
use crate::results::Results;

/// The levels that are judged.
const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];
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
}

/// How intervals did on test days.
#[derive(Clone, Copy)]
pub(crate) struct Coverage {
    pub(crate) days: usize,
    /// The share of observations inside.
    pub(crate) share: f64,
    /// Mean width, flux units.
    pub(crate) width: f64,
}

pub(super) fn intervals(
    results: &Results<'_>,
    test: &[Vec<Day>],
    validation: &[Vec<Day>],
) -> Vec<Interval> {
    let calibration = Calibration::new(results, validation);
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
                        let reach = factors[site]? * of.scale(day);
                        Ok((day.mean - reach, day.mean + reach))
                    })
                }),
            factor: calibration
                .as_ref()
                .map_err(|reason| *reason)
                .and_then(|of| conformal_factor(&of.all, level)),
        })
        .into()
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
    fn new(results: &Results<'_>, validation: &[Vec<Day>]) -> Defined<Self> {
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
                .map(|day| day.error() / found.scale(day))
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

    fn scale(&self, day: &Day) -> f64 {
        day.spread.max(self.least)
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
    let (mut days, mut inside, mut width) = (0, 0, 0.0);
    for (site, of_site) in test.iter().enumerate() {
        for day in of_site {
            let (low, high) = interval(site, day)?;
            days += 1;
            inside += usize::from((low..=high).contains(&day.observed));
            width += high - low;
        }
    }
    if days == 0 {
        return Err(Undefined::Missing("test days with two members or more"));
    }
    Ok(Coverage {
        days,
        share: inside as f64 / days as f64,
        width: width / days as f64,
    })
}
