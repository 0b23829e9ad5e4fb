//! What trials are computed on: processors, GPUs and their slices, and the trainer that finds them.

use std::fs;
use std::process::Command;

use efflux_cluster::trainer_program;
use efflux_numerics::Level;

use super::Finding;
use crate::command::slurm::{Answer, ask};

pub(super) fn devices() -> Vec<Finding> {
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    let level = Level::of_this_host().name();
    let mut findings = vec![Finding::good(
        "processor",
        format!("{cores} cores for this process, {level}"),
    )];
    let driver = fs::read_to_string("/proc/driver/nvidia/version").ok();
    let driver = driver.and_then(|text| text.lines().next().map(str::to_owned));
    let has_driver = driver.is_some();
    findings.push(Finding::good(
        "CUDA driver",
        driver.unwrap_or_else(|| "not found: trials train on the CPU".to_owned()),
    ));
    findings.extend(gpus(has_driver));
    findings.extend(trainer());
    findings
}

/// The GPUs that the driver lists, and the instances that they are cut into.
fn gpus(has_driver: bool) -> Vec<Finding> {
    const WHAT: &str = "GPU";
    let listing = match ask("nvidia-smi", &["-L"]) {
        Answer::Said(listing) => listing,
        Answer::Refused(reason) => {
            return vec![Finding::limited(
                WHAT,
                format!("nvidia-smi fails: {reason}"),
                "the driver of this node is not in order: choose another node, and tell its keeper",
            )];
        }
        Answer::Absent if has_driver => {
            return vec![Finding::limited(
                WHAT,
                "a driver, but no nvidia-smi, by which efflux finds GPUs",
                "in a container, start it with its GPUs (`apptainer exec --nv`, `docker run --gpus all`)",
            )];
        }
        Answer::Absent => return Vec::new(),
    };
    let mut findings: Vec<_> = listing
        .lines()
        .map(|line| Finding::good(WHAT, line.trim()))
        .collect();
    let mode = ask(
        "nvidia-smi",
        &["--query-gpu=mig.mode.current", "--format=csv,noheader"],
    );
    let is_cut =
        matches!(mode, Answer::Said(modes) if modes.lines().any(|mode| mode.trim() == "Enabled"));
    if is_cut && !listing.contains("MIG-") {
        findings.push(Finding::limited(
            "slices",
            "a GPU is set to be cut into instances (MIG), and none is there or given to this process",
            "ask Slurm for one (`gres` in the cluster file, configs/clusters/mig.toml)",
        ));
    }
    if let Ok(visible) = std::env::var("CUDA_VISIBLE_DEVICES") {
        findings.push(Finding::good(
            "visible",
            format!("CUDA_VISIBLE_DEVICES={visible}"),
        ));
    }
    findings
}

/// What the trainer says of libtorch and its devices.
fn trainer() -> Vec<Finding> {
    const WHAT: &str = "trainer";
    let failed = |reason: String| {
        vec![Finding::missing(
            WHAT,
            format!("DOES NOT START: {reason}"),
            "install both programs together (docs/install.md): libtorch is found where the trainer was installed with it, or \
             in the wheels of its environment",
        )]
    };
    let program = match trainer_program() {
        Ok(program) => program,
        Err(error) => return failed(error.to_string()),
    };
    match Command::new(&program).arg("--versions").output() {
        Err(error) => failed(format!("{}: {error}", program.display())),
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().map(|line| Finding::good(WHAT, line)).collect()
        }
        Ok(output) => failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
