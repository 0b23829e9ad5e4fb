//! Slots: how many trials a rank trains at a time, and on what.

use std::str::FromStr;
use std::thread::available_parallelism;

use efflux_base::error::{Error, Result};
use efflux_job::DeviceChoice;
use efflux_numerics::Level;
use efflux_protocol::Placement;

use super::placement::{gpus, placements, slots_on};
use super::sharing::Sharing;

/// How many slots a rank has, as the user says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// One for each GPU of the rank; without GPUs what the processors give.
    Auto,
    /// So many.
    Number(u32),
}

impl FromStr for Slots {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(number @ 1..=1024)) => Ok(Self::Number(number)),
            _ => Err("expected `auto` or a number from 1 to 1024".to_owned()),
        }
    }
}

impl Slots {
    /// The slots of this rank, one of `ranks`, when a trainer takes `threads` processors.
    pub fn placed(self, device: DeviceChoice, threads: u32, ranks: u32) -> PlacedSlots {
        let gpus = gpus(device);
        let number = match self {
            Self::Number(number) => number,
            Self::Auto => slots_on(&gpus).unwrap_or_else(|| default_slots(threads, ranks)),
        };
        PlacedSlots {
            placements: placements(number, threads, &gpus),
            gpus,
        }
    }
}

/// The slots of a rank, with what they could have been placed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacedSlots {
    /// What each slot computes on.
    pub placements: Vec<Placement>,
    /// The GPUs and MIG instances that this rank may use, by UUID.
    pub gpus: Vec<String>,
}

/// Slots of a rank when the user does not say: under Slurm the task's processors; in an MPI launch one, else the processors
/// this process may use; divided by the threads a trainer takes.
fn default_slots(threads: u32, ranks: u32) -> u32 {
    let here = Sharing::of_this_process().ranks;
    let of_slurm = processors_by_slurm(here, |name| std::env::var(name).ok());
    let processors = available_parallelism().map_or(1, |count| count.get());
    slots_of(of_slurm, processors, threads, ranks)
}

/// The processors of a rank, one of so many on this host, by Slurm's variables: without `--cpus-per-task` its share of the
/// job's on this node.
fn processors_by_slurm(here: usize, variable: impl Fn(&str) -> Option<String>) -> Option<u32> {
    let number = |name| variable(name)?.parse::<u32>().ok();
    let share = || Some(number("SLURM_CPUS_ON_NODE")? / u32::try_from(here.max(1)).ok()?);
    number("SLURM_CPUS_PER_TASK").or_else(share)
}

fn slots_of(of_slurm: Option<u32>, processors: usize, threads: u32, ranks: u32) -> u32 {
    let processors = match of_slurm {
        Some(of_task) => of_task,
        None if ranks > 1 => 1,
        None => u32::try_from(processors).unwrap_or(u32::MAX),
    };
    (processors / threads.max(1)).max(1)
}

/// The level that trainers on these hosts keep to: the wanted one, else the lowest of all.
///
/// # Errors
///
/// [`Error::Usage`] if a host does not have the wanted one.
pub fn common_level<'a>(
    wanted: Option<Level>,
    hosts: impl IntoIterator<Item = (&'a str, Level)>,
) -> Result<Level> {
    let lowest = hosts.into_iter().min_by_key(|(_, level)| *level);
    let (host, lowest) = lowest.ok_or_else(|| Error::Internal("a launch without ranks".into()))?;
    match wanted {
        Some(wanted) if wanted > lowest => Err(Error::Usage(format!(
            "--level {}: {host} has {} at most",
            wanted.name(),
            lowest.name()
        ))),
        Some(wanted) => Ok(wanted),
        None => Ok(lowest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trainers_keep_to_the_lowest_level_of_all_hosts_or_to_a_lower_one_if_wanted() {
        let hosts = [("a", Level::Avx512), ("b", Level::Avx2)];
        assert_eq!(common_level(None, hosts).unwrap(), Level::Avx2);
        let baseline = Some(Level::Baseline);
        assert_eq!(common_level(baseline, hosts).unwrap(), Level::Baseline);
        let error = common_level(Some(Level::Avx512), hosts).unwrap_err();
        assert_eq!(error.to_string(), "--level avx512: b has avx2 at most");
    }

    #[test]
    fn without_cpus_per_task_a_rank_has_its_share_of_the_jobs_processors_on_the_node() {
        let found = |here, variables: &[(&str, &str)]| {
            processors_by_slurm(here, |name| {
                let known = variables.iter().find(|(known, _)| *known == name);
                known.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(found(1, &[]), None);
        assert_eq!(found(1, &[("SLURM_CPUS_ON_NODE", "1")]), Some(1));
        assert_eq!(found(2, &[("SLURM_CPUS_ON_NODE", "8")]), Some(4));
        let both = [("SLURM_CPUS_ON_NODE", "8"), ("SLURM_CPUS_PER_TASK", "3")];
        assert_eq!(found(2, &both), Some(3));
        // One slot, not every processor of the machine.
        assert_eq!(
            slots_of(found(1, &[("SLURM_CPUS_ON_NODE", "1")]), 64, 1, 1),
            1
        );
        assert_eq!(
            slots_of(found(2, &[("SLURM_CPUS_ON_NODE", "1")]), 64, 1, 2),
            1
        );
    }

    #[test]
    fn slurm_knows_better_than_the_processor_count() {
        assert_eq!(slots_of(Some(8), 64, 1, 4), 8);
        assert_eq!(slots_of(Some(8), 64, 3, 4), 2);
        assert_eq!(slots_of(Some(1), 64, 1, 1), 1);
    }

    #[test]
    fn without_slurm_one_process_takes_the_machine_and_a_rank_takes_one_slot() {
        assert_eq!(slots_of(None, 16, 1, 1), 16);
        assert_eq!(slots_of(None, 16, 1, 4), 1);
        assert_eq!(slots_of(None, 2, 4, 1), 1);
    }
}
