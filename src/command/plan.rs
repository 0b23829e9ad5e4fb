//! `efflux plan`: what a sweep would do, without doing it.

use efflux_base::error::{Exit, Result};
use efflux_data::{Pack, Parts, days_up_to_targets, iterations_per_epoch};
use efflux_job::cost::{Workload, coordinator_megabytes, trainer_megabytes};
use efflux_job::{Backend, Params, Part, Trial};
use efflux_run::stopping::Stopping;
use efflux_run::{Ledger, read_journals};

use super::study::Study;
use crate::cli::PlanArgs;

/// Of the plan for a GPU, where more of them gain little.
const LANES: u32 = 128;

/// Prints trials, what is done already, and memory.
pub(crate) fn plan(args: &PlanArgs) -> Result<Exit> {
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let ledger = match study.run.manifest()? {
        Some(_) => {
            study.run.bind(&study.contract)?;
            Ledger::of(read_journals(&study.run.journals())?)
        }
        None => Ledger::default(),
    };
    let search = study.search();
    let done = search
        .iter()
        .filter(|trial| ledger.summary(&trial.id).is_some())
        .count();
    let configurations = study.job.grid.configurations();
    println!("{}: {}", study.job.path.display(), describe(&study.pack));
    println!("  run directory  {}", study.run.root().display());
    println!("  daily inputs   {}", study.contract.dynamic.join(", "));
    println!("  static inputs  {}", study.contract.statics.join(", "));
    println!(
        "  search         {} configurations × {} seeds = {} trials: {done} done, {} new",
        configurations.len(),
        study.job.seeds.search.len(),
        search.len(),
        search.len() - done
    );
    println!(
        "  final          {} members of the selected configuration",
        study.job.seeds.final_members.len()
    );
    println!(
        "  each trial     {} epochs; {}",
        study.job.training.epochs,
        updates(&study, &configurations)
    );
    if let Some(stopping) = Stopping::of(&study.job, &search) {
        let rungs: Vec<String> = stopping.rungs().iter().map(u32::to_string).collect();
        println!(
            "  stopping       `{}` compares configurations after {} epochs; times are without it",
            study.job.stop.policy.name(),
            rungs.join(", ")
        );
    }
    let workloads = workloads(&study, &configurations);
    if let Some(time) = core_time(&study, &workloads, search.len() - done) {
        println!("  time           {time}");
    }
    if let Some(time) = gpu_time(&study, &workloads) {
        println!("  GPU time       {time}");
    }
    let (sites, pack) = (study.pack.sites.len(), megabytes(&study.pack));
    let trainers = configurations
        .iter()
        .map(|params| trainer_megabytes(*params, sites, pack));
    println!(
        "  memory         about {:.0} MB a slot, {:.0} MB for rank 0",
        trainers.fold(0.0, f64::max),
        coordinator_megabytes(pack)
    );
    for caveat in study.job.caveats() {
        println!("  note           {caveat}");
    }
    if args.trials {
        search.iter().for_each(|trial| print_trial(trial, &ledger));
        for params in configurations {
            let last = study.job.final_trials(&study.contract, params);
            last.iter().for_each(|trial| print_trial(trial, &ledger));
        }
    }
    Ok(Exit::Complete)
}

fn print_trial(trial: &Trial, ledger: &Ledger) {
    let done = if ledger.summary(&trial.id).is_some() {
        "done"
    } else {
        "-"
    };
    println!(
        "{}  {:<6}  {:<4}  {}, seed {}",
        trial.id,
        trial.stage.to_string(),
        done,
        trial.params,
        trial.seed
    );
}

/// Optimizer steps of a trial, for the shortest and the longest window.
fn updates(study: &Study, configurations: &[Params]) -> String {
    let sites = study.pack.sites.len();
    let steps = configurations.iter().filter_map(|params| {
        let (window, days) = (params.window_days as usize, study.pack.calendar.days);
        let warm_up = study.job.training.warm_up_days as usize;
        let of_epoch = iterations_per_epoch(sites, days, sites, window, warm_up)?;
        Some(u64::from(of_epoch) * u64::from(study.job.training.epochs))
    });
    let steps: Vec<u64> = steps.collect();
    let fewer = match study.job.training.patience {
        Some(_) => " at most",
        None => "",
    };
    match (steps.iter().min(), steps.iter().max()) {
        (Some(least), Some(most)) if least == most => format!("{least} updates{fewer}"),
        (Some(least), Some(most)) => format!("{least} to {most} updates{fewer}, by window"),
        _ => "no updates".to_owned(),
    }
}

/// What each configuration computes; none where its windows do not fit into the calendar.
fn workloads(study: &Study, configurations: &[Params]) -> Vec<Workload> {
    let (sites, days) = (study.pack.sites.len(), study.pack.calendar.days);
    let parts = Parts::of(&study.pack.flux, &study.contract.split);
    let targets: Vec<Vec<usize>> = (0..sites)
        .map(|site| {
            let flux = study.pack.flux_of(site);
            let fitted = parts.days(site, Part::Train);
            fitted.filter(|&day| !flux[day].is_nan()).collect()
        })
        .collect();
    let warm_up = study.job.training.warm_up_days as usize;
    let workload = |params: &Params| {
        let window = params.window_days as usize;
        let updates = iterations_per_epoch(sites, days, sites, window, warm_up)?;
        let sum: usize = targets
            .iter()
            .map(|targets| days_up_to_targets(targets, days, window))
            .sum();
        Some(Workload {
            hidden_size: params.hidden_size,
            inputs: study.contract.dynamic.len() + study.contract.statics.len(),
            updates: u64::from(updates) * u64::from(study.job.training.epochs),
            site_days: sum as f64 / (days.saturating_sub(window)).max(1) as f64,
        })
    };
    configurations.iter().filter_map(workload).collect()
}

/// Hours of a CPU core, natively, for a trial and for the new trials of the search.
fn core_time(study: &Study, workloads: &[Workload], new: usize) -> Option<String> {
    let training = &study.job.training;
    if training.backend == Backend::Torch || training.threads > 1 {
        return None;
    }
    let (mean, most) = mean_and_most(workloads.iter().map(Workload::core_hours));
    (mean > 0.0).then(|| {
        format!(
            "on CPUs about {} core hours a trial ({} at most), {} for the new ones; at 3.7 GHz with AVX2 or AVX-512",
            rounded(mean),
            rounded(most),
            rounded(mean * new as f64)
        )
    })
}

/// Hours of a GPU for a trial, in libtorch.
fn gpu_time(study: &Study, workloads: &[Workload]) -> Option<String> {
    if study.job.training.backend == Backend::Native {
        return None;
    }
    let hours = |lanes| mean_and_most(workloads.iter().map(|workload| workload.gpu_hours(lanes))).0;
    let (alone, in_lanes) = (hours(1), hours(LANES));
    (alone > 0.0).then(|| {
        format!(
            "on an NVIDIA H200 about {} GPU hours a trial one at a time, {} in {LANES} lanes",
            rounded(alone),
            rounded(in_lanes)
        )
    })
}

fn mean_and_most(hours: impl Iterator<Item = f64>) -> (f64, f64) {
    let hours: Vec<f64> = hours.collect();
    let mean = hours.iter().sum::<f64>() / hours.len().max(1) as f64;
    (mean, hours.iter().copied().fold(0.0, f64::max))
}

/// Two significant digits.
fn rounded(hours: f64) -> String {
    match hours {
        hours if hours < 0.0095 => format!("{hours:.4}"),
        hours if hours < 0.095 => format!("{hours:.3}"),
        hours if hours < 9.5 => format!("{hours:.2}"),
        _ => format!("{hours:.0}"),
    }
}

fn describe(pack: &Pack) -> String {
    let observed = pack.flux.iter().filter(|flux| !flux.is_nan()).count();
    format!(
        "{} sites, {}, {observed} observed site-days",
        pack.sites.len(),
        pack.calendar
    )
}

/// The pack in memory.
fn megabytes(pack: &Pack) -> f64 {
    let bytes = 4 * pack.values.len() + pack.filled.len() + 8 * pack.flux.len();
    bytes as f64 / 1e6
}
