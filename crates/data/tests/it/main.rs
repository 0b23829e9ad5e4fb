//! Packs, splits and scales, and the files of simulated fluxes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod extrapolation;
mod folds;
mod pack;
mod predictions;
mod reference;
mod tensors;

use efflux_data::Pack;
use efflux_ingest::{SynthOptions, synthesize};

/// A synthetic pack of some sites and years.
fn small_pack(sites: usize, years: usize) -> Pack {
    let options = SynthOptions {
        sites,
        years: Some(years),
        ..SynthOptions::default()
    };
    synthesize(&options).unwrap()
}
