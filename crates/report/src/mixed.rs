//! The mean of an ensemble of unlike members: networks, the pooled process, a fit of each site.

use efflux_analysis::baselines::{Baseline, Day};
use efflux_analysis::mixture::mix;
use efflux_data::Member;
use efflux_job::{EnsembleMembers, MemberKind};
use efflux_numerics::{SiteByDay, single};

use super::results::Results;

/// The weighted mean over the kinds of members in asinh units, `[S, D]`, µmol m⁻² s⁻¹. The networks are one kind, by their
/// own mean in asinh units. On a day on which a kind says nothing, the others have its weight; NaN where none says
/// anything.
pub(super) fn mean(results: &Results<'_>, ensemble: &EnsembleMembers) -> SiteByDay<f32> {
    let (sites, days) = (results.sites.len(), results.days);
    let site_fit = ensemble
        .weight(MemberKind::SiteFit)
        .map(|_| site_fits(results));
    let mut mixed = SiteByDay::filled(sites, days, f32::NAN);
    for site in 0..sites {
        for day in 0..days {
            let place = mixed.place(site, day);
            let said = |kind| match kind {
                MemberKind::Lstm => networks(results.members, place),
                MemberKind::Gp => {
                    let pooled = results.pooled.map(|pooled| pooled[(site, day)]);
                    pooled.map_or(f64::NAN, f64::from)
                }
                MemberKind::SiteFit => {
                    let fitted = site_fit.as_ref().map(|fitted| fitted[(site, day)]);
                    fitted.unwrap_or(f64::NAN)
                }
            };
            let known = ensemble
                .weights()
                .map(|(kind, weight)| (weight, said(kind)));
            let known = known.filter(|(_, flux)| flux.is_finite());
            mixed[(site, day)] = mix(known).map_or(f32::NAN, single);
        }
    }
    mixed
}

/// The mean of the networks in asinh units.
fn networks(members: &[Member], place: usize) -> f64 {
    let fluxes = members
        .iter()
        .map(|member| (1.0, f64::from(member.flux[place])));
    mix(fluxes).unwrap_or(f64::NAN)
}

/// Temperature and season of each site, by least squares.
fn site_fits(results: &Results<'_>) -> SiteByDay<f64> {
    let calendar = results.days_of_year();
    let mut flux = SiteByDay::filled(results.sites.len(), results.days, f64::NAN);
    for site in 0..results.sites.len() {
        let observed = results.observed(site);
        let day = |index: usize| Day {
            of_year: calendar[index].0,
            temperature: results.temperature_on(site, index),
            flux: f64::from(observed[index]),
        };
        let training: Vec<Day> = results.fitted_days(site).map(day).collect();
        let Ok(fitted) = Baseline::Harmonic.fit(&training) else {
            continue;
        };
        for index in 0..results.days {
            let Day {
                of_year,
                temperature,
                ..
            } = day(index);
            flux[(site, index)] = fitted.flux(of_year, temperature);
        }
    }
    flux
}
