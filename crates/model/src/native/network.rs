//! The model's equations and their gradient, over many series of unequal length: input layer → cells → head.

use super::aligned::Aligned;
use super::cell::{Days, Gradient, Head, NativeCell};
use super::cells;
use super::embedding::Embedding;
use super::kernels::{Panels, Product, Rows};
use super::layout::Layout;
use super::level::Level;
use super::run::{Begin, Block, PAD, Run};
use super::site_head::SiteHead;
use crate::cell::Cell;
use crate::layout;
use crate::series::Series;

/// A model ready to be run.
#[derive(Debug)]
pub(super) struct Network {
    level: Level,
    inputs: usize,
    /// Hidden units, without padding and with it.
    hidden: usize,
    padded: usize,
    input: InputLayer,
    embedding: Option<Embedding>,
    /// From the lowest to the highest.
    cells: Vec<Box<dyn NativeCell>>,
    head: Head,
    site_head: Option<SiteHead>,
    /// What the other cells have for a head, and for its gradient: nobody reads what they predict.
    no_head: Head,
    no_gradient: Aligned,
}

/// Factors of what dropout may drop.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factors<'a> {
    /// Of weights, without padding, if any may be dropped.
    pub weights: Option<&'a [f32]>,
    /// Of what each layer but the last hands to the next, `[layers - 1, T, B, H]` without padding, if any may be dropped.
    pub between: Option<&'a [f32]>,
}

/// A linear layer that cuts off what is below 0.
#[derive(Debug)]
struct InputLayer {
    /// `[nx, H]`
    weight: Aligned,
    /// `[H]`
    bias: Aligned,
}

impl Network {
    /// For models with this cell; none where it is not computed natively.
    pub(super) fn new(cell: Cell, level: Level, layout: &Layout) -> Option<Self> {
        let (inputs, padded) = (layout.inputs, layout.padded);
        Some(Self {
            level,
            inputs,
            hidden: layout.hidden,
            padded,
            input: InputLayer {
                weight: Aligned::zeros(inputs * padded),
                bias: Aligned::zeros(padded + PAD),
            },
            embedding: Embedding::new(layout),
            cells: {
                let new = cells::definition(cell)?.new;
                (0..layout.layers).map(|_| new(level, layout)).collect()
            },
            head: Head {
                by_series: layout.head != layout::Head::Shared,
                ..Head::none(padded)
            },
            site_head: SiteHead::new(layout),
            no_head: Head::none(padded),
            no_gradient: Aligned::zeros(padded),
        })
    }

    /// Takes over these weights, those that dropout may drop times their factors in `masks`, if there are any, and the
    /// series of the run.
    pub(super) fn load(
        &mut self,
        layout: &Layout,
        weights: &[f32],
        masks: Option<&[f32]>,
        series: &Series,
    ) {
        let [input, cells, head, vectors] = layout.split(weights);
        let (weight, rest) = input.split_at(self.inputs * self.padded);
        let (weight_of_vectors, bias) = rest.split_at(layout.embedding * self.padded);
        self.input.weight.copy_from_slice(weight);
        self.input.bias[..self.padded].copy_from_slice(bias);
        if let Some(embedding) = &mut self.embedding {
            embedding.load(weight_of_vectors, vectors, series);
        }
        let each = cells.len() / layout.layers;
        let of_cells = self.cells.iter_mut().zip(cells.chunks_exact(each));
        for (layer, (cell, weights)) in of_cells.enumerate() {
            let masks = masks.map(|masks| {
                let each = masks.len() / layout.layers;
                &masks[layer * each..][..each]
            });
            cell.load(weights, masks);
        }
        if let Some(site_head) = &mut self.site_head {
            site_head.load(head, series, &mut self.head.weight);
        } else {
            let (weight, bias) = head.split_at(self.padded);
            self.head.weight.copy_from_slice(weight);
            self.head.bias = bias[0];
        }
    }

    /// Makes room for a run.
    pub(super) fn grow(&mut self, run: &Run) {
        for cell in &mut self.cells {
            cell.grow(run.rows(), run.series());
        }
    }

    /// Makes the states after this run those that the next one begins with.
    pub(super) fn carry(&mut self, run: &Run) {
        let series = run.counts.last().copied().unwrap_or(0);
        for cell in &mut self.cells {
            cell.carry(run.rows(), series);
        }
    }

    /// Runs the series from the inputs in `run`; their predictions are in `run` afterwards.
    ///
    /// * `between`: as in [`Factors`].
    pub(super) fn forward(&mut self, run: &mut Run, begin: Begin, between: Option<&[f32]>) {
        let (level, inputs, padded) = (self.level, self.inputs, self.padded);
        let stride = padded + PAD;
        let places = Places::of(run, self.hidden);
        let highest = self.cells.len() - 1;
        for block in &run.blocks {
            let x = Rows::of(&run.inputs[block.first * inputs..], inputs);
            let weight = Panels::of(&self.input.weight, padded, padded, level.width());
            let product = Product::of(x, block.rows, inputs, weight, stride);
            let rows = block.first * stride..(block.first + block.rows) * stride;
            let activated = &mut run.activated[rows];
            level.multiply(product, activated);
            if let Some(embedding) = &self.embedding {
                embedding.add(block, &run.counts, activated);
            }
            level.rectify(activated, &self.input.bias);
            if let Some(site_head) = &self.site_head {
                site_head.mask(block, &run.counts, activated);
            }
            for (layer, cell) in self.cells.iter_mut().enumerate() {
                let (below, above) = run.between.split_at_mut(layer);
                let days = Days {
                    block,
                    counts: &run.counts,
                    inputs: below.last().unwrap_or(&run.activated),
                    head: if layer == highest {
                        &self.head
                    } else {
                        &self.no_head
                    },
                };
                cell.forward(&days, begin, &mut run.predicted);
                let Some(output) = above.first_mut() else {
                    continue;
                };
                let output = &mut output[block.first * stride..][..block.rows * stride];
                cell.output(block, output);
                if let Some(factors) = between {
                    let rows = output.chunks_exact_mut(stride);
                    places.multiply(&run.counts, block, layer, factors, rows);
                }
            }
            if let Some(site_head) = &self.site_head {
                let predicted = &mut run.predicted[block.first..block.first + block.rows];
                let inputs = &run.inputs[block.first * inputs..];
                site_head.add(block, &run.counts, inputs, predicted);
            }
        }
    }

    /// The gradient of a loss with these slopes by the predictions, `[rows]`, after a forward run that began fresh; that of
    /// a weight that was dropped still lacks its factor.
    ///
    /// * `between`: as of the forward run.
    pub(super) fn backward(
        &mut self,
        layout: &Layout,
        run: &mut Run,
        slopes: &[f32],
        gradient: &mut [f32],
        between: Option<&[f32]>,
    ) {
        let (level, inputs, padded) = (self.level, self.inputs, self.padded);
        let stride = padded + PAD;
        gradient.fill(0.0);
        let [input, cells, head, vectors] = layout.split_mut(gradient);
        let each = cells.len() / layout.layers;
        let places = Places::of(run, self.hidden);
        let highest = self.cells.len() - 1;
        let (d_weight, rest) = input.split_at_mut(inputs * padded);
        let (d_weight_of_vectors, d_bias) = rest.split_at_mut(layout.embedding * padded);
        let mut d_of_series = self.site_head.as_mut().map(SiteHead::begin_backward);
        if let Some(embedding) = &mut self.embedding {
            embedding.begin_backward();
        }
        run.d_bias.fill(0.0);
        for cell in &mut self.cells {
            cell.begin_backward();
        }
        for block in run.blocks.iter().rev() {
            for (layer, cell) in self.cells.iter_mut().enumerate().rev() {
                let is_highest = layer == highest;
                let days = Days {
                    block,
                    counts: &run.counts,
                    inputs: run.between[..layer].last().unwrap_or(&run.activated),
                    head: if is_highest {
                        &self.head
                    } else {
                        &self.no_head
                    },
                };
                if !is_highest {
                    std::mem::swap(&mut run.d_inputs, &mut run.d_above);
                    if let Some(factors) = between {
                        let rows = run.d_above.chunks_exact_mut(stride);
                        places.multiply(&run.counts, block, layer, factors, rows);
                    }
                }
                let gradient = Gradient {
                    cell: &mut cells[layer * each..][..each],
                    head: if is_highest {
                        d_of_series.as_deref_mut().unwrap_or(head)
                    } else {
                        &mut self.no_gradient
                    },
                    inputs: &mut run.d_inputs[..block.rows * stride],
                    above: (!is_highest).then_some(&run.d_above),
                };
                cell.backward(&days, slopes, gradient);
            }
            let d_activated = &mut run.d_inputs[..block.rows * stride];
            if let Some(site_head) = &self.site_head {
                site_head.mask(block, &run.counts, d_activated);
            }
            let activated = &run.activated[block.first * stride..];
            level.rectify_backward(d_activated, activated, &mut run.d_bias);
            if let Some(embedding) = &mut self.embedding {
                embedding.backward(block, &run.counts, d_activated);
            }
            // The gradient of weights: the sum over rows of the input times the gradient of the output.
            let x = Rows::transposed(&run.inputs[block.first * inputs..], inputs);
            let d_activated = Panels::of(d_activated, stride, padded, level.width());
            let product = Product::of(x, inputs, block.rows, d_activated, padded);
            level.multiply(product.added(), d_weight);
        }
        for (cell, gradient) in self.cells.iter().zip(cells.chunks_exact_mut(each)) {
            cell.end_backward(gradient);
        }
        d_bias.copy_from_slice(&run.d_bias[..padded]);
        if let Some(embedding) = &self.embedding {
            embedding.end_backward(d_weight_of_vectors, vectors);
        }
        match (&mut self.site_head, d_of_series) {
            (Some(site_head), Some(of_series)) => {
                let inputs = &run.inputs[..];
                site_head.end_backward(of_series, &run.counts, slopes, inputs, head);
            }
            _ => head[padded] = slopes.iter().sum(),
        }
        layout.fix(gradient);
    }
}

/// Where the factors of a run's rows lie.
struct Places {
    days: usize,
    series: usize,
    hidden: usize,
}

impl Places {
    fn of(run: &Run, hidden: usize) -> Self {
        Self {
            days: run.counts.len() - 1,
            series: run.series(),
            hidden,
        }
    }

    /// Multiplies what a layer hands to the next on the days of a block by its factors; rows with padding.
    fn multiply<'a>(
        &self,
        counts: &[usize],
        block: &Block,
        layer: usize,
        factors: &[f32],
        rows: impl Iterator<Item = &'a mut [f32]>,
    ) {
        let days = block.days.clone();
        let places = days.flat_map(|day| (0..counts[day]).map(move |series| (day, series)));
        for (row, (day, series)) in rows.zip(places) {
            let first = ((layer * self.days + day) * self.series + series) * self.hidden;
            for (value, factor) in row.iter_mut().zip(&factors[first..][..self.hidden]) {
                *value *= factor;
            }
        }
    }
}
