//! What of a job's stages is done, what is left, and how long what is done has taken.

use std::sync::Arc;

use efflux_base::error::Result;
use efflux_job::Trial;
use efflux_job::cost::Workload;
use efflux_run::{Brief, Choice, Ledger, Origin};

use super::loads::{Left, Loads};
use super::study::Study;
use super::timing::{Timed, Timing};

/// How far the stages of a job are.
pub(crate) struct Stages {
    /// What is left to train.
    pub(crate) left: Left,
    /// Those that one core has trained, and in which launch.
    timed: Vec<(Timed, Arc<Origin>)>,
}

impl Stages {
    /// What a run directory's records say of a search, of which this is the choice, and of the members after it.
    ///
    /// # Errors
    ///
    /// Those of naming the members' trials.
    pub(crate) fn of(
        study: &Study,
        loads: &Loads,
        search: &[Trial],
        choice: &Choice,
        ledger: &Ledger,
    ) -> Result<Self> {
        let job = &study.job;
        let winner = choice.winner.as_ref();
        let selected = winner.and_then(|winner| study.place_of(&winner.params));
        let members = match winner {
            Some(winner) => job.final_trials(&study.contract, &winner.params)?,
            None => Vec::new(),
        };
        let is_left = |trial: &Trial| ledger.scores(&trial.id).is_none();
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
        let of_search = places.filter_map(|(place, trial)| {
            let brief = ledger.brief(&trial.id)?;
            timed(loads.of_search(place), brief)
        });
        let of_members = members.iter().enumerate().filter_map(|(place, trial)| {
            let brief = ledger.brief(&trial.id)?;
            timed(&loads.of_members(selected?)[place / seeds], brief)
        });
        Ok(Self {
            timed: of_search.chain(of_members).collect(),
            left: Left {
                search: left_search.map(|(place, _)| place).collect(),
                members: left_members,
                selected,
            },
        })
    }

    /// What trials of earlier launches have taken.
    pub(crate) fn timed(&self) -> impl Iterator<Item = Timed> + '_ {
        self.timed.iter().map(|(timed, _)| *timed)
    }

    /// How many times as long the trials of a launch have taken as was to be expected before it, and how many they are;
    /// none without one.
    pub(crate) fn error_of(&self, launch: &str) -> Option<(f64, usize)> {
        let (own, earlier): (Vec<_>, Vec<_>) =
            self.timed.iter().partition(|(_, of)| of.launch == launch);
        let earlier: Vec<Timed> = earlier.iter().map(|(timed, _)| *timed).collect();
        let timing = Timing::of(&earlier).unwrap_or_else(Timing::unmeasured);
        let measured: f64 = own.iter().map(|(timed, _)| timed.seconds).sum();
        let expected = own.iter().map(|(timed, _)| timing.seconds(&timed.workload));
        (!own.is_empty()).then(|| (measured / expected.sum::<f64>(), own.len()))
    }
}

/// What a trial took that one core has trained.
fn timed(workload: &Workload, brief: &Brief) -> Option<(Timed, Arc<Origin>)> {
    let device = &brief.origin.device;
    let is_native = device.starts_with("cpu") && device.contains("native");
    let timed = Timed {
        workload: *workload,
        seconds: brief.seconds,
    };
    (brief.is_finished() && is_native).then(|| (timed, Arc::clone(&brief.origin)))
}
