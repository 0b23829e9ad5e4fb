//! The beginning: who is there, and what all of them are to know.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_protocol::{Order, Preparation, Ready, Report, Seat};
use efflux_run::{Ledger, Lock};

use super::{Coordinator, Launch};
use crate::leaving::{Leaving, Step};
use crate::mpi::World;
use crate::roll::Roll;
use crate::scheduler::{Event, Scheduler};
use crate::slots::common_level;
use crate::supervisor::Supervisor;

/// How long ranks may take to join.
const GATHERING: Duration = Duration::from_secs(120);

impl<'a> Coordinator<'a> {
    /// Waits until all ranks are ready, and prepares them for the launch.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if a rank does not come, and whatever hinders this rank's own trainers.
    pub fn gather(
        launch: Launch,
        world: Option<&'a mut World>,
        seats: Vec<Seat>,
        ledger: Ledger,
        lock: Lock,
    ) -> Result<Self> {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let mut this = Self {
            supervisor: Supervisor::new(seats, launch.lanes),
            scheduler: Scheduler::new(launch.retries),
            leaving: Leaving::new(
                launch.until,
                seconds(launch.drain_seconds),
                seconds(launch.checkpoint_seconds),
            ),
            roll: Roll::new(seconds(launch.hang_seconds)),
            launch,
            world,
            ledger,
            lock,
            beats: BTreeMap::new(),
            begun: HashMap::new(),
            step: Step::Stay,
            elsewhere: None,
        };
        let ranks = this.joined()?;
        let hosts = ranks.values().map(|ready| (&*ready.host, ready.level));
        let level = common_level(this.launch.level, hosts)?;
        for (&rank, ready) in &ranks {
            tracing::info!(rank, host = %ready.host, slots = ready.slots, "joined");
            let preparation = Preparation {
                launch: this.launch.name.clone(),
                run: this.launch.run.root().to_owned(),
                pack: this.launch.pack.clone(),
                contract: this.launch.contract.clone(),
                device: this.launch.device,
                level,
                checkpoint_seconds: this.launch.checkpoint_seconds,
                hang_seconds: this.launch.hang_seconds,
                lanes: this.launch.lanes,
                rank,
                slot: 0,
                seat: Seat::default(),
            };
            this.order(rank, Order::Prepare(Box::new(preparation)))?;
            let slots = ready.slots;
            this.scheduler.on(Event::Joined { rank, slots });
            if rank != 0 {
                this.roll.hear(rank, Instant::now());
            }
        }
        Ok(this)
    }

    fn joined(&mut self) -> Result<BTreeMap<u32, Ready>> {
        let mut ranks = BTreeMap::from([(0, self.supervisor.ready())]);
        let Some(world) = &mut self.world else {
            return Ok(ranks);
        };
        let deadline = Instant::now() + GATHERING;
        let mut lost = BTreeSet::new();
        while ranks.len() + lost.len() < world.size() as usize {
            let arrived = world.receive()?;
            for rank in world.lost() {
                tracing::error!(rank, "lost before it had joined: going on without it");
                ranks.remove(&rank);
                lost.insert(rank);
            }
            match arrived {
                Some((rank, Report::Ready(ready))) => {
                    ranks.insert(rank, ready);
                }
                Some((_, Report::Signalled(haste))) => {
                    self.elsewhere = self.elsewhere.max(Some(haste));
                }
                Some((rank, _)) => {
                    let reason = format!("rank {rank} reported before it was ready");
                    return Err(Error::Mpi(reason));
                }
                None if Instant::now() > deadline => {
                    let missing: Vec<String> = (0..world.size())
                        .filter(|rank| !ranks.contains_key(rank) && !lost.contains(rank))
                        .map(|rank| rank.to_string())
                        .collect();
                    let missing = missing.join(", ");
                    let reason = format!("ranks {missing} did not join within {GATHERING:?}");
                    return Err(Error::Mpi(reason));
                }
                None => std::thread::sleep(World::BREATH),
            }
        }
        Ok(ranks)
    }
}
