//! How efflux fails and how it writes files: what every other package that does input or output begins with.

pub mod durable;
pub mod error;
