//! Training, selecting and judging LSTM models of daily soil CO₂ efflux on Slurm clusters.
//!
//! # How a run flows
//!
//! ```text
//! efflux sweep JOB     job ──► contract + trials                                   (job, data)
//!                      coordinator ──► supervisors, one per rank ──► trainers      (cluster)
//!                        efflux-trainer: pack ──► tensors ──► LSTM ──► record      (data, model)
//!                      journals ──► selection ──► final members ──► predictions    (run)
//!                      scores ──► tables, figures, report/index.html               (analysis, report)
//! ```
//!
//! # Who may import what
//!
//! | module | answers | may import |
//! | --- | --- | --- |
//! | [`job`] | what to run, and with which resources | nobody |
//! | [`analysis`] | how good it is: pure `f64`, no I/O | nobody |
//! | [`data`] | what it runs on: the only HDF5 | `job` |
//! | [`model`] | how it learns: the only tch | `analysis`, `data`, `job` |
//! | [`run`] | what a run directory holds | `analysis`, `job` |
//! | [`cluster`] | where it runs: the only MPI, processes, signals; never a tensor | `job`, `run` |
//! | [`report`] | what people read | `analysis`, `run`, `data`, `job` |
//!
//! Everybody may import [`error`] and [`durable`]. Only the two binaries join the halves; a test holds the modules to this table.

pub mod analysis;
pub mod cluster;
pub mod data;
pub mod durable;
pub mod error;
pub mod job;
pub mod model;
pub mod report;
pub mod run;
