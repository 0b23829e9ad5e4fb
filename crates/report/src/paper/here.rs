//! What a run has beside the paper's numbers.

use efflux_analysis::classes::{Class, Reading};
use efflux_analysis::measures::{Measure, Scores};
use efflux_analysis::significance::Correlation;
use efflux_analysis::statistics::{count_above, mean, median};
use efflux_analysis::{Defined, Undefined};
use efflux_job::{Loss, Part, Scaling, Stage, Transformation};
use efflux_run::record::{Outcome, Record, Summary};

use super::Beside;
use crate::drivers::{Drivers, Over, PRECIPITATION, Seasons, TEMPERATE};
use crate::evaluation::{Evaluation, Series};
use crate::extremes::{Extremes, Group};
use crate::numbers::counted;
use crate::results::Results;

/// A run and what is found of it.
pub(crate) struct Here<'a> {
    pub(crate) results: &'a Results<'a>,
    pub(crate) evaluation: &'a Evaluation,
    pub(crate) extremes: &'a Extremes,
    pub(crate) drivers: &'a Drivers,
}

/// What is taken of the values of some sites.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken {
    Median,
    Mean,
    /// Sites above this value.
    Above(f64),
    /// Their share.
    ShareAbove(f64),
    /// The share of sites below it.
    ShareBelow(f64),
}

impl Taken {
    fn of(self, values: &[f64]) -> Defined {
        let share = |count: usize| count as f64 / values.len() as f64;
        match self {
            _ if values.is_empty() => Err(Undefined::TooFew {
                found: 0,
                needed: 1,
            }),
            Self::Median => median(values),
            Self::Mean => mean(values),
            Self::Above(limit) => Ok(count_above(values, limit) as f64),
            Self::ShareAbove(limit) => Ok(share(count_above(values, limit))),
            Self::ShareBelow(limit) => {
                Ok(share(values.iter().filter(|value| **value < limit).count()))
            }
        }
    }
}

fn beside(value: Defined) -> Beside {
    value.map_err(|reason| format!("it is not defined here ({reason})"))
}

impl Here<'_> {
    fn scores(&self, part: Part) -> Result<&[Scores], String> {
        if self.results.members.is_empty() {
            return Err("no member has simulated the sites yet".to_owned());
        }
        Ok(self.evaluation.scores(Series::Ensemble, part))
    }

    /// Of a measure at the sites that are among those meant.
    fn taken(
        &self,
        part: Part,
        measure: Measure,
        taken: Taken,
        among: impl Fn(usize) -> bool,
    ) -> Beside {
        let scores = self.scores(part)?.iter().enumerate();
        let here = scores.filter(|(site, _)| among(*site));
        let values: Vec<f64> = here
            .filter_map(|(_, scores)| scores[measure].ok())
            .collect();
        beside(taken.of(&values))
    }

    pub(super) fn of_sites(&self, part: Part, measure: Measure, taken: Taken) -> Beside {
        self.taken(part, measure, taken, |_| true)
    }

    /// Of a class by the text's thresholds, on the test part.
    pub(super) fn of_class(&self, class: Class, measure: Measure, taken: Taken) -> Beside {
        let is_in = |site| self.evaluation.class(site, Reading::Text) == Some(class);
        self.scores(Part::Test)?;
        if !(0..self.results.sites.len()).any(is_in) {
            return Err(format!("no site here is {class}"));
        }
        self.taken(Part::Test, measure, taken, is_in)
    }

    pub(super) fn sites_in(&self, reading: Reading, class: Class) -> Beside {
        self.scores(Part::Test)?;
        let counts = self.evaluation.classes(reading);
        if counts.undefined == self.results.sites.len() {
            return Err("no site here has a class".to_owned());
        }
        let count = match class {
            Class::Good => counts.good,
            Class::Fair => counts.fair,
            Class::Poor => counts.poor,
        };
        Ok(count as f64)
    }

    /// The median over sites of their test days of a kind.
    pub(super) fn of_days(&self, group: Group, measure: Measure) -> Beside {
        self.scores(Part::Test)?;
        let place = Group::ALL.iter().position(|one| *one == group);
        let place = place.ok_or("these days are not told apart")?;
        beside(self.extremes.median(place, measure).1)
    }

    fn is_inside(&self, site: usize) -> bool {
        let latitude = self.results.sites[site].latitude.abs();
        (TEMPERATE.0..=TEMPERATE.1).contains(&latitude)
    }

    pub(super) fn of_zone(&self, inside: bool, measure: Measure, taken: Taken) -> Beside {
        self.in_zone(inside)?;
        let is_in = |site| self.is_inside(site) == inside;
        self.taken(Part::Test, measure, taken, is_in)
    }

    /// The share of good sites.
    pub(super) fn good_in_zone(&self, inside: bool) -> Beside {
        self.scores(Part::Test)?;
        let sites = self.in_zone(inside)?;
        let is_good =
            |site: &&usize| self.evaluation.class(**site, Reading::Text) == Some(Class::Good);
        Ok(sites.iter().filter(is_good).count() as f64 / sites.len() as f64)
    }

    fn in_zone(&self, inside: bool) -> Result<Vec<usize>, String> {
        let sites = 0..self.results.sites.len();
        let sites: Vec<usize> = sites
            .filter(|site| self.is_inside(*site) == inside)
            .collect();
        if sites.is_empty() {
            let where_ = if inside { "inside" } else { "outside" };
            return Err(format!("no site here lies {where_}"));
        }
        Ok(sites)
    }

    pub(super) fn of_cover(&self, cover: &str, measure: Measure) -> Beside {
        let is_in = |site: usize| self.results.sites[site].igbp == cover;
        if !(0..self.results.sites.len()).any(is_in) {
            return Err("no site here has this land cover".to_owned());
        }
        self.taken(Part::Test, measure, Taken::Median, is_in)
    }

    /// The sites with less than 50 cm of precipitation a year.
    pub(super) fn arid(&self) -> Result<Vec<usize>, String> {
        let found = self.results.attribute(&PRECIPITATION);
        let found = found.ok_or("the pack has no mean annual precipitation")?;
        let limit = if found.name.contains("(cm") {
            50.0
        } else {
            500.0
        };
        let values = found.values.iter().enumerate();
        let arid = values.filter(|(_, value)| **value < limit);
        Ok(arid.map(|(site, _)| site).collect())
    }

    /// How many of them are poor.
    pub(super) fn arid_poor(&self) -> Beside {
        self.scores(Part::Test)?;
        let arid = self.arid()?.into_iter();
        let poor =
            arid.filter(|&site| self.evaluation.class(site, Reading::Text) == Some(Class::Poor));
        Ok(poor.count() as f64)
    }

    fn correlation(
        &self,
        begins: &[&str],
        measure: Measure,
        over: Over,
    ) -> Result<Correlation, String> {
        self.scores(Part::Test)?;
        let property = self.drivers.property(begins);
        let property = property.ok_or("the pack does not have it")?;
        let mut rows = self.drivers.correlations.iter();
        let row = rows
            .find(|row| row.name == property.name && row.measure == measure && row.over == over);
        let row = row.ok_or("it is not correlated here")?;
        row.found
            .map_err(|reason| format!("it is not defined here ({reason})"))
    }

    pub(super) fn r(&self, begins: &[&str], measure: Measure, over: Over) -> Beside {
        Ok(self.correlation(begins, measure, over)?.r)
    }

    pub(super) fn p(&self, begins: &[&str], measure: Measure, over: Over) -> Beside {
        Ok(self.correlation(begins, measure, over)?.p)
    }

    /// Of the comparison of summers and winters by the text's classes.
    pub(super) fn seasons(&self, of: fn(&Seasons) -> Defined) -> Beside {
        self.scores(Part::Test)?;
        let mut readings = self.drivers.seasons.iter();
        let found = readings.find(|seasons| seasons.reading == Reading::Text);
        beside(of(found.ok_or("seasons are not compared here")?))
    }

    /// Measurements on days of the calendar.
    pub(super) fn observations(&self) -> Beside {
        let account = self.results.account;
        let rows = account.ok_or("the pack was made of daily means")?.rows();
        Ok((rows.below + rows.above + rows.kept) as f64)
    }

    /// Finished members, with how they ended.
    fn members(&self) -> impl Iterator<Item = (&Record, &Summary)> {
        let records = self.results.records.iter();
        records.filter_map(|record| match &record.outcome {
            Outcome::Finished(summary) if record.trial.stage == Stage::Final => {
                Some((record, summary))
            }
            _ => None,
        })
    }

    pub(super) fn hours(&self) -> Beside {
        let hours: Vec<f64> = self.members().map(|(of, _)| of.seconds / 3600.0).collect();
        median(&hours).map_err(|_| "no member has been trained yet".to_owned())
    }

    pub(super) fn loss(&self) -> Beside {
        let settings = self.results.settings;
        if settings.training.loss != Loss::Mse {
            return Err("another loss is minimised here".to_owned());
        }
        let transform = settings.transform;
        if transform.target != Transformation::Asinh || transform.scaling == Scaling::None {
            return Err("the target is scaled otherwise here".to_owned());
        }
        let losses: Vec<f64> = self.members().map(|(_, summary)| summary.loss).collect();
        median(&losses).map_err(|_| "no member has been trained yet".to_owned())
    }

    pub(super) fn seed(&self) -> Beside {
        match self.results.members {
            [] => Err("no member has simulated the sites yet".to_owned()),
            [member] => Ok(member.seed as f64),
            members => Err(format!(
                "no seed is chosen here: the scores are those of the mean of {}",
                counted(members.len(), "network")
            )),
        }
    }
}
