//! An update of all lanes by the kernels of `update.cu`, and libtorch's products of matrices between them.
//!
//! The same update as by [`network`](super::network) and [`Optimizer`], in twenty calls instead of five hundred: on a GPU a
//! call takes the host longer than most of them take the device. Days on which a lane's batch has no window left are not
//! computed.

use tch::{Kind, Tensor};

use super::LaneTask;
use super::kernels::{Argument, Batch, Kernel, Kernels};
use super::packed::{Batched, Packed, batches, of_simulation};
use crate::device::{send, values};
use crate::device_data::DeviceData;
use crate::failure::TrialError;
use crate::layout::{Layout, Shape};
use crate::loss::LossFunction;
use crate::optimizer::Optimizer;

/// Windows that one block runs through all days, `WINDOWS` of `update.cu`.
const WINDOWS: usize = 8;
/// Blocks that share the weights of a lane.
const PARTS: usize = 32;
/// Threads of the kernels that do not run through days.
const THREADS: i64 = 256;

/// What an update reads and writes.
pub(super) struct LaneTensors<'l> {
    pub(super) shape: Shape,
    pub(super) loss_function: LossFunction,
    pub(super) device_data: &'l DeviceData,
    /// `[K, stride]`, as are gradient and the optimizer's memory.
    pub(super) weights: &'l Tensor,
    pub(super) gradient: &'l Tensor,
    pub(super) optimizer: &'l Optimizer,
    /// `[K]`, in f64.
    pub(super) loss_sums: &'l Tensor,
    pub(super) norm_sums: &'l Tensor,
}

/// What a forward pass of all lanes leaves behind.
struct Pass<'k> {
    kernels: &'k Kernels,
    batch: Argument,
    lanes: usize,
    windows: usize,
    rows: usize,
    hidden: usize,
    /// Keeps what `batch` points to.
    _words: Tensor,
    /// Inputs, targets, and what errors weigh: `[L, rows, nx]`, `[L, rows]` twice.
    x: Tensor,
    y: Tensor,
    counts: Tensor,
    /// The LSTM's weights of this update: `[L, 4H, H]` each.
    input: Tensor,
    recurrent: Tensor,
    /// `[L, rows, H]`
    activated: Tensor,
    /// Opened, `[L, rows, 4H]`.
    gates: Tensor,
    /// `[L, rows, H]` each; `before` is the output of the day before.
    cells: Tensor,
    outputs: Tensor,
    before: Tensor,
}

/// Rows of weights, `[L, stride]`, as the parameters of as many models, `[L, …]`.
fn parameters(shape: Shape, rows: &Tensor) -> [Tensor; 8] {
    let parameters = Layout::of(shape).split_rows(rows).try_into();
    parameters.expect("the parameters of an LSTM")
}

/// A size of libtorch's, which counts with signs.
fn count(size: i64) -> usize {
    usize::try_from(size).expect("no size is negative")
}

fn size(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|&size| size as i64).collect()
}

fn int(number: i64) -> Argument {
    Argument::Int(i32::try_from(number).expect("sizes of a model"))
}

fn float(tensor: &Tensor, sizes: &[usize]) -> Argument {
    Argument::numbers(tensor, Kind::Float, sizes.iter().product())
}

fn double(tensor: &Tensor, sizes: &[usize]) -> Argument {
    Argument::numbers(tensor, Kind::Double, sizes.iter().product())
}

impl<'k> Pass<'k> {
    /// Of models with these weights, `[L, stride]`, from zero states.
    fn forward(
        kernels: &'k Kernels,
        shape: Shape,
        device_data: &DeviceData,
        weights: &Tensor,
        packed: &Packed,
    ) -> Result<Self, String> {
        let device = weights.device();
        let &Packed {
            lanes,
            windows,
            days,
            rows,
            ..
        } = packed;
        let (hidden, inputs) = (count(shape.hidden), count(shape.inputs));
        let stride = weights.size()[1];
        let floats = |sizes: &[usize]| Tensor::empty(size(sizes), (Kind::Float, device));
        let sent = send(&packed.words, device).view([lanes as i64, -1]);
        let batch = Argument::Batch(Batch::new(&sent, windows, days, rows));

        let (wide, flat, deep) = ([lanes, rows, hidden], [lanes, rows], [lanes, rows, inputs]);
        let [x, y, counts] = [&deep[..], &flat, &flat].map(floats);
        let [cells, outputs, before] = [(); 3].map(|()| floats(&wide));
        let (data, target, weight) = device_data.all();
        kernels.start(
            Kernel::Gather,
            [rows.div_ceil(32).min(16), lanes],
            THREADS,
            &[
                batch,
                int(device_data.warm_up()),
                float(data, &[1]),
                float(target, &[1]),
                float(weight, &[1]),
                float(&x, &deep),
                float(&y, &flat),
                float(&counts, &flat),
                float(&outputs, &wide),
                float(&before, &wide),
            ],
        )?;

        let square = [lanes, 4 * hidden, hidden];
        let [input, recurrent, turned] = [(); 3].map(|()| floats(&square));
        kernels.start(
            Kernel::Drop,
            [PARTS, lanes],
            THREADS,
            &[
                batch,
                int(stride),
                float(weights, &[lanes, count(stride)]),
                float(&input, &square),
                float(&recurrent, &square),
                float(&turned, &square),
            ],
        )?;

        let [w_in, b_in, _, _, b_ih, b_hh, ..] = parameters(shape, weights);
        let layer = |values: &Tensor, weight: &Tensor, bias: &Tensor| {
            bias.unsqueeze(1)
                .baddbmm(values, &weight.transpose(1, 2), 1.0, 1.0)
        };
        let activated = layer(&x, &w_in, &b_in).relu_();
        let gates = layer(&activated, &input, &(b_ih + b_hh));
        kernels.start(
            Kernel::Forward,
            [windows.div_ceil(WINDOWS), lanes],
            4 * shape.hidden,
            &[
                batch,
                int(kernels.kept() as i64),
                float(&turned, &square),
                float(&gates, &[lanes, rows, 4 * hidden]),
                float(&cells, &wide),
                float(&outputs, &wide),
                float(&before, &wide),
            ],
        )?;
        Ok(Self {
            kernels,
            batch,
            lanes,
            windows,
            rows,
            hidden,
            _words: sent,
            x,
            y,
            counts,
            input,
            recurrent,
            activated,
            gates,
            cells,
            outputs,
            before,
        })
    }

    /// Writes the gradients of the losses, `[L, stride]`, and returns the losses, `[L]`.
    fn backward(
        &self,
        shape: Shape,
        loss_function: LossFunction,
        weights: &Tensor,
        gradient: &Tensor,
    ) -> Result<Tensor, String> {
        let device = weights.device();
        let (lanes, rows, hidden) = (self.lanes, self.rows, self.hidden);
        let (wide, flat, deep) = (
            [lanes, rows, hidden],
            [lanes, rows],
            [lanes, rows, 4 * hidden],
        );
        let stride = weights.size()[1];
        let all = [lanes, count(stride)];
        let slopes = Tensor::empty(size(&flat), (Kind::Float, device));
        let losses = Tensor::empty(size(&[lanes]), (Kind::Double, device));
        #[allow(
            clippy::cast_possible_truncation,
            reason = "kernels compute with 32 bits"
        )]
        let delta = match loss_function {
            LossFunction::Square => 0.0,
            LossFunction::Huber { delta } => delta as f32,
        };
        self.kernels.start(
            Kernel::OutputLayer,
            [lanes, 1],
            THREADS,
            &[
                self.batch,
                int(stride),
                Argument::Float(delta),
                float(weights, &all),
                float(&self.outputs, &wide),
                float(&self.y, &flat),
                float(&self.counts, &flat),
                float(&self.gates, &deep),
                float(&slopes, &flat),
                double(&losses, &[lanes]),
                float(gradient, &all),
            ],
        )?;
        self.kernels.start(
            Kernel::Backward,
            [self.windows.div_ceil(WINDOWS), lanes],
            4 * shape.hidden,
            &[
                self.batch,
                int(self.kernels.kept() as i64),
                int(stride),
                float(weights, &all),
                float(&self.recurrent, &[lanes, 4 * hidden, hidden]),
                float(&self.cells, &wide),
                float(&slopes, &flat),
                float(&self.gates, &deep),
            ],
        )?;
        let [g_in, mut gb_in, g_ih, g_hh, mut gb_ih, mut gb_hh, ..] = parameters(shape, gradient);
        let sum = |values: &Tensor| values.sum_dim_intlist([1].as_slice(), false, None::<Kind>);
        // What were the gates are now the slopes of the sums that they were opened from.
        let falling = self.gates.transpose(1, 2);
        let _ = falling.bmm_out(&g_ih, &self.activated);
        let _ = falling.bmm_out(&g_hh, &self.before);
        let biases = sum(&self.gates);
        gb_ih.copy_(&biases);
        gb_hh.copy_(&biases);
        let inner = self
            .activated
            .threshold_backward(&self.gates.bmm(&self.input), 0);
        let _ = inner.transpose(1, 2).bmm_out(&g_in, &self.x);
        gb_in.copy_(&sum(&inner));
        Ok(losses)
    }
}

/// Gradients and steps of all lanes with a task, as [`Lanes::learn`](super::Lanes::learn) makes them.
///
/// # Errors
///
/// [`TrialError::Torch`] if a kernel cannot be started.
pub(super) fn learn(
    kernels: &Kernels,
    of: &LaneTensors<'_>,
    tasks: &[LaneTask<'_>],
) -> Result<(), TrialError> {
    update(kernels, of, tasks).map_err(TrialError::Torch)
}

fn update(kernels: &Kernels, of: &LaneTensors<'_>, tasks: &[LaneTask<'_>]) -> Result<(), String> {
    let packed = Packed::of(&batches(tasks, of.optimizer.decay()));
    let lanes = packed.lanes;
    let used = |tensor: &Tensor| tensor.narrow(0, 0, lanes as i64);
    let (weights, gradient) = (used(of.weights), used(of.gradient));
    let run = Pass::forward(kernels, of.shape, of.device_data, &weights, &packed)?;
    let losses = run.backward(of.shape, of.loss_function, &weights, &gradient)?;

    let stride = weights.size()[1];
    let all = [lanes, count(stride)];
    let squares = Tensor::empty(size(&[lanes, PARTS]), (Kind::Double, weights.device()));
    kernels.start(
        Kernel::DropGradient,
        [PARTS, lanes],
        THREADS,
        &[
            run.batch,
            int(stride),
            float(&gradient, &all),
            double(&squares, &[lanes, PARTS]),
        ],
    )?;
    let [(_, mean), (_, other)] = of.optimizer.state();
    kernels.start(
        Kernel::Step,
        [PARTS, lanes],
        THREADS,
        &[
            run.batch,
            int(stride),
            int(PARTS as i64),
            Argument::Int(matches!(of.optimizer, Optimizer::Adam(_)).into()),
            double(&squares, &[lanes, PARTS]),
            double(&losses, &[lanes]),
            float(&gradient, &all),
            float(&weights, &all),
            float(mean, &all),
            float(other, &all),
            double(of.loss_sums, &[lanes]),
            double(of.norm_sums, &[lanes]),
        ],
    )
}

/// Bytes that the runs of a group of lanes may take.
const ROOM: usize = 2 << 30;

/// What the models in these lanes, which are in order, give for series of these lengths, longest first, from zero states and
/// with all weights: scaled, day after day of all series that have it. Waits for the device.
///
/// # Errors
///
/// [`TrialError::Torch`] if a kernel cannot be started.
pub(super) fn simulate(
    kernels: &Kernels,
    of: &LaneTensors<'_>,
    lanes: &[usize],
    starts: &[i64],
    lengths: &[usize],
) -> Result<Vec<Vec<f32>>, TrialError> {
    let days: usize = lengths.iter().sum();
    let width = 8 * count(of.shape.hidden) + count(of.shape.inputs);
    let group = (ROOM / (4 * days * width).max(1)).max(1);
    let header = of_simulation();
    let mut predicted = Vec::new();
    for group in lanes.chunks(group) {
        let (first, last) = (group[0], group[group.len() - 1]);
        let batches: Vec<_> = group
            .iter()
            .map(|lane| Batched {
                lane: lane - first,
                header,
                starts,
                lengths,
            })
            .collect();
        let packed = Packed::of(&batches);
        let weights = of
            .weights
            .narrow(0, first as i64, (last + 1 - first) as i64);
        let run = Pass::forward(kernels, of.shape, of.device_data, &weights, &packed)
            .map_err(TrialError::Torch)?;
        let [.., w_out, b_out] = parameters(of.shape, &weights);
        let product = run.outputs.bmm(&w_out.transpose(1, 2)).squeeze_dim(2);
        let values = values(&(product + b_out));
        let of_lane = |lane: &usize| values[(lane - first) * packed.rows..][..days].to_vec();
        predicted.extend(group.iter().map(of_lane));
    }
    Ok(predicted)
}
