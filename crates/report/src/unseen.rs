//! How good models are at sites that they have not seen: on the same test days, beside the members that were trained there,
//! and beside other models that can serve a site without a record.

use std::collections::BTreeMap;

use efflux_analysis::baselines::{Baseline, Day, Fitted};
use efflux_analysis::conformal::{coverage_by_the_others, unseen_site_factor};
use efflux_analysis::ensemble::Together;
use efflux_analysis::measures::{Measure, NSE, Scores};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::paired::{Bootstrap, SignedRank, bootstrap_median, signed_rank};
use efflux_analysis::significance::{Correlation, rank_correlation};
use efflux_analysis::statistics::{mean, median};
use efflux_analysis::{Defined, Undefined};
use efflux_data::Member;
use efflux_job::{Fold, Part, SplitKind, Trial};
use efflux_numerics::SiteByDay;

use super::comparison::LEVEL;
use super::evaluation::{Evaluation, Series, day, pairs_on};
use super::inputs::Run;
use super::results::Results;
use super::uncertainty::LEVELS;

/// What predicts the test days of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// The mean over members that have not seen the site.
    Unseen,
    /// The mean over members that were trained on the earlier days of all sites.
    Seen,
    /// One response to temperature, of all sites that the fold trains on.
    Temperature,
    /// One for each land cover of these sites, and that of all where the site's is not among them.
    LandCover,
    /// One regression of all sites that the fold trains on: temperature and its square, season, latitude, moisture.
    Regression,
    /// What the pooled Gaussian process of these sites knows of all of them together.
    Pooled,
    /// What another program predicts.
    External,
}

impl Model {
    pub(crate) const ALL: [Self; 7] = [
        Self::Unseen,
        Self::Seen,
        Self::Temperature,
        Self::LandCover,
        Self::Regression,
        Self::Pooled,
        Self::External,
    ];

    /// What tables call it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Unseen => "unseen-site",
            Self::Seen => "unseen-time",
            Self::Temperature => "temperature-model",
            Self::LandCover => "land-cover-model",
            Self::Regression => "regression",
            Self::Pooled => "pooled-process",
            Self::External => "external",
        }
    }

    /// What people call it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unseen => "members that have not seen the site",
            Self::Seen => "members trained on its earlier days",
            Self::Temperature => "temperature model of all other sites",
            Self::LandCover => "temperature model of each land cover",
            Self::Regression => "regression of all other sites: temperature, season, moisture",
            Self::Pooled => "pooled Gaussian process of all other sites",
            Self::External => "another program",
        }
    }
}

/// The members at unseen sites against another model, by test NSE.
pub(crate) struct AtUnseen {
    pub(crate) model: Model,
    /// By site; not defined where no fold holds it out.
    pub(crate) scores: Vec<Scores>,
    /// Sites at which both have an NSE.
    pub(crate) compared: usize,
    /// Of these, those at which the members that have not seen the site have the higher.
    pub(crate) won: usize,
    /// The median of members at unseen sites minus the other.
    pub(crate) difference: Defined<Bootstrap>,
    /// Whether the differences are more than chance.
    pub(crate) test: Defined<SignedRank>,
}

impl AtUnseen {
    /// The median of a measure over the sites at which it is defined.
    pub(crate) fn median(&self, measure: Measure) -> Defined {
        let scores = self.scores.iter().filter_map(|scores| scores[measure].ok());
        median(&scores.collect::<Vec<f64>>())
    }
}

/// Everything about unseen sites.
pub(crate) struct Unseen {
    /// The fold that holds each site out.
    pub(crate) fold_of: Vec<Option<usize>>,
    pub(crate) models: Vec<AtUnseen>,
    /// Of members at unseen sites, by site: the root of the mean square of test errors in asinh units.
    pub(crate) rmse: Vec<Defined>,
    /// Its rank correlation with the dissimilarity index of the site.
    pub(crate) with_distance: Defined<Correlation>,
    /// Intervals at unseen sites, by level.
    pub(crate) intervals: Vec<Interval>,
}

/// An interval about members at unseen sites: so many asinh units to either side.
pub(crate) struct Interval {
    /// What share of the days of a site that no model has seen it is to hold.
    pub(crate) level: f64,
    /// Half its width, asinh units.
    pub(crate) factor: Defined,
    /// Mean over sites of the share of test days within the factor of the other sites.
    pub(crate) coverage: Defined,
}

/// Of members at unseen sites the errors on test days, without sign, in asinh units, by site; none at sites that no fold holds
/// out.
fn errors(results: &Results<'_>) -> Vec<Vec<f64>> {
    let folds = &results.contract.folds;
    let of_site = |site: usize| {
        let is_held_out = folds.iter().any(|fold| fold.test.contains(&site));
        let Some(mean) = unseen_mean(results, site).filter(|_| is_held_out) else {
            return Vec::new();
        };
        let test = results.part_days(site, Part::Test);
        let pairs = pairs_on(results, site, test, &mean).into_iter();
        let errors =
            pairs.map(|(observed, simulated)| (observed.asinh() - simulated.asinh()).abs());
        errors.filter(|error| error.is_finite()).collect()
    };
    (0..results.sites.len()).map(of_site).collect()
}

/// By rising level, how many asinh units an interval reaches to either side of such members; the levels that have such a factor.
pub(crate) fn factors(results: &Results<'_>) -> Vec<(f64, f64)> {
    let errors = errors(results);
    let levels = LEVELS.into_iter();
    levels
        .filter_map(|level| Some((level, unseen_site_factor(&errors, level).ok()?)))
        .collect()
}

/// The mean over members that have not seen a site; none without members.
fn unseen_mean(results: &Results<'_>, site: usize) -> Option<Vec<f64>> {
    let members = results.unseen?;
    let series = members.iter().map(|of| of.site(site, results.days));
    let series: Vec<&[f32]> = series.collect();
    (!series.is_empty()).then(|| Together::of(&series, results.days).mean)
}

impl Unseen {
    /// None without folds.
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation) -> Option<Self> {
        results.unseen?;
        let folds = &results.contract.folds;
        let fold_of: Vec<Option<usize>> = (0..results.sites.len())
            .map(|site| folds.iter().position(|fold| fold.test.contains(&site)))
            .collect();
        let simple: Vec<Simple> = folds.iter().map(|fold| Simple::of(results, fold)).collect();
        let calendar = results.days_of_year();
        let scores = |model: Model, site: usize| {
            let Some(fold) = fold_of[site] else {
                return Scores::undefined(Undefined::Missing("fold that holds the site out"));
            };
            let test = results.part_days(site, Part::Test);
            let judged = |flux: &[f64]| {
                let pairs = pairs_on(results, site, test.clone(), flux);
                pairs.into_iter().collect::<Pairs>().scores()
            };
            let other = |flux: Option<&SiteByDay<f32>>| match flux {
                Some(flux) => {
                    let flux = flux.site(site).iter().map(|&flux| f64::from(flux));
                    judged(&flux.collect::<Vec<f64>>())
                }
                None => Scores::undefined(Undefined::Missing("prediction")),
            };
            let fitted = match model {
                Model::Seen => {
                    return evaluation.scores(Series::Ensemble, Part::Test)[site].clone();
                }
                Model::Unseen => {
                    return match unseen_mean(results, site) {
                        Some(mean) => judged(&mean),
                        None => Scores::undefined(Undefined::Missing("member")),
                    };
                }
                Model::Regression => return other(results.contenders.map(|of| &of.regression)),
                Model::Pooled => {
                    return other(results.contenders.and_then(|of| of.pooled.as_ref()));
                }
                Model::External => return other(results.external),
                Model::Temperature => simple[fold].of_all.as_ref(),
                Model::LandCover => simple[fold].of_cover(&results.sites[site].igbp),
            };
            match fitted {
                Err(reason) => Scores::undefined(*reason),
                Ok(fitted) => {
                    let observed = results.observed(site);
                    let pairs = test.map(|index| {
                        let day = day(results, &calendar, site, index, f64::from(observed[index]));
                        (day.flux, fitted.flux(day.of_year, day.temperature))
                    });
                    pairs.collect::<Pairs>().scores()
                }
            }
        };
        let by_site = |model| (0..fold_of.len()).map(|site| scores(model, site)).collect();
        let ours: Vec<Scores> = by_site(Model::Unseen);
        let models = Model::ALL.into_iter().filter(|model| match model {
            Model::Regression => results.contenders.is_some(),
            Model::Pooled => results.contenders.is_some_and(|of| of.pooled.is_some()),
            Model::External => results.external.is_some(),
            Model::Unseen | Model::Seen | Model::Temperature | Model::LandCover => true,
        });
        let models = models.map(|model| compared(model, &ours, by_site(model)));
        let models = models.collect();
        let errors = errors(results);
        let root = |errors: &Vec<f64>| {
            let squares: Vec<f64> = errors.iter().map(|error| error * error).collect();
            mean(&squares).map(f64::sqrt)
        };
        let rmse: Vec<Defined> = errors.iter().map(root).collect();
        let with_distance = match results.distances {
            Some(distances) => {
                let sites = distances.index.iter().zip(&rmse);
                let pairs = sites.map(|(index, rmse)| (*index, rmse.unwrap_or(f64::NAN)));
                rank_correlation(&pairs.collect::<Vec<_>>())
            }
            None => Err(Undefined::Missing("dissimilarity index")),
        };
        let interval = |level| Interval {
            level,
            factor: unseen_site_factor(&errors, level),
            coverage: {
                let held = coverage_by_the_others(&errors, level).into_iter();
                mean(&held.flatten().collect::<Vec<f64>>())
            },
        };
        Some(Self {
            intervals: LEVELS.map(interval).into(),
            rmse,
            with_distance,
            models,
            fold_of,
        })
    }
}

fn compared(model: Model, ours: &[Scores], scores: Vec<Scores>) -> AtUnseen {
    let both = ours.iter().zip(&scores);
    let differences = both.filter_map(|(ours, theirs)| Some(ours[NSE].ok()? - theirs[NSE].ok()?));
    let differences: Vec<f64> = differences.collect();
    AtUnseen {
        model,
        compared: differences.len(),
        won: differences.iter().filter(|value| **value > 0.0).count(),
        difference: bootstrap_median(&differences, LEVEL),
        test: signed_rank(&differences),
        scores,
    }
}

/// Responses to temperature of the sites that a fold trains on.
struct Simple {
    of_all: Defined<Fitted>,
    by_cover: BTreeMap<String, Fitted>,
}

impl Simple {
    fn of(results: &Results<'_>, fold: &Fold) -> Self {
        let calendar = results.days_of_year();
        let mut all = Vec::new();
        let mut by_cover: BTreeMap<&str, Vec<Day>> = BTreeMap::new();
        for site in (0..results.sites.len()).filter(|&site| fold.trains(site)) {
            let observed = results.observed(site);
            let of_site =
                |index: usize| day(results, &calendar, site, index, f64::from(observed[index]));
            let days: Vec<Day> = match results.settings.split.kind {
                SplitKind::Sites => results.days_observed(site).map(of_site).collect(),
                SplitKind::Time | SplitKind::Both => {
                    results.fitted_days(site).map(of_site).collect()
                }
            };
            let cover = results.sites[site].igbp.as_str();
            by_cover.entry(cover).or_default().extend(&days);
            all.extend(days);
        }
        let fit = |days: &[Day]| Baseline::Exponential.fit(days);
        let fitted = by_cover.iter();
        let fitted =
            fitted.filter_map(|(cover, days)| Some(((*cover).to_owned(), fit(days).ok()?)));
        Self {
            by_cover: fitted.collect(),
            of_all: fit(&all),
        }
    }

    fn of_cover(&self, cover: &str) -> Result<&Fitted, &Undefined> {
        self.by_cover.get(cover).map_or(self.of_all.as_ref(), Ok)
    }
}

/// For each seed whose members of all folds are there, one that has for every site the simulation of the fold that holds it
/// out.
pub(crate) fn gather(run: &Run<'_>, members: &[Member], trials: &[Trial]) -> Vec<Member> {
    let (folds, days) = (&run.contract.folds, run.pack.calendar.days);
    let of_fold = |seed: u64, fold: usize| {
        let mut trials = trials.iter();
        let trial = trials.find(|trial| trial.seed == seed && trial.params.fold() == Some(fold))?;
        members
            .iter()
            .find(|member| member.trial_id == trial.id.as_str())
    };
    let of_seed = |&seed: &u64| {
        let parts: Vec<&Member> = (0..folds.len())
            .map(|fold| of_fold(seed, fold))
            .collect::<Option<_>>()?;
        let mut flux = vec![f32::NAN; run.pack.sites.len() * days];
        for (fold, part) in folds.iter().zip(&parts) {
            for &site in &fold.test {
                flux[site * days..][..days].copy_from_slice(part.site(site, days));
            }
        }
        let ids: Vec<&str> = parts.iter().map(|part| part.trial_id.as_str()).collect();
        Some(Member {
            trial_id: ids.join(" "),
            sites: parts.first()?.sites.clone(),
            seed,
            flux,
            other_state: None,
        })
    };
    run.job
        .seeds
        .final_members
        .iter()
        .filter_map(of_seed)
        .collect()
}
