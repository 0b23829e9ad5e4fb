//! Releases as COSORE's own script writes them: a folder of tables, or its zip archive.

use std::fs;
use std::path::{Path, PathBuf};

use efflux_data::LeftOut;
use efflux_ingest::{CosoreOptions, Filter, Release, Treatments, read_cosore};
use efflux_testing::release::{Column, data_frame, data_set};

use super::{daily, read, refused};

/// Three data sets with every trap of the layout, invented, and a fourth under an embargo.
fn layout() -> PathBuf {
    efflux_testing::repository().join("tests/data/cases/cosore/cosore-release")
}

fn unfiltered() -> CosoreOptions {
    CosoreOptions {
        filter: Filter::None,
        ..CosoreOptions::default()
    }
}

/// The days of the list that are right, by site.
fn expected(site: &str) -> Vec<(String, f64, u32)> {
    let mut list = csv::Reader::from_path(layout().join("expected.csv")).unwrap();
    let rows = list.records().map(Result::unwrap);
    rows.filter(|row| &row[0] == site && !row[2].is_empty())
        .map(|row| {
            (
                row[1].to_owned(),
                row[2].parse().unwrap(),
                row[3].parse().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_release_of_tables_is_read_from_a_folder_and_from_its_archive() {
    let [folder, archive] =
        ["cosore-9.9.9", "cosore-9.9.9.zip"].map(|name| read(&layout().join(name), &unfiltered()));
    for release in [&folder, &archive] {
        let ids: Vec<&str> = release.sites.iter().map(|of| &*of.site.id).collect();
        assert_eq!(ids, ["d20990101_AAA", "d20990102_BBB"]);
        for (site, id) in ids.iter().enumerate() {
            let (found, expected) = (daily(release, site), expected(id));
            assert_eq!(found.len(), expected.len(), "{id}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!((&found.0, found.2), (&expected.0, expected.2), "{id}");
                assert!(
                    (found.1 - expected.1).abs() < 1e-6,
                    "{id}: {found:?}, not {expected:?}"
                );
            }
        }
        let left_out = release.account.left_out();
        assert_eq!(left_out[&LeftOut::NoData], ["d20990103_CCC"]);
        assert_eq!(left_out[&LeftOut::NoFlux], ["d20990104_DDD"]);
        let rows = release.account.data_sets[0].rows;
        assert_eq!((rows.read, rows.without_flux, rows.kept), (685, 12, 673));
        assert_eq!(release.account.data_sets[0].repeated, 1);
        let site = &release.sites[1].site;
        assert_eq!(
            (&*site.name, site.elevation),
            ("Invented \"dry\" land", None)
        );
        assert_eq!((&*site.igbp, &*site.publication), ("Grassland", ""));
    }
    let digest = |release: Release| release.into_pack().digest;
    assert_eq!(digest(folder), digest(archive));
}

#[test]
fn chambers_of_tables_are_selected() {
    let options = CosoreOptions {
        treatments: Treatments::None,
        ..unfiltered()
    };
    let release = read(&layout().join("cosore-9.9.9"), &options);
    let rows = release.account.data_sets[0].rows;
    assert_eq!((rows.read, rows.other_ports, rows.kept), (685, 330, 343));
}

/// The table of a case, and the same rows as R keeps them.
#[test]
fn tables_give_what_data_frames_give() {
    let case =
        efflux_testing::repository().join("tests/data/cases/cosore/01-cosore-csv-release/release");
    let release = read(&case, &CosoreOptions::default());
    let path = case.join("datasets/data_d20200120_CHANG.csv");
    let mut table = csv::Reader::from_path(path).unwrap();
    let (mut begin, mut flux) = (Vec::new(), Vec::new());
    for row in table.records().map(Result::unwrap) {
        let zone: jiff::civil::DateTime = row[1].parse().unwrap();
        let time = zone.in_tz("Etc/GMT-8").unwrap().timestamp();
        begin.push(time.as_second() as f64);
        flux.push(row[3].parse().unwrap_or(f64::NAN));
    }
    let data = data_frame(&[
        ("CSR_TIMESTAMP_BEGIN", Column::Times(begin, "Etc/GMT-8")),
        ("CSR_FLUX_CO2", Column::Real(flux)),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let igbp = "Evergreen needleleaf forest";
    data_set(folder.path(), "d20200120_CHANG", igbp, "", Some(&data));
    let same = read(folder.path(), &CosoreOptions::default());
    assert_eq!(daily(&release, 0), daily(&same, 0));
    assert_eq!(release.account.rows(), same.account.rows());
    assert_eq!(release.account.limits, same.account.limits);
}

/// A copy of the folder in which one file is another.
fn changed(file: &str, change: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = layout().join("cosore-9.9.9");
    fs::create_dir(copy.path().join("datasets")).unwrap();
    for (name, bytes) in efflux_testing::files(&from) {
        fs::write(
            copy.path().join(name.strip_prefix(&from).unwrap_or(&name)),
            bytes,
        )
        .unwrap();
    }
    let path = copy.path().join(file);
    let text = change(fs::read_to_string(&path).unwrap());
    fs::write(path, text).unwrap();
    copy
}

#[test]
fn tables_that_are_not_as_they_should_be_are_refused_with_their_line() {
    type Change = fn(String) -> String;
    let cases: [(&str, Change, &str); 5] = [
        (
            "datasets/data_d20990102_BBB.csv",
            |text| text.replacen("2010-07-01 02:00:00", "1/7/2010", 1),
            "datasets/data_d20990102_BBB.csv:3: `CSR_TIMESTAMP_BEGIN` has `1/7/2010`, expected a time",
        ),
        (
            "datasets/data_d20990102_BBB.csv",
            |text| text.replacen("CSR_FLUX_CO2", "FLUX", 1),
            "datasets/data_d20990102_BBB.csv: has no column CSR_FLUX_CO2",
        ),
        (
            "description.csv",
            |text| text.replacen("43.2", "432", 1),
            "description.csv:2: `CSR_LATITUDE` has `432`, expected a number from -90 to 90",
        ),
        (
            "description.csv",
            |text| text.replacen("Etc/GMT+5", "Etc/Nowhere", 1),
            "datasets/data_d20990101_AAA.csv: has times of the zone `Etc/Nowhere`",
        ),
        (
            "description.csv",
            |text| text.replacen("d20990101_AAA", "d20990101_AAB", 1),
            "description.csv: has no row of `d20990101_AAA`",
        ),
    ];
    for (file, change, expected) in cases {
        let folder = changed(file, change);
        let message = refused(folder.path());
        assert!(message.starts_with(expected), "{message}");
    }
    let folder = changed("ports.csv", |text| text.replacen("\"Rs\"", "\"soil\"", 1));
    assert_eq!(read(folder.path(), &unfiltered()).sites.len(), 2);
    let options = CosoreOptions {
        treatments: Treatments::None,
        ..unfiltered()
    };
    let message = read_cosore(folder.path(), &options)
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("ports.csv:2: `CSR_MSMT_VAR` has `soil`, expected Rs, Rh, NEE or Reco"),
        "{message}"
    );
}

#[test]
fn what_is_no_release_of_tables_is_refused() {
    let folder = changed("ports.csv", |text| text);
    fs::remove_file(folder.path().join("description.csv")).unwrap();
    assert!(refused(folder.path()).contains("has tables of data sets but no description.csv"));
    let whole = fs::read(layout().join("cosore-9.9.9.zip")).unwrap();
    let path = folder.path().join("half.zip");
    let told = |bytes: &[u8], path: &Path| {
        fs::write(path, bytes).unwrap();
        read_cosore(path, &CosoreOptions::default())
            .unwrap_err()
            .to_string()
    };
    let message = told(&whole[..whole.len() / 2], &path);
    assert!(
        message.contains("half.zip: is not a whole zip archive"),
        "{message}"
    );
    let message = told(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", &path);
    assert!(
        message.contains("has no description.csv, expected a release"),
        "{message}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_archive_is_read_or_refused(
        changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 1..6),
    ) {
        let mut bytes = fs::read(layout().join("cosore-9.9.9.zip")).unwrap();
        for (index, byte) in changes {
            *index.get_mut(&mut bytes) = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        fs::write(&path, bytes).unwrap();
        let _ = read_cosore(&path, &CosoreOptions::default());
    }
}
