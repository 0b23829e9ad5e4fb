//! Which days an iteration sees.
//!
//! Each iteration draws one window a site, its first day uniform in `[0, days − window)`: the end is exclusive, as in
//! hydroDL, so the last day of the calendar is in no window. Windows are drawn blind to whether they hold a target.
//! One that holds none adds nothing to loss or gradient, and neither do the days after the last target of one that
//! does: both are left out here, which changes no gradient. Days before the first target stay, because they make the
//! state that the first prediction comes from.

use std::ops::Range;

use super::random::{Purpose, Stream};
use crate::data::Tensors;

/// Draws windows. What it needs to know of targets is summed up once, so a window costs two look-ups.
#[derive(Clone, Debug)]
pub struct Sampler {
    sites: usize,
    days: usize,
    window: usize,
    /// Targets of a site before a day, `[S, D + 1]`.
    before: Vec<u32>,
    /// The day after a site's last target before a day, 0 if there is none, `[S, D + 1]`.
    end: Vec<u32>,
}

/// The windows of one epoch that hold a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// First day of each window as a row of the resident data: site · days + day.
    pub starts: Vec<i64>,
    /// One entry an iteration.
    pub batches: Vec<Batch>,
}

/// The windows of one iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its part of [`Epoch::starts`], in the order of sites; empty if no window drawn holds a target.
    pub rows: Range<usize>,
    /// Days to compute: up to the last target of all its windows.
    pub days: usize,
    /// Targets in its windows.
    pub targets: u32,
}

impl Sampler {
    /// A sampler of windows of this many days, which must be fewer than the calendar has.
    pub fn new(tensors: &Tensors, window: usize) -> Self {
        let Tensors { sites, days, .. } = *tensors;
        let mut before = Vec::with_capacity(sites * (days + 1));
        let mut end = Vec::with_capacity(sites * (days + 1));
        for record in tensors.target.chunks_exact(days) {
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
        Self {
            sites,
            days,
            window,
            before,
            end,
        }
    }

    /// The windows of an epoch: a function of seed and epoch.
    pub fn epoch(&self, seed: u64, epoch: u32, iterations: u32) -> Epoch {
        let mut starts = Vec::new();
        let batches = (0..iterations)
            .map(|iteration| self.batch(seed, epoch, iteration, &mut starts))
            .collect();
        Epoch { starts, batches }
    }

    fn batch(&self, seed: u64, epoch: u32, iteration: u32, starts: &mut Vec<i64>) -> Batch {
        let mut stream = Stream::new(seed, Purpose::Starts, epoch, iteration);
        let possible = u32::try_from(self.days - self.window).expect("a calendar of days");
        let first_row = starts.len();
        let (mut days, mut targets) = (0, 0);
        for site in 0..self.sites {
            let start = stream.below(possible) as usize;
            let (first, last) = (self.at(site, start), self.at(site, start + self.window));
            let held = self.before[last] - self.before[first];
            if held > 0 {
                starts.push((site * self.days + start) as i64);
                days = days.max(self.end[last] as usize - start);
                targets += held;
            }
        }
        Batch {
            rows: first_row..starts.len(),
            days,
            targets,
        }
    }

    fn at(&self, site: usize, day: usize) -> usize {
        site * (self.days + 1) + day
    }
}
