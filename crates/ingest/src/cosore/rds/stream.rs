//! The numbers and texts that R's serialization is made of, in each of the three ways it writes them.

use std::borrow::Cow;

use super::damaged;

/// A place in an unpacked file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream<'a> {
    bytes: &'a [u8],
    at: usize,
    format: Format,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    /// XDR, which `saveRDS` writes.
    BigEndian,
    /// `serialize(xdr = FALSE)`.
    LittleEndian,
    /// `saveRDS(ascii = TRUE)`: a word each.
    Text,
}

impl<'a> Stream<'a> {
    /// Starts behind the letter that says the format; `None` for another letter.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let format = match bytes.get(..2)? {
            b"X\n" => Format::BigEndian,
            b"B\n" => Format::LittleEndian,
            b"A\n" => Format::Text,
            _ => return None,
        };
        Some(Self {
            bytes,
            at: 2,
            format,
        })
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether numbers are written as words.
    pub(super) fn is_text(&self) -> bool {
        self.format == Format::Text
    }

    /// The same file from another place on.
    pub(super) fn from(&self, at: usize) -> Self {
        Self { at, ..*self }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| damaged("it ends too early"))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        if self.format == Format::LittleEndian {
            array.reverse();
        }
        Ok(array)
    }

    fn skip_blanks(&mut self) {
        let left = &self.bytes[self.at..];
        self.at += left.iter().take_while(|b| b.is_ascii_whitespace()).count();
    }

    fn word(&mut self) -> Result<&'a str, String> {
        self.skip_blanks();
        let left = &self.bytes[self.at..];
        let length = left.iter().take_while(|b| !b.is_ascii_whitespace()).count();
        if length == 0 {
            return Err(damaged("it ends too early"));
        }
        let word = self.take(length)?;
        std::str::from_utf8(word).map_err(|_| damaged("a word is no number"))
    }

    /// A whole number; `i32::MIN` where missing.
    pub(super) fn integer(&mut self) -> Result<i32, String> {
        if self.format != Format::Text {
            return Ok(i32::from_be_bytes(self.array()?));
        }
        match self.word()? {
            "NA" => Ok(i32::MIN),
            word => word
                .parse()
                .map_err(|_| damaged(&format!("`{word:.20}` is no whole number"))),
        }
    }

    /// The bits of a number.
    pub(super) fn bits(&mut self) -> Result<u64, String> {
        if self.format != Format::Text {
            return Ok(u64::from_be_bytes(self.array()?));
        }
        let word = self.word()?;
        let number = match word {
            "NA" | "NaN" => f64::NAN,
            "Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            word => hexadecimal(word)
                .or_else(|| word.parse().ok())
                .ok_or_else(|| damaged(&format!("`{word:.20}` is no number")))?,
        };
        Ok(number.to_bits())
    }

    /// A number; a quiet NaN where missing.
    pub(super) fn real(&mut self) -> Result<f64, String> {
        let number = f64::from_bits(self.bits()?);
        Ok(if number.is_nan() { f64::NAN } else { number })
    }

    /// The length of a vector.
    pub(super) fn length(&mut self) -> Result<usize, String> {
        let length = match self.integer()? {
            -1 => {
                let [high, low] = [self.integer()?, self.integer()?];
                i64::from(high) << 32 | i64::from(low.cast_unsigned())
            }
            length => i64::from(length),
        };
        usize::try_from(length).map_err(|_| damaged("a vector has a negative length"))
    }

    /// Leaves out numbers of so many bytes (in text: words).
    pub(super) fn skip(&mut self, bytes: usize, count: usize) -> Result<(), String> {
        if self.format == Format::Text {
            for _ in 0..count {
                self.word()?;
            }
            return Ok(());
        }
        let bytes = bytes.checked_mul(count);
        self.take(bytes.ok_or_else(|| damaged("it ends too early"))?)
            .map(drop)
    }

    /// A text of so many bytes.
    pub(super) fn text(&mut self, length: usize) -> Result<Cow<'a, [u8]>, String> {
        if self.format != Format::Text {
            return self.take(length).map(Cow::Borrowed);
        }
        if length > self.left() {
            return Err(damaged("it ends too early"));
        }
        self.skip_blanks();
        let mut text = Vec::with_capacity(length);
        for _ in 0..length {
            text.push(self.character()?);
        }
        Ok(Cow::Owned(text))
    }

    /// A byte of a text, as C writes it.
    fn character(&mut self) -> Result<u8, String> {
        let [byte] = *self.take(1)? else {
            unreachable!()
        };
        if byte != b'\\' {
            return Ok(byte);
        }
        let [escaped] = *self.take(1)? else {
            unreachable!()
        };
        Ok(match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'v' => 0x0b,
            b'b' => 0x08,
            b'r' => b'\r',
            b'f' => 0x0c,
            b'a' => 0x07,
            b'0'..=b'7' => {
                let mut code = u32::from(escaped - b'0');
                for _ in 0..2 {
                    match self.bytes.get(self.at) {
                        Some(digit @ b'0'..=b'7') => code = code * 8 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    self.at += 1;
                }
                u8::try_from(code).map_err(|_| damaged("a text has a byte above 255"))?
            }
            other => other,
        })
    }
}

/// A number as C writes it by `%a`, `-0x1.8p+3`; `None` if it is none.
fn hexadecimal(word: &str) -> Option<f64> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, word),
    };
    let (mantissa, exponent) = digits.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().ok()?;
    if whole.len() + fraction.len() > 14 || exponent.abs() > 2000 {
        return None;
    }
    let mantissa = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let exponent = exponent - 4 * i32::try_from(fraction.len()).ok()?;
    // In two steps: the smallest numbers are smaller than the last digit's own power.
    let half = exponent / 2;
    Some(sign * mantissa as f64 * 2f64.powi(half) * 2f64.powi(exponent - half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_numbers_are_those_of_c() {
        for (word, number) in [
            ("0x1.8p+3", 12.0),
            ("-0x1p-1", -0.5),
            ("0x1.999999999999ap-4", 0.1),
            ("0x0.0000000000001p-1022", 5e-324),
            ("0x1.fffffffffffffp+1023", f64::MAX),
        ] {
            assert_eq!(hexadecimal(word), Some(number));
        }
        for word in ["12", "0x", "0xp1", "0x1", "0x1.8p", "0x1p99999"] {
            assert_eq!(hexadecimal(word), None, "{word}");
        }
    }

    #[test]
    fn texts_are_written_as_c_writes_them() {
        let mut stream = Stream::new(b"A\n7\n a\\040\\n\\\\\\303\\244b 1").unwrap();
        let length = stream.length().unwrap();
        assert_eq!(&*stream.text(length).unwrap(), "a \n\\äb".as_bytes());
        assert_eq!(stream.integer(), Ok(1));
        assert!(stream.integer().is_err());
    }
}
