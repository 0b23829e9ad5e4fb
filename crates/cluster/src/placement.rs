//! Placement of slots: processors of their own, and a GPU or a part of one.

use std::process::Command;

use efflux_job::DeviceChoice;
use efflux_protocol::{Placement, processors};

use super::sharing::Sharing;
use super::trainer_program::trainer_program;

/// The placements of so many slots of this rank, in their order.
///
/// Slots get processors of their own where a Slurm job owns those that this process may use, and has enough of them for
/// the ranks that share them; elsewhere another sweep would bind to the same ones. Of GPUs each rank has its share, which its
/// slots take in turn; where there are fewer GPUs than ranks, all slots of the host take them in turn.
pub fn placements(slots: u32, threads: u32, gpus: &[String]) -> Vec<Placement> {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let (processors, sharing) = owned(
        processors(),
        Sharing::of_this_process(),
        number("SLURM_CPUS_PER_TASK"),
        number("SLURM_CPUS_ON_NODE"),
    );
    place(slots as usize, threads as usize, sharing, &processors, gpus)
}

/// Those processors that belong to the job, and the ranks that share them: a task that Slurm bound has its own, one that
/// mpirun started shares all of the job's on this node.
fn owned(
    processors: Vec<usize>,
    sharing: Sharing,
    of_task: Option<usize>,
    on_node: Option<usize>,
) -> (Vec<usize>, Sharing) {
    if on_node == Some(processors.len()) {
        (processors, sharing)
    } else if of_task == Some(processors.len()) {
        (processors, Sharing::ALONE)
    } else {
        (Vec::new(), sharing)
    }
}

/// Slots of a rank that has GPUs, when the user does not say: one for each that is not another rank's.
pub fn slots_on(gpus: &[String]) -> Option<u32> {
    let each = gpus.len() / Sharing::of_this_process().ranks.max(1);
    (!gpus.is_empty()).then(|| u32::try_from(each).unwrap_or(u32::MAX).max(1))
}

fn place(
    slots: usize,
    threads: usize,
    sharing: Sharing,
    processors: &[usize],
    gpus: &[String],
) -> Vec<Placement> {
    let wanted = slots * threads;
    let has_enough = wanted * sharing.ranks <= processors.len();
    let first = sharing.index * wanted;
    (0..slots)
        .map(|slot| Placement {
            cpus: if has_enough {
                let begin = first + slot * threads;
                processors[begin..begin + threads].to_vec()
            } else {
                Vec::new()
            },
            gpu: (!gpus.is_empty()).then(|| {
                if gpus.len() < sharing.ranks {
                    gpus[(sharing.index * slots + slot) % gpus.len()].clone()
                } else {
                    let share = share_of(gpus, sharing);
                    share[slot % share.len()].clone()
                }
            }),
        })
        .collect()
}

/// The part of the GPUs that is this rank's, of at least one for each rank of the host.
fn share_of(gpus: &[String], Sharing { ranks, index }: Sharing) -> &[String] {
    &gpus[index * gpus.len() / ranks..(index + 1) * gpus.len() / ranks]
}

/// The GPUs and MIG instances that this process may use, by UUID; none without NVIDIA's driver, or if the job keeps to
/// CPUs.
pub fn gpus(choice: DeviceChoice) -> Vec<String> {
    if choice == DeviceChoice::Cpu {
        return Vec::new();
    }
    let Ok(listing) = Command::new("nvidia-smi").arg("-L").output() else {
        return Vec::new();
    };
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let listing = String::from_utf8_lossy(&listing.stdout);
    let gpus = allowed(&listed(&listing), visible.as_deref());
    if choice == DeviceChoice::Auto
        && !gpus.is_empty()
        && let Err(reason) = usable()
    {
        tracing::warn!(
            "nvidia-smi lists {}, which trainers cannot use: training on processors. {reason}",
            gpus.join(", ")
        );
        return Vec::new();
    }
    gpus
}

/// Whether trainers can use any GPU here, by asking one. What they say if not.
fn usable() -> Result<(), String> {
    let program = trainer_program().map_err(|error| error.to_string())?;
    let asked = Command::new(program).arg("--gpus").output();
    let asked = asked.map_err(|error| error.to_string())?;
    if asked.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&asked.stderr).trim().to_owned())
    }
}

/// A GPU of `nvidia-smi -L`, with its MIG instances.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    uuid: String,
    instances: Vec<String>,
}

/// Reads lines like `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)` and, below a GPU that is cut into instances,
/// `  MIG 1g.5gb     Device  0: (UUID: MIG-…)`. Other lines say nothing.
fn listed(listing: &str) -> Vec<Listed> {
    let mut found: Vec<Listed> = Vec::new();
    for line in listing.lines() {
        let Some((_, uuid)) = line.rsplit_once("(UUID: ") else {
            continue;
        };
        let uuid = uuid.trim_end().trim_end_matches(')').to_owned();
        if line.starts_with("GPU ") {
            found.push(Listed {
                uuid,
                instances: Vec::new(),
            });
        } else if let Some(gpu) = found
            .last_mut()
            .filter(|_| line.trim_start().starts_with("MIG "))
        {
            gpu.instances.push(uuid);
        }
    }
    found
}

/// Those that `CUDA_VISIBLE_DEVICES` leaves: numbers, UUIDs or beginnings of UUIDs, up to the first that is none. Of a
/// GPU that is cut into instances, the instances: CUDA computes on nothing else there.
fn allowed(listed: &[Listed], visible: Option<&str>) -> Vec<String> {
    let of = |gpu: &Listed| match gpu.instances.len() {
        0 => vec![gpu.uuid.clone()],
        _ => gpu.instances.clone(),
    };
    let Some(visible) = visible else {
        return listed.iter().flat_map(of).collect();
    };
    let find = |name: &str| -> Vec<String> {
        if let Ok(number) = name.parse::<usize>() {
            return listed.get(number).map(of).unwrap_or_default();
        }
        let instances = listed.iter().flat_map(|gpu| &gpu.instances);
        let named = |uuid: &&String| !name.is_empty() && uuid.starts_with(name);
        match listed.iter().find(|gpu| named(&&gpu.uuid)) {
            Some(gpu) => of(gpu),
            None => instances.filter(named).take(1).cloned().collect(),
        }
    };
    visible
        .split(',')
        .map(|name| find(name.trim()))
        .take_while(|found| !found.is_empty())
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Sharing = Sharing::ALONE;

    /// Two whole GPUs.
    const WHOLE: &str = "\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-06a3a0ac-2d41-1f0a-4e69-7d0b6b5e6a11)
";

    /// The first GPU is cut into instances, the second is whole.
    const CUT: &str = "\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-a75d-5afc-978f-d2f1294409fd)
  MIG 1g.5gb      Device  1: (UUID: MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-06a3a0ac-2d41-1f0a-4e69-7d0b6b5e6a11)
";

    fn uuids(listing: &str, visible: Option<&str>) -> Vec<String> {
        let short = |uuid: String| uuid[..8].to_owned();
        allowed(&listed(listing), visible)
            .into_iter()
            .map(short)
            .collect()
    }

    #[test]
    fn whole_gpus_and_instances_are_found_and_a_gpu_that_is_cut_counts_by_its_instances() {
        assert_eq!(uuids(WHOLE, None), ["GPU-5d5b", "GPU-06a3"]);
        assert_eq!(uuids(CUT, None), ["MIG-c738", "MIG-a28a", "GPU-06a3"]);
        let broken =
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n";
        assert!(uuids(broken, None).is_empty());
        assert!(uuids("No devices found.\n", None).is_empty());
    }

    #[test]
    fn what_the_scheduler_made_visible_is_all_that_is_taken() {
        assert_eq!(uuids(WHOLE, Some("1")), ["GPU-06a3"]);
        assert_eq!(uuids(WHOLE, Some("1,0")), ["GPU-06a3", "GPU-5d5b"]);
        assert_eq!(uuids(WHOLE, Some("GPU-06a3")), ["GPU-06a3"]);
        assert_eq!(uuids(CUT, Some("0")), ["MIG-c738", "MIG-a28a"]);
        let second = "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d";
        assert_eq!(uuids(CUT, Some(second)), ["MIG-a28a"]);
        // As CUDA has it: what follows a name that is none is not seen.
        assert_eq!(uuids(WHOLE, Some("0,-1,1")), ["GPU-5d5b"]);
        assert!(uuids(WHOLE, Some("")).is_empty());
    }

    #[test]
    fn slots_have_processors_of_their_own_where_there_are_enough() {
        let processors = [2, 3, 8, 9];
        let cpus = |slots, threads, sharing| -> Vec<Vec<usize>> {
            let placed = place(slots, threads, sharing, &processors, &[]);
            placed.into_iter().map(|one| one.cpus).collect()
        };
        assert_eq!(cpus(2, 2, ALONE), [[2, 3], [8, 9]]);
        assert_eq!(cpus(3, 1, ALONE), [[2], [3], [8]]);
        let second = Sharing { ranks: 2, index: 1 };
        assert_eq!(cpus(1, 2, second), [[8, 9]]);
        assert_eq!(cpus(2, 2, second), [[], []] as [[usize; 0]; 2]);
    }

    #[test]
    fn only_processors_that_slurm_says_are_the_jobs_are_bound_to() {
        let two = Sharing { ranks: 2, index: 1 };
        let four = || vec![0, 1, 2, 3];
        let found = |of_task, on_node| owned(four(), two, of_task, on_node);
        assert_eq!(found(None, None), (vec![], two));
        assert_eq!(found(Some(2), Some(4)), (four(), two));
        assert_eq!(found(Some(4), Some(8)), (four(), ALONE));
        // No cpuset around the job: the node's other processors are somebody else's.
        assert_eq!(found(Some(1), Some(2)), (vec![], two));
    }

    #[test]
    fn slots_share_gpus_evenly() {
        let gpus = ["a".to_owned(), "b".to_owned()];
        let shared = |slots, sharing| -> Vec<String> {
            let placed = place(slots, 1, sharing, &[], &gpus);
            placed.into_iter().filter_map(|one| one.gpu).collect()
        };
        assert_eq!(shared(4, ALONE), ["a", "b", "a", "b"]);
        let of_two = |slots| [0, 1].map(|index| shared(slots, Sharing { ranks: 2, index }));
        assert_eq!(of_two(1), [["a"], ["b"]]);
        // Two ranks never hold the same GPU if there is one for each.
        assert_eq!(of_two(2), [["a", "a"], ["b", "b"]]);
        let of_three = [0, 1, 2].map(|index| shared(1, Sharing { ranks: 3, index }));
        assert_eq!(of_three, [["a"], ["b"], ["a"]]);
    }
}
