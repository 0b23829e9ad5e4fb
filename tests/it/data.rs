//! Packs, folders of site files, splits and scales, and the files of simulated fluxes.

// A failed unwrap is a failed test, in a test's helpers as well.
#![allow(clippy::unwrap_used)]

mod pack;
mod predictions;
mod sites;
mod tensors;

use efflux::data::{Pack, SynthOptions, synthesize};

/// A synthetic pack of some sites and years.
fn small_pack(sites: usize, years: usize) -> Pack {
    let options = SynthOptions {
        sites,
        years: Some(years),
        ..SynthOptions::default()
    };
    synthesize(&options).unwrap()
}
