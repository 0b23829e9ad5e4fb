//! A model that learns from series of days, and runs over them.

use std::ops::Range;

use efflux_data::Tensors;
use efflux_numerics::single;

use super::aligned::Aligned;
use super::layout::Layout;
use super::level::Level;
use super::network::{Begin, Network, Run};
use super::row;
use crate::loss::Form;
use crate::predict::{by_window, early_days};
use crate::{Flow, Shape, TrialError, resident};

/// Rows that are run at a time in a simulation.
const ROWS: usize = 4096;

/// Weights, their gradient, and room for a run.
#[derive(Debug)]
pub struct NativeLstm {
    shape: Shape,
    level: Level,
    layout: Layout,
    weights: Aligned,
    gradient: Aligned,
    network: Network,
    run: Run,
    errors: Vec<f32>,
}

impl NativeLstm {
    /// A model with these weights, `[N]` in torch's order.
    pub fn new(shape: Shape, weights: &[f32], level: Level) -> Self {
        let layout = Layout::of(shape, level);
        Self {
            shape,
            level,
            layout,
            weights: layout.pad(weights),
            gradient: Aligned::zeros(layout.weights()),
            network: Network::new(level, layout),
            run: Run::default(),
            errors: Vec::new(),
        }
    }

    /// Numbers that a model takes with its gradient and an optimizer's memory, and a run of so many rows.
    pub(super) fn numbers(shape: Shape, level: Level, rows: usize, series: usize) -> usize {
        let layout = Layout::of(shape, level);
        // Weights, gradient, two means; masks and the two orders in which products read the LSTM's weights.
        7 * layout.weights() + Run::numbers(layout, rows, series)
    }

    /// Its sizes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The instruction-set level that it computes at.
    pub fn level(&self) -> Level {
        self.level
    }

    /// All weights, `[N]` in torch's order.
    pub fn weights(&self) -> Vec<f32> {
        self.layout.flat(&self.weights)
    }

    /// The gradient of the last loss, `[N]` in torch's order.
    pub fn gradient(&self) -> Vec<f32> {
        self.layout.flat(&self.gradient)
    }

    /// Runs `B` series over `T` days from zero states and takes the gradient of the mean over all targets.
    ///
    /// * `inputs`: `[T, B, nx]`, scaled; `target`: `[T, B]`, NaN where there is none, but somewhere there is one.
    /// * `masks`: factors of the LSTM's weights, `[2, 4H, H]`, if any are dropped.
    /// * returns the predictions, `[T, B]`, and the loss.
    pub fn fit(
        &mut self,
        inputs: &[f32],
        target: &[f32],
        series: usize,
        form: Form,
        masks: Option<&[f32]>,
    ) -> (Vec<f32>, f64) {
        let days = target.len() / series;
        let counts = (0..=days).map(|day| if day < days { series } else { 0 });
        self.run.shape(self.layout, counts);
        self.run.inputs[..inputs.len()].copy_from_slice(inputs);
        let count = target.iter().filter(|value| !value.is_nan()).count() as f64;
        let mut loss = 0.0;
        self.learn(masks, &mut |day, column, predicted| {
            let target = target[day * series + column];
            if target.is_nan() {
                return 0.0;
            }
            let (part, slope) = form.of(f64::from(predicted) - f64::from(target));
            loss += part / count;
            single(slope / count)
        });
        (self.run.predicted[..target.len()].to_vec(), loss)
    }

    /// Runs the gathered series from zero states and takes the gradient of a loss; `error` is called with day, series and
    /// prediction, and gives the loss's derivative by it.
    pub(super) fn learn(
        &mut self,
        masks: Option<&[f32]>,
        error: &mut dyn FnMut(usize, usize, f32) -> f32,
    ) {
        self.network.load(&self.weights, masks);
        self.network.forward(&mut self.run, Begin::Fresh);
        self.errors.clear();
        for ((day, series), &predicted) in self.run.places().zip(&*self.run.predicted) {
            self.errors.push(error(day, series, predicted));
        }
        self.network
            .backward(&mut self.run, &self.errors, &mut self.gradient);
        if let Some(masks) = masks {
            self.layout.mask(&mut self.gradient, masks);
        }
    }

    /// Makes room for these days of the series and fills in their inputs.
    ///
    /// * `inputs`: `[S·D, nx]`; `starts`: each series' first row of them; `lengths`: its days, longest first.
    pub(super) fn gather(
        &mut self,
        inputs: &[f32],
        starts: &[i64],
        lengths: &[usize],
        days: Range<usize>,
    ) {
        let width = self.layout.inputs;
        let running = |day: usize| lengths.partition_point(|&length| length > day);
        let counts = days.clone().chain([days.end]).map(running);
        self.run.shape(self.layout, counts);
        let rows = days.flat_map(|day| {
            starts[..running(day)]
                .iter()
                .map(move |&start| row(start) + day)
        });
        for (values, row) in self.run.inputs.chunks_exact_mut(width).zip(rows) {
            values.copy_from_slice(&inputs[row * width..][..width]);
        }
    }

    /// Runs series from zero states, some days at a time; `each` is called with day, series and prediction.
    ///
    /// * `inputs`, `starts`, `lengths`: as of [`NativeLstm::gather`].
    pub(super) fn simulate(
        &mut self,
        inputs: &[f32],
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        self.network.load(&self.weights, None);
        let longest = lengths.first().copied().unwrap_or(0);
        let mut begin = Begin::Fresh;
        let mut first = 0;
        while first < longest {
            let running = lengths.partition_point(|&length| length > first);
            let days = first..(first + (ROWS / running).max(1)).min(longest);
            if begin == Begin::Carried {
                self.run.carry(self.layout);
            }
            self.gather(inputs, starts, lengths, days.clone());
            self.network.forward(&mut self.run, begin);
            for ((day, series), &value) in self.run.places().zip(&*self.run.predicted) {
                each(first + day, series, value);
            }
            begin = Begin::Carried;
            first = days.end;
        }
    }

    /// As `model::predict`.
    pub(crate) fn predict(&mut self, tensors: &Tensors) -> Vec<f32> {
        self.first_days(tensors, &resident::rows(tensors), tensors.days)
    }

    /// As `model::predict_by_window`.
    pub(crate) fn predict_by_window(
        &mut self,
        tensors: &Tensors,
        window: usize,
        places: &[usize],
        observe: &mut dyn FnMut() -> Flow,
    ) -> Result<Vec<f32>, TrialError> {
        let inputs = resident::rows(tensors);
        let first = self.first_days(tensors, &inputs, early_days(tensors, window));
        by_window(tensors, window, places, &first, observe, |starts| {
            let mut last = vec![0.0; starts.len()];
            let lengths = vec![window; starts.len()];
            self.simulate(&inputs, starts, &lengths, &mut |day, series, value| {
                if day + 1 == window {
                    last[series] = value;
                }
            });
            Ok(last)
        })
    }

    /// The first days of all sites from zero states, `[S, days]`.
    fn first_days(&mut self, tensors: &Tensors, inputs: &[f32], days: usize) -> Vec<f32> {
        let mut simulated = vec![0.0; tensors.sites * days];
        let starts: Vec<i64> = (0..tensors.sites)
            .map(|site| (site * tensors.days) as i64)
            .collect();
        let lengths = vec![days; tensors.sites];
        self.simulate(inputs, &starts, &lengths, &mut |day, site, value| {
            simulated[site * days + day] = value;
        });
        simulated
    }

    pub(super) fn forget_gradient(&mut self) {
        self.gradient.fill(0.0);
    }

    pub(super) fn gradient_norm(&self) -> f64 {
        self.level.sum_of_squares(&self.gradient).sqrt()
    }

    pub(super) fn scale_gradient(&mut self, factor: f64) {
        let factor = single(factor);
        self.gradient.iter_mut().for_each(|g| *g *= factor);
    }

    /// The padded weights, and their gradient.
    pub(super) fn weights_and_gradient(&mut self) -> (&mut [f32], &[f32]) {
        (&mut self.weights, &self.gradient)
    }

    /// Takes over these weights, `[N]` in torch's order.
    pub(crate) fn set_weights(&mut self, weights: &[f32]) {
        self.weights = self.layout.pad(weights);
    }
}
