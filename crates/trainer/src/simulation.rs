//! A member that was trained before simulates a pack.

use efflux_base::error::{Error, Result};
use efflux_data::{Member, Pack, Scales, SeenSites, SitePrior, Tensors, write_member};
use efflux_job::{Contract, Settings};
use efflux_model::checkpoint::load_weights;
use efflux_model::device::Device;
use efflux_model::{Days, physical, simulate};
use efflux_process::Singular;
use efflux_protocol::Simulation;

use crate::new_sites::NewSites;
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
        site_prior,
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
    let simulated = |model, tensors| {
        let simulated = simulate(model, &training, device, tensors, state, window);
        simulated.map_err(|error| Error::Trainer(format!("{}: {error}", trial.id)))
    };
    let mut scaled = simulated(&model, &tensors)?;
    if let Some(path) = site_prior {
        let prior = SitePrior::read(path)?;
        let law = &prior.law;
        let found = [law.attributes.len(), law.intercept.len()].map(|size| size as i64);
        let attributes = 2 * tensors.dynamic + tensors.statics;
        let expected = [attributes as i64, model.shape().site_weights()];
        if found != expected {
            let reason = format!(
                "has {found:?} attributes and weights of a site, expected {expected:?}, as its weights have"
            );
            return Err(Error::file(path, reason));
        }
        if let Some((new, theirs)) = NewSites::of(&prior, &model, pack, (&scales, &tensors)) {
            let own = simulated(&theirs, &new.tensors)?;
            new.put(Days::All, &tensors, &mut scaled, &own);
        }
    }
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
