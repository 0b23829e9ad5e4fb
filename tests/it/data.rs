//! Packs, folders of site files, releases of COSORE, splits and scales, and the files of simulated fluxes.

mod checks;
mod cosore;
mod extrapolation;
mod hostile;
mod inspect;
mod pack;
mod predictions;
mod predictors;
mod release;
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
