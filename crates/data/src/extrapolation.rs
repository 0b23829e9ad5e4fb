//! Where a pack leaves the range that a training has seen.

use std::cmp::Ordering;

use super::pack::Pack;
use super::scales::{Input, InputScale, Scales};
use super::split::SiteParts;

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
    /// Of the daily inputs, each flag of shape `[S, D]`.
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
            dynamic: scales.dynamic.iter().map(daily).collect(),
            statics: scales.statics.iter().map(fixed).collect(),
        }
    }
}

/// Of each site's observed test days the share on which one of these daily inputs lies outside the range that it has over
/// the training days of all sites, `[S]`; none without test days. A site that lacks an input is judged by the others.
///
/// * `parts`: those of each site; the days fitted on are from the first of the training part to the last of it.
pub fn outside_training(pack: &Pack, inputs: &[String], parts: &[SiteParts]) -> Vec<Option<f64>> {
    let days = pack.calendar.days;
    let mut outside = vec![false; pack.flux.len()];
    for input in inputs.iter().filter_map(|name| Input::daily(pack, name)) {
        let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
        for (site, parts) in parts.iter().enumerate() {
            for value in input
                .series(site)
                .iter()
                .flat_map(|series| &series[parts.train.clone()])
            {
                (least, greatest) = (least.min(*value), greatest.max(*value));
            }
        }
        for (site, parts) in parts.iter().enumerate() {
            let Some(series) = input.series(site) else {
                continue;
            };
            for day in parts.test.clone() {
                outside[site * days + day] |= series[day] < least || series[day] > greatest;
            }
        }
    }
    let shares = parts.iter().enumerate().map(|(site, parts)| {
        let observed = parts.test.clone().map(|day| site * days + day);
        let observed = observed.filter(|&place| !pack.flux[place].is_nan());
        let outside: Vec<bool> = observed.map(|place| outside[place]).collect();
        let count = outside.iter().filter(|is_outside| **is_outside).count();
        (!outside.is_empty()).then(|| count as f64 / outside.len() as f64)
    });
    shares.collect()
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
