//! Layouts of networks of towers, and of NEON.

use crate::miniature::hold;
use crate::{data, imported, refused};

const AMERIFLUX: &str = "layout = 'ameriflux-base'\nfiles = ['AMF_*.csv']\ntarget = 'RECO_PI'\n";
const FLUXNET: &str = "layout = 'fluxnet'\nfiles = ['dd/*.csv']\ntarget = 'RECO_NT_VUT_REF'\n";
const ICOS: &str = "layout = 'icos-l2'\nfiles = ['*/*.csv']\ntarget = 'RECO_NT_VUT_REF'\n";
const NEON: &str = "layout = 'neon'\nfiles = ['*/*.csv']\n\
    [neon]\ndiffus_method = 'Millington-Quirk'\nmethod = '000'\n\
    [[sites]]\nid = 'ZZNA'\nutc_offset = -7\n[[sites]]\nid = 'ZZNB'\nutc_offset = 10\n";

#[test]
fn ameriflux_base_becomes_the_right_days() {
    hold(&data("ameriflux-base"), AMERIFLUX, "expected.csv");
}

#[test]
fn what_ameriflux_tells_of_sites_is_read_from_spreadsheets_as_well() {
    let mapping =
        "layout = 'ameriflux-base'\nfiles = ['AMF_ZZ-*.csv', '*.xlsx']\ntarget = 'RECO_PI'\n";
    hold(&data("ameriflux-base"), mapping, "expected.csv");
}

#[test]
fn fluxnets_daily_files_become_the_right_days() {
    hold(&data("fluxnet"), FLUXNET, "expected.csv");
}

#[test]
fn fluxnets_half_hours_become_the_days_of_its_daily_files() {
    let mapping =
        "layout = 'fluxnet'\nfiles = ['hh/*.csv', 'dd/*_BIF_*.csv']\ntarget = 'RECO_NT_VUT_REF'\n";
    hold(&data("fluxnet"), mapping, "expected_hh.csv");
}

#[test]
fn icos_archives_become_the_right_days() {
    hold(&data("icos-l2"), ICOS, "expected.csv");
}

#[test]
fn neons_tables_become_the_right_days() {
    hold(&data("neon"), NEON, "expected.csv");
}

#[test]
fn no_flux_of_a_tower_is_the_target_unless_it_is_named() {
    for (layout, mapping, says) in [
        (
            "ameriflux-base",
            "layout = 'ameriflux-base'\nfiles = ['*.csv']\n",
            "has RECO_PI, FC_1_1_1 (FC and NEE are net exchange",
        ),
        (
            "fluxnet",
            "layout = 'fluxnet'\nfiles = ['dd/*.csv']\n",
            "target = \"RECO_NT_VUT_REF\"",
        ),
    ] {
        let error = refused(&data(layout), mapping);
        assert!(
            error.contains("has no `target`") && error.contains(says),
            "{error}"
        );
    }
}

#[test]
fn a_modelled_target_is_said_in_a_warning_and_in_the_source() {
    let daily = imported(&data("fluxnet"), FLUXNET).unwrap();
    assert!(
        daily
            .warnings
            .iter()
            .any(|text| text.contains("modelled from tower data"))
    );
    let source = &daily.sites[0].site.source;
    assert!(
        source.contains("RECO_NT_VUT_REF") && source.contains("modelled"),
        "{source}"
    );
}

#[test]
fn a_filled_column_is_refused_as_a_target() {
    let mapping = AMERIFLUX.replace("RECO_PI", "RECO_PI_F");
    assert!(refused(&data("ameriflux-base"), &mapping).contains("is filled"));
}

#[test]
fn of_days_and_half_hours_of_a_site_one_is_read_and_the_other_named() {
    let mapping = FLUXNET.replace("'dd/*.csv'", "'dd/*.csv', 'hh/*.csv'");
    let daily = imported(&data("fluxnet"), &mapping).unwrap();
    assert_eq!(daily.account.sites[0].read, 120);
    let said = |text: &&String| {
        text.contains("_DD_2004-2005_1-4.csv is read")
            && text.contains("_HH_2004-2005_1-4.csv is not")
    };
    assert!(
        daily.warnings.iter().any(|text| said(&text)),
        "{:?}",
        daily.warnings
    );
    let halves = imported(
        &data("fluxnet"),
        &format!("{mapping}[fluxnet]\nprefer = 'half-hourly'\n"),
    )
    .unwrap();
    assert_eq!(halves.account.sites[0].read, 240);
}

#[test]
fn the_least_quality_is_the_users_to_choose() {
    let daily = imported(
        &data("fluxnet"),
        &format!("{FLUXNET}[fluxnet]\nquality = 0.5\n"),
    )
    .unwrap();
    let rows = &daily.account.sites[0];
    assert!(rows.kept() > 105);
    assert!(
        rows.dropped
            .iter()
            .any(|(rule, _)| rule == "no quality or below 0.5")
    );
}

#[test]
fn which_of_several_facts_of_a_site_was_taken_is_told() {
    let daily = imported(&data("ameriflux-base"), AMERIFLUX).unwrap();
    let said = |text: &&String| text.contains("IGBP 2 times (DBF, WSA): `DBF` is taken");
    assert!(
        daily.notes.iter().any(|text| said(&text)),
        "{:?}",
        daily.notes
    );
}

#[test]
fn files_of_2007_are_refused_because_their_flags_are_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("DEHai.2004.synth.daily.allvars.csv"),
        "a\n1\n",
    )
    .unwrap();
    let error = refused(
        folder.path(),
        "layout = 'fluxnet'\nfiles = ['*.csv']\ntarget = 'RECO_NT_VUT_REF'\n",
    );
    assert!(error.contains("La Thuile"), "{error}");
}

#[test]
fn neons_concentrations_are_no_flux() {
    let mapping = NEON.replace("'*/*.csv'", "'*/S*.csv', '*/sensor*.csv'");
    let error = refused(&data("neon"), &mapping);
    assert!(error.contains("has no table of fluxes"), "{error}");
}

#[test]
fn neons_method_must_be_one_that_the_table_has() {
    let error = refused(&data("neon"), &NEON.replace("'000'", "'111'"));
    assert!(
        error.contains("it has Marshall 000, Marshall 110, Millington-Quirk 000"),
        "{error}"
    );
}

#[test]
fn neons_times_need_the_zone_of_the_site() {
    let error = refused(&data("neon"), &NEON.replace("utc_offset = -7", ""));
    assert!(
        error.contains("NEON's times are UTC") && error.contains("utc_offset"),
        "{error}"
    );
}

/// A site that no file tells of.
const SITE: &str = "[[sites]]\nid = 'ZZ-A'\nlat = 1\nlon = 2\n";

#[test]
fn old_files_of_ameriflux_have_the_end_of_the_interval_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = "TIMESTAMP_END,RECO_PI\n201001020000,3\n201001020030,5\n";
    std::fs::write(folder.path().join("AMF_ZZ-A_BASE_HH_1-1.csv"), text).unwrap();
    let daily = imported(folder.path(), &format!("{AMERIFLUX}{SITE}")).unwrap();
    let fluxes: Vec<Option<f64>> = daily.sites[0].days.iter().map(|day| day.flux).collect();
    assert_eq!(fluxes, [Some(3.0), Some(5.0)]);
}

#[test]
fn of_hours_and_half_hours_of_ameriflux_the_user_may_choose() {
    let folder = tempfile::tempdir().unwrap();
    for (name, flux) in [("HH", 1), ("HR", 2)] {
        let text =
            format!("TIMESTAMP_START,TIMESTAMP_END,RECO_PI\n201001020000,201001020100,{flux}\n");
        std::fs::write(
            folder.path().join(format!("AMF_ZZ-A_BASE_{name}_1-1.csv")),
            text,
        )
        .unwrap();
    }
    let daily = imported(folder.path(), &format!("{AMERIFLUX}{SITE}")).unwrap();
    assert_eq!(daily.sites[0].days[0].flux, Some(1.0));
    assert!(
        daily
            .warnings
            .iter()
            .any(|text| text.contains("_HR_1-1.csv is not")),
        "{:?}",
        daily.warnings
    );
    let hourly = format!("{AMERIFLUX}{SITE}[ameriflux-base]\nprefer_hourly = true\n");
    assert_eq!(
        imported(folder.path(), &hourly).unwrap().sites[0].days[0].flux,
        Some(2.0)
    );
}

#[test]
fn the_depth_of_a_sensor_is_told_where_the_files_tell_it() {
    let daily = imported(&data("fluxnet"), FLUXNET).unwrap();
    let said = "TS_F_MDS_1 of site `ZZ-Fn2` is 0.05 m below the ground";
    assert!(
        daily.notes.iter().any(|text| text == said),
        "{:?}",
        daily.notes
    );
}

#[test]
fn days_that_two_files_of_a_site_have_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let row = |day: &str| format!("{day},1.03772448,1\n");
    for (years, days) in [
        ("2010-2010", ["20100101", "20100102"]),
        ("2010-2011", ["20100102", "20100103"]),
    ] {
        let rows: String = days.iter().map(|day| row(day)).collect();
        let text = format!("TIMESTAMP,RECO_NT_VUT_REF,NEE_VUT_REF_QC\n{rows}");
        let name = format!("FLX_ZZ-A_FLUXNET2015_FULLSET_DD_{years}_1-4.csv");
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mapping =
        format!("layout = 'fluxnet'\nfiles = ['*.csv']\ntarget = 'RECO_NT_VUT_REF'\n{SITE}");
    let daily = imported(folder.path(), &mapping).unwrap();
    assert_eq!(daily.sites[0].days.len(), 3);
    assert_eq!(
        (daily.account.sites[0].read, daily.account.sites[0].kept()),
        (4, 3)
    );
}

#[test]
fn texts_with_commas_and_no_quotes_in_what_icos_tells_do_not_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let facts = "SITE_ID,GROUP_ID,VARIABLE,DATAVALUE\nZZ-A,1,SITE_NAME,A wood, on a hill\nZZ-A,1\n\
        ZZ-A,2,LOCATION_LAT,50.5\nZZ-A,2,LOCATION_LONG,7.5\n";
    std::fs::write(folder.path().join("ICOSETC_ZZ-A_SITEINFO_L2.csv"), facts).unwrap();
    let days = "TIMESTAMP,RECO_NT_VUT_REF,NEE_VUT_REF_QC\n20100101,1.03772448,1\n";
    std::fs::write(folder.path().join("ICOSETC_ZZ-A_FLUXNET_DD_L2.csv"), days).unwrap();
    let daily = imported(folder.path(), &ICOS.replace("'*/*.csv'", "'*.csv'")).unwrap();
    let site = &daily.sites[0].site;
    assert_eq!(
        (site.lat, site.name.as_str()),
        (Some(50.5), "A wood, on a hill")
    );
    assert_eq!(daily.sites[0].days[0].flux, Some(1.0));
}

#[test]
fn neons_months_of_single_sensors_are_to_be_stacked_first() {
    let folder = tempfile::tempdir().unwrap();
    let name =
        "NEON.D99.ZZNA.DP1.00041.001.001.502.030.ST_30_minute.2019-07.basic.20200101T000000Z.csv";
    std::fs::write(folder.path().join(name), "startDateTime,soilTempMean\n").unwrap();
    let error = refused(folder.path(), &NEON.replace("'*/*.csv'", "'*.csv'"));
    assert!(error.contains("stack the months first"), "{error}");
}
