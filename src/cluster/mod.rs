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
mod message;
mod mpi;
mod scheduler;
mod signals;
mod slots;
mod supervisor;
mod trainer;

pub use coordinator::{Coordinator, Ending, Launch, Notice, Tally, dismiss_ranks};
pub use frame::{Frames, encode, read_frame, write_frame};
pub use message::{Assignment, Order, Preparation, Ready, Report};
pub use mpi::{Library, World, library, promised_size};
pub use scheduler::{Action, Event, Scheduler};
pub use signals::{interrupts, survive_file_limits};
pub use slots::{Level, default_slots};
pub use supervisor::{Supervisor, serve};
pub use trainer::{ALLOCATOR, Trainer, trainer_program};
