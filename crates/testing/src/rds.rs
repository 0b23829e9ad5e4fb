//! R data files, written byte by byte as R writes them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// R's missing number, as it is stored and as it comes out of arithmetic, and two numbers that are none.
pub const MISSING: [u64; 4] = [
    0x7ff0_0000_0000_07a2,
    0x7ff8_0000_0000_07a2,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
];

/// A column of a data frame.
pub enum Column {
    /// Times, in the wrapping that R gives a vector it has looked at, and their zone.
    WrappedTimes(Vec<f64>, &'static str),
    /// The same, bare.
    Times(Vec<f64>, &'static str),
    /// Numbers without a class.
    Real(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<i32>),
    /// `None` is R's missing text.
    Text(Vec<Option<&'static str>>),
    /// Truth values that are all missing.
    Nothing(usize),
    /// Truth values; `None` where missing.
    Logical(Vec<Option<bool>>),
    /// Codes and what they stand for.
    Factor(Vec<i32>, Vec<&'static str>),
    /// Numbers of the package bit64.
    Long(Vec<i64>),
    /// Numbers of a class, with an attribute that nobody needs.
    Classed(Vec<f64>, &'static str),
    /// `first:(first + length - 1)`, of which R writes the ends: whole numbers, or others.
    Sequence(i32, usize, bool),
    /// `as.character(1:length)` before R makes the texts.
    Deferred(usize),
    /// Times in pieces, a list.
    BrokenDown(usize),
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Format {
    /// As `saveRDS` does.
    #[default]
    BigEndian,
    /// `serialize(xdr = FALSE)`.
    LittleEndian,
    /// `saveRDS(ascii = TRUE)`.
    Text,
}

/// An R data file that holds a data frame.
pub fn data_frame(columns: &[(&str, Column)]) -> Vec<u8> {
    packed(&data_frame_as(Format::BigEndian, columns))
}

/// The same, not packed.
pub fn data_frame_as(format: Format, columns: &[(&str, Column)]) -> Vec<u8> {
    let mut rds = Rds {
        format,
        ..Rds::default()
    };
    rds.bytes.extend(match format {
        Format::BigEndian => b"X\n",
        Format::LittleEndian => b"B\n",
        Format::Text => b"A\n",
    });
    for word in [3, 0x0003_0601, 0x0003_0500, 5] {
        rds.word(word);
    }
    rds.characters("UTF-8");
    rds.word(0x0313);
    rds.word(i32::try_from(columns.len()).unwrap());
    let mut rows = 0;
    for (_, column) in columns {
        rows = rds.column(column);
    }
    rds.attribute("names");
    let names: Vec<_> = columns.iter().map(|(name, _)| Some(*name)).collect();
    rds.texts(&names);
    rds.attribute("row.names");
    rds.integers(&[i32::MIN, -i32::try_from(rows).unwrap()]);
    rds.attribute("class");
    rds.texts(&[Some("tbl_df"), Some("tbl"), Some("data.frame")]);
    rds.word(254);
    rds.bytes
}

#[derive(Default)]
struct Rds {
    format: Format,
    bytes: Vec<u8>,
    symbols: Vec<String>,
}

impl Rds {
    fn word(&mut self, word: i32) {
        match self.format {
            Format::BigEndian => self.bytes.extend(word.to_be_bytes()),
            Format::LittleEndian => self.bytes.extend(word.to_le_bytes()),
            Format::Text if word == i32::MIN => self.bytes.extend(b"NA\n"),
            Format::Text => self.bytes.extend(format!("{word}\n").bytes()),
        }
    }

    fn real(&mut self, real: f64) {
        let bits = real.to_bits();
        match self.format {
            Format::BigEndian => self.bytes.extend(bits.to_be_bytes()),
            Format::LittleEndian => self.bytes.extend(bits.to_le_bytes()),
            Format::Text if real.is_nan() => self.bytes.extend(b"NA\n"),
            Format::Text if real.is_infinite() => self.bytes.extend(b"Inf\n"),
            Format::Text => self.bytes.extend(format!("{real:e}\n").bytes()),
        }
    }

    /// A text as it stands behind its length.
    fn characters(&mut self, text: &str) {
        if self.format != Format::Text {
            self.bytes.extend(text.as_bytes());
            return;
        }
        for byte in text.bytes() {
            match byte {
                b'\n' => self.bytes.extend(b"\\n"),
                b'\\' | b'"' | b'\'' | b'?' => self.bytes.extend([b'\\', byte]),
                b'!'..=b'~' => self.bytes.push(byte),
                _ => self.bytes.extend(format!("\\{byte:03o}").bytes()),
            }
        }
        self.bytes.push(b'\n');
    }

    fn length(&mut self, length: usize) {
        self.word(i32::try_from(length).unwrap());
    }

    /// A name; from its second appearance on a reference to the first.
    fn symbol(&mut self, name: &str) {
        if let Some(index) = self.symbols.iter().position(|known| known == name) {
            self.word((i32::try_from(index + 1).unwrap() << 8) | 0xff);
        } else {
            self.symbols.push(name.to_owned());
            self.word(1);
            self.text(Some(name));
        }
    }

    fn attribute(&mut self, name: &str) {
        self.word(0x0402);
        self.symbol(name);
    }

    fn text(&mut self, text: Option<&str>) {
        self.word(0x0004_0009);
        match text {
            None => self.word(-1),
            Some(text) => {
                self.length(text.len());
                self.characters(text);
            }
        }
    }

    fn texts(&mut self, texts: &[Option<&str>]) {
        self.word(16);
        self.length(texts.len());
        texts.iter().for_each(|text| self.text(*text));
    }

    fn integers(&mut self, integers: &[i32]) {
        self.word(13);
        self.length(integers.len());
        integers.iter().for_each(|integer| self.word(*integer));
    }

    fn reals(&mut self, flags: i32, reals: &[f64]) {
        self.word(flags);
        self.length(reals.len());
        reals.iter().for_each(|real| self.real(*real));
    }

    fn times_attributes(&mut self, zone: &str) {
        self.attribute("class");
        self.texts(&[Some("POSIXct"), Some("POSIXt")]);
        self.attribute("tzone");
        self.texts(&[Some(zone)]);
        self.word(254);
    }

    /// Class and package of a vector that R holds in its own way, up to its state.
    fn altrep(&mut self, class: &str, kind: i32) {
        self.word(0xee);
        self.word(2);
        self.symbol(class);
        self.word(2);
        self.symbol("base");
        self.word(2);
        self.integers(&[kind]);
        self.word(254);
    }

    fn sequence(&mut self, first: i32, length: usize, is_whole: bool) {
        let (class, kind) = if is_whole {
            ("compact_intseq", 13)
        } else {
            ("compact_realseq", 14)
        };
        self.altrep(class, kind);
        self.reals(14, &[length as f64, f64::from(first), 1.0]);
        self.word(254);
    }

    fn class(&mut self, class: &[&str]) {
        let class: Vec<_> = class.iter().map(|of| Some(*of)).collect();
        self.attribute("class");
        self.texts(&class);
    }

    fn column(&mut self, column: &Column) -> usize {
        match column {
            Column::WrappedTimes(times, zone) => {
                self.word(0x01ee);
                self.word(2);
                self.symbol("wrap_real");
                self.word(2);
                self.symbol("base");
                self.word(2);
                self.integers(&[14]);
                self.word(254);
                // A pair whose second half is no list.
                self.word(2);
                self.reals(14, times);
                self.integers(&[0, 0]);
                self.times_attributes(zone);
                times.len()
            }
            Column::Times(times, zone) => {
                self.reals(0x030e, times);
                self.times_attributes(zone);
                times.len()
            }
            Column::Real(reals) => {
                self.reals(14, reals);
                reals.len()
            }
            Column::Integer(integers) => {
                self.integers(integers);
                integers.len()
            }
            Column::Text(texts) => {
                self.texts(texts);
                texts.len()
            }
            Column::Logical(values) => {
                self.word(10);
                self.length(values.len());
                for value in values {
                    self.word(value.map_or(i32::MIN, i32::from));
                }
                values.len()
            }
            Column::Factor(codes, levels) => {
                self.word(0x030d);
                self.length(codes.len());
                codes.iter().for_each(|code| self.word(*code));
                let levels: Vec<_> = levels.iter().map(|level| Some(*level)).collect();
                self.attribute("levels");
                self.texts(&levels);
                self.class(&["factor"]);
                self.word(254);
                codes.len()
            }
            Column::Long(values) => {
                let reals: Vec<f64> = values
                    .iter()
                    .map(|v| f64::from_bits(v.cast_unsigned()))
                    .collect();
                self.reals(0x030e, &reals);
                self.class(&["integer64"]);
                self.word(254);
                values.len()
            }
            Column::Classed(reals, class) => {
                self.reals(0x030e, reals);
                // An environment, and a pointer that no longer points.
                self.attribute("owner");
                for word in [4, 0, 254, 254, 254, 254] {
                    self.word(word);
                }
                self.symbols.push(String::new());
                self.attribute("problems");
                for word in [22, 254, 254] {
                    self.word(word);
                }
                self.symbols.push(String::new());
                self.class(&[class]);
                self.word(254);
                reals.len()
            }
            Column::Sequence(first, length, is_whole) => {
                self.sequence(*first, *length, *is_whole);
                *length
            }
            Column::Deferred(length) => {
                self.altrep("deferred_string", 16);
                self.word(2);
                self.sequence(1, *length, true);
                self.integers(&[0]);
                self.word(254);
                *length
            }
            Column::BrokenDown(rows) => {
                self.word(0x0313);
                self.word(2);
                self.reals(14, &vec![0.0; *rows]);
                self.integers(&vec![1; *rows]);
                self.attribute("names");
                self.texts(&[Some("sec"), Some("min")]);
                self.class(&["POSIXlt", "POSIXt"]);
                self.word(254);
                *rows
            }
            Column::Nothing(rows) => {
                self.word(10);
                self.length(*rows);
                (0..*rows).for_each(|_| self.word(i32::MIN));
                *rows
            }
        }
    }
}

/// Bytes as a gzip file.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
