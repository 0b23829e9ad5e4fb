//! The coordinator without processes: its ranks are simulated, and their clock is a number.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod coordinator;
mod scale;
mod simulated;
