//! One binary for all integration tests: it links once.

mod data;
mod harness;
mod model;
mod program;
mod reference;
mod refusals;
mod report;
mod sweep;
