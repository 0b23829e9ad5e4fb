//! Any rank but 0: a supervisor that takes its orders over MPI.

use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_protocol::{Order, Preparation, Report, Seat};

use super::mpi::World;
use super::signals::Signals;
use super::supervisor::Supervisor;

/// How long trainers have for a last checkpoint when rank 0 is gone.
const ORPHANED: Duration = Duration::from_secs(15);

/// Why a rank stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The coordinator said so.
    Dismissed,
    /// The coordinator is gone: the same command continues.
    Orphaned,
}

/// Works for the coordinator on rank 0 until it says [`Order::Stop`] or is gone, with a slot for each seat and so many
/// lanes in each. `prepared` hears of the launch when it begins.
///
/// # Errors
///
/// What stopped this rank; the coordinator has been told.
pub fn serve(
    world: &mut World,
    seats: Vec<Seat>,
    lanes: u32,
    mut signals: Signals,
    mut prepared: impl FnMut(&Preparation) -> Result<()>,
) -> Result<Parting> {
    let mut supervisor = Supervisor::new(seats, lanes);
    let (mut failed, mut asked) = (None, None);
    world.send(0, &Report::Ready(supervisor.ready()))?;
    loop {
        let mut heard = false;
        while let Some((_, order)) = world.receive::<Order>()? {
            heard = true;
            if order == Order::Stop {
                supervisor.stop();
                return failed.map_or(Ok(Parting::Dismissed), Err);
            }
            if failed.is_none() {
                let listened = match &order {
                    Order::Prepare(preparation) => prepared(preparation),
                    _ => Ok(()),
                };
                let done = listened.and_then(|()| supervisor.order(order));
                failed = tell(world, done)?;
            }
        }
        if world.lost().contains(&0) {
            tracing::error!("rank 0 is gone: the same command continues");
            return drain(&mut supervisor).map(|()| Parting::Orphaned);
        }
        let says = signals.asked();
        if let Some(haste) = says.filter(|_| says > asked) {
            asked = says;
            world.send(0, &Report::Signalled(haste))?;
        }
        if failed.is_some() {
            // Nothing is left to do here but to hear that the others have stopped too.
            std::thread::sleep(World::BREATH);
            continue;
        }
        let breath = if heard { Duration::ZERO } else { World::BREATH };
        match supervisor.poll(breath) {
            Ok(reports) => reports
                .iter()
                .try_for_each(|report| world.send(0, report))?,
            Err(error) => failed = tell(world, Err(error))?,
        }
    }
}

/// Has the trainers write checkpoints and stop. Records that end meanwhile are in the journal.
fn drain(supervisor: &mut Supervisor) -> Result<()> {
    let deadline = Instant::now() + ORPHANED;
    supervisor.order(Order::Drain)?;
    while supervisor.is_busy() && Instant::now() < deadline {
        supervisor.poll(World::BREATH)?;
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
    world.send(0, &Report::Unable(error.to_string()))?;
    Ok(Some(error))
}
