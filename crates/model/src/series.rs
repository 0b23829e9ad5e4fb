//! What belongs to each series of a run besides its days, for models with weights of each site.

use efflux_numerics::random::Stream;

use super::masks;

/// The series of a run, on the host. Models with one head for all sites take no notice of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Whose weights a series has, `[B]`; none: those that all sites have in common, alone.
    pub sites: Vec<Option<usize>>,
    /// State dropout, in training.
    pub masks: Option<StateMasks>,
}

impl Series {
    /// The series that begin at these rows of a view, `site · D + day`, without dropout.
    ///
    /// * `heads`: which weights each site has, `[S]`; `days`: D.
    pub(super) fn of_rows(heads: &[Option<usize>], days: usize, starts: &[i64]) -> Self {
        let mut series = Self::default();
        series.set_rows(heads, days, starts);
        series
    }

    /// The same in place of others, in their memory.
    pub(super) fn set_rows(&mut self, heads: &[Option<usize>], days: usize, starts: &[i64]) {
        let site = |&start: &i64| {
            let row = usize::try_from(start).expect("rows are counted from 0");
            heads.get(row / days).copied().flatten()
        };
        self.sites.clear();
        self.sites.extend(starts.iter().map(site));
    }
}

/// Factors of the input layer's and of the cell's output of each series, `[B, H]`: 0 or 1/(1−p), the same on all its days.
#[derive(Clone, Debug, PartialEq)]
pub struct StateMasks {
    /// Of the input layer's output.
    pub activated: Vec<f32>,
    /// Of the cell's, as the head reads it; the state that is carried on is without.
    pub output: Vec<f32>,
}

impl StateMasks {
    /// Draws them for so many series; `dropout` is the share p of dropped units, in (0, 1).
    pub(super) fn draw(stream: &mut Stream, dropout: f64, series: usize, hidden: i64) -> Self {
        let hidden = usize::try_from(hidden).expect("sizes are positive");
        let mut factors = || {
            let mut factors = vec![0.0; series * hidden];
            masks::fill(stream, dropout, &mut factors);
            factors
        };
        Self {
            activated: factors(),
            output: factors(),
        }
    }
}
