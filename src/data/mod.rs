//! What a run trains on and what it predicts: packs, their splits and scales, the arrays a model reads, and the files
//! of simulated fluxes. The only module that uses HDF5. Imports nothing of this crate but [`crate::job`] and
//! [`crate::error`].

mod account;
mod calendar;
mod checks;
mod cosore;
mod extrapolation;
mod gaps;
mod h5;
mod inputs;
mod inspect;
mod pack;
mod pack_read;
mod pack_write;
mod predictions;
mod predictors;
mod scale;
mod scales;
mod site_by_day;
mod sites;
mod split;
mod staging;
mod sun;
mod synth;
mod table;
mod tensors;
mod windows;

pub use account::{Account, Days, Entry, LeftOut, Limits, Rows};
pub use calendar::Calendar;
pub use checks::{Finding, Kind, Place, Ranges, check};
pub use cosore::{
    CosoreOptions, DailyMeans, DailySite, Filter, Flux, Release, Treatments, read_cosore,
};
pub use extrapolation::{
    ABOVE, BELOW, Extrapolation, INSIDE, InputFlags, STAND_IN, outside_training,
};
pub use gaps::{HELD, INTERPOLATED, OBSERVED, fill_gaps};
pub use h5::library_version;
pub use inputs::choose;
pub use inspect::{Inspection, Record, Run, VariableSummary, WindowShare, inspect};
pub use pack::{Origin, Pack, Site, Variable};
pub use predictions::{Ensemble, Member, read_member, write_ensemble, write_member};
pub use predictors::{
    Daily, Formula, Predictors, Product, Products, Quality, StandsFor, Step, read_predictors,
};
pub use scale::Scale;
pub use scales::{InputScale, Scales};
pub use site_by_day::SiteByDay;
pub use sites::{Packed, pack_sites};
pub use split::{Parts, share};
pub use staging::SCRATCH;
pub use synth::{Profile, SynthOptions, synthesize};
pub use tensors::Tensors;
pub use windows::{days_up_to_targets, iterations_per_epoch, windows_with_target};
