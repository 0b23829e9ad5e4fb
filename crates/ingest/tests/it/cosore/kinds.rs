//! More releases of each kind: those of `tests/data/cases/releases`, tables as text that are written out here, and data frames
//! of R's classes, in every way that R writes them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use efflux_base::error::Result;
use efflux_ingest::{
    CosoreOptions, Filter, Flux, Products, Release, Treatments, check, read_cosore,
};
use efflux_testing::release::{Column, Format, data_frame, data_frame_as, data_set, packed, times};
use serde::Deserialize;

use crate::cases::lacking;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    case: Vec<Case>,
}

/// A release of tables, the options of `efflux pack`, and what becomes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    options: String,
    /// `packed` or `refused`.
    outcome: String,
    /// What must be in the message, or in what is told of the release; behind `not `, what must not.
    told: Vec<String>,
    /// Files that are other than those of [`FILES`].
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A release of one data set with three measurements.
const FILES: [(&str, &str); 3] = [
    (
        "description.csv",
        "\"CSR_DATASET\",\"CSR_SITE_NAME\",\"CSR_LONGITUDE\",\"CSR_LATITUDE\",\"CSR_ELEVATION\",\"CSR_TIMEZONE\",\"CSR_IGBP\"\n\
         \"A\",\"A wood\",-72.2,42.5,300,\"Etc/GMT+5\",\"Deciduous broadleaf forest\"\n",
    ),
    (
        "ports.csv",
        "\"CSR_PORT\",\"CSR_MSMT_VAR\",\"CSR_TREATMENT\",\"CSR_DATASET\"\n1,\"Rs\",\"None\",\"A\"\n2,\"Rs\",\"None\",\"A\"\n",
    ),
    (
        "datasets/data_A.csv",
        "\"CSR_PORT\",\"CSR_TIMESTAMP_BEGIN\",\"CSR_FLUX_CO2\"\n1,2010-07-01 10:00:00,1.5\n1,2010-07-01 11:00:00,2.5\n\
         2,2010-07-02 10:00:00,3\n",
    ),
];

fn options(text: &str) -> CosoreOptions {
    let words: Vec<&str> = text.split_whitespace().collect();
    let value = |option: &str| {
        let at = words.iter().position(|word| *word == option)?;
        words.get(at + 1).copied()
    };
    let soil = vec![Flux::Rs, Flux::Rh, Flux::Reco];
    CosoreOptions {
        filter: Filter::None,
        embargoed: words.contains(&"--embargoed"),
        fluxes: value("--variables").map_or(Flux::ALL.to_vec(), |_| soil),
        treatments: value("--treatments").map_or(Treatments::All, |_| Treatments::None),
        from: value("--from").map(|date| date.parse().unwrap()),
        to: value("--to").map(|date| date.parse().unwrap()),
        ..CosoreOptions::default()
    }
}

/// What a person is told of a release, and the days and means of its sites.
fn told(release: Release) -> String {
    let mut text = format!("{}\n{}\n", release.calendar, release.account);
    for of in &release.sites {
        let means = of.daily.flux.iter().copied().filter(|mean| !mean.is_nan());
        let means: Vec<f64> = means.collect();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        text += &format!("{}: {} days, mean {mean:.4}\n", of.site.id, means.len());
    }
    text += &release.warnings.join("\n");
    let found = check(&release.into_pack(), &Products::paper().unwrap(), 0.8, 1.0);
    for finding in found {
        text += &format!("\n{}", finding.message);
    }
    text
}

#[test]
fn every_release_of_every_kind_ends_as_it_is_right() {
    let kinds = efflux_testing::repository().join("tests/data/cases/releases");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(kinds).unwrap() {
        let path = entry.unwrap().path();
        let kind: Kind = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(kind.case.len() >= 10, "{}", path.display());
        for case in &kind.case {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("datasets")).unwrap();
            let mut files: BTreeMap<&str, &str> = FILES.into();
            files.extend(case.files.iter().map(|(name, text)| (&**name, &**text)));
            for (name, text) in files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            let (how, text) = match read_cosore(folder.path(), &options(&case.options)) {
                Ok(release) => ("packed", told(release)),
                Err(error) => ("refused", error.to_string()),
            };
            let expected: Vec<&str> = case.told.iter().map(String::as_str).collect();
            let lacking = lacking(&text, &expected);
            if how != case.outcome || !lacking.is_empty() {
                wrong.push(format!("{}: {how}, lacking {lacking:?}: {text}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn begin() -> (&'static str, Column) {
    let days = [
        "2010-07-01T17:00:00Z",
        "2010-07-02T17:00:00Z",
        "2010-07-03T17:00:00Z",
    ];
    (
        "CSR_TIMESTAMP_BEGIN",
        Column::Times(times(&days), "Etc/GMT+5"),
    )
}

/// The daily means of a release whose one data frame is this file, chambers without a treatment alone if there are ports.
fn means(data: &[u8], ports: &str) -> Result<Vec<f64>> {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), "A", "Wetland", ports, Some(data));
    let treatments = if ports.is_empty() {
        Treatments::All
    } else {
        Treatments::None
    };
    let options = CosoreOptions {
        filter: Filter::None,
        treatments,
        ..CosoreOptions::default()
    };
    let release = read_cosore(folder.path(), &options)?;
    let means = release.sites[0].daily.flux.iter().copied();
    Ok(means.filter(|mean| !mean.is_nan()).collect())
}

#[track_caller]
fn ends(name: &str, found: Result<Vec<f64>>, expected: std::result::Result<&[f64], &str>) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{name}"),
        (Err(error), Err(expected)) => {
            let message = error.to_string();
            assert!(message.contains(expected), "{name}: {message}");
        }
        (found, expected) => panic!("{name}: {found:?}, not {expected:?}"),
    }
}

#[test]
fn fluxes_of_every_class_of_r_are_what_they_mean_or_refused_by_the_class() {
    const NO: i32 = i32::MIN;
    let of_levels = |codes: Vec<i32>, levels| Column::Factor(codes, levels);
    type Ends = std::result::Result<&'static [f64], &'static str>;
    let cases: Vec<(&str, Column, Ends)> = vec![
        (
            "numbers",
            Column::Real(vec![1.5, 2.5, 3.5]),
            Ok(&[1.5, 2.5, 3.5]),
        ),
        (
            "whole numbers, one missing",
            Column::Integer(vec![1, NO, 3]),
            Ok(&[1.0, 3.0]),
        ),
        (
            "a factor, its codes in another order than its levels",
            of_levels(vec![3, 1, 2], vec!["10.5", "2.5", "7"]),
            Ok(&[7.0, 10.5, 2.5]),
        ),
        (
            "a factor with a missing code and a level NA",
            of_levels(vec![NO, 2, 1], vec!["4.5", "NA"]),
            Ok(&[4.5]),
        ),
        (
            "a factor of words",
            of_levels(vec![1, 1, 2], vec!["1.5", "low"]),
            Err("has `low` in row 3, expected a number"),
        ),
        (
            "a factor with a code beyond its levels",
            of_levels(vec![1, 2, 9], vec!["1", "2"]),
            Err("has no level 9"),
        ),
        (
            "integer64, one missing",
            Column::Long(vec![-2, i64::MIN, 7]),
            Ok(&[-2.0, 7.0]),
        ),
        (
            "units",
            Column::Classed(vec![1.0, 2.0, 3.0], "units"),
            Err("is a `units`, expected numbers; in R: x$CSR_FLUX_CO2 <- as.numeric"),
        ),
        (
            "difftime",
            Column::Classed(vec![1.0, 2.0, 3.0], "difftime"),
            Err("is a `difftime`, expected numbers"),
        ),
        (
            "a date",
            Column::Classed(vec![1.0, 2.0, 3.0], "Date"),
            Err("is a `Date`, expected numbers"),
        ),
        (
            "a class that changes nothing",
            Column::Classed(vec![1.0, 2.0, 3.0], "AsIs"),
            Ok(&[1.0, 2.0, 3.0]),
        ),
        (
            "texts of numbers",
            Column::Text(vec![Some("1.5"), None, Some(" 3e-1 ")]),
            Ok(&[1.5, 0.3]),
        ),
        (
            "texts of words",
            Column::Text(vec![Some("1.5"), Some("n/a"), None]),
            Err("has `n/a` in row 2, expected a number"),
        ),
        (
            "truth",
            Column::Logical(vec![Some(true), Some(false), None]),
            Err("holds true and false, expected numbers"),
        ),
        ("1:3", Column::Sequence(1, 3, true), Ok(&[1.0, 2.0, 3.0])),
        (
            "0.5 and on, in R's short form",
            Column::Sequence(7, 3, false),
            Ok(&[7.0, 8.0, 9.0]),
        ),
        (
            "as.character(1:3), not yet made",
            Column::Deferred(3),
            Ok(&[1.0, 2.0, 3.0]),
        ),
        (
            "a list of parts of times",
            Column::BrokenDown(3),
            Err("POSIXlt"),
        ),
        (
            "nothing but missing values",
            Column::Nothing(3),
            Err("no CO2 flux: A"),
        ),
    ];
    for (name, flux, expected) in cases {
        let data = data_frame(&[begin(), ("CSR_FLUX_CO2", flux)]);
        ends(name, means(&data, ""), expected);
    }
}

#[test]
fn ports_of_every_class_of_r_choose_the_same_chambers() {
    const PORTS: &str = "CSR_PORT,CSR_MSMT_VAR,CSR_TREATMENT\n11,Rs,None\n12,Rs,Trenched\n1,Rs,Trenched\n2,Rs,None\n3,Rs,None\n";
    let cases: Vec<(&str, Column, &[f64])> = vec![
        (
            "whole numbers",
            Column::Integer(vec![11, 12, 11]),
            &[1.5, 3.5],
        ),
        ("numbers", Column::Real(vec![11.0, 12.0, 12.0]), &[1.5]),
        (
            "a factor",
            Column::Factor(vec![1, 2, 1], vec!["11", "12"]),
            &[1.5, 3.5],
        ),
        (
            "texts",
            Column::Text(vec![Some("11"), Some("12"), Some("11")]),
            &[1.5, 3.5],
        ),
        ("integer64", Column::Long(vec![12, 12, 11]), &[3.5]),
        ("1:3", Column::Sequence(1, 3, true), &[2.5, 3.5]),
        ("as.character(1:3)", Column::Deferred(3), &[2.5, 3.5]),
    ];
    for (name, port, expected) in cases {
        let flux = ("CSR_FLUX_CO2", Column::Real(vec![1.5, 2.5, 3.5]));
        let data = data_frame(&[begin(), flux, ("CSR_PORT", port)]);
        ends(name, means(&data, PORTS), Ok(expected));
    }
}

#[test]
fn data_frames_are_read_in_every_way_that_r_writes_and_packs_them() {
    let bzip2 = |bytes: &[u8]| {
        let mut to = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    };
    let flux = || ("CSR_FLUX_CO2", Column::Real(vec![1.5, f64::NAN, 3.5]));
    let expected: &[f64] = &[1.5, 3.5];
    for format in [Format::BigEndian, Format::LittleEndian, Format::Text] {
        let plain = data_frame_as(format, &[begin(), flux()]);
        let halves = plain.split_at(plain.len() / 2);
        for (packing, data) in [
            ("nothing", plain.clone()),
            ("gzip", packed(&plain)),
            (
                "two members of gzip",
                [packed(halves.0), packed(halves.1)].concat(),
            ),
            ("bzip2", bzip2(&plain)),
        ] {
            ends(
                &format!("{format:?}, {packing}"),
                means(&data, ""),
                Ok(expected),
            );
            let half = &data[..data.len() / 2];
            ends(
                &format!("half of {format:?}, {packing}"),
                means(half, ""),
                Err("get it again"),
            );
        }
    }
    for (packed, expected) in [
        (
            &b"\x28\xb5\x2f\xfd rest"[..],
            "is packed with zstd, expected gzip, bzip2, xz or nothing; in R: saveRDS",
        ),
        (b"PK\x03\x04 rest", "is packed with zip"),
        (b"CSR_PORT,CSR_FLUX_CO2\n1,2\n", "does not hold R's format"),
        (b"", "is empty"),
    ] {
        ends(expected, means(packed, ""), Err(expected));
    }
}
