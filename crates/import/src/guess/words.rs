//! What people call the columns that efflux knows.

/// Daily variables with beginnings, parts and whole names of columns that may be them, in small letters and digits.
const DRIVERS: [(&str, &[&str], &[&str]); 6] = [
    (
        "soil_temp_c",
        &[
            "soiltemp",
            "tsoil",
            "tempsoil",
            "bodentemp",
            "soilt",
            "temperaturesoil",
        ],
        &[
            "ts", "ts1", "ts5", "ts5cm", "t5", "t5cm", "ts2", "ts10", "ts10cm",
        ],
    ),
    (
        "soil_moisture_m3_m3",
        &[
            "soilmoist",
            "swc",
            "vwc",
            "watercontent",
            "soilwater",
            "bodenfeuchte",
            "vsm",
            "theta",
        ],
        &["sm", "sm5", "smc"],
    ),
    (
        "air_temp_c",
        &[
            "airtemp",
            "tair",
            "tempair",
            "lufttemp",
            "airt",
            "temperatureair",
        ],
        &["ta", "t2m"],
    ),
    (
        "precip_mm",
        &["rain", "precip", "niederschlag", "ppt"],
        &["p"],
    ),
    ("vpd_hpa", &["vpd"], &[]),
    ("par_umol_m2_s", &["ppfd", "par"], &[]),
];

/// Beginnings and parts of names of a flux.
const FLUX: [&str; 8] = [
    "efflux",
    "co2flux",
    "fluxco2",
    "fco2",
    "soilresp",
    "respiration",
    "flux",
    "rsoil",
];
const FLUX_WHOLE: [&str; 6] = ["rs", "sr", "f", "fc", "fsoil", "resp"];

/// Parts of names that are no value: flags, errors, counts.
const BESIDE: [&str; 9] = [
    "qc", "flag", "qual", "error", "stderr", "r2", "sd", "cv", "ch4",
];

const TIME: [&str; 14] = [
    "date",
    "datum",
    "time",
    "zeit",
    "day",
    "doy",
    "year",
    "jahr",
    "yr",
    "hour",
    "stunde",
    "timestamp",
    "minute",
    "month",
];

/// The daily variable that a column may be.
pub(super) fn driver(name: &str) -> Option<&'static str> {
    let plain = plain(name);
    if BESIDE.iter().any(|part| plain.contains(part)) {
        return None;
    }
    let is = |parts: &[&str], whole: &[&str]| {
        parts.iter().any(|part| plain.contains(part)) || whole.contains(&plain.as_str())
    };
    DRIVERS
        .iter()
        .find(|(_, parts, whole)| is(parts, whole))
        .map(|(driver, ..)| *driver)
}

/// Whether a column may be the flux.
pub(super) fn is_flux(name: &str) -> bool {
    let plain = plain(name);
    !BESIDE.iter().any(|part| plain.contains(part))
        && (FLUX.iter().any(|part| plain.contains(part)) || FLUX_WHOLE.contains(&plain.as_str()))
}

/// Whether a column may be a part of the time.
pub(super) fn is_time(name: &str) -> bool {
    let plain = plain(name);
    TIME.iter()
        .any(|part| plain.starts_with(part) || plain.ends_with(part))
}

/// Whether a column may tell how good the flux is.
pub(super) fn is_quality(name: &str) -> bool {
    let plain = plain(name);
    ["qc", "flag", "qual"]
        .iter()
        .any(|part| plain.starts_with(part) || plain.ends_with(part))
}

/// The name without what is in brackets, small letters and digits alone, without a logger's ending.
fn plain(name: &str) -> String {
    let outside = name.split(['(', '[']).next().unwrap_or(name);
    let kept = outside.chars().filter(|c| c.is_alphanumeric());
    let plain: String = kept.flat_map(char::to_lowercase).collect();
    // What loggers add to a name.
    let ending = ["avg", "mean", "smp"]
        .iter()
        .find_map(|ending| plain.strip_suffix(ending));
    ending.map_or(plain.clone(), str::to_owned)
}

/// What a name has in brackets: its unit, as a rule.
pub(super) fn bracketed(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once(['(', '['])?;
    rest.rsplit_once([')', ']'])
        .map(|(unit, _)| unit.trim())
        .filter(|unit| !unit.is_empty())
}
