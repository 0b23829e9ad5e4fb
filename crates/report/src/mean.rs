//! How the mean of unlike members is taken.

use std::collections::BTreeMap;

use efflux_data::Pack;
use efflux_job::MemberKind;
use serde::{Deserialize, Serialize};

/// How the mean of unlike members is taken: what each kind weighs, and how far it then goes from the mean of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeanRule {
    /// They need not be 1 together.
    pub(super) weights: Vec<(MemberKind, f64)>,
    /// What the distance from the mean of a site is multiplied by, in asinh units.
    pub(super) inflation: f64,
    /// The mean of asinh(flux in the unit of the target) over the days that a site is fitted on, by its id; nothing without inflation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) centres: BTreeMap<String, f64>,
}

impl MeanRule {
    /// * `fitted`: the observed days of each site that the mean is about.
    pub(super) fn new(
        weights: Vec<(MemberKind, f64)>,
        inflation: f64,
        pack: &Pack,
        fitted: &dyn Fn(usize) -> Vec<usize>,
    ) -> Self {
        let mut rule = Self {
            weights,
            inflation,
            centres: BTreeMap::new(),
        };
        for (site, named) in pack.sites.iter().enumerate() {
            rule.know(&named.id, pack.flux_of(site), &fitted(site));
        }
        rule
    }

    /// Knows the mean of a site from now on: of these of its days, all observed.
    pub(super) fn know(&mut self, id: &str, flux: &[f32], days: &[usize]) {
        if !self.inflates() || days.is_empty() || self.centres.contains_key(id) {
            return;
        }
        let sum: f64 = days.iter().map(|&day| f64::from(flux[day]).asinh()).sum();
        self.centres.insert(id.to_owned(), sum / days.len() as f64);
    }

    /// The flux so much farther from the mean of a site; the same at a site whose mean is not known.
    pub(super) fn inflated(&self, id: &str, flux: f64) -> f64 {
        match self.centres.get(id).filter(|_| self.inflates()) {
            Some(centre) => (centre + self.inflation * (flux.asinh() - centre)).sinh(),
            None => flux,
        }
    }

    fn inflates(&self) -> bool {
        self.inflation != 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflation_spreads_a_site_about_its_own_mean_and_leaves_others_alone() {
        let mut rule = MeanRule {
            weights: vec![(MemberKind::Lstm, 1.0)],
            inflation: 1.5,
            centres: BTreeMap::new(),
        };
        let flux = [1_f32.sinh(), f32::NAN, 3_f32.sinh()];
        rule.know("a", &flux, &[0, 2]);
        rule.know("b", &flux, &[]);
        assert!((rule.centres["a"] - 2.0).abs() < 1e-6);
        assert!((rule.inflated("a", 4_f64.sinh()) - 5_f64.sinh()).abs() < 1e-3);
        assert_eq!(rule.inflated("b", 7.0), 7.0);
        let plain = MeanRule {
            inflation: 1.0,
            ..rule
        };
        assert_eq!(plain.inflated("a", 7.0).to_bits(), 7_f64.to_bits());
    }
}
