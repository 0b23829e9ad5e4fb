use std::path::{Path, PathBuf};

use super::FluxUnit;

fn cases(name: &str) -> Vec<Vec<String>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/units")
        .join(name);
    let mut rows = csv::Reader::from_path(path).expect("the cases");
    rows.records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
        .collect()
}

/// `312500/1188243`.
fn fraction(text: &str) -> f64 {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    numerator.parse::<f64>().expect("a number") / denominator.parse::<f64>().expect("a number")
}

fn factor(spelling: &str) -> f64 {
    FluxUnit::parse(spelling)
        .unwrap_or_else(|reason| panic!("{reason}"))
        .factor()
}

#[test]
fn every_spelling_has_the_exact_factor_of_its_unit() {
    let factors = cases("factors.csv");
    for unit in &factors {
        let exact = fraction(&unit[2]);
        assert!(
            (factor(&unit[0]) / exact - 1.0).abs() < 1e-14,
            "{}",
            unit[0]
        );
    }
    for spelling in cases("spellings.csv") {
        let unit = factors
            .iter()
            .find(|unit| unit[0] == spelling[1])
            .expect("its unit");
        assert!(
            (factor(&spelling[0]) / fraction(&unit[2]) - 1.0).abs() < 1e-14,
            "{}",
            spelling[0]
        );
    }
}

#[test]
fn spellings_that_no_list_has_follow_from_the_grammar() {
    for (spelling, same) in [
        ("micromoles CO2 per m2 per second", "umol m-2 s-1"),
        ("µmol·m⁻²·s⁻¹", "umol m-2 s-1"),
        ("$\\mu$mol m$^{-2}$ s$^{-1}$", ""),
        ("umol m<sup>-2</sup> s<sup>-1</sup>", "umol m-2 s-1"),
        ("umol cm-2 s-1", ""),
        ("kgC/ha/yr", ""),
        ("g CO2 m-2 min-1", ""),
        ("gC m-2 day-1", "g C m-2 d-1"),
        ("ug CO2-C m-2 h-1", ""),
        ("tonnes C per hectare per year", "t C ha-1 yr-1"),
        ("umol m -2 s -1", "umol m-2 s-1"),
        ("umol/m²s", "umol m-2 s-1"),
        ("UMOL M-2 S-1", "umol m-2 s-1"),
        ("umolCO2m-2s-1", "umol m-2 s-1"),
        ("mgCO2m-2h-1", "mg CO2 m-2 h-1"),
        ("g_co2_m2_d", "g CO2 m-2 d-1"),
        ("[mg+1CO2+1m-2h-1]", "mg CO2 m-2 h-1"),
    ] {
        let unit = FluxUnit::parse(spelling);
        match (spelling, same) {
            ("$\\mu$mol m$^{-2}$ s$^{-1}$", _) => assert!(unit.is_err()),
            ("umol cm-2 s-1", _) => assert_eq!(factor(spelling), 1e4),
            ("kgC/ha/yr", _) => {
                assert!((factor(spelling) / factor("t C ha-1 yr-1") - 1e-3).abs() < 1e-17)
            }
            ("g CO2 m-2 min-1", _) => {
                assert!((factor(spelling) / factor("g CO2 m-2 h-1") - 60.0).abs() < 1e-12)
            }
            ("ug CO2-C m-2 h-1", _) => {
                assert!((factor(spelling) / factor("mg C m-2 h-1") - 1e-3).abs() < 1e-17)
            }
            _ => assert_eq!(factor(spelling), factor(same), "{spelling}"),
        }
    }
}

#[test]
fn what_is_no_efflux_is_refused_with_the_reason() {
    for (spelling, reason) in [
        ("g m-2 d-1", "of C or of CO2?"),
        ("mg m-2 h-1", "of C or of CO2?"),
        ("kg m-2 s-1", "of C or of CO2?"),
        ("ppm", "a concentration"),
        ("umol mol-1", "a concentration"),
        ("umol+1mol-1", "a concentration"),
        ("ppm s-1", "a slope"),
        ("nmol kg-1 s-1", "by mass of soil"),
        ("umol g-1 h-1", "by mass of soil"),
        ("umol m-2", "no time"),
        ("Mg m-2 s-1", "milligrams are `mg`"),
        ("mmol m-3", "a concentration"),
        ("g C m-2", "no time"),
        ("mg C m-2", "no time"),
        ("nmol CH4 m-2 s-1", "CH4, not of CO2"),
        ("mmol H2O m-2 s-1", "H2O, not of CO2"),
        ("MG C M-2 H-1", "case matters"),
        ("g C CO2 m-2 d-1", "of C or of CO2?"),
        ("g C m-2 month-1", "different lengths"),
        ("umol/m-2/s-1", "contradict"),
        ("umol m2 s-1", "not an area that is divided by"),
        ("umol m-2 s", "divided"),
        ("10-6 mol m-2 s-1", "number"),
        ("", "no amount"),
        ("W m-2", "no unit that is known"),
        ("g CO2 m-2 d-1 (ONEFlux)", "molar mass is one of carbon"),
    ] {
        let error = FluxUnit::parse(spelling).expect_err(spelling);
        assert!(error.contains(reason), "{error}");
        assert!(error.contains(&format!("`{spelling}`")), "{error}");
    }
    let refused = cases("refuse.csv");
    assert!(
        refused
            .iter()
            .all(|case| FluxUnit::parse(&case[0]).is_err())
    );
    assert_eq!(refused.len(), 14);
}
