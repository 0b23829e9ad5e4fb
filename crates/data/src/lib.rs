//! What a run trains on and what it predicts: packs, their splits and scales, the arrays a model reads, and the files
//! of simulated fluxes. The only package that uses HDF5. How a pack is made is the business of `efflux-ingest`.

mod account;
mod attributes;
mod calendar;
mod derived;
mod extrapolation;
mod filled;
pub mod folds;
mod h5;
mod inputs;
mod netcdf;
mod pack;
mod pack_read;
mod pack_write;
mod places;
mod predictions;
mod process_sites;
mod scale;
mod scales;
pub mod sealed;
mod seen_sites;
mod site_prior;
mod split;
mod staging;
mod target;
mod tensors;
mod windows;

pub use account::{Account, Days, Entry, LeftOut, Limits, Rows};
pub use attributes::site_attributes;
pub use calendar::Calendar;
pub use derived::{SiteRecord, Statistics};
pub use extrapolation::{
    ABOVE, BELOW, Extrapolation, INSIDE, InputFlags, STAND_IN, outside_training,
};
pub use filled::{Filled, FilledDays, FilledInput};
pub use h5::library_version;
pub use inputs::variables;
pub use netcdf::{NetCdfAttribute, NetCdfVariable, read_netcdf};
pub use pack::{HELD, INTERPOLATED, OBSERVED, Origin, Pack, Site, Variable};
pub use places::{distance_km, place_of, places};
pub use predictions::{
    DailyPredictions, DaysOf, Ensemble, INSIDE_AREA, Interval, Member, OUTSIDE_AREA, Predictions,
    SiteDistances, UNKNOWN_AREA, read_member, read_predictions, write_ensemble, write_member,
};
pub use process_sites::{ProcessSite, ProcessVariables, temperature};
pub use scale::Scale;
pub use scales::{InputScale, Scales, sources};
pub use seen_sites::{SeenSite, SeenSites};
pub use site_prior::SitePrior;
pub use split::{Parts, share};
pub use staging::SCRATCH;
pub use target::Target;
pub use tensors::Tensors;
pub use windows::{days_up_to_targets, iterations_per_epoch, windows_with_target};
