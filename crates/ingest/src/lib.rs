//! Where packs come from and what is in them: releases of COSORE, folders of site files, tables of predictors and made-up
//! sites become packs, and a pack is looked through for what is wrong with it.

mod checks;
mod cosore;
mod gaps;
mod inspect;
pub mod land_cover;
mod line_ends;
mod missing;
mod predictors;
mod site_table;
mod sites;
mod span;
mod sun;
mod synth;
mod table;

pub use checks::{Finding, Kind, Place, Ranges, SeenWithin, check};
pub use cosore::{
    CosoreOptions, DailyMeans, DailySite, Filter, Flux, MeasuredRow, MeasuredSet, Release,
    Treatments, read_cosore, read_measured,
};
pub use gaps::fill_gaps;
pub use inspect::{Inspection, Record, Run, VariableSummary, WindowShare, inspect};
pub use missing::{Missing, Sentinel};
pub use predictors::{
    Daily, Formula, Predictors, Product, Products, Quality, StandsFor, Step, read_predictors,
};
pub use site_table::{add_elevations, site_table};
pub use sites::{Packed, SiteOptions, pack_sites};
pub use synth::{Profile, SynthOptions, synthesize, synthesize_predictors};
