//! The words of a unit and their powers, from its spelling.

/// What amounts are counted in: micromoles and micrograms, in thousandths, so that `nmol` is whole.
pub(super) const OF_A_MICRO: u128 = 1_000;
/// Areas are counted in square centimetres.
pub(super) const SQUARE_METRE: u128 = 10_000;
/// In thousandths of a microgram.
pub(super) const MEGAGRAM: u128 = 1_000_000_000_000 * OF_A_MICRO;

/// One word of a unit, with what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// In thousandths of a micromole.
    Moles(u128),
    /// In thousandths of a microgram.
    Grams(u128),
    Carbon,
    CarbonDioxide,
    /// In centimetres.
    Length(u128),
    /// In square centimetres.
    Area(u128),
    /// In seconds.
    Time(u128),
    /// Parts by volume.
    Fraction,
}

/// A word and its power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) word: Word,
    pub(super) power: i32,
    /// After a slash.
    pub(super) below: bool,
}

const NANO: u128 = 1;
const MICRO: u128 = 1_000;
const MILLI: u128 = 1_000_000;
const ONE: u128 = 1_000_000_000;
const KILO: u128 = 1_000_000_000_000;
const DAY: u128 = 86_400;

/// Words whose case matters: `Mg` is a megagram.
const EXACT: &[(&str, Word)] = &[
    ("mmol", Word::Moles(MILLI)),
    ("mg", Word::Grams(MILLI)),
    ("Mg", Word::Grams(MEGAGRAM)),
    ("t", Word::Grams(MEGAGRAM)),
];

/// Words in any case.
const WORDS: &[(&str, Word)] = &[
    ("nanomol", Word::Moles(NANO)),
    ("nmol", Word::Moles(NANO)),
    ("micromol", Word::Moles(MICRO)),
    ("umol", Word::Moles(MICRO)),
    ("millimol", Word::Moles(MILLI)),
    ("mol", Word::Moles(ONE)),
    ("kmol", Word::Moles(KILO)),
    ("ng", Word::Grams(NANO)),
    ("microgram", Word::Grams(MICRO)),
    ("ug", Word::Grams(MICRO)),
    ("milligram", Word::Grams(MILLI)),
    ("gram", Word::Grams(ONE)),
    ("g", Word::Grams(ONE)),
    ("kilogram", Word::Grams(KILO)),
    ("kg", Word::Grams(KILO)),
    ("tonne", Word::Grams(MEGAGRAM)),
    ("co2-c", Word::Carbon),
    ("c-co2", Word::Carbon),
    ("carbon", Word::Carbon),
    ("co2", Word::CarbonDioxide),
    ("c", Word::Carbon),
    ("cm", Word::Length(1)),
    ("metre", Word::Length(100)),
    ("meter", Word::Length(100)),
    ("m", Word::Length(100)),
    ("km", Word::Length(100_000)),
    ("hectare", Word::Area(100_000_000)),
    ("ha", Word::Area(100_000_000)),
    ("seconds", Word::Time(1)),
    ("second", Word::Time(1)),
    ("sec", Word::Time(1)),
    ("s", Word::Time(1)),
    ("minute", Word::Time(60)),
    ("min", Word::Time(60)),
    ("hours", Word::Time(3_600)),
    ("hour", Word::Time(3_600)),
    ("hr", Word::Time(3_600)),
    ("h", Word::Time(3_600)),
    ("days", Word::Time(DAY)),
    ("day", Word::Time(DAY)),
    ("d", Word::Time(DAY)),
    ("week", Word::Time(7 * DAY)),
    ("years", Word::Time(YEAR)),
    ("year", Word::Time(YEAR)),
    ("yr", Word::Time(YEAR)),
    ("y", Word::Time(YEAR)),
    ("annum", Word::Time(YEAR)),
    ("a", Word::Time(YEAR)),
    ("ppmv", Word::Fraction),
    ("ppm", Word::Fraction),
    ("ppb", Word::Fraction),
];
/// 365.25 days.
const YEAR: u128 = 31_557_600;

/// The unit without `(ONEFlux, 12.0107)`, and whether that was there.
pub(super) fn without_remark(text: &str) -> (&str, bool) {
    let remark = text
        .rfind('(')
        .map(|at| (at, text[at..].to_ascii_lowercase()));
    match remark {
        Some((at, remark))
            if remark.contains("oneflux")
                || remark.contains("fluxnet")
                || remark.contains("12.0107") =>
        {
            (&text[..at], true)
        }
        _ => (text, false),
    }
}

/// The words of a unit in their order.
///
/// # Errors
///
/// What is no word of a unit of CO₂ efflux.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, String> {
    let text = plain(text);
    let mut rest = text.as_str();
    let mut below = false;
    let mut terms: Vec<Term> = Vec::new();
    while let Some(next) = rest.chars().next() {
        if next == '/' {
            below = true;
            rest = &rest[1..];
        } else if next.is_ascii_alphabetic() {
            let (word, length) = word(rest)?;
            rest = &rest[length..];
            if word == Some(Divided) {
                below = true;
                continue;
            }
            let (power, length) = power(rest)?;
            rest = &rest[length..];
            if let Some(Known(word)) = word {
                terms.push(Term { word, power, below });
            }
        } else if next.is_ascii_digit() || next == '+' {
            return Err(format!(
                "the number at `{rest}` belongs to no unit: multiply the values, or write the prefix (`umol`)"
            ));
        } else if " -.*()[]".contains(next) {
            rest = &rest[1..];
        } else {
            return Err(format!(
                "`{next}` is not understood; write it as `umol m-2 s-1` or `g C m-2 d-1`"
            ));
        }
    }
    Ok(terms)
}

/// Other gases, so that their fluxes are not taken for those of CO₂.
const OTHERS: &[&str] = &["ch4", "n2o", "h2o", "o2", "co", "n"];

#[derive(Clone, Copy, PartialEq)]
enum Found {
    Known(Word),
    Divided,
}
use Found::{Divided, Known};

/// The word that a text begins with (none for one without a meaning, such as `of`), and its length.
fn word(rest: &str) -> Result<(Option<Found>, usize), String> {
    let run = run_of_letters(rest);
    for (quiet, found) in [("of", None), ("as", None), ("per", Some(Divided))] {
        if run.eq_ignore_ascii_case(quiet) {
            return Ok((found, run.len()));
        }
    }
    if begins_with(run, "month") {
        return Err("months are of different lengths: convert to days".to_owned());
    }
    if ["MG", "MMOL", "Mmol"]
        .iter()
        .any(|mega| run.starts_with(mega))
    {
        return Err(format!(
            "`{run}`: case matters, milli is `m` and mega is `M`"
        ));
    }
    if let Some(other) = OTHERS
        .iter()
        .find(|other| begins_with(rest, other) && ends_there(rest, other))
    {
        let other = other.to_ascii_uppercase();
        return Err(format!(
            "a flux of {other}, not of CO2: a section [target] declares what it is, in this unit"
        ));
    }
    let exact = EXACT.iter().filter(|(name, _)| rest.starts_with(name));
    let any = WORDS.iter().filter(|(name, _)| begins_with(rest, name));
    let longest = exact.chain(any).max_by_key(|(name, _)| name.len());
    let Some((name, word)) = longest else {
        return Err(format!(
            "`{run}` is no unit that is known here; write it as `umol m-2 s-1` or `g C m-2 d-1`"
        ));
    };
    // `moles`, `grams`, `tonnes`.
    let plural = ["es", "s", "e"].iter().find(|ending| {
        matches!(word, Word::Moles(_) | Word::Grams(_))
            && name.len() > 2
            && run[name.len().min(run.len())..] == ***ending
    });
    let plural =
        plural.filter(|ending| **ending != "s" || *name != "mol" && !name.ends_with("mol"));
    Ok((
        Some(Known(*word)),
        name.len() + plural.map_or(0, |ending| ending.len()),
    ))
}

fn run_of_letters(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    &text[..end]
}

fn begins_with(text: &str, name: &str) -> bool {
    text.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// No letter and no digit follows, so that `co` is not found in `co2`, nor `n` in `nmol`.
fn ends_there(text: &str, name: &str) -> bool {
    !text[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// The power after a word and its length: 1 if there is none. `m2-1` is (m²)⁻¹.
fn power(text: &str) -> Result<(i32, usize), String> {
    let (mut power, mut length) = (1_i32, 0);
    // `m -2`, as copied from print.
    let signed_behind_a_blank = |rest: &str| {
        rest.strip_prefix([' ', '_'])
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if signed_behind_a_blank(text) {
        length = 1;
    }
    let start = length;
    loop {
        let rest = &text[length..];
        let signed = rest.starts_with(['-', '+']);
        let digits = rest[usize::from(signed)..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        if digits == 0 || (length > start && !signed) {
            return Ok((power, length));
        }
        let end = usize::from(signed) + digits;
        let one: Option<i8> = rest[..end].parse().ok();
        let product = one.and_then(|one| power.checked_mul(i32::from(one)));
        power = product.ok_or_else(|| format!("`{}` is no power", &rest[..end]))?;
        length += end;
    }
}

/// In ASCII, without the marks of powers and indices: `µmol CO~2~ m⁻²` and `umol CO2 m**-2` are `umol CO2 m-2`.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let text = ["<sup>", "</sup>", "<sub>", "</sub>", "**"]
        .iter()
        .fold(text.to_owned(), |text, mark| text.replace(mark, ""));
    for c in text.chars() {
        match c {
            // Two code points are micro, and what is left of one that was read in another encoding.
            '\u{b5}' | '\u{3bc}' | '\u{fffd}' => plain.push('u'),
            '\u{207b}' | '\u{2212}' | '\u{2013}' | '\u{2010}' | '\u{2011}' => plain.push('-'),
            '\u{207a}' => plain.push('+'),
            '\u{b9}' => plain.push('1'),
            '\u{b2}' | '\u{2082}' => plain.push('2'),
            '\u{b3}' => plain.push('3'),
            '\u{b7}' | '\u{22c5}' | '\u{d7}' | '_' | '\t' | '\u{a0}' | '\u{2009}' | '\u{202f}' => {
                plain.push(' ')
            }
            '^' | '~' | '{' | '}' | '$' | '\\' => {}
            other => plain.push(other),
        }
    }
    plain
}
