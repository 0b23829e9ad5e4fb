//! The ensemble mean on the test part, taken apart by how unusual the observation is: bands of the observed range, and
//! spikes against the rest.

use efflux_analysis::Defined;
use efflux_analysis::bands::{Band, Limits, spikes};
use efflux_analysis::events::{Event, EventSkill, events};
use efflux_analysis::measures::{Measure, Scores};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::statistics::median;
use efflux_job::Part;

use super::evaluation::Evaluation;
use super::results::Results;

/// A kind of test days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// In this band of the site's observations on the test part.
    Band(Band),
    /// In this band of what is simulated for the same days.
    Predicted(Band),
    /// Far off the days around it; found on the site's whole record, so that the split cuts no window.
    Spike,
    /// Not a spike.
    NoSpike,
}

impl Group {
    pub(crate) const ALL: [Self; 8] = [
        Self::Band(Band::Bottom),
        Self::Band(Band::Middle),
        Self::Band(Band::Top),
        Self::Spike,
        Self::NoSpike,
        Self::Predicted(Band::Bottom),
        Self::Predicted(Band::Middle),
        Self::Predicted(Band::Top),
    ];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Band(Band::Bottom) => "bottom",
            Self::Band(Band::Middle) => "middle",
            Self::Band(Band::Top) => "top",
            Self::Predicted(Band::Bottom) => "predicted-bottom",
            Self::Predicted(Band::Middle) => "predicted-middle",
            Self::Predicted(Band::Top) => "predicted-top",
            Self::Spike => "spikes",
            Self::NoSpike => "no-spikes",
        }
    }
}

/// The scores of each group at each site.
pub(crate) struct Extremes {
    sites: Vec<[Scores; 8]>,
    /// The same of the test days of all sites together, with bands taken over them all; a spike is one at its site.
    pub(crate) pooled: [Scores; 8],
    /// Observed and simulated spikes of each site on its test part.
    pub(crate) events: Vec<EventSkill>,
}

impl Extremes {
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation) -> Self {
        let sites = || 0..results.sites.len();
        let days: Vec<Vec<TestDay>> = sites()
            .map(|site| test_days(results, evaluation, site))
            .collect();
        let bands = results.analysis.bands;
        Self {
            events: sites()
                .map(|site| event_skill(results, &evaluation.mean[site], site))
                .collect(),
            sites: days.iter().map(|days| scores(days, bands)).collect(),
            pooled: scores(&days.concat(), bands),
        }
    }

    /// The scores of every site, in the order of [`Group::ALL`].
    pub(crate) fn sites(&self) -> &[[Scores; 8]] {
        &self.sites
    }

    /// The spikes of all sites together.
    pub(crate) fn all_events(&self) -> EventSkill {
        let mut all = EventSkill::default();
        for site in &self.events {
            all.add(site);
        }
        all
    }

    /// Days of a group at all sites.
    pub(crate) fn days(&self, group: usize) -> usize {
        self.sites.iter().map(|scores| scores[group].n).sum()
    }

    /// Sites at which a measure is defined, and its median over them.
    pub(crate) fn median(&self, group: usize, measure: Measure) -> (usize, Defined) {
        let values: Vec<f64> = self
            .sites
            .iter()
            .filter_map(|scores| scores[group][measure].ok())
            .collect();
        (values.len(), median(&values))
    }
}

/// An observed and simulated day of the test part.
#[derive(Clone, Copy)]
struct TestDay {
    observed: f64,
    simulated: f64,
    is_spike: bool,
}

fn test_days(results: &Results<'_>, evaluation: &Evaluation, site: usize) -> Vec<TestDay> {
    let analysis = results.analysis;
    let record: Vec<f64> = results
        .observed(site)
        .iter()
        .copied()
        .map(f64::from)
        .collect();
    let is_spike = spikes(
        &record,
        analysis.spike_window_days as usize,
        analysis.spike_z,
    );
    let simulated = &evaluation.mean[site];
    results
        .part_days(site, Part::Test)
        .filter(|&day| record[day].is_finite() && simulated[day].is_finite())
        .map(|day| TestDay {
            observed: record[day],
            simulated: simulated[day],
            is_spike: is_spike[day],
        })
        .collect()
}

/// The scores of each group among these days.
fn scores(days: &[TestDay], bands: [f64; 2]) -> [Scores; 8] {
    let limits = |of: fn(&TestDay) -> f64| {
        let values: Vec<f64> = days.iter().map(of).collect();
        Limits::new(&values, bands)
    };
    let (observed, predicted) = (limits(|day| day.observed), limits(|day| day.simulated));
    let belongs = |group, day: &TestDay| match group {
        Group::Band(band) => observed.is_ok_and(|limits| limits.band(day.observed) == band),
        Group::Predicted(band) => predicted.is_ok_and(|limits| limits.band(day.simulated) == band),
        Group::Spike => day.is_spike,
        Group::NoSpike => !day.is_spike,
    };
    Group::ALL.map(|group| {
        let days = days.iter().filter(|day| belongs(group, day));
        let pairs: Pairs = days.map(|day| (day.observed, day.simulated)).collect();
        pairs.scores()
    })
}

/// Spikes are found on the whole record in both series, in the simulated one on the days that were observed: a window
/// then holds the same days. Only those of the test part count.
fn event_skill(results: &Results<'_>, mean: &[f64], site: usize) -> EventSkill {
    let analysis = results.analysis;
    let record = results.observed(site).iter().copied().map(f64::from);
    let observed: Vec<f64> = record.collect();
    let days = observed.iter().zip(mean);
    let simulated: Vec<f64> = days
        .map(|(observed, simulated)| {
            if observed.is_finite() {
                *simulated
            } else {
                f64::NAN
            }
        })
        .collect();
    let parts = results.parts.site(site);
    let of = |series: &[f64]| -> Vec<Event> {
        let found = events(
            series,
            analysis.spike_window_days as usize,
            analysis.spike_z,
        );
        found
            .into_iter()
            .filter(|event| parts[event.day] == Part::Test)
            .collect()
    };
    EventSkill::of(&of(&observed), &of(&simulated), &observed, &simulated)
}
