//! Folders of site files, releases of COSORE and tables of predictors, and what is said of a pack.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod checks;
mod cosore;
mod fuzz;
mod inspect;
mod kinds;
mod predictors;
mod reference;
mod site_table;
mod sites;

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
