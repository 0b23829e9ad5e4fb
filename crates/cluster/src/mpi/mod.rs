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
    for name in MPIRUN.into_iter().chain(["SLURM_STEP_NUM_TASKS"]) {
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

/// The world is not what the launcher promised.
#[cfg_attr(
    not(feature = "mpi"),
    expect(dead_code, reason = "only MPI has worlds")
)]
fn mismatch(promised: u32, found: u32) -> Error {
    let advice = advice(promised, |name| std::env::var(name).ok());
    Error::Mpi(format!(
        "the launcher promised {promised} processes, but MPI has {found} ({advice})"
    ))
}

/// Which command would be right depends on the launcher. Slurm's older interface, PMI-2, sets MPICH's variable too.
#[cfg_attr(
    not(feature = "mpi"),
    expect(dead_code, reason = "only MPI has worlds")
)]
fn advice(promised: u32, variable: impl Fn(&str) -> Option<String>) -> String {
    let is_step = variable("SLURM_STEP_NUM_TASKS") == Some(promised.to_string());
    if is_step && variable("OMPI_COMM_WORLD_SIZE").is_none() {
        format!(
            "srun without PMIx starts each of them alone: write `srun --mpi=pmix -n {promised} efflux sweep …` if \
             `srun --mpi=list` shows pmix, else `mpirun -n {promised} efflux sweep …` in the job"
        )
    } else {
        format!(
            "mpirun is of another MPI than efflux was built with, which is {}: its own mpirun is the first in PATH after \
             `source .deps/env.sh`, then `mpirun -n {promised} efflux sweep …`",
            library().version
        )
    }
}

/// What mpirun sets, of Open MPI and of MPICH.
const MPIRUN: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

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

    #[test]
    fn the_command_that_would_be_right_is_of_the_launcher_that_was_used() {
        let said = |variables: &[(&str, &str)]| {
            advice(4, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let step = ("SLURM_STEP_NUM_TASKS", "4");
        for of_srun in [&[step][..], &[step, ("PMI_SIZE", "4")]] {
            assert!(said(of_srun).starts_with("srun without PMIx"));
        }
        let batch = ("SLURM_STEP_NUM_TASKS", "1");
        for of_mpirun in [
            &[("PMI_SIZE", "4")][..],
            &[batch, ("PMI_SIZE", "4")],
            &[step, ("OMPI_COMM_WORLD_SIZE", "4")],
        ] {
            assert!(said(of_mpirun).starts_with("mpirun is of another MPI"));
        }
    }
}
