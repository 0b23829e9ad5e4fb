//! What a report is made from, as far as a run's pack, job and records tell it.

use efflux_base::error::{Error, Result};
use efflux_data::{Pack, Parts};
use efflux_job::{Contract, Job, Part, Settings, Stage, View};
use efflux_numerics::SiteByDay;
use efflux_run::record::Record;
use efflux_run::{RunDir, SlotUse, Winner};

use super::results::{Attribute, Site};

/// A run with what it trains on.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What another program predicts of the pack, as [`external`](crate::external()) reads it.
    pub external: Option<&'a SiteByDay<f32>>,
    /// The latest job.
    pub job: &'a Job,
    /// What all trials have in common.
    pub contract: &'a Contract,
    /// What they are trained on.
    pub pack: &'a Pack,
    /// Where everything is kept.
    pub directory: &'a RunDir,
}

/// The settings of the selected configuration, or those of the job without one, and what its members see.
pub(super) fn selected(run: &Run<'_>, winner: Option<&Winner>) -> Result<(Settings, View)> {
    let refused = |reason| Error::Job {
        path: run.job.path.clone(),
        reason,
    };
    let settings = match winner {
        Some(winner) => {
            let settings = run.job.settings.with(&winner.params);
            settings.map_err(|fault| refused(fault.to_string()))?
        }
        None => run.job.settings.clone(),
    };
    let view = run.contract.view(&settings, run.job.final_members.fit);
    Ok((settings, view.map_err(refused)?))
}

/// The temperature that baselines take in °C, with its name: the one that the job names, else that of the soil, else that
/// of the air, else that of the surface.
pub(super) fn temperature(run: &Run<'_>) -> Result<Option<(String, SiteByDay<f32>)>> {
    let pack = run.pack;
    let place = |fits: &dyn Fn(&str) -> bool| {
        let mut variables = pack.dynamic.iter();
        variables.position(|variable| fits(&variable.name))
    };
    let found = match &run.job.analysis.temperature {
        Some(wanted) => Some(place(&|name| name == wanted).ok_or_else(|| Error::Job {
            path: run.job.path.clone(),
            reason: format!(
                "`analysis.temperature` has `{wanted}`, which the pack does not have (`efflux inspect` lists what \
                 it has)"
            ),
        })?),
        None => efflux_data::temperature(pack),
    };
    Ok(found.map(|index| {
        let name = pack.dynamic[index].name.clone();
        (name, celsius(pack, index))
    }))
}

/// A daily temperature of a pack in °C, `[S, D]`.
pub(super) fn celsius(pack: &Pack, index: usize) -> SiteByDay<f32> {
    let zero = match pack.dynamic[index].units.as_str() {
        "K" => 273.15,
        _ => 0.0,
    };
    let sites = 0..pack.sites.len();
    let values = sites.flat_map(|site| pack.series(site, index).map(|value| value - zero));
    SiteByDay::of(pack.calendar.days, values.collect())
}

/// The static attributes and the means of the daily variables.
pub(super) fn attributes(pack: &Pack) -> Vec<Attribute> {
    let sites = || 0..pack.sites.len();
    let named = |name: &str, units: &str| match units {
        "" | "1" => name.to_owned(),
        units => format!("{name} ({units})"),
    };
    let statics = pack
        .statics
        .iter()
        .enumerate()
        .map(|(index, variable)| Attribute {
            name: named(&variable.name, &variable.units),
            values: sites()
                .map(|site| f64::from(pack.attribute(site, index)))
                .collect(),
        });
    let means = pack
        .dynamic
        .iter()
        .enumerate()
        .map(|(index, variable)| Attribute {
            name: named(&format!("mean {}", variable.name), &variable.units),
            values: sites()
                .map(|site| pack.mean_over_record(site, index))
                .collect(),
        });
    statics.chain(means).collect()
}

pub(super) fn sites(run: &Run<'_>) -> Vec<Site> {
    let sites = run.pack.sites.iter();
    let described = sites.map(|site| Site {
        id: site.id.clone(),
        name: match site.name.as_str() {
            "" => site.id.clone(),
            name => name.to_owned(),
        },
        latitude: site.latitude,
        longitude: site.longitude,
        igbp: site.igbp.clone(),
    });
    described.collect()
}

/// What the report calls the run: its directory, which `efflux report` knows as well as the sweep does.
pub(super) fn name(run: &Run<'_>) -> String {
    let directory = run.directory.root().file_name();
    directory.map_or_else(
        || run.job.name.clone(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Names and values: what ran where, and for how long.
pub(super) fn provenance(
    run: &Run<'_>,
    records: &[Record],
    slot_use: Option<SlotUse>,
) -> Vec<(String, String)> {
    let mut facts = vec![
        ("efflux", efflux_base::version().to_owned()),
        ("pack", run.job.pack.display().to_string()),
        ("sources", run.pack.sources.join("; ")),
        ("run directory", run.directory.root().display().to_string()),
    ];
    let distinct = |value: fn(&Record) -> &str| {
        let mut values: Vec<&str> = records
            .iter()
            .map(value)
            .filter(|v| !v.is_empty())
            .collect();
        values.sort_unstable();
        values.dedup();
        values.join(", ")
    };
    facts.push(("devices", distinct(|record| &record.place.device)));
    facts.push(("hosts", distinct(|record| &record.place.host)));
    facts.push(("launches", distinct(|record| &record.place.launch)));
    let began = records.iter().map(|record| record.started.as_str()).min();
    facts.push(("first trial began", began.unwrap_or_default().to_owned()));
    for stage in [Stage::Search, Stage::Final] {
        let seconds: f64 = records
            .iter()
            .filter(|record| record.trial.stage == stage)
            .map(|record| record.seconds)
            .sum();
        let name = match stage {
            Stage::Search => "time of all trials, search",
            Stage::Final => "time of all trials, members",
        };
        facts.push((name, format!("{seconds:.0} s")));
    }
    if let Some(slot_use) = slot_use {
        facts.push(("slots, latest launch of the search", slot_use.to_string()));
    }
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The observed days of a site in some parts.
pub(super) fn observed(
    pack: &Pack,
    parts: &Parts,
    site: usize,
    holds: &dyn Fn(Part) -> bool,
) -> Vec<usize> {
    let flux = pack.flux_of(site);
    let days = parts.site(site).iter().enumerate();
    let days = days.filter(|&(day, &part)| holds(part) && !flux[day].is_nan());
    days.map(|(day, _)| day).collect()
}
