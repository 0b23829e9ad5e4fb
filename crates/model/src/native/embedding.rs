//! Vectors of sites, natively: as in `model::embedding`.
//!
//! The input layer's product with a day's inputs and the site's vector is the sum of two products, W·[x, e] = Wₓ·x + Wₑ·e, and
//! the second is the same on all days of a series: it is computed once and added to every row.

use super::aligned::Aligned;
use super::layout::Layout;
use super::run::{Block, PAD};
use super::site_head::{add, add_times, dot};
use crate::series::Series;

/// The vectors of the series of a run, and what they add to the input layer.
#[derive(Debug)]
pub(super) struct Embedding {
    /// Numbers in a vector, K.
    width: usize,
    padded: usize,
    /// Wₑ, `[K, H]`.
    weight: Aligned,
    /// Whose vector a series has, `[B]`; none: the mean of all.
    sites: Vec<Option<usize>>,
    /// The vectors of the series, `[B, K]`.
    vectors: Vec<f32>,
    mean: Vec<f32>,
    /// Wₑ·e of each series, `[B, H]`, and its gradient.
    added: Aligned,
    gradient: Aligned,
}

impl Embedding {
    /// None for a model without vectors.
    pub(super) fn new(layout: &Layout) -> Option<Self> {
        let (width, padded) = (layout.embedding, layout.padded);
        (width > 0).then(|| Self {
            width,
            padded,
            weight: Aligned::zeros(width * padded),
            sites: Vec::new(),
            vectors: Vec::new(),
            mean: vec![0.0; width],
            added: Aligned::default(),
            gradient: Aligned::default(),
        })
    }

    /// Takes over the weights of the vectors in the input layer, the vectors of all sites, `[S, K]`, and the series of a run.
    pub(super) fn load(&mut self, weight: &[f32], vectors: &[f32], series: &Series) {
        let (width, padded, count) = (self.width, self.padded, series.sites.len());
        self.weight.copy_from_slice(weight);
        self.mean.fill(0.0);
        let is_there = |vector: &&[f32]| vector.iter().any(|&value| value != 0.0);
        let mut known = 0.0;
        for vector in vectors.chunks_exact(width).filter(is_there) {
            add(&mut self.mean, vector);
            known += 1.0;
        }
        for value in &mut self.mean {
            *value /= f32::max(known, 1.0);
        }
        self.sites.clear();
        self.vectors.clear();
        for &site in &series.sites {
            let own = site.map(|site| &vectors[site * width..][..width]);
            let own = own.filter(is_there);
            self.sites.push(site.filter(|_| own.is_some()));
            self.vectors.extend_from_slice(own.unwrap_or(&self.mean));
        }
        for buffer in [&mut self.added, &mut self.gradient] {
            buffer.grow(count * padded);
        }
        let rows = self.added.chunks_exact_mut(padded);
        for (row, vector) in rows.zip(self.vectors.chunks_exact(width)) {
            row.fill(0.0);
            for (&value, weight) in vector.iter().zip(self.weight.chunks_exact(padded)) {
                add_times(row, weight, value);
            }
        }
    }

    /// Adds what belongs to the series to the rows of a block, of which [`PAD`] lies between two.
    pub(super) fn add(&self, block: &Block, counts: &[usize], rows: &mut [f32]) {
        let padded = self.padded;
        let places = block.days.clone().flat_map(|day| 0..counts[day]);
        for (row, series) in rows.chunks_mut(padded + PAD).zip(places) {
            add(&mut row[..padded], &self.added[series * padded..][..padded]);
        }
    }

    /// Prepares the gradient of a run.
    pub(super) fn begin_backward(&mut self) {
        self.gradient.fill(0.0);
    }

    /// Takes notice of the gradient of a block's rows, with [`PAD`] between two.
    pub(super) fn backward(&mut self, block: &Block, counts: &[usize], rows: &[f32]) {
        let padded = self.padded;
        let places = block.days.clone().flat_map(|day| 0..counts[day]);
        for (row, series) in rows.chunks(padded + PAD).zip(places) {
            add(&mut self.gradient[series * padded..][..padded], row);
        }
    }

    /// Completes the gradient of the weights of the vectors in the input layer and of the vectors of all sites.
    pub(super) fn end_backward(&self, d_weight: &mut [f32], d_vectors: &mut [f32]) {
        let (width, padded) = (self.width, self.padded);
        let series = self.sites.iter().zip(self.vectors.chunks_exact(width));
        for ((site, vector), slopes) in series.zip(self.gradient.chunks_exact(padded)) {
            for (&value, row) in vector.iter().zip(d_weight.chunks_exact_mut(padded)) {
                add_times(row, slopes, value);
            }
            if let Some(site) = site {
                let own = d_vectors[site * width..][..width].iter_mut();
                for (slope, weight) in own.zip(self.weight.chunks_exact(padded)) {
                    *slope += dot(slopes, weight);
                }
            }
        }
    }
}
