//! From values to pixels, and where the ticks go.

use jiff::ToSpan;
use jiff::civil::Date;

use super::super::numbers;
use super::canvas::{Anchor, Canvas};
use super::ink::Ink;

/// A linear map of values to pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Maps `low` to pixel `from` and `high` to pixel `to`. A range without extent is widened.
    pub(crate) fn new((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self {
            low,
            high,
            from,
            to,
        }
    }

    /// As [`Scale::new`], with the range widened to full steps of the ticks.
    pub(crate) fn nice((low, high): (f64, f64), pixels: (f64, f64), ticks: u32) -> Self {
        let scale = Self::new((low, high), pixels);
        let step = scale.step(ticks);
        let widened = (
            (scale.low / step).floor() * step,
            (scale.high / step).ceil() * step,
        );
        Self::new(widened, pixels)
    }

    /// The pixel of a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Whether a value lies in the range.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The pixel of a value, or of the end of the range that it lies beyond.
    pub(crate) fn clamped(&self, value: f64) -> f64 {
        self.at(value.clamp(self.low, self.high))
    }

    /// Values at round steps with their labels, about as many as asked for.
    pub(crate) fn ticks(&self, count: u32) -> Vec<(f64, String)> {
        let step = self.step(count);
        let decimals = (0..9)
            .find(|&places| is_whole(step * 10_f64.powi(places)))
            .unwrap_or(9);
        let first = (self.low / step - 1e-9).ceil();
        let mut ticks = Vec::new();
        for index in 0..64 {
            let value = (first + f64::from(index)) * step;
            if value > self.high + step * 1e-9 {
                break;
            }
            ticks.push((
                value,
                numbers::number(value, decimals.unsigned_abs() as usize),
            ));
        }
        ticks
    }

    /// Draws these ticks of a vertical scale: lines from `left` to `right`, labels to the left of them.
    pub(crate) fn rows(
        &self,
        canvas: &mut Canvas,
        ticks: &[(f64, String)],
        (left, right): (f64, f64),
    ) {
        for (value, label) in ticks {
            let y = self.at(*value);
            canvas.line(Ink::Grid, (left, y), (right, y));
            canvas.text(Ink::Muted, (left - 6.0, y + 4.0), Anchor::End, label);
        }
    }

    /// Draws these ticks of a horizontal scale: lines from `top` to `bottom`, labels below them.
    pub(crate) fn columns(
        &self,
        canvas: &mut Canvas,
        ticks: &[(f64, String)],
        (top, bottom): (f64, f64),
    ) {
        for (value, label) in ticks {
            let x = self.at(*value);
            canvas.line(Ink::Grid, (x, top), (x, bottom));
            canvas.text(Ink::Label, (x, bottom + 16.0), Anchor::Middle, label);
        }
    }

    /// A step of 1, 2 or 5 times a power of ten that gives at most about `count` ticks.
    fn step(&self, count: u32) -> f64 {
        let rough = (self.high - self.low) / f64::from(count.max(1));
        let magnitude = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0];
        let factor = steps
            .into_iter()
            .find(|step| step * magnitude >= rough * (1.0 - 1e-9));
        factor.unwrap_or(10.0) * magnitude
    }
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6
}

/// First days of months between two days of a calendar, at most `count` of them, with labels: months for short spans,
/// years for long ones.
pub(crate) fn months(start: Date, days: (usize, usize), count: usize) -> Vec<(usize, String)> {
    let date = |day: usize| {
        start
            .checked_add(i64::try_from(day).unwrap_or(0).days())
            .unwrap_or(start)
    };
    let (first, last) = (date(days.0), date(days.1));
    for step in [1_i16, 2, 3, 6, 12, 24, 60, 120] {
        let format = if step < 12 { "%b %Y" } else { "%Y" };
        let mut ticks = Vec::new();
        let mut month = first.first_of_month();
        while month <= last {
            let number = month.year() * 12 + i16::from(month.month()) - 1;
            if number % step == 0 && month >= first {
                let day = (month - start).get_days();
                ticks.push((
                    usize::try_from(day).unwrap_or(0),
                    month.strftime(format).to_string(),
                ));
            }
            let Ok(next) = month.checked_add(1.month()) else {
                break;
            };
            month = next;
        }
        if ticks.len() <= count {
            return ticks;
        }
    }
    Vec::new()
}

/// The ticks of [`months`] as names along x; one too near to the end for its label goes without.
pub(crate) fn dates(
    start: Date,
    (first, last): (usize, usize),
    count: usize,
) -> Vec<(f64, String)> {
    let end = last - (last - first) / 14;
    let ticks = months(start, (first, last), count).into_iter();
    let kept = ticks.filter(|(day, _)| *day <= end);
    kept.map(|(day, name)| (day as f64, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, count: u32) -> Vec<String> {
        let scale = Scale::new((low, high), (0.0, 1.0));
        scale
            .ticks(count)
            .into_iter()
            .map(|(_, label)| label)
            .collect()
    }

    #[test]
    fn ticks_are_round_and_labelled_with_as_many_decimals_as_they_need() {
        assert_eq!(labels(-1.0, 1.0, 5), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(labels(0.0, 12.3, 5), ["0", "5", "10"]);
        assert_eq!(labels(0.41, 0.44, 3), ["0.41", "0.42", "0.43", "0.44"]);
    }

    #[test]
    fn a_range_without_extent_still_has_a_scale() {
        assert!(Scale::new((2.0, 2.0), (0.0, 10.0)).at(2.0).is_finite());
    }

    #[test]
    fn time_ticks_are_months_for_a_year_and_years_for_a_decade() {
        let start = Date::constant(2003, 1, 1);
        let year = months(start, (0, 364), 8);
        assert_eq!(year[1], (59, "Mar 2003".to_owned()));
        let decade = months(start, (31, 3653), 10);
        assert_eq!(decade[0], (365, "2004".to_owned()));
        assert_eq!(decade.len(), 10);
    }
}
