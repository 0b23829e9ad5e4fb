//! What the training loop asks of an implementation: `torch`, or `native`.

use std::fmt::Debug;
use std::rc::Rc;

use efflux_numerics::random::Stream;

use super::layout::Shape;
use super::optimizer::Step;
use super::windows::Batch;

/// A model in training: weights, gradient, the optimizer's memory and the data. The calls of an iteration are in the
/// order of the trait; what one of them computes stays with the implementation until the next one needs it.
pub(super) trait Engine: Debug {
    /// Prepares the windows of an epoch, which begin at these rows of the data.
    fn begin_epoch(&mut self, starts: &[i64]);

    /// Predicts every day of a batch that holds a target, each window from a zero state.
    ///
    /// * `starts`: first rows of the batch's windows; `masks`: the stream that the dropped weights are drawn from.
    fn forward(&mut self, starts: &[i64], batch: &Batch, masks: &mut Stream);

    /// The loss of these predictions.
    fn loss(&mut self, starts: &[i64], batch: &Batch);

    /// The gradient of this loss.
    fn backward(&mut self);

    /// Adds loss and length of the gradient to the epoch's sums, and scales a gradient down that is longer than `longest`.
    /// False if loss or length is not finite, which on a GPU only the end of the epoch tells.
    fn clip(&mut self, longest: Option<f64>) -> bool;

    /// The gradient of a batch without a target.
    fn zero_gradient(&mut self);

    /// Changes the weights by the gradient.
    fn step(&mut self, step: Step);

    /// Sums of the losses and of the lengths of the gradients since they were set. Waits for the device.
    fn sums(&self) -> [f64; 2];

    /// Sets the sums.
    fn set_sums(&mut self, sums: [f64; 2]);

    /// Runs series of these lengths, longest first, from zero states; `each` is called with a day, a series and the
    /// prediction, scaled. Waits for the device.
    fn simulate(
        &mut self,
        starts: &[i64],
        lengths: &[usize],
        each: &mut dyn FnMut(usize, usize, f32),
    );

    /// Sizes of the model.
    fn shape(&self) -> Shape;

    /// All weights, `[N]`. Waits for the device.
    fn weights(&self) -> Vec<f32>;

    /// The optimizer's running means by torch's names, `[N]` each. Waits for the device.
    fn memory(&self) -> [(&'static str, Vec<f32>); 2];

    /// Takes over what [`Engine::weights`] and [`Engine::memory`] gave.
    fn restore(&mut self, weights: &[f32], memory: &[Vec<f32>; 2]);

    /// What a record adds to the words for the device.
    fn note(&self) -> &'static str {
        ""
    }

    /// The place among trials that share the device's calls, if it has one.
    fn lane(&self) -> Option<&Lane> {
        None
    }
}

/// The place of a trial among those of [`Lanes`](super::Lanes).
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) index: usize,
    /// As long as it is held, nobody else has the place.
    pub(super) _place: Rc<()>,
}
