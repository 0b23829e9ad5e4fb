//! Which ranks of a launch share a host, by whatever launcher, and whether they got into each other's way.

use std::collections::{BTreeMap, BTreeSet};

use efflux_protocol::Ready;
use efflux_run::Rank;

/// Ranks of a launch on one host that may use the same processors and GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sharing {
    /// How many there are.
    pub ranks: usize,
    /// Which of them this one is, from 0.
    pub index: usize,
}

/// Variables with the number of ranks on this host and this one's place among them. Inside mpirun, Slurm's are those of the
/// step that mpirun itself runs in, so they come last.
const LAUNCHERS: [(&str, &str); 5] = [
    ("OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("MPI_LOCALNRANKS", "MPI_LOCALRANKID"),
    ("MV2_COMM_WORLD_LOCAL_SIZE", "MV2_COMM_WORLD_LOCAL_RANK"),
    ("PMI_LOCAL_SIZE", "PMI_LOCAL_RANK"),
    ("PALS_LOCAL_SIZE", "PALS_LOCAL_RANKID"),
];

impl Sharing {
    pub(super) const ALONE: Self = Self { ranks: 1, index: 0 };

    /// What the launcher says of this process.
    pub(super) fn of_this_process() -> Self {
        Self::told(|name| std::env::var(name).ok()).unwrap_or(Self::ALONE)
    }

    fn told(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse::<usize>().ok();
        let mut told = LAUNCHERS
            .iter()
            .map(|(size, rank)| Some((number(size)?, number(rank)?)));
        let of_slurm = || {
            let counts = variable("SLURM_STEP_TASKS_PER_NODE")?;
            let node = number("SLURM_NODEID").unwrap_or(0);
            Some((tasks_of(&counts, node)?, number("SLURM_LOCALID")?))
        };
        let (ranks, index) = told.find_map(|told| told).or_else(of_slurm)?;
        (index < ranks).then_some(Self { ranks, index })
    }
}

/// The tasks of one node in Slurm's list of all, such as `2(x3),1`.
fn tasks_of(counts: &str, node: usize) -> Option<usize> {
    let mut before = 0;
    for run in counts.split(',') {
        let (tasks, nodes) = match run.split_once("(x") {
            Some((tasks, nodes)) => (tasks, nodes.strip_suffix(')')?.parse().ok()?),
            None => (run, 1),
        };
        before += nodes;
        if node < before {
            return tasks.trim().parse().ok();
        }
    }
    None
}

/// What two ranks of a machine both hold although there is one for each: then the launcher did not say who is who.
pub(super) fn conflict(ranks: &BTreeMap<Rank, Ready>) -> Option<String> {
    let mut machines: BTreeMap<&str, Vec<(&Rank, &Ready)>> = BTreeMap::new();
    for (rank, ready) in ranks {
        machines
            .entry(&ready.machine)
            .or_default()
            .push((rank, ready));
    }
    machines.values().find_map(|there| conflict_on_one(there))
}

/// The same of the ranks of one machine.
fn conflict_on_one(ranks: &[(&Rank, &Ready)]) -> Option<String> {
    let gpus: BTreeSet<&String> = ranks.iter().flat_map(|(_, ready)| &ready.gpus).collect();
    let (there, sharers) = (gpus.len(), ranks.len());
    let pairs = ranks.iter().enumerate().flat_map(|(place, one)| {
        let after = ranks[place + 1..].iter();
        after.map(move |other| (one, other))
    });
    for ((rank, one), (other_rank, other)) in pairs {
        let held = one.placements.iter().flat_map(|placement| &placement.cpus);
        let by_other = |cpu: &&usize| other.placements.iter().any(|held| held.cpus.contains(cpu));
        if let Some(cpu) = held.clone().find(by_other) {
            return Some(format!(
                "ranks {rank} and {other_rank} on {} would both bind trainers to processor {cpu}, {ADVICE}",
                one.host
            ));
        }
        let gpus = one
            .placements
            .iter()
            .filter_map(|placement| placement.gpu.as_ref());
        let shared = gpus.filter(|gpu| {
            let mut of_other = other.placements.iter();
            of_other.any(|held| held.gpu.as_ref() == Some(*gpu))
        });
        if let Some(gpu) = shared.clone().next()
            && there >= sharers
        {
            return Some(format!(
                "ranks {rank} and {other_rank} on {} would both compute on {gpu}, although there are {there} GPUs for \
                 {sharers} ranks, {ADVICE}",
                one.host
            ));
        }
    }
    None
}

const ADVICE: &str = "because the launcher does not say which rank of the host each is: start the ranks with mpirun, or with \
    srun and --cpus-per-task and --gpus-per-task, and without --slots";

#[cfg(test)]
mod tests {
    use super::*;
    use efflux_numerics::Level;
    use efflux_protocol::Placement;

    fn told(variables: &[(&str, &str)]) -> Option<Sharing> {
        Sharing::told(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_launcher_says_in_its_own_way_which_rank_of_a_host_this_is() {
        assert_eq!(told(&[]), None);
        let second_of_two = Some(Sharing { ranks: 2, index: 1 });
        for (size, rank) in LAUNCHERS {
            assert_eq!(told(&[(size, "2"), (rank, "1")]), second_of_two, "{rank}");
        }
        let srun = [
            ("SLURM_STEP_TASKS_PER_NODE", "4(x2),2"),
            ("SLURM_NODEID", "2"),
            ("SLURM_LOCALID", "1"),
        ];
        assert_eq!(told(&srun), second_of_two);
        // mpirun inside a step of Slurm.
        let [(size, rank), ..] = LAUNCHERS;
        let within = [
            srun[0],
            srun[1],
            ("SLURM_LOCALID", "0"),
            (size, "2"),
            (rank, "1"),
        ];
        assert_eq!(told(&within), second_of_two);
        for nonsense in [("2", "2"), ("many", "0"), ("2", "-1")] {
            assert_eq!(told(&[(size, nonsense.0), (rank, nonsense.1)]), None);
        }
    }

    #[test]
    fn the_tasks_of_a_node_are_found_in_slurms_list() {
        let of = |node| tasks_of("2(x3),1", node);
        assert_eq!(
            [of(0), of(2), of(3), of(4)],
            [Some(2), Some(2), Some(1), None]
        );
        assert_eq!(tasks_of("many", 0), None);
    }

    fn ready(machine: &str, cpus: &[usize], gpu: Option<&str>) -> Ready {
        Ready {
            slots: 1,
            host: machine.to_owned(),
            machine: machine.to_owned(),
            level: Level::Baseline,
            placements: vec![Placement {
                cpus: cpus.to_vec(),
                gpu: gpu.map(str::to_owned),
            }],
            gpus: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    fn found(ranks: &[Ready]) -> Option<String> {
        conflict(&(0..).map(Rank).zip(ranks.iter().cloned()).collect())
    }

    #[test]
    fn two_ranks_of_a_machine_that_hold_the_same_are_found_out_unless_there_is_no_more() {
        let same = found(&[ready("x", &[0, 1], None), ready("x", &[1], None)]).unwrap();
        assert!(
            same.contains("ranks 0 and 1 on x") && same.contains("processor 1"),
            "{same}"
        );
        assert_eq!(
            found(&[ready("x", &[0], None), ready("y", &[0], None)]),
            None
        );
        assert_eq!(
            found(&[ready("x", &[0], None), ready("x", &[1], None)]),
            None
        );
        assert_eq!(found(&[ready("x", &[], None), ready("x", &[], None)]), None);
        let on = |gpu| ready("x", &[], Some(gpu));
        let same = found(&[on("a"), on("a")]).unwrap();
        assert!(
            same.contains("compute on a, although there are 2 GPUs"),
            "{same}"
        );
        // Neither said which it is, and each took all.
        let all = || {
            let mut ready = on("a");
            ready.placements.extend(on("b").placements);
            ready
        };
        assert!(found(&[all(), all()]).is_some());
        // Three ranks for two GPUs have to share.
        assert_eq!(found(&[on("a"), on("b"), on("a")]), None);
    }
}
