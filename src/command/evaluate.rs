//! Evaluation and report: what rank 0 does once the members are trained, and `efflux evaluate` and `efflux report` at any
//! time, each its part alone.

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_data as data;
use efflux_data::{Member, Pack, Parts};
use efflux_job::{Stage, Trial};
use efflux_numerics::SiteByDay;
use efflux_report as report;
use efflux_report::{Attribute, Configuration, Output, Results, Selection, Site, Temperature};
use efflux_run::record::{Outcome, Record};
use efflux_run::{Candidate, Ledger, RunDir, read_epochs, read_journals, select};

use super::ensemble::Together;
use super::study::Study;
use crate::cli::RunArgs;

/// `efflux evaluate RUN`: predictions and tables.
pub(crate) fn evaluate(args: &RunArgs) -> Result<Exit> {
    again(args, Output::Tables)
}

/// `efflux report RUN`: figures and the page.
pub(crate) fn report(args: &RunArgs) -> Result<Exit> {
    again(args, Output::Page)
}

fn again(args: &RunArgs, output: Output) -> Result<Exit> {
    let run = RunDir::new(&args.run);
    let mut job = run.latest_job()?;
    if let Some(pack) = &args.pack {
        job.pack = pack.clone();
    }
    let study = Study::of(job, run)?;
    study.run.bind(&study.contract)?;
    let ledger = Ledger::of(read_journals(&study.run.journals())?);
    write(&study, &ledger, output)
}

/// Gathers the members, writes predictions, tables, figures and the page, or a part of them, and prints the headline.
pub(crate) fn write(study: &Study, ledger: &Ledger, output: Output) -> Result<Exit> {
    let search = study.search();
    let configurations = study.job.grid.configurations();
    let is_searched = search
        .iter()
        .all(|trial| ledger.record(&trial.id).is_some());
    let (candidates, winner) = match select(study.job.selection, &configurations, &search, ledger) {
        Ok(chosen) => (chosen.candidates, Some(chosen.params)),
        Err(candidates) => (candidates, None),
    };
    let last = match winner {
        Some(params) => study.job.final_trials(&study.contract, params),
        None => Vec::new(),
    };
    let members = gather(study, ledger, &last)?;
    if output != Output::Page {
        write_predictions(study, &members)?;
    }
    let records: Vec<Record> = ledger
        .records_of(&search)
        .chain(ledger.records_of(&last))
        .cloned()
        .collect();
    let mut caveats: Vec<String> = study.job.caveats().into_iter().map(str::to_owned).collect();
    if !is_searched {
        caveats.push("The search has not ended, so nothing is selected yet.".to_owned());
    }
    let temperature = temperature(study)?;
    let sites = sites(study);
    let parts = Parts::of(&study.pack.flux, &study.contract.split);
    let results = Results {
        job_name: &name(study),
        job_text: &study.job.text,
        contract: &study.contract,
        analysis: &study.job.analysis,
        fit: study.job.final_members.fit,
        selection: &Selection {
            metric: study.job.selection.metric,
            on: study.job.selection.on,
            winner,
            configurations: candidates.into_iter().map(configuration).collect(),
        },
        records: &records,
        caveats: &caveats,
        start: study.pack.calendar.start,
        days: study.pack.calendar.days,
        sites: &sites,
        parts: &parts,
        observed: &study.pack.flux,
        unfiltered: study.pack.origin.as_ref().map(|origin| &origin.flux),
        temperature: temperature
            .as_ref()
            .map(|(name, values)| Temperature { name, values }),
        attributes: &attributes(&study.pack),
        outside_training: &data::outside_training(&study.pack, &study.contract.dynamic, &parts),
        members: &members,
        members_planned: study.job.seeds.final_members.len(),
        epochs: &read_epochs(&study.run)?,
        provenance: &provenance(study, &records),
    };
    let summary = report::write(&results, &study.run.report(), output)?;
    println!("{summary}");
    let failed = records
        .iter()
        .any(|record| matches!(record.outcome, Outcome::Failed(_)));
    let is_complete = is_searched && last.iter().all(|trial| ledger.record(&trial.id).is_some());
    Ok(match (is_complete, winner) {
        (false, _) => Exit::Unfinished,
        (true, Some(_)) if !failed => Exit::Complete,
        (true, _) => Exit::TrialsFailed,
    })
}

/// The simulations of the members that have finished.
fn gather(study: &Study, ledger: &Ledger, trials: &[Trial]) -> Result<Vec<Member>> {
    let flux = study.pack.flux.iter();
    let observed = flux.filter(|value| !value.is_nan()).count();
    let mut members = Vec::new();
    for trial in trials {
        if ledger.summary(&trial.id).is_none() {
            continue;
        }
        let path = study.run.simulation(&trial.id).ok_or_else(|| {
            let reason =
                "the simulation of a finished member is gone (the same sweep makes it again)";
            Error::file(
                study.run.attempt(&trial.id, efflux_run::Attempt::FIRST),
                reason,
            )
        })?;
        let member = data::read_member(&path)?;
        let expected = study.pack.flux.len();
        if member.flux.len() != expected {
            let found = member.flux.len();
            let reason = format!("a simulation of {found} values, expected {expected}");
            return Err(Error::file(&path, reason));
        }
        if let Some(other) = &member.other_state
            && other.len() != observed
        {
            let found = other.len();
            let reason = format!("{found} values of the other state, expected {observed}");
            return Err(Error::file(&path, reason));
        }
        members.push(member);
    }
    Ok(members)
}

/// `ensemble/predictions.nc`: every member, their mean and spread.
fn write_predictions(study: &Study, members: &[Member]) -> Result<()> {
    if members.is_empty() {
        // Those of an earlier selection would pass for those of this one.
        return durable::remove(&study.run.predictions());
    }
    let together = Together::of(members);
    together.write(
        &study.run.predictions(),
        &name(study),
        &study.pack,
        members,
        None,
    )
}

/// What the report calls the run: its directory, which `efflux report` knows as well as the sweep does.
fn name(study: &Study) -> String {
    let directory = study.run.root().file_name();
    directory.map_or_else(
        || study.job.name.clone(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn configuration(candidate: Candidate) -> Configuration {
    let missing = candidate
        .scores
        .iter()
        .filter(|(_, score)| score.is_none())
        .count();
    Configuration {
        params: candidate.params,
        seeds: candidate.scores,
        mean: candidate
            .mean
            .ok_or_else(|| format!("no score for {missing} of its seeds")),
    }
}

/// The temperature that baselines take in °C, with its name: the one that the job names, else that of the soil, else that
/// of the air, else that of the surface.
fn temperature(study: &Study) -> Result<Option<(String, SiteByDay<f32>)>> {
    let pack = &study.pack;
    let place = |fits: &dyn Fn(&str) -> bool| {
        let mut variables = pack.dynamic.iter();
        variables.position(|variable| fits(&variable.name))
    };
    let found = match &study.job.analysis.temperature {
        Some(wanted) => Some(place(&|name| name == wanted).ok_or_else(|| Error::Job {
            path: study.job.path.clone(),
            reason: format!(
                "`analysis.temperature` has `{wanted}`, which the pack does not have (`efflux inspect` lists what \
                 it has)"
            ),
        })?),
        None => ["soil_temp", "air_temp", "lst_day"]
            .into_iter()
            .find_map(|begins| place(&|name| name.starts_with(begins))),
    };
    Ok(found.map(|index| {
        let variable = &pack.dynamic[index];
        let zero = if variable.units == "K" { 273.15 } else { 0.0 };
        let sites = 0..pack.sites.len();
        let values = sites.flat_map(|site| pack.series(site, index).map(|value| value - zero));
        let values = SiteByDay::of(pack.calendar.days, values.collect());
        (variable.name.clone(), values)
    }))
}

/// The static attributes and the means of the daily variables.
fn attributes(pack: &Pack) -> Vec<Attribute> {
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

fn sites(study: &Study) -> Vec<Site> {
    let pack: &Pack = &study.pack;
    let with_parts = pack.sites.iter().map(|site| Site {
        id: site.id.clone(),
        name: site.name.clone(),
        latitude: site.latitude,
        longitude: site.longitude,
        igbp: site.igbp.clone(),
    });
    with_parts.collect()
}

fn provenance(study: &Study, records: &[Record]) -> Vec<(String, String)> {
    let mut facts = vec![
        ("efflux", env!("CARGO_PKG_VERSION").to_owned()),
        ("pack", study.job.pack.display().to_string()),
        ("sources", study.pack.sources.join("; ")),
        ("run directory", study.run.root().display().to_string()),
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
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
