//! What a GPU computes beside what a processor computes. `EFFLUX_TEST_DEVICE=cuda` has these run (docs/setup.md), and
//! with them the golden numbers and the lanes on that GPU.

use efflux::job::{Backend, DeviceChoice, Training};
use efflux::model::device::Device;

use crate::harness::{Study, left_out, of_epochs, other_device};
use crate::model::lanes::{alone, assert_same};
use crate::model::options::variants;

fn gpu(test: &str) -> Option<(DeviceChoice, Device)> {
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
    let Some((_, device)) = gpu("training on a GPU beside a processor") else {
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
    let Some((_, device)) = gpu("a seed twice on a GPU") else {
        return;
    };
    for training in by_torch() {
        let [first, second] = [0, 1].map(|_| alone(0, &training, device));
        assert_eq!(first.0, second.0);
    }
}

#[test]
fn a_sweep_trains_on_a_gpu_with_several_slots_and_lanes() {
    let Some((choice, _)) = gpu("a sweep on a GPU") else {
        return;
    };
    let (name, recorded) = match choice {
        DeviceChoice::Cuda => ("cuda", "cuda 0"),
        _ => ("cpu", "cpu "),
    };
    let study = Study::with(&of_epochs(2));
    for [slots, lanes] in [["1", "1"], ["2", "1"], ["2", "3"]] {
        let run = format!("{slots}-{lanes}");
        let arguments = ["sweep", "job.toml", "--run-dir", &run, "--device", name];
        let slots = ["--slots", slots, "--lanes", lanes];
        study.run(&[&arguments[..], &slots].concat()).ok();
        let records = study.records(&run);
        assert_eq!(records.len(), 6);
        for record in records {
            let device = record.place.device;
            assert!(device.starts_with(recorded), "{device}");
        }
    }
}
