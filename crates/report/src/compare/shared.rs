//! What runs are judged on alike: the test days that all of them have, with the same observed flux, and their scores there.

use std::collections::HashMap;

use efflux_analysis::Defined;
use efflux_analysis::measures::{Detail, Measure, Scores};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::paired::{Bootstrap, SignedRank, bootstrap_median, signed_rank};
use efflux_analysis::statistics::median;
use efflux_data::{Parts, Predictions};
use efflux_job::{Part, Split};

use crate::comparison::LEVEL;
use crate::unseen::Model;

/// What of each run is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    /// The mean over the members.
    Ensemble,
    /// At each site the mean over the members that have not seen it.
    Unseen,
}

impl Series {
    /// What tables call it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Ensemble => "ensemble-mean",
            Self::Unseen => Model::Unseen.key(),
        }
    }

    /// What people call it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Ensemble => "ensemble mean",
            Self::Unseen => Model::Unseen.label(),
        }
    }
}

/// What one run is judged on.
pub(super) struct Judged {
    pub(super) predictions: Predictions,
    parts: Parts,
    place: HashMap<String, usize>,
}

impl Judged {
    pub(super) fn new(predictions: Predictions, split: &Split) -> Self {
        let sites = predictions.sites.iter().cloned();
        Self {
            parts: Parts::of(&predictions.observed, split),
            place: sites.zip(0..).collect(),
            predictions,
        }
    }

    /// Observed and simulated flux of a test day with both.
    fn pair(&self, site: usize, day: usize) -> Option<(f32, f32)> {
        let Predictions { observed, mean, .. } = &self.predictions;
        let (observed, simulated) = (observed[(site, day)], mean[(site, day)]);
        let is_judged = self.parts[(site, day)] == Part::Test;
        (is_judged && observed.is_finite() && simulated.is_finite())
            .then_some((observed, simulated))
    }

    /// Sites and days that it is judged on.
    pub(super) fn counts(&self) -> [usize; 2] {
        let days = 0..self.predictions.calendar.days;
        let of_site = |site| {
            days.clone()
                .filter(|&day| self.pair(site, day).is_some())
                .count()
        };
        let by_site = (0..self.predictions.sites.len()).map(of_site);
        by_site
            .filter(|&days| days > 0)
            .fold([0, 0], |[sites, all], days| [sites + 1, all + days])
    }
}

/// A site with days that all runs are judged on.
pub(super) struct Site {
    pub(super) id: String,
    /// The scores of each run on these days.
    pub(super) scores: Vec<Scores>,
}

/// One series of all runs.
pub(super) struct Shared {
    pub(super) series: Series,
    pub(super) sites: Vec<Site>,
    /// Days of all these sites.
    pub(super) days: usize,
    /// Test days of all runs that do not count, because the observed flux is not the same.
    pub(super) unequal: usize,
    /// The scores of each run over all these days together.
    pub(super) pooled: Vec<Scores>,
}

impl Shared {
    pub(super) fn of(series: Series, runs: &[Judged]) -> Self {
        let (mut sites, mut days, mut unequal) = (Vec::new(), 0, 0);
        let mut all: Vec<Vec<(f64, f64)>> = vec![Vec::new(); runs.len()];
        let first = runs.first().map_or(&[][..], |run| &run.predictions.sites);
        for id in first {
            let places = runs.iter().map(|run| run.place.get(id).copied());
            let Some(places) = places.collect::<Option<Vec<usize>>>() else {
                continue;
            };
            let mut own: Vec<Vec<(f64, f64)>> = vec![Vec::new(); runs.len()];
            let calendar = runs[0].predictions.calendar;
            for day in 0..calendar.days {
                let pairs = runs.iter().zip(&places).map(|(run, &site)| {
                    let day = run.predictions.calendar.index(calendar.date(day))?;
                    run.pair(site, day)
                });
                let Some(pairs) = pairs.collect::<Option<Vec<(f32, f32)>>>() else {
                    continue;
                };
                if pairs.iter().any(|(observed, _)| *observed != pairs[0].0) {
                    unequal += 1;
                    continue;
                }
                for (own, (observed, simulated)) in own.iter_mut().zip(pairs) {
                    own.push((f64::from(observed), f64::from(simulated)));
                }
            }
            if own.iter().all(Vec::is_empty) {
                continue;
            }
            days += own[0].len();
            let scores = own
                .iter()
                .map(|own| own.iter().copied().collect::<Pairs>().scores());
            sites.push(Site {
                id: id.clone(),
                scores: scores.collect(),
            });
            for (all, own) in all.iter_mut().zip(own) {
                all.extend(own);
            }
        }
        let pooled = all
            .into_iter()
            .map(|all| all.into_iter().collect::<Pairs>().scores());
        Self {
            series,
            sites,
            days,
            unequal,
            pooled: pooled.collect(),
        }
    }

    /// Every measure of every run.
    pub(super) fn rows(&self) -> Vec<Row> {
        let runs = 0..self.pooled.len();
        let measures = Measure::listed(Detail::Brief);
        measures
            .flat_map(|measure| runs.clone().map(move |run| self.row(measure, run)))
            .collect()
    }

    fn row(&self, measure: Measure, run: usize) -> Row {
        let of_site = |site: &Site| {
            let values = site.scores.iter().map(|scores| scores[measure].ok());
            values.collect::<Option<Vec<f64>>>()
        };
        let values: Vec<Vec<f64>> = self.sites.iter().filter_map(of_site).collect();
        let own: Vec<f64> = values.iter().map(|values| values[run]).collect();
        Row {
            series: self.series,
            run,
            measure,
            sites: own.len(),
            median: median(&own),
            pooled: self.pooled[run][measure],
            against: (run > 0).then(|| {
                let gains = values
                    .iter()
                    .map(|values| measure.goodness(values[run]) - measure.goodness(values[0]));
                Against::of(&gains.collect::<Vec<f64>>())
            }),
        }
    }
}

/// A measure of a run.
pub(super) struct Row {
    pub(super) series: Series,
    pub(super) run: usize,
    pub(super) measure: Measure,
    /// Sites at which it is defined for all runs.
    pub(super) sites: usize,
    /// The median over them.
    pub(super) median: Defined,
    /// Over all days together.
    pub(super) pooled: Defined,
    /// Beside the first run; none for that.
    pub(super) against: Option<Against>,
}

/// A run beside the first, by site.
pub(super) struct Against {
    /// Sites at which it is better.
    pub(super) better: usize,
    /// Sites at which it is worse.
    pub(super) worse: usize,
    /// How much better it is, the median over sites.
    pub(super) gain: Defined<Bootstrap>,
    /// Whether that is more than chance.
    pub(super) test: Defined<SignedRank>,
}

impl Against {
    fn of(gains: &[f64]) -> Self {
        let count = |is: fn(f64) -> bool| gains.iter().filter(|gain| is(**gain)).count();
        Self {
            better: count(|gain| gain > 0.0),
            worse: count(|gain| gain < 0.0),
            gain: bootstrap_median(gains, LEVEL),
            test: signed_rank(gains),
        }
    }
}

#[cfg(test)]
mod tests {
    use efflux_analysis::measures::{BIAS, NSE};
    use efflux_data::Calendar;
    use efflux_numerics::SiteByDay;
    use jiff::civil::date;

    use super::*;

    const DAYS: usize = 20;

    /// Two sites whose simulation is off by so much, on a calendar that starts on this day of January.
    fn run(sites: [&str; 2], start: i8, off: f32) -> Judged {
        let flux = |day: usize| (day as f32 + f32::from(start)).sin();
        let observed: Vec<f32> = (0..2 * DAYS).map(|place| flux(place % DAYS)).collect();
        let mean = observed.iter().map(|flux| flux + off).collect();
        let predictions = Predictions {
            target: efflux_data::Target::default(),
            calendar: Calendar {
                start: date(2010, 1, start),
                days: DAYS,
            },
            sites: sites.map(str::to_owned).into(),
            trials: Vec::new(),
            observed: SiteByDay::of(DAYS, observed),
            mean: SiteByDay::of(DAYS, mean),
        };
        Judged::new(predictions, &Split::by_time(0.5, 0.0))
    }

    fn row(rows: &[Row], measure: Measure, run: usize) -> &Row {
        let mut rows = rows.iter();
        rows.find(|row| row.measure == measure && row.run == run)
            .unwrap()
    }

    #[test]
    fn runs_are_compared_at_the_sites_and_on_the_days_that_all_are_judged_on() {
        // The last ten days are judged; of the second calendar, which begins three days later, seven are among them.
        let shared = Shared::of(
            Series::Ensemble,
            &[run(["A", "B"], 1, 0.5), run(["C", "B"], 4, -0.1)],
        );
        assert_eq!((shared.sites.len(), shared.days, shared.unequal), (1, 7, 0));
        assert_eq!(shared.sites[0].id, "B");
        let rows = shared.rows();
        let off = row(&rows, BIAS, 0).median.unwrap();
        assert!((off - 0.5).abs() < 1e-6, "{off}");
        let better = row(&rows, NSE, 1).against.as_ref().unwrap();
        assert_eq!((better.better, better.worse), (1, 0));
        assert!(row(&rows, NSE, 0).against.is_none());
        // Whichever side of zero a bias is on, the smaller is the better.
        let gain = row(&rows, BIAS, 1).against.as_ref().unwrap();
        assert_eq!((gain.better, gain.worse), (1, 0));
    }

    #[test]
    fn days_whose_observed_flux_differs_do_not_count_and_are_counted() {
        let mut other = run(["A", "B"], 1, 0.0);
        other.predictions.observed[(1, 15)] += 1.0;
        other.predictions.observed[(0, 12)] = f32::NAN;
        let runs = [run(["A", "B"], 1, 0.0), other];
        let shared = Shared::of(Series::Ensemble, &runs);
        assert_eq!(
            (shared.sites.len(), shared.days, shared.unequal),
            (2, 18, 1)
        );
        assert_eq!(runs[0].counts(), [2, 20]);
        assert_eq!(runs[1].counts(), [2, 19]);
    }

    #[test]
    fn a_run_beside_itself_is_nowhere_better_and_has_no_p_value() {
        let shared = Shared::of(
            Series::Ensemble,
            &[run(["A", "B"], 1, 0.5), run(["A", "B"], 1, 0.5)],
        );
        let rows = shared.rows();
        let against = row(&rows, NSE, 1).against.as_ref().unwrap();
        assert_eq!((against.better, against.worse), (0, 0));
        assert!(against.test.is_err());
    }
}
