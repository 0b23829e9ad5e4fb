//! The ensemble mean against models of single sites, site by site: medians over few sites wobble, paired differences
//! less.

use efflux_analysis::Defined;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::measures::NSE;
use efflux_analysis::paired::{Bootstrap, SignedRank, bootstrap_median, signed_rank};
use efflux_job::Part;

use super::evaluation::{Evaluation, Series};

/// The level of the interval of a median difference.
pub(crate) const LEVEL: f64 = 0.95;

/// The ensemble mean against another series, by test NSE.
pub(crate) struct Comparison {
    pub(crate) series: Series,
    /// Sites at which the other has a test NSE.
    pub(crate) sites: usize,
    /// Sites at which both have one.
    pub(crate) compared: usize,
    /// Of these, those at which the ensemble mean has the higher.
    pub(crate) won: usize,
    /// Whether the differences are more than chance.
    pub(crate) test: Defined<SignedRank>,
    /// The median of ensemble mean minus other.
    pub(crate) difference: Defined<Bootstrap>,
}

/// The ensemble mean against each baseline, and against itself with a correction.
pub(crate) fn comparisons(evaluation: &Evaluation) -> Vec<Comparison> {
    let baselines = Baseline::ALL.into_iter().map(Series::Baseline);
    let given = [Series::Pooled, Series::External].into_iter();
    let given = given.filter(|&series| !evaluation.scores(series, Part::Test).is_empty());
    let all = baselines.chain(given);
    let all = all.chain([Series::SiteLevel, Series::Smeared]);
    all.map(|series| compare(evaluation, series)).collect()
}

fn compare(evaluation: &Evaluation, series: Series) -> Comparison {
    let ours = evaluation.scores(Series::Ensemble, Part::Test);
    let theirs = evaluation.scores(series, Part::Test);
    let differences: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .filter_map(|(ours, theirs)| Some(ours[NSE].ok()? - theirs[NSE].ok()?))
        .collect();
    Comparison {
        series,
        sites: evaluation.defined(series, Part::Test, NSE).len(),
        compared: differences.len(),
        won: differences.iter().filter(|value| **value > 0.0).count(),
        test: signed_rank(&differences),
        difference: bootstrap_median(&differences, LEVEL),
    }
}

impl Comparison {
    /// What the other is called for people.
    pub(crate) fn label(&self) -> &'static str {
        match self.series {
            Series::Baseline(baseline) => baseline.label(),
            Series::Pooled => "pooled Gaussian process",
            Series::External => "what another program predicts",
            Series::SiteLevel => "ensemble mean, site level corrected",
            Series::Smeared => "ensemble mean, smeared",
            Series::Ensemble
            | Series::Unfiltered
            | Series::Member(_)
            | Series::OtherState
            | Series::MemberOtherState(_) => "ensemble",
        }
    }

    /// Whether it takes a temperature.
    pub(crate) fn needs_temperature(&self) -> bool {
        match self.series {
            Series::Baseline(baseline) => baseline.needs_temperature(),
            series => series == Series::Pooled,
        }
    }
}
