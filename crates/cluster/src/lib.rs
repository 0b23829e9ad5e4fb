//! Where trials run: a coordinator that dispatches them, supervisors that look after slots, trainers that train.
//!
//! ```text
//! rank 0   coordinator + supervisor ──pipes── efflux-trainer, one per slot
//! rank r                 supervisor ──pipes── efflux-trainer, one per slot
//!             └───────── MPI ─────────┘
//! ```
//!
//! The coordinator talks to supervisors through a [`Transport`], supervisors talk to trainers in a [`TrainerSession`];
//! each hop has its own messages in `efflux-protocol`. With one process there is no MPI, and nothing else differs. This
//! package holds the only MPI and the only child processes, listens to signals, and never sees a tensor.

mod coordinator;
mod deadline;
mod environment;
mod liveness;
mod memory;
mod mpi;
mod placement;
mod progress;
mod rank;
mod scheduler;
mod session;
mod sharing;
mod shutdown;
mod signals;
mod slots;
mod supervisor;
mod trainer_process;
mod trainer_program;
mod transport;

pub use coordinator::{Coordinator, Ending, Launch, Notice, Tally};
pub use deadline::Deadline;
pub use mpi::{Library, World, library, promised_size};
pub use placement::{gpus, placements, slots_on};
pub use rank::{RankExit, dismiss_ranks, serve};
pub use scheduler::{Action, Event, Scheduler};
pub use session::TrainerSession;
pub use shutdown::{Shutdown, ShutdownPhase};
pub use signals::Signals;
pub use slots::{PlacedSlots, Slots, common_level};
pub use supervisor::Supervisor;
pub use trainer_process::TrainerExit;
pub use trainer_program::trainer_program;
pub use transport::{Transport, transport};
