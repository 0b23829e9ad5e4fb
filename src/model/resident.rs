//! How days get to the model: the data lie on the device once, and windows are gathered there.

use tch::{Device, Kind, Tensor};

use super::windows::Batch;
use crate::data::Tensors;

/// All inputs of all sites on a device, `[S, D, nx]`: each day's dynamic values, then the site's static ones.
pub(super) fn inputs(tensors: &Tensors, device: Device) -> Tensor {
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
    let shape = [tensors.sites, tensors.days, width].map(|size| size as i64);
    Tensor::from_slice(&values).view(shape).to_device(device)
}

/// What training reads.
#[derive(Debug)]
pub(super) struct Resident {
    /// `[S·D, nx]`
    inputs: Tensor,
    /// `[S·D]`, 0 where there is none, so that nothing not finite comes near a gradient.
    target: Tensor,
    /// `[S·D]`, 1 where there is a target, else 0.
    present: Tensor,
    /// 0, 1, 2 … as a column, `[window, 1]`.
    offsets: Tensor,
}

/// One batch, time first.
#[derive(Debug)]
pub(super) struct Gathered {
    /// `[T, B, nx]`
    pub inputs: Tensor,
    /// `[T, B]`
    pub target: Tensor,
    /// `[T, B]`
    pub present: Tensor,
}

impl Resident {
    pub(super) fn new(tensors: &Tensors, window: usize, device: Device) -> Self {
        let target = Tensor::from_slice(&tensors.target).to_device(device);
        Self {
            inputs: inputs(tensors, device).flatten(0, 1),
            present: target.isnan().logical_not().to_kind(Kind::Float),
            target: target.nan_to_num(0.0, None, None),
            offsets: Tensor::arange(window as i64, (Kind::Int64, device)).unsqueeze(1),
        }
    }

    /// Gathers a batch that has rows; `starts` are those of its epoch, on the device.
    pub(super) fn gather(&self, starts: &Tensor, batch: &Batch) -> Gathered {
        let (days, rows) = (batch.days as i64, batch.rows.len() as i64);
        let starts = starts.narrow(0, batch.rows.start as i64, rows);
        let index = (self.offsets.narrow(0, 0, days) + starts).view([-1]); // [T·B]
        Gathered {
            inputs: self.inputs.index_select(0, &index).view([days, rows, -1]),
            target: self.target.index_select(0, &index).view([days, rows]),
            present: self.present.index_select(0, &index).view([days, rows]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scale;
    use crate::job::Transformation;
    use crate::model::{Lstm, Masks, Mode, Purpose, Sampler, Shape, Stream, masked_mse};

    const SITES: usize = 9;
    const DAYS: usize = 160;
    const WINDOW: usize = 30;
    const POSSIBLE: u32 = 130; // DAYS − WINDOW
    const SHAPE: Shape = Shape {
        inputs: 5,
        hidden: 16,
    };

    /// A third of the sites has a block of targets, another third has single days, the others have none.
    fn tensors() -> Tensors {
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

    fn gradient(resident: &Resident, starts: &[i64], batch: &Batch, kind: Kind) -> Vec<f64> {
        let model = Lstm::initial(SHAPE, 1, kind, Device::Cpu);
        let mut stream = Stream::new(1, Purpose::Masks, 0, 0);
        let masks = Masks::draw(&mut stream, SHAPE, 0.2, Device::Cpu);
        let data = resident.gather(&Tensor::from_slice(starts), batch);
        let state = model.zero_state(batch.rows.len() as i64);
        let masks = Masks {
            input: masks.input.to_kind(kind),
            recurrent: masks.recurrent.to_kind(kind),
        };
        let inputs = data.inputs.to_kind(kind);
        let (predicted, _) = model.forward(&inputs, &state, Mode::Fit(Some(&masks)));
        let loss = masked_mse(&predicted, &data.target, &data.present, batch.targets);
        let gradient = Tensor::zeros([SHAPE.weights()], (kind, Device::Cpu));
        model.gradient(&loss, &gradient);
        Vec::try_from(gradient.to_kind(Kind::Double)).unwrap()
    }

    #[test]
    fn leaving_out_what_holds_no_target_changes_no_gradient() {
        crate::model::device::set_threads(1);
        let tensors = tensors();
        let resident = Resident::new(&tensors, WINDOW, Device::Cpu);
        let sampler = Sampler::new(&tensors, WINDOW);
        let epoch = sampler.epoch(3, 0, 20);
        assert!(epoch.batches.iter().any(|batch| batch.days < WINDOW));
        for (iteration, batch) in (0..).zip(&epoch.batches) {
            assert!(batch.rows.len() < SITES);
            if batch.targets == 0 {
                continue;
            }
            // The draws of the sampler, none left out.
            let mut stream = Stream::new(3, Purpose::Starts, 0, iteration);
            let every: Vec<i64> = (0..SITES)
                .map(|site| (site * DAYS) as i64 + i64::from(stream.below(POSSIBLE)))
                .collect();
            let full = Batch {
                rows: 0..SITES,
                days: WINDOW,
                targets: batch.targets,
            };
            // The sums are the same but their order is not: a few units in the last place of either precision.
            for (kind, tolerance) in [(Kind::Double, 1e-15), (Kind::Float, 3e-7)] {
                let expected = gradient(&resident, &every, &full, kind);
                let found = gradient(&resident, &epoch.starts, batch, kind);
                let length = |vector: &[f64]| vector.iter().map(|v| v * v).sum::<f64>().sqrt();
                let difference: Vec<f64> =
                    found.iter().zip(&expected).map(|(a, b)| a - b).collect();
                let relative = length(&difference) / length(&expected);
                assert!(relative <= tolerance, "{kind:?}: {relative:e}");
            }
        }
    }
}
