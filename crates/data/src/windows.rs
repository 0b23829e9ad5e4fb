//! How many training windows a calendar has, how many are drawn in an epoch, and how many hold a target.

/// Iterations of one epoch: the number of batches after which a given day of a given site has been drawn with a
/// probability of 99 %.
///
/// `⌈ ln 0.01 / ln(1 − b·window / (sites · (days − warmup))) ⌉` with `b = min(batch, sites)`.
///
/// `None` where the formula has no answer: a batch covers as much as there is or more, or there is nothing.
///
/// # Source
///
/// hydroDL, `train.py`, where a share of 1 gives 0 iterations and a greater one a failure.
pub fn iterations_per_epoch(
    sites: usize,
    days: usize,
    batch: usize,
    window: usize,
    warmup: usize,
) -> Option<u32> {
    let drawn = batch.min(sites) as f64 * window as f64;
    let there = sites as f64 * days.checked_sub(warmup)? as f64;
    let share = drawn / there;
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let iterations = (0.01f64.ln() / (-share).ln_1p()).ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Inside the range of u32.
    (iterations <= f64::from(u32::MAX)).then_some(iterations as u32)
}

/// How many of the possible windows hold at least one of the given days.
///
/// A window may start on any day of `[0, days − window)`: the last possible start is left out, as in hydroDL.
///
/// # Arguments
///
/// * `targets`: day indices in ascending order.
///
/// ```
/// // One target in the middle of 10 days: windows of 3 days may start on days 0 to 6, those on 3, 4, 5 hold it.
/// assert_eq!(efflux_data::windows_with_target([5], 10, 3), 3);
/// ```
pub fn windows_with_target(
    targets: impl IntoIterator<Item = usize>,
    days: usize,
    window: usize,
) -> usize {
    let starts = days.saturating_sub(window);
    let mut counted = 0;
    let mut hits = 0;
    for target in targets {
        let first = (target + 1).saturating_sub(window).max(counted);
        let end = (target + 1).min(starts);
        hits += end.saturating_sub(first);
        counted = counted.max(end);
    }
    hits
}

/// Days of all possible windows from their first to the last of the given days in them: what a training computes of them.
///
/// # Arguments
///
/// * `targets`: day indices in ascending order.
///
/// ```
/// // Windows that start on days 3, 4 and 5 reach the target after 3, 2 and 1 days.
/// assert_eq!(efflux_data::days_up_to_targets(&[5], 10, 3), 6);
/// ```
pub fn days_up_to_targets(targets: &[usize], days: usize, window: usize) -> usize {
    let starts = days.saturating_sub(window);
    let following = targets.iter().skip(1).copied().chain([days + window]);
    let sums = targets.iter().zip(following).map(|(&target, next)| {
        // Windows that hold this target and not the next one.
        let first = (target + 1).saturating_sub(window);
        let end = (next + 1)
            .saturating_sub(window)
            .min(target + 1)
            .min(starts);
        let count = end.saturating_sub(first);
        count * (target + 1 - first) - count * count.saturating_sub(1) / 2
    });
    sums.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn settings_that_draw_more_than_there_is_have_no_number_of_iterations() {
        assert_eq!(iterations_per_epoch(10, 365, 10, 365, 0), None);
        assert_eq!(iterations_per_epoch(82, 6269, 82, 7000, 0), None);
        assert_eq!(iterations_per_epoch(0, 6269, 82, 30, 0), None);
        assert_eq!(iterations_per_epoch(82, 100, 82, 30, 101), None);
        assert_eq!(iterations_per_epoch(82, 6269, 82, 0, 0), None);
    }

    proptest! {
        #[test]
        fn counting_windows_agrees_with_looking_at_each(
            present in prop::collection::vec(any::<bool>(), 1..80),
            window in 1usize..90,
        ) {
            let targets = (0..present.len()).filter(|&day| present[day]);
            let expected = (0..present.len().saturating_sub(window))
                .filter(|&start| present[start..start + window].contains(&true))
                .count();
            prop_assert_eq!(windows_with_target(targets.clone(), present.len(), window), expected);
            let reach = |start: usize| {
                let held = (start..start + window).rev().find(|&day| present[day]);
                held.map_or(0, |last| last - start + 1)
            };
            let reached: usize = (0..present.len().saturating_sub(window)).map(reach).sum();
            let targets: Vec<usize> = targets.collect();
            prop_assert_eq!(days_up_to_targets(&targets, present.len(), window), reached);
        }
    }
}
