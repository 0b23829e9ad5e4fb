//! The instructions that results are computed with.

use serde::{Deserialize, Serialize};

/// Instruction-set levels that change the last bits of a result, lowest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What every processor of the architecture has
    Baseline,
    /// AVX2 and FMA
    Avx2,
    /// AVX-512 F, BW, DQ and VL
    Avx512,
}

impl Level {
    /// All there are, the lowest first.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// The highest level of this processor, which has the lower ones too.
    pub fn of_this_host() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                return Self::Avx512;
            }
            return Self::Avx2;
        }
        Self::Baseline
    }

    /// The name people and records use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}
