//! The mean of an ensemble of unlike members: networks, the pooled process, a fit of each site.

use std::collections::BTreeMap;

use efflux_analysis::baselines::{Baseline, Day, Fitted};
use efflux_analysis::mixture::mix;
use efflux_data::{Member, Pack};
use efflux_job::MemberKind;
use efflux_numerics::{SiteByDay, single};

use super::mean::MeanRule;

/// What each kind of members says, `[S, D]`, in the unit of the target, NaN where it says nothing; none where it has no part.
pub(super) struct Kinds<'a> {
    pub(super) networks: &'a [Member],
    pub(super) pooled: Option<&'a SiteByDay<f32>>,
    pub(super) site_fits: Option<&'a SiteByDay<f64>>,
}

impl Kinds<'_> {
    /// What a kind of members says on a day, in the unit of the target; NaN where it says nothing. The networks are one kind, by their
    /// own mean in asinh units.
    pub(super) fn said(&self, kind: MemberKind, (site, day): (usize, usize), days: usize) -> f64 {
        match kind {
            MemberKind::Lstm => networks(self.networks, site * days + day),
            MemberKind::Gp => {
                let pooled = self.pooled.map(|pooled| pooled[(site, day)]);
                pooled.map_or(f64::NAN, f64::from)
            }
            MemberKind::SiteFit => {
                let fitted = self.site_fits.map(|fitted| fitted[(site, day)]);
                fitted.unwrap_or(f64::NAN)
            }
        }
    }

    /// The weighted mean over the kinds of members in asinh units, `[S, D]`, in the unit of the target. On a day on which a kind says
    /// nothing, the others have its weight, in equal parts if they have none of their own; NaN where none says anything.
    pub(super) fn mean(&self, rule: &MeanRule, pack: &Pack) -> SiteByDay<f32> {
        let days = pack.calendar.days;
        let mut mixed = SiteByDay::filled(pack.sites.len(), days, f32::NAN);
        for (site, named) in pack.sites.iter().enumerate() {
            for (day, mixed) in mixed.site_mut(site).iter_mut().enumerate() {
                let said = rule.weights.iter().map(|&(kind, weight)| {
                    let flux = self.said(kind, (site, day), days);
                    (weight, flux)
                });
                let known: Vec<(f64, f64)> = said.filter(|(_, flux)| flux.is_finite()).collect();
                let alike = known.iter().map(|&(_, flux)| (1.0, flux));
                let mean = mix(known.iter().copied()).or_else(|_| mix(alike));
                *mixed = mean.map_or(f32::NAN, |flux| single(rule.inflated(&named.id, flux)));
            }
        }
        mixed
    }
}

/// The mean of the networks in asinh units.
fn networks(members: &[Member], place: usize) -> f64 {
    let fluxes = members
        .iter()
        .map(|member| (1.0, f64::from(member.flux[place])));
    mix(fluxes).unwrap_or(f64::NAN)
}

/// What fits of single sites read of a pack.
pub(super) struct SiteRecords<'a> {
    pub(super) pack: &'a Pack,
    /// °C, NaN where it is unknown, `[S, D]`.
    pub(super) temperature: &'a SiteByDay<f32>,
}

impl SiteRecords<'_> {
    /// The coefficients of temperature and season of each site, by least squares on some of its days, under its id; none
    /// where the days do not determine them.
    pub(super) fn fit(&self, fitted: &dyn Fn(usize) -> Vec<usize>) -> BTreeMap<String, [f64; 5]> {
        let (of_year, sites) = (self.of_year(), self.pack.sites.iter().enumerate());
        let fitted = sites.filter_map(|(site, named)| {
            let day = |index: usize| Day {
                of_year: of_year[index],
                temperature: f64::from(self.temperature[(site, index)]),
                flux: f64::from(self.pack.flux[(site, index)]),
            };
            let training: Vec<Day> = fitted(site).into_iter().map(day).collect();
            let Ok(Fitted::Harmonic(coefficients)) = Baseline::Harmonic.fit(&training) else {
                return None;
            };
            Some((named.id.clone(), coefficients))
        });
        fitted.collect()
    }

    /// What such fits say, `[S, D]`, in the unit of the target; NaN at sites without one and where the temperature is unknown.
    pub(super) fn flux(&self, fits: &BTreeMap<String, [f64; 5]>) -> SiteByDay<f64> {
        let of_year = self.of_year();
        let mut flux = SiteByDay::filled(self.pack.sites.len(), of_year.len(), f64::NAN);
        for (site, named) in self.pack.sites.iter().enumerate() {
            let Some(coefficients) = fits.get(&named.id) else {
                continue;
            };
            let fitted = Fitted::Harmonic(*coefficients);
            for (day, &of_year) in of_year.iter().enumerate() {
                let temperature = f64::from(self.temperature[(site, day)]);
                flux[(site, day)] = fitted.flux(of_year, temperature);
            }
        }
        flux
    }

    /// The day of the year of each day, 1 to 366.
    fn of_year(&self) -> Vec<u16> {
        let calendar = self.pack.calendar;
        let days = (0..calendar.days).map(|day| calendar.date(day));
        days.map(|date| date.day_of_year().unsigned_abs()).collect()
    }
}
