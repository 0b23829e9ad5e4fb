//! What the report is made of: everything the caller knows once the sweep has ended, or so far.

use efflux_base::error::{Error, Result};
use efflux_data::{Account, Filled, Member, Parts, SiteDistances, Target};
use efflux_job::{Analysis, Chosen, Contract, Fit, Part, Settings};
use efflux_numerics::SiteByDay;
use efflux_run::record::Record;
use efflux_run::stopping::Judged;
use efflux_run::{Choice, EpochLine};
use jiff::civil::Date;

use super::contenders::Contenders;
use super::forecast::ForecastSpread;
use super::weighing::Weighed;

/// The input of [`super::write`]. Fluxes are in the unit of [`Results::target`]; days count from [`Results::start`].
#[derive(Clone, Debug)]
pub struct Results<'a> {
    /// Names the run.
    pub job_name: &'a str,
    /// The job file as written.
    pub job_text: &'a str,
    /// What makes the scores of trials comparable.
    pub contract: &'a Contract,
    /// The settings of the selected configuration; of the job, as long as none is selected.
    pub settings: &'a Settings,
    /// What models with these settings see.
    pub inputs: &'a Chosen,
    /// What counts as extreme.
    pub analysis: &'a Analysis,
    /// The days that members fit on.
    pub fit: Fit,
    /// How the configuration was chosen.
    pub selection: &'a Choice,
    /// What its stopping rule saw; nothing without one.
    pub rungs: &'a [Judged],
    /// The newest attempt at every trial, search and final, in any order.
    pub records: &'a [Record],
    /// What makes the scores optimistic or incomplete, as sentences.
    pub caveats: &'a [String],
    /// Day 0 of the calendar.
    pub start: Date,
    /// Length of the calendar, `D`.
    pub days: usize,
    /// The sites, `S`.
    pub sites: &'a [Site],
    /// The part of each day at each site.
    pub parts: &'a Parts,
    /// What is observed and simulated.
    pub target: &'a Target,
    /// The observed flux, NaN where there is none.
    pub observed: &'a SiteByDay<f32>,
    /// The observed flux without the percentile filter, where the pack kept it.
    pub unfiltered: Option<&'a SiteByDay<f32>>,
    /// What became of the release that the pack was made of; none if it was made of daily means.
    pub account: Option<&'a Account>,
    /// Where the data come from, as the pack says it, a sentence each.
    pub sources: &'a [String],
    /// The temperature that baselines and responses take; none if the pack has none.
    pub temperature: Option<Temperature<'a>>,
    /// What is known of the sites besides.
    pub attributes: &'a [Attribute],
    /// Of each site's test days the share on which an input lies outside the range of all training days; none without test
    /// days.
    pub outside_training: &'a [Option<f64>],
    /// Which values of the daily inputs were not measured.
    pub filled: &'a Filled,
    /// What the pooled Gaussian process expects, `[S, D]`, NaN where it says nothing; none if it was not
    /// computed.
    pub pooled: Option<&'a SiteByDay<f32>>,
    /// How sure that process is; none unless it is a member of the ensemble.
    pub forecast: Option<&'a ForecastSpread>,
    /// What another program predicts, of the same shape; none where the job names no such file.
    pub external: Option<&'a SiteByDay<f32>>,
    /// The mean of an ensemble of unlike members, of the same shape; none where it is that of `members`.
    pub mixed: Option<&'a SiteByDay<f32>>,
    /// How that mean compares with others of the same kinds of members; nothing without one.
    pub weighed: &'a [Weighed],
    /// The members that simulated the calendar.
    pub members: &'a [Member],
    /// For each seed that has ended in every fold the simulations by the models that have not seen the site, NaN at sites that
    /// no fold holds out; none without folds.
    pub unseen: Option<&'a [Member]>,
    /// How far each site is from those of other folds in what members read, `[S]`; none without members.
    pub distances: Option<&'a SiteDistances>,
    /// What else was fitted in each fold; none without folds, or where it could not be.
    pub contenders: Option<&'a Contenders>,
    /// The members that the job asks for.
    pub members_planned: usize,
    /// The epochs that are on file, by trial and in order; of any trials.
    pub epochs: &'a [EpochLine],
    /// Names and values: version, host, device, launch, digests, times.
    pub provenance: &'a [(String, String)],
}

/// A daily temperature of the sites.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature<'a> {
    /// Its name in the pack.
    pub name: &'a str,
    /// °C, NaN where it is unknown.
    pub values: &'a SiteByDay<f32>,
}

/// A property of the sites that may explain how well they are simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name, with the unit.
    pub name: String,
    /// One value a site, NaN where unknown.
    pub values: Vec<f64>,
}

/// A measuring site.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its id in the pack.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Land cover class of the International Geosphere–Biosphere Programme.
    pub igbp: String,
}

impl Results<'_> {
    /// Whether every series is as long as sites and calendar say, so that nothing behind this can run off its end.
    pub(crate) fn check(&self) -> Result<()> {
        let values = self.sites.len() * self.days;
        let members = self.members.iter().chain(self.unseen.into_iter().flatten());
        let lengths = members.map(|member| member.flux.len());
        let given = [
            self.unfiltered,
            self.temperature.map(|given| given.values),
            self.pooled,
            self.external,
            self.forecast.map(|given| &given.sd),
            self.mixed,
            self.contenders.map(|of| &of.regression),
            self.contenders.and_then(|of| of.pooled.as_ref()),
        ];
        let given = given.into_iter().flatten().map(|given| given.len());
        let inputs = self.filled.inputs.iter().map(|input| input.flags.len());
        let filled = self.filled.least_known.len();
        let given = given.chain([self.observed.len(), self.parts.len(), filled]);
        let given = given.chain(inputs);
        for length in lengths.chain(given) {
            if length != values {
                let message =
                    format!("a series of {length} values where the calendar has {values}");
                return Err(Error::Internal(message));
            }
        }
        let observed = self.observed.iter().filter(|value| !value.is_nan()).count();
        let kept = self
            .members
            .iter()
            .filter_map(|member| member.other_state.as_ref());
        for length in kept.map(Vec::len) {
            if length != observed {
                let message =
                    format!("{length} values of the other state for {observed} observed days");
                return Err(Error::Internal(message));
            }
        }
        Ok(())
    }

    /// The observed flux of one site, `[D]`.
    pub fn observed(&self, site: usize) -> &[f32] {
        self.observed.site(site)
    }
}

impl Results<'_> {
    /// The attribute whose name begins in one of these ways, the first of them that there is.
    pub(crate) fn attribute(&self, begins: &[&str]) -> Option<&Attribute> {
        begins.iter().find_map(|begin| {
            let mut attributes = self.attributes.iter();
            attributes.find(|attribute| attribute.name.starts_with(begin))
        })
    }

    /// The temperature of a site on a day, °C; NaN if unknown.
    pub(crate) fn temperature_on(&self, site: usize, day: usize) -> f64 {
        self.temperature.map_or(f64::NAN, |temperature| {
            f64::from(temperature.values[(site, day)])
        })
    }

    /// The day of the year of every day of the calendar, 1 to 366, and its month.
    pub(crate) fn days_of_year(&self) -> Vec<(u16, u8)> {
        let mut date = self.start;
        let mut days = Vec::with_capacity(self.days);
        for _ in 0..self.days {
            days.push((
                date.day_of_year().unsigned_abs(),
                date.month().unsigned_abs(),
            ));
            date = date.tomorrow().unwrap_or(date);
        }
        days
    }

    /// The days that members fit on, at a site.
    pub(crate) fn fitted_days(&self, site: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let parts = self.parts.site(site).iter().enumerate();
        parts.filter_map(|(day, &part)| self.fit.holds(part).then_some(day))
    }

    /// The days of a part at a site, observed or not.
    pub(crate) fn part_days(
        &self,
        site: usize,
        part: Part,
    ) -> impl DoubleEndedIterator<Item = usize> + Clone + '_ {
        self.parts.days(site, part)
    }

    /// The epochs of each member that has some on file.
    pub(crate) fn members_epochs(&self) -> Vec<Vec<&EpochLine>> {
        let of_member = |member: &Member| -> Vec<&EpochLine> {
            let epochs = self.epochs.iter();
            epochs
                .filter(|epoch| epoch.trial.as_str() == member.trial_id)
                .collect()
        };
        let members = self.members.iter().map(of_member);
        members.filter(|epochs| !epochs.is_empty()).collect()
    }

    /// The date of a day of the calendar, ISO 8601.
    pub(crate) fn date(&self, day: usize) -> Option<String> {
        let days = jiff::Span::new().try_days(i64::try_from(day).ok()?).ok()?;
        Some(self.start.checked_add(days).ok()?.to_string())
    }

    /// The days on which a site was observed.
    pub(crate) fn days_observed(&self, site: usize) -> impl Iterator<Item = usize> {
        let observed = self.observed(site).iter().enumerate();
        observed.filter_map(|(day, value)| (!value.is_nan()).then_some(day))
    }

    /// How many days of a part a site was observed on.
    pub(crate) fn observed_days(&self, site: usize, part: Part) -> usize {
        let observed = self.observed(site);
        let days = self.part_days(site, part);
        days.filter(|&day| observed[day].is_finite()).count()
    }
}
