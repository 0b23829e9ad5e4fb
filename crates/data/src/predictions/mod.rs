//! Files of simulated fluxes: one of each member while a sweep runs, one of the whole ensemble at its end.

mod ensemble;
mod member;
mod netcdf;

pub use ensemble::{
    Ensemble, INSIDE_AREA, Interval, OUTSIDE_AREA, SiteDistances, UNKNOWN_AREA, write_ensemble,
};
pub use member::{Member, read_member, write_member};
