//! What the predictor tables hold and what becomes of it, as `configs/predictors.toml` describes it.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::path::Path;

use efflux_base::error::{Error, Result};
use serde::Deserialize;

/// The file that describes the paper's products, as it was when this program was built.
const DEFAULT: &str = include_str!("../../../../configs/predictors.toml");
const DEFAULT_PATH: &str = "configs/predictors.toml";

/// The products that predictors come from, in the order in which their variables stand in a pack.
#[derive(Clone, Debug, PartialEq)]
pub struct Products(pub(super) Vec<Product>);

/// One variable of a pack and the product it is taken from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// What job files call the variable.
    pub name: String,
    /// The variable's unit in the pack.
    pub units: String,
    /// The table without its ending: `<table>.csv`, or `<table>-….csv` for parts of it.
    pub table: String,
    /// The collection or image in Earth Engine, or whatever else people need to find the product.
    pub source: String,
    /// The paper's words that this implements, with their line.
    pub sentence: String,
    /// The columns that hold the values.
    pub bands: Vec<String>,
    /// Beginnings of the names of images that have these bands: `LE07`. Any if empty.
    #[serde(default)]
    pub images: Vec<String>,
    /// What is made of the bands.
    #[serde(default)]
    pub formula: Formula,
    /// A stored value times this …
    #[serde(default = "one")]
    pub scale: f64,
    /// … plus this is the value in `units` (for a formula: in the bands' own unit).
    #[serde(default)]
    pub offset: f64,
    /// Least and greatest stored value. What is outside is a fill value: missing.
    pub valid: Option<[f64; 2]>,
    /// Least and greatest value in `units` to keep. What is outside is missing.
    pub keep: Option<[f64; 2]>,
    /// Least and greatest value in `units` that is credible. What is outside stays, with a warning.
    pub plausible: [f64; 2],
    /// What the quality bands must say for a value to be used.
    #[serde(default)]
    pub quality: Vec<Quality>,
    /// How often there is a value.
    pub step: Step,
    /// How the values of a step become values of days.
    pub daily: Option<Daily>,
    /// The stamp of an hour is its end, so midnight belongs to the day before.
    #[serde(default)]
    pub stamp_ends_hour: bool,
    /// Which of its days a value of several days stands for.
    #[serde(default)]
    pub stands_for: StandsFor,
    /// The values are totals over a step: those of shorter steps are scaled up to this many days.
    pub total_days: Option<u16>,
    /// Side of a grid cell, metres: sites farther apart than its diagonal cannot share one.
    pub cell_m: f64,
    /// How the paper filled gaps where this program only interpolates. A table with a column `filled` is filled already.
    pub stand_in: Option<String>,
    /// What else people should know of this choice.
    pub note: Option<String>,
}

/// What is made of a product's bands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// The only band as it is.
    #[default]
    Band,
    /// `(second − first) / (second + first)`, for NDVI red and near infrared.
    NormalizedDifference,
}

/// Bits of a quality band and the numbers they may hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// The column.
    pub band: String,
    /// First and last bit, counted from 0 at the least.
    pub bits: [u8; 2],
    /// The numbers in these bits that are good enough.
    pub accept: Vec<u32>,
}

/// How often a product has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Step {
    /// Never changes.
    #[serde(rename = "static")]
    Static,
    /// 24 values a day.
    #[serde(rename = "hour")]
    Hour,
    /// One a day.
    #[serde(rename = "day")]
    Day,
    /// One for four days, counted anew from every 1 January.
    #[serde(rename = "4 days")]
    FourDays,
    /// One for eight days, counted anew from every 1 January.
    #[serde(rename = "8 days")]
    EightDays,
    /// Whenever a satellite sees the place. Scenes of one day are averaged.
    #[serde(rename = "scene")]
    Scene,
    /// One a month, under any of its days.
    #[serde(rename = "month")]
    Month,
}

/// How the values of a step become values of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Daily {
    /// The sum of all 24 hours.
    #[serde(rename = "sum")]
    Sum,
    /// The mean of all 24 hours.
    #[serde(rename = "mean")]
    Mean,
    /// Linear between the days that values stand for.
    #[serde(rename = "interpolation")]
    Interpolation,
}

/// Which of its days a value of several days stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandsFor {
    /// The first, under which Earth Engine lists it.
    First,
    /// The one in which the middle of the step lies.
    #[default]
    Middle,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    product: Vec<Product>,
}

fn one() -> f64 {
    1.0
}

impl Products {
    /// The paper's products: `configs/predictors.toml`, embedded.
    ///
    /// # Errors
    ///
    /// None, as long as a test reads the embedded file.
    pub fn paper() -> Result<Self> {
        Self::parse(Path::new(DEFAULT_PATH), DEFAULT)
    }

    /// Reads another description of products.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] as from [`Products::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read the products", path))?;
        Self::parse(path, &text)
    }

    /// Validates a description; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] with the line or the product, what was found and what would be possible.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|error| {
            let reason = error.message().trim_end().replace('\n', " ");
            match error.span().and_then(|span| text.get(..span.start)) {
                Some(before) => {
                    let line = 1 + before.matches('\n').count() as u64;
                    Error::line(path, line, reason)
                }
                None => Error::file(path, reason),
            }
        })?;
        let mut names = HashSet::new();
        for product in &file.product {
            let name = &product.name;
            product
                .check()
                .map_err(|reason| Error::file(path, format!("product `{name}`: {reason}")))?;
            if !names.insert(name) {
                return Err(Error::file(
                    path,
                    format!("product `{name}` stands there twice"),
                ));
            }
        }
        if file.product.is_empty() {
            return Err(Error::file(path, "describes no product"));
        }
        Ok(Self(file.product))
    }

    /// The products, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.0.iter()
    }

    /// The names of their tables, each once, in order.
    pub(crate) fn tables(&self) -> Vec<&str> {
        let mut tables: Vec<&str> = Vec::new();
        for Product { table, .. } in &self.0 {
            if !tables.contains(&table.as_str()) {
                tables.push(table);
            }
        }
        tables
    }
}

impl Product {
    /// Whether its entries go together.
    fn check(&self) -> Result<(), String> {
        for (key, text) in [
            ("name", &self.name),
            ("units", &self.units),
            ("table", &self.table),
            ("source", &self.source),
            ("sentence", &self.sentence),
        ] {
            if text.trim().is_empty() {
                return Err(format!("`{key}` is empty"));
            }
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !self.table.chars().all(plain) {
            let table = &self.table;
            return Err(format!(
                "`table` is `{table}`, expected letters, digits and `_`, as in the name of its file"
            ));
        }
        let bands = match self.formula {
            Formula::Band => 1,
            Formula::NormalizedDifference => 2,
        };
        if self.bands.len() != bands {
            return Err(format!(
                "`bands` names {}, expected {bands} for its formula",
                self.bands.len()
            ));
        }
        if !(self.scale.is_finite() && self.scale != 0.0 && self.offset.is_finite()) {
            return Err("`scale` or `offset` is not a finite number, or the scale is 0".into());
        }
        // So written, a NaN is refused too.
        if !(self.cell_m > 0.0 && self.cell_m.is_finite()) {
            return Err(format!("`cell_m` is {}, expected metres", self.cell_m));
        }
        for (key, range) in [
            ("valid", self.valid),
            ("keep", self.keep),
            ("plausible", Some(self.plausible)),
        ] {
            if let Some([least, greatest]) = range
                && least.partial_cmp(&greatest) != Some(Ordering::Less)
            {
                return Err(format!(
                    "`{key}` is [{least}, {greatest}], expected the least number first"
                ));
            }
        }
        for quality in &self.quality {
            let [first, last] = quality.bits;
            if first > last || last > 31 {
                return Err(format!(
                    "`bits` of `{}` is [{first}, {last}], expected two of 0 to 31, the lower first",
                    quality.band
                ));
            }
        }
        let fits = match self.step {
            Step::Static => self.daily.is_none(),
            Step::Hour => matches!(self.daily, Some(Daily::Sum | Daily::Mean)),
            _ => self.daily == Some(Daily::Interpolation),
        };
        if !fits {
            return Err(format!(
                "`daily` is {:?} with `step` {:?}, expected \"sum\" or \"mean\" for \"hour\", nothing for \"static\", \
                 else \"interpolation\"",
                self.daily, self.step
            ));
        }
        if let Some(image) = self.images.iter().find(|image| image.len() != 4) {
            return Err(format!(
                "`images` has `{image}`, expected the four characters of a Landsat image's name, `LE07`"
            ));
        }
        if self.total_days == Some(0) {
            return Err("`total_days` is 0, expected the days of a full step".into());
        }
        Ok(())
    }

    /// What a stored number is, for people.
    pub(crate) fn stored(&self) -> String {
        match (self.scale, self.offset) {
            (1.0, 0.0) => self.units.clone(),
            (scale, 0.0) => format!("{scale} {}", self.units),
            (scale, offset) => format!("{scale} of the unit from {offset} on"),
        }
    }
}

impl Quality {
    /// Whether a number in the quality band is good enough.
    pub(super) fn accepts(&self, band: u32) -> bool {
        let [first, last] = self.bits;
        let width = u32::from(last - first) + 1;
        let mask = u32::MAX >> (32 - width);
        self.accept.contains(&(band >> first & mask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[[product]]\nname = \"t_k\"\nunits = \"K\"\ntable = \"t\"\nsource = \"s\"\nsentence = \"p\"\n\
        bands = [\"T\"]\nplausible = [200, 330]\nstep = \"day\"\ndaily = \"interpolation\"\ncell_m = 1000\n";

    fn message(from: &str, to: &str) -> String {
        assert!(LEAST.contains(from), "{from}");
        let text = LEAST.replacen(from, to, 1);
        Products::parse(Path::new("p.toml"), &text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn bits_are_cut_out_of_a_quality_band() {
        let quality = Quality {
            band: "QC".into(),
            bits: [3, 4],
            accept: vec![0, 3],
        };
        assert!(quality.accepts(0b0000_0111) && quality.accepts(0b1111_1000));
        assert!(!quality.accepts(0b0000_1000) && !quality.accepts(0b0001_0000));
        let whole = Quality {
            bits: [0, 31],
            accept: vec![u32::MAX],
            ..quality
        };
        assert!(whole.accepts(u32::MAX) && !whole.accepts(0));
    }

    #[test]
    fn entries_that_do_not_go_together_are_refused() {
        assert!(Products::parse(Path::new("p.toml"), LEAST).is_ok());
        for (from, to, expected) in [
            ("\"day\"", "\"hour\"", "product `t_k`: `daily` is"),
            ("\"day\"", "\"week\"", "p.toml:9: "),
            ("cell_m", "cell", "p.toml:11: unknown field `cell`"),
            ("[\"T\"]", "[]", "`bands` names 0, expected 1"),
            ("[200, 330]", "[330, 200]", "`plausible` is [330, 200]"),
            ("[200, 330]", "[nan, 200]", "`plausible` is [NaN, 200]"),
            ("\"t\"", "\"../t\"", "`table` is `../t`"),
            ("\"p\"", "\" \"", "`sentence` is empty"),
            ("1000", "0", "`cell_m` is 0"),
        ] {
            let message = message(from, to);
            assert!(message.contains(expected), "{message}");
        }
        let twice = format!("{LEAST}{LEAST}");
        let error = Products::parse(Path::new("p.toml"), &twice).unwrap_err();
        assert!(error.to_string().contains("stands there twice"), "{error}");
    }
}
