//! The environment that trainers start with: what determines the last bits of results, and nothing of the launcher's.

use std::process::Command;

use efflux_numerics::Level;
use efflux_protocol::{ALLOCATOR, TrainerPreparation};

/// Variables that launchers set for their ranks and that a trainer, which is no rank, must not see.
const LAUNCHERS: [&str; 7] = [
    "OMPI_", "PMIX_", "PMI_", "PRTE_", "SLURM_", "HYDRA_", "MPI_",
];

/// Variables by which OpenMP binds threads itself. It would have every trainer begin at the first processor.
const BINDING: [&str; 4] = [
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
];

/// On a GPU: sums are taken in the same order in every run, cuDNN's LSTM included.
const SAME_SUMS: (&str, &str) = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");

/// On a GPU: 0 lets 32-bit products keep all their bits.
const TF32: &str = "NVIDIA_TF32_OVERRIDE";

/// Sets the environment of a trainer.
pub(super) fn prepare(command: &mut Command, preparation: &TrainerPreparation) {
    let training = &preparation.launch.settings.training;
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if LAUNCHERS.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    let threads = training.threads.to_string();
    command
        .envs(of_level(preparation.launch.level))
        .envs(ALLOCATOR)
        .env(SAME_SUMS.0, SAME_SUMS.1)
        .env_remove(TF32)
        .env("OMP_NUM_THREADS", &threads)
        .env("MKL_NUM_THREADS", &threads);
    for name in BINDING {
        command.env_remove(name);
    }
    if let Some(gpu) = &preparation.placement.gpu {
        command.env("CUDA_VISIBLE_DEVICES", gpu);
    }
    if !training.tf32 {
        command.env(TF32, "0");
    }
}

/// The variables by which libtorch, oneDNN and MKL are held to a level.
fn of_level(level: Level) -> [(&'static str, &'static str); 3] {
    let (aten, onednn, mkl) = match level {
        Level::Baseline => ("default", "SSE41", "COMPATIBLE"),
        Level::Avx2 => ("avx2", "AVX2", "AVX2"),
        Level::Avx512 => ("avx512", "AVX512_CORE", "AVX512"),
    };
    [
        ("ATEN_CPU_CAPABILITY", aten),
        ("ONEDNN_MAX_CPU_ISA", onednn),
        ("MKL_CBWR", mkl),
    ]
}
