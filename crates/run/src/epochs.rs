//! How trainings went, epoch by epoch: `epochs/<launch>-<rank>-slot-<slot>.csv`, appended to while they run.
//!
//! These lines are for people and figures; no result depends on them. So they are not flushed to the disk, a line that
//! a killed trainer left unfinished or that does not agree with its checksum is skipped, and one that cannot be written costs
//! a warning.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::StringRecord;

use super::ids::{Attempt, Rank, Slot};
use super::layout::{RunDir, sorted_files};
use efflux_analysis::measures::Measure;
use efflux_analysis::medians::Medians;
use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_job::TrialId;

/// One epoch of one attempt at a trial: a line of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochLine {
    /// The trial.
    pub trial: TrialId,
    /// Counts the attempts at it, from 1.
    pub attempt: Attempt,
    /// Counted from 1.
    pub epoch: u32,
    /// Mean loss of the batches that held a target, with dropout at work. With `loss = "mse"` in scaled units, squared.
    pub loss: f64,
    /// Mean length of the gradient over the same batches, before it is clipped.
    pub gradient_norm: f64,
    /// Factor of the epoch's steps.
    pub learning_rate: f64,
    /// Share of the drawn windows that held a target.
    pub window_share: f64,
    /// Speed of its iterations.
    pub iterations_per_second: f64,
    /// Medians over the validation days of the sites.
    pub validation: Medians,
}

/// A column of the file.
struct Column {
    name: String,
    /// Whether a file of an earlier version may lack it.
    is_optional: bool,
    write: Box<dyn Fn(&EpochLine) -> String>,
    read: Box<Reader>,
}

/// Takes a text into a line, if it can be read.
type Reader = dyn Fn(&mut EpochLine, &str) -> bool;

/// The columns, in order: the measures are those that reports open with.
fn columns() -> Vec<Column> {
    let mut columns = vec![
        Column {
            name: "trial".to_owned(),
            is_optional: false,
            write: Box::new(|line| line.trial.to_string()),
            read: Box::new(|line, text| {
                line.trial = TrialId::named(text);
                true
            }),
        },
        number("attempt", |line| &mut line.attempt.0),
        number("epoch", |line| &mut line.epoch),
        number("loss", |line| &mut line.loss),
        number("gradient_norm", |line| &mut line.gradient_norm),
        number("learning_rate", |line| &mut line.learning_rate),
        number("window_share", |line| &mut line.window_share),
        number("iterations_per_second", |line| {
            &mut line.iterations_per_second
        }),
        number("validation_sites", |line| &mut line.validation.sites),
    ];
    columns.extend(Measure::headline().map(|measure| Column {
        // Measures of skill have no unit.
        name: format!("validation_{}", measure.column),
        is_optional: true,
        write: Box::new(move |line| {
            let median = line.validation[measure];
            median.map_or_else(String::new, |median| median.to_string())
        }),
        read: Box::new(move |line, text| {
            let median = text.parse().ok();
            line.validation.set(measure, median);
            text.is_empty() || median.is_some()
        }),
    }));
    columns
}

/// A number that every line has.
fn number<T: FromStr + ToString + 'static>(
    name: &str,
    field: fn(&mut EpochLine) -> &mut T,
) -> Column {
    Column {
        name: name.to_owned(),
        is_optional: false,
        write: Box::new(move |line| field(&mut line.clone()).to_string()),
        read: Box::new(move |line, text| {
            let number = text.parse().ok();
            number.map(|number| *field(line) = number).is_some()
        }),
    }
}

/// The file of one slot.
#[derive(Debug)]
pub struct EpochLog {
    path: PathBuf,
    file: File,
    has_failed: bool,
}

impl EpochLog {
    /// Opens the file of a slot; a trainer that takes over a slot goes on in it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be created.
    pub fn open(run: &RunDir, launch: &str, rank: Rank, slot: Slot) -> Result<Self> {
        let directory = run.epochs();
        durable::create_directory(&directory)?;
        let path = directory.join(format!("{launch}-{rank:04}-slot-{slot:02}.csv"));
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        end_torn_line(&mut file).map_err(Error::io("read", &path))?;
        Ok(Self {
            path,
            file,
            has_failed: false,
        })
    }

    /// Adds a line, with the names of the columns if it is the first.
    pub fn append(&mut self, line: &EpochLine) {
        let written = self
            .file
            .metadata()
            .map_err(csv::Error::from)
            .and_then(|file| {
                let columns = columns();
                let mut bytes = Vec::new();
                if file.len() == 0 {
                    let names = columns.iter().map(|column| &*column.name);
                    bytes = csv_line(names.chain([CHECKSUM]))?;
                    bytes.push(b'\n');
                }
                let values = csv_line(columns.iter().map(|column| (column.write)(line)))?;
                let sum = checksum(&values);
                bytes.extend(values);
                bytes.extend(format!(",{sum}\n").into_bytes());
                // One call a line: another reader sees whole lines.
                Ok(self.file.write_all(&bytes)?)
            });
        if let Err(error) = written
            && !self.has_failed
        {
            self.has_failed = true;
            let path = self.path.display();
            efflux_base::complain!("{path}: {error} (epochs are missing from it, results are not)");
        }
    }
}

/// The last column: the CRC-32 of the line up to the comma before it, eight hexadecimal digits.
const CHECKSUM: &str = "crc32";

fn checksum(line: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(line))
}

/// A line without its end.
fn csv_line(fields: impl IntoIterator<Item = impl AsRef<[u8]>>) -> csv::Result<Vec<u8>> {
    let mut text = csv::Writer::from_writer(Vec::new());
    text.write_record(fields)?;
    let mut line = text.into_inner().map_err(|error| error.into_error())?;
    line.pop();
    Ok(line)
}

/// The header and the lines that agree with their checksum, where the file has any: version 0.1.0 wrote none.
fn sound(text: &[u8]) -> Vec<u8> {
    let mut lines = text.split_inclusive(|&byte| byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let is_checked = header.trim_ascii_end().ends_with(CHECKSUM.as_bytes());
    let agrees = |line: &[u8]| {
        let line = line.trim_ascii_end();
        let comma = line.iter().rposition(|&byte| byte == b',');
        comma.is_some_and(|comma| checksum(&line[..comma]).as_bytes() == &line[comma + 1..])
    };
    let sound = lines.filter(|line| !is_checked || agrees(line));
    std::iter::once(header)
        .chain(sound)
        .collect::<Vec<_>>()
        .concat()
}

/// Makes sure that the next line begins on one of its own.
fn end_torn_line(file: &mut File) -> std::io::Result<()> {
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        Ok(())
    } else {
        file.write_all(b"\n")
    }
}

/// Every epoch of the run, sorted by trial and epoch; of one that was trained twice, because its trial was interrupted
/// or failed, the latest.
///
/// # Errors
///
/// [`Error::Io`] if a file cannot be read.
pub fn read_epochs(run: &RunDir) -> Result<Vec<EpochLine>> {
    let mut latest: BTreeMap<(TrialId, u32), EpochLine> = BTreeMap::new();
    for path in sorted_files(&run.epochs(), "csv")? {
        for line in read(&path)? {
            let known = latest.get(&(line.trial.clone(), line.epoch));
            if known.is_none_or(|known| known.attempt <= line.attempt) {
                latest.insert((line.trial.clone(), line.epoch), line);
            }
        }
    }
    Ok(latest.into_values().collect())
}

/// The lines of a file, by the names of its columns. Those of a measure that its version did not keep are empty.
fn read(path: &Path) -> Result<Vec<EpochLine>> {
    let text = fs::read(path).map_err(Error::io("read", path))?;
    let text = sound(&text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&*text);
    let Ok(header) = reader.headers().cloned() else {
        return Ok(Vec::new());
    };
    let placed: Vec<(Column, Option<usize>)> = columns()
        .into_iter()
        .map(|column| {
            let place = header.iter().position(|name| name == column.name);
            (column, place)
        })
        .collect();
    let records = reader.records().filter_map(std::result::Result::ok);
    let whole = records.filter(|record| record.len() >= header.len());
    Ok(whole.filter_map(|record| line(&placed, &record)).collect())
}

fn line(columns: &[(Column, Option<usize>)], record: &StringRecord) -> Option<EpochLine> {
    let mut line = EpochLine {
        trial: TrialId::named(""),
        attempt: Attempt::default(),
        epoch: 0,
        loss: f64::NAN,
        gradient_norm: f64::NAN,
        learning_rate: f64::NAN,
        window_share: f64::NAN,
        iterations_per_second: f64::NAN,
        validation: Medians::default(),
    };
    for (column, place) in columns {
        let text = place.and_then(|place| record.get(place));
        let is_read = match text {
            Some(text) => (column.read)(&mut line, text),
            None => column.is_optional,
        };
        if !is_read {
            return None;
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use efflux_analysis::measures::{NSE, R};

    fn line(trial: &str, attempt: u32, epoch: u32, loss: f64) -> EpochLine {
        EpochLine {
            trial: TrialId::named(trial),
            attempt: Attempt(attempt),
            epoch,
            loss,
            gradient_norm: 0.5,
            learning_rate: 1.0,
            window_share: 0.09,
            iterations_per_second: 700.0,
            validation: Medians::of(3, |measure| (measure == NSE).then_some(-0.25)),
        }
    }

    #[test]
    fn epochs_come_back_in_order_and_the_latest_of_each_counts() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        assert_eq!(read_epochs(&run).unwrap(), []);
        let mut first = EpochLog::open(&run, "20260101T000000-1", Rank(0), Slot(0)).unwrap();
        for (epoch, loss) in [(1, 0.1), (2, 0.2), (3, 0.3)] {
            first.append(&line("b", 1, epoch, loss));
        }
        let mut second = EpochLog::open(&run, "20260102T000000-1", Rank(0), Slot(0)).unwrap();
        for (epoch, loss) in [(3, 0.33), (4, 0.4)] {
            second.append(&line("b", 1, epoch, loss));
        }
        second.append(&line("a", 1, 1, 9.0));
        let expected = vec![
            line("a", 1, 1, 9.0),
            line("b", 1, 1, 0.1),
            line("b", 1, 2, 0.2),
            line("b", 1, 3, 0.33),
            line("b", 1, 4, 0.4),
        ];
        assert_eq!(read_epochs(&run).unwrap(), expected);
    }

    #[test]
    fn a_line_cut_by_a_kill_is_skipped_and_the_next_trainer_goes_on_below_it() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let open = || EpochLog::open(&run, "l", Rank(0), Slot(0)).unwrap();
        open().append(&line("a", 1, 1, 0.1));
        let path = run.epochs().join("l-0000-slot-00.csv");
        let whole = std::fs::read(&path).unwrap();
        let mut cut = whole.clone();
        cut.extend(b"a,1,2,0.");
        std::fs::write(&path, cut).unwrap();
        open().append(&line("a", 1, 2, 0.2));
        let expected = vec![line("a", 1, 1, 0.1), line("a", 1, 2, 0.2)];
        assert_eq!(read_epochs(&run).unwrap(), expected);
    }

    #[test]
    fn a_line_that_was_changed_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut log = EpochLog::open(&run, "l", Rank(0), Slot(0)).unwrap();
        for epoch in 1..=3 {
            log.append(&line("a", 1, epoch, 0.25));
        }
        let path = run.epochs().join("l-0000-slot-00.csv");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("a,1,2,0.25", "a,1,2,0.75")).unwrap();
        let expected = vec![line("a", 1, 1, 0.25), line("a", 1, 3, 0.25)];
        assert_eq!(read_epochs(&run).unwrap(), expected);
    }

    /// Version 0.1.0 kept two measures.
    #[test]
    fn a_file_of_an_earlier_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        fs::create_dir_all(run.epochs()).unwrap();
        let text = "trial,attempt,epoch,loss,gradient_norm,learning_rate,window_share,iterations_per_second,\
            validation_sites,validation_nse,validation_kge\n\
            a,1,1,0.5,0.25,1.0,0.125,439.5,18,-0.75,\n\
            a,1,2,0.5,0.25,1.0,0.125,439.5,18,-0.5,0.125\n";
        std::fs::write(run.epochs().join("l-0000-slot-00.csv"), text).unwrap();
        let lines = read_epochs(&run).unwrap();
        let scores: Vec<_> = lines
            .iter()
            .map(|line| (line.epoch, line.validation[NSE], line.validation[R]))
            .collect();
        assert_eq!(scores, [(1, Some(-0.75), None), (2, Some(-0.5), None)]);
    }
}
