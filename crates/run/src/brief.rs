//! Records in brief: what decisions are taken from. The rest of a record is for people, and is left in the journals.

use std::borrow::Cow;
use std::sync::Arc;

use efflux_analysis::medians::Medians;
use efflux_job::{Selection, SelectionPart, TrialId};
use jiff::Timestamp;
use serde::Deserialize;

use super::ids::{Attempt, Rank, Slot};
use super::record::{FailureClass, Outcome, Record};

/// What of a [`Record`] decisions are taken from: there may be millions of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Counts the attempts at the trial, from 1.
    pub attempt: Attempt,
    /// MPI rank, 0 without MPI.
    pub rank: Rank,
    /// Slot on that rank.
    pub slot: Slot,
    /// What it has in common with many others.
    pub origin: Arc<Origin>,
    /// When it began, in seconds since 1970; none where the record has no such time.
    pub began: Option<f64>,
    /// Wall seconds.
    pub seconds: f64,
    /// How it ended.
    pub outcome: BriefOutcome,
}

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Launch of the sweep.
    pub launch: String,
    /// The device and instruction-set level the trainer computed with.
    pub device: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BriefOutcome {
    /// Trained to the end.
    Finished(Scores),
    /// Not trained to the end.
    Failed {
        /// The kind of failure.
        class: FailureClass,
    },
}

/// What finished trials are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Scores {
    /// On the validation days.
    pub validation: Medians,
    /// On the test days.
    pub test: Medians,
}

impl Brief {
    /// What it scored, if it finished.
    pub fn scores(&self) -> Option<&Scores> {
        match &self.outcome {
            BriefOutcome::Finished(scores) => Some(scores),
            BriefOutcome::Failed { .. } => None,
        }
    }

    /// Whether it was trained to the end.
    pub fn is_finished(&self) -> bool {
        self.scores().is_some()
    }

    /// The class of its failure, if it failed.
    pub fn failure(&self) -> Option<FailureClass> {
        match self.outcome {
            BriefOutcome::Finished(_) => None,
            BriefOutcome::Failed { class } => Some(class),
        }
    }

    /// Whether another attempt may end better.
    pub fn worth_another(&self) -> bool {
        self.failure().is_some_and(FailureClass::worth_another)
    }
}

impl Scores {
    /// The rule's metric.
    pub fn metric(&self, rule: Selection) -> Option<f64> {
        let medians = match rule.on {
            SelectionPart::Validation => &self.validation,
            SelectionPart::Test => &self.test,
        };
        medians[rule.metric.measure()]
    }
}

/// A record as a line of a journal has it, less what is left there.
#[derive(Deserialize)]
pub(super) struct Told<'a> {
    trial: Named,
    attempt: Attempt,
    #[serde(borrow)]
    place: Where<'a>,
    #[serde(borrow)]
    started: Cow<'a, str>,
    seconds: f64,
    outcome: BriefOutcome,
}

#[derive(Deserialize)]
struct Named {
    id: TrialId,
}

#[derive(Deserialize)]
struct Where<'a> {
    #[serde(borrow)]
    launch: Cow<'a, str>,
    rank: Rank,
    slot: Slot,
    #[serde(borrow)]
    device: Cow<'a, str>,
}

impl<'a> Told<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            trial: Named {
                id: record.trial.id.clone(),
            },
            attempt: record.attempt,
            place: Where {
                launch: (&record.place.launch).into(),
                rank: record.place.rank,
                slot: record.place.slot,
                device: (&record.place.device).into(),
            },
            started: (&record.started).into(),
            seconds: record.seconds,
            outcome: match &record.outcome {
                Outcome::Finished(summary) => BriefOutcome::Finished(summary.scores()),
                Outcome::Failed(failure) => BriefOutcome::Failed {
                    class: failure.class,
                },
            },
        }
    }

    pub(super) fn brief(self, origins: &mut Origins) -> (TrialId, Brief) {
        let began = self.started.parse::<Timestamp>().ok();
        let brief = Brief {
            attempt: self.attempt,
            rank: self.place.rank,
            slot: self.place.slot,
            origin: origins.of(&self.place.launch, &self.place.device),
            began: began.map(|began| began.as_duration().as_secs_f64()),
            seconds: self.seconds,
            outcome: self.outcome,
        };
        (self.trial.id, brief)
    }
}

/// Each origin once: a launch has few.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(Vec<Arc<Origin>>);

impl Origins {
    fn of(&mut self, launch: &str, device: &str) -> Arc<Origin> {
        // What comes next is mostly of the latest.
        let mut known = self.0.iter().rev();
        let known = known.find(|one| one.launch == launch && one.device == device);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let new = Arc::new(Origin {
            launch: launch.to_owned(),
            device: device.to_owned(),
        });
        self.0.push(Arc::clone(&new));
        new
    }
}
