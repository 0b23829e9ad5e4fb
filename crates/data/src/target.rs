//! What the daily values of a pack are: soil CO₂ efflux, or what else its owner says.

use serde::{Deserialize, Serialize};

/// The target of a pack: what it is called, and in which unit it is. Soil CO₂ efflux unless a pack says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    name: String,
    long_name: String,
    units: String,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            name: "flux".to_owned(),
            long_name: "soil CO2 efflux".to_owned(),
            units: "umol m-2 s-1".to_owned(),
        }
    }
}

impl Target {
    /// A target with the word that stands for it in sentences (`NEE`), its long name (`net ecosystem exchange of CO2`) and
    /// its unit (`mm d-1`, `mm d⁻¹`; `1` for a ratio). Blanks around them do not count, and of units that are spelt with
    /// superscripts and `µ` the plain spelling is kept.
    ///
    /// # Errors
    ///
    /// Which of them is empty, has control characters or has more than 80 characters.
    pub fn new(name: &str, long_name: &str, units: &str) -> Result<Self, String> {
        Ok(Self {
            name: checked("name", name)?,
            long_name: checked("long name", long_name)?,
            units: checked("unit", &plain(units))?,
        })
    }

    /// Whether it is soil CO₂ efflux by its own name and in its own unit: limits of nature, the numbers of the paper and
    /// sums of carbon are about nothing else.
    pub fn is_soil_efflux(&self) -> bool {
        *self == Self::default()
    }

    /// The word that stands for it in sentences, for people: `flux`, `NEE`.
    pub fn name(&self) -> String {
        with_formulas(&self.name)
    }

    /// Its long name, for people: `soil CO₂ efflux`.
    pub fn long_name(&self) -> String {
        with_formulas(&self.long_name)
    }

    /// Its unit, for people: `µmol m⁻² s⁻¹`.
    pub fn unit(&self) -> String {
        let words: Vec<String> = self.units.split(' ').map(typeset).collect();
        words.join(" ")
    }

    /// Its unit as names of columns end: `umol_m-2_s-1`; empty for a ratio.
    pub fn unit_in_columns(&self) -> String {
        match self.units.as_str() {
            "1" => String::new(),
            units => units.replace(' ', "_"),
        }
    }

    /// The word as files have it.
    pub fn plain_name(&self) -> &str {
        &self.name
    }

    /// The long name as files have it: `soil CO2 efflux`.
    pub fn plain_long_name(&self) -> &str {
        &self.long_name
    }

    /// The unit as files have it: `umol m-2 s-1`.
    pub fn units(&self) -> &str {
        &self.units
    }
}

/// Formulas of gases, plain and as people read them.
const FORMULAS: [(&str, &str); 7] = [
    ("CO2", "CO₂"),
    ("CH4", "CH₄"),
    ("N2O", "N₂O"),
    ("H2O", "H₂O"),
    ("NH3", "NH₃"),
    ("O2", "O₂"),
    ("O3", "O₃"),
];

/// Digits, and the minus before them, and how they stand in an exponent.
const EXPONENTS: [(char, char); 11] = [
    ('-', '⁻'),
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
];

fn checked(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    let problem = if text.is_empty() {
        "is empty"
    } else if text.chars().any(char::is_control) {
        "has control characters"
    } else if text.chars().count() > 80 {
        "has more than 80 characters"
    } else {
        return Ok(text.to_owned());
    };
    Err(format!(
        "the {what} of the target {problem}, expected a few words such as `net ecosystem exchange`, or a unit such as `mm d-1`"
    ))
}

/// A unit without superscripts, `µ` and dots.
fn plain(units: &str) -> String {
    let plain = |letter: char| match letter {
        // Micro sign and Greek letter.
        'µ' | 'μ' => 'u',
        '·' | '⋅' => ' ',
        '−' => '-',
        other => {
            let exponent = EXPONENTS.iter().find(|(_, above)| *above == other);
            exponent.map_or(other, |(plain, _)| *plain)
        }
    };
    let units: String = units.chars().map(plain).collect();
    units.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A word of a unit: its exponent above the line, `u` for micro as `µ`, digits of a formula below the line.
fn typeset(word: &str) -> String {
    if let Some((_, formula)) = FORMULAS.iter().find(|(plain, _)| *plain == word) {
        return (*formula).to_owned();
    }
    let base = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let base = base.strip_suffix('-').unwrap_or(base);
    if base.is_empty() || !base.chars().all(char::is_alphabetic) {
        return word.to_owned();
    }
    let above = |letter: char| {
        let exponent = EXPONENTS.iter().find(|(plain, _)| *plain == letter);
        exponent.map_or(letter, |(_, above)| *above)
    };
    let exponent = word[base.len()..].chars().map(above);
    let base = match base.strip_prefix('u') {
        Some(of @ ("mol" | "g" | "m" | "s" | "L" | "l" | "W" | "E")) => format!("µ{of}"),
        _ => base.to_owned(),
    };
    base.chars().chain(exponent).collect()
}

/// Words, with the digits of formulas below the line.
fn with_formulas(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let formula = FORMULAS.iter().find(|(plain, _)| *plain == word);
        formula.map_or(word, |(_, formula)| formula)
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_units_and_formulas_typeset_and_files_have_them_plain() {
        let target = Target::default();
        assert_eq!(target.unit(), "µmol m⁻² s⁻¹");
        assert_eq!(target.long_name(), "soil CO₂ efflux");
        assert_eq!(target.unit_in_columns(), "umol_m-2_s-1");
        for (given, plain, shown) in [
            ("µmol m⁻²  s⁻¹", "umol m-2 s-1", "µmol m⁻² s⁻¹"),
            ("mm d⁻¹", "mm d-1", "mm d⁻¹"),
            ("mg CO2 m-2 h-1", "mg CO2 m-2 h-1", "mg CO₂ m⁻² h⁻¹"),
            ("m3·s−1", "m3 s-1", "m³ s⁻¹"),
            ("mm/d", "mm/d", "mm/d"),
            ("%", "%", "%"),
            ("1", "1", "1"),
            ("user-1", "user-1", "user⁻¹"),
        ] {
            let target = Target::new("x", "x", given).unwrap();
            assert_eq!((target.units(), target.unit().as_str()), (plain, shown));
        }
        assert_eq!(Target::new("x", "x", "1").unwrap().unit_in_columns(), "");
    }

    #[test]
    fn what_is_empty_or_cannot_stand_in_a_sentence_is_refused_by_name() {
        for (target, what) in [
            (
                Target::new(" ", "x", "mm d-1"),
                "name of the target is empty",
            ),
            (
                Target::new("x", "", "mm d-1"),
                "long name of the target is empty",
            ),
            (Target::new("x", "x", " "), "unit of the target is empty"),
            (
                Target::new("x\ny", "x", "mm"),
                "name of the target has control",
            ),
            (Target::new("x", "x", &"m".repeat(81)), "more than 80"),
        ] {
            let reason = target.unwrap_err();
            assert!(reason.contains(what), "{reason}");
        }
    }
}
