//! Stopping across trials: a rule is told what the ledger says, and says which configurations go on.
//!
//! Its decisions follow from the results in the journals and are kept nowhere: whoever reads the journals comes to the same
//! ones, a sweep that goes on as well as `status` and the report. Where decisions depend on when trials arrive, those that
//! stop a configuration are in the journals too.

mod arrivals;
mod asha;
mod halving;
mod judged;
mod median;
mod paired;
mod rule;
mod rungs;
#[cfg(test)]
mod tests;
mod top;

use std::collections::HashMap;

use efflux_analysis::measures::Measure;
use efflux_job::{Job, Metric, Policy, Stop, Trial, TrialId};

use super::brief::{Brief, BriefOutcome};
use super::ledger::Ledger;
use super::record::StopDecision;
use asha::Asha;
use halving::Halving;
pub use judged::{Judged, judged, stopped};
use median::Median;
use paired::Paired;
pub use rule::{Arrival, Decision, Field, StoppingRule, Verdict};
use top::Top;

/// The rule that a job asks for: the registry.
pub fn rule(stop: Stop, field: Field) -> Option<Box<dyn StoppingRule>> {
    Some(match stop.policy {
        Policy::None => return None,
        Policy::Top => Box::new(Top::new(stop, field)),
        Policy::Halving => Box::new(Halving::new(stop, field)),
        Policy::Asha => Box::new(Asha::new(stop, field)),
        Policy::Median => Box::new(Median::new(stop, field)),
        Policy::Paired => Box::new(Paired::new(stop, field)),
    })
}

/// A search under a rule.
#[derive(Debug)]
pub struct Stopping {
    stop: Stop,
    rule: Box<dyn StoppingRule>,
    metric: Metric,
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
    /// There is nothing more to tell: it was trained to the end, or has failed for good.
    is_over: bool,
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

/// What follows from an arrival.
#[derive(Debug, Default)]
pub struct Observed {
    /// The trials of the configurations that were decided on.
    pub trials: Vec<Trial>,
    /// Decisions that belong into the journal.
    pub decisions: Vec<StopDecision>,
}

impl Stopping {
    /// The search of a job, of which nothing is known yet; none if the job has no rule.
    pub fn of(job: &Job, trials: &[Trial]) -> Option<Self> {
        if !job.stop.is_on() {
            return None;
        }
        let (mut numbers, mut places) = (HashMap::new(), HashMap::new());
        let mut configurations: Vec<Vec<Trial>> = Vec::new();
        for trial in trials {
            let number = *numbers.entry(&trial.params).or_insert_with(|| {
                configurations.push(Vec::new());
                configurations.len() - 1
            });
            let place = Place {
                configuration: number,
                replication: configurations[number].len(),
                told: 0,
                is_over: false,
            };
            configurations[number].push(trial.clone());
            places.insert(trial.id.clone(), place);
        }
        let metric = job.selection.metric;
        let field = Field {
            configurations: configurations.len(),
            replications: configurations.first().map_or(0, Vec::len),
            epochs: job.settings.training.epochs,
            measure: metric.measure(),
        };
        let rule = rule(job.stop, field)?;
        let verdict = rule.at_first();
        let configurations = configurations.into_iter();
        let configurations = configurations.map(|trials| Configuration { trials, verdict });
        Some(Self {
            stop: job.stop,
            rule,
            metric,
            trials: places,
            configurations: configurations.collect(),
        })
    }

    /// Tells the rule all that the ledger knows. `is_given_up` says of a failed trial whether no other attempt is made.
    pub fn replay(&mut self, ledger: &Ledger, is_given_up: impl Fn(&Brief) -> bool) {
        let trials = self.configurations.iter().flat_map(|one| &one.trials);
        let ids: Vec<TrialId> = trials.map(|trial| trial.id.clone()).collect();
        // Rung by rung, in the order of the grid: an order that no launch has a part in.
        for rung in 0..=self.rungs().len() {
            for id in &ids {
                let given_up = ledger.brief(id).is_some_and(&is_given_up);
                self.tell(ledger, id, given_up, rung);
            }
        }
        if self.rule.depends_on_time() {
            let stop = self.stop;
            let decided = ledger.stops().filter(|decision| decision.rule == stop);
            decided.for_each(|decision| self.restore(decision));
        }
    }

    /// Has a configuration stopped that an earlier launch stopped, unless it has got other trials since.
    fn restore(&mut self, decision: &StopDecision) {
        let rung = self.rungs().iter().position(|&rung| rung == decision.epoch);
        let first = decision.trials.first();
        let place = first.and_then(|first| self.trials.get(first));
        if let (Some(rung), Some(place)) = (rung, place) {
            let configuration = &mut self.configurations[place.configuration];
            let trials = configuration.trials.iter().map(|trial| &trial.id);
            if trials.eq(&decision.trials) {
                configuration.verdict = Verdict::Stop(rung);
            }
        }
    }

    /// Tells the rule what is new of a trial.
    pub fn observe(&mut self, ledger: &Ledger, id: &TrialId, is_given_up: bool) -> Observed {
        let mut observed = Observed::default();
        for number in self.tell(ledger, id, is_given_up, self.rungs().len()) {
            let configuration = &self.configurations[number];
            let trials = configuration.trials.iter();
            if let Verdict::Stop(rung) = configuration.verdict
                && self.rule.depends_on_time()
            {
                observed.decisions.push(StopDecision {
                    trials: trials.clone().map(|trial| trial.id.clone()).collect(),
                    epoch: self.rungs()[rung],
                    rule: self.stop,
                });
            }
            observed.trials.extend(trials.cloned());
        }
        observed
    }

    /// The trials of the configuration that goes on next where there is room for more.
    pub fn ask(&mut self) -> Option<Vec<Trial>> {
        let decision = self.rule.propose()?;
        self.rule.accept(decision);
        let configuration = &mut self.configurations[decision.configuration];
        configuration.verdict = decision.verdict;
        Some(configuration.trials.clone())
    }

    /// Whether there is a configuration that goes on as soon as there is room.
    pub fn has_more(&self) -> bool {
        self.rule.propose().is_some()
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
        while place.told <= last.min(self.rule.rungs().len())
            && !place.is_over
            && let epoch = self.rule.rungs().get(place.told).copied()
            && let Some(found) = found_at(ledger, id, epoch, self.metric.measure(), is_given_up)
        {
            let decisions = self.rule.on(&Arrival {
                configuration: place.configuration,
                replication: place.replication,
                rung: place.told,
                score: found.score,
                sites: found.sites,
            });
            place.told += 1;
            place.is_over = found.has_failed || epoch.is_none();
            for Decision {
                configuration,
                verdict,
            } in decisions
            {
                self.configurations[configuration].verdict = verdict;
                decided.push(configuration);
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
            Verdict::GoOn(_) | Verdict::Wait => Next::Wait,
            Verdict::Stop(rung) => {
                Next::Stopped(self.rungs().get(rung).copied().unwrap_or_default())
            }
        }
    }

    /// Where nothing goes on any more, those that wait are stopped where they are.
    fn settle(&mut self) {
        let is_under_way = |place: &Place| match self.configurations[place.configuration].verdict {
            Verdict::GoOn(rung) => place.told <= rung && !place.is_over,
            Verdict::Wait | Verdict::Stop(_) => false,
        };
        if self.has_more() || self.trials.values().any(is_under_way) {
            return;
        }
        for place in self.trials.values() {
            let verdict = &mut self.configurations[place.configuration].verdict;
            if let (Verdict::Wait, Some(rung)) = (*verdict, place.told.checked_sub(1)) {
                *verdict = Verdict::Stop(rung);
            }
        }
    }

    /// The epochs at which configurations are judged.
    pub fn rungs(&self) -> &[u32] {
        self.rule.rungs()
    }

    /// The metric whose value at each site the rule wants to know, if it wants to.
    pub fn metric_of_sites(&self) -> Option<Metric> {
        self.rule.compares_sites().then_some(self.metric)
    }
}

/// What a trial was worth somewhere.
struct Found<'a> {
    score: Option<f64>,
    sites: &'a [Option<f64>],
    /// It never got there.
    has_failed: bool,
}

/// What a trial was worth after so many epochs, or at the end of its training; none if that is not known yet.
fn found_at<'a>(
    ledger: &'a Ledger,
    id: &TrialId,
    epoch: Option<u32>,
    measure: Measure,
    is_given_up: bool,
) -> Option<Found<'a>> {
    // Where the rungs of a job were changed, the first result from there on.
    if let Some(result) = epoch.and_then(|epoch| ledger.rung_result(id, epoch)) {
        return Some(Found {
            score: result.validation[measure],
            sites: &result.sites,
            has_failed: false,
        });
    }
    let (score, has_failed) = match &ledger.brief(id)?.outcome {
        BriefOutcome::Finished(scores) => (scores.validation[measure], false),
        BriefOutcome::Failed { .. } if is_given_up => (None, true),
        BriefOutcome::Failed { .. } => return None,
    };
    Some(Found {
        score,
        sites: &[],
        has_failed,
    })
}
