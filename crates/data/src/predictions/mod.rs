//! Files of simulated fluxes: one of each member while a sweep runs, one of the whole ensemble at its end.

mod daily;
mod ensemble;
mod member;
mod netcdf;
mod read;

pub use daily::DailyPredictions;
pub use ensemble::{
    DaysOf, Ensemble, INSIDE_AREA, Interval, OUTSIDE_AREA, SiteDistances, UNKNOWN_AREA,
    write_ensemble,
};
pub use member::{Member, read_member, write_member};
pub use read::{Predictions, read_predictions};
