//! Tables of predictors as Earth Engine exports them.

mod complaints;
mod documented;
mod values;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use efflux_base::error::Exit;
use efflux_data::{Calendar, Pack, Site, Target, Variable};
use efflux_ingest::{Missing, Predictors, Products, check, read_predictors};
use efflux_numerics::SiteByDay;
use jiff::civil::date;

const SITES: [&str; 5] = ["A", "B", "C", "D", "E"];

/// 40 days from 2003-01-01.
fn calendar() -> Calendar {
    Calendar {
        start: date(2003, 1, 1),
        days: 40,
    }
}

/// Five sites, a degree of latitude apart.
fn sites() -> Vec<Site> {
    let site = |(number, id): (usize, &&str)| Site {
        id: (*id).to_owned(),
        name: String::new(),
        latitude: 40.0 + number as f64,
        longitude: 10.0,
        elevation: None,
        igbp: String::new(),
        publication: String::new(),
    };
    SITES.iter().enumerate().map(site).collect()
}

/// A table of rows that all sites have. A `#` in a cell becomes the digit of the site, 0 to 4.
fn table(folder: &Path, name: &str, columns: &str, rows: &[String]) {
    let mut text = format!("{columns},.geo\n");
    for (number, site) in SITES.iter().enumerate() {
        for row in rows {
            let row = row.replace('#', &number.to_string());
            writeln!(text, "{site},{row},").unwrap();
        }
    }
    fs::write(folder.join(format!("{name}.csv")), text).unwrap();
}

fn lines(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

/// All tables, with gaps, fill values and bad quality. Site E has no land surface temperature.
fn export() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();

    // From midnight of 1 January, which belongs to the day before, to midnight of 5 January.
    let mut hours = vec!["2003-01-01T00:00,0.4,0.21#,0.30#".to_owned()];
    for (day, rain) in [(1, "0.001#"), (2, "0.004#"), (3, "0.002#"), (4, "0.003#")] {
        for hour in 1..=24 {
            let (day, stamp) = if hour == 24 {
                (day + 1, 0)
            } else {
                (day, hour)
            };
            let water = if stamp < 12 { 2 } else { 3 };
            let rain = if (day, stamp) == (2, 12) { "" } else { rain };
            hours.push(format!(
                "2003-01-{day:02}T{stamp:02}:00,{rain},0.{water}{day}#,0.3{day}#"
            ));
        }
    }
    let bands =
        "total_precipitation_hourly,volumetric_soil_water_layer_1,volumetric_soil_water_layer_2";
    table(path, "era5_land", &format!("site,date,{bands}"), &hours);

    let lst = lines(&[
        "2003-01-01,1400#,0,1350#,0",
        "2003-01-02,0,0,0,0",
        "2003-01-03,1500#,2,1360#,0",
        "2003-01-04,1450#,65,1370#,0",
        "2003-01-05,1600#,128,1380#,0",
        "2003-01-06,,,,",
    ]);
    table(
        path,
        "modis_lst",
        "site,date,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night",
        &lst,
    );
    let lst = path.join("modis_lst.csv");
    let text = fs::read_to_string(&lst).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with('E')).collect();
    fs::write(&lst, kept.join("\n")).unwrap();

    let gshtd = lines(&[
        "2002-12-01,1365#,1415#",
        "2003-01-01,1375#,1425#",
        "2003-02-01,1385#,1435#",
    ]);
    table(path, "gshtd", "site,date,TMIN,TMAX", &gshtd);

    let et = lines(&[
        "2002_12_27,50,10#,0",
        "2003_01_01,16#,32#,0",
        "2003_01_09,999,999,8",
        "2003_01_17,32#,64#,24",
        "2003_01_25,32761,32761,0",
    ]);
    table(path, "modis_et", "site,system:index,ET,PET,ET_QC", &et);

    let landsat = lines(&[
        "LE07_013030_20030103,10000,2000#,64,0",
        "LE07_013031_20030103,10000,1600#,64,0",
        "LE07_013030_20030103,10000,2000#,64,0",
        "LE07_013030_20030119,9000,2100#,72,0",
        "LE07_013030_20030120,9000,2100#,64,4",
        "LE07_013030_20030121,20000,1000#,64,0",
        "LE07_013030_20030123,12000,2000#,64,0",
    ]);
    table(
        path,
        "landsat7",
        "site,system:index,SR_B3,SR_B4,QA_PIXEL,QA_RADSAT",
        &landsat,
    );

    let lai = lines(&[
        "2002-12-31,3#,1#,0",
        "2003-01-01,4#,1#,2",
        "2003-01-05,255,255,0",
        "2003-01-09,6#,2#,0",
        "2003-01-13,9#,9#,128",
        "2003-01-17,9#,9#,4",
    ]);
    table(path, "modis_lai", "site,date,Fpar,Lai,FparLai_QC", &lai);

    let wind = lines(&["200212,25#", "200301,35#", "200302,30#"]);
    table(path, "terraclimate", "site,system:index,vs", &wind);

    let soil = "soc_0-5cm_mean,sand_0-5cm_mean,silt_0-5cm_mean,clay_0-5cm_mean,bdod_0-5cm_mean";
    table(
        path,
        "soilgrids",
        &format!("site,{soil}"),
        &lines(&["12#,45#,30#,24#,13#"]),
    );
    table(
        path,
        "worldclim",
        "site,bio_1,bio_12",
        &lines(&["8.#,104#"]),
    );
    folder
}

fn read(folder: &Path) -> Predictors {
    read_predictors(
        folder,
        &Products::paper().unwrap(),
        &sites(),
        calendar(),
        &Missing::default(),
    )
    .unwrap()
}

/// The message of the refusal of a folder in which a text was replaced, from the file's name on.
fn refused(file: &str, from: &str, to: &str) -> String {
    let folder = export();
    replace(folder.path(), file, from, to);
    let products = Products::paper().unwrap();
    let error = read_predictors(
        folder.path(),
        &products,
        &sites(),
        calendar(),
        &Missing::default(),
    )
    .unwrap_err();
    assert_eq!(error.exit(), Exit::Environment);
    let message = error.to_string();
    message.rsplit_once('/').unwrap().1.to_owned()
}

fn replace(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The values and flags of a variable at a site.
fn series(predictors: &Predictors, site: usize, name: &str) -> Vec<(f32, u8)> {
    let variable = position(&predictors.dynamic, name);
    let begin = (site * predictors.dynamic.len() + variable) * 40;
    let values = predictors.values[begin..][..40].iter().copied();
    values
        .zip(predictors.filled[begin..][..40].iter().copied())
        .collect()
}

fn position(variables: &[Variable], name: &str) -> usize {
    variables
        .iter()
        .position(|variable| variable.name == name)
        .unwrap()
}

#[track_caller]
fn assert_days(predictors: &Predictors, site: usize, name: &str, expected: &[(usize, f64, u8)]) {
    let series = series(predictors, site, name);
    for (day, value, flag) in expected {
        let (found, how) = series[*day];
        let close = (f64::from(found) - value).abs() < 1e-5 * value.abs().max(0.01);
        assert!(
            close && how == *flag,
            "{name}, day {day}: {found} ({how}), not {value} ({flag})"
        );
    }
}

/// A pack of the sites with these predictors and a flux on every day.
fn joined(predictors: &Predictors, sites: Vec<Site>) -> Pack {
    let calendar = calendar();
    let flux = [1.0, 2.0].into_iter().cycle();
    let flux = flux.take(sites.len() * calendar.days);
    let pack = Pack {
        dynamic: Vec::new(),
        values: Vec::new(),
        filled: Vec::new(),
        statics: Vec::new(),
        static_values: Vec::new(),
        target: Target::default(),
        flux: SiteByDay::of(calendar.days, flux.collect()),
        count: SiteByDay::filled(sites.len(), calendar.days, 1),
        origin: None,
        sources: Vec::new(),
        licences: Vec::new(),
        digest: String::new(),
        sites,
        calendar,
    };
    predictors.join(&pack).unwrap()
}

/// What is told of the tables, then what is told of a pack with them.
fn warnings(predictors: &Predictors, sites: Vec<Site>) -> Vec<String> {
    let findings = check(
        &joined(predictors, sites),
        &Products::paper().unwrap(),
        0.8,
        1.0,
    );
    let of_pack = findings.into_iter().map(|finding| finding.message);
    predictors.warnings.iter().cloned().chain(of_pack).collect()
}

#[track_caller]
fn assert_warned(predictors: &Predictors, parts: &[&str]) {
    let warnings = warnings(predictors, sites());
    let told = |warning: &&String| parts.iter().all(|part| warning.contains(part));
    assert!(
        warnings.iter().any(|warning| told(&warning)),
        "{parts:?} is not in {warnings:#?}"
    );
}
