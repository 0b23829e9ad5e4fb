//! What `efflux-trainer` does: takes orders on stdin, reports on stdout, and lives for many trials.
//!
//! ```text
//! server       prepares itself, then does what it is told, until it is told to stop
//! concurrent   trials that are trained side by side
//! attempt      one of them: its beginning or resumption, its checkpoints
//! evaluate     what becomes of a trained model
//! new_sites    sites that it had no day of
//! simulation   a member that was trained before
//! ```

mod adapt;
mod attempt;
mod concurrent;
mod context;
mod evaluate;
mod new_sites;
mod pipes;
mod residual;
mod server;
mod simulation;
#[cfg(test)]
mod tests;

pub use server::serve;

use std::time::Duration;

/// Time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(1);
