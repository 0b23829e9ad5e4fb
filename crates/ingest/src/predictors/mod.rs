//! Tables that Earth Engine exports for points become predictors of a pack. What the tables hold is data:
//! `configs/predictors.toml`. `configs/README.md` describes the folder.

mod checks;
mod contradiction;
mod daily;
mod fill_values;
mod hours;
mod products;
mod rows;
mod stamp;
mod steps;

use std::collections::BTreeSet;
use std::path::Path;

use self::daily::Series;
pub use self::products::{Daily, Formula, Product, Products, Quality, StandsFor, Step};
pub(crate) use self::rows::SYNTHETIC;
use self::rows::{Record, Records};
pub(crate) use self::steps::days_of;
use super::missing::Missing;
use super::table::Rows;
use efflux_base::error::{Error, Result};
use efflux_data::Calendar;
use efflux_data::OBSERVED;
use efflux_data::{Pack, Site, Variable};
use efflux_numerics::single;

/// Predictors of some sites on a calendar. S sites, D days, F daily variables, A static attributes.
#[derive(Clone, Debug)]
pub struct Predictors {
    /// The daily variables.
    pub dynamic: Vec<Variable>,
    /// Shape `[S, F, D]`, in the variables' units; NaN on every day where a variable is absent.
    pub values: Vec<f32>,
    /// Shape `[S, F, D]`: [`OBSERVED`], [`efflux_data::INTERPOLATED`] or [`efflux_data::HELD`].
    pub filled: Vec<u8>,
    /// The static attributes.
    pub statics: Vec<Variable>,
    /// Shape `[S, A]`, in the attributes' units; NaN where unknown.
    pub static_values: Vec<f32>,
    /// Where each variable comes from, as sentences.
    pub sources: Vec<String>,
    /// What a person should know, as sentences.
    pub warnings: Vec<String>,
}

/// Reads the predictor tables of a folder for these sites, wherever the sites come from.
///
/// Variables come in the order of the products; one whose table is missing, or that no site has, is left out with a
/// warning.
///
/// # Errors
///
/// [`Error::Io`] if a file cannot be read; [`Error::Data`] with file, line and column for anything that is not as
/// `configs/README.md` says, and if there is no table at all.
pub fn read_predictors(
    folder: &Path,
    products: &Products,
    sites: &[Site],
    calendar: Calendar,
    missing: &Missing,
) -> Result<Predictors> {
    let mut found: Vec<Found<'_>> = Vec::new();
    let mut warnings = Warnings::default();
    let files = tables(folder)?;
    warnings.extend(checks::strangers(&files, products));
    for table in products.tables() {
        let of_table: Vec<&Product> = products.iter().filter(|of| of.table == table).collect();
        let Some(records) = records(
            folder,
            &files,
            &of_table,
            sites,
            calendar,
            missing,
            &mut warnings,
        )?
        else {
            continue;
        };
        for (product, of_sites) in &records.products {
            let values = if product.step == Step::Static {
                Values::Static(attributes(product, of_sites, sites, &mut warnings))
            } else {
                Values::Daily(series(product, of_sites, sites, calendar, &mut warnings))
            };
            if values.are_known() {
                let source = source(product, &records);
                found.push(Found {
                    product,
                    values,
                    source,
                });
            }
        }
    }
    let place = |of: &Product| products.iter().position(|product| product.name == of.name);
    found.sort_by_key(|found| place(found.product));
    let (mut dynamic, mut statics) = (Vec::new(), Vec::new());
    for Found {
        product, values, ..
    } in &found
    {
        match values {
            Values::Daily(series) => dynamic.push((*product, series)),
            Values::Static(values) => statics.push((*product, values)),
        }
    }
    let variable = |product: &Product| Variable::new(&product.name, &product.units);
    let mut predictors = Predictors {
        dynamic: dynamic
            .iter()
            .map(|(product, _)| variable(product))
            .collect(),
        values: Vec::with_capacity(sites.len() * dynamic.len() * calendar.days),
        filled: Vec::with_capacity(sites.len() * dynamic.len() * calendar.days),
        statics: statics
            .iter()
            .map(|(product, _)| variable(product))
            .collect(),
        static_values: Vec::with_capacity(sites.len() * statics.len()),
        sources: found.iter().map(|found| found.source.clone()).collect(),
        warnings: warnings.0,
    };
    for site in 0..sites.len() {
        for (_, series) in &dynamic {
            let values = series[site].values.iter().copied();
            predictors.values.extend(values.map(single));
            predictors.filled.extend(&series[site].flags);
        }
        for (_, values) in &statics {
            predictors.static_values.push(single(values[site]));
        }
    }
    Ok(predictors)
}

/// What the tables hold of a product.
struct Found<'a> {
    product: &'a Product,
    values: Values,
    /// Where it comes from, for people.
    source: String,
}

/// Values of a product, one entry a site.
enum Values {
    Daily(Vec<Series>),
    /// NaN where unknown.
    Static(Vec<f64>),
}

impl Values {
    /// Whether there is any.
    fn are_known(&self) -> bool {
        match self {
            Self::Daily(series) => series.iter().any(|series| !series.is_absent()),
            Self::Static(values) => values.iter().any(|value| !value.is_nan()),
        }
    }
}

/// Sentences, each once: several products may find the same in their common table.
#[derive(Default)]
struct Warnings(Vec<String>);

impl Extend<String> for Warnings {
    fn extend<T: IntoIterator<Item = String>>(&mut self, sentences: T) {
        for sentence in sentences {
            if !self.0.contains(&sentence) {
                self.0.push(sentence);
            }
        }
    }
}

/// The CSV files of the folder, sorted.
fn tables(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("list the folder", folder))?;
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list the folder", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".csv") {
            names.insert(name);
        }
    }
    if names.is_empty() {
        let reason = "has no CSV file, expected the tables that configs/README.md describes";
        return Err(Error::file(folder, reason));
    }
    Ok(names.into_iter().collect())
}

/// What the files of a table hold for its products; `None` if there is no file.
fn records<'a>(
    folder: &Path,
    files: &[String],
    products: &[&'a Product],
    sites: &'a [Site],
    calendar: Calendar,
    missing: &Missing,
    warnings: &mut Warnings,
) -> Result<Option<Records<'a>>> {
    let Some(Product { table, .. }) = products.first() else {
        return Ok(None);
    };
    let mut files = files
        .iter()
        .filter(|file| rows::belongs(file, table))
        .peekable();
    if files.peek().is_none() {
        warnings.extend(products.iter().map(|Product { name, .. }| {
            format!(
                "`{name}` is left out: there is no {table}.csv (configs/earth-engine/export.js writes it)"
            )
        }));
        return Ok(None);
    }
    let mut records = Records::new(products, sites, calendar);
    for file in files {
        records.add(Rows::open(&folder.join(file))?.with_missing(missing))?;
    }
    if !records.strangers.is_empty() {
        let strangers = records.strangers.join(", ");
        warnings.extend([format!(
            "{table}.csv has rows of sites that are not among those to pack, so left out: {strangers}"
        )]);
    }
    if records.is_synthetic {
        warnings.extend([format!(
            "{table}.csv is synthetic, as its column `{SYNTHETIC}` says: what is trained with it says nothing of the sites"
        )]);
    }
    for (product, of_sites) in &records.products {
        fill_values::refuse(folder, product, of_sites, &records.files, missing)?;
        for (site, record) in sites.iter().zip(of_sites) {
            let files = &records.files;
            warnings.extend(checks::doubled(product, site, record, files));
            warnings.extend(checks::invalid(product, site, record, files));
        }
    }
    Ok(Some(records))
}

/// A daily variable at all sites, and what looks wrong with it.
fn series(
    product: &Product,
    records: &[Record],
    sites: &[Site],
    calendar: Calendar,
    warnings: &mut Warnings,
) -> Vec<Series> {
    let mut all = Vec::with_capacity(sites.len());
    for (site, record) in sites.iter().zip(records) {
        let series = Series::of(product, record, calendar);
        if series.is_absent() {
            warnings.extend([checks::absent(product, site, record)]);
        }
        all.push(series);
    }
    all
}

/// A static attribute at all sites, and what looks wrong with it.
fn attributes(
    product: &Product,
    records: &[Record],
    sites: &[Site],
    warnings: &mut Warnings,
) -> Vec<f64> {
    let mut all = Vec::with_capacity(sites.len());
    for (site, record) in sites.iter().zip(records) {
        let value = record.values.get(&(0, 0)).map_or(f64::NAN, |row| row.value);
        if value.is_nan() {
            warnings.extend([checks::absent(product, site, record)]);
        }
        all.push(value);
    }
    all
}

/// Where a variable comes from, for people.
fn source(product: &Product, records: &Records<'_>) -> String {
    let Product { name, source, .. } = product;
    if records.is_synthetic {
        return format!("{name}: synthetic, made by `efflux synth` in the layout of {source}");
    }
    let mut text = format!("{name}: {source}, {}", product.bands.join(" and "));
    let stand_in = product.stand_in.as_ref().filter(|_| !records.tells_filled);
    for remark in stand_in.into_iter().chain(&product.note) {
        text += "; ";
        text += remark;
    }
    text
}

impl Predictors {
    /// This pack with these predictors behind its own variables and attributes.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] if the pack has a variable or attribute of the same name; [`Error::Internal`] if the
    /// predictors are those of other sites or another calendar.
    pub fn join(&self, pack: &Pack) -> Result<Pack> {
        let (sites, days) = (pack.sites.len(), pack.calendar.days);
        let (old, new) = (pack.dynamic.len(), self.dynamic.len());
        let fits = self.values.len() == sites * new * days
            && self.filled.len() == self.values.len()
            && self.static_values.len() == sites * self.statics.len();
        if !fits {
            let reason = "predictors of other sites or days than the pack's";
            return Err(Error::Internal(reason.into()));
        }
        let named = |ours: &[Variable], theirs: &[Variable]| {
            let taken = |variable: &&Variable| theirs.iter().any(|its| its.name == variable.name);
            ours.iter()
                .find(taken)
                .map(|variable| variable.name.clone())
        };
        let twice = named(&self.dynamic, &pack.dynamic).or(named(&self.statics, &pack.statics));
        if let Some(name) = twice {
            return Err(Error::Usage(format!(
                "`{name}` comes with the sites and from the predictor tables: rename the column of the sites' files, or \
                 the product in a file for --predictors-config"
            )));
        }
        let mut joined = pack.clone();
        joined.dynamic.extend(self.dynamic.iter().cloned());
        joined.statics.extend(self.statics.iter().cloned());
        joined.sources.extend(self.sources.iter().cloned());
        joined.values = Vec::with_capacity(sites * days * (old + new));
        joined.filled = Vec::with_capacity(sites * days * (old + new));
        joined.static_values = Vec::new();
        for site in 0..sites {
            for day in 0..days {
                let before = (site * days + day) * old;
                joined.values.extend(&pack.values[before..][..old]);
                joined.filled.extend(&pack.filled[before..][..old]);
                for variable in 0..new {
                    let index = (site * new + variable) * days + day;
                    let (value, flag) = (self.values[index], self.filled[index]);
                    joined.values.push(value);
                    joined
                        .filled
                        .push(if value.is_nan() { OBSERVED } else { flag });
                }
            }
            let (old, new) = (pack.statics.len(), self.statics.len());
            let theirs = &pack.static_values[site * old..][..old];
            let ours = &self.static_values[site * new..][..new];
            joined.static_values.extend(theirs.iter().chain(ours));
        }
        Ok(joined.sealed())
    }
}
