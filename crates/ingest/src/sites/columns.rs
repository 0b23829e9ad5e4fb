//! What the columns of a daily file are: date, flux, predictors, flags, and what is no input although it is a number.

use efflux_base::error::Result;

use super::UNITS;
use super::target::Declared;
use crate::table::Table;

/// Companion of the target: measurements in the daily mean.
const COUNT: &str = "n_flux_values";
/// Words in the names that others give a flux of the soil, in small letters, and whole names.
const FLUX_WORDS: [&str; 2] = ["flux", "respiration"];
const FLUX_NAMES: [&str; 8] = ["co2", "rs", "r_s", "fsoil", "fc", "nee", "reco", "rsoil"];
/// Ending of a column that tells how the values of another came about.
const FLAGS: &str = "_filled";

/// Names that number or date the rows or tell the site, in small letters and digits alone.
const LABELS: [&str; 54] = [
    "",
    "index",
    "x",
    "row",
    "rowid",
    "rownames",
    "rownumber",
    "rownum",
    "id",
    "obs",
    "level0",
    "doy",
    "dayofyear",
    "jday",
    "jd",
    "julian",
    "julianday",
    "juliandate",
    "yday",
    "day",
    "dayofmonth",
    "mday",
    "week",
    "weekofyear",
    "month",
    "mon",
    "season",
    "year",
    "yr",
    "yyyy",
    "hour",
    "hr",
    "yyyymmdd",
    "yyyymm",
    "yyyydoy",
    "ymd",
    "timestamp",
    "timestampstart",
    "timestampend",
    "timestampbegin",
    "time",
    "datetime",
    "dates",
    "epoch",
    "unixtime",
    "decimalyear",
    "decimaldate",
    "decyear",
    "systemindex",
    "systemtimestart",
    "geo",
    "site",
    "siteid",
    "sitename",
];
/// Names of columns that tell how good or of which origin values are, in small letters; also behind or before `_`.
const QUALITIES: [&str; 16] = [
    "qc",
    "qa",
    "qf",
    "fqc",
    "qcflag",
    "qualityflag",
    "quality",
    "flag",
    "flags",
    "filled",
    "gapfilled",
    "isfilled",
    "imputed",
    "interpolated",
    "gapfill",
    "fmeth",
];

/// The columns of a daily file, by index.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) date: usize,
    pub(super) flux: Option<usize>,
    /// Which fluxes are not measured.
    pub(super) flux_flags: Option<usize>,
    pub(super) count: Option<usize>,
    /// Each with the column of its flags.
    pub(super) predictors: Vec<(usize, Option<usize>)>,
    /// Names of columns that are no input, and what they look like.
    pub(super) left_out: Vec<(String, &'static str)>,
}

impl Columns {
    /// # Arguments
    ///
    /// * `kept`: names of columns that are inputs whatever they look like.
    pub(super) fn of(table: &Table, declared: &Declared, kept: &[String]) -> Result<Self> {
        let names = table.columns();
        let target = declared.column();
        let mut columns = Self {
            date: table.require("date")?,
            flux: table.find(target),
            flux_flags: companion(names, target),
            count: table.find(COUNT),
            predictors: Vec::new(),
            left_out: Vec::new(),
        };
        let like_flux = |name: &&String| is_like_flux(name, declared) && !kept.contains(*name);
        if columns.flux.is_none()
            && let Some(near) = names
                .iter()
                .find(|name| like_flux(name) && *name != COUNT && !is_companion(name, target))
        {
            let reason = format!(
                "has no column `{target}`, but `{near}`: {}, remove it if the site is there for prediction alone",
                declared.advice(near)
            );
            return Err(table.wrong(reason));
        }
        for (index, name) in names.iter().enumerate() {
            let is_flag = name.ends_with(FLAGS)
                && !name.eq_ignore_ascii_case("is_filled")
                && !name.eq_ignore_ascii_case("gap_filled");
            if index == columns.date || name == target || name == COUNT {
                continue;
            }
            if kept.contains(name) && !is_flag {
                columns.predictors.push((index, companion(names, name)));
            } else if is_flag {
                let mut own = names.iter().filter(|other| is_companion(name, other));
                // A file for prediction may have kept the flags of a flux that it left out.
                if own.next().is_none() && !is_companion(name, target) {
                    return Err(table.wrong(no_column(name, names)));
                }
            } else if let Some(reason) = label(name).or_else(|| quality(name)) {
                columns.left_out.push((name.clone(), reason));
            } else {
                columns.predictors.push((index, companion(names, name)));
            }
        }
        Ok(columns)
    }
}

/// Whether a column may be the target by its name.
pub(super) fn is_like_flux(name: &str, declared: &Declared) -> bool {
    let small = name.to_ascii_lowercase();
    declared.is_column_of_others(name)
        || declared.is_called(name)
        || FLUX_WORDS.iter().any(|word| small.contains(word))
        || FLUX_NAMES.contains(&small.as_str())
}

/// Whether a column of flags belongs to another: called as it, or as it without its unit, and `_filled`.
fn is_companion(flags: &str, name: &str) -> bool {
    let base = flags.strip_suffix(FLAGS).unwrap_or(flags);
    let rest = name.strip_prefix(base);
    rest.is_some_and(|rest| rest.is_empty() || UNITS.iter().any(|(unit, _)| *unit == rest))
}

/// The column of flags that belongs to a column; of two the longer name.
fn companion(names: &[String], name: &str) -> Option<usize> {
    let flags = names.iter().enumerate();
    flags
        .filter(|(_, flags)| flags.ends_with(FLAGS) && is_companion(flags, name))
        .max_by_key(|(_, flags)| flags.len())
        .map(|(index, _)| index)
}

fn no_column(flags: &str, names: &[String]) -> String {
    let base = flags.strip_suffix(FLAGS).unwrap_or(flags);
    let near = names
        .iter()
        .find(|name| name.starts_with(base) && *name != flags);
    let remedy = match near {
        Some(near) => format!("for `{near}` call it `{near}{FLAGS}`"),
        None => "rename or remove it".into(),
    };
    format!(
        "`{flags}` belongs to no column, expected one called `{base}`, or `{base}` and its unit ({remedy})"
    )
}

/// What a name says that numbers or dates the rows.
fn label(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    (LABELS.contains(&plain.as_str()) || plain.starts_with("unnamed"))
        .then_some("a number, date or name of the row")
}

/// What a name says that tells of the quality of others.
fn quality(name: &str) -> Option<&'static str> {
    let small = name.to_ascii_lowercase();
    let whole: String = small.chars().filter(char::is_ascii_alphanumeric).collect();
    let ends = small.rsplit('_').next().unwrap_or("");
    let begins = small.split('_').next().unwrap_or("");
    let is = |word: &str| QUALITIES.contains(&word);
    (is(&whole) || is(ends) || is(begins)).then_some("a quality flag")
}

/// What the values of a column without a known unit say that date or number its rows.
///
/// # Arguments
///
/// * `dates`: year, month, day and day of the year of each row.
pub(super) fn labels_by_value(
    name: &str,
    values: &[f64],
    dates: &[[i32; 4]],
) -> Option<&'static str> {
    /// Rows from which on a straight line is no coincidence.
    const MANY: usize = 30;
    if UNITS.iter().any(|(unit, _)| name.ends_with(unit))
        || values.iter().any(|value| value.is_nan())
    {
        return None;
    }
    let all = |of: fn(&[i32; 4]) -> i32| {
        let mut rows = values.iter().zip(dates);
        values.len() > 1 && rows.all(|(value, date)| *value == f64::from(of(date)))
    };
    if all(|[year, month, day, _]| 10_000 * year + 100 * month + day) {
        return Some("the date of the row");
    }
    if all(|[year, _, _, of_year]| 1000 * year + of_year) || all(|[year, ..]| *year) {
        return Some("the date of the row");
    }
    if values.len() < MANY {
        return None;
    }
    if all(|[.., of_year]| *of_year) || all(|[_, month, ..]| *month) || all(|[_, _, day, _]| *day) {
        return Some("the date of the row");
    }
    let step = values[1] - values[0];
    let line = values.windows(2).all(|pair| pair[1] - pair[0] == step);
    (step != 0.0 && step.fract() == 0.0 && line).then_some("a number of the row")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_belong_to_the_whole_name_with_or_without_its_unit() {
        for name in ["soil_temp", "soil_temp_c", "soil_temp_k"] {
            assert!(is_companion("soil_temp_filled", name), "{name}");
        }
        for name in [
            "soil_temp_10cm_c",
            "soil_temp_10cm",
            "soil_temperature_c",
            "soil",
        ] {
            assert!(!is_companion("soil_temp_filled", name), "{name}");
        }
        let target = Declared::default().column();
        assert!(
            is_companion("co2_flux_filled", target)
                && is_companion("co2_flux_umol_m2_s_filled", target)
        );
    }

    #[test]
    fn labels_and_qualities_are_known_by_name() {
        for name in [
            "Unnamed: 0",
            "",
            "X",
            "DOY",
            "year",
            "yyyymmdd",
            "TIMESTAMP_START",
            "system:index",
            ".geo",
            "Day.of.Year",
        ] {
            assert!(label(name).is_some(), "{name}");
        }
        for name in [
            "co2_flux_qc",
            "NEE_VUT_REF_QC",
            "qc",
            "Quality_Flag",
            "TA_F_QC",
            "is_filled",
            "QF_temp",
        ] {
            assert!(quality(name).is_some(), "{name}");
        }
        for name in [
            "soil_temp_c",
            "TA_F",
            "SWC_F_MDS_1",
            "daytime_temp_c",
            "ndvi",
            "snow_depth_m",
            "air_temp",
            "time_since_rain",
        ] {
            assert_eq!(label(name).or(quality(name)), None, "{name}");
        }
    }

    #[test]
    fn labels_are_known_by_their_values() {
        let days = |n: i32| {
            (0..n)
                .map(|d| [2010, 1 + d / 28, 1 + d % 28, d + 1])
                .collect::<Vec<_>>()
        };
        let values =
            |n: i32, of: &dyn Fn(i32) -> i32| (0..n).map(|d| f64::from(of(d))).collect::<Vec<_>>();
        let known = |name, values: &[f64], n| labels_by_value(name, values, &days(n)).is_some();
        assert!(known("when", &values(6, &|d| 20_100_101 + d), 6));
        assert!(
            known("n", &values(40, &|d| d), 40) && known("n", &values(40, &|d| 86_400 * d + 5), 40)
        );
        assert!(
            !known("n", &values(6, &|d| d), 6) && !known("soil_temp_c", &values(40, &|d| d), 40)
        );
        assert!(!known("n", &values(40, &|d| d * d), 40) && !known("n", &values(40, &|_| 3), 40));
    }
}
