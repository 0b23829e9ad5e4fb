//! A series of whole numbers as text, in one or two characters a day: differences from one value to the next, with
//! characters for digits. `site.js` reads it.
//!
//! A number is written in base 44, the lowest digit first; a digit is the character at its place in [`ALPHABET`], or 44 places
//! further on if another digit follows. Signs are folded in: 0, -1, 1, -2 … are written as 0, 1, 2, 3 …. A run of missing
//! values is [`GAP`] and their number.

/// What JSON and HTML leave as it is.
pub(super) const ALPHABET: &[u8; 2 * BASE] =
    b"#$%'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
/// Stands before the length of a gap.
pub(super) const GAP: char = '!';

const BASE: usize = 44;

/// Whole numbers, and nothing where there is none.
pub(super) fn encode(values: impl IntoIterator<Item = Option<i64>>) -> String {
    let mut text = String::new();
    let (mut before, mut missing) = (0, 0);
    for value in values {
        let Some(value) = value else {
            missing += 1;
            continue;
        };
        gap(&mut text, missing);
        missing = 0;
        let difference: i64 = value - before;
        write(
            &mut text,
            (difference << 1 ^ difference >> 63).cast_unsigned(),
        );
        before = value;
    }
    gap(&mut text, missing);
    text
}

fn gap(text: &mut String, missing: u64) {
    if missing > 0 {
        text.push(GAP);
        write(text, missing);
    }
}

fn write(text: &mut String, mut number: u64) {
    loop {
        let place = usize::try_from(number % BASE as u64).unwrap_or(0);
        number /= BASE as u64;
        let further = if number > 0 { BASE } else { 0 };
        text.push(char::from(ALPHABET[place + further]));
        if number == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As `site.js` reads it.
    fn decode(text: &str) -> Vec<Option<i64>> {
        let mut values = Vec::new();
        let (mut before, mut is_gap) = (0, false);
        let (mut number, mut factor) = (0_u64, 1_u64);
        for character in text.chars() {
            if character == GAP {
                is_gap = true;
                continue;
            }
            let place = ALPHABET
                .iter()
                .position(|one| char::from(*one) == character);
            let place = place.unwrap();
            number += (place % BASE) as u64 * factor;
            factor *= BASE as u64;
            if place >= BASE {
                continue;
            }
            if is_gap {
                values.extend((0..number).map(|_| None));
            } else {
                let half = i64::try_from(number >> 1).unwrap();
                before += if number & 1 == 1 { -half - 1 } else { half };
                values.push(Some(before));
            }
            (number, factor, is_gap) = (0, 1, false);
        }
        values
    }

    #[test]
    fn small_steps_take_one_character_and_gaps_two() {
        let values = [Some(20), Some(19), None, None, None, Some(0)];
        let text = encode(values);
        assert_eq!(text.len(), 5);
        assert_eq!(decode(&text), values);
        assert_eq!(encode([]), "");
    }

    #[test]
    fn nothing_needs_to_be_escaped() {
        let mut seen = *ALPHABET;
        seen.sort_unstable();
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
        let escaped = [b'"', b'\\', b'<', b'>', b'&', b'!'];
        assert!(
            seen.iter()
                .all(|one| one.is_ascii_graphic() && !escaped.contains(one))
        );
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(values in prop::collection::vec(prop::option::weighted(0.8, -5_000_000i64..5_000_000), 0..300)) {
            prop_assert_eq!(decode(&encode(values.iter().copied())), values);
        }
    }
}
