//! From the rows of a table to one value per site and step: fill values, quality bits, scale, formula, doubled rows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

use super::products::{Formula, Product, Step};
use super::stamp::{COLUMNS, Form, Stamp};
use crate::data::calendar::Calendar;
use crate::data::pack::Site;
use crate::data::table::{Cell, Table};
use crate::error::{Error, Result};

/// The column with the site's id.
const SITE: &str = "site";
/// The column that tells which values their producer has filled: 1 for those.
const FILLED: &str = "filled";

/// What the tables of a product hold for one site.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// By the first day of a step counted from the calendar's start; by hours for an hourly product; 0 for a static one.
    pub(super) values: BTreeMap<i64, Value>,
    /// Rows of this site, and why some gave no value.
    pub(super) rows: usize,
    pub(super) empty: usize,
    pub(super) invalid: usize,
    pub(super) poor: usize,
    pub(super) dropped: usize,
    /// Rows that said the same as one before, and the line of the first.
    pub(super) doubled: usize,
    pub(super) first_doubled: u64,
}

/// The value of one step; of several scenes a day their sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// NaN if missing.
    sum: f64,
    scenes: u32,
    /// The last value that went into the sum.
    latest: f64,
    /// Filled by whoever made the table.
    pub(super) filled: bool,
    line: u64,
}

impl Value {
    /// In the product's unit; NaN if missing.
    pub(super) fn mean(&self) -> f64 {
        self.sum / f64::from(self.scenes)
    }
}

/// What the tables of a product hold.
#[derive(Debug)]
pub(super) struct Records {
    /// One a site.
    pub(super) sites: Vec<Record>,
    /// Ids in the tables that are none of the sites.
    pub(super) strangers: Vec<String>,
    /// Whether a table says which of its values were filled.
    pub(super) tells_filled: bool,
}

/// The columns of one table that a product needs.
struct Columns {
    site: usize,
    time: Option<usize>,
    bands: Vec<usize>,
    quality: Vec<usize>,
    filled: Option<usize>,
}

/// The files of a table in a folder, sorted: `<table>.csv` and its parts `<table>-….csv`.
pub(super) fn files(folder: &Path, table: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("list the folder", folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list the folder", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name
            .strip_suffix(".csv")
            .and_then(|stem| stem.strip_prefix(table));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

impl Records {
    pub(super) fn new(sites: usize) -> Self {
        Self {
            sites: vec![Record::default(); sites],
            strangers: Vec::new(),
            tells_filled: false,
        }
    }

    /// Adds the rows of one file.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] with line and column if a column is missing, a cell is not what its column says, a day is not the
    /// first of a step, or two rows say different things of the same site and time.
    pub(super) fn add(
        &mut self,
        table: &Table,
        product: &Product,
        sites: &[Site],
        calendar: Calendar,
    ) -> Result<()> {
        let columns = Columns::of(table, product)?;
        self.tells_filled |= columns.filled.is_some();
        let mut form: Option<(Form, u64)> = None;
        for row in 0..table.rows() {
            let id = table.cell(row, columns.site);
            if id.text.is_empty() {
                return Err(id.wrong("the id of a site"));
            }
            let key = match columns.time {
                Some(time) => {
                    let cell = table.cell(row, time);
                    let stamp = stamp(&cell, &mut form)?;
                    key(&cell, stamp, product, calendar)?
                }
                None => 0,
            };
            let Some(site) = sites.iter().position(|site| site.id == id.text) else {
                if !self.strangers.iter().any(|known| known == id.text) {
                    self.strangers.push(id.text.to_owned());
                }
                continue;
            };
            let record = &mut self.sites[site];
            record.rows += 1;
            let filled = match columns.filled.map(|column| table.cell(row, column)) {
                None => false,
                Some(cell) => match cell.text {
                    "0" | "" => false,
                    "1" => true,
                    _ => return Err(cell.wrong("0 (observed) or 1 (filled)")),
                },
            };
            let value = record.value(table, row, product, &columns, filled)?;
            record.insert(&id, key, value, filled, product.step == Step::Scene)?;
        }
        Ok(())
    }
}

impl Columns {
    fn of(table: &Table, product: &Product) -> Result<Self> {
        let all = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| table.require(name)).collect::<Result<_>>()
        };
        let time = match product.step {
            Step::Static => None,
            _ => match COLUMNS.iter().find_map(|name| table.find(name)) {
                Some(column) => Some(column),
                None => Some(table.require(COLUMNS[0])?),
            },
        };
        Ok(Self {
            site: table.require(SITE)?,
            time,
            bands: all(&mut product.bands.iter())?,
            quality: all(&mut product.quality.iter().map(|quality| &quality.band))?,
            filled: table.find(FILLED),
        })
    }
}

/// The stamp of a row, if it is written as those before it.
fn stamp(cell: &Cell<'_>, form: &mut Option<(Form, u64)>) -> Result<Stamp> {
    let Some(stamp) = Stamp::parse(cell.text) else {
        return Err(cell.wrong(
            "a date like 2009-01-31, an hour like 2009-01-31T05:00, or the name of an image as Earth Engine writes it",
        ));
    };
    let (expected, line) = *form.get_or_insert((stamp.form, cell.line));
    if stamp.form != expected {
        return Err(cell.wrong(&format!(
            "a date written as in line {line}: one file, one way to write dates"
        )));
    }
    Ok(stamp)
}

/// Which step a row belongs to.
fn key(cell: &Cell<'_>, stamp: Stamp, product: &Product, calendar: Calendar) -> Result<i64> {
    let day = calendar.offset(stamp.date);
    match product.step {
        Step::Hour => match stamp.hour {
            Some(hour) => Ok(24 * day + i64::from(hour) - i64::from(product.stamp_ends_hour)),
            None => Err(cell.wrong(
                "a date and an hour like 2009-01-31T05:00 (for a table of daily values describe the product with \
                 `step = \"day\"` in a file for --predictors-config)",
            )),
        },
        Step::Month => Ok(calendar.offset(stamp.date.first_of_month())),
        Step::FourDays | Step::EightDays => {
            let step = if product.step == Step::FourDays { 4 } else { 8 };
            if (stamp.date.day_of_year() - 1) % step != 0 {
                return Err(cell.wrong(&format!(
                    "the first day of a composite: 1 January or a multiple of {step} days after it"
                )));
            }
            Ok(day)
        }
        Step::Day | Step::Scene => Ok(day),
        Step::Static => Ok(0),
    }
}

/// Days of the step that begins on this day.
pub(super) fn days_of(step: Step, first: Date) -> u16 {
    let left = || {
        let end = date(first.year(), 12, 31).day_of_year();
        u16::try_from(end - first.day_of_year() + 1).unwrap_or(1)
    };
    match step {
        Step::FourDays => left().min(4),
        Step::EightDays => left().min(8),
        Step::Month => u16::try_from(first.days_in_month()).unwrap_or(1),
        Step::Static | Step::Hour | Step::Day | Step::Scene => 1,
    }
}

impl Record {
    /// The value of a row in the product's unit; NaN if it is missing, which is counted.
    fn value(
        &mut self,
        table: &Table,
        row: usize,
        product: &Product,
        columns: &Columns,
        filled: bool,
    ) -> Result<f64> {
        let mut bands = [f64::NAN; 2];
        for (band, column) in bands.iter_mut().zip(&columns.bands) {
            let Some(stored) = table.cell(row, *column).number()? else {
                self.empty += 1;
                return Ok(f64::NAN);
            };
            if !within(product.valid, stored) {
                self.invalid += 1;
                return Ok(f64::NAN);
            }
            *band = stored * product.scale + product.offset;
        }
        for (quality, column) in product.quality.iter().zip(&columns.quality) {
            let good = bits(&table.cell(row, *column))?.is_some_and(|bits| quality.accepts(bits));
            // A value that its producer filled was not seen, so there is nothing to say of how well it was.
            if !good && !filled {
                self.poor += 1;
                return Ok(f64::NAN);
            }
        }
        let [first, second] = bands;
        let value = match product.formula {
            Formula::Band => first,
            Formula::NormalizedDifference => (second - first) / (second + first),
        };
        if !value.is_finite() || !within(product.keep, value) {
            self.dropped += 1;
            return Ok(f64::NAN);
        }
        Ok(value)
    }

    /// Takes a value in, unless the same is there already. Scenes of one day are averaged; any other second opinion is
    /// an error.
    fn insert(
        &mut self,
        cell: &Cell<'_>,
        key: i64,
        value: f64,
        filled: bool,
        scene: bool,
    ) -> Result<()> {
        let new = Value {
            sum: value,
            scenes: 1,
            latest: value,
            filled,
            line: cell.line,
        };
        let mut slot = match self.values.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(new);
                return Ok(());
            }
            Entry::Occupied(slot) => slot,
        };
        let old = slot.get_mut();
        if old.latest.to_bits() == value.to_bits() && old.filled == filled {
            if self.doubled == 0 {
                self.first_doubled = cell.line;
            }
            self.doubled += 1;
        } else if !scene {
            return Err(cell.wrong(&format!(
                "one row for a site and time, but the one in line {} has another value for them (export the table again, or \
                 remove one)",
                old.line
            )));
        } else if old.sum.is_nan() {
            *old = new;
        } else if !value.is_nan() {
            old.sum += value;
            old.scenes += 1;
            old.latest = value;
        }
        Ok(())
    }
}

fn within(range: Option<[f64; 2]>, value: f64) -> bool {
    range.is_none_or(|[least, greatest]| (least..=greatest).contains(&value))
}

/// A whole number that is a set of bits; `None` in an empty cell.
fn bits(cell: &Cell<'_>) -> Result<Option<u32>> {
    let Some(number) = cell.number()? else {
        return Ok(None);
    };
    if number.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&number) {
        return Err(cell.wrong("a whole number, or nothing if missing"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // In the range of both, as asked above.
    Ok(Some(number as u32))
}
