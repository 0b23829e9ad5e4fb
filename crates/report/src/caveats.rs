//! What a reader must know before believing a number: what the caller says, and what the results show by themselves.

use efflux_analysis::measures::NSE;
use efflux_job::{Fit, Part};
use efflux_run::record::Outcome;

use super::evaluation::{Evaluation, Series};
use super::filled;
use super::numbers::counted;
use super::results::Results;

pub(crate) fn caveats(results: &Results<'_>, evaluation: &Evaluation) -> Vec<String> {
    let mut caveats = results.caveats.to_vec();
    let (members, planned) = (results.members.len(), results.members_planned);
    if members < planned {
        caveats.push(format!(
            "The ensemble is partial: {members} of {planned} members."
        ));
    }
    if results.fit == Fit::TrainValidation {
        caveats.push(
            "Members were fitted on the validation part as well: its scores are not out of sample."
                .to_owned(),
        );
    }
    let failed = results
        .records
        .iter()
        .filter(|record| matches!(record.outcome, Outcome::Failed(_)))
        .count();
    if failed > 0 {
        caveats.push(format!(
            "{} failed: see the list below.",
            counted(failed, "trial")
        ));
    }
    let wild = wild_days(results);
    if wild > 0 {
        caveats.push(format!(
            "On {} the simulation of some member is not a finite number; these days are in no score of the ensemble.",
            counted(wild, "observed site-day")
        ));
    }
    let undefined =
        results.sites.len() - evaluation.defined(Series::Ensemble, Part::Test, NSE).len();
    if undefined > 0 && members > 0 {
        caveats.push(format!(
            "The test NSE is not defined at {}.",
            counted(undefined, "site")
        ));
    }
    caveats.extend(filled::caveats(results));
    caveats
}

/// Observed site-days on which some member is not finite. Leaving them out flatters the model, so it must be said.
fn wild_days(results: &Results<'_>) -> usize {
    let observed = results.observed.iter().enumerate();
    observed
        .filter(|(day, value)| {
            value.is_finite()
                && results
                    .members
                    .iter()
                    .any(|member| !member.flux[*day].is_finite())
        })
        .count()
}
