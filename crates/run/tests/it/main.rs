//! The run directory from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod reference;
