//! Folders of site files: what becomes of them, and what is refused.

use std::fs;
use std::path::Path;

use efflux_base::error::Exit;
use efflux_data::{HELD, INTERPOLATED, OBSERVED, Pack};
use efflux_ingest::{Packed, SiteOptions, inspect, pack_sites};
use efflux_testing::repository;

/// Two sites: one with all columns, one without soil moisture whose record begins before the calendar.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = efflux_testing::repository().join("tests/data/sites");
    for file in ["sites.csv", "BOG.csv", "OAK.csv"] {
        fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Replaces a text in one file of the example and gives the message of the refusal.
fn refused(file: &str, from: &str, to: &str) -> String {
    let folder = example();
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    refused_folder(folder.path())
}

fn refused_folder(folder: &Path) -> String {
    let error = pack_sites(folder, &SiteOptions::paper()).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    let message = error.to_string();
    let place = folder.display().to_string();
    assert!(message.starts_with(&place), "{message}");
    message[place.len()..].trim_start_matches('/').to_owned()
}

fn column(pack: &Pack, name: &str) -> usize {
    pack.dynamic
        .iter()
        .position(|variable| variable.name == name)
        .unwrap()
}

#[test]
fn the_example_becomes_a_pack() {
    let folder = example();
    let Packed {
        pack,
        observed_days,
        dropped_days,
        warnings,
        notes: _,
    } = pack_sites(folder.path(), &SiteOptions::paper()).unwrap();
    let names: Vec<&str> = pack
        .dynamic
        .iter()
        .map(|variable| variable.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "soil_temp_c",
            "soil_moisture_m3_m3",
            "day_length_h",
            "toa_radiation_w_m2"
        ]
    );
    assert_eq!(pack.dynamic[1].units, "m3 m-3");
    assert_eq!(pack.sites[0].name, "A \"quoted\" fen, north");
    assert_eq!(
        (pack.sites[0].elevation, pack.sites[1].elevation),
        (Some(270.0), None)
    );
    assert_eq!((observed_days, dropped_days), (4, 1));
    assert_eq!(
        warnings,
        [
            "days with a flux outside the calendar, 2003-01-01 to 2020-02-29 (6269 days), are left out: 1 at `OAK` (widen \
             it with `--from` and `--to`)",
            "`soil_moisture_m3_m3` is absent at 1 of 2 sites"
        ]
    );
    assert_eq!(pack.licences, ["CC-BY-4.0"]);

    // OAK: 2002-12-30 to 2003-01-02, so the calendar begins in the middle of the record.
    let flux = pack.flux_of(1);
    assert!((flux[0] - 1.2).abs() < 1e-6 && (flux[1] - 1.3).abs() < 1e-6 && flux[2].is_nan());
    let temperature: Vec<f32> = pack.series(1, 0).take(4).collect();
    assert_eq!(temperature, [3.0, 4.0, 4.0, 4.0]);
    let flags: Vec<u8> = pack.flags(1, 0).take(3).collect();
    assert_eq!(flags, [INTERPOLATED, OBSERVED, HELD]);
    assert_eq!(
        pack.sites_without(column(&pack, "soil_moisture_m3_m3")),
        [1]
    );
    assert!(pack.series(1, 1).all(f32::is_nan));
    assert!(pack.flags(1, 1).all(|flag| flag == OBSERVED));

    // BOG: held before and after its three days in 2010.
    let start = pack.calendar.index("2010-06-01".parse().unwrap()).unwrap();
    let moisture: Vec<f32> = pack.series(0, 1).collect();
    assert!(moisture[..=start].iter().all(|value| *value == 0.5));
    assert!(moisture[start + 2..].iter().all(|value| *value == 0.75));
    assert_eq!(pack.flags(0, 1).filter(|flag| *flag != HELD).count(), 3);
    assert_eq!(pack.count.site(0)[start..start + 3], [48, 0, 47]);
    // A mean over the record takes those three alone; where there is no record there is no mean.
    let record: f32 = moisture[start..start + 3].iter().sum();
    assert!((pack.mean_over_record(0, 1) - f64::from(record) / 3.0).abs() < 1e-7);
    assert!(pack.mean_over_record(1, 1).is_nan());

    // Computed for every day, observed everywhere; FAO-56 at 64.18° N on day 152.
    let day_length = column(&pack, "day_length_h");
    assert!(pack.flags(0, day_length).all(|flag| flag == OBSERVED));
    let hours = pack.series(0, day_length).nth(start).unwrap();
    assert!((hours - 19.58).abs() < 0.01, "{hours}");
}

#[test]
fn the_example_survives_its_file() {
    let folder = example();
    let packed = pack_sites(folder.path(), &SiteOptions::paper()).unwrap();
    let path = folder.path().join("pack.h5");
    packed.pack.write(&path).unwrap();
    assert_eq!(Pack::read(&path).unwrap().digest, packed.pack.digest);
    let text = inspect(&packed.pack, 0.8, 1.0).unwrap().to_string();
    let row = text.lines().find(|line| line.contains("_m3_m3")).unwrap();
    assert!(row.ends_with("  1"), "{text}");
}

#[test]
fn dates_out_of_order_are_refused() {
    let message = refused("BOG.csv", "2010-06-02", "2010-05-30");
    assert!(
        message.starts_with("BOG.csv:3: `date` has `2010-05-30`, expected a day after 2010-06-01"),
        "{message}"
    );
    let message = refused("BOG.csv", "2010-06-02", "2010-06-01");
    assert!(
        message.starts_with("BOG.csv:3: `date` has `2010-06-01`, expected each day once"),
        "{message}"
    );
    let message = refused("BOG.csv", "2010-06-03", "2010-06-05");
    assert!(
        message.starts_with("BOG.csv:4: `date` has `2010-06-05`, expected the day after"),
        "{message}"
    );
}

#[test]
fn what_is_not_a_number_is_refused() {
    let message = refused("BOG.csv", "11.5", "warm");
    assert!(
        message.starts_with("BOG.csv:4: `soil_temp_c` has `warm`, expected a number"),
        "{message}"
    );
    for literal in ["inf", "NaN"] {
        let message = refused("BOG.csv", "11.5", literal);
        assert!(message.contains("expected a finite number"), "{message}");
    }
}

#[test]
fn missing_columns_and_cells_are_refused() {
    let message = refused("BOG.csv", "co2_flux_umol_m2_s", "co2");
    assert!(
        message.starts_with("BOG.csv:1: has no column `co2_flux_umol_m2_s`"),
        "{message}"
    );
    let message = refused("sites.csv", "lat", "phi");
    assert!(
        message.starts_with("sites.csv:1: has no column `lat`"),
        "{message}"
    );
    let message = refused("BOG.csv", "2010-06-02,", "2010-06-02");
    assert!(
        message.starts_with("BOG.csv:3: has 6 cells, expected 7"),
        "{message}"
    );
}

#[test]
fn sites_that_cannot_be_placed_are_refused() {
    let message = refused("sites.csv", "64.18", "");
    assert!(
        message.starts_with("sites.csv:2: `lat` is empty, expected a number from -90 to 90"),
        "{message}"
    );
    let message = refused("sites.csv", "64.18", "164.18");
    assert!(
        message.starts_with("sites.csv:2: `lat` has `164.18`"),
        "{message}"
    );
    let message = refused("sites.csv", "-72.2", "-720");
    assert!(
        message.starts_with("sites.csv:3: `lon` has `-720`"),
        "{message}"
    );
    let message = refused("sites.csv", "OAK", "../OAK");
    assert!(
        message.starts_with("sites.csv:3: `site` has `../OAK`"),
        "{message}"
    );
    let message = refused("sites.csv", "OAK", "BOG");
    assert!(
        message.starts_with("sites.csv:3: `site` has `BOG`, expected each site once"),
        "{message}"
    );
}

#[test]
fn sites_without_data_are_refused() {
    let message = refused("sites.csv", "OAK", "ELM");
    assert!(
        message.starts_with("ELM.csv: is missing: sites.csv lists `ELM`"),
        "{message}"
    );
}

#[test]
fn a_site_with_all_its_fluxes_outside_the_calendar_is_refused() {
    let folder = example();
    let path = folder.path().join("BOG.csv");
    fs::write(&path, "date,co2_flux_umol_m2_s\n1999-06-01,1\n").unwrap();
    let message = refused_folder(folder.path());
    assert!(
        message.starts_with("BOG.csv: has no flux inside the calendar, 2003-01-01 to"),
        "{message}"
    );
}

#[test]
fn files_that_are_not_text_are_refused() {
    let folder = example();
    let path = folder.path().join("BOG.csv");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 3;
    bytes[end] = 0xff;
    fs::write(&path, bytes).unwrap();
    let message = refused_folder(folder.path());
    assert!(
        message.starts_with("BOG.csv:4: has bytes that are not UTF-8"),
        "{message}"
    );
}

#[test]
fn folders_without_sites_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refused_folder(folder.path()).contains("has no sites.csv"));
    assert!(refused_folder(&folder.path().join("none")).contains("cannot read"));
    fs::write(folder.path().join("sites.csv"), "site,lat,lon\n").unwrap();
    assert!(refused_folder(folder.path()).contains("lists no site"));
}

#[test]
fn files_that_no_site_claims_are_told() {
    let folder = example();
    fs::copy(folder.path().join("BOG.csv"), folder.path().join("FEN.csv")).unwrap();
    let warnings = pack_sites(folder.path(), &SiteOptions::paper())
        .unwrap()
        .warnings;
    assert_eq!(warnings[0], "not in sites.csv, so left out: FEN.csv");
}

/// The 56 sites of the daily COSORE data.
#[test]
fn the_real_sites_become_a_pack() {
    let folder = repository().join("data/cosore-daily");
    let packed = pack_sites(&folder, &SiteOptions::paper()).unwrap();
    let pack = &packed.pack;
    assert_eq!(pack.sites.len(), 56);
    assert_eq!((packed.observed_days, packed.dropped_days), (29_212, 0));
    let absent = |name: &str| pack.sites_without(column(pack, name)).len();
    assert_eq!(absent("soil_moisture_m3_m3"), 9);
    assert_eq!(absent("air_temp_c"), 36);
    assert_eq!(absent("par_umol_m2_s"), 52);
    assert_eq!(absent("soil_temp_c"), 0);
    println!("{}", inspect(pack, 0.8, 1.0).unwrap());

    // What the files say of the sun is what is computed, to their five and four decimals.
    for (site, of) in pack.sites.iter().enumerate() {
        let mut file = csv::Reader::from_path(folder.join(format!("{}.csv", of.id))).unwrap();
        let header = file.headers().unwrap().clone();
        for record in file.records() {
            let record = record.unwrap();
            let day = pack.calendar.index(record[0].parse().unwrap()).unwrap();
            for (name, tolerance) in [("day_length_h", 2e-5), ("toa_radiation_w_m2", 2e-4)] {
                let cell = header.iter().position(|column| column == name).unwrap();
                let given: f32 = record[cell].parse().unwrap();
                let computed = pack.series(site, column(pack, name)).nth(day).unwrap();
                assert!(
                    (given - computed).abs() < tolerance,
                    "{} {name} {given} {computed}",
                    of.id
                );
            }
        }
    }
}

/// Gives the column of the flux and that of its flags the names that a declared target has.
fn call_the_flux_target(folder: &Path) {
    for site in ["BOG", "OAK"] {
        let path = folder.join(format!("{site}.csv"));
        let text = fs::read_to_string(&path).unwrap();
        let renamed = text.replacen("co2_flux_umol_m2_s", "target", 1);
        fs::write(
            &path,
            renamed.replacen("co2_flux_filled", "target_filled", 1),
        )
        .unwrap();
    }
}

#[test]
fn a_folder_may_declare_its_target_and_its_column_is_then_called_so() {
    let folder = example();
    let declaration =
        "name = \"CH4 flux\"\nlong_name = \"methane flux\"\nunit = \"nmol m-2 s-1\"\n";
    fs::write(folder.path().join("target.toml"), declaration).unwrap();
    let told = refused_folder(folder.path());
    assert!(
        told.contains("has no column `target`, but `co2_flux_umol_m2_s`"),
        "{told}"
    );
    let plain = pack_sites(example().path(), &SiteOptions::paper()).unwrap();
    call_the_flux_target(folder.path());
    let packed = pack_sites(folder.path(), &SiteOptions::paper()).unwrap();
    assert_eq!(packed.pack.target.long_name(), "methane flux");
    let bits = |pack: &Pack| -> Vec<u32> { pack.flux.iter().map(|flux| flux.to_bits()).collect() };
    assert_eq!(bits(&packed.pack), bits(&plain.pack));
    assert_ne!(packed.pack.digest, plain.pack.digest);
    let shown = inspect(&packed.pack, 0.8, 1.0).unwrap();
    assert!(
        shown
            .to_string()
            .contains("target  methane flux, nmol m⁻² s⁻¹")
    );
    assert_eq!(
        serde_json::to_value(&shown).unwrap()["target"]["unit"],
        "nmol m-2 s-1"
    );
    let shown = inspect(&plain.pack, 0.8, 1.0).unwrap();
    assert!(
        serde_json::to_value(&shown)
            .unwrap()
            .get("target")
            .is_none()
    );

    fs::remove_file(folder.path().join("target.toml")).unwrap();
    let told = refused_folder(folder.path());
    assert!(
        told.contains("`target`: write target.toml, which says what it is"),
        "{told}"
    );
}

#[test]
fn a_column_that_is_called_as_the_declared_target_is_told_to_be_an_input() {
    let folder = example();
    let declaration = "name = \"soil moisture\"\nlong_name = \"soil moisture\"\nunit = \"1\"\n";
    fs::write(folder.path().join("target.toml"), declaration).unwrap();
    call_the_flux_target(folder.path());
    let packed = pack_sites(folder.path(), &SiteOptions::paper()).unwrap();
    let told = packed.warnings.join("\n");
    assert!(
        told.contains("`soil_moisture_m3_m3` is an input, though by its name"),
        "{told}"
    );
}
