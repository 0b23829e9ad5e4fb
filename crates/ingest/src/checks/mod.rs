//! What looks wrong with a pack although everything in it can be read, and what would let a model see the days that it is
//! tested on: told with the sites and what to do.

mod leaks;
mod meaning;
mod values;

use serde::Serialize;

pub(super) use self::leaks::{places, ranges, seen_by_distance};
use super::predictors::Products;
use efflux_data::Pack;
use efflux_data::Parts;
use efflux_job::Split;

pub use self::leaks::{Place, Ranges, SeenWithin};

/// Something that a person should look at before training on a pack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: Kind,
    /// The sites where it is so; empty if it concerns all.
    pub sites: Vec<String>,
    /// What was found, and what to do, as a sentence.
    pub message: String,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A land cover that is no known class.
    LandCover,
    /// Values that are hardly possible in their unit.
    Units,
    /// A predictor that never changes.
    Constant,
    /// A predictor that was not measured on many days with a flux.
    Filled,
    /// A predictor that is the same at two sites far apart.
    Identical,
    /// Test days of a site on which another one at the same place trains.
    SamePlace,
    /// Test days have a say in the percentiles that measurements were dropped by.
    TestFilter,
    /// Test days would have a say in the range that the target is scaled by.
    TestRange,
}

/// Looks at a pack.
///
/// # Arguments
///
/// * `products`: for variables of these, their plausible range, grid and table; for others there is only the unit.
/// * `train`: share of a site's observed days that a model trains on.
/// * `within_km`: sites nearer to each other are one place.
pub fn check(pack: &Pack, products: &Products, train: f64, within_km: f64) -> Vec<Finding> {
    let mut findings = values::daily(pack, products);
    findings.extend(values::attributes(pack, products));
    findings.extend(values::flux(pack));
    findings.extend(meaning::findings(pack));
    findings.extend(leaks::findings(pack, train, within_km));
    findings
}

/// The training and test part of every site.
fn parts(pack: &Pack, train: f64) -> Parts {
    Parts::of(&pack.flux, &Split::by_time(train, 0.0))
}
