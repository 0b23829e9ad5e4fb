//! Which days of a synthetic site have a flux: how long its record is and where its gaps are.

use efflux_data::Calendar;

use super::random::Random;

/// Days from the first to the last flux at the 56 COSORE sites of the daily data set, every 5 % from the shortest to
/// the longest. Only the last is not theirs (2659): the longest records of COSORE at large span ten years.
const SPAN_DAYS: [f64; 21] = [
    41.0, 157.25, 212.5, 299.5, 337.0, 444.25, 497.0, 513.0, 540.0, 592.5, 662.0, 781.25, 867.0,
    885.0, 897.0, 923.0, 924.0, 1253.25, 1558.5, 1941.5, 3650.0,
];

/// Days with a flux at the same sites, in the same steps.
const OBSERVED_DAYS: [f64; 21] = [
    15.0, 61.0, 88.0, 143.75, 168.0, 253.0, 306.5, 394.25, 401.0, 457.25, 509.5, 552.75, 610.0,
    630.0, 679.0, 704.5, 756.0, 790.25, 846.5, 1193.0, 1856.0,
];

/// These sites have 522 observed days on average, all 77 usable sites of COSORE 490.
const OBSERVED_SCALE: f64 = 490.0 / 522.0;
/// Calibrated, with the weights of [`observed_days`], so that the shares of windows with a target are those of COSORE.
const SPAN_SCALE: f64 = 1.07;
/// No record is shorter: the shortest real ones leave nothing to test on.
const LEAST_SPAN: f64 = 365.0;
/// Ten years.
const MOST_SPAN: f64 = 3652.0;
const LEAST_OBSERVED: f64 = 60.0;

/// The record of one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length {
    /// Days from the first to the last flux.
    pub(super) span: usize,
    /// Days with a flux.
    pub(super) observed: usize,
}

/// Lengths of the records of all sites: the quantiles of COSORE, each taken once, dealt out at random. Long records
/// have more observed days, though not strictly.
pub(super) fn lengths(sites: usize, calendar_days: usize, seed: u64) -> Vec<Length> {
    let mut random = Random::stream(seed, u64::MAX, 0);
    let spans = shuffled(sites, &mut random);
    // The rank of the observed days is the rank of the span, disturbed.
    let mut by_observed: Vec<(f64, usize)> = (0..sites)
        .map(|site| {
            let rank = (spans[site] as f64 + 0.5) / sites as f64;
            (rank + 0.12 * random.normal(), site)
        })
        .collect();
    by_observed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lengths = vec![
        Length {
            span: 0,
            observed: 0
        };
        sites
    ];
    for (rank, &(_, site)) in by_observed.iter().enumerate() {
        let span = SPAN_SCALE * quantile(&SPAN_DAYS, spans[site], sites);
        let span = span.clamp(LEAST_SPAN, MOST_SPAN);
        let observed = OBSERVED_SCALE * quantile(&OBSERVED_DAYS, rank, sites);
        let span = whole(span).min(calendar_days);
        // No instrument works every day.
        let most = span - span / 50;
        let observed = whole(observed.max(LEAST_OBSERVED)).min(most);
        lengths[site] = Length { span, observed };
    }
    lengths
}

/// The days with a flux, ascending: exactly as many as asked for, the first and the last day of the span among them.
///
/// Days drop out where a slow random process, the cold season and chance together are worst: that gives outages of
/// days, of weeks and whole winters, as in the field.
pub(super) fn observed_days(
    length: Length,
    calendar: &Calendar,
    latitude: f64,
    random: &mut Random,
) -> Vec<usize> {
    /// A spell of good or bad luck lasts about two months.
    const MEMORY: f64 = 0.985;
    let start = random.below(calendar.days - length.span + 1);
    let warmest = if latitude < 0.0 { 17.0 } else { 200.0 };
    let winter = 1.3 * (latitude.abs() / 45.0).min(1.3);
    let mut slow = random.normal();
    let mut uptime: Vec<(f64, usize)> = (start..start + length.span)
        .map(|day| {
            slow = MEMORY * slow + (1.0 - MEMORY * MEMORY).sqrt() * random.normal();
            let day_of_year = f64::from(calendar.date(day).day_of_year());
            let season = (std::f64::consts::TAU * (day_of_year - warmest) / 365.25).cos();
            (winter * season + slow + 0.3 * random.normal(), day)
        })
        .collect();
    for end in [0, length.span - 1] {
        uptime[end].0 = f64::INFINITY;
    }
    uptime.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut days: Vec<usize> = uptime[..length.observed]
        .iter()
        .map(|&(_, day)| day)
        .collect();
    days.sort_unstable();
    days
}

/// The value at the middle of the `rank`-th of `count` equal parts of a table of equally spaced quantiles.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Inside the table.
fn quantile(table: &[f64], rank: usize, count: usize) -> f64 {
    let position = (rank as f64 + 0.5) / count as f64 * (table.len() - 1) as f64;
    let below = (position as usize).min(table.len() - 2);
    table[below] + (position - below as f64) * (table[below + 1] - table[below])
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Days: positive and small.
fn whole(days: f64) -> usize {
    days.round() as usize
}

/// The numbers below `count` in random order (Fisher and Yates).
fn shuffled(count: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, random.below(last + 1));
    }
    order
}
