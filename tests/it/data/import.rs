//! `efflux import` as a command: from files as people have them to a pack.

use std::fs;

use crate::harness::Study;

/// Half hours with names of their own, a sentinel, and German numbers.
const HALF_HOURS: &str = "Datum;Zeit;Fluss;Ts\n\
    01.05.2010;00:30;3,5;11,5\n\
    01.05.2010;24:00;4,5;-9999\n\
    02.05.2010;12:00;2,5;12,5\n";
const MAPPING: &str = "layout = \"table\"\n\
    files = [\"raw/*.csv\"]\n\n\
    [[sites]]\nid = \"EICHE\"\nlat = 51.2\nlon = 9.1\n\n\
    [table]\ndelimiter = \";\"\ndecimal = \",\"\nmissing = [\"-9999\"]\n\
    time = { columns = [\"Datum\", \"Zeit\"], format = \"%d.%m.%Y %H:%M\", stands_for = \"end\", minutes = 30, zone = \"standard\" }\n\
    flux = { columns = [\"Fluss\"], unit = \"umol m-2 s-1\" }\n\n\
    [[table.drivers]]\nname = \"soil_temp_c\"\ncolumns = [\"Ts\"]\n";

fn study() -> Study {
    let study = Study {
        directory: tempfile::tempdir().unwrap(),
    };
    fs::create_dir(study.path("raw")).unwrap();
    study.write("raw/eiche.csv", HALF_HOURS);
    study.write("import.toml", MAPPING);
    study
}

#[test]
fn half_hours_become_a_folder_that_pack_takes() {
    let study = study();
    let done = study.run(&["import", "import.toml", "-o", "daily"]).ok();
    assert!(
        done.stdout.contains("daily: 1 sites, 2 days with a flux")
            && done.stdout.contains("EICHE: read 3"),
        "{}",
        done.stdout
    );
    let days = fs::read_to_string(study.path("daily/EICHE.csv")).unwrap();
    let expected = "date,co2_flux_umol_m2_s,n_flux_values,soil_temp_c\n\
        2010-05-01,4.000000,2,11.500000\n\
        2010-05-02,2.500000,1,12.500000\n";
    assert_eq!(days, expected);
    let done = study.run(&["pack", "--sites", "daily", "-o", "a.h5"]).ok();
    assert!(!done.stderr.contains("account.csv"), "{}", done.stderr);
    assert!(study.path("a.h5").exists());
}

#[test]
fn a_mapping_or_a_file_that_is_wrong_leaves_no_folder() {
    let study = study();
    study.write("import.toml", MAPPING.replace("unit =", "unti ="));
    let told = "import.toml: line 14: unknown key `unti` (did you mean `unit`?)";
    study
        .run(&["import", "import.toml", "-o", "daily"])
        .refused(2, &[told]);
    study.write("import.toml", MAPPING);
    study.write("raw/eiche.csv", HALF_HOURS.replace("4,5", "4,5x"));
    let told = "eiche.csv:3: `Fluss` has `4,5x`, expected a number";
    study
        .run(&["import", "import.toml", "-o", "daily"])
        .refused(4, &[told]);
    assert!(!study.path("daily").exists());
}

#[test]
fn a_guessed_mapping_is_printed_and_asks_for_the_place() {
    let study = study();
    let guessed = study
        .run(&["import", "--guess", "raw/eiche.csv"])
        .ok()
        .stdout;
    assert!(
        guessed.contains("layout = \"table\"") && guessed.contains("FILL IN"),
        "{guessed}"
    );
    study.write("guessed.toml", guessed);
    study
        .run(&["import", "guessed.toml"])
        .refused(2, &["has no `table.flux`"]);
}
