//! The data on the device: they are copied there once, and windows are gathered there.

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
            let row = tensors.target.place(site, day);
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
pub(super) struct DeviceData {
    /// `[S·D, nx]`
    inputs: Tensor,
    /// `[S·D]`, 0 where there is none, so that nothing not finite comes near a gradient.
    target: Tensor,
    /// `[S·D]`, weight of the error of that day; 0 where there is no target.
    weight: Tensor,
    /// 0, 1, 2 … as a column, `[warm-up + window, 1]`.
    offsets: Tensor,
    warm_up: i64,
    /// First row of an empty window: behind the data there are as many rows of zeros as a window has days.
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

impl DeviceData {
    /// For windows of this many days, each after so many days of warm-up.
    ///
    /// * `site_weights`: weight of an error at each site, `[S]`.
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
            .rows()
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

    /// First row of a window without inputs and targets, which adds nothing to a loss or to a gradient.
    pub(super) fn nowhere(&self) -> i64 {
        self.nowhere
    }

    /// All days: inputs `[S·D, nx]`, targets and what their errors weigh `[S·D]`, and rows without any behind them.
    pub(super) fn all(&self) -> (&Tensor, &Tensor, &Tensor) {
        (&self.inputs, &self.target, &self.weight)
    }

    /// Days of a window before the first whose error counts.
    pub(super) fn warm_up(&self) -> i64 {
        self.warm_up
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

    /// The first days of the windows of several trials, as `[L, T, B, nx]` and `[L, T, B]`.
    ///
    /// * `starts`: first row of each window, `[L, B]`.
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

    /// The inputs of these rows, `[T, B]`, as `[T, B, nx]`. Rows beyond the last one read the last one.
    pub(super) fn days(&self, rows: &Tensor) -> Tensor {
        let last = self.inputs.size()[0] - 1;
        let (days, width) = rows.size2().expect("a matrix of rows");
        self.inputs
            .index_select(0, &rows.clamp_max(last).view([-1]))
            .view([days, width, -1])
    }
}
