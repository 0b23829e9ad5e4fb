//! Whether sudden days are simulated as sudden days, and when.

use super::bands::{least_observations, z_scores};
use super::statistics::{mean, median};
use super::{Defined, Undefined};

/// Days by which a simulated event may miss an observed one and still count.
pub const TOLERANCE: usize = 3;

/// A day far above or below the days around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The day.
    pub day: usize,
    /// Whether it is above.
    pub is_peak: bool,
}

/// The events of a series on a gapless calendar, `[D]`, NaN where it was not observed: the days on which `|z|` of
/// [`z_scores`] exceeds `threshold`.
pub fn events(series: &[f64], window_days: usize, threshold: f64) -> Vec<Event> {
    let z = z_scores(series, window_days, least_observations(threshold));
    z.into_iter()
        .enumerate()
        .filter_map(|(day, z)| {
            let z = z.filter(|z| z.abs() > threshold)?;
            Some(Event {
                day,
                is_peak: z > 0.0,
            })
        })
        .collect()
}

/// How observed and simulated events meet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventSkill {
    /// Observed events with a simulated one of the same direction within [`TOLERANCE`] days.
    pub hits: usize,
    /// Observed events without one.
    pub misses: usize,
    /// Simulated events without an observed one.
    pub false_alarms: usize,
    /// Of each hit, simulated minus observed day.
    pub delays: Vec<f64>,
    /// Of each observed peak, the highest simulated flux within [`TOLERANCE`] days over the observed one.
    pub peak_ratios: Vec<f64>,
}

impl EventSkill {
    /// Pairs the events of one site, the earliest first; each belongs to one pair at most. `observed` and `simulated`
    /// are the series that the events are of, `[D]`.
    pub fn of(
        observed_events: &[Event],
        simulated_events: &[Event],
        observed: &[f64],
        simulated: &[f64],
    ) -> Self {
        let mut skill = Self::default();
        let mut free: Vec<Event> = simulated_events.to_vec();
        for event in observed_events {
            let nearest = free
                .iter()
                .enumerate()
                .filter(|(_, other)| other.is_peak == event.is_peak)
                .map(|(place, other)| (place, other.day.abs_diff(event.day)))
                .filter(|(_, apart)| *apart <= TOLERANCE)
                .min_by_key(|(_, apart)| *apart);
            match nearest {
                Some((place, _)) => {
                    let met = free.remove(place);
                    skill.hits += 1;
                    skill.delays.push(met.day as f64 - event.day as f64);
                }
                None => skill.misses += 1,
            }
            let near = event.day.saturating_sub(TOLERANCE)
                ..=(event.day + TOLERANCE).min(simulated.len().saturating_sub(1));
            let highest = simulated[near]
                .iter()
                .copied()
                .filter(|value| value.is_finite())
                .reduce(f64::max);
            if let Some(highest) = highest.filter(|_| event.is_peak && observed[event.day] > 0.0) {
                skill.peak_ratios.push(highest / observed[event.day]);
            }
        }
        skill.false_alarms = free.len();
        skill
    }

    /// Adds what another site gives.
    pub fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.false_alarms += other.false_alarms;
        self.delays.extend(&other.delays);
        self.peak_ratios.extend(&other.peak_ratios);
    }

    /// The share of observed events that are hit.
    ///
    /// # Errors
    ///
    /// [`Undefined::Missing`] without observed events.
    pub fn detection(&self) -> Defined {
        share(self.hits, self.hits + self.misses, "observed events")
    }

    /// The share of simulated events that are false alarms.
    ///
    /// # Errors
    ///
    /// [`Undefined::Missing`] without simulated events.
    pub fn false_alarm_ratio(&self) -> Defined {
        let simulated = self.hits + self.false_alarms;
        share(self.false_alarms, simulated, "simulated events")
    }

    /// The median of the peak ratios.
    ///
    /// # Errors
    ///
    /// [`Undefined::Missing`] without observed peaks.
    pub fn peak_ratio(&self) -> Defined {
        median(&self.peak_ratios).map_err(|_| Undefined::Missing("observed peaks"))
    }

    /// The mean size of the error in time, days.
    ///
    /// # Errors
    ///
    /// [`Undefined::Missing`] without hits.
    pub fn timing_error(&self) -> Defined {
        let sizes: Vec<f64> = self.delays.iter().map(|delay| delay.abs()).collect();
        mean(&sizes).map_err(|_| Undefined::Missing("hits"))
    }
}

fn share(part: usize, whole: usize, of: &'static str) -> Defined {
    if whole == 0 {
        return Err(Undefined::Missing(of));
    }
    Ok(part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_met_once_in_its_own_direction_and_within_days() {
        let event = |day, is_peak| Event { day, is_peak };
        let observed = [
            event(10, true),
            event(11, true),
            event(30, false),
            event(50, true),
        ];
        let simulated = [event(12, true), event(30, true), event(54, true)];
        let series = vec![2.0; 60];
        let skill = EventSkill::of(&observed, &simulated, &series, &series);
        assert_eq!((skill.hits, skill.misses, skill.false_alarms), (1, 3, 2));
        assert_eq!(skill.delays, [2.0]);
        assert_eq!(skill.peak_ratio(), Ok(1.0));
        assert_eq!(skill.detection(), Ok(0.25));
    }

    #[test]
    fn quiet_series_have_no_skill_to_speak_of() {
        let skill = EventSkill::default();
        assert_eq!(
            skill.detection(),
            Err(Undefined::Missing("observed events"))
        );
        assert_eq!(skill.timing_error(), Err(Undefined::Missing("hits")));
    }
}
