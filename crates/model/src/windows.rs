//! Which days an iteration sees.
//!
//! Each iteration draws one window a site, its first day uniform in `[warm-up, days − window)`: the end is exclusive, as
//! in hydroDL, so the last day of the calendar is in no window. Windows are drawn blind to whether they hold a target,
//! unless the job wants observed ones. One that holds none adds nothing to loss or gradient, and neither do the days
//! after a window's last target: both are left out here, which changes no gradient. Days before the first target stay,
//! because they make the state that the first prediction comes from.

use std::cmp::Reverse;
use std::ops::Range;

use efflux_data::Tensors;
use efflux_job::Sampling;
use efflux_numerics::random::{Purpose, Stream};

use super::optimizer::Step;

/// Draws windows. What it needs to know of targets is summed up once, so a window costs two look-ups.
#[derive(Clone, Debug)]
pub struct Sampler {
    days: usize,
    window: usize,
    warm_up: usize,
    /// Targets of a site before a day, `[S, D + 1]`.
    before: Vec<u32>,
    /// The day after a site's last target before a day, 0 if there is none, `[S, D + 1]`.
    end: Vec<u32>,
    choice: Choice,
}

/// From what the first day of a window is drawn.
#[derive(Clone, Debug)]
enum Choice {
    /// The same range at each of this many sites.
    Uniform { sites: usize },
    /// The first days of the site's windows that hold a target; a site may have none.
    Observed { starts: Vec<Vec<u32>> },
    /// So many windows of any sites: first the site, by these cumulated shares, then one of its first days.
    Root {
        windows: usize,
        shares: Vec<f64>,
        starts: Vec<Vec<u32>>,
    },
}

/// The windows of one epoch that hold a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// First day of each window, warm-up included, as a row of the device data: site · days + day.
    pub starts: Vec<i64>,
    /// One entry an iteration.
    pub batches: Vec<Batch>,
}

/// The windows of one iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its part of [`Epoch::starts`]; empty if no window drawn holds a target.
    pub rows: Range<usize>,
    /// Days to compute of each window, from the warm-up to its last target: longest first.
    pub lengths: Vec<usize>,
    /// Targets in its windows.
    pub targets: u32,
}

/// One iteration of a trial: its windows, its dropped weights and its step.
#[derive(Clone, Debug)]
pub(super) struct Task<'a> {
    /// First rows of the batch's windows.
    pub(super) starts: &'a [i64],
    pub(super) batch: &'a Batch,
    /// The stream that the dropped weights are drawn from.
    pub(super) masks: Stream,
    pub(super) step: Step,
    /// A longer gradient is scaled down to this length.
    pub(super) clip: Option<f64>,
}

impl Sampler {
    /// A sampler of windows of this many days, each after its days of warm-up: together they must be fewer than the
    /// calendar has.
    ///
    /// * `windows`: of a batch, if that is not one a site.
    pub fn new(
        tensors: &Tensors,
        window: usize,
        warm_up: usize,
        sampling: Sampling,
        windows: Option<u32>,
    ) -> Self {
        let (sites, days) = (tensors.sites, tensors.days);
        let mut before = Vec::with_capacity(sites * (days + 1));
        let mut end = Vec::with_capacity(sites * (days + 1));
        for record in tensors.target.rows() {
            let (mut count, mut last) = (0, 0);
            before.push(count);
            end.push(last);
            for (day, value) in (1..).zip(record) {
                if !value.is_nan() {
                    count += 1;
                    last = day;
                }
                before.push(count);
                end.push(last);
            }
        }
        let mut sampler = Self {
            days,
            window,
            warm_up,
            before,
            end,
            choice: Choice::Uniform { sites },
        };
        if sampling != Sampling::Uniform {
            let of_site = |site| {
                sampler
                    .possible()
                    .filter(|&start| sampler.targets(site, start as usize) > 0)
                    .collect()
            };
            let starts: Vec<Vec<u32>> = (0..sites).map(of_site).collect();
            sampler.choice = if sampling == Sampling::Observed {
                Choice::Observed { starts }
            } else {
                Choice::Root {
                    windows: windows.map_or(sites, |windows| windows as usize),
                    shares: sampler.roots(&starts),
                    starts,
                }
            };
        }
        sampler
    }

    /// Cumulated square roots of the sites' numbers of targets; a site without a window that holds one has no share.
    fn roots(&self, starts: &[Vec<u32>]) -> Vec<f64> {
        let mut sum = 0.0;
        let roots = starts.iter().enumerate().map(|(site, starts)| {
            let targets = if starts.is_empty() {
                0
            } else {
                self.before[self.at(site, self.days)]
            };
            sum += f64::from(targets).sqrt();
            sum
        });
        roots.collect()
    }

    /// Windows of a batch, with and without a target.
    pub(super) fn windows(&self) -> usize {
        match &self.choice {
            Choice::Uniform { sites } => *sites,
            Choice::Observed { starts } => starts.len(),
            Choice::Root { windows, .. } => *windows,
        }
    }

    /// The windows of an epoch: a function of seed and epoch.
    pub fn epoch(&self, seed: u64, epoch: u32, iterations: u32) -> Epoch {
        let mut starts = Vec::new();
        let batches = (0..iterations)
            .map(|iteration| {
                let mut stream = Stream::new(seed, Purpose::Starts, epoch, iteration);
                self.batch(&mut stream, &mut starts)
            })
            .collect();
        Epoch { starts, batches }
    }

    fn batch(&self, stream: &mut Stream, rows: &mut Vec<i64>) -> Batch {
        let mut drawn: Vec<(usize, i64)> = Vec::new();
        let mut targets = 0;
        let mut add = |site: usize, start: u32| {
            let start = start as usize;
            let held = self.targets(site, start);
            if held > 0 {
                let first = start - self.warm_up;
                let end = self.end[self.at(site, start + self.window)] as usize;
                drawn.push((end - first, (site * self.days + first) as i64));
                targets += held;
            }
        };
        match &self.choice {
            Choice::Uniform { sites } => {
                let Range { start, end } = self.possible();
                for site in 0..*sites {
                    add(site, start + stream.below(end - start));
                }
            }
            Choice::Observed { starts } => {
                for (site, starts) in starts.iter().enumerate() {
                    if let Ok(count @ 1..) = u32::try_from(starts.len()) {
                        add(site, starts[stream.below(count) as usize]);
                    }
                }
            }
            Choice::Root {
                windows,
                shares,
                starts,
            } => {
                let all = shares.last().copied().unwrap_or(0.0);
                for _ in 0..if all > 0.0 { *windows } else { 0 } {
                    let place = stream.unit() * all;
                    let site = shares.partition_point(|&share| share <= place);
                    let of_site = &starts[site];
                    add(site, of_site[stream.index(of_site.len())]);
                }
            }
        }
        // Stable: windows of one length stay in the order of sites.
        drawn.sort_by_key(|(days, _)| Reverse(*days));
        let first_row = rows.len();
        rows.extend(drawn.iter().map(|(_, first)| first));
        Batch {
            rows: first_row..rows.len(),
            lengths: drawn.into_iter().map(|(days, _)| days).collect(),
            targets,
        }
    }

    /// Days a window may start on.
    fn possible(&self) -> Range<u32> {
        let day = |day: usize| u32::try_from(day).expect("a calendar of days");
        day(self.warm_up)..day(self.days - self.window)
    }

    fn targets(&self, site: usize, start: usize) -> u32 {
        self.before[self.at(site, start + self.window)] - self.before[self.at(site, start)]
    }

    fn at(&self, site: usize, day: usize) -> usize {
        site * (self.days + 1) + day
    }
}

/// Some days of a batch that are run in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Windows that are still running: the first of the batch.
    pub(super) rows: usize,
    /// Days since the windows' first.
    pub(super) days: Range<usize>,
}

/// Cuts a batch into pieces one after the other, so that windows that have ended are not run on; a piece costs
/// as much as its days and `cost` more days of a window, and the sum of the costs is the least there is.
///
/// * `lengths`: those of a [`Batch`] that holds a window.
pub(super) fn pieces(lengths: &[usize], cost: usize) -> Vec<Piece> {
    // The first `rows` windows run on after those behind them have ended: `least[rows]` is what the rest costs then, and
    // how many windows run on after its first piece.
    let mut least = vec![(0, 0); lengths.len() + 1];
    for rows in 1..=lengths.len() {
        let from = lengths.get(rows).copied().unwrap_or(0);
        let best = (0..rows)
            // A window can be the first to end only if the one before it goes on.
            .filter(|&next| next == 0 || lengths[next - 1] > lengths[next])
            .map(|next| (cost + rows * (lengths[next] - from) + least[next].0, next))
            .min();
        least[rows] = best.unwrap_or_default();
    }
    let mut cut = Vec::new();
    let (mut rows, mut from) = (lengths.len(), 0);
    while rows > 0 {
        let next = least[rows].1;
        let days = from..lengths[next];
        from = days.end;
        cut.push(Piece { rows, days });
        rows = next;
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(pieces: &[Piece], of_each: usize) -> usize {
        pieces
            .iter()
            .map(|piece| of_each + piece.rows * piece.days.len())
            .sum()
    }

    /// Every way to cut: a piece may end or go on wherever a window ends.
    fn cheapest(lengths: &[usize], of_each: usize) -> usize {
        let mut ends: Vec<usize> = lengths.to_vec();
        ends.sort_unstable();
        ends.dedup();
        let inner = ends.len() - 1;
        let ways = (0..1_u32 << inner).map(|way| {
            let (mut from, mut total) = (0, 0);
            for (index, &end) in ends.iter().enumerate() {
                if index == inner || way >> index & 1 == 1 {
                    let rows = lengths.iter().filter(|&&length| length > from).count();
                    total += of_each + rows * (end - from);
                    from = end;
                }
            }
            total
        });
        ways.min().unwrap()
    }

    proptest! {
        #[test]
        fn pieces_run_every_window_to_its_end_and_cost_the_least(
            mut lengths in prop::collection::vec(1_usize..60, 1..8),
            of_each in 0_usize..50,
        ) {
            lengths.sort_by_key(|&length| Reverse(length));
            let pieces = pieces(&lengths, of_each);
            let mut day = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.days.start, day);
                day = piece.days.end;
                let running = lengths.iter().filter(|&&length| length > piece.days.start);
                prop_assert_eq!(piece.rows, running.count());
            }
            prop_assert_eq!(day, lengths[0]);
            prop_assert_eq!(cost(&pieces, of_each), cheapest(&lengths, of_each));
        }
    }

    #[test]
    fn where_a_piece_is_dear_a_batch_is_one() {
        let whole = Piece {
            rows: 3,
            days: 0..30,
        };
        assert_eq!(pieces(&[30, 20, 1], 1 << 40), [whole]);
    }
}
