//! Who trains what: a state machine without clock, files or messages, so that every order of events can be tested.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::job::{Trial, TrialId};

/// Attempts at a trial whose trainer crashes, in one launch.
const ATTEMPTS: u32 = 3;

/// Something the coordinator has learnt.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A rank is ready with so many slots.
    Joined {
        /// The rank.
        rank: u32,
        /// Trials it can train at a time.
        slots: u32,
    },
    /// There is more to train; each with the attempts made in earlier launches.
    Added(Vec<(Trial, u32)>),
    /// A rank's attempt at a trial has ended.
    Ended {
        /// The rank.
        rank: u32,
        /// The trial.
        id: TrialId,
        /// Whether another attempt may end better.
        worth_another: bool,
    },
}

/// Something the coordinator has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Give a trial to a rank.
    Assign {
        /// The rank.
        rank: u32,
        /// The trial.
        trial: Trial,
        /// Counts the attempts at it, from 1.
        attempt: u32,
    },
}

/// Trials and ranks.
///
/// A rank gets as many trials as it has slots, and as long as there are more trials than slots one more for each slot,
/// to have at hand when a slot falls idle: slots never wait for a message to travel.
#[derive(Debug, Default)]
pub struct Scheduler {
    pending: VecDeque<Pending>,
    ranks: BTreeMap<u32, Rank>,
}

#[derive(Clone, Debug)]
struct Pending {
    trial: Trial,
    /// The number the next attempt has.
    attempt: u32,
    /// Attempts made in this launch.
    tries: u32,
}

#[derive(Debug, Default)]
struct Rank {
    slots: usize,
    held: HashMap<TrialId, Pending>,
}

impl Scheduler {
    /// Takes in an event and says what to do about it.
    pub fn on(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Joined { rank, slots } => {
                self.ranks.entry(rank).or_default().slots = slots as usize;
            }
            Event::Added(trials) => {
                let mut trials: Vec<Pending> = trials
                    .into_iter()
                    .map(|(trial, attempts)| Pending {
                        trial,
                        attempt: attempts + 1,
                        tries: 0,
                    })
                    .collect();
                // The largest networks first: what is still running at the end is then short.
                trials.sort_by_key(|pending| std::cmp::Reverse(pending.trial.params.hidden_size));
                self.pending.extend(trials);
            }
            Event::Ended {
                rank,
                id,
                worth_another,
            } => {
                let held = self
                    .ranks
                    .get_mut(&rank)
                    .and_then(|rank| rank.held.remove(&id));
                if let Some(pending) = held
                    && worth_another
                    && pending.tries + 1 < ATTEMPTS
                {
                    self.pending.push_back(Pending {
                        attempt: pending.attempt + 1,
                        tries: pending.tries + 1,
                        trial: pending.trial,
                    });
                }
            }
        }
        self.assign()
    }

    /// Whether nothing is waiting and nothing is running.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.ranks.values().all(|rank| rank.held.is_empty())
    }

    fn assign(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        // First a trial for every idle slot, rank by rank in turn; then one to have at hand.
        for ahead in [1, 2] {
            let slots: usize = self.ranks.values().map(|rank| rank.slots).sum();
            if ahead == 2 && self.pending.len() <= slots {
                break;
            }
            while let Some((&number, rank)) = self
                .ranks
                .iter_mut()
                .filter(|(_, rank)| rank.held.len() < ahead * rank.slots)
                .min_by_key(|(number, rank)| (rank.held.len() * 1000 / rank.slots, **number))
            {
                let Some(next) = self.pending.pop_front() else {
                    return actions;
                };
                actions.push(Action::Assign {
                    rank: number,
                    trial: next.trial.clone(),
                    attempt: next.attempt,
                });
                rank.held.insert(next.trial.id.clone(), next);
            }
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::path::Path;

    fn trials(count: u64) -> Vec<Trial> {
        let seeds: Vec<String> = (0..count).map(|seed| seed.to_string()).collect();
        let text = format!("pack = \"a\"\n[seeds]\nsearch = [{}]\n", seeds.join(", "));
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        job.search_trials(&job.contract("d", vec![], vec![], 1000).unwrap())
    }

    fn added(count: u64) -> Event {
        Event::Added(trials(count).into_iter().map(|trial| (trial, 0)).collect())
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_events_every_trial_ends_and_no_two_ranks_hold_one(
            count in 1_u64..60,
            slots in prop::collection::vec(1_u32..5, 1..6),
            choices in prop::collection::vec(any::<prop::sample::Index>(), 400),
            crashes in prop::collection::vec(prop::bool::weighted(0.2), 400),
        ) {
            let mut scheduler = Scheduler::default();
            let mut running: Vec<(u32, TrialId)> = Vec::new();
            let mut attempts: HashMap<TrialId, u32> = HashMap::new();
            let mut ended: HashSet<TrialId> = HashSet::new();
            let mut events: VecDeque<Event> = (0_u32..).zip(&slots)
                .map(|(rank, &slots)| Event::Joined { rank, slots }).collect();
            events.insert(choices[0].index(events.len() + 1), added(count));
            let (mut choices, mut crashes) = (choices.into_iter(), crashes.into_iter().chain(std::iter::repeat(false)));
            loop {
                let event = match events.pop_front() {
                    Some(event) => event,
                    None if running.is_empty() => break,
                    None => {
                        let index = choices.next().map_or(0, |choice| choice.index(running.len()));
                        let (rank, id) = running.swap_remove(index);
                        let worth_another = crashes.next().unwrap_or(false);
                        if !worth_another || attempts[&id] == ATTEMPTS {
                            ended.insert(id.clone());
                        }
                        Event::Ended { rank, id, worth_another }
                    }
                };
                for Action::Assign { rank, trial, attempt } in scheduler.on(event) {
                    prop_assert!(!running.iter().any(|(_, id)| *id == trial.id));
                    prop_assert!(!ended.contains(&trial.id));
                    prop_assert_eq!(attempt, attempts.get(&trial.id).copied().unwrap_or(0) + 1);
                    attempts.insert(trial.id.clone(), attempt);
                    running.push((rank, trial.id));
                    let held = running.iter().filter(|(holder, _)| *holder == rank).count();
                    prop_assert!(held <= 2 * slots[rank as usize] as usize);
                }
            }
            prop_assert!(scheduler.is_idle());
            prop_assert_eq!(ended.len() as u64, count);
        }
    }

    #[test]
    fn with_fewer_trials_than_slots_nobody_hoards() {
        let mut scheduler = Scheduler::default();
        scheduler.on(Event::Joined { rank: 0, slots: 2 });
        scheduler.on(Event::Joined { rank: 1, slots: 2 });
        let actions = scheduler.on(added(4));
        let on_rank_0 = actions
            .iter()
            .filter(|Action::Assign { rank, .. }| *rank == 0)
            .count();
        assert_eq!((actions.len(), on_rank_0), (4, 2));
    }

    #[test]
    fn ten_thousand_slots_are_filled_in_no_time() {
        let mut scheduler = Scheduler::default();
        for rank in 0..100 {
            scheduler.on(Event::Joined { rank, slots: 100 });
        }
        assert_eq!(scheduler.on(added(10_001)).len(), 10_000);
    }
}
