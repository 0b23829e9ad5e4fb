//! The data frame of a data set: an R data file in which only the columns that are needed are unpacked.

mod column;
mod object;
mod stream;
#[cfg(test)]
mod tests;
mod unpack;

use std::path::Path;

use efflux_base::error::{Error, Result};

pub(super) use self::column::number;
use self::column::{Column, texts};
use self::object::{Object, Parser, Values};
use self::stream::Stream;
use self::unpack::{AGAIN, unpack};
use super::frame::Frame;
use super::frame::{BEGIN, ERROR, FLUX, PORT};

/// Bytes of an unpacked file. A data set of 290,000 rows has 13 MB and none has a million rows: a file that unpacks to
/// more is made to do harm.
const MOST_BYTES: u64 = 256 << 20;
/// Rows of a data frame, whatever bytes it has: `1:n` takes none.
const MOST_ROWS: usize = 1 << 24;
/// What `save` writes before R's format: a workspace.
const WORKSPACES: [&[u8]; 6] = [
    b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n",
];

/// Reads the data frame in `path`.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is damaged, unpacks to too much or is not such a
/// data frame.
pub(super) fn read(path: &Path, ports: bool) -> Result<Frame> {
    let packed = std::fs::read(path).map_err(Error::io("read", path))?;
    let frame = unpack(&packed, MOST_BYTES).and_then(|bytes| {
        drop(packed);
        parse(&bytes, ports)
    });
    frame.map_err(|reason| Error::file(path, reason))
}

/// What is said of a file that is not as R writes it.
fn damaged(why: &str) -> String {
    format!("is damaged ({why}): get it again")
}

/// Reads an unpacked file; or says what is wrong with it.
fn parse(bytes: &[u8], ports: bool) -> Result<Frame, String> {
    let mut workspace = WORKSPACES
        .iter()
        .filter_map(|start| bytes.strip_prefix(*start));
    let (bytes, is_workspace) = match workspace.next() {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let Some(stream) = Stream::new(bytes) else {
        return Err(format!(
            "does not hold R's format, expected what saveRDS writes; {AGAIN}"
        ));
    };
    let mut parser = Parser::new(stream)?;
    let object = if is_workspace {
        let mut objects = parser.workspace()?;
        if objects.len() != 1 {
            let names: Vec<&str> = objects
                .iter()
                .take(5)
                .map(|(name, _)| name.as_str())
                .collect();
            return Err(format!(
                "is a workspace (save) of {} objects ({}), expected one data frame; {AGAIN}",
                objects.len(),
                names.join(", ")
            ));
        }
        objects.remove(0).1
    } else {
        parser.whole()?
    };
    Columns::of(stream, &object)?.frame(ports)
}

/// A data frame whose columns are still packed.
struct Columns<'a> {
    file: Stream<'a>,
    names: Vec<Option<String>>,
    columns: &'a [Object],
    row_names: Option<&'a Object>,
}

impl<'a> Columns<'a> {
    fn of(file: Stream<'a>, object: &'a Object) -> Result<Self, String> {
        let no_frame = || format!("does not hold a data frame; {AGAIN}");
        let Values::List(columns) = &object.values else {
            return Err(no_frame());
        };
        let names = object.attribute("names").ok_or_else(no_frame)?;
        Ok(Self {
            file,
            names: texts(file, names)?,
            columns,
            row_names: object.attribute("row.names"),
        })
    }

    /// A column by its name; `None` if there is none.
    fn find(&'a self, name: &'static str) -> Result<Option<Column<'a>>, String> {
        let same = |(other, _): &(&Option<String>, _)| other.as_deref() == Some(name);
        let mut found = self.names.iter().zip(self.columns).filter(same);
        let first = found.next();
        if found.next().is_some() {
            return Err(format!("has more than one column {name}, expected one"));
        }
        Ok(first.map(|(_, object)| Column {
            file: self.file,
            object,
            name,
        }))
    }

    fn column(&'a self, name: &'static str) -> Result<Column<'a>, String> {
        self.find(name)?
            .ok_or_else(|| format!("has no column {name}"))
    }

    fn frame(&self, ports: bool) -> Result<Frame, String> {
        let (begin, time_zone) = self.column(BEGIN)?.times()?;
        let flux = self.column(FLUX)?.numbers()?;
        let port = if ports {
            Some(self.column(PORT)?.numbers()?)
        } else {
            // Without a choice of chambers a port only tells repeated rows.
            self.find(PORT)?.and_then(|port| port.numbers().ok())
        };
        let error = self.find(ERROR)?.map(Column::flags).transpose()?;
        let frame = Frame {
            time_zone,
            begin,
            flux,
            port: port.unwrap_or_default(),
            error: error.unwrap_or_default(),
        };
        frame.check(ports)?;
        self.check_rows(frame.begin.len())?;
        Ok(frame)
    }

    /// Whether the frame has the rows that it says it has, where it only says how many.
    fn check_rows(&self, rows: usize) -> Result<(), String> {
        let Some(Object {
            values: Values::Integer(span),
            ..
        }) = self.row_names
        else {
            return Ok(());
        };
        let mut numbers = self.file.from(span.at);
        if span.length == 2 && numbers.integer()? == i32::MIN {
            let claimed = numbers.integer()?.unsigned_abs() as usize;
            if claimed != rows {
                return Err(damaged(&format!("it claims {claimed} rows in {rows}")));
            }
        }
        Ok(())
    }
}
