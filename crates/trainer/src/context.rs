//! What the attempts of a trainer have in common.

use std::time::Duration;

use efflux_data::{Pack, Tensors};
use efflux_job::{Configuration, Contract, Settings, View};
use efflux_model::TrialError;
use efflux_model::device::Device;

/// What an attempt is trained and evaluated with.
#[derive(Clone, Copy)]
pub(crate) struct TrialContext<'a> {
    pub(crate) pack: &'a Pack,
    /// How it is read.
    pub(crate) view: &'a View,
    pub(crate) tensors: &'a Tensors,
    pub(crate) contract: &'a Contract,
    /// What configurations are laid over.
    pub(crate) settings: &'a Settings,
    pub(crate) device: Device,
    /// Time between two checkpoints.
    pub(crate) interval: Duration,
}

impl TrialContext<'_> {
    /// The settings of a trial.
    pub(crate) fn settings_of(self, configuration: &Configuration) -> Result<Settings, TrialError> {
        let settings = self.settings.with(configuration);
        settings.map_err(|refused| {
            TrialError::Defect(format!("a configuration that cannot be: {refused}"))
        })
    }
}
