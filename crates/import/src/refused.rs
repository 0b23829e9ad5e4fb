//! Files that hold no flux, known by their signs, and what computes fluxes of them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use efflux_base::error::{Error, Result};

const CONCENTRATIONS: &str = "concentrations of a gas analyser, not fluxes: compute fluxes of them first, with volume and area of the \
                              chamber (goFlux, fluxfinder, SoilFluxPro), and import those with layout = \"table\"";

/// Why a file cannot be imported, whatever a mapping says of it; none for files that may well be.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be read.
pub(crate) fn reason(path: &Path) -> Result<Option<String>> {
    let mut begin = Vec::new();
    let file = File::open(path).map_err(Error::io("read", path))?;
    file.take(8192)
        .read_to_end(&mut begin)
        .map_err(Error::io("read", path))?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    Ok(of(&name, &String::from_utf8_lossy(&begin)))
}

fn of(name: &str, text: &str) -> Option<String> {
    let ends = |ending: &str| name.ends_with(ending);
    let first = text.lines().next().unwrap_or_default();
    let columns: Vec<&str> = text
        .lines()
        .take(40)
        .flat_map(|line| line.split([',', '\t', ';']))
        .map(str::trim)
        .collect();
    let has = |all: &[&str]| {
        all.iter().all(|name| {
            columns
                .iter()
                .any(|column| column.trim_matches('"') == *name)
        })
    };
    let whose = if ends(".82z") {
        return Some(
            "is a raw file of the LI-8250 (.82z), which holds concentrations and no flux: import the daily summaries \
             (…_summary.csv) with layout = \"licor-8250\", or compute fluxes with SoilFluxPro"
                .into(),
        );
    } else if [".pkl", ".pickle", ".p"].iter().any(|ending| ends(ending)) {
        return Some(
            "is a pickle of Python, which can run any program when it is opened: save it as netCDF or CSV \
             (`pandas.read_pickle(\"x.p\").to_csv(\"x.csv\")`)"
                .into(),
        );
    } else if has(&["Rs_annual", "Study_number"]) || name.starts_with("srdb-data") {
        return Some(
            "is SRDB: one row a study with annual or seasonal fluxes, no daily ones. It may serve as a check of annual sums".into(),
        );
    } else if first.starts_with("Model:\tLI-78") || has(&["DATAH", "DIAG"]) {
        "LI-7810 or LI-7820"
    } else if has(&["EPOCH_TIME", "ALARM_STATUS"]) || has(&["FRAC_DAYS_SINCE_JAN1"]) {
        "Picarro"
    } else if text.contains("[CO2]d_ppm") || text.contains("[CO2]_ppm") {
        "LGR"
    } else if has(&["Plot", "RecNo", "CO2 Ref"]) || text.contains(";EGM-4") {
        "EGM-4"
    } else if first.contains("LI-850") || has(&["CO2(umol/mol)", "H2O(mmol/mol)"]) {
        "LI-850"
    } else {
        return None;
    };
    Some(format!("holds {CONCENTRATIONS} ({whose})"))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn files_without_fluxes_are_known_by_their_signs() {
        for (name, text, expected) in [
            ("a.data", "Model:\tLI-7810\nSN:\tTG10-01\n", "LI-7810"),
            (
                "a.dat",
                "DATE TIME\nFRAC_DAYS_SINCE_JAN1,EPOCH_TIME,CO2\n",
                "Picarro",
            ),
            (
                "a.txt",
                "VC:aaaa\n Time, [CO2]d_ppm, [CO2]d_ppm_sd\n",
                "LGR",
            ),
            ("a.dat", ";EGM-4\tSoil\n;Plot\tRecNo\tDay\n", "EGM-4"),
            ("x-20200101.82z", "PK", "layout = \"licor-8250\""),
            ("periods.p", "", "pickle"),
            (
                "srdb-data-v5.csv",
                "Record_number,Study_number,Rs_annual\n",
                "annual",
            ),
        ] {
            let reason = of(name, text).unwrap_or_default();
            assert!(reason.contains(expected), "{name}: {reason}");
        }
        assert_eq!(of("ZZ.csv", "TIMESTAMP_START,TIMESTAMP_END,CO2,FC\n"), None);
        assert_eq!(
            of("ZZ.81x", "LI-8100:\t243\nType\tEtime\tDate\tCO2\n"),
            None
        );
    }
}
