//! Runs side by side, paired by site: on the days that all of them are judged on, whatever else their jobs differ in.

mod shared;
mod tables;

use std::collections::HashMap;
use std::path::PathBuf;

use efflux_base::error::{Error, Result};
use efflux_data::{Target, read_predictions};
use efflux_job::{Difference, Job, TrialId, differences};
use efflux_run::record::Record;
use efflux_run::{Ledger, RunDir, has_results};

use self::shared::{Judged, Series, Shared};
use crate::numbers::counted;

/// Two or more runs beside each other. Its `Display` is for a terminal.
pub struct Compared {
    runs: Vec<Side>,
    /// What all of them simulate.
    target: Target,
    series: Vec<Shared>,
    /// What their jobs differ in.
    differences: Vec<Difference>,
    /// What has to be known to read the numbers, a sentence each.
    notes: Vec<String>,
}

/// One of the runs.
struct Side {
    /// As it was given.
    name: String,
    job: Job,
    pack_digest: String,
    members: usize,
    /// What its members are, if they are of one configuration.
    configuration: Option<String>,
}

/// Compares the predictions of runs, the first with each of the others. Packs are not needed.
///
/// # Errors
///
/// [`Error::Usage`] if a run is there twice, runs are of different targets, or there is no day that all are judged on; [`Error::Data`] and [`Error::Io`] if
/// a run has no predictions or they cannot be read; [`Error::Job`] for a job that was changed by hand.
pub fn compare(runs: &[RunDir]) -> Result<Compared> {
    distinct(runs)?;
    let (mut sides, mut notes) = (Vec::new(), Vec::new());
    let (mut ensembles, mut unseen) = (Vec::new(), Vec::new());
    for run in runs {
        let Some(manifest) = run.manifest()? else {
            return Err(Error::file(run.root(), "no sweep has been started here"));
        };
        let (job, path) = (run.latest_job()?, run.predictions());
        if !path.is_file() {
            let reason = format!(
                "the run has no predictions to compare: no member has finished (`efflux status {}` shows how far it is)",
                run.root().display()
            );
            return Err(Error::file(&path, reason));
        }
        let predictions = read_predictions(&path)?;
        let ledger = Ledger::read(&run.journals())?;
        let records = ledger.records(&run.journals())?;
        let name = run.root().display().to_string();
        let (members, planned) = (predictions.trials.len(), job.seeds.final_members.len());
        if members < planned {
            notes.push(format!("{name}: {members} of {planned} members are there."));
        }
        if !has_results(run, &ledger, true)? {
            notes.push(format!(
                "{name}: trials have ended since its predictions were written (the same sweep writes them again)."
            ));
        }
        notes.extend(
            job.caveats()
                .iter()
                .map(|caveat| format!("{name}: {caveat}")),
        );
        let split = &manifest.contract.split;
        ensembles.push(Judged::new(predictions, split));
        let path = run.unseen_predictions();
        if path.is_file() {
            unseen.push(Judged::new(read_predictions(&path)?, split));
        }
        sides.push(Side {
            configuration: configuration(&ensembles[sides.len()].predictions.trials, &records),
            pack_digest: manifest.contract.pack_digest,
            name,
            job,
            members,
        });
    }
    let target = one_target(&ensembles, &sides)?;
    let mut series = vec![shared(Series::Ensemble, &ensembles, &sides, &mut notes)?];
    if unseen.len() == runs.len() {
        series.push(shared(Series::Unseen, &unseen, &sides, &mut notes)?);
    } else if !unseen.is_empty() {
        let (some, all) = (unseen.len(), runs.len());
        notes.push(format!(
            "{some} of the {all} runs hold sites out; predictions at unseen sites are compared where all do."
        ));
    }
    let jobs: Vec<&Job> = sides.iter().map(|side| &side.job).collect();
    let differences = differences(&jobs);
    notes.splice(0..0, unlike(&sides, &differences));
    Ok(Compared {
        runs: sides,
        target,
        series,
        differences,
        notes,
    })
}

/// Refuses a run that is there twice: it would look like a second that is as good.
fn distinct(runs: &[RunDir]) -> Result<()> {
    let paths = runs.iter().map(|run| {
        let path = std::fs::canonicalize(run.root());
        path.map_err(Error::io("read", run.root()))
    });
    let paths: Vec<PathBuf> = paths.collect::<Result<_>>()?;
    for (place, path) in paths.iter().enumerate() {
        if paths[..place].contains(path) {
            let reason = format!(
                "{}: is there twice, expected different runs",
                path.display()
            );
            return Err(Error::Usage(reason));
        }
    }
    Ok(())
}

/// What all runs simulate; scores of different targets have no meaning side by side.
fn one_target(runs: &[Judged], sides: &[Side]) -> Result<Target> {
    let targets = || runs.iter().map(|run| &run.predictions.target).zip(sides);
    let Some((first, _)) = targets().next() else {
        return Ok(Target::default());
    };
    if targets().all(|(target, _)| target == first) {
        return Ok(first.clone());
    }
    let said: Vec<String> = targets()
        .map(|(target, side)| {
            format!(
                "{} simulates {} ({}) in {}",
                side.name,
                target.long_name(),
                target.name(),
                target.unit()
            )
        })
        .collect();
    Err(Error::Usage(format!(
        "the runs are of different targets, expected one that all simulate: {}",
        said.join("; ")
    )))
}

/// The configuration that all members are of, whatever the job has been changed to since.
fn configuration(members: &[String], records: &HashMap<TrialId, Record>) -> Option<String> {
    let of_member = |id: &String| {
        let record = records.get(&TrialId::named(id))?;
        Some(record.trial.params.to_string())
    };
    let mut configurations: Vec<String> = members.iter().map(of_member).collect::<Option<_>>()?;
    configurations.dedup();
    match &mut configurations[..] {
        [only] => Some(std::mem::take(only)),
        _ => None,
    }
}

/// A series of all runs, with notes where these are judged on more than what they share.
fn shared(
    series: Series,
    runs: &[Judged],
    sides: &[Side],
    notes: &mut Vec<String>,
) -> Result<Shared> {
    let shared = Shared::of(series, runs);
    let label = series.label();
    if shared.sites.is_empty() {
        let reason = match shared.unequal {
            0 => "no day at any site, by its id, is a test day of all of them".to_owned(),
            days => format!(
                "on all of the {} that they share the observed flux differs",
                counted(days, "test day")
            ),
        };
        return Err(Error::Usage(format!(
            "{label}: nothing to compare the runs by: {reason}"
        )));
    }
    if shared.unequal > 0 {
        notes.push(format!(
            "{label}: {} left out, on which the observed flux differs between the runs.",
            counted(shared.unequal, "test day")
        ));
    }
    for (run, side) in runs.iter().zip(sides) {
        let [sites, days] = run.counts();
        if (sites, days) != (shared.sites.len(), shared.days) {
            notes.push(format!(
                "{}, {label}: judged on {} at {} by its own job, of which {} at {} are shared: its report has other scores.",
                side.name,
                counted(days, "day"),
                counted(sites, "site"),
                counted(shared.days, "day"),
                counted(shared.sites.len(), "site"),
            ));
        }
    }
    Ok(shared)
}

/// In what the rules of the runs differ that make scores comparable.
fn unlike(sides: &[Side], differences: &[Difference]) -> Vec<String> {
    let mut notes = Vec::new();
    if sides
        .iter()
        .any(|side| side.pack_digest != sides[0].pack_digest)
    {
        notes.push(
            "The packs differ: scores are over the test days on which all have the same observed flux.".to_owned(),
        );
    }
    let of = |section: &str| {
        let keys = differences.iter().map(|difference| difference.key.as_str());
        let keys: Vec<&str> = keys.filter(|key| key.starts_with(section)).collect();
        (!keys.is_empty()).then(|| keys.join(", "))
    };
    if let Some(keys) = of("split.") {
        notes.push(format!(
            "The runs split their records differently ({keys}): scores are over the days that are test days of all, and what they \
             learned from is not the same."
        ));
    }
    if let Some(keys) = of("evaluation.") {
        notes.push(format!(
            "The runs are evaluated by different rules ({keys}): a difference may come of that alone."
        ));
    }
    notes
}
