//! Where trials run: a coordinator that hands them out, supervisors that look after slots, trainers that train.
//!
//! ```text
//! rank 0   coordinator + supervisor ──pipes── efflux-trainer, one per slot
//! rank r                 supervisor ──pipes── efflux-trainer, one per slot
//!             └───────── MPI ─────────┘
//! ```
//!
//! The same [`Order`]s go down and the same [`Report`]s come up, whether by MPI or by pipe. With one process there is
//! no MPI, and nothing else differs. This module holds the only MPI, the only child processes and the only signals,
//! and never sees a tensor. It imports [`crate::job`], [`crate::run`] and [`crate::error`].

mod coordinator;
mod frame;
mod leaving;
mod memory;
mod message;
mod mpi;
mod progress;
mod rank;
mod roll;
mod scheduler;
mod seats;
mod seen;
mod signals;
mod slots;
mod supervisor;
mod trainer;
mod until;

pub use coordinator::{Coordinator, Ending, Launch, Notice, Tally, dismiss_ranks};
pub use frame::{Frames, encode, read_frame, write_frame};
pub use leaving::{Leaving, Step};
pub use message::{Assignment, Company, Order, Preparation, Ready, Report, Simulation};
pub use mpi::{Library, World, library, promised_size};
pub use rank::{Parting, serve};
pub use scheduler::{Action, Event, Scheduler};
pub use seats::{Seat, gpus, processors, seats, slots_on};
pub use seen::Seen;
pub use signals::{Haste, Signals, leave_signals_to_the_supervisor, survive_file_limits};
pub use slots::{Level, Slots};
pub use supervisor::Supervisor;
pub use trainer::{ALLOCATOR, Gone, Trainer, trainer_program};
pub use until::Until;
