//! What coordinator, supervisors and trainers say to each other, and in which form. The trainer needs this and no MPI, the
//! cluster needs this and no tensor.

mod allocator;
mod frame;
mod message;
mod seat;
mod seen;
mod signals;

pub use allocator::ALLOCATOR;
pub use frame::{Frames, decode, encode, read_frame, write_frame};
pub use message::{Assignment, Company, Order, Preparation, Ready, Report, Simulation};
pub use seat::{Seat, processors};
pub use seen::Seen;
pub use signals::{Haste, handle_signal, leave_signals_to_the_supervisor, survive_file_limits};
