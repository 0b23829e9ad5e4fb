//! Sites that a training had no day of: the weights that their attributes let expect, and what a model simulates with them.

use efflux_data::{Pack, Scales, SitePrior, Tensors, place_of, site_attributes};
use efflux_job::Contract;
use efflux_model::{Days, Network};
use efflux_process::{Singular, SiteLaw};

/// What the weights of the sites of a training let expect of those of others.
///
/// * `tensors`: those that the model was trained with.
///
/// # Errors
///
/// [`Singular`] if a weight is not finite.
pub(crate) fn prior(
    (pack, contract): (&Pack, &Contract),
    (scales, tensors): (&Scales, &Tensors),
    model: &Network,
) -> Result<SitePrior, Singular> {
    let (attributes, rows) = (site_attributes(pack, scales, tensors), model.site_rows());
    let points = pack
        .sites
        .iter()
        .map(|site| [site.latitude, site.longitude]);
    let points: Vec<[f64; 2]> = points.collect();
    let place_of = place_of(&points, contract.split.keep_together_km);
    // Weights of a site without a day to fit on have stayed at zero, which says nothing of it.
    let is_known =
        |site: &usize| tensors.heads[*site].is_some() && !tensors.fitted(*site).is_empty();
    let known: Vec<usize> = (0..tensors.sites).filter(is_known).collect();
    let own = known.iter().filter_map(|&site| tensors.heads[site]);
    let law = SiteLaw::fit(
        &known
            .iter()
            .map(|&site| attributes[site].clone())
            .collect::<Vec<_>>(),
        &own.map(|head| rows[head].clone()).collect::<Vec<_>>(),
        &known.iter().map(|&site| place_of[site]).collect::<Vec<_>>(),
    )?;
    let sites = known.iter().map(|&site| tensors.site_ids[site].clone());
    Ok(SitePrior {
        sites: sites.collect(),
        law,
    })
}

/// What a prior says, for the log.
pub(crate) fn said(prior: &SitePrior) -> String {
    let (found, sites) = (prior.law.found, prior.sites.len());
    match (found.penalty, found.explained()) {
        (Some(penalty), Some(share)) => format!(
            "weights of new sites follow from attributes, as those of {sites} sites do (ridge {penalty}, {:.0} % of their \
             scatter at places left out)",
            100.0 * share
        ),
        (_, Some(_)) => format!(
            "weights of new sites are the mean of those of {sites} sites: at places left out attributes tell no more"
        ),
        _ => format!(
            "weights of new sites are the mean of those of {sites} sites: there is no second place to try a law on"
        ),
    }
}

/// The sites of a pack that a training had no day of.
pub(crate) struct NewSites {
    /// Which sites of the pack they are, ascending.
    sites: Vec<usize>,
    /// What is known of these alone.
    pub(crate) tensors: Tensors,
}

impl NewSites {
    /// Those of a pack, and the trained model with them, and the weights that are expected of them, in the place of its own
    /// sites; none if the pack has none.
    ///
    /// * `tensors`: the pack's, by the scales of the training.
    pub(crate) fn of(
        prior: &SitePrior,
        model: &Network,
        pack: &Pack,
        (scales, tensors): (&Scales, &Tensors),
    ) -> Option<(Self, Network)> {
        let is_new = |site: &usize| !prior.sites.contains(&tensors.site_ids[*site]);
        let sites: Vec<usize> = (0..tensors.sites).filter(is_new).collect();
        if sites.is_empty() {
            return None;
        }
        let attributes = site_attributes(pack, scales, tensors);
        let rows = sites.iter().map(|&site| prior.law.row(&attributes[site]));
        let rows: Vec<Vec<f64>> = rows.collect();
        let tensors = tensors.of_sites(&sites);
        Some((Self { sites, tensors }, model.of_sites(&rows)))
    }

    /// Puts what was simulated at them, of these days, into a simulation of all sites of the pack.
    pub(crate) fn put(&self, days: Days, tensors: &Tensors, all: &mut [f32], own: &[f32]) {
        let (mut at, mut from) = (0, 0);
        for site in 0..tensors.sites {
            let count = days.of_site(tensors, site);
            if self.sites.binary_search(&site).is_ok() {
                all[at..][..count].copy_from_slice(&own[from..][..count]);
                from += count;
            }
            at += count;
        }
    }
}
