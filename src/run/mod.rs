//! What a run directory holds. Imports nothing of this crate but [`crate::job`] and [`crate::error`].

pub mod record;
