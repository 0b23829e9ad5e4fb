//! `efflux plan`: what a sweep would do, without doing it.

use efflux_base::error::{Exit, Result};
use efflux_data::{Pack, SiteParts, days_up_to_targets, iterations_per_epoch};
use efflux_job::{Backend, Params, Trial};
use efflux_run::{Ledger, read_journals};

use super::study::Study;
use crate::cli::PlanArgs;

/// libtorch, the allocator's head start and the program itself, as measured on a CPU trainer.
const TRAINER_BASE_MB: f64 = 260.0;

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
        study.job.seeds.last.len()
    );
    println!(
        "  each trial     {} epochs; {}",
        study.job.training.epochs,
        updates(&study, &configurations)
    );
    if let Some(time) = core_time(&study, &configurations, search.len() - done) {
        println!("  time           {time}");
    }
    let largest = configurations
        .iter()
        .map(|params| memory_mb(&study, *params));
    println!(
        "  memory         about {:.0} MB a slot, {:.0} MB for rank 0",
        largest.fold(0.0, f64::max),
        2.0 * megabytes(&study.pack) + 30.0
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

/// Hours of a CPU core, natively, for a trial and for the new trials of the search.
///
/// The rate and the cost of a weight are those of one core of an AMD EPYC 9004 (Zen 4, 3.7 GHz): `benches/results`.
fn core_time(study: &Study, configurations: &[Params], new: usize) -> Option<String> {
    /// Operations a second, all products and cells of a training taken together.
    const RATE: f64 = 1e11;
    /// Seconds a weight and update: masks, optimizer, and putting it where products want it.
    const WEIGHT: f64 = 1.6e-9;
    if study.job.training.backend == Backend::Torch || study.job.training.threads > 1 {
        return None;
    }
    let (sites, days) = (study.pack.sites.len(), study.pack.calendar.days);
    let targets: Vec<Vec<usize>> = (0..sites)
        .map(|site| {
            let flux = study.pack.flux_of(site);
            let fitted = SiteParts::of(flux, &study.contract.split).train;
            fitted.filter(|&day| !flux[day].is_nan()).collect()
        })
        .collect();
    let inputs = study.contract.dynamic.len() + study.contract.statics.len();
    let warm_up = study.job.training.warm_up_days as usize;
    let hours = configurations.iter().filter_map(|params| {
        let (window, hidden) = (params.window_days as usize, f64::from(params.hidden_size));
        let updates = iterations_per_epoch(sites, days, sites, window, warm_up)?;
        let sum: usize = targets
            .iter()
            .map(|targets| days_up_to_targets(targets, days, window))
            .sum();
        let drawn = sum as f64 / (days.saturating_sub(window)).max(1) as f64;
        let operations = 48.0 * hidden * hidden + 4.0 * inputs as f64 * hidden;
        let weights = 8.0 * hidden * hidden;
        let update = drawn * operations / RATE + weights * WEIGHT;
        Some(f64::from(updates) * f64::from(study.job.training.epochs) * update / 3600.0)
    });
    let hours: Vec<f64> = hours.collect();
    let mean = hours.iter().sum::<f64>() / hours.len().max(1) as f64;
    let most = hours.iter().copied().fold(0.0, f64::max);
    (mean > 0.0).then(|| {
        format!(
            "on CPUs about {} core hours a trial ({} at most), {} for the new ones; at 3.7 GHz with AVX2 or AVX-512",
            rounded(mean),
            rounded(most),
            rounded(mean * new as f64)
        )
    })
}

/// Two significant digits.
fn rounded(hours: f64) -> String {
    match hours {
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

/// A trainer's memory: the pack and its tensors, and for the largest possible batch the activations that the backward
/// pass needs.
fn memory_mb(study: &Study, params: Params) -> f64 {
    let (hidden, window) = (f64::from(params.hidden_size), f64::from(params.window_days));
    let sites = study.pack.sites.len() as f64;
    let activations = sites * window * hidden * 12.0 * 4.0 / 1e6;
    let weights = 8.0 * hidden * hidden * 4.0 * 8.0 / 1e6;
    TRAINER_BASE_MB + 3.0 * megabytes(&study.pack) + activations + weights
}
