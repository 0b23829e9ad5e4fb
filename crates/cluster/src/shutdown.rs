//! Shutdown of a sweep: its phases, and when signals and the deadline begin each of them.

use std::time::{Duration, Instant};

use efflux_protocol::Urgency;

/// How long trainers have for a last checkpoint after TERM. Launchers kill after two seconds, and all processes need the
/// rest to end.
const IMMEDIATE: Duration = Duration::from_millis(1400);

/// How far the shutdown of a sweep is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownPhase {
    /// There is none.
    Running,
    /// No trial is begun that would not reach its first checkpoint.
    NoNewTrials,
    /// Every trainer writes a checkpoint and stops.
    Draining,
    /// The sweep ends, whatever still runs.
    Exiting,
}

/// What determines the phase: the deadline and the signals.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    /// The end of the allocation.
    deadline: Option<Instant>,
    /// How long a drain may take.
    drain: Duration,
    /// How long a trial takes to its first checkpoint.
    checkpoint: Duration,
    /// The most urgent signal so far, and when it was first seen.
    asked: Option<(Urgency, Instant)>,
}

impl Shutdown {
    /// No signal was received yet.
    pub fn new(deadline: Option<Instant>, drain: Duration, checkpoint: Duration) -> Self {
        Self {
            deadline,
            drain,
            checkpoint,
            asked: None,
        }
    }

    /// What to say ahead if no trial can begin in so many seconds, which `what` names: drain and first checkpoint take
    /// them all.
    pub fn warning(what: &str, seconds: u64, drain: u32, checkpoint: u32) -> Option<String> {
        (seconds <= u64::from(drain) + u64::from(checkpoint)).then(|| {
            format!(
                "{what} {seconds} s, and --drain-seconds {drain} and --checkpoint-seconds {checkpoint} take all of that: no \
                 trial can begin. Ask for more --time, or set EFFLUX_DRAIN_SECONDS and EFFLUX_CHECKPOINT_SECONDS lower"
            )
        })
    }

    /// The phase at a moment at which signals have asked for this.
    pub fn phase(&mut self, asked: Option<Urgency>, now: Instant) -> ShutdownPhase {
        if let Some(urgency) = asked
            && self.asked.is_none_or(|(known, _)| known < urgency)
        {
            self.asked = Some((urgency, now));
        }
        let by_signal = self
            .asked
            .map_or(ShutdownPhase::Running, |(urgency, since)| {
                let bound = match urgency {
                    Urgency::Graceful => self.drain,
                    Urgency::Immediate => IMMEDIATE,
                };
                if now.duration_since(since) < bound {
                    ShutdownPhase::Draining
                } else {
                    ShutdownPhase::Exiting
                }
            });
        by_signal.max(self.by_time(now))
    }

    fn by_time(&self, now: Instant) -> ShutdownPhase {
        let Some(deadline) = self.deadline else {
            return ShutdownPhase::Running;
        };
        let left = deadline.saturating_duration_since(now);
        if left.is_zero() {
            ShutdownPhase::Exiting
        } else if left <= self.drain {
            ShutdownPhase::Draining
        } else if left <= self.drain + self.checkpoint {
            ShutdownPhase::NoNewTrials
        } else {
            ShutdownPhase::Running
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn ahead_of_the_deadline_a_sweep_first_begins_nothing_then_drains_then_exits() {
        let now = Instant::now();
        let mut shutdown = Shutdown::new(Some(now + 10 * MINUTE), 2 * MINUTE, MINUTE);
        let phases =
            [0, 6, 7, 8, 9, 10, 11].map(|minute| shutdown.phase(None, now + minute * MINUTE));
        assert_eq!(
            phases,
            [
                ShutdownPhase::Running,
                ShutdownPhase::Running,
                ShutdownPhase::NoNewTrials,
                ShutdownPhase::Draining,
                ShutdownPhase::Draining,
                ShutdownPhase::Exiting,
                ShutdownPhase::Exiting
            ]
        );
    }

    #[test]
    fn a_warning_comes_exactly_where_no_trial_could_begin() {
        let minutes = |seconds| Shutdown::warning("a job of", seconds, 90, 60);
        assert_eq!(minutes(151), None);
        let warning = minutes(150).unwrap();
        assert!(warning.starts_with("a job of 150 s"), "{warning}");
        for seconds in [150, 151] {
            let now = Instant::now();
            let (drain, checkpoint) = (Duration::from_secs(90), Duration::from_secs(60));
            let deadline = Some(now + Duration::from_secs(seconds));
            let phase = Shutdown::new(deadline, drain, checkpoint).phase(None, now);
            assert_eq!(phase != ShutdownPhase::Running, minutes(seconds).is_some());
        }
    }

    #[test]
    fn a_signal_drains_at_once_and_an_urgent_one_for_less_than_two_seconds() {
        let now = Instant::now();
        let mut shutdown = Shutdown::new(None, MINUTE, MINUTE);
        assert_eq!(shutdown.phase(None, now), ShutdownPhase::Running);
        assert_eq!(
            shutdown.phase(Some(Urgency::Graceful), now),
            ShutdownPhase::Draining
        );
        let later = now + MINUTE / 2;
        assert_eq!(
            shutdown.phase(Some(Urgency::Graceful), later),
            ShutdownPhase::Draining
        );
        assert_eq!(
            shutdown.phase(Some(Urgency::Immediate), later),
            ShutdownPhase::Draining
        );
        let bound = later + Duration::from_secs(2);
        assert_eq!(
            shutdown.phase(Some(Urgency::Immediate), bound),
            ShutdownPhase::Exiting
        );
    }

    #[test]
    fn a_drain_has_an_end_even_if_the_allocation_has_none() {
        let now = Instant::now();
        let mut shutdown = Shutdown::new(None, MINUTE, MINUTE);
        shutdown.phase(Some(Urgency::Graceful), now);
        assert_eq!(
            shutdown.phase(Some(Urgency::Graceful), now + MINUTE),
            ShutdownPhase::Exiting
        );
    }
}
