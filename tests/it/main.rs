//! One binary for all integration tests: it links once.

mod analysis;
mod data;
mod harness;
mod model;
mod program;
mod refusals;
mod report;
mod sweep;
