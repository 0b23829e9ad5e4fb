//! The beginning of a launch: ranks join, and are prepared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use efflux_base::error::{Error, Result};
use efflux_protocol::{FromRank, RankPreparation, Ready, ToRank};
use efflux_run::{Ledger, Lock, Rank};

use super::{Coordinator, Launch};
use crate::liveness::Liveness;
use crate::scheduler::{Event, Scheduler};
use crate::sharing::conflict;
use crate::shutdown::{Shutdown, ShutdownPhase};
use crate::slots::common_level;
use crate::transport::Transport;

/// How long ranks may take to join.
const JOINING: Duration = Duration::from_secs(120);

impl<'a> Coordinator<'a> {
    /// Waits until all ranks are ready, and prepares them for the launch.
    ///
    /// # Errors
    ///
    /// [`Error::Mpi`] if a rank does not join, [`Error::Device`] if two hold the same processors or GPU, and whatever hinders this rank's own trainers.
    pub fn join(
        launch: Launch,
        transport: Box<dyn Transport + 'a>,
        ledger: Ledger,
        lock: Lock,
    ) -> Result<Self> {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let mut this = Self {
            scheduler: Scheduler::new(launch.retries),
            shutdown: Shutdown::new(
                launch.deadline,
                seconds(launch.drain_seconds),
                seconds(launch.checkpoint_seconds),
            ),
            liveness: Liveness::new(seconds(launch.hang_seconds)),
            launch,
            transport,
            ledger,
            rungs: None,
            lock,
            heartbeats: BTreeMap::new(),
            begun: HashMap::new(),
            phase: ShutdownPhase::Running,
            elsewhere: None,
        };
        let ranks = this.joined()?;
        if let Some(conflict) = conflict(&ranks) {
            return Err(Error::Device(conflict));
        }
        let hosts = ranks.values().map(|ready| (&*ready.host, ready.level));
        let level = common_level(this.launch.level, hosts)?;
        let spec = this.launch.spec(level);
        for (&rank, ready) in &ranks {
            tracing::info!(%rank, host = %ready.host, slots = ready.slots, "joined");
            let preparation = RankPreparation {
                launch: spec.clone(),
                rank,
                hang_seconds: this.launch.hang_seconds,
            };
            let prepare = ToRank::Prepare(Box::new(preparation));
            this.transport.send(rank, prepare)?;
            let slots = ready.slots;
            this.scheduler.on(Event::Joined { rank, slots });
            if rank != Rank::COORDINATOR {
                this.liveness.hear(rank, this.transport.now());
            }
        }
        Ok(this)
    }

    fn joined(&mut self) -> Result<BTreeMap<Rank, Ready>> {
        let size = self.transport.size();
        let (mut ranks, mut lost) = (BTreeMap::new(), BTreeSet::new());
        let deadline = self.transport.now() + JOINING;
        while ranks.len() + lost.len() < size as usize {
            for (rank, message) in self.transport.receive()? {
                match message {
                    FromRank::Ready(ready) => {
                        ranks.insert(rank, ready);
                    }
                    FromRank::Signalled(urgency) => {
                        self.elsewhere = self.elsewhere.max(Some(urgency));
                    }
                    FromRank::Failed(report) => {
                        return Err(report.into_error(format_args!("rank {rank}")));
                    }
                    FromRank::Trial(_) => {
                        let reason = format!("rank {rank} reported before it was prepared");
                        return Err(Error::Mpi(reason));
                    }
                }
            }
            for rank in self.transport.lost() {
                tracing::error!(%rank, "lost before it had joined: going on without it");
                ranks.remove(&rank);
                lost.insert(rank);
            }
            if self.transport.now() > deadline {
                let all = (0..size).map(Rank);
                let missing = all.filter(|rank| !ranks.contains_key(rank) && !lost.contains(rank));
                let missing: Vec<String> = missing.map(|rank| rank.to_string()).collect();
                if !missing.is_empty() {
                    let missing = missing.join(", ");
                    let reason = format!("ranks {missing} did not join within {JOINING:?}");
                    return Err(Error::Mpi(reason));
                }
            }
        }
        Ok(ranks)
    }
}
