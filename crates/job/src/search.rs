//! `[search]`: which points of the grid's axes are configurations.

use efflux_numerics::random::{Purpose, Stream};
use efflux_numerics::sobol::{DIMENSIONS, Sobol};
use serde::{Deserialize, Serialize};

use super::settings::Fault;

/// How points are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Every combination.
    #[default]
    Grid,
    /// By chance, each value of an axis as likely as another.
    Random,
    /// Sobol's sequence, shifted by chance, which covers the axes more evenly; for up to 21 axes.
    Sobol,
}

/// `[search]`: which points of the grid's axes are configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// How points of the axes are chosen.
    pub method: Method,
    /// How many are drawn.
    pub samples: Option<u32>,
    /// What they are drawn from. More samples of a seed begin with the fewer. Left out: 0.
    pub seed: Option<u64>,
}

impl Method {
    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Sobol => "sobol",
        }
    }
}

impl Search {
    /// The first value that cannot be, with so many axes to draw from.
    pub(super) fn fault(&self, axes: usize) -> Option<Fault> {
        let seed = self.seed.map(|seed| ("seed", seed.to_string()));
        let samples = self.samples.map(|samples| ("samples", samples.to_string()));
        match (self.method, samples) {
            (Method::Grid, samples) => {
                let (key, found) = samples.or(seed)?;
                Some((
                    key,
                    found,
                    "no such key unless `method` is \"random\" or \"sobol\"",
                ))
            }
            (method, None) => {
                let expected = "\"grid\" where `samples` does not say how many to draw";
                Some(("method", format!("\"{}\"", method.name()), expected))
            }
            (_, Some((key, found))) if found == "0" => Some((key, found, "1 or more")),
            (method, _) if axes == 0 => {
                let expected = "\"grid\" where [grid] has no axis to draw from";
                Some(("method", format!("\"{}\"", method.name()), expected))
            }
            (Method::Sobol, _) if axes > DIMENSIONS => {
                let expected = "\"random\" where [grid] has more than 21 axes";
                Some(("method", "\"sobol\"".to_owned(), expected))
            }
            _ => None,
        }
    }

    /// Points of a cube with so many sides, each in `[0, 1)`; none for a grid. The first ones are the same however many are
    /// drawn.
    pub(super) fn points(self, axes: usize) -> impl Iterator<Item = Vec<f64>> {
        let seed = self.seed.unwrap_or(0);
        let samples = if self.method == Method::Grid {
            0
        } else {
            self.samples.unwrap_or(0)
        };
        let sequences = (0..axes).filter_map(move |axis| {
            let sequence = Sobol::new(axis)?;
            let axis = u32::try_from(axis).ok()?;
            // The upper half of what is drawn once for the axis.
            let shift = Stream::new(seed, Purpose::Configurations, axis, u32::MAX).bits() >> 32;
            Some((sequence, shift))
        });
        let sequences: Vec<(Sobol, u64)> = sequences.collect();
        (0..samples).map(move |number| match self.method {
            Method::Sobol => {
                let coordinates = sequences.iter();
                let of = |(sequence, shift): &(Sobol, u64)| {
                    (u64::from(sequence.at(number)) ^ shift) as f64 / (1_u64 << 32) as f64
                };
                coordinates.map(of).collect()
            }
            Method::Grid | Method::Random => {
                let mut stream = Stream::new(seed, Purpose::Configurations, number, 0);
                (0..axes).map(|_| stream.unit()).collect()
            }
        })
    }
}
