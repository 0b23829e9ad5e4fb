//! From a run directory to its predictions and its report.

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::Result;
use efflux_data::{DaysOf, Filled, Member, Parts, ProcessVariables};
use efflux_job::{MemberKind, Part, Settings, SplitKind, Trial};
use efflux_process::Singular;
use efflux_run::record::{Outcome, Record};
use efflux_run::stopping::judged;
use efflux_run::{Ledger, SlotUse, read_epochs, reseal_results, seal_results, select};

use super::applicability::TrainingSites;
use super::contenders::Contenders;
use super::ensemble::{Together, Told};
use super::forecast::ForecastSpread;
use super::hindcast::Hindcast;
use super::inputs::{self, Run, observed};
use super::mean::MeanRule;
use super::members::gather;
use super::mixed::{Kinds, SiteRecords};
use super::mixture::{Kept, Mixture};
use super::pooled::PooledHere;
use super::results::{Results, Temperature};
use super::summary::Summary;
use super::weighing::Weighing;
use super::{Output, site_priors, unseen, write};

/// A report that was written, and of what.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The headline.
    pub summary: Summary,
    /// Whether every trial that there is to be has ended.
    pub is_complete: bool,
    /// Whether the newest attempt at some trial failed.
    pub has_failed: bool,
}

/// Gathers the members, writes predictions, tables, figures and the page, or a part of them.
///
/// # Errors
///
/// `Error::Io` if a file cannot be read or written, `Error::Data` if one of a member is gone or damaged, `Error::Job` if the job
/// names what the pack does not have, or weights cannot be fitted.
pub fn evaluate(run: &Run<'_>, ledger: &Ledger, output: Output) -> Result<Evaluated> {
    run.directory.refuse_links()?;
    let search = run.job.search_trials(run.contract)?;
    let choice = select(run.job, &search, ledger);
    let has_ended = |trials: &[Trial]| {
        let is_stopped = |trial: &Trial| choice.stopped.contains_key(&trial.id);
        let mut trials = trials.iter();
        trials.all(|trial| ledger.brief(&trial.id).is_some() || is_stopped(trial))
    };
    let last = match &choice.winner {
        Some(winner) => run.job.final_trials(run.contract, &winner.params)?,
        None => Vec::new(),
    };
    let (settings, view) = inputs::selected(run, choice.winner.as_ref())?;
    let (of_folds, of_all): (Vec<Trial>, Vec<Trial>) = last
        .iter()
        .cloned()
        .partition(|trial| trial.params.fold().is_some());
    let members = gather(run, ledger, &of_all)?;
    let unseen = unseen::gather(run, &gather(run, ledger, &of_folds)?, &of_folds);
    let read = efflux_data::sources(&view.inputs.dynamic, &view.inputs.derived)?;
    let filled = Filled::of(run.pack, &read);
    // As the job at hand describes them: the grid that they were trained for may have had other axes.
    let found = ledger.records(&run.directory.journals())?;
    let described = search.iter().chain(&last).filter_map(|trial| {
        Some(Record {
            trial: trial.clone(),
            ..found.get(&trial.id)?.clone()
        })
    });
    let records: Vec<Record> = described.collect();
    let slot_use = match run.job.stop.is_on() {
        true => None,
        false => SlotUse::of(ledger.ended(&search).map(|(_, brief)| brief)),
    };
    let mut caveats: Vec<String> = run.job.caveats().into_iter().map(str::to_owned).collect();
    if !has_ended(&search) {
        caveats.push("The search has not ended, so nothing is selected yet.".to_owned());
    }
    caveats.extend(site_priors::found(run.directory, ledger, &last)?);
    let temperature = inputs::temperature(run)?;
    let sites = inputs::sites(run);
    let parts = Parts::of_view(&run.pack.flux, &view);
    let origin = run.pack.origin.as_ref();
    let variables = match &temperature {
        Some((name, _)) => ProcessVariables::of(run.pack, name),
        None => None,
    };
    let site_records = temperature.as_ref().map(|(_, temperature)| SiteRecords {
        pack: run.pack,
        temperature,
    });
    let fit = run.job.final_members.fit;
    let fitted = |site| observed(run.pack, &parts, site, &|part| fit.holds(part));
    let pooled = match (&variables, members.is_empty()) {
        (Some(variables), false) => PooledHere::of(run, variables, &fitted, &mut caveats),
        _ => None,
    };
    let is_mixed = run.job.ensemble.is_mixed() && !members.is_empty();
    let hindcast = match choice.winner.as_ref().filter(|_| is_mixed) {
        Some(winner) => {
            let (variables, records) = (variables.as_ref(), site_records.as_ref());
            let found = Hindcast::of(run, ledger, winner, &parts, variables, records)?;
            Some(found)
        }
        None => None,
    };
    let hindcast = hindcast
        .as_ref()
        .map(|found| found.as_ref().map_err(String::as_str));
    let weighing = hindcast.map(|found| Weighing::of(run, found)).transpose()?;
    let rule = weighing.as_ref().map(|of| {
        let inflation = run.job.ensemble.inflation;
        MeanRule::new(of.weights.clone(), inflation, run.pack, &fitted)
    });
    let before_test = |part| matches!(part, Part::Train | Part::Validation);
    let known = |site| observed(run.pack, &parts, site, &before_test);
    let errors = match (hindcast, &rule) {
        (Some(Ok(of)), Some(rule)) if run.contract.split.forecasts_as_far_as_the_test() => {
            of.scaled_errors(&of.mean(&rule.weights, rule.inflation))
        }
        _ => None,
    };
    let forecast = match (&pooled, &variables) {
        (Some(pooled), Some(variables)) => {
            pooled.spread(run, variables, errors, &known, &mut caveats)
        }
        _ => None,
    };
    let contenders = match &variables {
        Some(variables) if !unseen.is_empty() => {
            contenders(run, variables, &parts, &settings, &mut caveats)
        }
        _ => None,
    };
    let results = Results {
        job_name: &inputs::name(run),
        job_text: &run.job.text,
        contract: run.contract,
        settings: &settings,
        inputs: &view.inputs,
        analysis: &run.job.analysis,
        fit: run.job.final_members.fit,
        selection: &choice,
        rungs: &judged(run.job, &search, ledger),
        records: &records,
        caveats: &caveats,
        start: run.pack.calendar.start,
        days: run.pack.calendar.days,
        sites: &sites,
        parts: &parts,
        target: &run.pack.target,
        observed: &run.pack.flux,
        unfiltered: origin.map(|origin| &origin.flux),
        account: origin.map(|origin| &origin.account),
        sources: &run.pack.sources,
        temperature: temperature
            .as_ref()
            .map(|(name, values)| Temperature { name, values }),
        attributes: &inputs::attributes(run.pack),
        outside_training: &efflux_data::outside_training(run.pack, &read, &parts),
        filled: &filled,
        pooled: pooled.as_ref().map(|of| &of.flux),
        forecast: forecast.as_ref(),
        external: run.external,
        mixed: None,
        weighed: weighing.as_ref().map_or(&[], |of| &of.compared),
        members: &members,
        unseen: (!run.contract.folds.is_empty()).then_some(&unseen),
        distances: None,
        contenders: contenders.as_ref(),
        members_planned: run.job.seeds.final_members.len(),
        epochs: &read_epochs(run.directory)?,
        provenance: &inputs::provenance(run, &records, slot_use),
    };
    let site_fits = site_records
        .as_ref()
        .filter(|_| is_mixed && run.job.ensemble.has(MemberKind::SiteFit))
        .map(|records| {
            let fits = records.fit(&fitted);
            (records.flux(&fits), fits)
        });
    let (site_flux, site_fits) = site_fits.unzip();
    let kinds = Kinds {
        networks: &members,
        pooled: results.pooled,
        site_fits: site_flux.as_ref(),
    };
    let mixed = rule.as_ref().map(|rule| kinds.mean(rule, run.pack));
    let mut together = Together::of(&members);
    if let Some(mixed) = &mixed {
        together.mean = mixed.values().to_vec();
    }
    let training_sites = (!members.is_empty()).then(|| {
        let inputs = (&read[..], &view.inputs);
        TrainingSites::of(run.pack, run.contract, inputs, &together.mean, &fitted)
    });
    let distances = training_sites.as_ref().map(TrainingSites::among_themselves);
    let results = Results {
        mixed: mixed.as_ref(),
        distances: distances.as_ref(),
        ..results
    };
    if output != Output::Page {
        let directory = run.directory;
        let reach = unseen::factors(&results);
        let kept_reach = if is_mixed { Vec::new() } else { reach.clone() };
        let kept = training_sites.map(|of| of.with_intervals(kept_reach));
        TrainingSites::keep(kept.as_ref(), directory)?;
        let intervals = results
            .forecast
            .map_or_else(Vec::new, ForecastSpread::factors);
        match results.forecast {
            Some(forecast) => together.expect_from_forecasts(&forecast.sd, &intervals),
            None if members.is_empty() => (),
            None => together.expect_from_validation(&results),
        }
        let seen = pooled.as_ref().and_then(|of| of.seen.clone());
        let kept = Kept {
            variables,
            site_fits,
            mean: rule,
            has_process: seen.is_some(),
            intervals,
            interval: None,
        };
        let mixture = is_mixed.then(|| Mixture::new(directory, kept, seen));
        Mixture::keep(mixture.as_ref(), directory)?;
        let told = Told {
            filled: &filled,
            days: DaysOf::OwnPack(&parts),
            distances: None,
        };
        write_predictions(run, &directory.predictions(), &members, &together, told)?;
        let mut together = Together::of(&unseen);
        together.expect_from_folds(results.days, &reach);
        write_predictions(
            run,
            &directory.unseen_predictions(),
            &unseen,
            &together,
            Told {
                days: DaysOf::OwnPack(&judged_unseen(run)),
                distances: results.distances,
                ..told
            },
        )?;
    }
    let mut outcomes = records.iter().map(|record| &record.outcome);
    let summary = write(&results, &run.directory.report(), output)?;
    match output {
        Output::All => seal_results(run.directory, ledger)?,
        Output::Tables | Output::Page => reseal_results(run.directory)?,
    }
    Ok(Evaluated {
        summary,
        is_complete: has_ended(&search) && has_ended(&last),
        has_failed: outcomes.any(|outcome| matches!(outcome, Outcome::Failed(_))),
    })
}

/// The parts of sites that no member has seen: the days before the test part are for choosing configurations.
fn judged_unseen(run: &Run<'_>) -> Parts {
    let mut parts = Parts::of(&run.pack.flux, &run.contract.split);
    for part in parts.iter_mut().filter(|part| **part == Part::Train) {
        *part = Part::Validation;
    }
    parts
}

/// What else can serve sites that folds hold out, as far as it can be computed.
fn contenders(
    run: &Run<'_>,
    variables: &ProcessVariables,
    parts: &Parts,
    settings: &Settings,
    caveats: &mut Vec<String>,
) -> Option<Contenders> {
    let fit = run.job.final_members.fit;
    let is_fitted = |part| settings.split.kind == SplitKind::Sites || fit.holds(part);
    let fitted = |site| observed(run.pack, parts, site, &is_fitted);
    let found = Contenders::of(run.pack, run.contract, variables, &fitted);
    let failed = |error: &Singular| {
        caveats.push(format!(
            "Other models of unseen sites could not be computed: {error}."
        ));
    };
    let found = found.inspect_err(failed).ok()?;
    if found.pooled.is_none() {
        caveats.push(format!(
            "At unseen sites the pooled Gaussian process is left out: {} folds of {} sites are too many fits.",
            run.contract.folds.len(),
            run.pack.sites.len()
        ));
    }
    Some(found)
}

/// Every member and what they say together.
fn write_predictions(
    run: &Run<'_>,
    path: &Path,
    members: &[Member],
    together: &Together,
    told: Told<'_>,
) -> Result<()> {
    if members.is_empty() {
        // Those of an earlier selection would pass for those of this one.
        return durable::remove(path);
    }
    let made_of = (members, run.job.seeds.final_members.len());
    together.write(path, &inputs::name(run), run.pack, made_of, told)
}
