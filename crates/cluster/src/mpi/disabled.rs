//! A build without MPI: one process is all there is.

use std::convert::Infallible;
use std::time::Duration;

use efflux_base::error::{Error, Exit, Result};
use efflux_run::Rank;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A world of several processes: there is none in this build.
#[derive(Debug)]
pub struct World(Infallible);

impl World {
    /// How long a rank rests between two looks for messages.
    pub const POLL_INTERVAL: Duration = Duration::from_millis(4);

    /// Always alone.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if a launcher promised company.
    pub fn join() -> Result<Option<Self>> {
        match super::promised_size()? {
            None | Some(1) => Ok(None),
            Some(promised) => Err(Error::Mpi(format!(
                "the launcher promised {promised} processes, but this efflux was built without MPI \
                 (build it with the `mpi` feature, or start one process)"
            ))),
        }
    }

    pub(super) fn library_version() -> String {
        "none (built without MPI)".to_owned()
    }

    /// This process's rank.
    pub fn rank(&self) -> Rank {
        match self.0 {}
    }

    /// Number of ranks.
    pub fn size(&self) -> u32 {
        match self.0 {}
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// Never called.
    pub fn send(&mut self, _to: Rank, _message: &impl Serialize) -> Result<()> {
        match self.0 {}
    }

    /// Receives a message.
    ///
    /// # Errors
    ///
    /// Never called.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<(Rank, T)>> {
        match self.0 {}
    }

    /// Ranks that are gone and were not told of before.
    pub fn lost(&mut self) -> Vec<Rank> {
        match self.0 {}
    }

    /// Whether any rank is gone.
    pub fn has_lost(&self) -> bool {
        match self.0 {}
    }

    /// Leaves the world.
    pub fn leave(self, _exit: Exit) {
        match self.0 {}
    }
}
