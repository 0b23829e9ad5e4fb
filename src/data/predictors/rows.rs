//! From the rows of a table to one value per site and step: fill values, quality bits, scale, formula, doubled rows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::products::{Formula, Product, Step};
use super::stamp::{COLUMNS, Form, Stamp};
use super::steps::key;
use crate::data::calendar::Calendar;
use crate::data::pack::Site;
use crate::data::table::{Cell, Table};
use crate::error::Result;

/// The column with the site's id.
const SITE: &str = "site";
/// The column that tells which values their producer has filled: 1 for those.
const FILLED: &str = "filled";

/// What the tables of a product hold for one site.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// By step: its first day counted from the calendar's start, or the hour, or 0 if static. Behind it the value's bits
    /// for scenes, of which a day may have several, else 0.
    pub(super) values: BTreeMap<(i64, u64), Value>,
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

/// The value of one step or scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// In the product's unit; NaN if missing.
    pub(super) value: f64,
    /// Filled by whoever made the table.
    pub(super) filled: bool,
    line: u64,
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

/// Whether a file is a table, `<table>.csv`, or a part of it, `<table>-….csv`.
pub(super) fn belongs(file: &str, table: &str) -> bool {
    let rest = file
        .strip_suffix(".csv")
        .and_then(|stem| stem.strip_prefix(table));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
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
    /// [`Error::Data`](crate::error::Error::Data) with line and column if a column is missing, a cell is not what its
    /// column says, a day is not the first of a step, or two rows say different things of the same site and time.
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

    /// Takes a value in, unless the same is there already. A second opinion on the same step is an error; scenes are
    /// all taken in, those that saw the same once.
    fn insert(
        &mut self,
        cell: &Cell<'_>,
        step: i64,
        value: f64,
        filled: bool,
        scene: bool,
    ) -> Result<()> {
        let key = (step, if scene { value.to_bits() } else { 0 });
        match self.values.entry(key) {
            Entry::Vacant(slot) => {
                let line = cell.line;
                slot.insert(Value {
                    value,
                    filled,
                    line,
                });
            }
            Entry::Occupied(_) if scene => {}
            Entry::Occupied(slot) => {
                let first = slot.get();
                if first.value.to_bits() != value.to_bits() || first.filled != filled {
                    return Err(cell.wrong(&format!(
                        "one row for a site and time, but the one in line {} has another value for them (export the \
                         table again, or remove one)",
                        first.line
                    )));
                }
                if self.doubled == 0 {
                    self.first_doubled = cell.line;
                }
                self.doubled += 1;
            }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::data::predictors::Products;
    use crate::data::predictors::daily::Series;

    /// A row of each kind of table; the header names every column that the paper's products need.
    const HEADER: &str = "site,date,total_precipitation_hourly,volumetric_soil_water_layer_1,\
        volumetric_soil_water_layer_2,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night,TMIN,TMAX,ET,PET,ET_QC,SR_B3,SR_B4,\
        QA_PIXEL,QA_RADSAT,Fpar,Lai,FparLai_QC,vs,soc_0-5cm_mean,sand_0-5cm_mean,silt_0-5cm_mean,clay_0-5cm_mean,\
        bdod_0-5cm_mean,bio_1,bio_12,filled\n";
    const ROWS: &str = "A,2003-01-01T05:00,0.001,0.2,0.3,14000,0,13500,0,13650,14150,160,320,0,10000,20000,64,0,40,15,0,\
        250,120,450,300,240,130,8.5,1040,0\n\
        A,2003-01-01T06:00,,0.2,0.3,0,2,13500,65,13650,14150,32761,320,8,10000,20000,72,4,255,15,2,\
        250,120,450,300,240,130,8.5,1040,1\n";

    /// What rows are made of.
    const CHARACTERS: &[u8] = b"0123456789,-.eE\"\n;_T:";

    /// Reads bytes as the table of every product. What is not an error has nothing but values that were to be kept.
    fn read(bytes: &[u8]) {
        let path = Path::new("t.csv");
        let Ok(table) = Table::parse(path, bytes) else {
            return;
        };
        let site = Site {
            id: "A".into(),
            name: String::new(),
            latitude: 0.0,
            longitude: 0.0,
            elevation: None,
            igbp: String::new(),
            publication: String::new(),
        };
        let calendar = Calendar {
            start: date(2003, 1, 1),
            days: 20,
        };
        for product in Products::paper().unwrap().iter() {
            let mut records = Records::new(1);
            let sites = std::slice::from_ref(&site);
            if records.add(&table, product, sites, calendar).is_err() {
                continue;
            }
            let series = Series::of(product, &records.sites[0], calendar);
            assert_eq!((series.values.len(), series.flags.len()), (20, 20));
            let [least, greatest] = product.valid.unwrap().map(|stored| {
                let value = stored * product.scale + product.offset;
                if product.step == Step::Hour {
                    24.0 * value
                } else {
                    8.0 * value
                }
            });
            for value in &series.values {
                assert!(value.is_nan() || within(product.keep, *value));
                let kept = product.keep.is_some() || (least.min(0.0)..=greatest).contains(value);
                assert!(value.is_nan() || kept, "{} is {value}", product.name);
            }
        }
    }

    #[test]
    fn the_rows_to_mutate_are_read_by_every_product() {
        let text = format!("{HEADER}{ROWS}");
        let table = Table::parse(Path::new("t.csv"), text.as_bytes()).unwrap();
        for product in Products::paper().unwrap().iter() {
            Columns::of(&table, product).unwrap();
        }
        read(text.as_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_rows_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
            read(&[HEADER.as_bytes(), &bytes].concat());
        }

        #[test]
        fn mutated_bytes_are_rows_or_an_error(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
        ) {
            let mut bytes = format!("{HEADER}{ROWS}").into_bytes();
            for (place, byte, kind) in edits {
                let place = place.index(bytes.len());
                let character = CHARACTERS[usize::from(byte) % CHARACTERS.len()];
                match kind {
                    0 => bytes[place] = byte,
                    1 => bytes[place] = character,
                    2 => bytes.insert(place, character),
                    _ => {
                        bytes.remove(place);
                    }
                }
            }
            read(&bytes);
        }
    }
}
