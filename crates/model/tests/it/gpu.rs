//! What a GPU computes beside what a processor computes. `EFFLUX_TEST_DEVICE=cuda` has these run (docs/setup.md), and
//! with them the golden numbers and the lanes on that GPU.

use efflux_job::{Backend, Training};
use efflux_model::device::Device;
use efflux_testing::left_out;

use crate::lanes::{alone, assert_same, in_lanes};
use crate::options::variants;
use crate::other_device;

fn gpu(test: &str) -> Option<Device> {
    let found = other_device();
    if found.is_none() {
        left_out(test, "EFFLUX_TEST_DEVICE names no device");
    }
    found
}

fn by_torch() -> [Training; 3] {
    let backend = Backend::Torch;
    variants().map(|training| Training {
        backend,
        ..training
    })
}

#[test]
fn a_gpu_trains_what_a_processor_trains() {
    let Some(device) = gpu("training on a GPU beside a processor") else {
        return;
    };
    for training in by_torch() {
        for trial in [0, 1] {
            let expected = alone(trial, &training, Device::Cpu);
            assert_same(&alone(trial, &training, device), &expected, 1e-3);
        }
    }
}

#[test]
fn a_seed_gives_the_same_weights_on_a_gpu_every_time() {
    let Some(device) = gpu("a seed twice on a GPU") else {
        return;
    };
    for training in by_torch() {
        let [first, second] = [0, 1].map(|_| alone(0, &training, device));
        assert_eq!(first.0, second.0);
        let [first, second] = [0, 1].map(|_| in_lanes(&[training; 4], device));
        for (first, second) in first.iter().zip(&second) {
            assert_eq!(first.0, second.0, "in lanes");
        }
    }
}
