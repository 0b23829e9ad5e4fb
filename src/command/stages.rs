//! What of a job's stages is done, what is left, and how long what is done has taken.

use efflux_base::error::Result;
use efflux_job::Trial;
use efflux_job::cost::Workload;
use efflux_run::record::{Outcome, Record};
use efflux_run::{Ledger, select};

use super::loads::{Left, Loads};
use super::study::Study;

/// How far the stages of a job are.
pub(crate) struct Stages {
    /// What is left to train.
    pub(crate) left: Left,
    /// Measured hours over estimated ones, of each trial that one core has trained from its beginning.
    paces: Vec<f64>,
}

impl Stages {
    /// What a run directory's records say of a search and of the members after it.
    ///
    /// # Errors
    ///
    /// Those of naming the members' trials.
    pub(crate) fn of(
        study: &Study,
        loads: &Loads,
        search: &[Trial],
        ledger: &Ledger,
    ) -> Result<Self> {
        let job = &study.job;
        // Scores of all configurations are put together only where there are some.
        let is_begun = search
            .iter()
            .any(|trial| ledger.record(&trial.id).is_some());
        let choice = is_begun.then(|| select(job, search, ledger));
        let winner = choice.and_then(|choice| choice.winner);
        let selected = winner.as_ref().and_then(|winner| {
            let mut configurations = job.grid.configurations().iter();
            configurations.position(|one| *one == winner.params)
        });
        let members = match winner {
            Some(winner) => job.final_trials(&study.contract, &winner.params)?,
            None => Vec::new(),
        };
        let is_left = |trial: &Trial| ledger.summary(&trial.id).is_none();
        let seeds = job.seeds.final_members.len();
        let left_members = match selected {
            None => vec![seeds; 1 + study.contract.folds.len()],
            Some(_) => {
                let of_folds = members.chunks(seeds);
                let left =
                    of_folds.map(|trials| trials.iter().filter(|trial| is_left(trial)).count());
                left.collect()
            }
        };
        let places = search.iter().enumerate();
        let left_search = places.clone().filter(|(_, trial)| is_left(trial));
        let search_paces = places.filter_map(|(place, trial)| {
            let record = ledger.record(&trial.id)?;
            pace(loads.of_search(place), record)
        });
        let member_paces = members.iter().enumerate().filter_map(|(place, trial)| {
            let record = ledger.record(&trial.id)?;
            pace(&loads.of_members(selected?)[place / seeds], record)
        });
        Ok(Self {
            paces: search_paces.chain(member_paces).collect(),
            left: Left {
                search: left_search.map(|(place, _)| place).collect(),
                members: left_members,
                selected,
            },
        })
    }

    /// How many times as long as estimated trials have taken here, by their median, and how many there are.
    pub(crate) fn pace(&self) -> Option<(f64, usize)> {
        let mut paces = self.paces.clone();
        paces.sort_by(f64::total_cmp);
        let median = *paces.get(paces.len() / 2)?;
        Some((median, paces.len()))
    }
}

/// Measured over estimated hours of a trial that one core has trained.
fn pace(workload: &Workload, record: &Record) -> Option<f64> {
    let is_native =
        record.place.device.starts_with("cpu") && record.place.device.contains("native");
    let is_measured = matches!(record.outcome, Outcome::Finished(_)) && is_native;
    let estimated = workload.core_hours();
    (is_measured && estimated > 0.0).then(|| record.seconds / 3600.0 / estimated)
}
