//! The data frame of a data set: an R data file in which only the columns that are needed are unpacked.

use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use efflux_base::error::{Error, Result};
use flate2::read::GzDecoder;
use rds2rust::{Attributes, Logical, ParseConfig, RObject, VectorData};

/// Bytes of an unpacked file. A data set of 290,000 rows has 13 MB and none has a million rows: a file that unpacks to
/// more is made to do harm.
const MOST_BYTES: u64 = 256 << 20;
/// The first bytes of an unpacked file: R's binary format.
const BINARY: &[u8] = b"X\n";
/// How R writes that rows have no names: two whole numbers, the first of them missing. Behind it minus the rows.
const UNNAMED_ROWS: [u8; 8] = [0, 0, 0, 2, 0x80, 0, 0, 0];
/// What stands before it: a vector of whole numbers.
const WHOLE_NUMBERS: u8 = 13;
/// Bytes that a row takes at least: a whole number.
const LEAST_ROW: usize = 4;
/// How deep a data frame of vectors with attributes can be nested, with room to spare.
const DEPTH: usize = 24;

/// Begin of the measurement.
const BEGIN: &str = "CSR_TIMESTAMP_BEGIN";
/// The flux of CO₂.
const FLUX: &str = "CSR_FLUX_CO2";
/// The chamber.
const PORT: &str = "CSR_PORT";

/// The columns of a data set that matter, one entry a row.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    /// Name of the zone that makes local days of `begin`, as the column itself says it.
    pub(super) time_zone: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) begin: Vec<f64>,
    /// µmol m⁻² s⁻¹; NaN where missing.
    pub(super) flux: Vec<f64>,
    /// Number of the chamber; NaN where missing. Empty if it was not asked for.
    pub(super) port: Vec<f64>,
}

/// Reads the data frame in `path`; the chambers' numbers only if `ports` says so.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is damaged, unpacks to too much or is not such a
/// data frame.
pub(super) fn read(path: &Path, ports: bool) -> Result<Frame> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let bytes = unpack(BufReader::new(file), MOST_BYTES).map_err(|r| Error::file(path, r))?;
    parse(&bytes, ports).map_err(|reason| Error::file(path, reason))
}

/// Unpacks a gzip file of at most `most` bytes; or says what is wrong with it.
fn unpack(packed: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed)
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("is not a whole gzip file ({error}): get the release again"))?;
    if bytes.len() as u64 > most {
        return Err(format!(
            "unpacks to more than {most} bytes, expected one data set"
        ));
    }
    Ok(bytes)
}

/// Reads an unpacked file; or says what is wrong with it.
fn parse(bytes: &[u8], ports: bool) -> Result<Frame, String> {
    // The library would unpack whatever is packed, and without a bound.
    if !bytes.starts_with(BINARY) {
        return Err("does not hold R's binary format, expected what saveRDS writes".into());
    }
    let damaged = |why: String| format!("is damaged ({why}): get the release again");
    // Where the library takes these numbers for loaded it makes a text for every row.
    let rows = unnamed_rows(bytes);
    if rows > bytes.len() / LEAST_ROW {
        return Err(damaged(format!(
            "it claims {rows} rows in {} bytes",
            bytes.len()
        )));
    }
    // Vectors stay where they are, so nothing is unpacked by a length that a damaged file claims.
    let config = ParseConfig::for_inspection_only().with_max_nesting_depth(DEPTH);
    catch_unwind(AssertUnwindSafe(|| {
        let object = rds2rust::read_rds_with_config(bytes, config)
            .map_err(|error| damaged(error.to_string()))?
            .object;
        Columns::of(bytes, &object)?.frame(ports)
    }))
    .unwrap_or_else(|_| Err(damaged("the library that reads it gave up".into())))
}

/// The most rows that anything in a file claims to have without naming them.
fn unnamed_rows(bytes: &[u8]) -> usize {
    let claims = bytes.windows(UNNAMED_ROWS.len() + 8).filter_map(|window| {
        // The kind of a vector is in the last byte of its flags. Other numbers may well look the same.
        let [_, _, _, WHOLE_NUMBERS, rest @ ..] = window else {
            return None;
        };
        let number = rest.strip_prefix(&UNNAMED_ROWS)?.try_into().ok()?;
        let rows = i32::from_be_bytes(number);
        (rows < 0 && rows != i32::MIN).then_some(rows.unsigned_abs() as usize)
    });
    claims.max().unwrap_or(0)
}

/// A data frame whose columns are still packed.
struct Columns<'a> {
    bytes: &'a [u8],
    names: Vec<Option<String>>,
    columns: &'a [RObject],
}

impl<'a> Columns<'a> {
    fn of(bytes: &'a [u8], object: &'a RObject) -> Result<Self, String> {
        let no_frame = || "does not hold a data frame".to_owned();
        let (base, attributes) = parts(object);
        let RObject::List(columns) = base else {
            return Err(no_frame());
        };
        let names = find(&attributes, "names").ok_or_else(no_frame)?;
        Ok(Self {
            bytes,
            names: texts(bytes, names)?,
            columns,
        })
    }

    fn column(&self, name: &str) -> Result<&'a RObject, String> {
        let mut names = self.names.iter();
        let position = names.position(|other| other.as_deref() == Some(name));
        position
            .and_then(|position| self.columns.get(position))
            .ok_or_else(|| format!("has no column {name}"))
    }

    fn frame(&self, ports: bool) -> Result<Frame, String> {
        let column = self.column(BEGIN)?;
        let numbers = |name: &str| {
            numbers(self.bytes, self.column(name)?).map_err(|reason| format!("{name} {reason}"))
        };
        let frame = Frame {
            time_zone: self.time_zone(column)?,
            begin: numbers(BEGIN)?,
            flux: numbers(FLUX)?,
            port: if ports { numbers(PORT)? } else { Vec::new() },
        };
        let rows = frame.begin.len();
        for (name, found) in [(FLUX, &frame.flux), (PORT, &frame.port)] {
            if found.len() != rows && (ports || name != PORT) {
                let found = found.len();
                return Err(format!("{name} has {found} rows, but {BEGIN} has {rows}"));
            }
        }
        // A pack holds single precision.
        let too_large = |flux: &f64| flux.abs() > f64::from(f32::MAX);
        if let Some(row) = frame.flux.iter().position(too_large) {
            let (flux, row) = (frame.flux[row], row + 1);
            return Err(format!(
                "{FLUX} has {flux} in row {row}, expected a finite number"
            ));
        }
        Ok(frame)
    }

    /// The zone of a column of times. Nothing else has one, and the library loses the class of a packed vector.
    fn time_zone(&self, column: &RObject) -> Result<String, String> {
        let zone = match find(&parts(column).1, "tzone") {
            Some(value) => texts(self.bytes, value)?.into_iter().next().flatten(),
            None => None,
        };
        zone.filter(|zone| !zone.is_empty()).ok_or_else(|| {
            format!("{BEGIN} has no time zone (tzone), expected times (POSIXct) with the zone of their local days")
        })
    }
}

/// An object without its attributes, and these. The library wraps an object more than once.
fn parts(mut object: &RObject) -> (&RObject, Vec<&Attributes>) {
    let mut all = Vec::new();
    loop {
        match object {
            RObject::WithAttributes {
                object: of,
                attributes,
            } => {
                all.push(attributes);
                object = of;
            }
            RObject::S3Object(wrapped) => {
                all.push(&wrapped.attributes);
                object = &wrapped.base;
            }
            _ => return (object, all),
        }
    }
}

fn find<'a>(attributes: &[&'a Attributes], name: &str) -> Option<&'a RObject> {
    attributes.iter().find_map(|some| some.get(name))
}

/// A vector of texts; `None` for a missing one.
fn texts(bytes: &[u8], object: &RObject) -> Result<Vec<Option<String>>, String> {
    let RObject::Character(vector) = object else {
        return Err("has no texts where names were expected".into());
    };
    let texts = match vector {
        VectorData::Owned(texts) => texts.clone(),
        VectorData::Lazy(span) => {
            rds2rust::materialize_character_vector(bytes, *span).map_err(|e| e.to_string())?
        }
    };
    Ok(texts
        .into_iter()
        .map(|text| text.map(|text| text.to_string()))
        .collect())
}

/// A column as numbers, whatever it is stored as; NaN where missing.
fn numbers(bytes: &[u8], column: &RObject) -> Result<Vec<f64>, String> {
    let base = parts(column).0;
    let failed = |error: rds2rust::Error| format!("is damaged ({error}): get the release again");
    match base {
        RObject::Real(VectorData::Owned(values)) => Ok(values.clone()),
        RObject::Real(VectorData::Lazy(span)) => {
            rds2rust::materialize_real_vector(bytes, *span).map_err(failed)
        }
        RObject::Integer(vector) => {
            let values = match vector {
                VectorData::Owned(values) => values.clone(),
                VectorData::Lazy(span) => {
                    rds2rust::materialize_integer_vector(bytes, *span).map_err(failed)?
                }
            };
            let number = |value: i32| {
                if RObject::is_na_integer(value) {
                    f64::NAN
                } else {
                    f64::from(value)
                }
            };
            Ok(values.into_iter().map(number).collect())
        }
        RObject::Logical(vector) => {
            let values = match vector {
                VectorData::Owned(values) => values.clone(),
                VectorData::Lazy(span) => {
                    rds2rust::materialize_logical_vector(bytes, *span).map_err(failed)?
                }
            };
            // A column without any value has no type of its own: R makes it logical.
            if values.iter().any(|value| *value != Logical::Na) {
                return Err("holds true and false, expected numbers".into());
            }
            Ok(vec![f64::NAN; values.len()])
        }
        RObject::Character(_) => texts(bytes, base)?
            .iter()
            .enumerate()
            .map(|(row, text)| match text.as_deref().map(str::trim) {
                None | Some("" | "NA" | "NaN") => Ok(f64::NAN),
                Some(text) => text
                    .parse()
                    .map_err(|_| format!("has `{text}` in row {}, expected a number", row + 1)),
            })
            .collect(),
        _ => Err("is not a vector of numbers".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn attributes(of: impl IntoIterator<Item = (&'static str, RObject)>) -> Attributes {
        let mut attributes = Attributes::new();
        for (name, value) in of {
            attributes.insert(Arc::from(name), value);
        }
        attributes
    }

    fn strings(of: &[&str]) -> RObject {
        RObject::Character(VectorData::from_strs(of))
    }

    /// A packed frame of one row that claims to have so many.
    fn frame(rows: i32) -> Vec<u8> {
        let begin = RObject::WithAttributes {
            object: Box::new(RObject::Real(vec![60.0].into())),
            attributes: attributes([
                ("class", strings(&["POSIXct", "POSIXt"])),
                ("tzone", strings(&["UTC"])),
            ]),
        };
        let frame = RObject::WithAttributes {
            object: Box::new(RObject::List(vec![begin, RObject::Real(vec![1.5].into())])),
            attributes: attributes([
                ("names", strings(&[BEGIN, FLUX])),
                ("row.names", RObject::Integer(vec![i32::MIN, -rows].into())),
                ("class", strings(&["data.frame"])),
            ]),
        };
        rds2rust::write_rds(&frame).unwrap()
    }

    #[test]
    fn a_frame_is_read_but_not_one_that_claims_more_rows_than_it_has_bytes() {
        let bytes = unpack(&frame(1)[..], MOST_BYTES).unwrap();
        let expected = Frame {
            time_zone: "UTC".into(),
            begin: vec![60.0],
            flux: vec![1.5],
            port: Vec::new(),
        };
        assert_eq!(parse(&bytes, false).unwrap(), expected);
        assert_eq!(parse(&bytes, true).unwrap_err(), "has no column CSR_PORT");
        let bytes = unpack(&frame(i32::MAX)[..], MOST_BYTES).unwrap();
        let message = parse(&bytes, false).unwrap_err();
        assert!(message.contains("claims 2147483647 rows in "), "{message}");
    }

    #[test]
    fn a_small_file_that_unpacks_to_too_much_is_refused() {
        let packed = frame(1);
        let whole = unpack(&packed[..], MOST_BYTES).unwrap().len() as u64;
        assert!(unpack(&packed[..], whole).is_ok());
        let message = unpack(&packed[..], whole - 1).unwrap_err();
        assert!(message.starts_with("unpacks to more than"), "{message}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            header in any::<bool>(),
            ports in any::<bool>(),
        ) {
            let mut whole = Vec::new();
            if header {
                whole.extend(b"X\n\0\0\0\x03\0\x03\x06\x01\0\x03\x05\0\0\0\0\x05UTF-8\0\0\x03\x13\0\0\0\x02");
            }
            whole.extend(bytes);
            let _ = parse(&whole, ports);
            let _ = unpack(&whole[..], 1 << 20);
        }

        #[test]
        fn a_changed_file_is_a_frame_or_an_error(
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
            many in any::<bool>(),
        ) {
            let rows = if many { i32::MAX } else { 1 };
            let mut bytes = unpack(&frame(rows)[..], MOST_BYTES).unwrap();
            *at.get_mut(&mut bytes) = byte;
            let _ = parse(&bytes, true);
            bytes.truncate(cut.index(bytes.len()));
            let _ = parse(&bytes, true);
        }
    }
}
