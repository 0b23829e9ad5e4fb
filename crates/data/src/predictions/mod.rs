//! Files of simulated fluxes: one of each member while a sweep runs, one of the whole ensemble at its end.

mod ensemble;
mod member;
mod netcdf;
mod read;

pub use ensemble::{Ensemble, Interval, write_ensemble};
pub use member::{Member, read_member, write_member};
pub use read::{Predictions, read_predictions};
