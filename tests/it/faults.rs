//! Faults done to real processes, their journals and results compared with those of a run that nobody disturbed.
//! docs/faults.md lists what is lost in each case.

mod clocks;
mod files;
mod memory;
mod random_kills;
mod ranks;
mod signals;
mod terminals;
mod trainers;
mod writes;
