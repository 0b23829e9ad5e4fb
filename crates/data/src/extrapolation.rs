//! Where a pack leaves the range that a training has seen.

use std::cmp::Ordering;

use efflux_job::Part;
use efflux_numerics::SiteByDay;

use super::pack::Pack;
use super::scales::{Input, InputScale, Scales};
use super::split::Parts;

/// The value is within the range of the training, ends included.
pub const INSIDE: u8 = 0;
/// The value is below all of the training.
pub const BELOW: u8 = 1;
/// The value is above all of the training.
pub const ABOVE: u8 = 2;
/// The site lacks the input, and the mean of the training's sites stands in for it.
pub const STAND_IN: u8 = 3;

/// Where the inputs of a prediction lie relative to the training.
#[derive(Clone, Debug, PartialEq)]
pub struct Extrapolation {
    /// Of the daily variables that are read, as inputs or by derived ones, each flag of shape `[S, D]`.
    pub dynamic: Vec<InputFlags>,
    /// Of the static inputs, each flag of shape `[S]`.
    pub statics: Vec<InputFlags>,
}

/// Where one input lies relative to the training.
#[derive(Clone, Debug, PartialEq)]
pub struct InputFlags {
    /// What packs call it.
    pub name: String,
    /// The unit of its values; empty if unknown.
    pub units: String,
    /// The least and the greatest value of the training; NaN if no site had it.
    pub range: [f64; 2],
    /// [`INSIDE`], [`BELOW`], [`ABOVE`] or [`STAND_IN`].
    pub flags: Vec<u8>,
}

impl Extrapolation {
    /// Compares a pack with what a training has seen. Inputs that the pack does not have at all are flagged as stood in
    /// for everywhere.
    pub fn of(pack: &Pack, scales: &Scales) -> Self {
        let sites = pack.sites.len();
        let flags = |scale: &InputScale, input: Option<Input<'_>>, days: usize| InputFlags {
            name: scale.name.clone(),
            units: scale.units.clone(),
            range: scale.range(),
            flags: (0..sites)
                .flat_map(
                    |site| match input.as_ref().and_then(|input| input.series(site)) {
                        Some(series) => series.iter().map(|&value| flag(scale, value)).collect(),
                        None => vec![STAND_IN; days],
                    },
                )
                .collect(),
        };
        let daily = |scale| flags(scale, Input::daily(pack, &scale.name), pack.calendar.days);
        let fixed = |scale| flags(scale, Input::fixed(pack, &scale.name), 1);
        Self {
            dynamic: scales.daily().map(daily).collect(),
            statics: scales.statics.iter().map(fixed).collect(),
        }
    }
}

/// Of each site's observed test days the share on which one of these daily inputs lies outside the range that it has over
/// the training days of all sites, `[S]`; none without test days. A site that lacks an input is judged by the others.
pub fn outside_training(pack: &Pack, inputs: &[String], parts: &Parts) -> Vec<Option<f64>> {
    let sites = 0..pack.sites.len();
    let mut outside = SiteByDay::filled(sites.len(), pack.calendar.days, false);
    for input in inputs.iter().filter_map(|name| Input::daily(pack, name)) {
        let series: Vec<Option<Vec<f32>>> = sites.clone().map(|site| input.series(site)).collect();
        let known = || {
            let sites = series.iter().enumerate();
            sites.filter_map(|(site, series)| Some((site, series.as_ref()?)))
        };
        let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
        for (site, series) in known() {
            for day in parts.days(site, Part::Train) {
                (least, greatest) = (least.min(series[day]), greatest.max(series[day]));
            }
        }
        for (site, series) in known() {
            for day in parts.days(site, Part::Test) {
                outside[(site, day)] |= series[day] < least || series[day] > greatest;
            }
        }
    }
    let share = |site: usize| {
        let days = parts.days(site, Part::Test);
        let observed: Vec<usize> = days
            .filter(|&day| !pack.flux[(site, day)].is_nan())
            .collect();
        let outside = observed.iter().filter(|&&day| outside[(site, day)]).count();
        (!observed.is_empty()).then(|| outside as f64 / observed.len() as f64)
    };
    sites.map(share).collect()
}

fn flag(scale: &InputScale, value: f32) -> u8 {
    // What no site of the training had is nothing the model knows.
    match scale.scale.map(|scale| scale.side(value)) {
        Some(Ordering::Equal) => INSIDE,
        Some(Ordering::Less) => BELOW,
        Some(Ordering::Greater) => ABOVE,
        None => STAND_IN,
    }
}
