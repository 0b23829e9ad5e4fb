//! What coordinator, supervisors and trainers say to each other, and in which form. The trainer needs this and no MPI, the
//! cluster needs this and no tensor.

mod allocator;
mod device_report;
mod frame;
mod message;
mod path;
mod placement;
mod preparation;
mod signals;

pub use allocator::ALLOCATOR;
pub use device_report::DeviceReport;
pub use frame::{Frames, decode, encode, read_frame, write_frame};
pub use message::{
    Assignment, ErrorReport, FromRank, FromTrainer, Isolation, Ready, Simulation, ToRank,
    ToTrainer, TrialEvent,
};
pub use placement::{Placement, processors};
pub use preparation::{LaunchSpec, RankPreparation, TrainerPreparation};
pub use signals::{
    SHUTDOWN_SIGNALS, Urgency, handle_signal, ignore_shutdown_signals, survive_file_limits,
};
