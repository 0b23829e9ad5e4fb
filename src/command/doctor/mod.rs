//! `efflux doctor`: what this machine offers, what is missing, and what to do about it.

mod cluster;
mod device;
mod place;

use efflux_base::error::{Error, Exit, Result};
use serde_json::json;

use crate::cli::DoctorArgs;
use crate::console::{print, say};

/// A line of what was found.
struct Finding {
    /// What was looked at.
    what: &'static str,
    /// What it is like.
    found: String,
    state: State,
    /// What to do about it, if anything.
    remedy: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it should be, or not needed.
    Good,
    /// Sweeps run, but not as well as they could, or not everywhere.
    Limited,
    /// No sweep can run.
    Missing,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Limited => "limited",
            Self::Missing => "missing",
        }
    }
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        let (found, state, remedy) = (found.into(), State::Good, None);
        Self {
            what,
            found,
            state,
            remedy,
        }
    }

    fn limited(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let good = Self::good(what, found);
        Self {
            state: State::Limited,
            remedy: Some(remedy.into()),
            ..good
        }
    }

    fn missing(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let limited = Self::limited(what, found, remedy);
        Self {
            state: State::Missing,
            ..limited
        }
    }
}

/// Prints what was found. Ends with 4 if something a sweep needs is missing.
pub(crate) fn doctor(args: &DoctorArgs) -> Result<Exit> {
    let mut findings = vec![Finding::good("efflux", crate::VERSION)];
    findings.extend(cluster::mpi()?);
    findings.extend(cluster::slurm());
    findings.push(Finding::good("HDF5", efflux_data::library_version()));
    findings.extend(device::devices());
    findings.push(place::time_zones());
    findings.push(place::shared_memory());
    findings.extend(place::run_directory(&args.run_dir));
    let is_ready = findings.iter().all(|one| one.state != State::Missing);
    if args.json {
        print(as_json(&findings, is_ready)? + "\n");
    } else {
        for Finding {
            what,
            found,
            remedy,
            ..
        } in &findings
        {
            say!("{what:<14} {found}");
            if let Some(remedy) = remedy {
                say!("{:<14} -> {remedy}", "");
            }
        }
    }
    Ok(if is_ready {
        Exit::Complete
    } else {
        Exit::Environment
    })
}

fn as_json(findings: &[Finding], is_ready: bool) -> Result<String> {
    let findings: Vec<_> = findings
        .iter()
        .map(|one| {
            json!({"what": one.what, "state": one.state.name(), "found": one.found, "remedy": one.remedy})
        })
        .collect();
    let all = json!({"ready": is_ready, "findings": findings});
    serde_json::to_string_pretty(&all).map_err(|error| Error::Internal(error.to_string()))
}
