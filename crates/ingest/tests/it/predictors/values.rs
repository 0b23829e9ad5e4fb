//! What becomes of the tables, worked out by hand.

use std::fs;

use efflux_data::{HELD, INTERPOLATED, OBSERVED};
use efflux_ingest::Products;

use super::{assert_days, assert_warned, export, lines, read, series, sites, table, warnings};

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

    // Only the site without land surface temperature is told of, and that most tables end before the flux.
    let mut warnings = warnings(&found, sites());
    warnings.retain(|warning| !warning.contains("repeats its nearest measured value"));
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
    let root = efflux_testing::repository().join("configs");
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
