//! The batches of all lanes in the form in which the kernels of `update.cu` read them.

use super::LaneTask;
use crate::optimizer::{BETAS, correction};

/// Numbers of a lane's header, `HEADER` of `update.cu`.
pub(super) const HEADER: usize = 12;
/// Where in it stands that somebody trains there, and the factor of weights that are not dropped.
const IS_TRAINING: usize = 2;
const KEEP: usize = 5;
/// The batches of all lanes as the kernels read them, and their sizes.
pub(super) struct Packed {
    /// `[lanes, width]`
    pub(super) words: Vec<i32>,
    pub(super) lanes: usize,
    pub(super) windows: usize,
    pub(super) days: usize,
    /// The most rows that a lane has.
    pub(super) rows: usize,
}

/// What a lane runs: a header, the first rows of its windows, and their lengths, longest first.
pub(super) struct Batched<'t> {
    pub(super) lane: usize,
    pub(super) header: [i32; HEADER],
    pub(super) starts: &'t [i64],
    pub(super) lengths: &'t [usize],
}

impl Packed {
    /// `batches` are in the order of their lanes.
    pub(super) fn of(batches: &[Batched<'_>]) -> Self {
        let lanes = batches.last().map_or(0, |batch| batch.lane + 1);
        let most = |of: fn(&Batched<'_>) -> usize| batches.iter().map(of).max().unwrap_or(0).max(1);
        let windows = most(|batch| batch.starts.len());
        let days = most(|batch| batch.lengths.first().copied().unwrap_or(0));
        let rows = most(|batch| batch.lengths.iter().sum()).next_multiple_of(8);
        // Even, because a header begins with a number of 64 bits.
        let width = (HEADER + windows + days + 1).next_multiple_of(2);
        let mut words = vec![0; lanes * width];
        for batch in batches {
            let row = &mut words[batch.lane * width..][..width];
            let (header, rest) = row.split_at_mut(HEADER);
            header.copy_from_slice(&batch.header);
            let (starts, offsets) = rest.split_at_mut(windows);
            for (to, &start) in starts.iter_mut().zip(batch.starts) {
                *to = i32::try_from(start).expect("days of all sites");
            }
            let (mut before, mut running) = (0, batch.lengths.len());
            for (day, offset) in offsets.iter_mut().take(days + 1).enumerate() {
                *offset = before;
                while running > 0 && batch.lengths[running - 1] <= day {
                    running -= 1;
                }
                before += i32::try_from(running).expect("windows of a batch");
            }
        }
        Self {
            words,
            lanes,
            windows,
            days,
            rows,
        }
    }
}

/// `struct Lane` of `update.cu`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "halves of a number of 64 bits, and numbers that kernels take with 32"
)]
fn head(task: &LaneTask<'_>, decay: f64) -> [i32; HEADER] {
    let (step, dropout) = (task.task.step, task.dropout);
    let state = task.task.masks.state();
    let (threshold, keep) = crate::masks::rule(dropout);
    let [first, second] = BETAS.map(|beta| correction(beta, step.number));
    let float = |value: f64| (value as f32).to_bits().cast_signed();
    [
        (state as u32).cast_signed(),
        ((state >> 32) as u32).cast_signed(),
        1,
        task.task.batch.targets.cast_signed(),
        i32::from(threshold),
        keep.to_bits().cast_signed(),
        float(task.task.clip.unwrap_or(0.0)),
        float(step.rate),
        float(first),
        float(second),
        float(decay),
        0,
    ]
}

/// What the lanes with a task train on.
pub(super) fn batches<'t>(tasks: &'t [LaneTask<'_>], decay: f64) -> Vec<Batched<'t>> {
    let batched = |task: &'t LaneTask<'_>| Batched {
        lane: task.lane,
        header: head(task, decay),
        starts: task.task.starts,
        lengths: &task.task.batch.lengths,
    };
    tasks.iter().map(batched).collect()
}

/// The header of a lane that is simulated: no weight is dropped.
pub(super) fn of_simulation() -> [i32; HEADER] {
    let mut header = [0; HEADER];
    header[IS_TRAINING] = 1;
    header[KEEP] = 1.0_f32.to_bits().cast_signed();
    header
}
