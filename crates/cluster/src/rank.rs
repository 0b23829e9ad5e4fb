//! Any rank but the coordinator's: a supervisor that is told over MPI what to do.

use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_protocol::{ErrorReport, FromRank, RankPreparation, ToRank};
use efflux_run::Rank;

use super::mpi::World;
use super::signals::Signals;
use super::slots::PlacedSlots;
use super::supervisor::Supervisor;

/// How long trainers have for a last checkpoint when the coordinator is gone.
const ORPHANED: Duration = Duration::from_secs(15);

/// Why a rank ends in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankExit {
    /// The coordinator said so.
    Dismissed,
    /// The coordinator is gone: the same command continues.
    Orphaned,
}

/// Works for the coordinator until it says [`ToRank::Stop`] or is gone, with a slot for each placement and so many lanes in
/// each. `prepared` hears of the launch when it begins.
///
/// # Errors
///
/// What stopped this rank; the coordinator has been told.
pub fn serve(
    world: &mut World,
    placed: PlacedSlots,
    lanes: u32,
    mut signals: Signals,
    mut prepared: impl FnMut(&RankPreparation) -> Result<()>,
) -> Result<RankExit> {
    let mut supervisor = Supervisor::new(placed, lanes);
    let (mut failed, mut asked) = (None, None);
    loop {
        let mut heard = false;
        while let Some((_, message)) = world.receive()? {
            heard = true;
            if message == ToRank::Stop {
                supervisor.stop();
                return failed.map_or(Ok(RankExit::Dismissed), Err);
            }
            if failed.is_none() {
                let listened = match &message {
                    ToRank::Prepare(preparation) => prepared(preparation),
                    _ => Ok(()),
                };
                let done = listened.and_then(|()| supervisor.handle(message));
                failed = tell(world, done)?;
            }
        }
        if world.lost().contains(&Rank::COORDINATOR) {
            tracing::error!("rank 0 is gone: the same command continues");
            return drain(&mut supervisor).map(|()| RankExit::Orphaned);
        }
        let says = signals.asked();
        if let Some(urgency) = says.filter(|_| says > asked) {
            asked = says;
            world.send(Rank::COORDINATOR, &FromRank::Signalled(urgency))?;
        }
        if failed.is_some() {
            // All that is left to do is to wait for the coordinator to stop the others too.
            std::thread::sleep(World::POLL_INTERVAL);
            continue;
        }
        let rest = if heard {
            Duration::ZERO
        } else {
            World::POLL_INTERVAL
        };
        match supervisor.poll(rest) {
            Ok(messages) => messages
                .iter()
                .try_for_each(|message| world.send(Rank::COORDINATOR, message))?,
            Err(error) => failed = tell(world, Err(error))?,
        }
    }
}

/// Tells the other ranks to stop.
pub fn dismiss_ranks(world: &mut World) {
    for rank in (1..world.size()).map(Rank) {
        if let Err(error) = world.send(rank, &ToRank::Stop) {
            tracing::warn!(%rank, "{error}");
        }
    }
}

/// Has the trainers write checkpoints and stop. Records of trials that end meanwhile are in the journal.
fn drain(supervisor: &mut Supervisor) -> Result<()> {
    let deadline = Instant::now() + ORPHANED;
    supervisor.handle(ToRank::Drain)?;
    while supervisor.is_busy() && Instant::now() < deadline {
        supervisor.poll(World::POLL_INTERVAL)?;
    }
    supervisor.stop();
    Ok(())
}

/// Lets the coordinator know of an error, and hands it back.
fn tell(world: &mut World, result: Result<()>) -> Result<Option<Error>> {
    let Err(error) = result else {
        return Ok(None);
    };
    tracing::error!("{error}");
    let report = ErrorReport::from(&error);
    world.send(Rank::COORDINATOR, &FromRank::Failed(report))?;
    Ok(Some(error))
}
