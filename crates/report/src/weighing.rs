//! What the kinds of an ensemble of unlike members weigh, and what other weights would have been worth.

use efflux_analysis::{Defined, Undefined};
use efflux_base::error::{Error, Result};
use efflux_job::{MemberKind, WeightRule, Weights};

use super::hindcast::{Hindcast, Skill};
use super::inputs::Run;

/// A mean of kinds of members, and how good it is in forecasts of the validation days: medians over sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// `lstm`, `gp` or `site-fit` alone; `mean-recommended`, `mean-equal`, `mean-fitted`, `mean-given`; `mean-inflated`.
    pub series: String,
    /// Of the kinds that have a part in it, 1 together.
    pub weights: Vec<(MemberKind, f64)>,
    /// What its distance from the mean of each site is multiplied by, in asinh units.
    pub inflation: f64,
    /// Whether it is the mean of this run.
    pub is_in_use: bool,
    /// Sites with enough forecast days.
    pub sites: usize,
    /// Median NSE.
    pub nse: Defined,
    /// Median KGE.
    pub kge: Defined,
}

/// The weights that the job asks for, those of before or fitted now, and how they compare.
pub(super) struct Weighing {
    pub(super) weights: Vec<(MemberKind, f64)>,
    /// Beside the mean of the run every rule and every kind alone, where there are forecasts.
    pub(super) compared: Vec<Weighed>,
}

impl Weighing {
    /// * `hindcast`: or why there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] where weights are to be fitted and cannot be.
    pub(super) fn of(
        run: &Run<'_>,
        hindcast: std::result::Result<&Hindcast<'_>, &str>,
    ) -> Result<Self> {
        let ensemble = &run.job.ensemble;
        let fitted = match hindcast {
            Ok(hindcast) => hindcast
                .fit(&ensemble.members)
                .map_err(|reason| reason.to_string()),
            Err(reason) => Err(reason.to_owned()),
        };
        let weights = match (ensemble.weights(), &fitted) {
            (Some(weights), _) => weights,
            (None, Ok(fitted)) => fitted.clone(),
            (None, Err(reason)) => {
                return Err(Error::Job {
                    path: run.job.path.clone(),
                    reason: format!(
                        "`ensemble.weights` has \"fitted\", and there is nothing to fit them on: {reason} (another rule or a \
                         list of weights needs no forecasts; a sweep into a new --run-dir makes them)"
                    ),
                });
            }
        };
        let skill = |weights: &[(MemberKind, f64)], inflation| match hindcast {
            Ok(hindcast) => hindcast.skill(&hindcast.mean(weights, inflation)),
            Err(_) => Skill::unknown(),
        };
        let in_use = &weights;
        let row = |series: &str, weights: Vec<(MemberKind, f64)>, inflation: f64| {
            let Skill { sites, nse, kge } = skill(&weights, inflation);
            let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
            Weighed {
                series: series.to_owned(),
                is_in_use: weights == *in_use && inflation == ensemble.inflation,
                weights: weights
                    .into_iter()
                    .map(|(kind, weight)| (kind, weight / sum))
                    .collect(),
                inflation,
                sites,
                nse,
                kge,
            }
        };
        let mut compared = Vec::new();
        if hindcast.is_ok() {
            let alone = ensemble.members.iter();
            compared.extend(alone.map(|&kind| row(kind.name(), vec![(kind, 1.0)], 1.0)));
        }
        let is_asked = |rule| ensemble.weights == Weights::By(rule);
        for rule in WeightRule::ALL {
            let of_rule = ensemble.weights_by(rule).or_else(|| fitted.clone().ok());
            let of_rule = of_rule.filter(|_| hindcast.is_ok() || is_asked(rule));
            let series = format!("mean-{}", rule.name());
            compared.extend(of_rule.map(|weights| row(&series, weights, 1.0)));
        }
        if let Weights::Given(_) = ensemble.weights {
            compared.push(row("mean-given", weights.clone(), 1.0));
        }
        if ensemble.inflation != 1.0 {
            compared.push(row("mean-inflated", weights.clone(), ensemble.inflation));
        }
        Ok(Self { weights, compared })
    }
}

impl Skill {
    fn unknown() -> Self {
        let none = Err(Undefined::Missing("forecasts that the search kept"));
        Self {
            sites: 0,
            nse: none,
            kge: none,
        }
    }
}
