//! The only MPI: point-to-point messages between the ranks of one launch, polled, every return code checked.
//!
//! With one process MPI is not even initialised. After a death a collective would hang: none is called but the last, and
//! that within a bound.

#[cfg(not(feature = "mpi"))]
mod disabled;
#[cfg(feature = "mpi")]
mod enabled;

#[cfg(not(feature = "mpi"))]
pub use disabled::World;
#[cfg(feature = "mpi")]
pub use enabled::World;

use efflux_base::error::{Error, Result};

/// What MPI this program was built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The library's own version text, or that there is none.
    pub version: String,
    /// Whether it brings the calls by which survivors of a lost rank can go on (ULFM).
    pub fault_tolerant: bool,
}

/// The MPI this program was built with. Does not initialise it.
pub fn library() -> Library {
    Library {
        version: World::library_version(),
        fault_tolerant: cfg!(ulfm),
    }
}

/// The number of processes the launcher says it started; `None` where there is no launcher.
///
/// N processes that each believe to be alone would train everything N times, so a world of another size than promised
/// is refused.
///
/// # Errors
///
/// [`Error::Mpi`] for a promise that is no number.
pub fn promised_size() -> Result<Option<u32>> {
    promised(|name| std::env::var(name).ok())
}

fn promised(variable: impl Fn(&str) -> Option<String>) -> Result<Option<u32>> {
    // Inside mpirun, Slurm's variables are those of the batch step that mpirun itself runs in.
    for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] {
        if let Some(text) = variable(name) {
            let size = text.parse().map_err(|_| {
                Error::Mpi(format!(
                    "{name} is `{text}`, expected a number of processes"
                ))
            })?;
            return Ok(Some(size));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(variables: &[(&str, &str)]) -> Result<Option<u32>> {
        promised(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn mpirun_knows_better_than_slurm() {
        assert_eq!(promise(&[]).unwrap(), None);
        assert_eq!(promise(&[("SLURM_STEP_NUM_TASKS", "4")]).unwrap(), Some(4));
        let both = [("SLURM_STEP_NUM_TASKS", "1"), ("OMPI_COMM_WORLD_SIZE", "8")];
        assert_eq!(promise(&both).unwrap(), Some(8));
        assert!(promise(&[("PMI_SIZE", "many")]).is_err());
    }
}
