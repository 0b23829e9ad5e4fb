//! An update of all lanes by the kernels of `update.cu`, and libtorch's products of matrices between them.
//!
//! The same update as by [`network`](super::network) and [`Optimizer`], in twenty calls instead of five hundred: on a GPU a
//! call takes the host longer than most of them take the device. Days on which a lane's batch has no window left are not
//! computed.

use tch::{Device, Kind, Tensor};

use super::LaneTask;
use super::kernels::{Argument, Batch, Kernel, Kernels};
use crate::device::send;
use crate::failure::TrialError;
use crate::loss::Form;
use crate::lstm::Shape;
use crate::optimizer::{BETAS, Optimizer, correction};
use crate::resident::Resident;

/// Numbers of a lane's header, `HEADER` of `update.cu`.
const HEADER: usize = 12;
/// Windows that one block runs through all days, `WINDOWS` of `update.cu`.
const WINDOWS: usize = 8;
/// Blocks that share the weights of a lane.
const PARTS: usize = 32;
/// Threads of the kernels that do not run through days.
const THREADS: i64 = 256;

/// What an update reads and writes.
pub(super) struct Lanes<'l> {
    pub(super) shape: Shape,
    pub(super) form: Form,
    pub(super) resident: &'l Resident,
    /// `[K, stride]`, as are gradient and the optimizer's memory.
    pub(super) weights: &'l Tensor,
    pub(super) gradient: &'l Tensor,
    pub(super) optimizer: &'l Optimizer,
    /// `[K]`, in f64.
    pub(super) loss_sums: &'l Tensor,
    pub(super) norm_sums: &'l Tensor,
}

/// The batches of all lanes as the kernels read them, and their sizes.
struct Words {
    words: Vec<i32>,
    lanes: usize,
    windows: usize,
    days: usize,
    /// The most rows that a lane has.
    rows: usize,
}

impl Words {
    fn of(tasks: &[LaneTask<'_>], decay: f64) -> Self {
        let lanes = tasks.last().map_or(0, |task| task.lane + 1);
        let most = |of: fn(&LaneTask<'_>) -> usize| tasks.iter().map(of).max().unwrap_or(0).max(1);
        let windows = most(|task| task.task.starts.len());
        let days = most(|task| task.task.batch.lengths.first().copied().unwrap_or(0));
        let rows = most(|task| task.task.batch.lengths.iter().sum()).next_multiple_of(8);
        // Even, because a header begins with a number of 64 bits.
        let width = (HEADER + windows + days + 1).next_multiple_of(2);
        let mut words = vec![0; lanes * width];
        for task in tasks {
            let row = &mut words[task.lane * width..][..width];
            let (header, rest) = row.split_at_mut(HEADER);
            header.copy_from_slice(&head(task, decay));
            let (starts, offsets) = rest.split_at_mut(windows);
            for (to, &start) in starts.iter_mut().zip(task.task.starts) {
                *to = i32::try_from(start).expect("days of all sites");
            }
            let lengths = &task.task.batch.lengths;
            let (mut before, mut running) = (0, lengths.len());
            for (day, offset) in offsets.iter_mut().take(days + 1).enumerate() {
                *offset = before;
                while running > 0 && lengths[running - 1] <= day {
                    running -= 1;
                }
                before += i32::try_from(running).expect("windows of a batch");
            }
        }
        Self {
            words,
            lanes,
            windows,
            days,
            rows,
        }
    }
}

/// `struct Lane` of `update.cu`.
#[allow(
    clippy::cast_possible_truncation,
    reason = "halves of a number of 64 bits, and numbers that kernels take with 32"
)]
fn head(task: &LaneTask<'_>, decay: f64) -> [i32; HEADER] {
    let (step, dropout) = (task.task.step, task.dropout);
    let state = task.task.masks.state();
    let (threshold, keep) = crate::masks::rule(dropout);
    let [first, second] = BETAS.map(|beta| correction(beta, step.number));
    let float = |value: f64| (value as f32).to_bits().cast_signed();
    [
        (state as u32).cast_signed(),
        ((state >> 32) as u32).cast_signed(),
        1,
        task.task.batch.targets.cast_signed(),
        i32::from(threshold),
        keep.to_bits().cast_signed(),
        float(step.clip.unwrap_or(0.0)),
        float(step.rate),
        float(first),
        float(second),
        float(decay),
        0,
    ]
}

/// Gradients and steps of all lanes with a task, as [`Lanes::learn`](super::Lanes::learn) makes them.
///
/// # Errors
///
/// [`TrialError::Torch`] if a kernel cannot be started.
pub(super) fn learn(
    kernels: &Kernels,
    of: &Lanes<'_>,
    tasks: &[LaneTask<'_>],
    device: Device,
) -> Result<(), TrialError> {
    run(kernels, of, tasks, device).map_err(TrialError::Torch)
}

fn run(
    kernels: &Kernels,
    of: &Lanes<'_>,
    tasks: &[LaneTask<'_>],
    device: Device,
) -> Result<(), String> {
    let Words {
        words,
        lanes,
        windows,
        days,
        rows,
    } = Words::of(tasks, of.optimizer.decay());
    let (hidden, inputs) = (of.shape.hidden as usize, of.shape.inputs as usize);
    let stride = of.weights.size()[1];
    let size = |sizes: &[usize]| sizes.iter().map(|&size| size as i64).collect::<Vec<_>>();
    let floats = |sizes: &[usize]| Tensor::empty(size(sizes), (Kind::Float, device));
    let doubles = |sizes: &[usize]| Tensor::empty(size(sizes), (Kind::Double, device));
    let words = send(&words, device).view([lanes as i64, -1]);
    let batch = Argument::Batch(Batch::new(&words, windows, days, rows));
    let float = |tensor: &Tensor, sizes: &[usize]| {
        Argument::numbers(tensor, Kind::Float, sizes.iter().product())
    };
    let all = [lanes, stride as usize];
    let at_all = |tensor: &Tensor| float(tensor, &all);
    let double =
        |tensor: &Tensor, sizes: &[usize]| Argument::numbers(tensor, Kind::Double, sizes.iter().product());
    let stride_of = Argument::Int(i32::try_from(stride).expect("weights of a model"));

    let [x, y, counts] = [&[lanes, rows, inputs][..], &[lanes, rows], &[lanes, rows]].map(floats);
    let wide = [lanes, rows, hidden];
    let [cells, outputs, before] = [(); 3].map(|()| floats(&wide));
    let (data, target, weight) = of.resident.all();
    kernels.start(
        Kernel::Gather,
        [rows.div_ceil(32).min(16), lanes],
        THREADS,
        &[
            batch,
            Argument::Int(i32::try_from(of.resident.warm_up()).expect("days")),
            float(data, &[1]),
            float(target, &[1]),
            float(weight, &[1]),
            float(&x, &[lanes, rows, inputs]),
            float(&y, &[lanes, rows]),
            float(&counts, &[lanes, rows]),
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
            stride_of,
            at_all(of.weights),
            float(&input, &square),
            float(&recurrent, &square),
            float(&turned, &square),
        ],
    )?;

    let used = |tensor: &Tensor| tensor.narrow(0, 0, lanes as i64);
    let [w_in, b_in, _, _, b_ih, b_hh, ..] = of.shape.split_rows(&used(of.weights));
    let layer = |values: &Tensor, weight: &Tensor, bias: &Tensor| {
        bias.unsqueeze(1)
            .baddbmm(values, &weight.transpose(1, 2), 1.0, 1.0)
    };
    let activated = layer(&x, &w_in, &b_in).relu_();
    let gates = layer(&activated, &input, &(b_ih + b_hh));

    let blocks = [windows.div_ceil(WINDOWS), lanes];
    let deep = [lanes, rows, 4 * hidden];
    kernels.start(
        Kernel::Forward,
        blocks,
        4 * of.shape.hidden,
        &[
            batch,
            float(&turned, &square),
            float(&gates, &deep),
            float(&cells, &wide),
            float(&outputs, &wide),
            float(&before, &wide),
        ],
    )?;
    let (slopes, losses) = (floats(&[lanes, rows]), doubles(&[lanes]));
    #[allow(
        clippy::cast_possible_truncation,
        reason = "kernels compute with 32 bits"
    )]
    let delta = match of.form {
        Form::Square => 0.0,
        Form::Huber { delta } => delta as f32,
    };
    kernels.start(
        Kernel::OutputLayer,
        [lanes, 1],
        THREADS,
        &[
            batch,
            stride_of,
            Argument::Float(delta),
            at_all(of.weights),
            float(&outputs, &wide),
            float(&y, &[lanes, rows]),
            float(&counts, &[lanes, rows]),
            float(&gates, &deep),
            float(&slopes, &[lanes, rows]),
            double(&losses, &[lanes]),
            at_all(of.gradient),
        ],
    )?;
    kernels.start(
        Kernel::Backward,
        blocks,
        4 * of.shape.hidden,
        &[
            batch,
            stride_of,
            at_all(of.weights),
            float(&recurrent, &square),
            float(&cells, &wide),
            float(&slopes, &[lanes, rows]),
            float(&gates, &deep),
        ],
    )?;

    let [g_in, mut gb_in, g_ih, g_hh, mut gb_ih, mut gb_hh, ..] =
        of.shape.split_rows(&used(of.gradient));
    let sum = |values: &Tensor| values.sum_dim_intlist([1].as_slice(), false, None::<Kind>);
    let falling = gates.transpose(1, 2);
    let _ = falling.bmm_out(&g_ih, &activated);
    let _ = falling.bmm_out(&g_hh, &before);
    let biases = sum(&gates);
    gb_ih.copy_(&biases);
    gb_hh.copy_(&biases);
    let inner = activated.threshold_backward(&gates.bmm(&input), 0);
    let _ = inner.transpose(1, 2).bmm_out(&g_in, &x);
    gb_in.copy_(&sum(&inner));

    let squares = doubles(&[lanes, PARTS]);
    kernels.start(
        Kernel::DropGradient,
        [PARTS, lanes],
        THREADS,
        &[
            batch,
            stride_of,
            at_all(of.gradient),
            double(&squares, &[lanes, PARTS]),
        ],
    )?;
    let [(_, mean), (_, other)] = of.optimizer.state();
    kernels.start(
        Kernel::Step,
        [PARTS, lanes],
        THREADS,
        &[
            batch,
            stride_of,
            Argument::Int(PARTS as i32),
            Argument::Int(matches!(of.optimizer, Optimizer::Adam(_)).into()),
            double(&squares, &[lanes, PARTS]),
            double(&losses, &[lanes]),
            at_all(of.gradient),
            at_all(of.weights),
            at_all(mean),
            at_all(other),
            double(of.loss_sums, &[lanes]),
            double(of.norm_sums, &[lanes]),
        ],
    )
}
