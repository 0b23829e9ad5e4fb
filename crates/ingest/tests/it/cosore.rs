//! Releases of COSORE: what becomes of them, and what is refused.

use std::fs;
use std::path::Path;

use efflux_base::error::Exit;
use efflux_data::{Days, LeftOut, Pack, Rows};
use efflux_ingest::{CosoreOptions, Filter, Flux, Release, Treatments, inspect, read_cosore};
use efflux_testing::release::{Column, data_frame, data_set, example, packed, times};
use proptest::prelude::*;

mod cases;
mod conventions;
mod kinds;
mod tables;

fn read(release: &Path, options: &CosoreOptions) -> Release {
    read_cosore(release, options).unwrap()
}

/// The message of a refusal, from the release's own folder on.
#[track_caller]
fn refused(release: &Path) -> String {
    let error = read_cosore(release, &CosoreOptions::default()).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    let message = error.to_string();
    let place = release.display().to_string();
    assert!(message.starts_with(&place), "{message}");
    message[place.len()..].trim_start_matches('/').to_owned()
}

/// Daily means by date.
fn daily(release: &Release, site: usize) -> Vec<(String, f64, u32)> {
    let daily = &release.sites[site].daily;
    (0..release.calendar.days)
        .filter(|day| daily.count[*day] > 0)
        .map(|day| {
            let date = release.calendar.date(day).to_string();
            (date, daily.flux[day], daily.count[day])
        })
        .collect()
}

fn day(date: &str, flux: f64, count: u32) -> (String, f64, u32) {
    (date.to_owned(), flux, count)
}

#[test]
fn a_release_becomes_daily_means() {
    let folder = example();
    let release = read(folder.path(), &CosoreOptions::default());
    let ids: Vec<&str> = release.sites.iter().map(|of| &*of.site.id).collect();
    assert_eq!(ids, ["WET", "crop"]);
    // Of six values the least and the greatest lie beyond the percentiles; the day they share is lost.
    assert_eq!(
        daily(&release, 0),
        [day("2010-07-01", 10.0 / 3.0, 3), day("2010-07-03", 3.0, 1)]
    );
    // 1.5, 1.5 and 2.5: the least two are the percentile, and stay.
    assert_eq!(
        daily(&release, 1),
        [day("2010-12-31", 1.5, 1), day("2011-01-02", 1.5, 1)]
    );
    let before = &release.sites[0].unfiltered;
    assert_eq!(
        (before.observed(), before.count.iter().sum::<u32>()),
        (3, 6)
    );

    let site = &release.sites[0].site;
    assert_eq!(site.name, "WET: a \"site\", in the woods");
    assert_eq!((site.latitude, site.elevation), (42.5, None));
    assert_eq!(
        (&*site.igbp, &*site.publication),
        ("Wetland", "10.1000/WET")
    );
}

#[test]
fn the_account_of_a_release_adds_up() {
    let folder = example();
    let release = read(folder.path(), &CosoreOptions::default());
    let account = &release.account;
    let expected = Rows {
        read: 18,
        without_flux: 4 + 2 + 1,
        flagged: 0,
        without_time: 0,
        without_port: 0,
        other_ports: 0,
        outside_calendar: 1 + 1,
        below: 1,
        above: 1 + 1,
        kept: 4 + 2,
    };
    assert_eq!(account.rows(), expected);
    let expected = Days {
        read: 3 + 2,
        emptied: 1,
        kept: 2 + 2,
    };
    assert_eq!(account.days(), expected);
    let left_out: Vec<_> = account.left_out().into_iter().collect();
    assert_eq!(
        left_out,
        [
            (LeftOut::NoData, vec!["embargo"]),
            (LeftOut::NoFlux, vec!["methane"]),
            (LeftOut::OutsideCalendar, vec!["early"]),
        ]
    );
    assert_eq!(release.warnings[1], "left out, no CO2 flux: methane");
    assert_eq!(account.data_sets[0].time_zone, "America/New_York");
}

#[test]
fn chambers_are_selected_by_what_they_measure_and_their_treatment() {
    let folder = example();
    for options in [
        CosoreOptions {
            fluxes: vec![Flux::Rs],
            filter: Filter::None,
            ..CosoreOptions::default()
        },
        CosoreOptions {
            treatments: Treatments::None,
            filter: Filter::None,
            ..CosoreOptions::default()
        },
    ] {
        let release = read(folder.path(), &options);
        assert_eq!(release.account.rows().other_ports, 2);
        assert_eq!(daily(&release, 0)[0], day("2010-07-01", 2.0, 1));
    }
    let options = CosoreOptions {
        fluxes: vec![Flux::Rh],
        ..CosoreOptions::default()
    };
    let release = read(folder.path(), &options);
    assert_eq!(daily(&release, 0), [day("2010-07-01", 4.0, 2)]);
    assert_eq!(
        release.account.left_out()[&LeftOut::NoPort],
        ["crop", "early"]
    );
}

#[test]
fn a_port_that_nobody_describes_is_refused_when_it_matters() {
    let folder = example();
    let ports = folder.path().join("datasets/WET/PORTS.txt");
    let text = fs::read_to_string(&ports).unwrap().replace("0601", "602");
    fs::write(&ports, text).unwrap();
    assert_eq!(
        read(folder.path(), &CosoreOptions::default()).sites.len(),
        2
    );
    let options = CosoreOptions {
        treatments: Treatments::None,
        ..CosoreOptions::default()
    };
    let message = read_cosore(folder.path(), &options)
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with(
            "WET/PORTS.txt: does not describe port 601, which data/data.RDS has in row 3"
        ),
        "{message}"
    );
}

#[test]
fn the_filter_can_be_kept_from_the_test_days() {
    let folder = tempfile::tempdir().unwrap();
    // Ten days with two measurements each: 1 and 2, but 0 and 3 on the first, and 100 on each of the last two.
    let dates: Vec<String> = (10..20)
        .flat_map(|day| [8, 9].map(|hour| format!("2010-01-{day}T{hour:02}:00:00Z")))
        .collect();
    let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
    let mut flux = [1.0, 2.0].repeat(10);
    (flux[0], flux[1]) = (0.0, 3.0);
    (flux[16], flux[18]) = (100.0, 100.0);
    let data = data_frame(&[
        ("CSR_TIMESTAMP_BEGIN", Column::Times(times(&dates), "UTC")),
        ("CSR_FLUX_CO2", Column::Real(flux)),
    ]);
    data_set(folder.path(), "A", "Grassland", "", Some(&data));
    let filtered = |filter| {
        let options = CosoreOptions {
            filter,
            ..CosoreOptions::default()
        };
        let release = read(folder.path(), &options);
        let values = release.account.limits.first().map(|limits| limits.values);
        let (rows, days) = (release.account.rows(), release.account.days());
        (values, rows.below, rows.above, days.kept)
    };
    // 100 is a tie at the 99th percentile of all.
    assert_eq!(filtered(Filter::All), (Some(20), 1, 0, 10));
    assert_eq!(filtered(Filter::Training), (Some(16), 1, 1, 9));
    assert_eq!(filtered(Filter::None), (None, 0, 0, 10));
}

#[test]
fn two_packs_of_a_release_are_the_same_bytes_and_keep_the_account() {
    let folder = example();
    let paths = ["a.h5", "b.h5"].map(|name| folder.path().join(name));
    for path in &paths {
        let release = read(folder.path(), &CosoreOptions::default());
        release.into_pack().write(path).unwrap();
    }
    assert_eq!(fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap());

    let pack = Pack::read(&paths[0]).unwrap();
    let day = pack.calendar.index("2010-07-02".parse().unwrap()).unwrap();
    assert!(pack.flux_of(0)[day].is_nan());
    let origin = pack.origin.as_ref().unwrap();
    assert_eq!((origin.count[(0, day)], origin.account.rows().kept), (2, 6));
    let hours = pack.series(0, 0).nth(day).unwrap();
    assert!((15.0..15.3).contains(&hours), "{hours}");
    assert_eq!(pack.attribute(1, 0), 42.5);
    assert_eq!(pack.sites_without_attribute(2), [0, 1]);
    assert!(pack.licences[0].starts_with("CC BY 4.0"));
    let text = inspect(&pack, 0.8, 1.0).unwrap().to_string();
    assert!(text.contains("18 rows\n          6 kept"), "{text}");

    let same = CosoreOptions {
        fluxes: vec![Flux::Reco, Flux::Nee, Flux::Rh, Flux::Rs, Flux::Rs],
        skip_unreadable: true,
        ..CosoreOptions::default()
    };
    let again = read(folder.path(), &same).into_pack();
    assert_eq!(again.digest, pack.digest);

    let mut changed = pack.clone();
    changed.origin.as_mut().unwrap().count[(0, day)] = 3;
    assert_ne!(changed.sealed().digest, pack.digest);
}

#[test]
fn damaged_data_are_refused_and_can_be_left_out() {
    let folder = example();
    let path = folder.path().join("datasets/WET/data/data.RDS");
    let whole = fs::read(&path).unwrap();
    let place = "datasets/WET/data/data.RDS: ";
    let cases: [(&[u8], &str); 4] = [
        (&whole[..whole.len() / 2], "is not a whole gzip file ("),
        (b"not an R file", "does not hold R's format"),
        (&packed(&whole), "does not hold R's format"),
        (&packed(b"X\n\0\0\0\x03"), "is damaged ("),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let message = refused(folder.path());
        assert!(
            message.starts_with(&format!("{place}{expected}")),
            "{message}"
        );
    }
    let options = CosoreOptions {
        skip_unreadable: true,
        ..CosoreOptions::default()
    };
    let release = read(folder.path(), &options);
    assert_eq!(release.sites.len(), 1);
    assert!(release.warnings[0].contains("WET/data/data.RDS"));
    assert_eq!(release.account.left_out()[&LeftOut::Unreadable], ["WET"]);
}

#[test]
fn data_frames_that_are_not_as_they_should_be_are_refused() {
    let begin = || Column::Times(times(&["2010-01-01T00:00:00Z"]), "UTC");
    let flux = || Column::Real(vec![1.0]);
    for (columns, expected) in [
        (
            [("CSR_BEGIN", begin()), ("CSR_FLUX_CO2", flux())],
            "has no column CSR_TIMESTAMP_BEGIN",
        ),
        (
            [("CSR_TIMESTAMP_BEGIN", begin()), ("CSR_FLUX", flux())],
            "has no column CSR_FLUX_CO2",
        ),
        (
            [("CSR_TIMESTAMP_BEGIN", flux()), ("CSR_FLUX_CO2", flux())],
            "CSR_TIMESTAMP_BEGIN has no time zone",
        ),
        (
            [
                ("CSR_TIMESTAMP_BEGIN", Column::Times(vec![1.0], "")),
                ("CSR_FLUX_CO2", flux()),
            ],
            "CSR_TIMESTAMP_BEGIN has no time zone",
        ),
        (
            [
                (
                    "CSR_TIMESTAMP_BEGIN",
                    Column::Times(vec![1.0], "Etc/Nowhere"),
                ),
                ("CSR_FLUX_CO2", flux()),
            ],
            "has times of the zone `Etc/Nowhere`",
        ),
        (
            [
                (
                    "CSR_TIMESTAMP_BEGIN",
                    Column::Times(vec![f64::INFINITY], "UTC"),
                ),
                ("CSR_FLUX_CO2", flux()),
            ],
            "CSR_TIMESTAMP_BEGIN has the time inf in row 1",
        ),
        (
            [
                ("CSR_TIMESTAMP_BEGIN", begin()),
                ("CSR_FLUX_CO2", Column::Text(vec![Some("warm")])),
            ],
            "CSR_FLUX_CO2 has `warm` in row 1, expected a number",
        ),
        (
            [
                ("CSR_TIMESTAMP_BEGIN", begin()),
                ("CSR_FLUX_CO2", Column::Real(vec![f64::INFINITY])),
            ],
            "CSR_FLUX_CO2 has inf in row 1, expected a finite number",
        ),
        (
            [
                ("CSR_TIMESTAMP_BEGIN", begin()),
                ("CSR_FLUX_CO2", Column::Real(vec![1.0, 2.0])),
            ],
            "CSR_FLUX_CO2 has 2 rows, but CSR_TIMESTAMP_BEGIN has 1",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let data = data_frame(&columns);
        data_set(folder.path(), "A", "Wetland", "", Some(&data));
        let message = refused(folder.path());
        let expected = format!("datasets/A/data/data.RDS: {expected}");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn folders_that_are_no_release_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refused(folder.path()).contains("has no folder `datasets`"));
    assert!(refused(&folder.path().join("none")).contains("cannot list the folder"));
    data_set(folder.path(), "A", "Wetland", "", None);
    assert!(refused(folder.path()).contains("has no data set with a CO2 flux"));
    let release = example();
    fs::remove_file(release.path().join("datasets/WET/DESCRIPTION.txt")).unwrap();
    assert!(refused(release.path()).starts_with("datasets/WET/DESCRIPTION.txt: cannot read"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        is_packed in any::<bool>(),
    ) {
        let begin = Column::WrappedTimes(times(&["2010-01-01T00:00:00Z"]), "UTC");
        let whole = data_frame(&[("CSR_TIMESTAMP_BEGIN", begin), ("CSR_FLUX_CO2", Column::Real(vec![1.0]))]);
        let mut bytes = if is_packed {
            whole
        } else {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&whole[..]), &mut bytes).unwrap();
            bytes
        };
        for (index, byte) in changes {
            *index.get_mut(&mut bytes) = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let bytes = if is_packed { bytes } else { packed(&bytes) };
        let folder = tempfile::tempdir().unwrap();
        data_set(folder.path(), "A", "Wetland", "", Some(&bytes));
        // Whatever it is: an end.
        let _ = read_cosore(folder.path(), &CosoreOptions::default());
    }
}
