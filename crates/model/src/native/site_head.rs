//! A head with weights of each site, natively: as in `model::network`.
//!
//! The cell computes a product of its output with one weight for each series: the common one plus the site's, times the
//! mask of the series. What does not depend on the output is added here.

use std::ops::Range;

use super::aligned::Aligned;
use super::layout::Layout;
use super::run::{Block, PAD};
use crate::layout::Head;
use crate::series::Series;

/// The weights of a head with some of each site, and what belongs to each series of a run.
#[derive(Debug)]
pub(super) struct SiteHead {
    inputs: usize,
    hidden: usize,
    padded: usize,
    parts: Parts,
    /// The head's weights, as the layout has them.
    weights: Aligned,
    series: Series,
    /// Masks of the series, `[B, H]` padded, if there are any.
    activated: Aligned,
    output: Aligned,
    /// Gradient of the weight of each series, `[B, H]`.
    gradient: Aligned,
}

/// Where the head's weights lie among its own.
#[derive(Clone, Debug)]
struct Parts {
    state: Range<usize>,
    bias: usize,
    /// Common weights of the inputs.
    skip: Option<Range<usize>>,
    /// `[S, H]`
    site_state: Range<usize>,
    /// `[S]`
    site_bias: Range<usize>,
    /// `[S, nx]`
    site_input: Option<Range<usize>>,
}

impl SiteHead {
    /// None for a head that is the same at all sites.
    pub(super) fn new(layout: &Layout) -> Option<Self> {
        let Head::Site { skip } = layout.head else {
            return None;
        };
        let sites = layout.sites;
        let (inputs, padded) = (layout.inputs, layout.padded);
        let mut next = 0;
        let mut range = |length: usize| {
            next += length;
            next - length..next
        };
        let parts = Parts {
            state: range(padded),
            bias: range(1).start,
            skip: skip.then(|| range(inputs)),
            site_state: range(sites * padded),
            site_bias: range(sites),
            site_input: skip.then(|| range(sites * inputs)),
        };
        Some(Self {
            inputs,
            hidden: layout.hidden,
            padded,
            parts,
            weights: Aligned::zeros(next),
            series: Series::default(),
            activated: Aligned::default(),
            output: Aligned::default(),
            gradient: Aligned::default(),
        })
    }

    /// Takes over the head's weights and the series of a run, and fills in the weight of each.
    pub(super) fn load(&mut self, weights: &[f32], series: &Series, of_series: &mut Aligned) {
        let (padded, hidden, count) = (self.padded, self.hidden, series.sites.len());
        self.weights.copy_from_slice(weights);
        self.series.sites.clone_from(&series.sites);
        self.series.masks.clone_from(&series.masks);
        for buffer in [&mut *of_series, &mut self.gradient] {
            buffer.grow(count * padded);
        }
        if let Some(masks) = &series.masks {
            for (padded_masks, masks) in [
                (&mut self.activated, &masks.activated),
                (&mut self.output, &masks.output),
            ] {
                padded_masks.grow(count * padded);
                let rows = padded_masks.chunks_exact_mut(padded);
                for (row, mask) in rows.zip(masks.chunks_exact(hidden)) {
                    row[..hidden].copy_from_slice(mask);
                }
            }
        }
        let common = &self.weights[self.parts.state.clone()];
        let own = &self.weights[self.parts.site_state.clone()];
        for (series, &site) in series.sites.iter().enumerate() {
            let weight = &mut of_series[series * padded..][..padded];
            weight.copy_from_slice(common);
            if let Some(site) = site {
                add(weight, &own[site * padded..][..padded]);
            }
            if self.series.masks.is_some() {
                multiply(weight, &self.output[series * padded..][..padded]);
            }
        }
    }

    /// Multiplies the rows of a block, of which [`PAD`] lies between two, by the masks of the input layer's output.
    pub(super) fn mask(&self, block: &Block, counts: &[usize], rows: &mut [f32]) {
        if self.series.masks.is_none() {
            return;
        }
        let places = block.days.clone().flat_map(|day| 0..counts[day]);
        for (row, series) in rows.chunks_mut(self.padded + PAD).zip(places) {
            let mask = &self.activated[series * self.padded..][..self.padded];
            multiply(&mut row[..self.padded], mask);
        }
    }

    /// Adds what does not depend on the cell's output to the predictions of a block's rows.
    ///
    /// * `inputs`: of the block's rows, `[rows, nx]`.
    pub(super) fn add(
        &self,
        block: &Block,
        counts: &[usize],
        inputs: &[f32],
        predicted: &mut [f32],
    ) {
        let (width, weights) = (self.inputs, &self.weights);
        let places = block.days.clone().flat_map(|day| 0..counts[day]);
        let rows = predicted.iter_mut().zip(inputs.chunks_exact(width));
        for ((predicted, x), series) in rows.zip(places) {
            let site = self.series.sites[series];
            let mut sum = weights[self.parts.bias];
            if let Some(site) = site {
                sum += weights[self.parts.site_bias.start + site];
            }
            if let (Some(skip), Some(own)) = (&self.parts.skip, &self.parts.site_input) {
                sum += dot(x, &weights[skip.clone()]);
                if let Some(site) = site {
                    sum += dot(x, &weights[own.start + site * width..][..width]);
                }
            }
            *predicted += sum;
        }
    }

    /// The gradient of the weight of each series, set to zero.
    pub(super) fn begin_backward(&mut self) -> Aligned {
        let mut gradient = std::mem::take(&mut self.gradient);
        gradient.fill(0.0);
        gradient
    }

    /// The gradient of the head's weights: from that of the weight of each series, and from the slopes of the loss by the
    /// predictions, `[rows]`, with their inputs, `[rows, nx]`.
    pub(super) fn end_backward(
        &mut self,
        of_series: Aligned,
        counts: &[usize],
        slopes: &[f32],
        inputs: &[f32],
        gradient: &mut [f32],
    ) {
        let (width, padded) = (self.inputs, self.padded);
        self.gradient = of_series;
        for (series, &site) in self.series.sites.iter().enumerate() {
            let weight = &mut self.gradient[series * padded..][..padded];
            if self.series.masks.is_some() {
                multiply(weight, &self.output[series * padded..][..padded]);
            }
            add(&mut gradient[self.parts.state.clone()], weight);
            if let Some(site) = site {
                let first = self.parts.site_state.start + site * padded;
                add(&mut gradient[first..][..padded], weight);
            }
        }
        let days = counts[..counts.len() - 1].iter();
        let places = days.flat_map(|&count| 0..count);
        for ((&slope, x), series) in slopes.iter().zip(inputs.chunks_exact(width)).zip(places) {
            if slope == 0.0 {
                continue;
            }
            let site = self.series.sites[series];
            gradient[self.parts.bias] += slope;
            if let Some(site) = site {
                gradient[self.parts.site_bias.start + site] += slope;
            }
            if let (Some(skip), Some(own)) = (&self.parts.skip, &self.parts.site_input) {
                add_times(&mut gradient[skip.clone()], x, slope);
                if let Some(site) = site {
                    let first = own.start + site * width;
                    add_times(&mut gradient[first..][..width], x, slope);
                }
            }
        }
    }
}

pub(super) fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

pub(super) fn add_times(sums: &mut [f32], values: &[f32], factor: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

fn multiply(values: &mut [f32], factors: &[f32]) {
    for (value, factor) in values.iter_mut().zip(factors) {
        *value *= factor;
    }
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
