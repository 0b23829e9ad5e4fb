//! A model that learns from series of days, and runs over them.

use std::ops::Range;

use efflux_data::Tensors;
use efflux_numerics::single;

use super::aligned::Aligned;
use super::cells;
use super::layout::Layout;
use super::level::Level;
use super::network::{Factors, Network};
use super::row;
use super::run::{Begin, Run};
use crate::by_window::{by_window, early_days};
use crate::loss::LossFunction;
use crate::series::Series;
use crate::{Flow, Shape, TrialError, device_data};

/// Rows that are run at a time in a simulation.
const ROWS: usize = 4096;

/// Weights, their gradient, and the buffers of a run.
#[derive(Debug)]
pub struct NativeModel {
    shape: Shape,
    level: Level,
    layout: Layout,
    weights: Aligned,
    gradient: Aligned,
    network: Network,
    run: Run,
    /// Derivative of the loss by each prediction.
    slopes: Vec<f32>,
}

impl NativeModel {
    /// A model with these weights, `[N]` in torch's order.
    pub fn new(shape: Shape, weights: &[f32], level: Level) -> Self {
        let layout = Layout::of(shape, level);
        Self {
            shape,
            level,
            weights: layout.pad(weights),
            gradient: Aligned::zeros(layout.weights()),
            network: Network::new(shape.cell, level, &layout).expect("a cell for native training"),
            layout,
            run: Run::default(),
            slopes: Vec::new(),
        }
    }

    /// How many `f32` a model of this shape allocates, with its gradient, the optimizer's memory, and buffers for a run of
    /// `rows` rows in `series` series.
    pub(super) fn numbers(shape: Shape, level: Level, rows: usize, series: usize) -> usize {
        let layout = Layout::of(shape, level);
        let of_cell =
            cells::definition(shape.cell).map_or(0, |cell| (cell.numbers)(&layout, rows, series));
        let of_cell = layout.layers * of_cell;
        // Weights, gradient, two means; masks and the two orders in which products read the cell's weights.
        7 * layout.weights() + Run::numbers(&layout, rows, series) + of_cell
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
    /// * `of`: for models with weights of each site.
    /// * returns the predictions, `[T, B]`, and the loss.
    pub fn fit(
        &mut self,
        inputs: &[f32],
        target: &[f32],
        series: usize,
        loss_function: LossFunction,
        factors: Factors<'_>,
        of: &Series,
    ) -> (Vec<f32>, f64) {
        let days = target.len() / series;
        let counts = (0..=days).map(|day| if day < days { series } else { 0 });
        self.run.shape(&self.layout, counts);
        self.network.grow(&self.run);
        self.run.inputs[..inputs.len()].copy_from_slice(inputs);
        let count = target.iter().filter(|value| !value.is_nan()).count() as f64;
        let mut loss = 0.0;
        self.forward(factors, of);
        self.compare(&mut |day, column, predicted| {
            let target = target[day * series + column];
            if target.is_nan() {
                return 0.0;
            }
            let (part, slope) = loss_function.with_slope(f64::from(predicted) - f64::from(target));
            loss += part / count;
            single(slope / count)
        });
        self.backward(factors);
        (self.run.predicted[..target.len()].to_vec(), loss)
    }

    /// Adds `factor` times the sum of squares of all weights of single sites to the loss: returns that part of it, and adds
    /// its gradient to the model's.
    pub fn add_ridge(&mut self, factor: f64) -> f64 {
        let own = self.layout.common()..;
        let (weights, gradient) = (&self.weights[own.clone()], &mut self.gradient[own]);
        let slope = single(2.0 * factor);
        for (gradient, weight) in gradient.iter_mut().zip(weights) {
            *gradient += slope * weight;
        }
        factor * self.level.sum_of_squares(weights)
    }

    /// Predicts the gathered series from zero states, with these factors of what dropout may drop.
    pub(super) fn forward(&mut self, factors: Factors<'_>, series: &Series) {
        self.network
            .load(&self.layout, &self.weights, factors.weights, series);
        self.network
            .forward(&mut self.run, Begin::Fresh, factors.between);
    }

    /// Compares the predictions with targets: `slope` is called with day, series and prediction, and gives the derivative
    /// of the loss by the prediction.
    pub(super) fn compare(&mut self, slope: &mut dyn FnMut(usize, usize, f32) -> f32) {
        self.slopes.clear();
        for ((day, series), &predicted) in self.run.places().zip(&*self.run.predicted) {
            self.slopes.push(slope(day, series, predicted));
        }
    }

    /// Takes the gradient of the loss, with the factors of the forward run.
    pub(super) fn backward(&mut self, factors: Factors<'_>) {
        self.network.backward(
            &self.layout,
            &mut self.run,
            &self.slopes,
            &mut self.gradient,
            factors.between,
        );
        if let Some(masks) = factors.weights {
            self.layout.mask(&mut self.gradient, masks);
        }
    }

    /// Prepares a run over these days of the series, with their inputs.
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
        self.run.shape(&self.layout, counts);
        self.network.grow(&self.run);
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
    /// * `inputs`, `starts`, `lengths`: as of [`NativeModel::gather`]; `of`: for models with weights of each site.
    pub(super) fn simulate(
        &mut self,
        inputs: &[f32],
        starts: &[i64],
        lengths: &[usize],
        of: &Series,
        each: &mut dyn FnMut(usize, usize, f32),
    ) {
        self.network.load(&self.layout, &self.weights, None, of);
        let longest = lengths.first().copied().unwrap_or(0);
        let mut begin = Begin::Fresh;
        let mut first = 0;
        while first < longest {
            let running = lengths.partition_point(|&length| length > first);
            let days = first..(first + (ROWS / running).max(1)).min(longest);
            if begin == Begin::Carried {
                self.network.carry(&self.run);
            }
            self.gather(inputs, starts, lengths, days.clone());
            self.network.forward(&mut self.run, begin, None);
            for ((day, series), &value) in self.run.places().zip(&*self.run.predicted) {
                each(first + day, series, value);
            }
            begin = Begin::Carried;
            first = days.end;
        }
    }

    /// As `model::predict`.
    pub(crate) fn predict(&mut self, tensors: &Tensors) -> Vec<f32> {
        self.first_days(tensors, &device_data::rows(tensors), tensors.days)
    }

    /// As `model::predict_by_window`.
    pub(crate) fn predict_by_window(
        &mut self,
        tensors: &Tensors,
        window: usize,
        places: &[usize],
        observe: &mut dyn FnMut() -> Flow,
    ) -> Result<Vec<f32>, TrialError> {
        let inputs = device_data::rows(tensors);
        let first = self.first_days(tensors, &inputs, early_days(tensors, window));
        by_window(tensors, window, places, &first, observe, |starts| {
            let mut last = vec![0.0; starts.len()];
            let lengths = vec![window; starts.len()];
            let of = Series::of_rows(&tensors.heads, tensors.days, starts);
            self.simulate(&inputs, starts, &lengths, &of, &mut |day, series, value| {
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
            .map(|site| tensors.target.place(site, 0) as i64)
            .collect();
        let lengths = vec![days; tensors.sites];
        let of = Series::of_rows(&tensors.heads, tensors.days, &starts);
        self.simulate(inputs, &starts, &lengths, &of, &mut |day, site, value| {
            simulated[site * days + day] = value;
        });
        simulated
    }

    /// Sets the gradient to zero.
    pub(super) fn zero_gradient(&mut self) {
        self.gradient.fill(0.0);
    }

    /// Length of the gradient.
    pub(super) fn gradient_norm(&self) -> f64 {
        self.level.sum_of_squares(&self.gradient).sqrt()
    }

    /// Multiplies the gradient by a factor.
    pub fn scale_gradient(&mut self, factor: f64) {
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
