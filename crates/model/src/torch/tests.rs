use super::*;
use crate::windows::{Piece, pieces};
use crate::{Cell, Dropped, Head, Layout, LossFunction, Masks, Network, Sampler, Shape};
use efflux_data::{Parts, Scale};
use efflux_job::{Sampling, Transformation};
use efflux_numerics::SiteByDay;
use efflux_numerics::random::{Purpose, Stream};

const SITES: usize = 9;
const DAYS: usize = 160;
const WINDOW: usize = 30;
const POSSIBLE: u32 = 130; // DAYS − WINDOW
const SHAPE: Shape = Shape {
    cell: Cell::Lstm,
    inputs: 5,
    hidden: 16,
    head: Head::Shared,
    layers: 1,
    embedding: 0,
    sites: 0,
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
        observed: SiteByDay::of(DAYS, target.clone()),
        target: SiteByDay::of(DAYS, target),
        scale: Scale {
            transformation: Transformation::None,
            min: 0.0,
            max: 1.0,
        },
        parts: Parts::unused(SITES, DAYS),
        held_out: Vec::new(),
        site_ids: Vec::new(),
        heads: (0..SITES).map(Some).collect(),
    }
}

/// The gradient of a batch that is run in these pieces.
fn gradient(
    device_data: &DeviceData,
    starts: &[i64],
    batch: &Batch,
    pieces: &[Piece],
    kind: Kind,
    shape: Shape,
) -> Vec<f64> {
    let model = Network::initial(shape, 1, kind, Device::Cpu);
    let mut stream = Stream::new(1, Purpose::Masks, 0, 0);
    let masks = Masks::draw(&mut stream, &Layout::of(shape), 0.2);
    let masks = Masks(masks.0.iter().map(|mask| mask.to_kind(kind)).collect());
    // Every other day of the first layer is dropped.
    let (days, series) = (batch.lengths[0] as i64, batch.lengths.len() as i64);
    let sizes = [shape.layers - 1, days, series, shape.hidden];
    let factors = Tensor::ones(sizes, (kind, Device::Cpu))
        .cumsum(1, kind)
        .remainder(2.0);
    let dropped = Dropped {
        weights: Some(&masks),
        between: Some(&factors).filter(|_| shape.layers > 1),
    };
    let starts = Tensor::from_slice(starts);
    let gathered = pieces
        .iter()
        .map(|piece| device_data.gather(&starts, batch, piece))
        .map(|data| Gathered {
            inputs: data.inputs.to_kind(kind),
            target: data.target.to_kind(kind),
            weight: data.weight.to_kind(kind),
        });
    let predicted = forward(&model, dropped, None, gathered);
    let loss = loss(LossFunction::Square, &predicted, batch.targets);
    let gradient = Tensor::zeros([shape.weights()], (kind, Device::Cpu));
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
    let device_data = DeviceData::new(&tensors, WINDOW, 0, &[1.0; SITES], Device::Cpu);
    let sampler = Sampler::new(&tensors, WINDOW, 0, Sampling::Uniform, None);
    let epoch = sampler.epoch(3, 0, 20);
    let mut cut = 0;
    for (iteration, batch) in (0..).zip(&epoch.batches) {
        assert!(batch.rows.len() < SITES);
        if batch.targets == 0 {
            continue;
        }
        let (every, whole, piece) = full(iteration, batch.targets);
        // The sums are the same but their order is not: a unit or two in the last place of either precision, and more where
        // one layer reads what another made of them.
        for (kind, shape, tolerance) in [
            (Kind::Double, SHAPE, 5e-16),
            (Kind::Float, SHAPE, 2.4e-7),
            (Kind::Double, SHAPE.stacked(2), 1e-12),
        ] {
            let expected = gradient(
                &device_data,
                &every,
                &whole,
                std::slice::from_ref(&piece),
                kind,
                shape,
            );
            for cost in [0, 20, 10_000] {
                let pieces = pieces(&batch.lengths, cost);
                cut += usize::from(pieces.len() > 1);
                let found = gradient(&device_data, &epoch.starts, batch, &pieces, kind, shape);
                let relative = distance(&found, &expected);
                assert!(relative <= tolerance, "{kind:?}, {pieces:?}: {relative:e}");
            }
        }
    }
    assert!(cut > 10, "only {cut} batches were cut");
}
