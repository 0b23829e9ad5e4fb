//! Where trials run: a coordinator that hands them out, supervisors that look after slots, trainers that train.
//!
//! ```text
//! rank 0   coordinator + supervisor ──pipes── efflux-trainer, one per slot
//! rank r                 supervisor ──pipes── efflux-trainer, one per slot
//!             └───────── MPI ─────────┘
//! ```
//!
//! The same [`Order`]s go down and the same [`Report`]s come up, whether by MPI or by pipe. With one process there is
//! no MPI, and nothing else differs. This package holds the only MPI and the only child processes, listens to
//! signals, and never sees a tensor.
//!
//! [`Order`]: efflux_protocol::Order
//! [`Report`]: efflux_protocol::Report

mod coordinator;
mod leaving;
mod memory;
mod mpi;
mod progress;
mod rank;
mod roll;
mod scheduler;
mod seats;
mod signals;
mod slots;
mod supervisor;
mod trainer;
mod until;

pub use coordinator::{Coordinator, Ending, Launch, Notice, Tally, dismiss_ranks};
pub use leaving::{Leaving, Step};
pub use mpi::{Library, World, library, promised_size};
pub use rank::{Parting, serve};
pub use scheduler::{Action, Event, Scheduler};
pub use seats::{gpus, seats, slots_on};
pub use signals::Signals;
pub use slots::{Slots, common_level};
pub use supervisor::Supervisor;
pub use trainer::{Gone, Trainer, trainer_program};
pub use until::Until;
