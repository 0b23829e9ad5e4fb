//! The data that the paper's numbers and this run's rest on: sites, days, fluxes and inputs.

use efflux_data::FilledDays;

use super::{Here, Same, Setting};
use crate::numbers::{counted, number};

/// The data sets of COSORE that the paper uses.
const SITES: usize = 82;
/// The paper's first and last day.
const PERIOD: [&str; 2] = ["2003-01-01", "2020-02-29"];

pub(super) fn sites(here: &Here<'_>) -> Setting {
    let sites = &here.results.sites;
    let of_cosore = sites.iter().filter(|site| is_data_set(&site.id)).count();
    let is_alike = sites.len() == SITES && of_cosore == SITES;
    Setting {
        what: "sites",
        paper: format!("{SITES} of the 85 data sets of COSORE 0.7, not listed"),
        here: format!(
            "{}, {of_cosore} of them data sets of COSORE by their ids",
            counted(sites.len(), "site")
        ),
        same: if is_alike { Same::Unknown } else { Same::No },
    }
}

/// Whether an id is made as COSORE makes them: `d20190409_ANJILELI`.
fn is_data_set(id: &str) -> bool {
    let date = id.strip_prefix('d').and_then(|rest| rest.split_once('_'));
    date.is_some_and(|(date, _)| date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn period(here: &Here<'_>) -> Setting {
    let results = here.results;
    let date = |day: Option<usize>| day.and_then(|day| results.date(day)).unwrap_or_default();
    let (first, last) = (date(Some(0)), date(results.days.checked_sub(1)));
    let [start, end] = PERIOD;
    Setting {
        what: "calendar",
        paper: format!("{start} to {end}"),
        here: format!("{first} to {last}"),
        same: Same::of([first.as_str(), last.as_str()] == PERIOD),
    }
}

pub(super) fn measurements(here: &Here<'_>) -> Setting {
    const PAPER: &str =
        "values outside the 1st to 99th percentile of their land cover dropped, then daily means";
    let filter = here
        .results
        .account
        .map(|account| account.options["filter"].as_str().unwrap_or_default());
    let (text, same) = match filter {
        None => ("daily means as they were given", Same::No),
        Some("all") => (PAPER, Same::Yes),
        Some("training") => (
            "values outside the percentiles of each site’s training days dropped there, then daily means",
            Same::No,
        ),
        Some(_) => ("daily means of all values", Same::No),
    };
    Setting {
        what: "fluxes",
        paper: PAPER.to_owned(),
        here: text.to_owned(),
        same,
    }
}

/// Inputs by name.
pub(super) fn inputs(what: &'static str, theirs: &[String], ours: &[String]) -> Setting {
    let but_for = |some: &[String], others: &[String]| -> Vec<String> {
        let only = some.iter().filter(|name| !others.contains(name));
        only.cloned().collect()
    };
    let (missing, further) = (but_for(theirs, ours), but_for(ours, theirs));
    let same = Same::of(missing.is_empty() && further.is_empty());
    let mut said = match missing.len() {
        _ if theirs.is_empty() => Vec::new(),
        0 => vec!["all of these".to_owned()],
        all if all == theirs.len() => vec!["none of these".to_owned()],
        _ => vec![format!("without {}", missing.join(", "))],
    };
    if !further.is_empty() {
        said.push(format!("further {}: {}", further.len(), further.join(", ")));
    }
    if said.is_empty() {
        said.push("none".to_owned());
    }
    Setting {
        what,
        paper: match theirs.len() {
            0 => "none".to_owned(),
            count => format!("{count}: {}", theirs.join(", ")),
        },
        here: said.join("; "),
        same,
    }
}

/// Where inputs come from.
pub(super) fn products(here: &Here<'_>) -> Setting {
    let sources = here.results.sources;
    let is_synthetic = |source: &&String| source.contains("synthetic");
    let synthetic = sources.iter().filter(is_synthetic).count();
    let (text, same) = match synthetic {
        0 => (
            "as the pack’s sources say (Provenance)".to_owned(),
            Same::Unknown,
        ),
        some if some == sources.len() => ("synthetic: made, not measured".to_owned(), Same::No),
        some => (
            format!(
                "{some} of the pack’s {} are synthetic: made, not measured (Provenance)",
                counted(sources.len(), "source")
            ),
            Same::No,
        ),
    };
    Setting {
        what: "where inputs come from",
        paper: "the products of Section 2.1 and SI Table 1; none is named for wind speed"
            .to_owned(),
        here: text,
        same,
    }
}

/// How gaps of inputs are filled.
pub(super) fn gaps(here: &Here<'_>) -> Setting {
    let results = here.results;
    let (mut interpolated, mut held) = (0, 0);
    for input in &results.filled.inputs {
        for site in 0..results.sites.len() {
            let days = results.days_observed(site);
            let filled = FilledDays::among(input.flags.site(site), days);
            interpolated += filled.interpolated;
            held += filled.held;
        }
    }
    let sites = 0..results.sites.len();
    let days: usize = sites.map(|site| results.days_observed(site).count()).sum();
    // Inputs that are filled nowhere are not listed; derived ones read others than the job's.
    let inputs = results
        .inputs
        .dynamic
        .len()
        .max(results.filled.inputs.len());
    let share = |values: usize| {
        let all = (days * inputs).max(1);
        number(100.0 * values as f64 / all as f64, 0)
    };
    Setting {
        what: "gaps of inputs",
        paper: "linear in time; land surface temperature after Shiff et al. (2021)".to_owned(),
        here: format!(
            "linear in time: on observed days {} % of the values of daily inputs lie between two measured ones, {} % \
             repeat the nearest",
            share(interpolated),
            share(held)
        ),
        same: match results.sources.iter().any(|of| of.contains("stand-in")) {
            true => Same::No,
            false => Same::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_cosore_is_known_by_its_date() {
        assert!(is_data_set("d20190409_ANJILELI"));
        for other in ["OAK", "d2019_SITE00", "SYN0001"] {
            assert!(!is_data_set(other));
        }
    }
}
