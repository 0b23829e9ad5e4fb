//! Who trains what: a state machine without clock, files or messages, so that every order of events can be tested.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::job::{Trial, TrialId};
use crate::run::record::FailureClass;

/// Something the coordinator has learnt.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A rank is ready with so many slots, or has another number of them than before.
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
        /// How it failed; nothing if it was trained to the end.
        failed: Option<FailureClass>,
    },
    /// A rank has handed a trial back.
    Released {
        /// The rank.
        rank: u32,
        /// The trial.
        id: TrialId,
    },
    /// A rank was not heard of for too long. It may only be slow.
    Silent(u32),
    /// A silent rank was heard of again.
    Heard(u32),
    /// A rank is gone for good.
    Lost(u32),
    /// Nothing more is to be given out.
    Closed,
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
        /// Counts how often it was given out, from 1.
        attempt: u32,
        /// Whether its device must have nothing else to do.
        alone: bool,
    },
}

/// Trials and ranks.
///
/// A rank gets as many trials as it has slots, and as long as there are more trials than slots one more for each slot,
/// to have at hand when a slot falls idle: slots never wait for a message to travel.
///
/// An attempt that fails is made again as often as its class of failure allows; what a rank hands back or takes with it
/// is not held against a trial. The trials of a silent rank are given to others. Should it be heard of again, it keeps
/// those that nobody has begun, and whoever ends first with one of the others settles it.
#[derive(Debug)]
pub struct Scheduler {
    /// Further attempts at a trial whose trainer crashed or hung, in one launch.
    retries: u32,
    pending: VecDeque<Pending>,
    ranks: BTreeMap<u32, Rank>,
    is_closed: bool,
}

#[derive(Clone, Debug)]
struct Pending {
    trial: Trial,
    /// The number the next attempt has.
    attempt: u32,
    /// Attempts of this launch that count against it.
    tries: u32,
    /// Whether it has found too little memory in this launch.
    was_short: bool,
}

#[derive(Debug, Default)]
struct Rank {
    slots: usize,
    is_silent: bool,
    held: HashMap<TrialId, Held>,
}

#[derive(Debug)]
struct Held {
    given: Pending,
    /// Nobody waits for it here: it is settled, or others were given it.
    is_stale: bool,
}

impl Held {
    fn of(given: Pending) -> Self {
        Self {
            given,
            is_stale: false,
        }
    }

    /// It is waited for again, instead of a new attempt with this number.
    fn awaited_as(&mut self, next: Pending) {
        *self = Self::of(next);
    }
}

impl Scheduler {
    /// A scheduler that has a crashed trial tried again so many times.
    pub fn new(retries: u32) -> Self {
        Self {
            retries,
            pending: VecDeque::new(),
            ranks: BTreeMap::new(),
            is_closed: false,
        }
    }

    /// Takes in an event and says what to do about it.
    pub fn on(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Joined { rank, slots } => {
                self.ranks.entry(rank).or_default().slots = slots as usize;
            }
            Event::Added(trials) => self.add(trials),
            Event::Ended { rank, id, failed } => self.ended(rank, &id, failed),
            Event::Released { rank, id } => {
                if let Some(held) = self.take(rank, &id) {
                    self.give_back(held);
                }
            }
            Event::Silent(rank) => self.silent(rank),
            Event::Heard(rank) => self.heard(rank),
            Event::Lost(rank) => {
                let lost = self.ranks.remove(&rank).unwrap_or_default();
                lost.held
                    .into_values()
                    .for_each(|held| self.give_back(held));
            }
            Event::Closed => self.is_closed = true,
        }
        if self.is_closed {
            return Vec::new();
        }
        self.assign()
    }

    /// Whether nothing is waiting and nothing is running that anybody waits for; once closed, only the latter.
    pub fn is_idle(&self) -> bool {
        let mut held = self.ranks.values().flat_map(|rank| rank.held.values());
        (self.pending.is_empty() || self.is_closed) && held.all(|held| held.is_stale)
    }

    /// Whether a trial is waiting to be given out.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    fn add(&mut self, trials: Vec<(Trial, u32)>) {
        let mut trials: Vec<Pending> = trials
            .into_iter()
            .map(|(trial, attempts)| Pending {
                trial,
                attempt: attempts + 1,
                tries: 0,
                was_short: false,
            })
            .collect();
        // The largest networks first: what is still running at the end is then short.
        trials.sort_by_key(|pending| std::cmp::Reverse(pending.trial.params.hidden_size));
        self.pending.extend(trials);
    }

    fn ended(&mut self, rank: u32, id: &TrialId, failed: Option<FailureClass>) {
        let held = self.take(rank, id);
        match (held.filter(|held| !held.is_stale), failed) {
            (Some(_), None) => {}
            (Some(held), Some(class)) => {
                if let Some(next) = self.after(class, held.given) {
                    self.await_again(next, VecDeque::push_back);
                }
            }
            (None, None) => self.settle(id),
            // Others were given it and will do better, or not.
            (None, Some(_)) => {}
        }
    }

    /// What follows an attempt that failed in this way, if anything.
    fn after(&self, class: FailureClass, given: Pending) -> Option<Pending> {
        let (tries, was_short) = match class {
            // It would end the same way.
            FailureClass::Diverged | FailureClass::Configuration => return None,
            FailureClass::Memory | FailureClass::MemoryHost if given.was_short => return None,
            FailureClass::Memory | FailureClass::MemoryHost => (given.tries, true),
            FailureClass::Crashed | FailureClass::Hung | FailureClass::Error => {
                (given.tries + 1, given.was_short)
            }
        };
        (tries <= self.retries).then(|| Pending {
            attempt: given.attempt + 1,
            tries,
            was_short,
            trial: given.trial,
        })
    }

    /// A rank that nobody waited for has a result: now nobody waits for another one.
    fn settle(&mut self, id: &TrialId) {
        self.pending.retain(|pending| pending.trial.id != *id);
        let ranks = self.ranks.values_mut();
        for held in ranks.filter_map(|rank| rank.held.get_mut(id)) {
            held.is_stale = true;
        }
    }

    fn take(&mut self, rank: u32, id: &TrialId) -> Option<Held> {
        self.ranks.get_mut(&rank)?.held.remove(id)
    }

    /// What a rank held is to be trained by another, at no cost to the trial.
    fn give_back(&mut self, held: Held) {
        if !held.is_stale {
            let attempt = held.given.attempt + 1;
            let next = Pending {
                attempt,
                ..held.given
            };
            self.await_again(next, VecDeque::push_front);
        }
    }

    /// A trial waits for a rank, unless one that was silent is still at it.
    fn await_again(&mut self, next: Pending, line_up: fn(&mut VecDeque<Pending>, Pending)) {
        let mut ranks = self.ranks.values_mut().filter(|rank| !rank.is_silent);
        match ranks.find_map(|rank| rank.held.get_mut(&next.trial.id)) {
            Some(other) => other.awaited_as(next),
            None => line_up(&mut self.pending, next),
        }
    }

    fn silent(&mut self, rank: u32) {
        let Some(silent) = self.ranks.get_mut(&rank) else {
            return;
        };
        silent.is_silent = true;
        let mut given = Vec::new();
        for held in silent.held.values_mut().filter(|held| !held.is_stale) {
            held.is_stale = true;
            given.push(held.given.clone());
        }
        for given in given {
            self.give_back(Held::of(given));
        }
    }

    fn heard(&mut self, rank: u32) {
        let Some(heard) = self.ranks.get_mut(&rank) else {
            return;
        };
        heard.is_silent = false;
        self.pending.retain(|pending| {
            let held = heard.held.get_mut(&pending.trial.id);
            held.map(|held| held.awaited_as(pending.clone())).is_none()
        });
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
                .filter(|(_, rank)| !rank.is_silent && rank.held.len() < ahead * rank.slots)
                .min_by_key(|(number, rank)| (rank.held.len() * 1000 / rank.slots, **number))
            {
                let Some(given) = self.pending.pop_front() else {
                    return actions;
                };
                actions.push(Action::Assign {
                    rank: number,
                    trial: given.trial.clone(),
                    attempt: given.attempt,
                    alone: given.was_short,
                });
                rank.held.insert(given.trial.id.clone(), Held::of(given));
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
    use std::collections::{BTreeSet, HashSet};
    use std::path::Path;

    const RETRIES: u32 = 2;

    fn trials(count: u64) -> Vec<Trial> {
        let seeds: Vec<String> = (0..count).map(|seed| seed.to_string()).collect();
        let text = format!("pack = \"a\"\n[seeds]\nsearch = [{}]\n", seeds.join(", "));
        let job = Job::parse(Path::new("x.toml"), text).unwrap();
        job.search_trials(&job.contract("d", vec![], vec![], 1000).unwrap())
    }

    fn added(count: u64) -> Event {
        Event::Added(trials(count).into_iter().map(|trial| (trial, 0)).collect())
    }

    fn joined(scheduler: &mut Scheduler, slots: &[u32]) -> Vec<Action> {
        let ranks = (0_u32..).zip(slots);
        ranks
            .flat_map(|(rank, &slots)| scheduler.on(Event::Joined { rank, slots }))
            .collect()
    }

    /// What may happen next, with numbers to pick who it happens to.
    #[derive(Clone, Debug)]
    enum Chance {
        Ends(prop::sample::Index, Option<FailureClass>),
        Released(prop::sample::Index),
        Silent(prop::sample::Index),
        Heard(prop::sample::Index),
        Lost(prop::sample::Index),
    }

    fn chance() -> impl Strategy<Value = Chance> {
        let class = prop_oneof![
            6 => Just(None),
            2 => Just(Some(FailureClass::Crashed)),
            1 => Just(Some(FailureClass::Memory)),
            1 => Just(Some(FailureClass::MemoryHost)),
            1 => Just(Some(FailureClass::Diverged)),
        ];
        prop_oneof![
            20 => (any::<prop::sample::Index>(), class).prop_map(|(who, how)| Chance::Ends(who, how)),
            2 => any::<prop::sample::Index>().prop_map(Chance::Released),
            2 => any::<prop::sample::Index>().prop_map(Chance::Silent),
            2 => any::<prop::sample::Index>().prop_map(Chance::Heard),
            1 => any::<prop::sample::Index>().prop_map(Chance::Lost),
        ]
    }

    /// The ranks as they are, not as the scheduler believes.
    #[derive(Default)]
    struct World {
        running: Vec<(u32, TrialId)>,
        alive: BTreeSet<u32>,
        silent: BTreeSet<u32>,
        attempts: HashMap<TrialId, u32>,
        failures: HashMap<TrialId, Vec<FailureClass>>,
        finished: HashSet<TrialId>,
    }

    impl World {
        /// What happens, as the coordinator hears of it; nothing if it cannot happen.
        fn happens(&mut self, chance: Chance) -> Option<Event> {
            let speaking: Vec<usize> = (0..self.running.len())
                .filter(|&index| !self.silent.contains(&self.running[index].0))
                .collect();
            match chance {
                Chance::Ends(who, failed) if !speaking.is_empty() => {
                    let (rank, id) = self.running.swap_remove(*who.get(&speaking));
                    match failed {
                        None => drop(self.finished.insert(id.clone())),
                        Some(class) => self.failures.entry(id.clone()).or_default().push(class),
                    }
                    Some(Event::Ended { rank, id, failed })
                }
                Chance::Released(who) if !speaking.is_empty() => {
                    let (rank, id) = self.running.swap_remove(*who.get(&speaking));
                    Some(Event::Released { rank, id })
                }
                Chance::Silent(who) => {
                    let ranks: Vec<u32> = self.alive.difference(&self.silent).copied().collect();
                    let rank = *who.get(&ranks);
                    (rank != 0 && self.silent.insert(rank)).then_some(Event::Silent(rank))
                }
                Chance::Heard(who) if !self.silent.is_empty() => {
                    let ranks: Vec<u32> = self.silent.iter().copied().collect();
                    let rank = *who.get(&ranks);
                    self.silent.remove(&rank);
                    Some(Event::Heard(rank))
                }
                Chance::Lost(who) => {
                    let ranks: Vec<u32> = self.alive.iter().copied().collect();
                    let rank = *who.get(&ranks);
                    if rank == 0 {
                        return None;
                    }
                    self.alive.remove(&rank);
                    self.silent.remove(&rank);
                    self.running.retain(|(holder, _)| *holder != rank);
                    Some(Event::Lost(rank))
                }
                _ => None,
            }
        }

        fn carry_out(&mut self, actions: Vec<Action>, slots: &[u32]) -> Result<(), TestCaseError> {
            for Action::Assign {
                rank,
                trial,
                attempt,
                ..
            } in actions
            {
                prop_assert!(self.alive.contains(&rank) && !self.silent.contains(&rank));
                prop_assert!(!self.running.contains(&(rank, trial.id.clone())));
                prop_assert!(!self.finished.contains(&trial.id), "a finished trial again");
                let before = self.attempts.insert(trial.id.clone(), attempt);
                prop_assert!(before.unwrap_or(0) < attempt);
                let others = self.running.iter().filter(|(_, id)| *id == trial.id);
                let heard = others.filter(|(other, _)| !self.silent.contains(other));
                prop_assert_eq!(heard.count(), 0, "two ranks that speak at one trial");
                self.running.push((rank, trial.id));
                let held = self.running.iter().filter(|(holder, _)| *holder == rank);
                prop_assert!(held.count() <= 2 * slots[rank as usize] as usize);
            }
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_to_ranks_and_trainers_every_trial_ends_and_pays_for_its_own_failures_only(
            count in 1_u64..40,
            slots in prop::collection::vec(1_u32..4, 1..5),
            chances in prop::collection::vec(chance(), 0..200),
        ) {
            let mut scheduler = Scheduler::new(RETRIES);
            let mut world = World { alive: (0_u32..).take(slots.len()).collect(), ..World::default() };
            joined(&mut scheduler, &slots);
            world.carry_out(scheduler.on(added(count)), &slots)?;
            for chance in chances {
                if let Some(event) = world.happens(chance) {
                    let actions = scheduler.on(event);
                    world.carry_out(actions, &slots)?;
                }
            }
            // Then everybody is heard and everything ends well.
            while let Some(rank) = world.silent.pop_first() {
                let actions = scheduler.on(Event::Heard(rank));
                world.carry_out(actions, &slots)?;
            }
            while let Some((rank, id)) = world.running.pop() {
                world.finished.insert(id.clone());
                let actions = scheduler.on(Event::Ended { rank, id, failed: None });
                world.carry_out(actions, &slots)?;
            }
            prop_assert!(scheduler.is_idle() && !scheduler.is_waiting());
            for trial in trials(count) {
                let failures = world.failures.get(&trial.id).cloned().unwrap_or_default();
                let of = |wanted: &[FailureClass]| failures.iter().filter(|class| wanted.contains(class)).count();
                let spent = of(&[FailureClass::Diverged]) > 0
                    || of(&[FailureClass::Memory, FailureClass::MemoryHost]) > 1
                    || of(&[FailureClass::Crashed]) > RETRIES as usize;
                prop_assert!(world.finished.contains(&trial.id) || spent, "{} was dropped", trial.id);
            }
        }
    }

    fn assigned(actions: &[Action]) -> Vec<(u32, u32, bool)> {
        let short = |Action::Assign {
                         rank,
                         attempt,
                         alone,
                         ..
                     }: &Action| (*rank, *attempt, *alone);
        actions.iter().map(short).collect()
    }

    fn failing(class: FailureClass, times: usize) -> Vec<(u32, u32, bool)> {
        let mut scheduler = Scheduler::new(RETRIES);
        joined(&mut scheduler, &[1]);
        let mut seen = assigned(&scheduler.on(added(1)));
        for _ in 0..times {
            let event = Event::Ended {
                rank: 0,
                id: trials(1)[0].id.clone(),
                failed: Some(class),
            };
            seen.extend(assigned(&scheduler.on(event)));
        }
        assert!(scheduler.is_idle());
        seen
    }

    #[test]
    fn each_class_of_failure_has_its_own_budget() {
        let tries = [(0, 1, false), (0, 2, false), (0, 3, false)];
        assert_eq!(failing(FailureClass::Crashed, 3), tries);
        assert_eq!(failing(FailureClass::Hung, 3), tries);
        let alone = [(0, 1, false), (0, 2, true)];
        assert_eq!(failing(FailureClass::Memory, 2), alone);
        assert_eq!(failing(FailureClass::MemoryHost, 2), alone);
        assert_eq!(failing(FailureClass::Diverged, 1), tries[..1]);
        assert_eq!(failing(FailureClass::Configuration, 1), tries[..1]);
    }

    #[test]
    fn a_late_result_of_a_rank_that_was_silent_settles_the_trial_once() {
        let mut scheduler = Scheduler::new(RETRIES);
        joined(&mut scheduler, &[1, 1]);
        assert_eq!(scheduler.on(added(2)).len(), 2);
        let ended = |rank, id: &TrialId| Event::Ended {
            rank,
            id: id.clone(),
            failed: None,
        };
        // Rank 1 stands still; rank 0 ends its own trial and is given the other.
        assert!(scheduler.on(Event::Silent(1)).is_empty());
        let all = trials(2);
        let (own, other) = (&all[0].id, &all[1].id);
        assert_eq!(assigned(&scheduler.on(ended(0, own))), [(0, 2, false)]);
        // Rank 1 wakes and ends first: nobody waits for rank 0 any more, and its result changes nothing.
        assert!(scheduler.on(Event::Heard(1)).is_empty());
        assert!(!scheduler.is_idle());
        assert!(scheduler.on(ended(1, other)).is_empty());
        assert!(scheduler.is_idle());
        assert!(scheduler.on(ended(0, other)).is_empty());
        assert!(scheduler.is_idle());
    }

    #[test]
    fn once_closed_nothing_is_given_out_and_what_comes_back_waits() {
        let mut scheduler = Scheduler::new(RETRIES);
        joined(&mut scheduler, &[1]);
        scheduler.on(added(1));
        assert!(scheduler.on(Event::Closed).is_empty());
        assert!(!scheduler.is_idle());
        let id = trials(1)[0].id.clone();
        assert!(scheduler.on(Event::Released { rank: 0, id }).is_empty());
        assert!(scheduler.is_idle() && scheduler.is_waiting());
    }

    #[test]
    fn with_fewer_trials_than_slots_nobody_hoards() {
        let mut scheduler = Scheduler::new(RETRIES);
        joined(&mut scheduler, &[2, 2]);
        let actions = scheduler.on(added(4));
        let on_rank_0 = actions
            .iter()
            .filter(|Action::Assign { rank, .. }| *rank == 0)
            .count();
        assert_eq!((actions.len(), on_rank_0), (4, 2));
    }

    #[test]
    fn ten_thousand_slots_are_filled_in_no_time() {
        let mut scheduler = Scheduler::new(RETRIES);
        joined(&mut scheduler, &[100; 100]);
        assert_eq!(scheduler.on(added(10_001)).len(), 10_000);
    }
}
