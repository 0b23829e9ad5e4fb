//! The ensemble mean with either state: one run over the whole calendar, or for each day one over a window of its own.

use efflux_analysis::Defined;
use efflux_analysis::measures::NSE;
use efflux_analysis::paired::{Bootstrap, SignedRank, bootstrap_median, signed_rank};
use efflux_job::{Part, State};

use super::comparison::LEVEL;
use super::evaluation::{Evaluation, Series};
use super::results::Results;

/// How the ensemble mean does on a part with either state.
pub(crate) struct States {
    pub(crate) part: Part,
    /// What the ensemble mean is with a carried state, and with a window's.
    pub(crate) series: [(State, Series); 2],
    /// Sites at which both have an NSE.
    pub(crate) compared: usize,
    /// Of these, those at which the NSE is higher with a window's state.
    pub(crate) gained: usize,
    /// The median of the differences in NSE, window less carried.
    pub(crate) difference: Defined<Bootstrap>,
    /// Whether these are more than chance.
    pub(crate) test: Defined<SignedRank>,
}

impl States {
    /// Which is first and which second.
    pub(crate) const ORDER: [State; 2] = [State::Carried, State::Window];
}

/// A comparison for each part; none if a member did not keep its simulation with the other state.
pub(crate) fn states(results: &Results<'_>, evaluation: &Evaluation) -> Vec<States> {
    let series = States::ORDER.map(|state| {
        let is_asked = state == results.contract.evaluation.state;
        let series = if is_asked {
            Series::Ensemble
        } else {
            Series::OtherState
        };
        (state, series)
    });
    let compare = |part| {
        let [carried, window] = series.map(|(_, series)| evaluation.scores(series, part));
        let both = carried.iter().zip(window);
        let differences =
            both.filter_map(|(carried, window)| Some(window[NSE].ok()? - carried[NSE].ok()?));
        let differences: Vec<f64> = differences.collect();
        States {
            part,
            series,
            compared: differences.len(),
            gained: differences.iter().filter(|value| **value > 0.0).count(),
            difference: bootstrap_median(&differences, LEVEL),
            test: signed_rank(&differences),
        }
    };
    let is_kept = !evaluation.scores(Series::OtherState, Part::Test).is_empty();
    Part::ALL
        .into_iter()
        .filter(|_| is_kept)
        .map(compare)
        .collect()
}
