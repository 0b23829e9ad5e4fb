//! How the coordinator talks to the supervisors of all ranks, its own included, and what time it is.

use std::time::{Duration, Instant};

use efflux_base::error::Result;
use efflux_protocol::{FromRank, ToRank};
use efflux_run::Rank;

use super::mpi::World;
use super::slots::PlacedSlots;
use super::supervisor::Supervisor;

/// Without MPI there is nothing to look for between messages of trainers but signals and the lock.
const REST: Duration = Duration::from_millis(100);

/// The ranks of a launch, as the coordinator sees them. In tests they need no processes, and time is a number.
pub trait Transport {
    /// Number of ranks, the coordinator's own included.
    fn size(&self) -> u32;

    /// Sends a message without waiting for its arrival. To a rank that is gone it is lost.
    ///
    /// # Errors
    ///
    /// If it cannot be sent, or the coordinator's own supervisor cannot do what it says.
    fn send(&mut self, to: Rank, message: ToRank) -> Result<()>;

    /// The messages that have arrived, after waiting a little if none has.
    ///
    /// # Errors
    ///
    /// If receiving fails, or the coordinator's own supervisor does.
    fn receive(&mut self) -> Result<Vec<(Rank, FromRank)>>;

    /// Ranks that were found gone since the last call.
    fn lost(&mut self) -> Vec<Rank>;

    /// The time.
    fn now(&self) -> Instant;
}

/// The ranks of this launch, where the coordinator's own has a slot for each placement and so many lanes in each.
pub fn transport<'a>(
    world: Option<&'a mut World>,
    placed: PlacedSlots,
    lanes: u32,
) -> Box<dyn Transport + 'a> {
    let supervisor = Supervisor::new(placed, lanes);
    match world {
        None => Box::new(LocalRank { supervisor }),
        Some(world) => Box::new(MpiRanks { supervisor, world }),
    }
}

/// A launch of one process.
struct LocalRank {
    supervisor: Supervisor,
}

impl Transport for LocalRank {
    fn size(&self) -> u32 {
        1
    }

    fn send(&mut self, _to: Rank, message: ToRank) -> Result<()> {
        self.supervisor.handle(message)
    }

    fn receive(&mut self) -> Result<Vec<(Rank, FromRank)>> {
        own(&mut self.supervisor, REST)
    }

    fn lost(&mut self) -> Vec<Rank> {
        Vec::new()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The other ranks over MPI, and the coordinator's own in this process.
struct MpiRanks<'a> {
    supervisor: Supervisor,
    world: &'a mut World,
}

impl Transport for MpiRanks<'_> {
    fn size(&self) -> u32 {
        self.world.size()
    }

    fn send(&mut self, to: Rank, message: ToRank) -> Result<()> {
        if to == Rank::COORDINATOR {
            self.supervisor.handle(message)
        } else {
            self.world.send(to, &message)
        }
    }

    fn receive(&mut self) -> Result<Vec<(Rank, FromRank)>> {
        let mut arrived = Vec::new();
        while let Some(message) = self.world.receive()? {
            arrived.push(message);
        }
        let rest = if arrived.is_empty() {
            World::POLL_INTERVAL
        } else {
            Duration::ZERO
        };
        arrived.extend(own(&mut self.supervisor, rest)?);
        Ok(arrived)
    }

    fn lost(&mut self) -> Vec<Rank> {
        self.world.lost()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

fn own(supervisor: &mut Supervisor, rest: Duration) -> Result<Vec<(Rank, FromRank)>> {
    let messages = supervisor.poll(rest)?.into_iter();
    Ok(messages
        .map(|message| (Rank::COORDINATOR, message))
        .collect())
}
