//! Stopping across trials: a rule is told what the ledger says, and says which configurations go on.
//!
//! Its decisions follow from the results in the journals and are kept nowhere: whoever reads the journals comes to the same
//! ones, a sweep that goes on as well as `status` and the report.

mod halving;
mod rule;
mod rungs;
#[cfg(test)]
mod tests;
mod top;

use std::collections::HashMap;

use efflux_analysis::measures::Measure;
use efflux_job::{Job, Policy, Stop, Trial, TrialId};

use super::ledger::Ledger;
use super::record::{Outcome, Record};
use halving::Halving;
pub use rule::{Arrival, Decision, Field, StoppingRule, Verdict};
use top::Top;

/// The rule that a job asks for: the registry.
pub fn rule(stop: Stop, field: Field) -> Option<Box<dyn StoppingRule>> {
    Some(match stop.policy {
        Policy::None => return None,
        Policy::Top => Box::new(Top::new(stop, field)),
        Policy::Halving => Box::new(Halving::new(stop, field)),
    })
}

/// A search under a rule.
#[derive(Debug)]
pub struct Stopping {
    rule: Box<dyn StoppingRule>,
    measure: Measure,
    trials: HashMap<TrialId, Place>,
    configurations: Vec<Configuration>,
}

#[derive(Debug)]
struct Configuration {
    trials: Vec<Trial>,
    verdict: Verdict,
}

/// Where a trial belongs and how far it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    configuration: usize,
    replication: usize,
    /// The rule has been told of the rungs below this one.
    told: usize,
}

/// What a trial is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is to be trained: for so many epochs in all, or to its end.
    Train(Option<u32>),
    /// Others are waited for.
    Wait,
    /// Its configuration was stopped, having been judged after so many epochs.
    Stopped(u32),
}

impl Stopping {
    /// The search of a job, of which nothing is known yet; none if the job has no rule.
    pub fn of(job: &Job, trials: &[Trial]) -> Option<Self> {
        if !job.stop.is_on() {
            return None;
        }
        let (mut numbers, mut places) = (HashMap::new(), HashMap::new());
        let mut configurations: Vec<Configuration> = Vec::new();
        for trial in trials {
            let number = *numbers.entry(&trial.params).or_insert_with(|| {
                configurations.push(Configuration {
                    trials: Vec::new(),
                    verdict: Verdict::GoOn(0),
                });
                configurations.len() - 1
            });
            let place = Place {
                configuration: number,
                replication: configurations[number].trials.len(),
                told: 0,
            };
            configurations[number].trials.push(trial.clone());
            places.insert(trial.id.clone(), place);
        }
        let measure = job.selection.metric.measure();
        let field = Field {
            configurations: configurations.len(),
            replications: configurations.first().map_or(0, |one| one.trials.len()),
            epochs: job.settings.training.epochs,
            measure,
        };
        Some(Self {
            rule: rule(job.stop, field)?,
            measure,
            trials: places,
            configurations,
        })
    }

    /// Tells the rule all that the ledger knows. `is_given_up` says of a failed trial whether no other attempt is made.
    pub fn replay(&mut self, ledger: &Ledger, is_given_up: impl Fn(&Record) -> bool) {
        let trials = self.configurations.iter().flat_map(|one| &one.trials);
        let ids: Vec<TrialId> = trials.map(|trial| trial.id.clone()).collect();
        // Rung by rung, in the order of the grid: an order that no launch has a part in.
        for rung in 0..self.rungs().len() {
            for id in &ids {
                let given_up = ledger.record(id).is_some_and(&is_given_up);
                self.tell(ledger, id, given_up, rung);
            }
        }
    }

    /// Tells the rule what is new of a trial, and returns those for which that has consequences.
    pub fn observe(&mut self, ledger: &Ledger, id: &TrialId, is_given_up: bool) -> Vec<Trial> {
        let decided = self.tell(ledger, id, is_given_up, self.rungs().len());
        let configurations = decided.into_iter().filter_map(|number| {
            let configuration = self.configurations.get(number)?;
            Some(configuration.trials.clone())
        });
        configurations.flatten().collect()
    }

    /// Tells the rule of a trial's arrivals up to this rung. Returns the configurations that were decided on.
    fn tell(
        &mut self,
        ledger: &Ledger,
        id: &TrialId,
        is_given_up: bool,
        last: usize,
    ) -> Vec<usize> {
        let mut decided = Vec::new();
        let Some(place) = self.trials.get_mut(id) else {
            return decided;
        };
        while place.told <= last
            && let Some(&epoch) = self.rule.rungs().get(place.told)
            && let Some(score) = score_at(ledger, id, epoch, self.measure, is_given_up)
        {
            let decisions = self.rule.on(&Arrival {
                configuration: place.configuration,
                replication: place.replication,
                rung: place.told,
                score,
            });
            place.told += 1;
            for Decision {
                configuration,
                verdict,
            } in decisions
            {
                if let Some(decided_on) = self.configurations.get_mut(configuration) {
                    decided_on.verdict = verdict;
                    decided.push(configuration);
                }
            }
        }
        decided
    }

    /// What a trial is to do that has not been trained to its end.
    pub fn next(&self, id: &TrialId) -> Next {
        let Some(place) = self.trials.get(id) else {
            return Next::Train(None);
        };
        match self.configurations[place.configuration].verdict {
            Verdict::GoOn(rung) if place.told <= rung => {
                Next::Train(self.rungs().get(rung).copied())
            }
            Verdict::GoOn(_) => Next::Wait,
            Verdict::Stop(rung) => {
                Next::Stopped(self.rungs().get(rung).copied().unwrap_or_default())
            }
        }
    }

    /// The epochs at which configurations are judged.
    pub fn rungs(&self) -> &[u32] {
        self.rule.rungs()
    }
}

/// What a trial was worth after so many epochs; none if that is not known yet.
fn score_at(
    ledger: &Ledger,
    id: &TrialId,
    epoch: u32,
    measure: Measure,
    is_given_up: bool,
) -> Option<Option<f64>> {
    // Where the rungs of a job were changed, the first result from there on.
    if let Some(result) = ledger.rung_result(id, epoch) {
        return Some(result.validation[measure]);
    }
    match &ledger.record(id)?.outcome {
        Outcome::Finished(summary) => Some(summary.validation[measure]),
        Outcome::Failed(_) => is_given_up.then_some(None),
    }
}

/// The trials of a search that its rule has stopped, with the epochs after which they were judged. Those that were trained
/// to the end all the same, or failed, are not among them.
pub fn stopped(job: &Job, trials: &[Trial], ledger: &Ledger) -> HashMap<TrialId, u32> {
    let Some(mut stopping) = Stopping::of(job, trials) else {
        return HashMap::new();
    };
    stopping.replay(ledger, |_| true);
    let stopped = trials.iter().filter_map(|trial| {
        match (ledger.record(&trial.id), stopping.next(&trial.id)) {
            (None, Next::Stopped(epoch)) => Some((trial.id.clone(), epoch)),
            _ => None,
        }
    });
    stopped.collect()
}

/// A trial that was judged at a rung.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The trial.
    pub trial: Trial,
    /// Epochs of the rung.
    pub epochs: u32,
    /// Its validation score there.
    pub score: Option<f64>,
    /// Whether its configuration was stopped there.
    pub is_stopped: bool,
}

/// Every rung of every search trial that has a result there, rung by rung in the order of the grid; nothing without a rule.
pub fn judged(job: &Job, trials: &[Trial], ledger: &Ledger) -> Vec<Judged> {
    let Some(mut stopping) = Stopping::of(job, trials) else {
        return Vec::new();
    };
    stopping.replay(ledger, |_| true);
    let mut judged = Vec::new();
    for &epochs in stopping.rungs() {
        for trial in trials {
            let next = stopping.next(&trial.id);
            let was_there = match next {
                Next::Stopped(last) => epochs <= last,
                Next::Train(_) | Next::Wait => true,
            };
            if was_there
                && let Some(score) = score_at(ledger, &trial.id, epochs, stopping.measure, true)
            {
                judged.push(Judged {
                    trial: trial.clone(),
                    epochs,
                    score,
                    is_stopped: next == Next::Stopped(epochs),
                });
            }
        }
    }
    judged
}
