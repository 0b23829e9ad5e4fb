//! Placeholder until the data side is merged.

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
/// Iterations of one epoch, by hydroDL's formula.
pub fn iterations_per_epoch(
    sites: usize,
    days: usize,
    batch: usize,
    window: usize,
    warmup: usize,
) -> Option<u32> {
    let share = (batch.min(sites) * window) as f64 / (sites * (days.checked_sub(warmup)?)) as f64;
    (share < 1.0).then(|| (0.01_f64.ln() / (1.0 - share).ln()).ceil() as u32)
}
