//! The model's equations and their gradient, over many series of unequal length: input layer → cell → head.

use super::aligned::Aligned;
use super::cell::{Days, Gradient, Head, NativeCell};
use super::cells;
use super::kernels::{Panels, Product, Rows};
use super::layout::Layout;
use super::level::Level;
use super::run::{Begin, PAD, Run};
use super::site_head::SiteHead;
use crate::cell::Cell;
use crate::layout;
use crate::series::Series;

/// A model ready to be run.
#[derive(Debug)]
pub(super) struct Network {
    level: Level,
    inputs: usize,
    padded: usize,
    input: InputLayer,
    cell: Box<dyn NativeCell>,
    head: Head,
    site_head: Option<SiteHead>,
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
            padded,
            input: InputLayer {
                weight: Aligned::zeros(inputs * padded),
                bias: Aligned::zeros(padded + PAD),
            },
            cell: (cells::definition(cell)?.new)(level, layout),
            head: Head {
                weight: Aligned::zeros(padded),
                bias: 0.0,
                width: padded,
                by_series: layout.head != layout::Head::Shared,
            },
            site_head: SiteHead::new(layout),
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
        let [input, cell, head] = layout.split(weights);
        let (weight, bias) = input.split_at(self.inputs * self.padded);
        self.input.weight.copy_from_slice(weight);
        self.input.bias[..self.padded].copy_from_slice(bias);
        self.cell.load(cell, masks);
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
        self.cell.grow(run.rows(), run.series());
    }

    /// Makes the states after this run those that the next one begins with.
    pub(super) fn carry(&mut self, run: &Run) {
        let series = run.counts.last().copied().unwrap_or(0);
        self.cell.carry(run.rows(), series);
    }

    /// Runs the series from the inputs in `run`; their predictions are in `run` afterwards.
    pub(super) fn forward(&mut self, run: &mut Run, begin: Begin) {
        let (level, inputs, padded) = (self.level, self.inputs, self.padded);
        let stride = padded + PAD;
        for block in &run.blocks {
            let x = Rows::of(&run.inputs[block.first * inputs..], inputs);
            let weight = Panels::of(&self.input.weight, padded, padded, level.width());
            let product = Product::of(x, block.rows, inputs, weight, stride);
            let rows = block.first * stride..(block.first + block.rows) * stride;
            let activated = &mut run.activated[rows];
            level.multiply(product, activated);
            level.rectify(activated, &self.input.bias);
            if let Some(site_head) = &self.site_head {
                site_head.mask(block, &run.counts, activated);
            }
            let days = Days {
                block,
                counts: &run.counts,
                activated: &run.activated,
                head: &self.head,
            };
            self.cell.forward(&days, begin, &mut run.predicted);
            if let Some(site_head) = &self.site_head {
                let predicted = &mut run.predicted[block.first..block.first + block.rows];
                let inputs = &run.inputs[block.first * inputs..];
                site_head.add(block, &run.counts, inputs, predicted);
            }
        }
    }

    /// The gradient of a loss with these slopes by the predictions, `[rows]`, after a forward run that began fresh; that of
    /// a weight that was dropped still lacks its factor.
    pub(super) fn backward(
        &mut self,
        layout: &Layout,
        run: &mut Run,
        slopes: &[f32],
        gradient: &mut [f32],
    ) {
        let (level, inputs, padded) = (self.level, self.inputs, self.padded);
        let stride = padded + PAD;
        gradient.fill(0.0);
        let [input, cell, head] = layout.split_mut(gradient);
        let (d_weight, d_bias) = input.split_at_mut(inputs * padded);
        let mut d_of_series = self.site_head.as_mut().map(SiteHead::begin_backward);
        run.d_bias.fill(0.0);
        self.cell.begin_backward();
        for block in run.blocks.iter().rev() {
            let days = Days {
                block,
                counts: &run.counts,
                activated: &run.activated,
                head: &self.head,
            };
            let d_activated = &mut run.d_activated[..block.rows * stride];
            let gradient = Gradient {
                cell: &mut *cell,
                head: d_of_series.as_deref_mut().unwrap_or(head),
                activated: &mut *d_activated,
            };
            self.cell.backward(&days, slopes, gradient);
            if let Some(site_head) = &self.site_head {
                site_head.mask(block, &run.counts, d_activated);
            }
            let activated = &run.activated[block.first * stride..];
            level.rectify_backward(d_activated, activated, &mut run.d_bias);
            // The gradient of weights: the sum over rows of the input times the gradient of the output.
            let x = Rows::transposed(&run.inputs[block.first * inputs..], inputs);
            let d_activated = Panels::of(d_activated, stride, padded, level.width());
            let product = Product::of(x, inputs, block.rows, d_activated, padded);
            level.multiply(product.added(), d_weight);
        }
        self.cell.end_backward(cell);
        d_bias.copy_from_slice(&run.d_bias[..padded]);
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
