//! What members let expect of the weights of sites that they have not seen, in a sentence.

use efflux_base::error::Result;
use efflux_data::SitePrior;
use efflux_job::Trial;
use efflux_process::LeftOut;
use efflux_run::{Ledger, RunDir};

/// What was found in the trainings of these trials; none if no member that has finished keeps such a prior.
///
/// # Errors
///
/// Those of [`SitePrior::read`].
pub(super) fn found(run: &RunDir, ledger: &Ledger, trials: &[Trial]) -> Result<Option<String>> {
    let finished = trials
        .iter()
        .filter(|trial| ledger.scores(&trial.id).is_some());
    let paths = finished.filter_map(|trial| Some(run.kept(&trial.id)?.join(RunDir::SITE_PRIOR)));
    let priors = paths.filter(|path| path.exists()).map(|path| {
        let prior = SitePrior::read(&path)?;
        Ok(prior.law.found)
    });
    Ok(said(&priors.collect::<Result<Vec<LeftOut>>>()?))
}

fn said(found: &[LeftOut]) -> Option<String> {
    let laws = found.iter().filter(|of| of.penalty.is_some());
    let shares: Vec<f64> = laws.filter_map(|law| law.explained()).collect();
    let (all, laws) = (found.len(), shares.len());
    if all == 0 {
        return None;
    }
    let percent = |least: f64, of: fn(f64, f64) -> f64| {
        let end = shares.iter().copied().fold(least, of);
        format!("{:.0}", 100.0 * end)
    };
    let law = format!(
        "in {laws} of {all} trainings they follow from attributes, which tell of {} to {} % of the scatter of weights at \
         places that were left out",
        percent(f64::INFINITY, f64::min),
        percent(f64::NEG_INFINITY, f64::max),
    );
    let mean = format!(
        "in {} of {all} trainings they are the mean of those of the sites that there were, because attributes told nothing of \
         places that were left out",
        all - laws
    );
    let parts = [(laws > 0).then_some(law), (laws < all).then_some(mean)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(format!(
        "Weights of new sites (`model.site_prior`): {}.",
        parts.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_and_means_are_counted_and_nothing_is_said_of_members_without_a_prior() {
        let of = |penalty, error| LeftOut {
            penalty,
            error: Some(error),
            error_of_mean: Some(2.0),
        };
        assert_eq!(said(&[]), None);
        let both = said(&[of(Some(1.0), 1.5), of(Some(10.0), 1.8), of(None, 2.0)]).unwrap();
        assert!(both.contains("in 2 of 3 trainings they follow"), "{both}");
        assert!(both.contains("tell of 10 to 25 %"), "{both}");
        assert!(
            both.contains("in 1 of 3 trainings they are the mean"),
            "{both}"
        );
        assert!(!said(&[of(None, 2.0)]).unwrap().contains("follow"));
    }
}
