//! What becomes of the tables, worked out by hand.

use std::fs;
use std::path::Path;

use efflux::data::{HELD, INTERPOLATED, OBSERVED, Pack, Products, pack_sites};
use jiff::civil::date;

use super::{assert_days, assert_warned, export, lines, read, series, sites, table, warnings};
use crate::harness::Study;

#[test]
fn an_export_of_all_products_gives_the_values_worked_out_by_hand() {
    let folder = export();
    let found = read(folder.path());
    let names: Vec<&str> = found
        .dynamic
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(names.len(), 13, "{names:?}");
    // 24 hours of 1, 2 and 3 mm that end on the day; the second day lacks one of its hours.
    let rain = [
        (0, 0.024, OBSERVED),
        (1, 0.036, INTERPOLATED),
        (2, 0.048, OBSERVED),
        (3, 0.072, OBSERVED),
        (4, 0.072, HELD),
    ];
    assert_days(&found, 0, "precipitation_m", &rain);
    // Rain of 1.4 mm an hour at the last site.
    assert_days(&found, 4, "precipitation_m", &[(0, 0.0336, OBSERVED)]);
    // Half a day at 0.21 and half a day at 0.31; of 5 January there is one hour.
    let upper = [(0, 0.26, OBSERVED), (3, 0.29, OBSERVED), (4, 0.29, HELD)];
    assert_days(&found, 0, "soil_water_0_7cm_m3_m3", &upper);
    let lower = [
        (0, (0.3 + 23.0 * 0.31) / 24.0, OBSERVED),
        (1, 0.32, OBSERVED),
    ];
    assert_days(&found, 0, "soil_water_7_28cm_m3_m3", &lower);
    // Fill value, not produced, error of 2 K, error of 3 K, nothing.
    let lst = [
        (0, 280.0, OBSERVED),
        (1, 280.0 + 10.0 / 3.0, INTERPOLATED),
        (3, 290.0, OBSERVED),
        (4, 290.0, HELD),
    ];
    assert_days(&found, 0, "lst_day_k", &lst);
    assert_days(
        &found,
        0,
        "lst_night_k",
        &[(1, 271.0, INTERPOLATED), (4, 276.0, OBSERVED)],
    );
    // Months stand for 16 December, 16 January and 15 February.
    let least = [
        (0, 273.0 + 2.0 * 16.0 / 31.0, INTERPOLATED),
        (15, 275.0, OBSERVED),
        (39, 275.0 + 2.0 * 24.0 / 30.0, INTERPOLATED),
    ];
    assert_days(&found, 0, "air_temp_min_k", &least);
    assert_days(&found, 0, "air_temp_max_k", &[(15, 285.0, OBSERVED)]);
    // Two scenes on one day, one of them in two rows; a cloud, a saturated band and bare ground left out.
    let ndvi = [
        (0, (0.275 / 0.425 + 0.165 / 0.315) / 2.0, HELD),
        (2, (0.275 / 0.425 + 0.165 / 0.315) / 2.0, OBSERVED),
        (
            12,
            ((0.275 / 0.425 + 0.165 / 0.315) / 2.0 + 0.22 / 0.48) / 2.0,
            INTERPOLATED,
        ),
        (22, 0.22 / 0.48, OBSERVED),
    ];
    assert_days(&found, 0, "ndvi", &ndvi);
    // 5 mm in the 5 days from 27 December are 8 mm in 8 days, on 29 December.
    let et = [
        (0, 8.0 + 8.0 * 3.0 / 7.0, INTERPOLATED),
        (4, 16.0, OBSERVED),
        (12, 24.0, INTERPOLATED),
        (20, 32.0, OBSERVED),
        (39, 32.0, HELD),
    ];
    assert_days(&found, 0, "et_mm_8d", &et);
    assert_days(
        &found,
        0,
        "pet_mm_8d",
        &[(0, 16.0 + 16.0 * 3.0 / 7.0, INTERPOLATED)],
    );
    // The composite of 31 December has one day; the third is filled, the last two are poor.
    let fpar = [
        (0, 0.3 + 0.1 / 3.0, INTERPOLATED),
        (2, 0.4, OBSERVED),
        (6, 0.5, INTERPOLATED),
        (10, 0.6, OBSERVED),
        (14, 0.6, HELD),
    ];
    assert_days(&found, 0, "fpar", &fpar);
    assert_days(
        &found,
        0,
        "lai_m2_m2",
        &[(0, 1.0, INTERPOLATED), (6, 1.5, INTERPOLATED)],
    );
    let wind = [
        (0, 2.5 + 16.0 / 31.0, INTERPOLATED),
        (39, 3.5 - 0.5 * 0.8, INTERPOLATED),
    ];
    assert_days(&found, 0, "wind_speed_m_s", &wind);

    let attributes = [
        "soc_g_kg",
        "sand_pct",
        "silt_pct",
        "clay_pct",
        "bulk_density_kg_dm3",
        "mat_c",
        "map_cm",
    ];
    let names: Vec<&str> = found
        .statics
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(names, attributes);
    let first = [12.0, 45.0, 30.0, 24.0, 1.3, 8.0, 104.0];
    for (value, expected) in found.static_values.iter().zip(first) {
        assert!((value - expected).abs() < 1e-4, "{value} is not {expected}");
    }

    // Only the site without land surface temperature is told of.
    let warnings = warnings(&found, sites());
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert_warned(
        &found,
        &[
            "`lst_day_k` is absent at site `E`",
            "modis_lst.csv has no row",
        ],
    );
    assert_warned(
        &found,
        &[
            "`lst_night_k` is absent at site `E`",
            "export the table again",
        ],
    );
    assert!(
        series(&found, 4, "lst_day_k")
            .iter()
            .all(|(value, _)| value.is_nan())
    );
    let lst = &found.sources[3];
    assert!(lst.contains("MOD11A1") && lst.contains("stand-in"), "{lst}");
    assert!(found.sources[12].contains("guess"), "{}", found.sources[12]);
}

#[test]
fn marks_and_line_ends_of_spreadsheets_change_nothing() {
    let folder = export();
    let before = read(folder.path());
    for file in ["modis_et.csv", "soilgrids.csv"] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        fs::write(path, format!("\u{feff}{text}")).unwrap();
    }
    let after = read(folder.path());
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&before.values), bits(&after.values));
    assert_eq!(bits(&before.static_values), bits(&after.static_values));
    assert_eq!(before.warnings, after.warnings);
}

#[test]
fn parts_of_a_table_are_one_table() {
    let folder = export();
    let before = read(folder.path());
    let path = folder.path().join("modis_lst.csv");
    let text = fs::read_to_string(&path).unwrap();
    let header = text.lines().next().unwrap();
    for part in ["A", "B", "C", "D"] {
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with(part)).collect();
        let name = format!("modis_lst-{part}.csv");
        fs::write(
            folder.path().join(name),
            format!("{header}\n{}\n", rows.join("\n")),
        )
        .unwrap();
    }
    fs::remove_file(path).unwrap();
    assert_eq!(
        series(&before, 1, "lst_day_k"),
        series(&read(folder.path()), 1, "lst_day_k")
    );
}

#[test]
fn values_that_their_producer_filled_are_used_and_flagged() {
    let folder = export();
    let header = "site,date,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night,filled";
    let rows = lines(&["2003-01-01,1400#,0,1350#,0,0", "2003-01-02,1420#,,1360#,,1"]);
    table(folder.path(), "modis_lst", header, &rows);
    let found = read(folder.path());
    assert_days(
        &found,
        0,
        "lst_day_k",
        &[(0, 280.0, OBSERVED), (1, 284.0, INTERPOLATED)],
    );
    assert!(
        !found.sources[3].contains("stand-in"),
        "{}",
        found.sources[3]
    );
}

#[test]
fn every_product_is_documented_and_exported_under_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let script = fs::read_to_string(root.join("earth-engine/export.js")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(script.contains("CI DOES NOT RUN THIS SCRIPT"));
    let products = Products::paper().unwrap();
    assert_eq!(products.iter().count(), 20);
    let description = fs::read_to_string(root.join("predictors.toml")).unwrap();
    for key in description
        .lines()
        .filter_map(|line| line.split_once(" = "))
    {
        let documented = key.0.starts_with(['#', ' ']) || readme.contains(&format!("`{}`", key.0));
        assert!(documented, "`{}` is not in configs/README.md", key.0);
    }
    for product in products.iter() {
        let name = &product.name;
        assert!(
            product.sentence.contains("(line"),
            "{name} has no line of the paper"
        );
        assert!(
            readme.contains(&format!("`{name}`")),
            "`{name}` is not in configs/README.md"
        );
        let columns = product
            .bands
            .iter()
            .chain(product.quality.iter().map(|quality| &quality.band));
        for quoted in columns.chain([&product.table]) {
            let quoted = format!("'{quoted}'");
            assert!(
                script.contains(&quoted),
                "{quoted} of `{name}` is not in export.js"
            );
        }
        if product.table != "worldclim" {
            let source = format!("'{}'", product.source);
            assert!(script.contains(&source), "{source} is not in export.js");
        }
    }
}

#[test]
fn a_pack_takes_the_predictors_behind_its_own() {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sites");
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
    let alone = pack_sites(&study.path("sites")).unwrap().pack;
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
