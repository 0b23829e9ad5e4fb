//! What is inside a pack, for people and for scripts. `configs/README.md` lists the keys of the JSON.

mod records;
mod text;
mod variables;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::records::Record;
pub use self::variables::{Run, VariableSummary};
use super::checks::{self, Finding, Place, Ranges, SeenWithin};
use super::predictors::Products;
use efflux_base::error::Result;
use efflux_data::Account;
use efflux_data::Pack;
use efflux_data::Target;
use efflux_data::windows_with_target;

/// Window lengths for which the share of windows with a training target is told: the paper's.
const WINDOWS: [usize; 3] = [30, 90, 365];

/// A summary of a pack. As JSON it is an interface; as text it is meant to be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Number of sites.
    pub sites: usize,
    /// Sites of each IGBP class, most first.
    pub igbp: Vec<(String, usize)>,
    /// First day, ISO 8601.
    pub start: String,
    /// Last day, ISO 8601.
    pub end: String,
    /// Days of the calendar.
    pub days: usize,
    /// What the flux is; only of packs whose target is not soil CO₂ efflux.
    #[serde(skip_serializing_if = "Target::is_soil_efflux")]
    pub target: Target,
    /// Days with a flux, all sites together.
    pub observed_days: usize,
    /// Days with a flux at one site: least, first quartile, median, third quartile, greatest.
    pub observed_days_per_site: [f64; 5],
    /// Range of the flux, in its unit.
    pub flux_range: Option<[f64; 2]>,
    /// Share of each site's observed days that is taken for training in what follows.
    pub train_fraction: f64,
    /// Share of all windows that hold a training target, by window length in days.
    pub windows: Vec<WindowShare>,
    /// Range of the flux in the parts: what a job scales the target by.
    pub scaling: Ranges,
    /// The sites, in the order of the pack.
    pub records: Vec<Record>,
    /// The places with more than one site.
    pub places: Vec<Place>,
    /// Test days on which another site of their place trains, by how near sites are that share one.
    pub seen_at_same_place: Vec<SeenWithin>,
    /// The daily variables. A job scales an input by its range.
    pub dynamic: Vec<VariableSummary>,
    /// The static attributes.
    #[serde(rename = "static")]
    pub statics: Vec<VariableSummary>,
    /// What a person should look at.
    pub findings: Vec<Finding>,
    /// What became of the release that the pack was made of, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Where the data come from.
    pub sources: Vec<String>,
    /// Under which licences.
    pub licences: Vec<String>,
    /// Digest of the content.
    pub digest: String,
}

/// How often a window holds a target of the training part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WindowShare {
    /// Length of the window.
    pub days: usize,
    /// Share of the windows of all sites.
    pub share: f64,
}

/// Summarises a pack.
///
/// # Arguments
///
/// * `train`: share of a site's observed days that a model trains on; 0.8 is the paper's and the default of jobs.
/// * `within_km`: sites nearer to each other are one place.
///
/// # Errors
///
/// None, as long as a test reads the paper's products.
pub fn inspect(pack: &Pack, train: f64, within_km: f64) -> Result<Inspection> {
    let records = records::records(pack, train);
    let counts: Vec<usize> = records.iter().map(|record| record.observed_days).collect();
    let mut igbp: BTreeMap<&str, usize> = BTreeMap::new();
    for site in &pack.sites {
        *igbp.entry(&site.igbp).or_default() += 1;
    }
    let mut igbp: Vec<(String, usize)> = igbp.into_iter().map(|(k, n)| (k.to_owned(), n)).collect();
    igbp.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let windows = WINDOWS
        .into_iter()
        .filter(|days| *days < pack.calendar.days);
    Ok(Inspection {
        sites: pack.sites.len(),
        igbp,
        start: pack.calendar.start.to_string(),
        end: pack.calendar.end().to_string(),
        days: pack.calendar.days,
        target: pack.target.clone(),
        observed_days: counts.iter().sum(),
        observed_days_per_site: quartiles(counts),
        flux_range: variables::range(pack.flux.iter().copied()),
        train_fraction: train,
        windows: windows
            .map(|days| window_share(pack, &records, days))
            .collect(),
        scaling: checks::ranges(pack, train),
        records,
        places: checks::places(pack, train, within_km),
        seen_at_same_place: checks::seen_by_distance(pack, train, within_km),
        dynamic: variables::dynamic(pack),
        statics: variables::statics(pack),
        findings: checks::check(pack, &Products::paper()?, train, within_km),
        account: pack.origin.as_ref().map(|origin| origin.account.clone()),
        sources: pack.sources.clone(),
        licences: pack.licences.clone(),
        digest: pack.digest.clone(),
    })
}

/// Least, quartiles (linear between neighbours) and greatest of these counts.
fn quartiles(mut counts: Vec<usize>) -> [f64; 5] {
    counts.sort_unstable();
    let last = counts.len().saturating_sub(1);
    [0, 1, 2, 3, 4].map(|quarter| {
        let at = |index: usize| counts.get(index).map_or(0.0, |&count| count as f64);
        let (whole, rest) = (quarter * last / 4, quarter * last % 4);
        at(whole) + (at((whole + 1).min(last)) - at(whole)) * rest as f64 / 4.0
    })
}

fn window_share(pack: &Pack, records: &[Record], window: usize) -> WindowShare {
    let days = pack.calendar.days;
    let hits: usize = records
        .iter()
        .enumerate()
        .map(|(site, record)| {
            let flux = pack.flux_of(site);
            let observed = (0..days).filter(|&day| !flux[day].is_nan());
            windows_with_target(observed.take(record.training_days), days, window)
        })
        .sum();
    WindowShare {
        days: window,
        share: hits as f64 / (pack.sites.len() * (days - window)) as f64,
    }
}
