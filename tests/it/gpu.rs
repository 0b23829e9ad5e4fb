//! A sweep on the device that `EFFLUX_TEST_DEVICE` names (docs/setup.md).

use efflux_testing::{left_out, other_device};

use crate::harness::{Study, of_epochs};

#[test]
fn a_sweep_trains_on_a_gpu_with_several_slots_and_lanes() {
    let Some(name) = other_device() else {
        left_out("a sweep on a GPU", "EFFLUX_TEST_DEVICE names no device");
        return;
    };
    let recorded = if name == "cuda" { "cuda 0" } else { "cpu " };
    let study = Study::with(&of_epochs(2));
    for [slots, lanes] in [["1", "1"], ["2", "1"], ["2", "3"]] {
        let run = format!("{slots}-{lanes}");
        let arguments = ["sweep", "job.toml", "--run-dir", &run, "--device", &name];
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
