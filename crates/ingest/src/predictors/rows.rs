//! From the rows of a table to one value per site and step: fill values, quality bits, scale, formula, doubled rows.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::path::PathBuf;

use efflux_base::error::Result;
use efflux_data::{Calendar, Site};
use efflux_numerics::single;

use super::contradiction::{contradiction, first_row};
use super::hours::{Before, Hours};
use super::products::{Formula, Product, Step};
use super::stamp::{COLUMNS, Form, Stamp};
use super::steps::key;
use crate::table::{Cell, Header, Row, Rows};

/// Days before and after the calendar from which values are still interpolated into it: the longest step.
pub(super) const MARGIN: usize = 31;

/// The column with the site's id.
const SITE: &str = "site";
/// The column that tells which values their producer has filled: 1 for those.
const FILLED: &str = "filled";
/// The column of tables that `efflux synth` made.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// What the tables of a product hold for one site.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// By step: its first day counted from the calendar's start, or 0 if static. Behind it the value's bits for scenes,
    /// of which a day may have several, else 0.
    pub(super) values: BTreeMap<(i64, u64), Value>,
    /// Hours, by their day counted from the calendar's start.
    pub(super) hours: BTreeMap<i64, Hours>,
    /// Rows of this site, and why some gave no value.
    pub(super) rows: usize,
    pub(super) empty: usize,
    pub(super) invalid: usize,
    pub(super) poor: usize,
    pub(super) dropped: usize,
    /// Rows that said the same as one before, and where the first is.
    pub(super) doubled: usize,
    pub(super) first_doubled: Origin,
    /// The first stored value outside the valid range, and where it is.
    pub(super) first_invalid: Option<(f64, Origin)>,
}

/// The value of one step or scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// In the product's unit; NaN if missing.
    pub(super) value: f64,
    /// Filled by whoever made the table.
    pub(super) filled: bool,
    pub(super) origin: Origin,
}

/// Where a value stands: the file by its place in [`Records::files`], and the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) file: usize,
    pub(super) line: u64,
}

/// What the files of a table hold for each of the products that are taken from it.
pub(super) struct Records<'a> {
    sites: &'a [Site],
    calendar: Calendar,
    /// One a product; in it one record a site.
    pub(super) products: Vec<(&'a Product, Vec<Record>)>,
    /// The names of the files of the table.
    pub(super) files: Vec<String>,
    /// Where these files are.
    paths: Vec<PathBuf>,
    /// Ids in the table that are none of the sites.
    pub(super) strangers: Vec<String>,
    /// Whether the table says which of its values were filled.
    pub(super) tells_filled: bool,
    /// Whether a part of the table was made, not measured.
    pub(super) is_synthetic: bool,
}

/// The columns of one file that all products need.
pub(super) struct Shared {
    pub(super) site: usize,
    pub(super) time: Option<usize>,
    filled: Option<usize>,
}

/// The columns of one file that a product needs.
struct Columns {
    bands: Vec<usize>,
    quality: Vec<usize>,
}

/// Whether a file is a table, `<table>.csv`, or a part of it, `<table>-….csv`.
pub(super) fn belongs(file: &str, table: &str) -> bool {
    let rest = file
        .strip_suffix(".csv")
        .and_then(|stem| stem.strip_prefix(table));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl<'a> Records<'a> {
    pub(super) fn new(products: &[&'a Product], sites: &'a [Site], calendar: Calendar) -> Self {
        let empty = || vec![Record::default(); sites.len()];
        Self {
            sites,
            calendar,
            products: products.iter().map(|product| (*product, empty())).collect(),
            files: Vec::new(),
            paths: Vec::new(),
            strangers: Vec::new(),
            tells_filled: false,
            is_synthetic: false,
        }
    }

    /// Adds the rows of one file.
    ///
    /// # Errors
    ///
    /// [`Data`](efflux_base::error::Error::Data) with line and column if a column is missing, a cell is not what its
    /// column says, a day is not the first of a step, or two rows say different things of the same site and time.
    pub(super) fn add<R: BufRead>(&mut self, mut rows: Rows<R>) -> Result<()> {
        let columns = self
            .products
            .iter()
            .map(|(product, _)| Columns::of(&rows.header, product))
            .collect::<Result<Vec<_>>>()?;
        let dated = self.products.iter().any(|(of, _)| of.step != Step::Static);
        let shared = Shared::of(&rows.header, dated)?;
        self.tells_filled |= shared.filled.is_some();
        self.is_synthetic |= rows.header.find(SYNTHETIC).is_some();
        let places: HashMap<&str, usize> =
            self.sites.iter().map(|site| &*site.id).zip(0..).collect();
        let mut form: Option<(Form, u64)> = None;
        let file = self.files.len();
        self.files.push(rows.header.file_name());
        self.paths.push(rows.header.path().to_owned());
        while let Some(row) = rows.next()? {
            let id = row.cell(shared.site);
            if id.text.is_empty() {
                return Err(id.wrong("the id of a site"));
            }
            let time = match shared.time.map(|column| row.cell(column)) {
                Some(cell) => Some((cell, stamp(&cell, &mut form)?)),
                None => None,
            };
            let site = places.get(id.text).copied();
            if site.is_none() && !self.strangers.iter().any(|known| known == id.text) {
                self.strangers.push(id.text.to_owned());
            }
            for ((product, records), columns) in self.products.iter_mut().zip(&columns) {
                if let Some((cell, stamp)) = time
                    && stamp.form == Form::Scene
                {
                    right_image(&cell, product)?;
                }
                let key = match time {
                    Some((cell, stamp)) if product.step != Step::Static => {
                        key(&cell, stamp, product, self.calendar)?
                    }
                    _ => 0,
                };
                if let Some(site) = site {
                    let filled = shared.filled(&row)?;
                    let record = &mut records[site];
                    record.rows += 1;
                    let line = id.line;
                    let origin = Origin { file, line };
                    let value = record.value(&row, product, columns, filled, origin)?;
                    let value = Value {
                        value,
                        filled,
                        origin,
                    };
                    let before = record.insert(key, value, product.step, self.calendar);
                    if let Err(before) = before {
                        let before = before.or_else(|| {
                            let wanted = (id.text, key, *product);
                            first_row(&self.paths, wanted, self.calendar)
                        });
                        return Err(contradiction(&id, before, file, &self.files));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Shared {
    pub(super) fn of(header: &Header, dated: bool) -> Result<Self> {
        let time = || match COLUMNS.iter().find_map(|name| header.find(name)) {
            Some(column) => Ok(column),
            None => header.require(COLUMNS[0]),
        };
        Ok(Self {
            site: header.require(SITE)?,
            time: if dated { Some(time()?) } else { None },
            filled: header.find(FILLED),
        })
    }

    /// Whether the producer has filled the values of a row.
    fn filled(&self, row: &Row<'_>) -> Result<bool> {
        match self.filled.map(|column| row.cell(column)) {
            None => Ok(false),
            Some(cell) => match cell.code() {
                Ok(None | Some(0)) => Ok(false),
                Ok(Some(1)) => Ok(true),
                _ => Err(cell.wrong("0 (observed) or 1 (filled)")),
            },
        }
    }
}

impl Columns {
    fn of(header: &Header, product: &Product) -> Result<Self> {
        let all = |names: &mut dyn Iterator<Item = &String>| {
            names
                .map(|name| header.require(name))
                .collect::<Result<_>>()
        };
        Ok(Self {
            bands: all(&mut product.bands.iter())?,
            quality: all(&mut product.quality.iter().map(|quality| &quality.band))?,
        })
    }
}

/// Whether a scene is of the satellite whose bands the product names.
fn right_image(cell: &Cell<'_>, product: &Product) -> Result<()> {
    let instrument = Stamp::instrument(cell.text).unwrap_or("");
    if product.images.is_empty() || product.images.iter().any(|image| image == instrument) {
        return Ok(());
    }
    Err(cell.wrong(&format!(
        "an image of {}, whose bands `{}` are those of `{}` (in images of {instrument} they are others: leave these rows \
         out, or describe them in a file for --predictors-config)",
        product.images.join(" or "),
        product.bands.join("` and `"),
        product.name
    )))
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
        row: &Row<'_>,
        product: &Product,
        columns: &Columns,
        filled: bool,
        origin: Origin,
    ) -> Result<f64> {
        let mut bands = [f64::NAN; 2];
        for (band, column) in bands.iter_mut().zip(&columns.bands) {
            let Some(stored) = row.cell(*column).number()? else {
                self.empty += 1;
                return Ok(f64::NAN);
            };
            if !within(product.valid, stored) {
                self.invalid += 1;
                self.first_invalid.get_or_insert((stored, origin));
                return Ok(f64::NAN);
            }
            *band = stored * product.scale + product.offset;
        }
        for (quality, column) in product.quality.iter().zip(&columns.quality) {
            let good = bits(&row.cell(*column))?.is_some_and(|bits| quality.accepts(bits));
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

    /// Takes a value in, unless the same is there already. Scenes are all taken in, those that saw the same once.
    ///
    /// # Errors
    ///
    /// If there is another value of the same step: its place, unless it is an hour, whose places are not kept.
    fn insert(
        &mut self,
        key: i64,
        value: Value,
        step: Step,
        calendar: Calendar,
    ) -> Result<(), Option<Origin>> {
        if step == Step::Hour {
            return self.insert_hour(key, value, calendar);
        }
        let scene = step == Step::Scene;
        let bits = value.value.to_bits();
        match self.values.entry((key, if scene { bits } else { 0 })) {
            Entry::Vacant(slot) => {
                slot.insert(value);
            }
            Entry::Occupied(_) if scene => {}
            Entry::Occupied(slot) => {
                let first = *slot.get();
                if first.value.to_bits() != bits || first.filled != value.filled {
                    return Err(Some(first.origin));
                }
                self.count_doubled(value.origin);
            }
        }
        Ok(())
    }

    /// Takes an hour in, unless its day is too far outside the calendar to matter.
    fn insert_hour(
        &mut self,
        hour: i64,
        value: Value,
        calendar: Calendar,
    ) -> Result<(), Option<Origin>> {
        let (day, hour) = (hour.div_euclid(24), hour.rem_euclid(24));
        let near = -(MARGIN as i64)..(calendar.days + MARGIN) as i64;
        if !near.contains(&day) {
            return Ok(());
        }
        let hours = self.hours.entry(day).or_default();
        // A remainder by 24 is a number from 0 to 23.
        let hour = usize::try_from(hour).unwrap_or(0);
        match hours.insert(hour, single(value.value), value.filled) {
            Before::Nothing => Ok(()),
            Before::Same => {
                self.count_doubled(value.origin);
                Ok(())
            }
            Before::Other => Err(None),
        }
    }

    fn count_doubled(&mut self, origin: Origin) {
        if self.doubled == 0 {
            self.first_doubled = origin;
        }
        self.doubled += 1;
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
mod tests;
