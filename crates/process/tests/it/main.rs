//! The package from outside.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod pooled;
mod reference;
