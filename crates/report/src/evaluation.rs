//! The scores behind every table and figure: of each series, on each part, at each site.

use std::fmt;

use efflux_analysis::Defined;
use efflux_analysis::backtransform::{BiasParts, Residuals, bias_parts};
use efflux_analysis::baselines::{Baseline, Day};
use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::ensemble;
use efflux_analysis::ensemble::Together;
use efflux_analysis::measures::{ByMeasure, Measure, NSE, Scores};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::statistics::median;
use efflux_job::{Part, State, VALIDATION_DAYS};
use efflux_numerics::SiteByDay;

use super::results::Results;

/// A simulated series that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Series {
    /// The mean over members.
    Ensemble,
    /// The member at this place in [`Results::members`].
    Member(usize),
    /// The mean over members that were run with the state that the job did not ask for.
    OtherState,
    /// The member at this place, run so.
    MemberOtherState(usize),
    /// The ensemble mean with the level of each site put right by its mean training residual in asinh units.
    SiteLevel,
    /// The ensemble mean against the observations without the percentile filter.
    Unfiltered,
    /// The ensemble mean, smeared by the training residuals in asinh units.
    Smeared,
    /// The pooled Gaussian process; on the test part only.
    Pooled,
    /// What another program predicts; on the test part only.
    External,
    /// A model of the site alone, fitted on the days that members fit on; on the test part only.
    Baseline(Baseline),
}

/// The scores of one series on one part, by site.
struct Scored {
    series: Series,
    part: Part,
    sites: Vec<Scores>,
}

/// All scores of a run.
pub(crate) struct Evaluation {
    scored: Vec<Scored>,
    /// The ensemble mean, `[S][D]`; NaN on days on which it is not defined.
    pub(crate) mean: Vec<Vec<f64>>,
    /// The spread of the members, of the same shape.
    pub(crate) spread: Vec<Vec<f64>>,
    /// The bias of the ensemble mean on the test part, taken apart, by site.
    pub(crate) bias: Vec<Defined<BiasParts>>,
}

/// How many sites fall into each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Good sites.
    pub good: usize,
    /// Fair sites.
    pub fair: usize,
    /// Poor sites.
    pub poor: usize,
    /// Sites of which a score that the classes take is not defined.
    pub undefined: usize,
}

impl fmt::Display for ClassCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            good,
            fair,
            poor,
            undefined,
        } = self;
        write!(
            f,
            "{good} good, {fair} fair, {poor} poor, {undefined} not defined"
        )
    }
}

impl Series {
    /// What tables call it.
    pub(crate) fn key(self, results: &Results<'_>) -> String {
        match self {
            Self::Ensemble => "ensemble-mean".to_owned(),
            Self::Member(place) => format!("member-{}", results.members[place].seed),
            Self::OtherState | Self::MemberOtherState(_) => {
                let run = match self {
                    Self::MemberOtherState(place) => Self::Member(place),
                    _ => Self::Ensemble,
                };
                let state = self.state(results).map_or("", State::name);
                format!("{}-{state}-state", run.key(results))
            }
            Self::SiteLevel => "ensemble-mean-site-level".to_owned(),
            Self::Unfiltered => "ensemble-mean-unfiltered".to_owned(),
            Self::Smeared => "ensemble-mean-smeared".to_owned(),
            Self::Pooled => "pooled-process".to_owned(),
            Self::External => "external".to_owned(),
            Self::Baseline(baseline) => baseline.key().to_owned(),
        }
    }

    /// The state that it was run with; none if it has none.
    pub(crate) fn state(self, results: &Results<'_>) -> Option<State> {
        let asked = results.contract.evaluation.state;
        match self {
            Self::Baseline(_) | Self::Pooled | Self::External => None,
            Self::OtherState | Self::MemberOtherState(_) => Some(asked.other()),
            Self::Ensemble
            | Self::Member(_)
            | Self::SiteLevel
            | Self::Unfiltered
            | Self::Smeared => Some(asked),
        }
    }
}

impl Evaluation {
    pub(crate) fn new(results: &Results<'_>) -> Self {
        let together = |site: usize| {
            let members = results.members.iter();
            let members: Vec<&[f32]> = members
                .map(|member| member.site(site, results.days))
                .collect();
            let Together { mean, spread } = Together::of(&members, results.days);
            match results.mixed {
                Some(mixed) => {
                    let mixed = mixed.site(site).iter().map(|&flux| f64::from(flux));
                    (mixed.collect(), spread)
                }
                None => (mean, spread),
            }
        };
        let (mean, spread): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
            (0..results.sites.len()).map(together).unzip();
        let mut scored = Vec::new();
        for part in Part::ALL {
            scored.push(Scored {
                series: Series::Ensemble,
                part,
                sites: each_site(results, part, |site, day| mean[site][day]),
            });
            for (place, member) in results.members.iter().enumerate() {
                scored.push(Scored {
                    series: Series::Member(place),
                    part,
                    sites: each_site(results, part, |site, day| {
                        f64::from(member.site(site, results.days)[day])
                    }),
                });
            }
        }
        scored.extend(with_other_state(results));
        type Correction = fn(&Residuals, f64) -> f64;
        let corrections: [(Series, Correction); 2] = [
            (Series::SiteLevel, Residuals::at_level),
            (Series::Smeared, Residuals::smeared),
        ];
        for (series, correct) in corrections {
            let of_site = |site: usize| corrected(results, &mean[site], site, correct);
            scored.push(Scored {
                series,
                part: Part::Test,
                sites: (0..results.sites.len()).map(of_site).collect(),
            });
        }
        if let Some(unfiltered) = results.unfiltered {
            let of_site = |site: usize| {
                let days = results.part_days(site, Part::Test);
                let observed = unfiltered.site(site);
                let pairs = days.map(|day| (f64::from(observed[day]), mean[site][day]));
                pairs.collect::<Pairs>().scores()
            };
            scored.push(Scored {
                series: Series::Unfiltered,
                part: Part::Test,
                sites: (0..results.sites.len()).map(of_site).collect(),
            });
        }
        let given = [
            (Series::Pooled, results.pooled),
            (Series::External, results.external),
        ];
        for (series, flux) in given {
            let of = |flux: &SiteByDay<f32>| Scored {
                series,
                part: Part::Test,
                sites: each_site(results, Part::Test, |site, day| {
                    f64::from(flux[(site, day)])
                }),
            };
            scored.extend(flux.map(of));
        }
        let calendar = results.days_of_year();
        for baseline in Baseline::ALL {
            let of_site = |site| baseline_scores(results, &calendar, baseline, site);
            scored.push(Scored {
                series: Series::Baseline(baseline),
                part: Part::Test,
                sites: (0..results.sites.len()).map(of_site).collect(),
            });
        }
        let bias = (0..results.sites.len())
            .map(|site| {
                let test = results.part_days(site, Part::Test);
                bias_parts(&pairs_on(results, site, test, &mean[site]))
            })
            .collect();
        Self {
            scored,
            mean,
            spread,
            bias,
        }
    }

    /// The scores of a series on a part, by site; empty where it is not judged.
    pub(crate) fn scores(&self, series: Series, part: Part) -> &[Scores] {
        let found = self
            .scored
            .iter()
            .find(|scored| scored.series == series && scored.part == part);
        found.map_or(&[], |scored| &scored.sites)
    }

    /// Every series and part with its scores by site, in the order of the tables.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Series, Part, &[Scores])> {
        self.scored
            .iter()
            .map(|scored| (scored.series, scored.part, scored.sites.as_slice()))
    }

    /// The values of one measure over the sites at which it is defined.
    pub(crate) fn defined(&self, series: Series, part: Part, measure: Measure) -> Vec<f64> {
        // Sites without a vote in the selection have no place in its medians either.
        let least = if part == Part::Validation {
            VALIDATION_DAYS
        } else {
            0
        };
        let scores = self.scores(series, part).iter();
        scores
            .filter(|scores| scores.n >= least)
            .filter_map(|scores| scores[measure].ok())
            .collect()
    }

    /// The median of one measure over the sites at which it is defined; if there is none, the reason given by the site
    /// with the most days.
    pub(crate) fn median(&self, series: Series, part: Part, measure: Measure) -> Defined {
        let longest = self
            .scores(series, part)
            .iter()
            .max_by_key(|scores| scores.n);
        median(&self.defined(series, part, measure)).map_err(|none| {
            longest
                .and_then(|scores| scores[measure].err())
                .unwrap_or(none)
        })
    }

    /// The median of each measure.
    pub(crate) fn medians(&self, series: Series, part: Part) -> ByMeasure<Defined> {
        ByMeasure::new(|measure| self.median(series, part, measure))
    }

    /// The class of the ensemble mean at a site on the test part.
    pub(crate) fn class(&self, site: usize, reading: Reading) -> Option<Class> {
        let scores = &self.scores(Series::Ensemble, Part::Test)[site];
        reading.class_of(scores)
    }

    /// The classes of all sites.
    pub(crate) fn classes(&self, reading: Reading) -> ClassCounts {
        let mut counts = ClassCounts::default();
        for site in 0..self.mean.len() {
            match self.class(site, reading) {
                Some(Class::Good) => counts.good += 1,
                Some(Class::Fair) => counts.fair += 1,
                Some(Class::Poor) => counts.poor += 1,
                None => counts.undefined += 1,
            }
        }
        counts
    }

    /// At how many sites the ensemble mean has a higher test NSE than the training mean, of how many where both are
    /// defined.
    pub(crate) fn better_than_training_mean(&self) -> (usize, usize) {
        let ours = self.scores(Series::Ensemble, Part::Test);
        let theirs = self.scores(Series::Baseline(Baseline::TrainingMean), Part::Test);
        let both: Vec<(f64, f64)> = ours
            .iter()
            .zip(theirs)
            .filter_map(|(a, b)| a[NSE].ok().zip(b[NSE].ok()))
            .collect();
        (both.iter().filter(|(a, b)| a > b).count(), both.len())
    }
}

/// The members' values on one day at one site.
pub(crate) fn members_on(results: &Results<'_>, site: usize, day: usize) -> Vec<f64> {
    let values = results
        .members
        .iter()
        .map(|member| member.site(site, results.days)[day]);
    values.map(f64::from).collect()
}

fn each_site(
    results: &Results<'_>,
    part: Part,
    simulated: impl Fn(usize, usize) -> f64,
) -> Vec<Scores> {
    let pairs = (0..results.sites.len()).map(|site| {
        let observed = results.observed(site);
        let days = results.part_days(site, part);
        days.map(|day| (f64::from(observed[day]), simulated(site, day)))
            .collect()
    });
    pairs.map(|pairs: Pairs| pairs.scores()).collect()
}

/// The scores of members and their mean with the state that the job did not ask for; none if a member did not keep them.
fn with_other_state(results: &Results<'_>) -> Vec<Scored> {
    let members = results.members.iter();
    let members: Option<Vec<&[f32]>> = members
        .map(|member| member.other_state.as_deref())
        .collect();
    let Some(members) = members.filter(|members| !members.is_empty()) else {
        return Vec::new();
    };
    let observed: Vec<Vec<usize>> = (0..results.sites.len())
        .map(|site| results.days_observed(site).collect())
        .collect();
    let score = |series, part, simulated: &dyn Fn(usize) -> f64| {
        let mut first = 0;
        let mut of_site = |(site, days): (usize, &Vec<usize>)| {
            let places = first..;
            first += days.len();
            let parts = results.parts.site(site);
            let pairs = days.iter().zip(places);
            let pairs = pairs.filter(|&(&day, _)| parts[day] == part);
            let flux = results.observed(site);
            let pairs = pairs.map(|(&day, place)| (f64::from(flux[day]), simulated(place)));
            pairs.collect::<Pairs>().scores()
        };
        Scored {
            series,
            part,
            sites: observed.iter().enumerate().map(&mut of_site).collect(),
        }
    };
    let mut scored = Vec::new();
    for part in Part::ALL {
        scored.push(score(Series::OtherState, part, &|place| {
            let values = members.iter().map(|member| f64::from(member[place]));
            ensemble::mean(&values.collect::<Vec<f64>>()).unwrap_or(f64::NAN)
        }));
        for (index, member) in members.iter().enumerate() {
            let series = Series::MemberOtherState(index);
            scored.push(score(series, part, &|place| f64::from(member[place])));
        }
    }
    scored
}

/// (Observed, simulated) of some days of a site.
pub(crate) fn pairs_on(
    results: &Results<'_>,
    site: usize,
    days: impl IntoIterator<Item = usize>,
    simulated: &[f64],
) -> Vec<(f64, f64)> {
    let observed = results.observed(site);
    days.into_iter()
        .map(|day| (f64::from(observed[day]), simulated[day]))
        .collect()
}

fn corrected(
    results: &Results<'_>,
    mean: &[f64],
    site: usize,
    correct: fn(&Residuals, f64) -> f64,
) -> Scores {
    match Residuals::of(pairs_on(results, site, results.fitted_days(site), mean)) {
        Err(reason) => Scores::undefined(reason),
        Ok(residuals) => {
            let test = pairs_on(results, site, results.part_days(site, Part::Test), mean);
            let corrected = test
                .into_iter()
                .map(|(observed, simulated)| (observed, correct(&residuals, simulated)));
            corrected.collect::<Pairs>().scores()
        }
    }
}

/// A day of a site as the models of one site see it.
pub(crate) fn day(
    results: &Results<'_>,
    calendar: &[(u16, u8)],
    site: usize,
    day: usize,
    flux: f64,
) -> Day {
    Day {
        of_year: calendar[day].0,
        temperature: results.temperature_on(site, day),
        flux,
    }
}

fn baseline_scores(
    results: &Results<'_>,
    calendar: &[(u16, u8)],
    baseline: Baseline,
    site: usize,
) -> Scores {
    let observed = results.observed(site);
    let at = |index: usize| day(results, calendar, site, index, f64::from(observed[index]));
    let training: Vec<Day> = results.fitted_days(site).map(at).collect();
    match baseline.fit(&training) {
        Err(reason) => Scores::undefined(reason),
        Ok(fitted) => {
            let test = results.part_days(site, Part::Test).map(at);
            let pairs = test.map(|day| (day.flux, fitted.flux(day.of_year, day.temperature)));
            pairs.collect::<Pairs>().scores()
        }
    }
}
