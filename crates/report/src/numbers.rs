//! How numbers and names look to people, the same in tables, figures and on the page.

use efflux_analysis::Defined;
use efflux_analysis::measures::Measure;

/// `1 site`, `2 sites`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A number for reading: a fixed count of decimals, the sign as a minus, no negative zero.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// `NSE 0.50, r not defined`.
pub(crate) fn scores(
    measures: impl Iterator<Item = Measure>,
    of: impl Fn(Measure) -> Defined,
) -> String {
    let said = measures.map(|measure| {
        let value = of(measure);
        let value = value.map_or("not defined".to_owned(), |value| number(value, 2));
        format!("{} {value}", measure.label)
    });
    said.collect::<Vec<String>>().join(", ")
}

/// `said` with the unit that `name` ends on, as `mean annual temperature (°C)` for `mat_c (degC)`.
pub(crate) fn quantity(name: &str, said: &str) -> String {
    let unit = name
        .split_once(" (")
        .and_then(|(_, unit)| unit.strip_suffix(')'));
    let Some(unit) = unit else {
        return said.to_owned();
    };
    let mut unit = unit.replace("degC", "°C");
    for (digit, raised) in [('1', '¹'), ('2', '²'), ('3', '³')] {
        unit = unit.replace(&format!("-{digit}"), &format!("⁻{raised}"));
    }
    format!("{said} ({unit})")
}

/// A name cut to this many characters.
pub(crate) fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let cut: String = name.chars().take(most - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_typographic_minus_and_no_negative_zero() {
        assert_eq!(number(-1.25, 2), "−1.25");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(0.5, 3), "0.500");
    }

    #[test]
    fn quantities_keep_their_units() {
        let pet = quantity("mean pet_mm_8d (mm (8 d)-1)", "mean PET");
        assert_eq!(pet, "mean PET (mm (8 d)⁻¹)");
        assert_eq!(quantity("ndvi", "NDVI"), "NDVI");
    }
}
