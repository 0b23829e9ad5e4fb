//! A member that was trained before simulates a pack.

use efflux_base::error::{Error, Result};
use efflux_data::{Member, Pack, Scales, Tensors, write_member};
use efflux_job::{Contract, Settings};
use efflux_model::checkpoint::load_weights;
use efflux_model::device::Device;
use efflux_model::{physical, simulate};
use efflux_protocol::Simulation;

/// Simulates the pack by the rules of contract and settings and keeps the flux.
pub(crate) fn run(
    simulation: &Simulation,
    pack: &Pack,
    contract: &Contract,
    settings: &Settings,
    device: Device,
) -> Result<()> {
    let Simulation { trial, weights, .. } = simulation;
    let model = load_weights(weights)?;
    let scales = Scales::read(&simulation.scaling)?;
    let tensors = Tensors::to_predict(pack, &scales);
    let (found, expected) = (model.shape().inputs, tensors.dynamic + tensors.statics);
    if found != expected as i64 {
        let scaling = simulation.scaling.display();
        let reason =
            format!("weights for {found} inputs, expected {expected}, which {scaling} has");
        return Err(Error::file(weights, reason));
    }
    let settings = settings.with(&trial.params);
    let training = settings
        .map_err(|refused| Error::Trainer(format!("{}: {refused}", trial.id)))?
        .training;
    let (state, window) = (contract.evaluation.state, training.sequence_days() as usize);
    let scaled = simulate(&model, &training, device, &tensors, state, window)
        .map_err(|error| Error::Trainer(format!("{}: {error}", trial.id)))?;
    let member = Member {
        trial_id: trial.id.to_string(),
        seed: trial.seed,
        flux: physical(&tensors, &scaled),
        sites: tensors.site_ids,
        other_state: None,
    };
    write_member(&simulation.keep, &member)
}
