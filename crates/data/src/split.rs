//! Which days of a site's record train, validate and test a model.

use std::ops::{Deref, DerefMut, Range};

use efflux_job::{Fold, Part, Split, SplitKind, View};
use efflux_numerics::SiteByDay;

/// The part of every day at every site.
///
/// A part also holds the days without an observation between its own, so that what is simulated and drawn has no holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts(SiteByDay<Part>);

impl Parts {
    /// The parts of these records, as a job splits them.
    ///
    /// * `observed`: NaN marks a day without an observation.
    pub fn of(observed: &SiteByDay<f32>, split: &Split) -> Self {
        let mut parts = Self::unused(observed.sites(), observed.days());
        for (site, record) in observed.rows().enumerate() {
            by_time(record, split, parts.0.site_mut(site));
        }
        parts
    }

    /// The parts of these records as a trial sees them: judged as the contract says, and trained on as its own split says,
    /// which may leave days between the two unused.
    pub fn of_view(observed: &SiteByDay<f32>, view: &View) -> Self {
        let mut parts = Self::of(observed, &view.judged);
        if view.split != view.judged {
            let own = Self::of(observed, &view.split);
            for (part, own) in parts.0.iter_mut().zip(own.0.iter()) {
                if *part == Part::Train && *own != Part::Train {
                    *part = Part::Unused;
                }
            }
        }
        if let Some(fold) = &view.held_out {
            parts.hold_out(observed, fold, view);
        }
        parts
    }

    /// Holds the sites of a fold out: none of their days trains, those before the test part are for choosing configurations.
    /// The other sites have no test part: their later days are trained on if its split is by sites alone, and else unused.
    fn hold_out(&mut self, observed: &SiteByDay<f32>, fold: &Fold, view: &View) {
        let judged = &view.judged;
        let whole = Split::by_time(1.0, judged.validation);
        for (site, record) in observed.rows().enumerate() {
            let parts = self.0.site_mut(site);
            if fold.test.contains(&site) {
                // Whatever a configuration trains on, it is judged on the same days.
                by_time(record, judged, parts);
                replace(parts, Part::Train, Part::Validation);
            } else if fold.left_out.contains(&site) {
                parts.fill(Part::Unused);
            } else if view.split.kind == SplitKind::Sites {
                parts.fill(Part::Unused);
                by_time(record, &whole, parts);
            } else {
                replace(parts, Part::Test, Part::Unused);
            }
        }
    }

    /// No day in any part.
    pub fn unused(sites: usize, days: usize) -> Self {
        Self(SiteByDay::filled(sites, days, Part::Unused))
    }

    /// The days of a part at a site, in order.
    pub fn days(
        &self,
        site: usize,
        part: Part,
    ) -> impl DoubleEndedIterator<Item = usize> + Clone + '_ {
        let days = self.0.site(site).iter().enumerate();
        days.filter_map(move |(day, of)| (*of == part).then_some(day))
    }

    /// From the first day of a part at a site to the one after its last, whatever lies between; empty if it has none.
    pub fn span(&self, site: usize, part: Part) -> Range<usize> {
        let mut days = self.days(site, part);
        match (days.next(), days.next_back()) {
            (Some(first), last) => first..last.unwrap_or(first) + 1,
            (None, _) => 0..0,
        }
    }

    /// The days of a part at a site as stretches without a day of another part between.
    pub fn stretches(&self, site: usize, part: Part) -> Vec<Range<usize>> {
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for day in self.days(site, part) {
            match stretches.last_mut() {
                Some(stretch) if stretch.end == day => stretch.end += 1,
                _ => stretches.push(day..day + 1),
            }
        }
        stretches
    }
}

impl Deref for Parts {
    type Target = SiteByDay<Part>;

    fn deref(&self) -> &SiteByDay<Part> {
        &self.0
    }
}

impl DerefMut for Parts {
    fn deref_mut(&mut self) -> &mut SiteByDay<Part> {
        &mut self.0
    }
}

fn replace(parts: &mut [Part], part: Part, by: Part) {
    let found = parts.iter_mut().filter(|of| **of == part);
    found.for_each(|of| *of = by);
}

/// Splits a record by its observed days, in order of time.
///
/// Of `n` observed days the first `⌊train · n⌋` are the training part and the last `⌊validation · ⌊train · n⌋⌋` of those
/// are its validation days; the rest of the record is the test part.
fn by_time(observed: &[f32], split: &Split, parts: &mut [Part]) {
    let days: Vec<usize> = (0..observed.len())
        .filter(|&day| !observed[day].is_nan())
        .collect();
    let training = share(split.train, days.len());
    let kept_back = share(split.validation, training);
    let (train, rest) = days.split_at(training - kept_back);
    let (validation, test) = rest.split_at(kept_back);
    for (part, days) in [
        (Part::Train, train),
        (Part::Validation, validation),
        (Part::Test, test),
    ] {
        if let (Some(&first), Some(&last)) = (days.first(), days.last()) {
            parts[first..=last].fill(part);
        }
    }
}

/// The observed flux on the days that are fitted on, NaN on all others.
pub(super) fn fitted(observed: &SiteByDay<f32>, parts: &Parts, view: &View) -> SiteByDay<f32> {
    let mut fitted = SiteByDay::filled(observed.sites(), observed.days(), f32::NAN);
    for site in (0..observed.sites()).filter(|&site| view.trains(site)) {
        let days = fitted.site_mut(site).iter_mut().zip(observed.site(site));
        for ((fitted, &observed), &part) in days.zip(parts.site(site)) {
            if view.fit.holds(part) {
                *fitted = observed;
            }
        }
    }
    fitted
}

/// `⌊fraction · count⌋` for a fraction in `[0, 1]`, taken as a whole number of millionths so that 0.8 of 10 is 8,
/// whatever the nearest double of 0.8 is.
///
/// ```
/// assert_eq!(efflux_data::share(0.8, 10), 8);
/// assert_eq!(efflux_data::share(0.8, 9), 7);
/// ```
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped to 0 ..= 1,000,000 before.
pub fn share(fraction: f64, count: usize) -> usize {
    let millionths = (fraction * 1e6).round().clamp(0.0, 1e6) as u128;
    let part = count as u128 * millionths / 1_000_000;
    part as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: Split = Split::by_time(0.8, 0.1);

    /// The parts of a single site.
    fn parts(observed: &[f32], split: &Split) -> Parts {
        Parts::of(&SiteByDay::of(observed.len(), observed.to_vec()), split)
    }

    #[test]
    fn a_record_of_one_day_has_nothing_but_a_test_day() {
        let mut observed = [f32::NAN; 9];
        observed[4] = 1.0;
        let parts = parts(&observed, &DEFAULT);
        let count = |part| parts.days(0, part).count();
        assert_eq!(parts.span(0, Part::Test), 4..5);
        assert_eq!(count(Part::Unused), 8);
        assert_eq!(count(Part::Train) + count(Part::Validation), 0);
    }

    #[test]
    fn without_validation_days_the_whole_training_part_is_fitted_on() {
        let split = Split {
            validation: 0.0,
            ..DEFAULT
        };
        let parts = parts(&[1.0; 100], &split);
        assert_eq!(parts.span(0, Part::Train), 0..80);
        assert!(parts.span(0, Part::Validation).is_empty());
        assert_eq!(parts.span(0, Part::Test), 80..100);
    }

    #[test]
    fn a_part_with_gaps_is_several_stretches() {
        let mut parts = Parts::unused(2, 9);
        for day in [2, 3, 6] {
            parts[(1, day)] = Part::Test;
        }
        assert_eq!(parts.stretches(1, Part::Test), [2..4, 6..7]);
        assert_eq!(parts.span(1, Part::Test), 2..7);
        assert!(parts.stretches(0, Part::Test).is_empty());
    }

    #[test]
    fn decimal_shares_are_exact() {
        for count in 0..10_000 {
            assert_eq!(share(0.8, count), 4 * count / 5);
            assert_eq!(share(0.7, count), 7 * count / 10);
            assert_eq!(share(0.1, count), count / 10);
            assert_eq!(share(1.0, count), count);
        }
    }

    proptest! {
        #[test]
        fn every_observed_day_is_in_a_part(
            present in prop::collection::vec(any::<bool>(), 0..300),
            train in 0.001f64..0.999,
            validation in 0.0f64..0.999,
        ) {
            let observed: Vec<f32> = present.iter().map(|&p| if p { 1.0 } else { f32::NAN }).collect();
            let parts = parts(&observed, &Split::by_time(train, validation));
            let spans = [Part::Train, Part::Validation, Part::Test].map(|part| parts.span(0, part));
            let held: usize = spans.iter().map(Range::len).sum();
            let used = parts.iter().filter(|part| **part != Part::Unused).count();
            prop_assert_eq!(held, used, "a part of a split by time has no gaps");
            for (day, &present) in present.iter().enumerate() {
                prop_assert!(!present || parts[(0, day)] != Part::Unused, "day {} is in no part", day);
            }
            for pair in spans.windows(2) {
                prop_assert!(pair[0].is_empty() || pair[1].is_empty() || pair[0].end <= pair[1].start);
            }
            let total = present.iter().filter(|&&p| p).count();
            let tested = parts.days(0, Part::Test).filter(|&day| present[day]).count();
            prop_assert_eq!(tested, total - share(train, total));
        }
    }
}
