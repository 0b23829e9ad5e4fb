//! Data as people have them become a folder of daily site files that `efflux pack --sites` takes.
//!
//! A mapping (TOML) names a layout and its files. The layout's reader makes of them [`Record`]s: a site and its samples,
//! each with the local standard time at which its interval begins; and the [`Account`] of what was read and dropped. The day
//! rule makes days of samples, the writer a folder of days. What people should know is a warning.

mod account;
mod ameriflux;
mod badm;
mod carbonfluxbench;
mod cells;
mod chamber;
mod column;
mod cosore;
mod day;
mod driver_unit;
mod example;
mod fill_values;
mod finish;
mod fluxnet;
mod folder;
mod guess;
mod hydrodl;
mod icos;
mod layout;
mod mapping;
mod neon;
mod neuralhydrology;
mod place;
mod record;
mod refused;
mod stamp;
mod table;
mod target;
mod time;
mod tower;
mod unit;
mod workbook;

pub use account::{Account, Rows};
pub use day::{Day, days};
pub use example::write_example;
pub use finish::{Daily, import};
pub use folder::DailySite;
pub use guess::guess;
pub use layout::Layout;
pub use mapping::Mapping;
pub use record::{Combine, Driver, Imported, Record, Sample, Site};

/// Soil CO₂ efflux, µmol m⁻² s⁻¹, as daily site files call it.
pub const FLUX: &str = "co2_flux_umol_m2_s";
/// The target, as daily site files call it where `target.toml` says what it is.
pub const DECLARED: &str = "target";
/// How many values a day's flux is the mean of, as daily site files call it.
pub const COUNT: &str = "n_flux_values";
