//! The tables beside the page: comma-separated, UTF-8, a header line, numbers at full precision.
//!
//! | file | a row is |
//! | --- | --- |
//! | `summary.csv` | a series, a part and a score: its distribution over sites |
//! | `classes.csv` | a reading of the performance classes: sites in each, ensemble mean on the test part |
//! | `sites.csv` | a site: where it is, its parts, the ensemble mean on the test part |
//! | `scores.csv` | a site, a part and a series: every score |
//! | `states.csv` | a part: the ensemble mean with a carried and with a window's state; empty where a member kept one alone |
//! | `extremes.csv` | a site and a kind of test days, by how unusual they are: the scores of the ensemble mean |
//! | `extremes_pooled.csv` | a kind of test days of all sites together, bands taken over them all: the scores |
//! | `members.csv` | a member of the ensemble: medians over sites |
//! | `baselines.csv` | a model of single sites, or a correction: how it does and how the ensemble mean compares, test part |
//! | `intervals.csv` | a level and a kind of interval: how many test days it holds, and its width |
//! | `uncertainty.csv` | a site: spread, errors and scores of the distribution, test part |
//! | `ranks.csv` | a rank: how often so many members lay below the observation |
//! | `spread_error.csv` | a tenth of the test days by spread: their spread and error |
//! | `ensemble_size.csv` | a number of members: the skill of ensembles of that size |
//! | `annual_sums.csv` | a site and a whole year: the simulated sum, over members |
//! | `events.csv` | a site, and all of them: observed and simulated spikes, whether and when they meet |
//! | `traits.csv` | a site: rhythm, seasons and response to temperature of its record |
//! | `correlations.csv` | a property and a score: their correlation over sites |
//! | `groups.csv` | a group of sites: medians, means and classes |
//! | `season_tests.csv` | a reading of the classes and a t test: summer and winter at good against poor sites |
//! | `climate_bins.csv` | a step of temperature or precipitation: its sites and how well they are simulated |
//! | `climate_tests.csv` | a property of the climate and a score: whether steps with more sites have better scores |
//! | `correlograms.csv` | a lag at the sites of the strongest and the weakest rhythm: observed and simulated |
//! | `record.csv` | a calendar year: sites observed in it and their days |
//! | `reasons.csv` | a reason that the data suggest for one of the best or worst sites; `none-found` where there is none |
//! | `axes.csv` | a value of an axis of the grid: the score of the search over the other axes and seeds |
//! | `axes_shares.csv` | an axis, the axes together, or seeds: what the score of the search varies with |
//! | `failures.csv` | a class of failure: trials whose newest attempt failed so |
//! | `costs.csv` | a configuration: what its search trials took |
//! | `selection.csv` | a configuration and a search seed: the score that selects |
//! | `trials.csv` | a trial: what was trained and how well; the same wherever and however often it ran |
//! | `attempts.csv` | a trial: where, when and how long its newest attempt ran |
//!
//! Units stand in the column names; scores without one are dimensionless. What is not defined is an empty cell, with
//! the reason in the column `not_defined`. A series is `ensemble-mean`, `member-SEED`, either with the state that the job did
//! not ask for, the ensemble mean with a correction, or a baseline. The column `state` says how a series was run: `carried`
//! through the calendar, or from zero over a `window` for each day.

mod baselines;
mod drivers;
mod extremes;
mod grid;
pub(super) mod prediction;
mod reasons;
mod record;
mod search;
mod skill;
mod uncertainty;

use efflux_analysis::Defined;
use efflux_base::error::{Error, Result};

use super::Findings;

pub(crate) use search::ordered;

/// One file.
pub(crate) struct Table {
    /// Its name.
    pub(crate) file: &'static str,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(file: &'static str, header: &str) -> Self {
        let header = header.split_whitespace().map(str::to_owned).collect();
        Self {
            file,
            header,
            rows: Vec::new(),
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if a row has another length than the header.
    pub(crate) fn csv(&self) -> Result<Vec<u8>> {
        let defect =
            |error: &dyn std::fmt::Display| Error::Internal(format!("{}: {error}", self.file));
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.header).chain(&self.rows) {
            writer.write_record(row).map_err(|error| defect(&error))?;
        }
        writer.into_inner().map_err(|error| defect(&error))
    }
}

/// Every table.
pub(crate) fn all(findings: &Findings<'_>) -> Vec<Table> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let mut tables = vec![
        skill::summary(results, evaluation),
        skill::classes(evaluation),
        skill::sites(results, evaluation),
        skill::scores(results, evaluation),
        skill::states(evaluation, &findings.states),
        extremes::extremes(results, &findings.extremes),
        extremes::pooled(&findings.extremes),
        extremes::events(results, &findings.extremes),
        skill::members(results, evaluation),
        baselines::baselines(results, evaluation, &findings.comparisons),
        search::selection(results),
        search::trials(results),
        search::attempts(results),
    ];
    tables.push(reasons::reasons(results, &findings.reasons));
    tables.extend(grid::all(&findings.grid));
    tables.extend(uncertainty::all(results, &findings.uncertainty));
    tables.extend(drivers::all(results, &findings.drivers));
    tables.push(record::record(&findings.record));
    tables
}

fn cell(value: Defined) -> String {
    value.map(number).unwrap_or_default()
}

/// The shortest decimal that reads back to the same number; nothing if it is none.
fn number(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        String::new()
    }
}
