//! The pack's file: what comes back, and what is refused.

use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Exit};
use efflux_data::{Pack, Target};
use efflux_ingest::inspect;
use efflux_numerics::SiteByDay;

use super::small_pack;

fn written(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("pack.h5");
    small_pack(3, 2).write(&path).unwrap();
    path
}

/// The message of a pack that cannot be read; it must be a fault of the data or the file system.
fn refused(path: &Path) -> String {
    let error = Pack::read(path).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    let message = error.to_string();
    assert!(
        message.starts_with(&path.display().to_string()),
        "{message}"
    );
    message
}

/// Changes a written pack with HDF5's own means.
fn tampered(folder: &Path, change: impl FnOnce(&hdf5::File) -> hdf5::Result<()>) -> String {
    let path = written(folder);
    let file = hdf5::File::open_rw(&path).unwrap();
    change(&file).unwrap();
    file.close().unwrap();
    refused(&path)
}

#[test]
fn a_pack_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.h5");
    let mut pack = small_pack(3, 2);
    pack.sites[1].name = "Degerö \"fen\", north".to_owned();
    pack.sites[2].elevation = None;
    let pack = pack.sealed();
    pack.write(&path).unwrap();
    let read = Pack::read(&path).unwrap();
    assert_eq!(read.digest, pack.digest);
    assert_eq!(read.calendar, pack.calendar);
    assert_eq!(read.sites, pack.sites);
    assert_eq!(read.dynamic, pack.dynamic);
    assert_eq!(read.statics, pack.statics);
    assert_eq!(read.values, pack.values);
    assert_eq!(read.filled, pack.filled);
    assert_eq!(read.static_values, pack.static_values);
    let bits = |flux: &[f32]| flux.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read.flux), bits(&pack.flux));
    assert_eq!(read.count, pack.count);
    assert_eq!((read.sources, read.licences), (pack.sources, pack.licences));
}

#[test]
fn the_same_pack_is_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.h5"), folder.path().join("other.h5"));
    small_pack(2, 1).write(&one).unwrap();
    // File times have a resolution of a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    small_pack(2, 1).write(&other).unwrap();
    assert!(fs::read(one).unwrap() == fs::read(other).unwrap());
}

#[test]
fn a_pack_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = refused(&folder.path().join("none.h5"));
    assert!(
        message.contains("cannot read the pack: No such file"),
        "{message}"
    );
    refused(folder.path());
}

#[test]
fn files_that_are_no_pack_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.h5");
    fs::write(&path, "site,lat,lon\n").unwrap();
    assert!(refused(&path).contains("is not an HDF5 file, expected a pack"));
    fs::write(&path, "").unwrap();
    assert!(refused(&path).contains("is empty, expected a pack"));
    let file = hdf5::File::create(&path).unwrap();
    file.close().unwrap();
    let message = refused(&path);
    assert!(
        message.contains("no attribute `format`, expected format `efflux pack`"),
        "{message}"
    );
}

#[test]
fn a_truncated_pack_is_refused_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let whole = fs::read(&path).unwrap();
    for tenth in 0..10 {
        fs::write(&path, &whole[..whole.len() * tenth / 10]).unwrap();
        refused(&path);
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(refused(&path).contains("is damaged or cut short"));
}

#[test]
fn a_pack_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| {
        file.attr("version")?.write_scalar(&3u32)
    });
    assert!(
        message.contains("is a pack of version 3, expected version 1 or 2"),
        "{message}"
    );
}

#[test]
fn a_dataset_of_another_shape_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| {
        file.unlink("/target/flux")?;
        let flux = file.new_dataset::<f32>().shape([3, 7]);
        flux.create("/target/flux").map(drop)
    });
    let expected = "(/target/flux): has shape [3, 7], expected [3, 731]";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn what_claims_to_hold_more_than_the_file_can_is_refused_before_memory_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| {
        file.unlink("/sources")?;
        let texts = file.new_dataset::<hdf5::types::VarLenUnicode>();
        texts
            .chunk([1 << 10])
            .shape([1 << 40])
            .create("/sources")
            .map(drop)
    });
    assert!(
        message.contains("(/sources): claims the shape [1099511627776]"),
        "{message}"
    );
    let message = tampered(folder.path(), |file| {
        for name in ["/target/flux", "/target/count"] {
            file.unlink(name)?;
        }
        file.attr("calendar_days")?.write_scalar(&(1_u64 << 40))?;
        file.unlink("/dynamic/values")?;
        let values = file.new_dataset::<f32>().chunk([1, 1 << 10, 2]);
        values
            .shape([3, 1 << 40, 2])
            .create("/dynamic/values")
            .map(drop)
    });
    assert!(message.contains("(/dynamic/values): "), "{message}");
}

#[test]
fn a_pack_of_which_a_part_lies_in_another_file_is_refused_before_that_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| {
        file.unlink("/target/flux")?;
        // To open it would take for ever.
        file.link_external("/dev/stdin", "/flux", "/target/flux")
    });
    assert!(
        message.contains("(/target/flux): lies in another file"),
        "{message}"
    );
    let message = tampered(folder.path(), |file| {
        file.unlink("/target/flux")?;
        let flux = file.new_dataset::<f32>().shape([3, 731]);
        let flux = flux.external("/etc/passwd", 0, 3 * 731 * 4);
        flux.create("/target/flux").map(drop)
    });
    assert!(
        message.contains("(/target/flux): lies in another file"),
        "{message}"
    );
}

#[test]
fn a_missing_dataset_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| file.unlink("/dynamic/filled"));
    assert!(message.contains("(/dynamic/filled)"), "{message}");
}

#[test]
fn a_changed_value_does_not_match_the_digest() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| {
        let latitude = file.dataset("/site/latitude")?;
        latitude.write_raw(&[1.0, 2.0, 3.0])
    });
    assert!(message.contains("(digest): says "), "{message}");
    assert!(message.contains("damaged or changed"), "{message}");
}

#[test]
fn a_changed_byte_does_not_match_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let flux: Vec<u8> = Pack::read(&path).unwrap().values[..4]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes
        .windows(flux.len())
        .position(|window| window == flux)
        .unwrap();
    bytes[place] ^= 1;
    fs::write(&path, bytes).unwrap();
    let message = refused(&path);
    assert!(
        message.contains("(/dynamic/values): is damaged"),
        "{message}"
    );
}

#[test]
fn impossible_values_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.h5");
    let refused = |change: fn(&mut Pack)| {
        let mut pack = small_pack(2, 1);
        change(&mut pack);
        let error = pack.sealed().write(&path).unwrap_err();
        assert!(matches!(error, Error::Internal(_)));
        assert!(!path.exists());
        error.to_string()
    };
    assert!(refused(|pack| pack.sites[1].latitude = 91.0).contains("/site/latitude"));
    assert!(refused(|pack| pack.sites[1].id = pack.sites[0].id.clone()).contains("/site/id"));
    assert!(refused(|pack| pack.values[5] = f32::NAN).contains("has gaps at site `SYN0001`"));
    assert!(refused(|pack| pack.flux[(0, 5)] = f32::INFINITY).contains("/target/flux"));
    assert!(refused(|pack| pack.filled[5] = 3).contains("/dynamic/filled"));
    assert!(refused(|pack| pack.count = SiteByDay::of(3, vec![1; 9])).contains("/target/count"));
}

#[test]
fn the_folder_of_a_pack_is_made_where_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let pack = small_pack(1, 1);
    pack.write(&folder.path().join("new/pack.h5")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = pack.write(&folder.path().join("file/pack.h5")).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    assert!(
        error.to_string().contains("cannot create the directory"),
        "{error}"
    );
}

#[test]
fn readers_do_not_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let other = fs::File::open(&path).unwrap();
    other.lock().unwrap();
    assert!(Pack::read(&path).is_ok());
    other.unlock().unwrap();
}

#[test]
fn an_inspection_tells_what_is_inside() {
    let inspection = inspect(&small_pack(20, 3), 0.8, 1.0).unwrap();
    assert_eq!(inspection.sites, 20);
    assert_eq!(
        inspection.igbp[0],
        ("Deciduous broadleaf forest".to_owned(), 6)
    );
    assert_eq!(inspection.windows.len(), 3);
    let ndvi = &inspection.dynamic[8];
    assert!(
        ndvi.name == "ndvi" && (0.9..0.95).contains(&ndvi.filled),
        "{ndvi:?}"
    );
    let text = inspection.to_string();
    println!("{text}");
    for expected in [
        "20 sites, 2003-01-01 to 2005-12-31 (1096 days)",
        "observed site-days",
        "11 daily variables",
        "10 static attributes",
        "of all 365-day windows",
        "licence  CC0-1.0",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    let json = serde_json::to_value(&inspection).unwrap();
    assert_eq!(json["days"], 1096);
    assert_eq!(json["static"][0]["units"], "degrees_north");
}

#[test]
fn a_pack_of_another_target_says_so_and_readers_of_before_refuse_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.h5");
    let mut pack = small_pack(2, 1);
    let digest = pack.digest.clone();
    pack.target = Target::new("ET", "evapotranspiration", "mm d⁻¹").unwrap();
    let pack = pack.sealed();
    assert_ne!(pack.digest, digest);
    pack.write(&path).unwrap();
    let read = Pack::read(&path).unwrap();
    assert_eq!(read.target, pack.target);
    assert_eq!(read.target.units(), "mm d-1");

    let file = hdf5::File::open_rw(&path).unwrap();
    let version: u32 = file.attr("version").unwrap().read_scalar().unwrap();
    assert_eq!(version, 2);
    let units = file.dataset("/target/flux").unwrap().attr("units").unwrap();
    units
        .write_scalar(&"cm d-1".parse::<hdf5::types::VarLenUnicode>().unwrap())
        .unwrap();
    drop(units);
    file.close().unwrap();
    assert!(refused(&path).contains("the pack was damaged or changed"));
}

#[test]
fn a_pack_that_names_no_target_is_of_soil_efflux_and_its_file_is_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    assert!(Pack::read(&path).unwrap().target.is_soil_efflux());
    let file = hdf5::File::open(&path).unwrap();
    let version: u32 = file.attr("version").unwrap().read_scalar().unwrap();
    assert_eq!(version, 1);
    let names = file.dataset("/target/flux").unwrap().attr_names().unwrap();
    assert_eq!(names, ["description", "units"]);
}

#[test]
fn an_empty_unit_in_a_pack_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let message = tampered(folder.path(), |file| {
        file.attr("version")?.write_scalar(&2_u32)?;
        let flux = file.dataset("/target/flux")?;
        for name in ["name", "long_name"] {
            flux.new_attr::<hdf5::types::VarLenUnicode>()
                .create(name)?
                .write_scalar(&"x".parse::<hdf5::types::VarLenUnicode>().unwrap())?;
        }
        let empty = hdf5::types::VarLenUnicode::new();
        flux.attr("units")?.write_scalar(&empty)
    });
    assert!(
        message.contains("/target/flux") && message.contains("the unit of the target is empty")
    );
}
