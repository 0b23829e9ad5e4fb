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
