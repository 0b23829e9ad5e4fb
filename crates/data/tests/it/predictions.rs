//! The ensemble's file, read back as netCDF reads it.

use efflux_base::error::Error;
use efflux_data::{
    DaysOf, Ensemble, Filled, HELD, Interval, Member, OBSERVED, Parts, Target, read_predictions,
    write_ensemble,
};
use efflux_job::Part;
use hdf5::types::{FixedAscii, VarLenArray};
use hdf5::{ObjectReference1, ReferencedObject};

use super::small_pack;

fn members(values: usize, sites: &[String]) -> Vec<Member> {
    let member = |seed: u8| Member {
        trial_id: format!("trial-{seed}"),
        seed: seed.into(),
        sites: sites.to_vec(),
        flux: vec![f32::from(seed); values],
        other_state: None,
    };
    (0..3).map(member).collect()
}

#[test]
fn every_axis_of_every_variable_is_a_named_dimension() {
    let folder = tempfile::tempdir().unwrap();
    // A name keeps the file for a look at it with other programs.
    let path = std::env::var_os("EFFLUX_KEEP_PREDICTIONS")
        .map_or(folder.path().join("predictions.nc"), Into::into);
    let mut pack = small_pack(4, 1);
    pack.filled.fill(OBSERVED);
    pack.filled[0] = HELD;
    let names: Vec<String> = pack.dynamic.iter().map(|of| of.name.clone()).collect();
    let filled = Filled::of(&pack, &names);
    let ids: Vec<String> = pack.sites.iter().map(|site| site.id.clone()).collect();
    let members = members(pack.flux.len(), &ids);
    let (mean, sd) = (vec![1.0; pack.flux.len()], vec![1.0; pack.flux.len()]);
    let intervals = [(0.5, 1.0), (0.9, 2.0)].map(|(level, reach)| Interval {
        level,
        lower: vec![1.0 - reach; pack.flux.len()],
        upper: vec![1.0 + reach; pack.flux.len()],
    });
    let mut parts = Parts::unused(4, 365);
    parts[(0, 1)] = Part::Test;
    let ensemble = Ensemble {
        job: "demo",
        pack_digest: &pack.digest,
        calendar: pack.calendar,
        sites: &pack.sites,
        target: &pack.target,
        observed: &pack.flux,
        mean: &mean,
        sd: &sd,
        intervals: &intervals,
        calibrated_on: "validation days",
        members: &members,
        filled: &filled,
        planned: 4,
        days: DaysOf::OwnPack(&parts),
        distances: None,
    };
    write_ensemble(&path, &ensemble).unwrap();

    let file = hdf5::File::open(&path).unwrap();
    let dimensions = |name: &str| -> Vec<String> {
        let list = file.dataset(name).unwrap().attr("DIMENSION_LIST").unwrap();
        let axes = list.read_1d::<VarLenArray<ObjectReference1>>().unwrap();
        let name = |axis: &VarLenArray<ObjectReference1>| match file.dereference(&axis[0]).unwrap()
        {
            ReferencedObject::Dataset(scale) => {
                let class = scale
                    .attr("CLASS")
                    .unwrap()
                    .read_scalar::<FixedAscii<16>>()
                    .unwrap();
                assert_eq!(class.as_str(), "DIMENSION_SCALE");
                scale.name()
            }
            other => panic!("{other:?}"),
        };
        axes.iter().map(name).collect()
    };
    assert_eq!(dimensions("simulated"), ["/member", "/site", "/time"]);
    assert_eq!(dimensions("observed"), ["/site", "/time"]);
    assert_eq!(dimensions("seed"), ["/member"]);
    let flags = file.dataset("inputs_filled").unwrap();
    let flags = flags.read_raw::<u8>().unwrap();
    assert_eq!((flags[0], flags.iter().sum::<u8>()), (HELD, HELD));
    assert_eq!(dimensions("interval_lower"), ["/level", "/site", "/time"]);
    let values = |name: &str| file.dataset(name).unwrap().read_raw::<f32>().unwrap();
    assert_eq!(values("simulated_upper"), intervals[1].upper);
    assert_eq!(values("interval_lower")[..1], intervals[0].lower[..1]);
    let flags = file.dataset("part").unwrap().read_raw::<u8>().unwrap();
    assert_eq!((flags[1], flags.iter().sum::<u8>()), (3, 3));
    let simulated = file.dataset("simulated").unwrap();
    assert_eq!(simulated.shape(), [3, 4, 365]);
    assert_eq!(simulated.read_raw::<f32>().unwrap()[2 * 4 * 365], 2.0);

    // HDF5 takes a dataset for a dimension scale only if a zero ends its class: padding 0, not 1, in a text of 16.
    let first = std::fs::read(&path).unwrap();
    let holds = |text_type: [u8; 8]| first.windows(8).any(|window| window == text_type);
    assert!(holds([0x13, 0, 0, 0, 16, 0, 0, 0]) && !holds([0x13, 1, 0, 0, 16, 0, 0, 0]));
    drop((file, simulated));
    let read = read_predictions(&path).unwrap();
    assert_eq!(read.calendar, pack.calendar);
    assert_eq!((read.sites.len(), read.trials.len()), (4, 3));
    assert_eq!(read.sites[1], pack.sites[1].id);
    assert_eq!(read.mean.values(), &mean[..]);
    let bits = |flux: &[f32]| flux.iter().map(|flux| flux.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&read.observed), bits(&pack.flux));
    write_ensemble(&path, &ensemble).unwrap();
    assert!(std::fs::read(&path).unwrap() == first);

    let target = Target::new("ET", "evapotranspiration", "mm d-1").unwrap();
    let other = folder.path().join("other.nc");
    let of_target = Ensemble {
        target: &target,
        ..ensemble
    };
    write_ensemble(&other, &of_target).unwrap();
    assert!(read.target.is_soil_efflux());
    assert_eq!(read_predictions(&other).unwrap().target, target);
    let bytes = std::fs::read(&other).unwrap();
    let says = |word: &str| {
        bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    };
    assert!(says("observed daily mean evapotranspiration") && says("mm d-1"));
    assert!(!says("CO2") && !says("umol"));

    let short = Ensemble {
        mean: &mean[1..],
        ..ensemble
    };
    assert!(matches!(
        write_ensemble(&path, &short),
        Err(Error::Internal(_))
    ));
    assert!(std::fs::read(&path).unwrap() == first);
}
