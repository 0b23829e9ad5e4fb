//! Mappings that declare what their flux is.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::{data, imported, refused, table};

const METHANE: &str =
    "[target]\nname = 'CH4 flux'\nlong_name = 'methane flux'\nunit = 'nmol m⁻² s⁻¹'\n";

/// A table of two days and its mapping.
fn mapping(target: &str, unit: &str) -> String {
    format!(
        "layout = 'table'\nfiles = ['days.csv']\n\n{target}\n\
         [[sites]]\nid = 'FEN'\nlat = 51.2\nlon = 9.1\n\n[table]\n\
         time = {{ columns = ['day'], format = 'iso', stands_for = 'begin', zone = 'standard' }}\n\
         flux = {{ columns = ['F'], unit = '{unit}' }}\n"
    )
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("days.csv"),
        "day,F\n2015-01-01,2.5\n2015-01-02,4\n",
    )
    .unwrap();
    folder
}

fn fluxes(folder: &Path, mapping: &str) -> Vec<f64> {
    let daily = imported(folder, mapping).unwrap();
    daily.sites[0]
        .days
        .iter()
        .filter_map(|day| day.flux)
        .collect()
}

#[test]
fn a_declared_target_is_written_into_the_folder_and_its_values_are_as_they_were() {
    let (folder, out) = (folder(), tempfile::tempdir().unwrap());
    let mapping = mapping(METHANE, "nmol m-2 s-1");
    assert_eq!(fluxes(folder.path(), &mapping), [2.5, 4.0]);
    let daily = imported(folder.path(), &mapping).unwrap();
    daily.write(out.path()).unwrap();
    let declared = fs::read_to_string(out.path().join("target.toml")).unwrap();
    assert_eq!(
        declared,
        "name = \"CH4 flux\"\nlong_name = \"methane flux\"\nunit = \"nmol m-2 s-1\"\n"
    );
    assert_eq!(table(&out.path().join("FEN.csv"))[0]["target"], "2.500000");
    // Written again over itself: it knows its own files.
    daily.write(out.path()).unwrap();
    assert!(
        fs::read_to_string(out.path().join("SHA256SUMS"))
            .unwrap()
            .contains("target.toml")
    );
}

#[test]
fn fluxes_of_carbon_are_converted_to_the_declared_unit_and_others_are_refused() {
    let folder = folder();
    let respiration =
        "[target]\nname = 'Rh'\nlong_name = 'heterotrophic respiration'\nunit = 'g C m-2 d-1'\n";
    let found = fluxes(folder.path(), &mapping(respiration, "umol m-2 s-1"));
    // 86,400 s of 12.011e-6 g.
    assert!((found[0] - 2.5 * 1.037_750_4).abs() < 1e-9, "{found:?}");
    let told = refused(folder.path(), &mapping(METHANE, "mg CH4 m-2 h-1"));
    assert!(
        told.contains(
            "`table.flux.unit`: unit `mg CH4 m-2 h-1` is not that of the target, `nmol m-2 s-1`"
        ),
        "{told}"
    );
    // Of a layout whose fluxes are always in one unit.
    let exchange = "layout = 'icos-l2'\nfiles = ['*/*.csv']\n";
    let plain = format!("{exchange}target = 'RECO_NT_VUT_REF'\n");
    let declared = |unit: &str| {
        format!(
            "{exchange}[target]\ncolumn = 'RECO_NT_VUT_REF'\nname = 'Reco'\nlong_name = 'respiration'\nunit = '{unit}'\n"
        )
    };
    let (plain, nano) = (
        fluxes(&data("icos-l2"), &plain),
        fluxes(&data("icos-l2"), &declared("nmol m-2 s-1")),
    );
    assert!((nano[0] / plain[0] - 1e3).abs() < 1e-9);
    let told = refused(&data("icos-l2"), &declared("mm d-1"));
    assert!(
        told.contains("`target.unit`: unit `umol m-2 s-1` is not"),
        "{told}"
    );
    let daily = imported(&data("icos-l2"), &declared("umol m-2 s-1")).unwrap();
    assert!(
        !daily
            .warnings
            .iter()
            .any(|told| told.contains("not efflux of soil"))
    );
}

#[test]
fn a_declaration_that_is_not_whole_is_refused_with_its_line() {
    let folder = folder();
    for (from, to, told) in [
        ("unit = 'nmol", "units = 'nmol", "unknown key `units`"),
        (
            "'methane flux'",
            "' '",
            "the long name of the target is empty",
        ),
        ("name = 'CH4 flux'\n", "", "`name`"),
        (
            "'CH4 flux'",
            "\"CH4\\nflux\"",
            "the name of the target has the character U+000A",
        ),
    ] {
        let message = refused(
            folder.path(),
            &mapping(&METHANE.replacen(from, to, 1), "nmol m-2 s-1"),
        );
        assert!(
            message.contains(told) && message.contains("line "),
            "{message}"
        );
    }
    let both = METHANE.replace("[target]", "[target]\ncolumn = 'F'");
    let message = refused(folder.path(), &mapping(&both, "nmol m-2 s-1"));
    assert!(
        message.contains("a table names its columns in `table.flux`"),
        "{message}"
    );
}
