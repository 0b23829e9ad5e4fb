//! The tests that start the two programs, in one binary: it links once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod compare;
mod control_groups;
mod data;
mod doctor;
mod faults;
mod folds;
mod gpu;
mod harness;
mod known_truth;
mod lanes;
mod mixed;
mod old_runs;
mod pages;
mod placement;
mod predict;
mod program;
mod programs;
mod refusals;
mod results;
mod shims;
mod slurm;
mod stopping;
mod sweep;
mod target;
mod trial;
mod tutorial;
mod watching;
