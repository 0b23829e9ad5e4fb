//! The classic formats of netCDF: CDF-1, CDF-2 (64-bit offsets) and CDF-5 (64-bit data).
//!
//! # Source
//!
//! NetCDF Classic Format Specification, Unidata.

use super::{NetCdfAttribute, NetCdfVariable};

/// What is read next.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u8,
}

/// Type of values: `NC_BYTE` to `NC_UINT64`.
#[derive(Clone, Copy, PartialEq)]
struct Kind(u32);

const CHAR: Kind = Kind(2);

/// A variable of the header.
struct Entry {
    name: String,
    dimensions: Vec<usize>,
    attributes: Vec<(String, NetCdfAttribute)>,
    kind: Kind,
    begin: usize,
}

/// # Errors
///
/// Why the bytes are no such file.
pub(super) fn read(bytes: &[u8], version: u8) -> Result<Vec<NetCdfVariable>, String> {
    if ![1, 2, 5].contains(&version) {
        return Err(format!("has version {version}, expected 1, 2 or 5"));
    }
    let mut cursor = Cursor {
        bytes,
        at: 4,
        version,
    };
    let records = cursor.count()?;
    let lengths = cursor.list(10, |cursor| {
        cursor.name()?;
        cursor.count()
    })?;
    cursor.attributes()?;
    let entries = cursor.list(11, |cursor| cursor.entry(lengths.len()))?;
    let is_record = |entry: &Entry| entry.dimensions.first().is_some_and(|at| lengths[*at] == 0);
    // A record holds one row of each variable of records, filled up to four bytes unless there is only one.
    let rows: Vec<usize> = entries
        .iter()
        .filter(|entry| is_record(entry))
        .map(|entry| entry.row(&lengths))
        .collect::<Result<_, _>>()?;
    let record = match &rows[..] {
        [one] => *one,
        several => several.iter().map(|row| row.next_multiple_of(4)).sum(),
    };
    let mut variables = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind != CHAR) {
        let mut shape: Vec<usize> = entry.dimensions.iter().map(|at| lengths[*at]).collect();
        let row = entry.row(&lengths)?;
        let stored = if row == 0 {
            Vec::new()
        } else if is_record(entry) {
            shape[0] = records;
            let starts =
                (0..records).map(|index| entry.begin.saturating_add(index.saturating_mul(record)));
            starts
                .map(|start| numbers(slice(bytes, start, row)?, entry.kind))
                .collect::<Result<Vec<_>, _>>()?
                .concat()
        } else {
            numbers(slice(bytes, entry.begin, row)?, entry.kind)?
        };
        variables.push(NetCdfVariable {
            name: entry.name.clone(),
            shape,
            stored,
            attributes: entry.attributes.clone(),
        });
    }
    Ok(variables)
}

impl Entry {
    /// Bytes of the values, or of those of one record.
    fn row(&self, lengths: &[usize]) -> Result<usize, String> {
        let rows = self
            .dimensions
            .iter()
            .enumerate()
            .filter(|(place, at)| *place > 0 || lengths[**at] > 0);
        let size = rows
            .map(|(_, at)| lengths[*at])
            .try_fold(self.kind.size()?, usize::checked_mul);
        size.ok_or_else(|| format!("has a variable `{}` that is too large", self.name))
    }
}

impl Kind {
    fn size(self) -> Result<usize, String> {
        match self.0 {
            1 | 2 | 7 => Ok(1),
            3 | 8 => Ok(2),
            4 | 5 | 9 => Ok(4),
            6 | 10 | 11 => Ok(8),
            other => Err(format!("has values of an unknown type, {other}")),
        }
    }
}

fn slice(bytes: &[u8], start: usize, length: usize) -> Result<&[u8], String> {
    let end = start.checked_add(length).filter(|end| *end <= bytes.len());
    let end = end.ok_or_else(|| {
        format!(
            "is broken off: it ends at byte {}, and goes on to {}",
            bytes.len(),
            start.saturating_add(length)
        )
    })?;
    Ok(&bytes[start..end])
}

#[allow(clippy::cast_precision_loss)] // Counts and times of 64 bits are far below 2^53.
fn numbers(bytes: &[u8], kind: Kind) -> Result<Vec<f64>, String> {
    fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes
            .as_chunks::<N>()
            .0
            .iter()
            .map(|chunk| number(*chunk))
            .collect()
    }
    Ok(match kind.0 {
        1 => each(bytes, |b: [u8; 1]| i8::from_be_bytes(b).into()),
        3 => each(bytes, |b: [u8; 2]| i16::from_be_bytes(b).into()),
        4 => each(bytes, |b: [u8; 4]| i32::from_be_bytes(b).into()),
        5 => each(bytes, |b: [u8; 4]| f32::from_be_bytes(b).into()),
        6 => each(bytes, f64::from_be_bytes),
        7 => each(bytes, |b: [u8; 1]| b[0].into()),
        8 => each(bytes, |b: [u8; 2]| u16::from_be_bytes(b).into()),
        9 => each(bytes, |b: [u8; 4]| u32::from_be_bytes(b).into()),
        10 => each(bytes, |b: [u8; 8]| i64::from_be_bytes(b) as f64),
        11 => each(bytes, |b: [u8; 8]| u64::from_be_bytes(b) as f64),
        other => return Err(format!("has values of an unknown type, {other}")),
    })
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let taken = slice(self.bytes, self.at, length)?;
        self.at += length;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn long(&mut self) -> Result<usize, String> {
        let high = u64::from(self.word()?);
        let low = u64::from(self.word()?);
        usize::try_from(high << 32 | low).map_err(|_| "has a number that is too large".to_owned())
    }

    /// A number of things.
    fn count(&mut self) -> Result<usize, String> {
        if self.version == 5 {
            self.long()
        } else {
            self.word().map(|word| word as usize)
        }
    }

    fn padded(&mut self, length: usize) -> Result<&'a [u8], String> {
        let taken = self.take(length)?;
        self.take(length.next_multiple_of(4) - length)?;
        Ok(taken)
    }

    fn name(&mut self) -> Result<String, String> {
        let length = self.count()?;
        self.padded(length)
            .map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// A list with its tag, which is 0 for an empty one.
    fn list<T>(
        &mut self,
        tag: u32,
        one: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let found = self.word()?;
        let count = self.count()?;
        if found != tag && (found != 0 || count != 0) {
            return Err(format!(
                "has the mark {found} at byte {}, expected {tag}",
                self.at
            ));
        }
        (0..count).map(|_| one(self)).collect()
    }

    fn attributes(&mut self) -> Result<Vec<(String, NetCdfAttribute)>, String> {
        self.list(12, |cursor| {
            let name = cursor.name()?;
            let kind = Kind(cursor.word()?);
            let count = cursor.count()?;
            let size = kind
                .size()?
                .checked_mul(count)
                .ok_or("has an attribute that is too large")?;
            let bytes = cursor.padded(size)?;
            let value = match kind {
                CHAR => NetCdfAttribute::Text(String::from_utf8_lossy(bytes).into_owned()),
                _ => NetCdfAttribute::Numbers(numbers(bytes, kind)?),
            };
            Ok((name, value))
        })
    }

    fn entry(&mut self, dimensions: usize) -> Result<Entry, String> {
        let name = self.name()?;
        let rank = self.count()?;
        let places: Vec<usize> = (0..rank).map(|_| self.count()).collect::<Result<_, _>>()?;
        if places.iter().any(|at| *at >= dimensions) {
            return Err(format!(
                "has a variable `{name}` with a dimension that is not there"
            ));
        }
        let attributes = self.attributes()?;
        let kind = Kind(self.word()?);
        self.count()?;
        let begin = if self.version == 1 {
            self.word()? as usize
        } else {
            self.long()?
        };
        Ok(Entry {
            name,
            dimensions: places,
            attributes,
            kind,
            begin,
        })
    }
}
