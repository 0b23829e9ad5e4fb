//! A target of one's own, from files as people have them to the report.

use std::f64::consts::TAU;
use std::fmt::Write;
use std::fs;

use efflux_data::read_predictions;
use efflux_testing::{files, rows};

use crate::harness::{JOB, Study};

const MAPPING: &str = "layout = \"table\"\n\n\
    [target]\nname = \"CH4 flux\"\nlong_name = \"methane flux\"\nunit = \"nmol m⁻² s⁻¹\"\n\n\
    [[sites]]\nid = \"FEN\"\nlat = 51.2\nlon = 9.1\nfiles = [\"FEN.raw\"]\n\n\
    [[sites]]\nid = \"BOG\"\nlat = 60.2\nlon = 19.1\nfiles = [\"BOG.raw\"]\n\n\
    [table]\n\
    time = { columns = [\"day\"], format = \"iso\", stands_for = \"begin\", zone = \"standard\" }\n\
    flux = { columns = [\"FCH4\"], unit = \"nmol m-2 s-1\" }\n\n\
    [[table.drivers]]\nname = \"soil_temp_c\"\ncolumns = [\"Ts\"]\n";

/// Two years of days at two sites, in a folder of daily files that an import wrote.
fn imported() -> Study {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    for (site, level) in [("FEN", 40.0), ("BOG", 15.0)] {
        let mut text = "day,FCH4,Ts\n".to_owned();
        let mut date = jiff::civil::date(2015, 1, 1);
        for day in 0..730_u32 {
            let season = (f64::from(day) / 365.25 * TAU).cos();
            let temperature = 10.0 - 9.0 * season + 0.3 * f64::from(day % 7);
            let flux = level * (0.08 * temperature).exp() + 0.2 * f64::from(day % 5);
            writeln!(text, "{date},{flux:.3},{temperature:.2}").unwrap();
            date = date.tomorrow().unwrap();
        }
        study.write(&format!("{site}.raw"), text);
    }
    study.write("import.toml", MAPPING);
    study.run(&["import", "import.toml", "-o", "daily"]).ok();
    study
        .run(&["pack", "--sites", "daily", "-o", "small.h5"])
        .ok();
    study.write("job.toml", JOB.replace("search = [0, 1]", "search = [0]"));
    study
}

#[test]
fn from_the_mapping_to_the_report_everything_speaks_of_the_declared_target() {
    let study = imported();
    let declared = fs::read_to_string(study.path("daily/target.toml")).unwrap();
    assert!(declared.contains("unit = \"nmol m-2 s-1\""), "{declared}");
    let days = fs::read_to_string(study.path("daily/FEN.csv")).unwrap();
    assert!(days.starts_with("date,target,n_flux_values,soil_temp_c\n"));
    let shown = study.run(&["inspect", "small.h5"]).ok().stdout;
    assert!(
        shown.contains("target  methane flux, nmol m⁻² s⁻¹"),
        "{shown}"
    );
    assert!(shown.contains("CH₄ flux, nmol m⁻² s⁻¹"), "{shown}");
    assert!(!shown.contains("µmol"), "{shown}");

    study.sweep("run", "1").ok();
    for (path, content) in files(&study.path("run/report")) {
        let text = String::from_utf8(content).unwrap();
        for word in ["CO2", "CO₂", "µmol", "umol"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
    let page = fs::read_to_string(study.path("run/report/index.html")).unwrap();
    assert!(page.contains("Daily methane flux") && page.contains("errors in nmol m⁻² s⁻¹"));
    let sites = rows(&study.path("run/report"), "sites.csv");
    assert!(sites[0].contains_key("test_rmse_nmol_m-2_s-1"));
    let predictions = study.path("run/ensemble/predictions.nc");
    let target = read_predictions(&predictions).unwrap().target;
    assert_eq!(
        (
            target.plain_name(),
            target.plain_long_name(),
            target.units()
        ),
        ("CH4 flux", "methane flux", "nmol m-2 s-1")
    );
    let bytes = fs::read(&predictions).unwrap();
    let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    assert!(has(b"observed daily mean methane flux"));
    assert!(!has(b"CO2") && !has(b"umol"));
}

#[test]
fn observations_and_runs_of_another_target_are_refused_where_they_would_be_mixed_up() {
    let study = imported();
    study.sweep("methane", "1").ok();
    let said = study.run(&["predict", "methane", "--pack", "small.h5", "-o", "out"]);
    let said = said.ok().stdout;
    assert!(
        said.contains("target          methane flux, nmol m⁻² s⁻¹"),
        "{said}"
    );

    // The same numbers as what they are not.
    for site in ["FEN", "BOG"] {
        let path = study.path(&format!("daily/{site}.csv"));
        let days = fs::read_to_string(&path).unwrap();
        fs::write(&path, days.replacen("target", "co2_flux_umol_m2_s", 1)).unwrap();
    }
    let told = [
        "has no column `target`, but `co2_flux_umol_m2_s`",
        "rename it if it is methane flux in nmol m⁻² s⁻¹",
    ];
    let pack = ["pack", "--sites", "daily", "-o", "small.h5"];
    study.run(&pack).refused(4, &told);
    fs::remove_file(study.path("daily/target.toml")).unwrap();
    study.run(&pack).ok();
    let told = [
        "observations of soil CO2 efflux in `umol m-2 s-1`",
        "expected methane flux in `nmol m-2 s-1`",
    ];
    let predict = |command| study.run(&[command, "methane", "--pack", "small.h5", "-o", "not"]);
    predict("predict").refused(4, &told);
    predict("adapt").refused(4, &told);

    study.sweep("soil", "1").ok();
    let told = [
        "the runs are of different targets",
        "methane simulates methane flux (CH₄ flux) in nmol m⁻² s⁻¹",
        "soil simulates soil CO₂ efflux (flux) in µmol m⁻² s⁻¹",
    ];
    study.run(&["compare", "methane", "soil"]).refused(2, &told);
}
