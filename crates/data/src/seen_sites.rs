//! What Gaussian processes have seen of a training, as it is kept with a run: a safetensors file of the days, their inputs and
//! their targets at each site, and what else a forecast of the site takes.

use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_process::{Climate, Day, INPUTS, Seen, Site, SiteNumbers};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use crate::derived::Statistics;
use crate::process_sites::ProcessVariables;
use crate::sealed::{self, Named, Seal, Versions, values};

const NUMBER: &str = "day_number";
const DAY_INPUTS: &str = "inputs";
const TARGET: &str = "target";
const VERSIONS: &Versions = &[(1, Seal::Everything)];

/// The sites of a training as a process has seen them.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenSites {
    /// What it reads of a pack.
    pub variables: ProcessVariables,
    /// The sites with the temperature, in the order of the training's pack.
    pub sites: Vec<SeenSite>,
}

/// A site as a process has seen it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenSite {
    /// Its id in the pack.
    pub id: String,
    /// Mean and standard deviation of what is in units of the site's own.
    pub statistics: Statistics,
    /// Amplitude and noise; zeros for a process that has none.
    pub numbers: SiteNumbers,
    /// What was observed; numbers of days count from 1970-01-01. Targets are asinh of the flux in the unit of the pack, or what a
    /// network left over of it.
    pub site: Site<'static>,
}

/// The file's header.
#[derive(Serialize, Deserialize)]
struct Header {
    variables: ProcessVariables,
    sites: Vec<HeaderSite>,
}

#[derive(Serialize, Deserialize)]
struct HeaderSite {
    id: String,
    statistics: Statistics,
    climate: Climate,
    numbers: SiteNumbers,
    days: usize,
}

impl SeenSites {
    /// A site by its id.
    pub fn site(&self, id: &str) -> Option<&SeenSite> {
        self.sites.iter().find(|site| site.id == id)
    }

    /// Keeps them; the file is there as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let sites = self.sites.iter().map(|of| HeaderSite {
            id: of.id.clone(),
            statistics: of.statistics.clone(),
            climate: of.site.climate,
            numbers: of.numbers,
            days: of.site.seen.len(),
        });
        let header = Header {
            variables: self.variables.clone(),
            sites: sites.collect(),
        };
        let seen = || self.sites.iter().flat_map(|of| of.site.seen.iter());
        let days = seen().count();
        let named = |name: &str, dtype, shape, bytes: Vec<u8>| Named {
            name: name.to_owned(),
            dtype,
            shape,
            bytes,
        };
        let numbers = seen().flat_map(|day| day.number.to_le_bytes()).collect();
        let inputs = seen().flat_map(|day| day.inputs.inputs());
        let inputs = inputs.flat_map(f64::to_le_bytes).collect();
        let targets = seen().flat_map(|day| day.target.to_le_bytes()).collect();
        let tensors = [
            named(NUMBER, Dtype::I32, vec![days], numbers),
            named(DAY_INPUTS, Dtype::F64, vec![days, INPUTS], inputs),
            named(TARGET, Dtype::F64, vec![days], targets),
        ];
        sealed::write(path, VERSIONS, header, &tensors)
    }

    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is not whole.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io("read what processes have seen", path))?;
        let broken = |reason: String| {
            let advice = "expected the days that a process has seen (remove the file: the same sweep makes it again)";
            Error::file(path, format!("{reason}, {advice}"))
        };
        let (header, tensors) = sealed::read::<Header>(VERSIONS, &bytes).map_err(broken)?;
        let days: usize = header.sites.iter().map(|site| site.days).sum();
        let numbers = values(&tensors, NUMBER, &[days], Dtype::I32, i32::from_le_bytes);
        let inputs = values(
            &tensors,
            DAY_INPUTS,
            &[days, INPUTS],
            Dtype::F64,
            f64::from_le_bytes,
        );
        let targets = values(&tensors, TARGET, &[days], Dtype::F64, f64::from_le_bytes);
        let (numbers, inputs) = (numbers.map_err(broken)?, inputs.map_err(broken)?);
        let targets = targets.map_err(broken)?;
        let inputs = inputs.as_chunks::<INPUTS>().0.iter();
        let mut seen = numbers.into_iter().zip(inputs).zip(targets);
        let sites = header.sites.into_iter().map(|of| {
            let days = seen.by_ref().take(of.days);
            let days = days.map(|((number, inputs), target)| Seen {
                number,
                inputs: Day::of(*inputs),
                target,
            });
            SeenSite {
                id: of.id,
                statistics: of.statistics,
                numbers: of.numbers,
                site: Site {
                    seen: days.collect(),
                    climate: of.climate,
                },
            }
        });
        Ok(Self {
            sites: sites.collect(),
            variables: header.variables,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites() -> SeenSites {
        let seen = |number| Seen {
            number,
            inputs: Day::of(std::array::from_fn(|place| 0.1 * place as f64)),
            target: f64::from(number) / 3.0,
        };
        let site = |id: &str, days: std::ops::Range<i32>| SeenSite {
            id: id.to_owned(),
            statistics: [("soil_moisture".to_owned(), [0.1, 1.0 / 3.0])].into(),
            numbers: SiteNumbers {
                log_amplitude: 0.1,
                log_noise: -0.3,
            },
            site: Site {
                seen: days.map(seen).collect(),
                climate: Climate {
                    mean: 1.0 / 7.0,
                    spread: -0.2,
                },
            },
        };
        SeenSites {
            variables: ProcessVariables {
                temperature: "soil_temp_c".to_owned(),
                temperature_units: "degC".to_owned(),
                moisture: None,
            },
            sites: vec![site("A", -3..4), site("B", 0..0), site("C", 9..11)],
        }
    }

    #[test]
    fn what_was_seen_comes_back_to_the_bit_and_damage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen.safetensors");
        sites().write(&path).unwrap();
        assert_eq!(SeenSites::read(&path).unwrap(), sites());
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = SeenSites::read(&path).unwrap_err().to_string();
        assert!(error.contains("the same sweep makes it again"), "{error}");
    }
}
