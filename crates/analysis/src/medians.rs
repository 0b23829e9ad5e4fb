//! The three scores of many sites in three numbers.

use serde::{Deserialize, Serialize};

use super::metrics::Pairs;
use super::statistics::median;

/// Medians over the sites at which a score is defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Medians {
    /// Sites at which NSE is defined.
    pub sites: u32,
    /// Nash–Sutcliffe efficiency.
    pub nse: Option<f64>,
    /// Kling–Gupta efficiency (2009).
    pub kge: Option<f64>,
    /// Pearson's correlation.
    pub r: Option<f64>,
}

impl Medians {
    /// Of sites with at least `least` pairs.
    pub fn over(sites: impl IntoIterator<Item = Pairs>, least: usize) -> Self {
        let (mut nse, mut kge, mut r) = (Vec::new(), Vec::new(), Vec::new());
        for pairs in sites.into_iter().filter(|pairs| pairs.len() >= least) {
            nse.extend(pairs.nse());
            kge.extend(pairs.kge().map(|kge| kge.value));
            r.extend(pairs.r());
        }
        Self {
            sites: u32::try_from(nse.len()).unwrap_or(u32::MAX),
            nse: median(&nse).ok(),
            kge: median(&kge).ok(),
            r: median(&r).ok(),
        }
    }
}
