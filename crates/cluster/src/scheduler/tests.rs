//! Orders of events, at random and one by one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use efflux_job::{Job, Variables};
use proptest::prelude::*;

use super::*;

const RETRIES: u32 = 2;

fn trials(count: u64) -> Vec<Trial> {
    let seeds: Vec<String> = (0..count).map(|seed| seed.to_string()).collect();
    let text = format!("pack = \"a\"\n[seeds]\nsearch = [{}]\n", seeds.join(", "));
    let job = Job::parse(Path::new("x.toml"), text).unwrap();
    job.search_trials(
        &job.contract("d", Variables::complete(&["t".into()], &[]), 1000)
            .unwrap(),
    )
    .unwrap()
    .into_vec()
}

fn planned(trial: Trial) -> Planned {
    Planned {
        trial,
        attempts: Attempt::NONE,
        until: None,
        goes_on: false,
    }
}

fn added(count: u64) -> Event {
    Event::Added(trials(count).into_iter().map(planned).collect())
}

fn joined(scheduler: &mut Scheduler, slots: &[u32]) -> Vec<Action> {
    let ranks = (0..).map(Rank).zip(slots);
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
        1 => Just(Some(FailureClass::Shared)),
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
    running: Vec<(Rank, TrialId)>,
    alive: BTreeSet<Rank>,
    silent: BTreeSet<Rank>,
    attempts: HashMap<TrialId, Attempt>,
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
                let ranks: Vec<Rank> = self.alive.difference(&self.silent).copied().collect();
                let rank = *who.get(&ranks);
                (rank != Rank(0) && self.silent.insert(rank)).then_some(Event::Silent(rank))
            }
            Chance::Heard(who) if !self.silent.is_empty() => {
                let ranks: Vec<Rank> = self.silent.iter().copied().collect();
                let rank = *who.get(&ranks);
                self.silent.remove(&rank);
                Some(Event::Heard(rank))
            }
            Chance::Lost(who) => {
                let ranks: Vec<Rank> = self.alive.iter().copied().collect();
                let rank = *who.get(&ranks);
                if rank == Rank(0) {
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
        for Action::Dispatch {
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
            prop_assert!(before.unwrap_or(Attempt::NONE) < attempt);
            let others = self.running.iter().filter(|(_, id)| *id == trial.id);
            let heard = others.filter(|(other, _)| !self.silent.contains(other));
            prop_assert_eq!(heard.count(), 0, "two ranks that speak at one trial");
            self.running.push((rank, trial.id));
            let held = self.running.iter().filter(|(holder, _)| *holder == rank);
            prop_assert!(held.count() <= 2 * slots[rank.0 as usize] as usize);
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
        let mut world = World { alive: (0..).map(Rank).take(slots.len()).collect(), ..World::default() };
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
                || of(&[FailureClass::Crashed, FailureClass::Shared]) > RETRIES as usize;
            prop_assert!(world.finished.contains(&trial.id) || spent, "{} was dropped", trial.id);
        }
    }
}

fn assigned(actions: &[Action]) -> Vec<(u32, u32, Isolation)> {
    let short = |Action::Dispatch {
                     rank,
                     attempt,
                     isolation,
                     ..
                 }: &Action| (rank.0, attempt.0, *isolation);
    actions.iter().map(short).collect()
}

fn failing(class: FailureClass, times: usize) -> Vec<(u32, u32, Isolation)> {
    let mut scheduler = Scheduler::new(RETRIES);
    joined(&mut scheduler, &[1]);
    let mut seen = assigned(&scheduler.on(added(1)));
    for _ in 0..times {
        let event = Event::Ended {
            rank: Rank(0),
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
    use Isolation::{OwnDevice, OwnTrainer, SharedLanes};
    let tries = [
        (0, 1, SharedLanes),
        (0, 2, SharedLanes),
        (0, 3, SharedLanes),
    ];
    assert_eq!(failing(FailureClass::Crashed, 3), tries);
    assert_eq!(failing(FailureClass::Hung, 3), tries);
    let alone = [(0, 1, SharedLanes), (0, 2, OwnDevice)];
    assert_eq!(failing(FailureClass::Memory, 2), alone);
    assert_eq!(failing(FailureClass::MemoryHost, 2), alone);
    assert_eq!(failing(FailureClass::Diverged, 1), tries[..1]);
    assert_eq!(failing(FailureClass::Configuration, 1), tries[..1]);
    // What a shared trainer ended with is held against nobody; what follows is.
    let shared = [
        (0, 1, SharedLanes),
        (0, 2, OwnTrainer),
        (0, 3, OwnTrainer),
        (0, 4, OwnTrainer),
    ];
    assert_eq!(failing(FailureClass::Shared, 4), shared);
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
    assert!(scheduler.on(Event::Silent(Rank(1))).is_empty());
    let all = trials(2);
    let (own, other) = (&all[0].id, &all[1].id);
    assert_eq!(
        assigned(&scheduler.on(ended(Rank(0), own))),
        [(0, 2, Isolation::SharedLanes)]
    );
    // Rank 1 wakes and ends first: nobody waits for rank 0 any more, and its result changes nothing.
    assert!(scheduler.on(Event::Heard(Rank(1))).is_empty());
    assert!(!scheduler.is_idle());
    assert!(scheduler.on(ended(Rank(1), other)).is_empty());
    assert!(scheduler.is_idle());
    assert!(scheduler.on(ended(Rank(0), other)).is_empty());
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
    assert!(
        scheduler
            .on(Event::Released { rank: Rank(0), id })
            .is_empty()
    );
    assert!(scheduler.is_idle() && scheduler.is_waiting());
}

#[test]
fn with_fewer_trials_than_slots_nobody_hoards() {
    let mut scheduler = Scheduler::new(RETRIES);
    joined(&mut scheduler, &[2, 2]);
    let actions = scheduler.on(added(4));
    let on_rank_0 = actions
        .iter()
        .filter(|Action::Dispatch { rank, .. }| *rank == Rank(0))
        .count();
    assert_eq!((actions.len(), on_rank_0), (4, 2));
}

#[test]
fn ten_thousand_slots_are_filled_in_no_time() {
    let mut scheduler = Scheduler::new(RETRIES);
    joined(&mut scheduler, &[100; 100]);
    assert_eq!(scheduler.on(added(10_001)).len(), 10_000);
}

#[test]
fn a_trial_at_a_rung_is_done_with_until_more_is_asked_of_it() {
    let mut scheduler = Scheduler::new(RETRIES);
    joined(&mut scheduler, &[1, 1]);
    let trial = trials(1).remove(0);
    let asked = |attempts, until| {
        let trial = trial.clone();
        Event::Added(vec![Planned {
            trial,
            attempts: Attempt(attempts),
            until,
            goes_on: attempts > 0,
        }])
    };
    let at_rung = |rank, epoch| Event::AtRung {
        rank: Rank(rank),
        id: trial.id.clone(),
        epoch,
    };
    let actions = scheduler.on(asked(0, Some(3)));
    let [Action::Dispatch { until: Some(3), .. }] = actions[..] else {
        panic!("{actions:?}");
    };
    // Rank 0 stands still, rank 1 is given the trial and brings it to the rung.
    assert_eq!(scheduler.on(Event::Silent(Rank(0))).len(), 1);
    assert!(scheduler.on(at_rung(1, 3)).is_empty());
    assert!(scheduler.is_idle() && !scheduler.has(&trial.id));
    // It goes on there. Rank 0 wakes with what it still had to do: that is no news, and takes nothing from the other.
    assert_eq!(scheduler.on(asked(2, Some(9))).len(), 1);
    assert!(scheduler.on(Event::Heard(Rank(0))).is_empty());
    assert!(scheduler.on(at_rung(0, 3)).is_empty());
    assert!(scheduler.has(&trial.id));
    assert!(scheduler.on(at_rung(1, 9)).is_empty());
    assert!(scheduler.is_idle() && !scheduler.has(&trial.id));
}

#[test]
fn more_is_asked_of_a_rank_that_is_still_at_a_trial_once_it_is_done_with_less() {
    let mut scheduler = Scheduler::new(RETRIES);
    joined(&mut scheduler, &[1]);
    let trial = trials(1).remove(0);
    let planned = |until| Planned {
        trial: trial.clone(),
        attempts: Attempt(1),
        until,
        goes_on: true,
    };
    assert_eq!(scheduler.on(Event::Added(vec![planned(Some(3))])).len(), 1);
    assert!(scheduler.on(Event::Added(vec![planned(None)])).is_empty());
    let event = Event::AtRung {
        rank: Rank(0),
        id: trial.id.clone(),
        epoch: 3,
    };
    let actions = scheduler.on(event);
    let [Action::Dispatch { until: None, .. }] = actions[..] else {
        panic!("{actions:?}");
    };
}

#[test]
fn trials_that_go_on_from_a_rung_are_dispatched_before_those_that_begin() {
    let mut scheduler = Scheduler::new(RETRIES);
    let all = trials(6);
    let (new, on) = all.split_at(4);
    scheduler.on(Event::Added(new.iter().cloned().map(planned).collect()));
    let on_planned = on.iter().cloned().map(|trial| Planned {
        goes_on: true,
        ..planned(trial)
    });
    scheduler.on(Event::Added(on_planned.collect()));
    let joined = Event::Joined {
        rank: Rank(0),
        slots: 6,
    };
    let dispatched = scheduler.on(joined).into_iter();
    let dispatched: Vec<TrialId> = dispatched
        .map(|Action::Dispatch { trial, .. }| trial.id)
        .collect();
    let expected = on.iter().chain(new).map(|trial| trial.id.clone());
    assert!(dispatched.into_iter().eq(expected));
}
