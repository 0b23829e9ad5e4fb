//! Predictor tables that were made, not measured, for sites that there are: with the files, columns and stored numbers
//! that `configs/predictors.toml` describes, so that what is done with an export can be tried without one. A column
//! `synthetic` in each says what they are.

use std::fmt::Write as _;
use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, Pack, Site};
use jiff::civil::Date;

use super::biome::Biome;
use super::instruments::KELVIN;
use super::random::{Random, key};
use super::weather::{Day, Place};
use super::{Soil, annual};
use crate::predictors::{Daily, Formula, Product, Products, SYNTHETIC, Step, days_of};

/// Days between two scenes.
const REVISIT: i16 = 16;
/// Red reflectance of every scene; the near infrared one follows from the index.
const RED: f64 = 0.05;

/// Writes the tables of the paper's predictors for the sites of a pack into a folder: dated ones in parts of a year, for
/// the years in which a site was observed, or for all where it never was. The weather is that of the site's land cover,
/// latitude and the seed, and nobody's own: what is trained with it says nothing of the sites.
///
/// # Errors
///
/// [`Error::Data`] if the folder holds tables already; [`Error::Io`] if a file cannot be written.
pub fn synthesize_predictors(pack: &Pack, seed: u64, folder: &Path) -> Result<usize> {
    refuse_tables(folder)?;
    let products = Products::paper()?;
    let made: Vec<Made> = (0..pack.sites.len())
        .map(|site| Made::of(pack, site, seed))
        .collect();
    // A product that is new in the description is nothing that could be made.
    let first = made.first().and_then(|of| Some((of, of.days.first()?)));
    let unknown =
        first.and_then(|(of, day)| products.iter().find(|one| of.value(one, day).is_none()));
    if let Some(product) = unknown {
        let reason = format!("nothing is known of how `{}` could be made", product.name);
        return Err(Error::Internal(reason));
    }
    let years = pack.calendar.start.year()..=pack.calendar.end().year();
    let mut written = 0;
    for name in products.tables() {
        let table = Table::of(name, &products);
        let parts: Vec<Option<i16>> = match table.step() {
            Step::Static => vec![None],
            _ => years.clone().map(Some).collect(),
        };
        for part in parts {
            let rows: String = made.iter().map(|of| table.rows(of, pack, part)).collect();
            if rows.is_empty() {
                continue;
            }
            let file = match part {
                Some(year) => format!("{name}-{year}.csv"),
                None => format!("{name}.csv"),
            };
            durable::write(&folder.join(file), table.header() + &rows)?;
            written += 1;
        }
    }
    Ok(written)
}

/// Parts of another pack would be read together with the new ones.
fn refuse_tables(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(Error::io("list the folder", folder))?;
    for entry in entries {
        let entry = entry.map_err(Error::io("list the folder", folder))?;
        let name = entry.file_name();
        if name.to_string_lossy().ends_with(".csv") {
            let reason = format!(
                "holds {}, expected a folder without tables: they would be read together (name another one, or remove them)",
                name.to_string_lossy()
            );
            return Err(Error::file(folder, reason));
        }
    }
    Ok(())
}

/// A site as it was made.
struct Made<'a> {
    site: &'a Site,
    soil: Soil,
    days: Vec<Day>,
    /// Where no satellite sees the surface.
    is_cloudy: Vec<bool>,
    /// The years that tables have of it.
    years: Vec<i16>,
}

impl<'a> Made<'a> {
    fn of(pack: &'a Pack, site: usize, seed: u64) -> Self {
        let calendar = pack.calendar;
        let observed = pack.flux_of(site).iter();
        let observed = observed.enumerate().filter(|(_, flux)| !flux.is_nan());
        let mut years: Vec<i16> = observed.map(|(day, _)| calendar.date(day).year()).collect();
        years.dedup();
        if years.is_empty() {
            years.extend(calendar.start.year()..=calendar.end().year());
        }
        let site = &pack.sites[site];
        let stream = |purpose| Random::stream(seed, key(&site.id), purpose);
        let biome = Biome::nearest(&site.igbp, site.latitude);
        let soil = Soil::draw(biome, &mut stream(1));
        let place = Place::at(biome, soil.clay, site.latitude, &mut stream(2));
        let days = place.days(&calendar, &mut stream(3));
        let mut clouds = stream(4);
        let is_cloudy = days.iter().map(|day| day.is_cloudy(&mut clouds));
        Self {
            is_cloudy: is_cloudy.collect(),
            site,
            soil,
            days,
            years,
        }
    }

    /// A product on one day, or at the site, in the product's unit; none where it is not known here how to make it.
    fn value(&self, product: &Product, day: &Day) -> Option<f64> {
        let cover = 1.0 - (-0.5 * day.leaf_area).exp();
        Some(match product.name.as_str() {
            "precipitation_m" => day.precipitation / 1000.0,
            "soil_water_0_7cm_m3_m3" => day.soil_water,
            "soil_water_7_28cm_m3_m3" => 0.02 + 0.9 * day.soil_water,
            "lst_day_k" => day.surface + KELVIN,
            "lst_night_k" => day.temperature - day.range / 2.0 - 1.0 + KELVIN,
            "air_temp_min_k" => day.temperature - day.range / 2.0 + KELVIN,
            "air_temp_max_k" => day.temperature + day.range / 2.0 + KELVIN,
            "et_mm_8d" => 8.0 * day.evaporation.0,
            "pet_mm_8d" => 8.0 * day.evaporation.1,
            "ndvi" => 0.1 + 0.8 * cover,
            "fpar" => cover,
            "lai_m2_m2" => day.leaf_area,
            "wind_speed_m_s" => day.wind,
            "soc_g_kg" => self.soil.carbon,
            "sand_pct" => 100.0 * self.soil.sand,
            "silt_pct" => 100.0 * (1.0 - self.soil.sand - self.soil.clay),
            "clay_pct" => 100.0 * self.soil.clay,
            "bulk_density_kg_dm3" => self.soil.bulk_density,
            "mat_c" => annual(&self.days, |day| day.temperature),
            "map_cm" => 36.525 * annual(&self.days, |day| day.precipitation),
            _ => return None,
        })
    }
}

/// A table of several products, with its columns.
struct Table<'a> {
    products: Vec<&'a Product>,
    bands: Vec<&'a str>,
}

impl<'a> Table<'a> {
    fn of(name: &str, products: &'a Products) -> Self {
        let products: Vec<&Product> = products.iter().filter(|of| of.table == name).collect();
        let mut bands: Vec<&str> = Vec::new();
        for product in &products {
            let quality = product.quality.iter().map(|quality| &quality.band);
            for band in product.bands.iter().chain(quality) {
                if !bands.contains(&band.as_str()) {
                    bands.push(band);
                }
            }
        }
        Self { products, bands }
    }

    fn step(&self) -> Step {
        self.products[0].step
    }

    fn header(&self) -> String {
        let date = match self.step() {
            Step::Static => "",
            _ => "date,",
        };
        format!("site,{date}{},{SYNTHETIC}\n", self.bands.join(","))
    }

    /// The rows of a site, in a year of it if they are dated.
    fn rows(&self, made: &Made<'_>, pack: &Pack, year: Option<i16>) -> String {
        let mut text = String::new();
        let Some(year) = year else {
            self.row(&mut text, made, "", 0..1);
            return text;
        };
        if !made.years.contains(&year) {
            return text;
        }
        let calendar = pack.calendar;
        for (first, days) in steps(calendar, year, self.step()) {
            if self.step() == Step::Day && made.is_cloudy[days.start] {
                // What is masked leaves empty cells.
                let empty = ",".repeat(self.bands.len());
                let _ = writeln!(text, "{},{first}{empty},1", made.site.id);
                continue;
            }
            match self.step() {
                Step::Hour => {
                    for hour in 0..24 {
                        self.row(
                            &mut text,
                            made,
                            &format!("{first}T{hour:02}:00,"),
                            days.clone(),
                        );
                    }
                }
                _ => self.row(&mut text, made, &format!("{first},"), days),
            }
        }
        text
    }

    /// One row: what is stored for these days.
    fn row(&self, text: &mut String, made: &Made<'_>, stamp: &str, days: std::ops::Range<usize>) {
        let mut cells: Vec<f64> = vec![0.0; self.bands.len()];
        let place = |name: &str| self.bands.iter().position(|band| *band == name);
        for product in &self.products {
            let here = made.days[days.clone()].iter();
            let values: Vec<f64> = here.filter_map(|day| made.value(product, day)).collect();
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            let share = match (product.daily, product.total_days) {
                (Some(Daily::Sum), _) => 1.0 / 24.0,
                (_, Some(all)) => days.len() as f64 / f64::from(all),
                _ => 1.0,
            };
            for (band, value) in product.bands.iter().zip(bands(product, mean * share)) {
                if let Some(place) = place(band) {
                    cells[place] = stored(product, value);
                }
            }
            for quality in &product.quality {
                if let (Some(place), Some(good)) = (place(&quality.band), quality.accept.first()) {
                    // Products that share a band agree on what is good.
                    let bits = f64::from(*good) * f64::from(quality.bits[0]).exp2();
                    cells[place] = cells[place].max(bits);
                }
            }
        }
        let cells: Vec<String> = cells.iter().map(f64::to_string).collect();
        let _ = writeln!(text, "{},{stamp}{},1", made.site.id, cells.join(","));
    }
}

/// The steps that begin in a year of the calendar, with their days of it.
fn steps(calendar: Calendar, year: i16, step: Step) -> Vec<(Date, std::ops::Range<usize>)> {
    let begins = |date: Date| {
        let of_year = date.day_of_year() - 1;
        match step {
            Step::Month => date.day() == 1,
            Step::FourDays => of_year % 4 == 0,
            Step::EightDays => of_year % 8 == 0,
            Step::Scene => of_year % REVISIT == 0,
            Step::Static | Step::Hour | Step::Day => true,
        }
    };
    let dates = (0..calendar.days).map(|day| (day, calendar.date(day)));
    let first = dates.filter(|(_, date)| date.year() == year && begins(*date));
    let with_days = first.map(|(day, date)| {
        let end = day + usize::from(days_of(step, date));
        (date, day..end.min(calendar.days))
    });
    with_days.collect()
}

/// What the bands of a product hold for a value, in their own unit.
fn bands(product: &Product, value: f64) -> Vec<f64> {
    match product.formula {
        Formula::Band => vec![value],
        Formula::NormalizedDifference => vec![RED, RED * (1.0 + value) / (1.0 - value)],
    }
}

/// The number that a table stores of a value.
fn stored(product: &Product, value: f64) -> f64 {
    let number = (value - product.offset) / product.scale;
    // Products with a scale store whole numbers; others as many digits as a float has.
    let rounded = match product.scale == 1.0 {
        true => (number * 1e7).round() / 1e7,
        false => number.round(),
    };
    match product.valid {
        Some([low, high]) => rounded.clamp(low, high),
        None => rounded,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SynthOptions, synthesize};
    use super::*;
    use crate::{Missing, read_predictors};

    fn pack() -> Pack {
        let options = SynthOptions {
            sites: 3,
            years: Some(3),
            seed: 4,
            ..SynthOptions::default()
        };
        synthesize(&options).unwrap()
    }

    #[test]
    fn the_tables_are_read_as_exports_and_said_to_be_made() {
        let (pack, folder) = (pack(), tempfile::tempdir().unwrap());
        synthesize_predictors(&pack, 0, folder.path()).unwrap();
        let products = Products::paper().unwrap();
        let (sites, missing) = (&pack.sites, Missing::default());
        let read =
            read_predictors(folder.path(), &products, sites, pack.calendar, &missing).unwrap();
        let names = read.dynamic.iter().chain(&read.statics);
        let mut names: Vec<&str> = names.map(|of| of.name.as_str()).collect();
        let mut all: Vec<&str> = products.iter().map(|of| of.name.as_str()).collect();
        names.sort_unstable();
        all.sort_unstable();
        assert_eq!(names, all);
        assert!(
            read.sources
                .iter()
                .all(|source| source.contains("synthetic"))
        );
        assert!(
            read.warnings
                .iter()
                .any(|warning| warning.contains("synthetic"))
        );
        // Values are those of the site's weather: none is missing or outside what is credible.
        for (index, variable) in read.dynamic.iter().enumerate() {
            let product = products.iter().find(|of| of.name == variable.name).unwrap();
            let [low, high] = product.plausible;
            for site in 0..sites.len() {
                let begin = (site * read.dynamic.len() + index) * pack.calendar.days;
                let values = &read.values[begin..][..pack.calendar.days];
                let is_credible = |value: &f32| (low..=high).contains(&f64::from(*value));
                assert!(values.iter().all(is_credible), "{}", variable.name);
            }
        }
    }

    #[test]
    fn a_folder_with_tables_is_left_alone() {
        let (pack, folder) = (pack(), tempfile::tempdir().unwrap());
        let table = folder.path().join("modis_lst.csv");
        std::fs::write(&table, "mine").unwrap();
        let refused = synthesize_predictors(&pack, 0, folder.path()).unwrap_err();
        assert!(
            refused.to_string().contains("holds modis_lst.csv"),
            "{refused}"
        );
        assert_eq!(std::fs::read_to_string(table).unwrap(), "mine");
    }

    #[test]
    fn a_site_has_the_same_weather_in_every_pack() {
        let (pack, folders) = (pack(), [0; 2].map(|_| tempfile::tempdir().unwrap()));
        let one = Pack {
            sites: pack.sites[1..].to_vec(),
            flux: efflux_numerics::SiteByDay::of(
                pack.calendar.days,
                pack.flux.values()[pack.calendar.days..].to_vec(),
            ),
            ..pack.clone()
        };
        synthesize_predictors(&pack, 7, folders[0].path()).unwrap();
        synthesize_predictors(&one, 7, folders[1].path()).unwrap();
        let soil = folders.each_ref().map(|folder| {
            let text = std::fs::read_to_string(folder.path().join("soilgrids.csv")).unwrap();
            text.lines().last().unwrap().to_owned()
        });
        assert_eq!(soil[0], soil[1]);
    }
}
