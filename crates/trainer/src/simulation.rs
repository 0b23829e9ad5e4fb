//! A member that was trained before simulates a pack.

use efflux_base::error::{Error, Result};
use efflux_data::{Member, Pack, Scales, SeenSites, Tensors, write_member};
use efflux_job::{Contract, Settings};
use efflux_model::checkpoint::load_weights;
use efflux_model::device::Device;
use efflux_model::{physical, simulate};
use efflux_process::Singular;
use efflux_protocol::Simulation;

use crate::{adapt, residual};

/// Simulates the pack by the rules of contract and settings and keeps the flux.
pub(crate) fn run(
    simulation: &Simulation,
    pack: &Pack,
    contract: &Contract,
    settings: &Settings,
    device: Device,
) -> Result<()> {
    let Simulation {
        trial,
        weights,
        residuals,
        adapt,
        ..
    } = simulation;
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
    let settings =
        settings.map_err(|refused| Error::Trainer(format!("{}: {refused}", trial.id)))?;
    let (training, params) = (settings.training, settings.params);
    let (state, window) = (contract.evaluation.state, training.sequence_days() as usize);
    let mut scaled = simulate(&model, &training, device, &tensors, state, window)
        .map_err(|error| Error::Trainer(format!("{}: {error}", trial.id)))?;
    let failed =
        |what: &str, error: Singular| Error::Trainer(format!("{}: {what}: {error}", trial.id));
    if *adapt {
        adapt::heads(&tensors, &params, &mut scaled)
            .map_err(|error| failed("the head of a new site", error))?;
    }
    let mut flux = physical(&tensors, &scaled);
    if let Some(residuals) = residuals {
        let mut left = SeenSites::read(residuals)?;
        if *adapt {
            let observed = |site: usize| tensors.observed_anew(site);
            let new = residual::left_over(pack, &left.variables, &observed, &flux);
            left.sites.extend(new);
        }
        residual::correct(pack, &left, &mut flux)
            .map_err(|error| failed("the process of the residuals", error))?;
    }
    let member = Member {
        trial_id: trial.id.to_string(),
        seed: trial.seed,
        flux,
        sites: tensors.site_ids,
        other_state: None,
    };
    write_member(&simulation.keep, &member, &scales.target_is)
}
