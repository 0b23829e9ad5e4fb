//! Files of automatic chambers.

use std::fs;

use crate::{data, imported, miniature, refused};

/// Two sites of a miniature, with these files and what else is known of them.
fn sites(of: [(&str, &str, &str); 2]) -> String {
    let site = |(id, files, more): (&str, &str, &str)| {
        format!("[[sites]]\nid = '{id}'\nlat = 43.0\nlon = -73.0\nfiles = ['{files}']\n{more}\n")
    };
    of.map(site).concat()
}

fn of_81x() -> String {
    format!(
        "layout = 'licor-81x'\n[chamber.columns]\nsoil_temp_c = 'V3'\nsoil_moisture_m3_m3 = 'V4'\n{}",
        sites([("ZZ-Li1", "ZZ-Li1.81x", ""), ("ZZ-Li2", "ZZ-Li2.81x", "")])
    )
}

/// Only the clock of the first site is put forward.
fn of_exports() -> String {
    let clock = "utc_offset = -5\n[sites.chamber]\nzone = 'America/New_York'";
    format!(
        "layout = 'licor-export'\n[chamber.columns]\nsoil_temp_c = 'Mean V3'\n{}",
        sites([
            ("ZZ-Ex1", "ZZ-Ex1.txt", clock),
            (
                "ZZ-Ex2",
                "ZZ-Ex2.csv",
                "[sites.chamber]\nformat = '%m/%d/%y %I:%M %p'"
            )
        ])
    )
}

fn of_8250() -> String {
    format!(
        "layout = 'licor-8250'\n[chamber.columns]\nsoil_temp_c = 'TS_1 initial_value'\nsoil_moisture_m3_m3 = 'CHAMBER/SWC_1 \
         initial_value'\n{}",
        sites([
            ("ZZ-Mx1", "ZZ-Mx1/*.csv", ""),
            ("ZZ-Mx2", "ZZ-Mx2/*.csv", "")
        ])
    )
}

#[test]
fn raw_files_of_the_li_8100a_become_the_fluxes_that_the_instrument_chose() {
    miniature::hold(&data("licor-81x"), &of_81x(), "expected.csv");
    let warnings = imported(&data("licor-81x"), &of_81x()).unwrap().warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("zone of the instrument's clock")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("1 records have a table but no footer")),
        "{warnings:?}"
    );
    let error = refused(&data("licor-81x"), &of_81x().replace("V3", "V9"));
    assert!(
        error.contains("ZZ-Li1.81x:17: the table has no column `V9`, it has Type\tEtime"),
        "{error}"
    );
}

#[test]
fn ports_are_chosen_by_their_numbers() {
    let only = of_81x().replace(
        "[chamber.columns]",
        "[chamber]\nports = ['2', '7']\n[chamber.columns]",
    );
    let account = imported(&data("licor-81x"), &only).unwrap().account;
    let other = account.sites[0]
        .dropped
        .iter()
        .find(|(rule, _)| rule == "other port");
    assert!(other.is_some_and(|(_, rows)| *rows > 10), "{account:?}");
    assert_eq!(account.sites[1].kept(), 40);
}

#[test]
fn exports_are_read_in_the_zone_of_their_clock() {
    let folder = data("licor-export");
    miniature::hold(&folder, &of_exports(), "expected.csv");
    let standard = of_exports().replace("zone = 'America/New_York'", "");
    assert_eq!(
        imported(&folder, &standard).unwrap().sites[0].days[0]
            .date
            .to_string(),
        "2016-10-25"
    );
    let ask = refused(
        &folder,
        &of_exports().replace("format =", "zone = 'standard' #"),
    );
    assert!(
        ask.contains("day first or the month?") && ask.contains("\"%m/%d/%y %I:%M %p\""),
        "{ask}"
    );
    let ask = refused(&folder, &of_exports().replace("utc_offset = -5", ""));
    assert!(ask.contains("`utc_offset = -5`"), "{ask}");
}

#[test]
fn summaries_of_the_li_8250_are_in_the_unit_that_their_third_line_says() {
    miniature::hold(&data("licor-8250"), &of_8250(), "expected.csv");
    let error = refused(
        &data("licor-8250"),
        &of_8250().replace("CHAMBER/SWC_1 initial_value", "PORT"),
    );
    assert!(
        error
            .contains("`PORT` is there more than once, expected one of LI-8250/PORT, CHAMBER/PORT"),
        "{error}"
    );
}

#[test]
fn sensors_of_a_summary_are_in_the_unit_that_its_third_line_says() {
    let folder = tempfile::tempdir().unwrap();
    let from = data("licor-8250").join("ZZ-Mx1/8250-0001-20190601_dense_summary.csv");
    let mapping = "layout = 'licor-8250'\nfiles = ['*.csv']\n[chamber.columns]\nsoil_temp_c = 'TS_1 initial_value'\n[[sites]]\nid = \
                   'A'\nlat = 1\nlon = 1\n";
    let soil = |unit: &str| {
        let text = fs::read_to_string(&from).unwrap().replace("[C]", unit);
        fs::write(folder.path().join("a_dense_summary.csv"), text).unwrap();
        let daily = imported(folder.path(), mapping).unwrap();
        (daily.sites[0].days[0].drivers[0].unwrap(), daily.warnings)
    };
    let (celsius, _) = soil("[C]");
    let (kelvin, _) = soil("[K]");
    assert!(
        (celsius - kelvin - 273.15).abs() < 1e-9,
        "{celsius} {kelvin}"
    );
    let (unknown, warnings) = soil("[counts]");
    assert_eq!(unknown, celsius);
    assert!(
        warnings
            .iter()
            .any(|said| said.contains("`counts`") || said.contains("[counts]")),
        "{warnings:?}"
    );
}

#[test]
fn a_summary_without_r2_says_that_failed_fits_cannot_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let from = data("licor-8250").join("ZZ-Mx1/8250-0001-20190601_dense_summary.csv");
    let text = fs::read_to_string(from)
        .unwrap()
        .replace("FCO2_DRY R2", "QUALITY");
    fs::write(folder.path().join("a_dense_summary.csv"), text).unwrap();
    let mapping =
        "layout = 'licor-8250'\nfiles = ['*.csv']\n[[sites]]\nid = 'A'\nlat = 1\nlon = 1\n";
    let daily = imported(folder.path(), mapping).unwrap();
    assert!(
        daily
            .warnings
            .iter()
            .any(|warning| warning.contains("no column of R2")),
        "{:?}",
        daily.warnings
    );
}

#[test]
fn repetitions_of_a_smart_chamber_are_placed_in_standard_time() {
    let mapping = format!(
        "layout = 'licor-smart-chamber'\n{}",
        sites([
            ("ZZ-Sc1", "ZZ-Sc1/*.json", ""),
            ("ZZ-Sc2", "ZZ-Sc2/*.json", "")
        ])
    );
    miniature::hold(&data("licor-smart-chamber"), &mapping, "expected.csv");
    // Where the mapping is silent, the chamber's GPS tells the place.
    let daily = imported(
        &data("licor-smart-chamber"),
        &mapping.replace("lat = 43.0\nlon = -73.0\n", ""),
    )
    .unwrap();
    assert_eq!(
        (daily.sites[0].site.lat, daily.sites[0].site.lon),
        (Some(38.0), Some(-76.0))
    );
    let error = refused(
        &data("licor-smart-chamber"),
        &format!("{mapping}[chamber]\nzone = 'UTC'\n"),
    );
    assert!(error.contains("`chamber.zone` has no meaning"), "{error}");
}

const OF_EOSFD: &str = "utc_offset = -6\n[sites.chamber]\nzone = 'UTC'\nstands_for = 'middle'\nminutes = 2\nunit = 'umol m-2 s-1'";

fn of_eosfd(second: &str) -> String {
    format!(
        "layout = 'eosfd'\n{}",
        sites([
            ("ZZ-Fd1", "ZZ-Fd1.csv", ""),
            ("ZZ-Fd2", "ZZ-Fd2.csv", second)
        ])
    )
}

#[test]
fn chambers_side_by_side_each_give_a_value() {
    miniature::hold(&data("eosfd"), &of_eosfd(OF_EOSFD), "expected.csv");
    let warnings = imported(&data("eosfd"), &of_eosfd(OF_EOSFD))
        .unwrap()
        .warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("no file of the maker")),
        "{warnings:?}"
    );
}

#[test]
fn a_time_that_calls_itself_utc_and_a_flux_without_a_unit_are_asked_for() {
    let error = refused(
        &data("eosfd"),
        &of_eosfd(&OF_EOSFD.replace("zone = 'UTC'", "")),
    );
    assert!(
        error.contains("`Time.UTC`") && error.contains("`zone = \"UTC\"`"),
        "{error}"
    );
    let error = refused(
        &data("eosfd"),
        &of_eosfd(&OF_EOSFD.replace("unit = 'umol m-2 s-1'", "")),
    );
    assert!(
        error.contains("`QCCombo.Flux.P1` does not tell its unit"),
        "{error}"
    );
}

#[test]
fn a_log_of_concentrations_is_refused_with_what_makes_fluxes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.data"),
        "Model:\tLI-7810\nSN:\tTG10-1\nDATAH\tSECONDS\tDIAG\tCO2\n",
    )
    .unwrap();
    let mapping =
        "layout = 'licor-export'\nfiles = ['a.data']\n[[sites]]\nid = 'A'\nlat = 1\nlon = 1\n";
    let error = refused(folder.path(), mapping);
    assert!(
        error.contains("concentrations") && error.contains("LI-7810") && error.contains("goFlux"),
        "{error}"
    );
}
