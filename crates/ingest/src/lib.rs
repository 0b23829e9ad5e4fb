//! Where packs come from and what is in them: releases of COSORE, folders of site files, tables of predictors and made-up
//! sites become packs, and a pack is looked through for what is wrong with it.

mod checks;
mod cosore;
mod gaps;
mod inspect;
mod predictors;
mod sites;
mod sun;
mod synth;
mod table;

pub use checks::{Finding, Kind, Place, Ranges, check};
pub use cosore::{
    CosoreOptions, DailyMeans, DailySite, Filter, Flux, Release, Treatments, read_cosore,
};
pub use gaps::fill_gaps;
pub use inspect::{Inspection, Record, Run, VariableSummary, WindowShare, inspect};
pub use predictors::{
    Daily, Formula, Predictors, Product, Products, Quality, StandsFor, Step, read_predictors,
};
pub use sites::{Packed, pack_sites};
pub use synth::{Profile, SynthOptions, synthesize};
