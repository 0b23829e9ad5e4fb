//! What the daily values of a pack are: soil CO₂ efflux, or what else its owner says.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The target of a pack: what it is called, and in which unit it is. Soil CO₂ efflux unless a pack says otherwise. What is
/// read of a file is checked as [`Target::new`] does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    #[serde(deserialize_with = "name")]
    name: String,
    #[serde(deserialize_with = "long_name")]
    long_name: String,
    #[serde(rename = "unit", deserialize_with = "unit")]
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
    /// its unit (`mm d-1`, `mm d⁻¹`; `1` for a ratio). Blanks around them do not count, and of formulas and units that are
    /// spelt with subscripts, superscripts and `µ` the plain spelling is kept.
    ///
    /// # Errors
    ///
    /// Which of them is empty, has characters that nobody sees or more than 80, and what was expected.
    pub fn new(name: &str, long_name: &str, units: &str) -> Result<Self, String> {
        Ok(Self {
            name: checked("name", name)?,
            long_name: checked("long name", long_name)?,
            units: checked_unit(units)?,
        })
    }

    /// Whether values in this unit are in that of the target, however it is spelt.
    pub fn is_in(&self, units: &str) -> bool {
        plain(units) == self.units
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

    /// That word where a title begins with it: `Flux`, `Evaporation`.
    pub fn capital_name(&self) -> String {
        let name = self.name();
        let mut letters = name.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
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

/// Its long name and its unit, for people: `soil CO₂ efflux, µmol m⁻² s⁻¹`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.long_name(), self.unit())
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

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked("name", &String::deserialize(from)?).map_err(D::Error::custom)
}

fn long_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked("long name", &String::deserialize(from)?).map_err(D::Error::custom)
}

fn unit<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked_unit(&String::deserialize(from)?).map_err(D::Error::custom)
}

fn checked_unit(given: &str) -> Result<String, String> {
    checked("unit", given).map(|unit| plain(&unit))
}

/// A text that can stand in a sentence, with the digits of formulas on the line.
fn checked(what: &str, given: &str) -> Result<String, String> {
    const LONGEST: usize = 80;
    // Marks of direction and joiners would change how what stands around them is read.
    let unseen = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let on_the_line = |letter: char| match letter {
        '₀'..='₉' => char::from_digit(u32::from(letter) - u32::from('₀'), 10).unwrap_or(letter),
        other => other,
    };
    let text = given.trim_matches(' ');
    let problem = if text.is_empty() {
        "is empty".to_owned()
    } else if let Some(letter) = text.chars().find(|letter| unseen(*letter)) {
        format!(
            "has the character U+{:04X}, which nobody sees",
            u32::from(letter)
        )
    } else if text.chars().count() > LONGEST {
        format!("has {} characters", text.chars().count())
    } else {
        return Ok(text.chars().map(on_the_line).collect());
    };
    let example = match what {
        "name" => "`CH4 flux`",
        "unit" => "`nmol m-2 s-1`",
        _ => "`methane flux`",
    };
    Err(format!(
        "the {what} of the target {problem}, expected {example} or the like, of at most {LONGEST} characters"
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
        assert_eq!(
            (target.name().as_str(), target.capital_name().as_str()),
            ("flux", "Flux")
        );
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
        let methane = Target::new(" CH₄ flux ", "flux of CH4", "nmol m⁻² s⁻¹").unwrap();
        assert_eq!(
            (methane.plain_name(), methane.name().as_str()),
            ("CH4 flux", "CH₄ flux")
        );
        assert_eq!(methane.long_name(), "flux of CH₄");
        assert!(methane.is_in("nmol·m-2·s-1") && !methane.is_in("umol m-2 s-1"));
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
                "name of the target has the character U+000A",
            ),
            (
                Target::new("x", "x\u{202e}y", "mm"),
                "long name of the target has the character U+202E",
            ),
            (
                Target::new("x", "x", "mm\td-1"),
                "unit of the target has the character U+0009",
            ),
            (
                Target::new("x", "x", &"m".repeat(81)),
                "has 81 characters, expected",
            ),
        ] {
            let reason = target.unwrap_err();
            assert!(reason.contains(what), "{reason}");
        }
    }
}
