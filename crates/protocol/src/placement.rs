//! Which processors and which GPU a slot computes on.

use efflux_base::error::{Error, Result};
use rustix::thread::sched_getaffinity;
use serde::{Deserialize, Serialize};

/// What one slot computes on: some processors, and a GPU or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its processors, by the kernel's numbers; none where it is bound to no particular ones.
    pub cpus: Vec<usize>,
    /// The UUID of its GPU or MIG instance, for `CUDA_VISIBLE_DEVICES`; none where the trainer takes what there is.
    pub gpu: Option<String>,
}

impl Placement {
    /// Binds this process to the processors, and the threads that it starts from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Trainer`] if the kernel refuses.
    pub fn apply(&self) -> Result<()> {
        if self.cpus.is_empty() {
            return Ok(());
        }
        let mut set = rustix::thread::CpuSet::new();
        self.cpus.iter().for_each(|&cpu| set.set(cpu));
        rustix::thread::sched_setaffinity(None, &set)
            .map_err(|error| Error::Trainer(format!("cannot bind to {:?}: {error}", self.cpus)))
    }
}

/// The processors that this process may use, by the kernel's numbers.
pub fn processors() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect()
}
