//! `efflux pack` as a command.

use std::fs;

use efflux_data::{OBSERVED, Pack};
use efflux_ingest::{SiteOptions, pack_sites};
use efflux_testing::release::example;
use jiff::civil::date;

use crate::harness::Study;

#[test]
fn pack_warns_and_with_strict_refuses_and_inspect_shows_it_again() {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    study.write("sites.csv", "site,lat,lon\nA,40,0\n");
    let rows: String = (1..=9)
        .map(|day| format!("2010-01-0{day},{day},28{day}.15\n"))
        .collect();
    study.write(
        "A.csv",
        format!("date,co2_flux_umol_m2_s,soil_temp_c\n{rows}"),
    );
    let told = "`soil_temp_c` at site `A` is 281.1500 degC on 2010-01-01";
    let arguments = ["pack", "--sites", ".", "-o", "a.h5"];
    let strict = [&arguments[..], &["--strict"]].concat();
    study
        .run(&strict)
        .refused(4, &[told, "not written: --strict"]);
    assert!(!study.path("a.h5").exists());
    let done = study.run(&arguments).ok();
    assert!(done.stderr.contains(told), "{}", done.stderr);
    let shown = study.run(&["inspect", "a.h5", "--json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["findings"][0]["kind"], "units");
    assert_eq!(shown["findings"][0]["sites"][0], "A");

    // That no licence is stated is no warning.
    let flux = |day: i32| 5 - (5 - day).abs();
    let plain: String = (1..=9)
        .map(|day| format!("2010-01-0{day},{},{day}.15\n", flux(day)))
        .collect();
    study.write(
        "A.csv",
        format!("date,co2_flux_umol_m2_s,soil_temp_c\n{plain}"),
    );
    let done = study
        .run(&[&strict[..], &["--to", "2010-01-09"]].concat())
        .ok();
    assert!(
        done.stderr.contains("no licence is stated"),
        "{}",
        done.stderr
    );
    let cut = [&strict[..], &["--to", "2010-01-07"]].concat();
    let told = "days with a flux outside the calendar, 2010-01-01 to 2010-01-07 (7 days), are left out: 2 at `A`";
    study.run(&cut).refused(4, &[told]);
}

#[test]
fn the_command_writes_a_whole_pack_or_none() {
    let study = Study {
        directory: example(),
    };
    let done = study.run(&["pack", "--cosore", ".", "-o", "a.h5"]).ok();
    assert!(
        done.stdout
            .contains("5 data sets\n          2 kept\n          1 left out: no data file"),
        "{}",
        done.stdout
    );
    let both = ["pack", "--cosore", ".", "--sites", ".", "-o", "b.h5"];
    study.run(&both).refused(2, &["--sites"]);
    study.run(&["pack", "-o", "b.h5"]).refused(2, &["--cosore"]);
    let later = [
        "pack",
        "--cosore",
        ".",
        "-o",
        "c.h5",
        "--to",
        "2010-07-02",
        "--filter=none",
    ];
    let done = study.run(&later).ok();
    assert!(
        done.stdout.contains("2003-01-01 to 2010-07-02"),
        "{}",
        done.stdout
    );
    let told = "rows outside the calendar are left out (`--from` and `--to` widen it)";
    assert!(done.stderr.contains(told), "{}", done.stderr);
    let wrong = ["pack", "--sites", ".", "--filter", "none", "-o", "b.h5"];
    study.run(&wrong).refused(2, &["--filter"]);

    study.write("datasets/WET/data/data.RDS", "");
    let broken = ["pack", "--cosore", ".", "-o", "b.h5"];
    study
        .run(&broken)
        .refused(4, &["datasets/WET/data/data.RDS"]);
    assert!(!study.path("b.h5").exists());
    let some = [
        "pack",
        "--cosore",
        ".",
        "--skip-unreadable",
        "--variables",
        "Rs,Rh",
        "-o",
        "b.h5",
    ];
    study.run(&some).ok();
    assert_eq!(Pack::read(&study.path("b.h5")).unwrap().sites.len(), 1);
}

#[test]
fn a_pack_takes_the_predictors_behind_its_own() {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    let source = efflux_testing::repository().join("tests/data/sites");
    fs::create_dir(study.path("sites")).unwrap();
    fs::create_dir(study.path("tables")).unwrap();
    for file in ["sites.csv", "BOG.csv", "OAK.csv"] {
        fs::copy(source.join(file), study.path("sites").join(file)).unwrap();
    }
    let wind =
        "site,system:index,vs\nBOG,201006,310\nBOG,201007,330\nOAK,200301,200\nOAK,200302,250\n";
    study.write("tables/terraclimate.csv", wind);
    study.write(
        "tables/worldclim.csv",
        "site,bio_1,bio_12\nBOG,1.5,600\nOAK,8.5,1100\n",
    );

    let arguments = [
        "pack",
        "--sites",
        "sites",
        "-o",
        "both.h5",
        "--predictors",
        "tables",
        "--from",
        "2003-01-01",
        "--to",
        "2020-02-29",
    ];
    let ended = study.run(&[&arguments[..], &["--strict"]].concat());
    ended.refused(
        4,
        &[
            "both.h5",
            "--strict",
            "`ndvi` is left out: there is no landsat7.csv",
        ],
    );
    assert!(!study.path("both.h5").exists());
    study.run(&arguments).ok();
    let both = Pack::read(&study.path("both.h5")).unwrap();
    let alone = pack_sites(&study.path("sites"), &SiteOptions::paper())
        .unwrap()
        .pack;
    // As it was before there were predictor tables.
    assert_eq!(
        alone.digest,
        "adf1196f768209ce7ba166ac1e8f419de4a9a86fc7064e4e9a55eff9a979d4c3"
    );
    assert_ne!(alone.digest, both.digest);
    assert_eq!(both.dynamic[..4], alone.dynamic);
    assert_eq!(both.dynamic[4].name, "wind_speed_m_s");
    assert_eq!(both.statics[3].name, "mat_c");
    assert_eq!((both.attribute(1, 3), both.attribute(1, 4)), (8.5, 110.0));
    for variable in 0..4 {
        let bits = |pack: &Pack| {
            pack.series(1, variable)
                .map(f32::to_bits)
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&both), bits(&alone));
    }
    let june = both.calendar.index(date(2010, 6, 16)).unwrap();
    assert!((both.series(0, 4).nth(june).unwrap() - 3.1).abs() < 1e-6);
    assert_eq!(both.flags(0, 4).nth(june), Some(OBSERVED));
    assert!(
        both.sources
            .iter()
            .any(|source| source.contains("TERRACLIMATE"))
    );

    // The same name twice, and a description that fits what the tables hold.
    let own = "[[product]]\nname = \"soil_temp_c\"\nunits = \"degC\"\ntable = \"terraclimate\"\nsource = \"x\"\n\
        sentence = \"x\"\nbands = [\"vs\"]\nplausible = [0, 1]\nstep = \"month\"\ndaily = \"interpolation\"\ncell_m = 1\n";
    study.write("own.toml", own);
    let own = [&arguments[..], &["--predictors-config", "own.toml"]].concat();
    study.run(&own).refused(
        2,
        &["`soil_temp_c` comes with the sites and from the predictor tables"],
    );
    study.write("own.toml", "[[product]]\nnames = 1\n");
    study
        .run(&own)
        .refused(4, &["own.toml:2: unknown field `names`"]);
}
