//! The equations and their gradient for several models of one shape at a time: products over a batch of matrices, one a
//! lane.
//!
//! Written out instead of left to automatic differentiation: a day then takes half as many calls, and the gradient of a
//! weight is one product over all days instead of a sum of thirty. There is one way for all devices, so that what a CPU
//! shows of it holds.

use tch::{Kind, Tensor};

use crate::loss::Form;
use crate::lstm::Shape;
use crate::masks::Masks;
use crate::resident::Gathered;

/// Writes the gradients of the losses of L models on their own batches, and returns the losses, `[L]`.
///
/// * `weights`, `gradient`: `[L, P]`, of which the first N of a row are its model's.
/// * `masks`: `[L, 4H, H]` each.
/// * `data`: `[L, T, B, nx]` and `[L, T, B]`.
/// * `targets`: how many targets each batch holds, `[L]`, 1 for none.
///
/// # Source
///
/// As for [`Lstm::forward`](crate::Lstm::forward) and [`masked_mean`](crate::masked_mean); the gradient is
/// theirs by the chain rule.
pub(super) fn learn(
    shape: Shape,
    weights: &Tensor,
    gradient: &Tensor,
    masks: Option<&Masks>,
    data: &Gathered,
    targets: &Tensor,
    form: Form,
) -> Tensor {
    let mut weights = shape.split_rows(weights);
    if let Some(masks) = masks {
        weights[2] = &weights[2] * &masks.input;
        weights[3] = &weights[3] * &masks.recurrent;
    }
    let run = Run::forward(&weights, &data.inputs);
    let error = &run.predicted - &data.target;
    let targets = targets.view([-1, 1, 1]);
    let (counted, slope) = match form {
        Form::Square => (error.square(), error * 2.0),
        Form::Huber { delta } => {
            let zero = data.target.zeros_like();
            let counted = error.huber_loss(&zero, tch::Reduction::None, delta);
            (counted, error.clamp(-delta, delta))
        }
    };
    let share = &data.weight / targets; // [L, T, B]
    let losses = (counted * &share).sum_dim_intlist([1, 2].as_slice(), false, None::<Kind>);
    run.backward(&weights, shape.split_rows(gradient), &(slope * share));
    if let Some(masks) = masks {
        let [_, _, mut input, mut recurrent, ..] = shape.split_rows(gradient);
        let _ = input.g_mul_(&masks.input);
        let _ = recurrent.g_mul_(&masks.recurrent);
    }
    losses
}

/// Rows of a matrix for each lane, `[L, T·B, width]`, of values for each day and series.
fn flat(values: &Tensor) -> Tensor {
    values.flatten(1, 2)
}

/// The four gates' parts of the last dimension: input, forget, cell, output.
fn quarters(gates: &Tensor) -> [Tensor; 4] {
    let width = gates.size()[3] / 4;
    [0, 1, 2, 3].map(|gate| gates.narrow(3, gate * width, width))
}

/// What a forward pass leaves for the gradient.
struct Run {
    /// `[L, T, B, nx]`
    inputs: Tensor,
    /// What the input layer gives, `[L, T·B, H]`.
    activated: Tensor,
    /// The gates, opened, `[L, T, B, 4H]`.
    gates: Tensor,
    /// `[L, T, B, H]`
    cells: Tensor,
    /// The hyperbolic tangent of the cells.
    squashed: Tensor,
    /// `[L, T, B, H]`
    outputs: Tensor,
    /// `[L, T, B]`
    predicted: Tensor,
}

impl Run {
    /// From zero states.
    fn forward(weights: &[Tensor; 8], inputs: &Tensor) -> Self {
        let [w_in, b_in, w_ih, w_hh, b_ih, b_hh, w_out, b_out] = weights;
        let (lanes, days, series, _) = inputs.size4().expect("lanes, days, series, inputs");
        let hidden = w_in.size()[1];
        let layer = |values: &Tensor, weight: &Tensor, bias: &Tensor| {
            let product = (values, weight.transpose(1, 2));
            bias.unsqueeze(1).baddbmm(product.0, &product.1, 1.0, 1.0)
        };
        let activated = layer(&flat(inputs), w_in, b_in).relu_();
        let gates = layer(&activated, w_ih, &(b_ih + b_hh)).view([lanes, days, series, 4 * hidden]);
        let empty = || {
            let shape = [lanes, days, series, hidden];
            Tensor::empty(shape, (inputs.kind(), inputs.device()))
        };
        let (cells, squashed, outputs) = (empty(), empty(), empty());
        let recurrent = w_hh.transpose(1, 2);
        // Views of all days at once: a call for each would cost as much as the arithmetic.
        let mut gate = gates.unbind(1);
        let mut opened_as_one = gates.narrow(3, 0, 2 * hidden).unbind(1);
        let [input, forget, mut candidate, mut output] =
            quarters(&gates).map(|quarter| quarter.unbind(1));
        let (mut cell, squash, out) = (cells.unbind(1), squashed.unbind(1), outputs.unbind(1));
        for day in 0..gate.len() {
            if day > 0 {
                let _ = gate[day].baddbmm_(&out[day - 1], &recurrent);
            }
            let _ = opened_as_one[day].sigmoid_();
            let _ = candidate[day].tanh_();
            let _ = output[day].sigmoid_();
            let _ = input[day].multiply_out(&cell[day], &candidate[day]);
            if day > 0 {
                let (before, now) = cell.split_at_mut(day);
                let _ = now[0].addcmul_(&forget[day], &before[day - 1]);
            }
            let _ = cell[day].tanh_out(&squash[day]);
            let _ = output[day].multiply_out(&out[day], &squash[day]);
        }
        let predicted = layer(&flat(&outputs), w_out, b_out).view([lanes, days, series]);
        Self {
            inputs: inputs.shallow_clone(),
            activated,
            gates,
            cells,
            squashed,
            outputs,
            predicted,
        }
    }

    /// Writes the gradient of a sum in which the predictions have these slopes, `[L, T, B]`.
    fn backward(&self, weights: &[Tensor; 8], gradient: [Tensor; 8], slope: &Tensor) {
        let [_, _, w_ih, w_hh, _, _, w_out, _] = weights;
        let [
            g_in,
            mut gb_in,
            g_ih,
            mut g_hh,
            mut gb_ih,
            mut gb_hh,
            g_out,
            mut gb_out,
        ] = gradient;
        let (_, days, ..) = self.outputs.size4().expect("lanes, days, series, units");
        let slope = flat(slope).unsqueeze(2); // [L, T·B, 1]
        let sum = |values: &Tensor| values.sum_dim_intlist([1].as_slice(), false, None::<Kind>);
        let _ = slope.transpose(1, 2).bmm_out(&g_out, &flat(&self.outputs));
        gb_out.copy_(&sum(&slope));

        let rising = slope.bmm(w_out).view_as(&self.outputs); // of the outputs
        let falling = self.gates_backward(&rising, w_hh); // of the gates before they open
        let all = flat(&falling);
        let _ = all.transpose(1, 2).bmm_out(&g_ih, &self.activated);
        if days > 1 {
            let later = flat(&falling.narrow(1, 1, days - 1));
            let before = flat(&self.outputs.narrow(1, 0, days - 1));
            let _ = later.transpose(1, 2).bmm_out(&g_hh, &before);
        } else {
            let _ = g_hh.zero_();
        }
        let biases = sum(&all);
        gb_ih.copy_(&biases);
        gb_hh.copy_(&biases);
        let inner = self.activated.threshold_backward(&all.bmm(w_ih), 0);
        let _ = inner.transpose(1, 2).bmm_out(&g_in, &flat(&self.inputs));
        gb_in.copy_(&sum(&inner));
    }

    /// The slopes of the gates before they open, `[L, T, B, 4H]`, from those of the outputs, to which each day adds what
    /// it hands to the day before.
    fn gates_backward(&self, rising: &Tensor, w_hh: &Tensor) -> Tensor {
        let (_, days, _, hidden) = self.outputs.size4().expect("lanes, days, series, units");
        let through = quarters(&self.gates)[3].multiply(&(1.0 - self.squashed.square()));
        let slopes = self.opening();
        let [.., mut output] = quarters(&slopes).map(|quarter| quarter.unbind(1));
        let mut others = slopes
            .narrow(3, 0, 3 * hidden)
            .unflatten(3, [3, hidden])
            .unbind(1);
        let forget = quarters(&self.gates)[1].unbind(1);
        let (slope, through, mut rising) = (slopes.unbind(1), through.unbind(1), rising.unbind(1));
        let mut carried = through[0].zeros_like(); // of the cells, [L, B, H]
        let carried_to_each = carried.unsqueeze(2);
        for day in (0..slope.len()).rev() {
            if day + 1 < slope.len() {
                let _ = carried.g_mul_(&forget[day + 1]);
            }
            let _ = carried.addcmul_(&rising[day], &through[day]);
            let _ = others[day].g_mul_(&carried_to_each);
            let _ = output[day].g_mul_(&rising[day]);
            if day > 0 {
                let _ = rising[day - 1].baddbmm_(&slope[day], w_hh);
            }
        }
        debug_assert_eq!(slope.len() as i64, days);
        slopes
    }

    /// How the cell follows the first three gates, and the output the fourth, for small changes before they open,
    /// `[L, T, B, 4H]`.
    fn opening(&self) -> Tensor {
        let days = self.cells.size()[1];
        let [input, _, candidate, _] = quarters(&self.gates);
        let slopes = &self.gates - self.gates.square();
        let [mut of_input, of_forget, mut of_candidate, mut of_output] = quarters(&slopes);
        let _ = of_input.g_mul_(&candidate);
        let _ = of_forget.narrow(1, 0, 1).zero_();
        let _ = of_forget
            .narrow(1, 1, days - 1)
            .g_mul_(&self.cells.narrow(1, 0, days - 1));
        of_candidate.copy_(&((1.0 - candidate.square()) * input));
        let _ = of_output.g_mul_(&self.squashed);
        slopes
    }
}
