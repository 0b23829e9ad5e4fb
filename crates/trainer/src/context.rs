//! What the attempts of a trainer have in common.

use std::time::Duration;

use efflux_data::{Pack, Tensors};
use efflux_job::Contract;
use efflux_model::device::Device;

/// What an attempt is trained and evaluated with.
#[derive(Clone, Copy)]
pub(crate) struct TrialContext<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) tensors: &'a Tensors,
    pub(crate) contract: &'a Contract,
    pub(crate) device: Device,
    /// Time between two checkpoints.
    pub(crate) interval: Duration,
}
