//! What is inside a pack, for people and for scripts.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::account::Account;
use super::gaps::OBSERVED;
use super::pack::Pack;
use super::split::SiteParts;
use super::windows::windows_with_target;
use crate::job::Split;

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
    /// Days with a flux, all sites together.
    pub observed_days: usize,
    /// Days with a flux at one site: least, first quartile, median, third quartile, greatest.
    pub observed_days_per_site: [f64; 5],
    /// Range of the flux, µmol m⁻² s⁻¹.
    pub flux_range: Option<[f64; 2]>,
    /// The daily variables.
    pub dynamic: Vec<VariableSummary>,
    /// The static attributes.
    #[serde(rename = "static")]
    pub statics: Vec<VariableSummary>,
    /// Share of all windows that hold a training target, by window length in days.
    pub windows: Vec<WindowShare>,
    /// Where the data come from.
    pub sources: Vec<String>,
    /// Under which licences.
    pub licences: Vec<String>,
    /// What became of the release that the pack was made of, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Digest of the content.
    pub digest: String,
}

/// One daily variable or static attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariableSummary {
    /// Its name.
    pub name: String,
    /// Its unit; empty if unknown.
    pub units: String,
    /// Least and greatest value; `None` if it is known nowhere.
    pub range: Option<[f64; 2]>,
    /// Share of its known values that were interpolated or held.
    pub filled: f64,
    /// Ids of the sites without it.
    pub absent_at: Vec<String>,
}

/// How often a window holds a target of the training part (80 % of the observed days, as in the paper).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WindowShare {
    /// Length of the window.
    pub days: usize,
    /// Share of the windows of all sites.
    pub share: f64,
}

/// Summarises a pack.
pub fn inspect(pack: &Pack) -> Inspection {
    let counts: Vec<usize> = (0..pack.sites.len())
        .map(|site| {
            pack.flux_of(site)
                .iter()
                .filter(|flux| !flux.is_nan())
                .count()
        })
        .collect();
    let mut igbp: BTreeMap<&str, usize> = BTreeMap::new();
    for site in &pack.sites {
        *igbp.entry(&site.igbp).or_default() += 1;
    }
    let mut igbp: Vec<(String, usize)> = igbp.into_iter().map(|(k, n)| (k.to_owned(), n)).collect();
    igbp.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let windows = WINDOWS
        .into_iter()
        .filter(|days| *days < pack.calendar.days);
    Inspection {
        sites: pack.sites.len(),
        igbp,
        start: pack.calendar.start.to_string(),
        end: pack.calendar.end().to_string(),
        days: pack.calendar.days,
        observed_days: counts.iter().sum(),
        observed_days_per_site: quartiles(counts),
        flux_range: range(pack.flux.iter().copied()),
        dynamic: (0..pack.dynamic.len())
            .map(|index| dynamic(pack, index))
            .collect(),
        statics: (0..pack.statics.len())
            .map(|index| attribute(pack, index))
            .collect(),
        windows: windows.map(|days| window_share(pack, days)).collect(),
        sources: pack.sources.clone(),
        licences: pack.licences.clone(),
        account: pack.origin.as_ref().map(|origin| origin.account.clone()),
        digest: pack.digest.clone(),
    }
}

fn dynamic(pack: &Pack, variable: usize) -> VariableSummary {
    let absent = pack.sites_without(variable);
    let present = || (0..pack.sites.len()).filter(|site| !absent.contains(site));
    let filled: usize = present()
        .map(|site| {
            pack.flags(site, variable)
                .filter(|flag| *flag != OBSERVED)
                .count()
        })
        .sum();
    let known = present().count() * pack.calendar.days;
    VariableSummary {
        name: pack.dynamic[variable].name.clone(),
        units: pack.dynamic[variable].units.clone(),
        range: range(present().flat_map(|site| pack.series(site, variable))),
        filled: filled as f64 / known.max(1) as f64,
        absent_at: ids(pack, &absent),
    }
}

fn attribute(pack: &Pack, attribute: usize) -> VariableSummary {
    VariableSummary {
        name: pack.statics[attribute].name.clone(),
        units: pack.statics[attribute].units.clone(),
        range: range((0..pack.sites.len()).map(|site| pack.attribute(site, attribute))),
        filled: 0.0,
        absent_at: ids(pack, &pack.sites_without_attribute(attribute)),
    }
}

fn ids(pack: &Pack, sites: &[usize]) -> Vec<String> {
    sites
        .iter()
        .map(|&site| pack.sites[site].id.clone())
        .collect()
}

fn range(values: impl Iterator<Item = f32>) -> Option<[f64; 2]> {
    let known = values.filter(|value| !value.is_nan());
    let (low, high) = known.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (low <= high).then(|| [low.into(), high.into()])
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

fn window_share(pack: &Pack, window: usize) -> WindowShare {
    let paper = Split {
        train: 0.8,
        validation: 0.0,
    };
    let days = pack.calendar.days;
    let hits: usize = (0..pack.sites.len())
        .map(|site| {
            let flux = pack.flux_of(site);
            let targets = SiteParts::of(flux, &paper)
                .train
                .filter(|&day| !flux[day].is_nan());
            windows_with_target(targets, days, window)
        })
        .sum();
    WindowShare {
        days: window,
        share: hits as f64 / (pack.sites.len() * (days - window)) as f64,
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} sites, {} to {} ({} days)",
            self.sites, self.start, self.end, self.days
        )?;
        for (igbp, count) in &self.igbp {
            let igbp = if igbp.is_empty() {
                "unknown land cover"
            } else {
                igbp
            };
            writeln!(f, "  {count:>4}  {igbp}")?;
        }
        let [least, q1, median, q3, greatest] = self.observed_days_per_site;
        writeln!(f, "\n{} observed site-days", self.observed_days)?;
        writeln!(
            f,
            "  per site {least} to {greatest}, median {median}, middle half {q1} to {q3}"
        )?;
        if let Some([low, high]) = self.flux_range {
            writeln!(f, "  flux {low:.2} to {high:.2} µmol m⁻² s⁻¹")?;
        }
        for WindowShare { days, share } in &self.windows {
            let percent = 100.0 * share;
            writeln!(
                f,
                "  {percent:.1} % of all {days}-day windows hold a training day"
            )?;
        }
        for (title, variables) in [
            ("daily variables", &self.dynamic),
            ("static attributes", &self.statics),
        ] {
            writeln!(f, "\n{} {title}", variables.len())?;
            let width = variables.iter().map(|v| v.name.len()).max().unwrap_or(0);
            for variable in variables {
                writeln!(f, "  {:width$}  {variable}", variable.name)?;
            }
        }
        writeln!(f)?;
        if let Some(account) = &self.account {
            writeln!(f, "{account}\n")?;
        }
        for source in &self.sources {
            writeln!(f, "source   {source}")?;
        }
        for licence in &self.licences {
            writeln!(f, "licence  {licence}")?;
        }
        write!(f, "digest   {}", self.digest)
    }
}

impl fmt::Display for VariableSummary {
    /// Everything but the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            Some([low, high]) => write!(
                f,
                "{:>9} to {:>9} {}",
                digits(low),
                digits(high),
                self.units
            )?,
            None => f.write_str("known nowhere")?,
        }
        if self.filled > 0.0 {
            write!(f, ", {:.0} % filled", 100.0 * self.filled)?;
        }
        if !self.absent_at.is_empty() {
            write!(f, ", absent at {} sites", self.absent_at.len())?;
        }
        Ok(())
    }
}

/// A number with about four digits that count.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
