//! How days get to the model: the data lie on the device once, and windows are gathered there.

use efflux_data::Tensors;
use tch::{Device, Kind, Tensor};

use super::windows::{Batch, Piece};

/// All inputs of all sites, `[S, D, nx]`: each day's dynamic values, then the site's static ones.
pub(super) fn rows(tensors: &Tensors) -> Vec<f32> {
    let width = tensors.dynamic + tensors.statics;
    let mut values = Vec::with_capacity(tensors.sites * tensors.days * width);
    for site in 0..tensors.sites {
        let statics = &tensors.static_values[site * tensors.statics..][..tensors.statics];
        for day in 0..tensors.days {
            let row = site * tensors.days + day;
            values.extend_from_slice(
                &tensors.dynamic_values[row * tensors.dynamic..][..tensors.dynamic],
            );
            values.extend_from_slice(statics);
        }
    }
    values
}

/// The same on a device.
pub(super) fn inputs(tensors: &Tensors, device: Device) -> Tensor {
    let width = tensors.dynamic + tensors.statics;
    let shape = [tensors.sites, tensors.days, width].map(|size| size as i64);
    Tensor::from_slice(&rows(tensors))
        .view(shape)
        .to_device(device)
}

/// What training reads.
#[derive(Debug)]
pub(super) struct Resident {
    /// `[S·D, nx]`
    inputs: Tensor,
    /// `[S·D]`, 0 where there is none, so that nothing not finite comes near a gradient.
    target: Tensor,
    /// `[S·D]`, what an error of that day weighs; 0 where there is no target.
    weight: Tensor,
    /// 0, 1, 2 … as a column, `[warm-up + window, 1]`.
    offsets: Tensor,
    warm_up: i64,
    /// The first of the rows after all sites, of a window without inputs and targets.
    nowhere: i64,
}

/// A piece of a batch, time first: T days of B windows. Of several trials the first dimension is theirs.
#[derive(Debug)]
pub(super) struct Gathered {
    /// `[T, B, nx]`
    pub inputs: Tensor,
    /// `[T, B]`
    pub target: Tensor,
    /// `[T, B]`; 0 on the days of a warm-up, whatever their targets.
    pub weight: Tensor,
}

impl Resident {
    /// For windows of this many days, each after so many days of warm-up; `site_weights`, `[S]`, is what an error weighs
    /// at each site.
    pub(super) fn new(
        tensors: &Tensors,
        window: usize,
        warm_up: usize,
        site_weights: &[f32],
        device: Device,
    ) -> Self {
        let (longest, width) = (warm_up + window, tensors.dynamic + tensors.statics);
        let nowhere = tensors.sites * tensors.days;
        let mut inputs = rows(tensors);
        inputs.resize((nowhere + longest) * width, 0.0);
        let mut target: Vec<f32> = tensors
            .target
            .iter()
            .map(|target| if target.is_nan() { 0.0 } else { *target })
            .collect();
        target.resize(nowhere + longest, 0.0);
        let mut weight: Vec<f32> = tensors
            .target
            .chunks_exact(tensors.days)
            .zip(site_weights)
            .flat_map(|(days, &weight)| {
                days.iter()
                    .map(move |target| if target.is_nan() { 0.0 } else { weight })
            })
            .collect();
        weight.resize(nowhere + longest, 0.0);
        Self {
            inputs: Tensor::from_slice(&inputs)
                .view([-1, width as i64])
                .to_device(device),
            target: Tensor::from_slice(&target).to_device(device),
            weight: Tensor::from_slice(&weight).to_device(device),
            offsets: Tensor::arange(longest as i64, (Kind::Int64, device)).unsqueeze(1),
            warm_up: warm_up as i64,
            nowhere: nowhere as i64,
        }
    }

    /// The first row of a window that nothing is in, which adds nothing to a loss or to a gradient.
    pub(super) fn nowhere(&self) -> i64 {
        self.nowhere
    }

    /// Gathers a piece of a batch; `starts` are those of its epoch, on the device.
    pub(super) fn gather(&self, starts: &Tensor, batch: &Batch, piece: &Piece) -> Gathered {
        let (days, rows) = (piece.days.len() as i64, piece.rows as i64);
        let starts = starts.narrow(0, batch.rows.start as i64, rows);
        let offsets = self.offsets.narrow(0, piece.days.start as i64, days);
        let index = (offsets + starts).view([-1]); // [T·B]
        let weight = self.weight.index_select(0, &index).view([days, rows]);
        if piece.days.start == 0 && self.warm_up > 0 {
            let _ = weight.narrow(0, 0, self.warm_up).zero_();
        }
        Gathered {
            inputs: self.inputs.index_select(0, &index).view([days, rows, -1]),
            target: self.target.index_select(0, &index).view([days, rows]),
            weight,
        }
    }

    /// The first days of windows of several trials that begin at these rows, `[L, B]`: `[L, T, B, nx]` and `[L, T, B]`.
    pub(super) fn windows(&self, starts: &Tensor, days: usize) -> Gathered {
        let (lanes, series) = starts.size2().expect("lanes and windows");
        let days = days as i64;
        let offsets = self.offsets.narrow(0, 0, days);
        let index = (offsets + starts.unsqueeze(1)).view([-1]); // [L·T·B]
        let weight = self.weight.index_select(0, &index);
        let weight = weight.view([lanes, days, series]);
        if self.warm_up > 0 {
            let _ = weight.narrow(1, 0, self.warm_up.min(days)).zero_();
        }
        let of = |values: &Tensor| values.index_select(0, &index);
        Gathered {
            inputs: of(&self.inputs).view([lanes, days, series, -1]),
            target: of(&self.target).view([lanes, days, series]),
            weight,
        }
    }

    /// The inputs of these rows, `[T, B]`, as `[T, B, nx]`. A row beyond the last is the last.
    pub(super) fn days(&self, rows: &Tensor) -> Tensor {
        let last = self.inputs.size()[0] - 1;
        let (days, width) = rows.size2().expect("a matrix of rows");
        self.inputs
            .index_select(0, &rows.clamp_max(last).view([-1]))
            .view([days, width, -1])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::loss::batch_loss;
    use crate::windows::pieces;
    use crate::{Form, Lstm, Masks, Sampler, Shape};
    use efflux_data::Scale;
    use efflux_job::{Sampling, Transformation};
    use efflux_numerics::random::{Purpose, Stream};

    const SITES: usize = 9;
    const DAYS: usize = 160;
    const WINDOW: usize = 30;
    const POSSIBLE: u32 = 130; // DAYS − WINDOW
    const SHAPE: Shape = Shape {
        inputs: 5,
        hidden: 16,
    };

    /// A third of the sites has a block of targets, another third has single days, the others have none.
    pub(crate) fn tensors() -> Tensors {
        let mut stream = Stream::new(5, Purpose::Starts, 0, 0);
        let mut values = |count| -> Vec<f32> {
            (0..count)
                .map(|_| stream.below(1000) as f32 / 1000.0)
                .collect()
        };
        let mut target = values(SITES * DAYS);
        for (row, value) in target.iter_mut().enumerate() {
            let (site, day) = (row / DAYS, row % DAYS);
            let present = match site % 3 {
                0 => (60..90).contains(&day),
                1 => day % 71 == 3,
                _ => false,
            };
            if !present {
                *value = f32::NAN;
            }
        }
        Tensors {
            sites: SITES,
            days: DAYS,
            dynamic: 3,
            statics: 2,
            dynamic_values: values(SITES * DAYS * 3),
            static_values: values(SITES * 2),
            observed: target.clone(),
            target,
            scale: Scale {
                transformation: Transformation::None,
                min: 0.0,
                max: 1.0,
            },
            parts: Vec::new(),
            site_ids: Vec::new(),
        }
    }

    /// The gradient of a batch that is run in these pieces.
    fn gradient(
        resident: &Resident,
        starts: &[i64],
        batch: &Batch,
        pieces: &[Piece],
        kind: Kind,
    ) -> Vec<f64> {
        let model = Lstm::initial(SHAPE, 1, kind, Device::Cpu);
        let mut stream = Stream::new(1, Purpose::Masks, 0, 0);
        let masks = Masks::draw(&mut stream, SHAPE, 0.2);
        let masks = Masks {
            input: masks.input.to_kind(kind),
            recurrent: masks.recurrent.to_kind(kind),
        };
        let starts = Tensor::from_slice(starts);
        let gathered = pieces
            .iter()
            .map(|piece| resident.gather(&starts, batch, piece))
            .map(|data| Gathered {
                inputs: data.inputs.to_kind(kind),
                target: data.target.to_kind(kind),
                weight: data.weight.to_kind(kind),
            });
        let loss = batch_loss(&model, Some(&masks), Form::Square, gathered, batch.targets);
        let gradient = Tensor::zeros([SHAPE.weights()], (kind, Device::Cpu));
        model.gradient(&loss, &gradient);
        Vec::try_from(gradient.to_kind(Kind::Double)).unwrap()
    }

    /// How far two gradients are apart, relative to the length of the second.
    pub(crate) fn distance(found: &[f64], expected: &[f64]) -> f64 {
        let length = |vector: &[f64]| vector.iter().map(|v| v * v).sum::<f64>().sqrt();
        let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
        length(&difference) / length(expected)
    }

    /// The windows of an iteration, none left out and none cut short.
    fn full(iteration: u32, targets: u32) -> (Vec<i64>, Batch, Piece) {
        let mut stream = Stream::new(3, Purpose::Starts, 0, iteration);
        let starts = (0..SITES)
            .map(|site| (site * DAYS) as i64 + i64::from(stream.below(POSSIBLE)))
            .collect();
        let batch = Batch {
            rows: 0..SITES,
            lengths: vec![WINDOW; SITES],
            targets,
        };
        let piece = Piece {
            rows: SITES,
            days: 0..WINDOW,
        };
        (starts, batch, piece)
    }

    #[test]
    fn leaving_out_what_holds_no_target_changes_no_gradient() {
        crate::device::set_threads(1);
        let tensors = tensors();
        let resident = Resident::new(&tensors, WINDOW, 0, &[1.0; SITES], Device::Cpu);
        let sampler = Sampler::new(&tensors, WINDOW, 0, Sampling::Uniform);
        let epoch = sampler.epoch(3, 0, 20);
        let mut cut = 0;
        for (iteration, batch) in (0..).zip(&epoch.batches) {
            assert!(batch.rows.len() < SITES);
            if batch.targets == 0 {
                continue;
            }
            let (every, whole, piece) = full(iteration, batch.targets);
            // The sums are the same but their order is not: a unit or two in the last place of either precision.
            for (kind, tolerance) in [(Kind::Double, 5e-16), (Kind::Float, 2.4e-7)] {
                let expected = gradient(
                    &resident,
                    &every,
                    &whole,
                    std::slice::from_ref(&piece),
                    kind,
                );
                for cost in [0, 20, 10_000] {
                    let pieces = pieces(&batch.lengths, cost);
                    cut += usize::from(pieces.len() > 1);
                    let found = gradient(&resident, &epoch.starts, batch, &pieces, kind);
                    let relative = distance(&found, &expected);
                    assert!(relative <= tolerance, "{kind:?}, {pieces:?}: {relative:e}");
                }
            }
        }
        assert!(cut > 10, "only {cut} batches were cut");
    }
}
