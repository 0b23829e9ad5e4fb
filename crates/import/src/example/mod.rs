//! An example of a study: raw files, a mapping, a job, and what to run.

use std::f64::consts::TAU;
use std::fmt::Write;
use std::path::Path;

use efflux_base::error::{Error, Result};
use jiff::ToSpan;
use jiff::civil::date;

use crate::folder;

/// Files that are written as they are.
const TEXTS: [(&str, &str); 3] = [
    ("README.md", include_str!("README.md")),
    ("import.toml", include_str!("import.toml")),
    ("job.toml", include_str!("job.toml")),
];

/// Days of the made-up records, from 2010-01-01 on.
const DAYS: i64 = 3 * 365;
/// Half hours of a day.
const STEPS: i64 = 48;

/// A made-up site.
struct Made {
    file: &'static str,
    /// Mean of the soil's temperature, °C, and how far summer and winter are from it.
    temperature: f64,
    amplitude: f64,
    /// Efflux at 10 °C, mg CO₂ m⁻² h⁻¹, and by how much 10 °C more multiply it.
    at_ten: f64,
    q10: f64,
}

const MADE: [Made; 2] = [
    Made {
        file: "raw/oak.csv",
        temperature: 9.0,
        amplitude: 8.0,
        at_ten: 310.0,
        q10: 2.4,
    },
    Made {
        file: "raw/meadow.csv",
        temperature: 7.0,
        amplitude: 9.0,
        at_ten: 420.0,
        q10: 2.1,
    },
];

/// Writes an example study into a folder that is new or empty.
///
/// # Errors
///
/// [`Error::Data`] if there is something in the folder, [`Error::Io`] if it cannot be written.
pub fn write_example(folder: &Path) -> Result<()> {
    let text = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    let mut files: Vec<(String, String)> = TEXTS.into_iter().map(text).collect();
    for made in &MADE {
        files.push((made.file.to_owned(), made.rows()?));
    }
    folder::put(folder, &files, is_empty)
}

/// Whether there is an empty folder; an error if there is something else.
fn is_empty(place: &Path) -> Result<bool> {
    if !place.exists() {
        return Ok(false);
    }
    let mut entries = std::fs::read_dir(place).map_err(Error::io("look into", place))?;
    if entries.next().is_none() {
        return Ok(true);
    }
    let reason = "is not empty, expected the name of a new folder for the example";
    Err(Error::file(place, reason))
}

impl Made {
    /// The site's file: stamps at the end of half hours, some missing values, some rows with a bad flag.
    fn rows(&self) -> Result<String> {
        let mut text = String::from("TIMESTAMP,Fsoil,qc,Tsoil_5cm,SWC_5cm,Rain\n");
        let start = date(2010, 1, 1).at(0, 0, 0, 0);
        let wrong =
            |error: jiff::Error| Error::Internal(format!("the example's calendar: {error}"));
        for step in 1..=DAYS * STEPS {
            let end = start.checked_add((30 * step).minutes()).map_err(wrong)?;
            #[allow(clippy::cast_precision_loss, reason = "some ten thousands")]
            let (day, number) = (step as f64 / STEPS as f64, step as f64);
            // A year, a day, and weather that comes and goes without repeating itself.
            let weather = (day / 5.3).sin() + 0.6 * (day / 2.1 + self.at_ten).sin();
            let season = (TAU * (day - 200.0) / 365.25).cos();
            let temperature = self.temperature
                + self.amplitude * season
                + 1.3 * weather
                + 0.8 * (TAU * (day - 0.6)).cos();
            let water = 27.0 - 9.0 * season - 3.0 * weather;
            let rain = if weather < -0.9 { 0.07 } else { 0.0 };
            let dryness = 1.0 / (1.0 + (-(water - 14.0) / 3.0).exp());
            // What no driver tells: of a half hour, and of a whole day.
            let noise = 1.0 + 0.06 * (number * 12.9898).sin() + 0.1 * (day.ceil() * 78.233).sin();
            let flux = self.at_ten * self.q10.powf((temperature - 10.0) / 10.0) * dryness * noise;
            let flag = if step % 37 == 0 {
                2
            } else {
                i64::from(step % 5 == 0)
            };
            let stamp = end.strftime("%Y-%m-%d %H:%M");
            let _ = if step % 53 < 3 {
                writeln!(
                    text,
                    "{stamp},-9999,{flag},{temperature:.2},{water:.1},{rain}"
                )
            } else {
                writeln!(
                    text,
                    "{stamp},{flux:.2},{flag},{temperature:.2},{water:.1},{rain}"
                )
            };
        }
        Ok(text)
    }
}
