//! What a trainer finds that it computes on, compared with what was planned for it.

use std::fmt::Write;

use efflux_base::error::{Error, Result};
use efflux_job::DeviceChoice;
use efflux_run::host;
use serde::{Deserialize, Serialize};

use super::preparation::TrainerPreparation;

/// What a trainer finds once it is bound to its processors and has opened its device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// The GPUs and MIG instances that CUDA shows it, by UUID without `GPU-` or `MIG-`. It computes on the first one; on
    /// processors if there is none.
    pub gpus: Vec<String>,
    /// The processors that it may run on, by the kernel's numbers.
    pub cpus: Vec<usize>,
    /// The name of the instruction-set level that it keeps to.
    pub level: String,
    /// How many threads share one operation on processors.
    pub threads: u32,
}

impl DeviceReport {
    /// Compares it with what was planned. A trainer that differs must not be given any work.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] with what was planned, what was seen, and what to do.
    pub fn check(&self, planned: &TrainerPreparation) -> Result<()> {
        let wrong = [
            self.wrong_device(planned),
            self.wrong_processors(planned),
            self.wrong_level(planned),
            self.wrong_threads(planned),
        ];
        match wrong.into_iter().flatten().next() {
            None => Ok(()),
            Some(reason) => {
                let (slot, host) = (planned.slot, host());
                Err(Error::Device(format!("slot {slot} on {host}: {reason}")))
            }
        }
    }

    fn wrong_device(&self, planned: &TrainerPreparation) -> Option<String> {
        let seen = match self.gpus[..] {
            [] => "no GPU".to_owned(),
            _ => self.gpus.join(", "),
        };
        match (&planned.placement.gpu, planned.launch.device) {
            (Some(gpu), _) => {
                // Drivers before 470 named an instance by its GPU: MIG-GPU-…/1/0.
                let is_it = |seen: &String| gpu.to_lowercase().contains(&seen.to_lowercase());
                let fits = matches!(&self.gpus[..], [only] if is_it(only));
                (!fits).then(|| {
                    format!(
                        "planned {gpu}, but its trainer sees {seen}: something sets CUDA_VISIBLE_DEVICES after efflux has \
                         (EFFLUX_TRAINER, a container), or the GPU is gone (`nvidia-smi -L`); --device cpu does without"
                    )
                })
            }
            (None, DeviceChoice::Cpu) if !self.gpus.is_empty() => Some(format!(
                "planned processors, but its trainer computes on GPU {seen}: EFFLUX_TRAINER names a trainer of another \
                 version"
            )),
            (None, DeviceChoice::Cuda) if self.gpus.is_empty() => Some(format!(
                "planned a GPU, but its trainer sees {seen}: `efflux doctor` says what libtorch finds on this node; \
                 --device cpu does without"
            )),
            // Without nvidia-smi nobody knows which GPUs there are: the trainer takes what it finds.
            (None, _) => None,
        }
    }

    fn wrong_processors(&self, planned: &TrainerPreparation) -> Option<String> {
        let bound = &planned.placement.cpus;
        (!bound.is_empty() && *bound != self.cpus).then(|| {
            format!(
                "planned processors {}, but its trainer may run on {}: something binds it besides efflux (a cpuset, \
                 EFFLUX_TRAINER); take that away, or ask for fewer --slots",
                ranges(bound),
                ranges(&self.cpus)
            )
        })
    }

    fn wrong_level(&self, planned: &TrainerPreparation) -> Option<String> {
        let level = planned.launch.level.name();
        (level != self.level).then(|| {
            format!(
                "planned instructions up to {level}, but its trainer uses {}, which gives other last bits: something sets \
                 ATEN_CPU_CAPABILITY after efflux has (EFFLUX_TRAINER, a container); --level holds all trainers to one",
                self.level
            )
        })
    }

    fn wrong_threads(&self, planned: &TrainerPreparation) -> Option<String> {
        let threads = planned.launch.settings.training.threads;
        (threads != self.threads).then(|| {
            format!(
                "planned training.threads = {threads}, but its libtorch uses {}, which gives other last bits: this \
                 libtorch was built without OpenMP (`efflux doctor` names it)",
                self.threads
            )
        })
    }
}

/// Numbers as the kernel lists processors: `0-3,8`.
fn ranges(numbers: &[usize]) -> String {
    let mut text = String::new();
    for run in numbers.chunk_by(|left, right| left + 1 == *right) {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = match run {
            [first, .., last] => write!(text, "{comma}{first}-{last}"),
            [only] => write!(text, "{comma}{only}"),
            [] => Ok(()),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{LaunchSpec, Placement};
    use efflux_job::{Job, Variables};
    use efflux_numerics::Level;
    use efflux_run::{Rank, Slot};

    const GPU: &str = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";
    const BARE: &str = "5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77";
    const OTHER: &str = "06a3a0ac-2d41-1f0a-4e69-7d0b6b5e6a11";

    fn planned(device: DeviceChoice, gpu: Option<&str>, cpus: &[usize]) -> TrainerPreparation {
        let text = "pack = \"a\"\n[training]\nthreads = 2\nbackend = \"torch\"\n";
        let job = Job::parse(Path::new("x.toml"), text.to_owned()).unwrap();
        TrainerPreparation {
            launch: LaunchSpec {
                name: "x".into(),
                run: "run".into(),
                pack: "a".into(),
                contract: job.contract("d", Variables::default(), 1000).unwrap(),
                settings: job.settings,
                device,
                level: Level::Avx2,
                checkpoint_seconds: 60,
                lanes: 1,
            },
            rank: Rank(0),
            slot: Slot(1),
            placement: Placement {
                cpus: cpus.to_vec(),
                gpu: gpu.map(str::to_owned),
            },
        }
    }

    fn seen(gpus: &[&str]) -> DeviceReport {
        DeviceReport {
            gpus: gpus.iter().map(|gpu| (*gpu).to_owned()).collect(),
            cpus: vec![2, 3],
            level: "avx2".into(),
            threads: 2,
        }
    }

    #[track_caller]
    fn refused(seen: &DeviceReport, planned: &TrainerPreparation, parts: &[&str]) {
        let error = seen.check(planned).unwrap_err().to_string();
        assert!(error.starts_with("device: slot 1 on "), "{error}");
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }

    #[test]
    fn a_trainer_must_see_the_planned_gpu_and_no_other() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cuda] {
            let plan = planned(choice, Some(GPU), &[]);
            seen(&[BARE]).check(&plan).unwrap();
            seen(&[&BARE.to_uppercase()]).check(&plan).unwrap();
            refused(&seen(&[]), &plan, &[GPU, "sees no GPU", "--device cpu"]);
            refused(&seen(&[OTHER]), &plan, &[GPU, OTHER, "nvidia-smi -L"]);
            refused(&seen(&[BARE, OTHER]), &plan, &["CUDA_VISIBLE_DEVICES"]);
        }
    }

    #[test]
    fn instances_are_told_apart_by_their_own_uuid_and_by_that_of_their_gpu_where_drivers_are_old() {
        let instance = format!("MIG-{OTHER}");
        let plan = planned(DeviceChoice::Auto, Some(&instance), &[]);
        seen(&[OTHER]).check(&plan).unwrap();
        refused(&seen(&[BARE]), &plan, &[&instance, BARE]);
        let old = format!("MIG-{GPU}/1/0");
        let plan = planned(DeviceChoice::Auto, Some(&old), &[]);
        seen(&[BARE]).check(&plan).unwrap();
    }

    #[test]
    fn without_a_list_of_gpus_only_the_kind_of_device_counts() {
        let plan = |choice| planned(choice, None, &[]);
        seen(&[]).check(&plan(DeviceChoice::Auto)).unwrap();
        seen(&[BARE, OTHER])
            .check(&plan(DeviceChoice::Auto))
            .unwrap();
        seen(&[]).check(&plan(DeviceChoice::Cpu)).unwrap();
        seen(&[BARE]).check(&plan(DeviceChoice::Cuda)).unwrap();
        let (none, some) = (seen(&[]), seen(&[BARE]));
        refused(&none, &plan(DeviceChoice::Cuda), &["planned a GPU"]);
        refused(&some, &plan(DeviceChoice::Cpu), &["planned processors"]);
    }

    #[test]
    fn a_trainer_must_run_on_the_processors_that_it_was_bound_to() {
        let plan = |cpus| planned(DeviceChoice::Cpu, None, cpus);
        seen(&[]).check(&plan(&[2, 3])).unwrap();
        // Bound to none in particular.
        seen(&[]).check(&plan(&[])).unwrap();
        refused(&seen(&[]), &plan(&[1, 2, 3, 8]), &["1-3,8", "run on 2-3:"]);
    }

    #[test]
    fn level_and_threads_must_be_those_of_the_launch() {
        let plan = planned(DeviceChoice::Cpu, None, &[]);
        let level = DeviceReport {
            level: "avx512".into(),
            ..seen(&[])
        };
        refused(&level, &plan, &["up to avx2", "uses avx512", "--level"]);
        let threads = DeviceReport {
            threads: 1,
            ..seen(&[])
        };
        refused(&threads, &plan, &["threads = 2", "uses 1", "OpenMP"]);
    }
}
