//! Weights and checkpoints on disk, and the device they are made on.

use std::fs;

use efflux_job::{Backend, DeviceChoice, Training};
use efflux_model::backend;
use efflux_model::checkpoint::{Checkpoint, load_weights, save_weights};
use efflux_model::device::{self, Device};
use efflux_model::{Flow, Layout, Network, Shape};
use safetensors::SafeTensors;
use tch::Kind;

use super::{tensors, trainer};

#[test]
fn weights_come_back_from_a_file_that_torch_can_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let trained = trainer(&tensors(), 1, 1)
        .run(&mut |_| Flow::Continue)
        .unwrap();
    save_weights(&trained.model, &path).unwrap();

    let loaded = load_weights(&path).unwrap();
    assert_eq!(loaded.shape(), trained.model.shape());
    assert_eq!(loaded.flat(), trained.model.flat());

    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let layout = Layout::of(loaded.shape());
    assert_eq!(file.len(), layout.parameters().len());
    assert_eq!(file.tensor("lstm.weight_hh_l0").unwrap().shape(), [32, 8]);
    assert_eq!(file.tensor("input.weight").unwrap().shape(), [8, 5]);
    // The same model gives the same bytes, and nothing is left beside them.
    save_weights(&loaded, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn weights_of_several_layers_come_back_as_so_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    for layers in 1..=3 {
        let shape = Shape::lstm(5, 8).stacked(layers);
        let model = Network::initial(shape, 3, Kind::Float, Device::Cpu);
        save_weights(&model, &path).unwrap();
        let loaded = load_weights(&path).unwrap();
        assert_eq!((loaded.shape(), loaded.flat()), (shape, model.flat()));
        let bytes = fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let highest = format!("lstm.weight_ih_l{}", layers - 1);
        assert_eq!(file.tensor(&highest).unwrap().shape(), [32, 8]);
    }
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_another_trial_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let _ = trainer(&tensors(), 1, 3).run(&mut |progress| {
        progress.checkpoint().save("aa", &path).unwrap();
        Flow::Stop
    });
    let complete = Checkpoint::load("aa", &path).unwrap();
    assert!(complete.device.starts_with("cpu "), "{}", complete.device);
    assert_eq!(load_weights(&path).unwrap().shape(), complete.shape);

    let refused = |trial: &str, expected: &str| {
        let error = Checkpoint::load(trial, &path).unwrap_err().to_string();
        assert!(
            error.contains("checkpoint.safetensors") && error.contains(expected),
            "{error}"
        );
    };
    refused("bb", "of trial aa, expected bb");
    let bytes = fs::read(&path).unwrap();
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&path, &flipped).unwrap();
    refused("aa", "damaged");
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused("aa", "damaged");
    fs::write(&path, b"").unwrap();
    refused("aa", "is empty");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let trained = trainer(&tensors(), 1, 1)
        .run(&mut |_| Flow::Continue)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file").join("weights.safetensors");
    let error = save_weights(&trained.model, &path).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_cpu_is_described_with_its_instruction_set_level_and_threads() {
    assert_eq!(device::open(DeviceChoice::Cpu).unwrap(), Device::Cpu);
    let described = |backend, threads| {
        let training = Training {
            backend,
            threads,
            ..Training::default()
        };
        backend::describe(Device::Cpu, &training)
    };
    let level = described(Backend::Auto, 1).replace(", native", "");
    assert!(level.starts_with("cpu "), "{level}");
    assert_eq!(described(Backend::Native, 1), format!("{level}, native"));
    assert_eq!(described(Backend::Torch, 1), format!("{level}, 1 thread"));
    assert_eq!(described(Backend::Auto, 2), format!("{level}, 2 threads"));
}

#[test]
fn a_gpu_that_is_not_there_is_an_error_when_asked_for_and_none_otherwise() {
    let automatic = device::open(DeviceChoice::Auto).unwrap();
    match device::open(DeviceChoice::Cuda) {
        Ok(device) => assert_eq!(automatic, device),
        Err(error) => {
            assert_eq!(automatic, Device::Cpu);
            assert!(error.to_string().starts_with("device: "), "{error}");
        }
    }
}
