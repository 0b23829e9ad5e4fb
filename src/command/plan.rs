//! `efflux plan`: what a sweep would do, without doing it.

use efflux_base::error::{Exit, Result};
use efflux_data::Pack;
use efflux_job::cost::coordinator_megabytes;
use efflux_job::{Fold, Trial};
use efflux_run::stopping::Stopping;
use efflux_run::{Ledger, read_journals};

use super::loads::Loads;
use super::study::Study;
use crate::cli::PlanArgs;
use crate::console::say;

/// Prints trials, what is done already, and memory.
pub(crate) fn plan(args: &PlanArgs) -> Result<Exit> {
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let ledger = match study.run.check(&study.contract)? {
        Some(_) => Ledger::of(read_journals(&study.run.journals())?),
        None => Ledger::default(),
    };
    let search = study.search()?;
    let done = search
        .iter()
        .filter(|trial| ledger.summary(&trial.id).is_some())
        .count();
    let (configurations, job) = (study.job.grid.configurations(), &study.job);
    say!("{}: {}", job.path.display(), describe(&study.pack));
    say!("  run directory  {}", study.run.root().display());
    let loads = Loads::of(&study)?;
    say!(
        "  daily inputs   {}",
        loads.inputs(|chosen| &chosen.dynamic)
    );
    say!(
        "  static inputs  {}",
        loads.inputs(|chosen| &chosen.statics)
    );
    let folds = study.contract.folds.len();
    let (in_folds, members) = match folds {
        0 => (String::new(), job.seeds.final_members.len()),
        _ => (
            format!(" × {folds} folds"),
            job.seeds.final_members.len() * (1 + folds),
        ),
    };
    say!(
        "  search         {} configurations{in_folds} × {} seeds = {} trials: {done} done, {} new",
        configurations.len(),
        job.seeds.search.len(),
        search.len(),
        search.len() - done
    );
    say!(
        "  final          {} members of the selected configuration{}",
        job.seeds.final_members.len(),
        match folds {
            0 => String::new(),
            _ => format!(", and as many in each of the {folds} folds"),
        }
    );
    for fold in &study.contract.folds {
        say!(
            "  {:<15}{}",
            format!("fold {}", fold.name),
            sites_of(&study, fold)
        );
    }
    say!("  each trial     {}", loads.updates());
    if let Some(stopping) = Stopping::of(job, &search) {
        let rungs: Vec<String> = stopping.rungs().iter().map(u32::to_string).collect();
        say!(
            "  stopping       `{}` compares configurations after {} epochs; times are without it",
            job.stop.policy.name(),
            rungs.join(", ")
        );
    }
    if let Some(time) = loads.core_time(search.len() - done, members) {
        say!("  time           {time}");
    }
    if let Some(time) = loads.gpu_time() {
        say!("  GPU time       {time}");
    }
    say!(
        "  memory         about {:.0} MB a slot, {:.0} MB for rank 0",
        loads.trainer_megabytes,
        coordinator_megabytes(loads.pack_megabytes)
    );
    for caveat in job.caveats() {
        say!("  note           {caveat}");
    }
    if args.trials {
        search.iter().for_each(|trial| print_trial(trial, &ledger));
        for configuration in configurations {
            let last = job.final_trials(&study.contract, configuration)?;
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
    say!(
        "{}  {:<6}  {:<4}  {}, seed {}",
        trial.id,
        trial.stage.to_string(),
        done,
        trial.params,
        trial.seed
    );
}

/// How many sites a fold holds out, and the first of them.
fn sites_of(study: &Study, fold: &Fold) -> String {
    const LISTED: usize = 5;
    let ids = fold
        .test
        .iter()
        .map(|&site| study.pack.sites[site].id.as_str());
    let listed: Vec<&str> = ids.take(LISTED).collect();
    let more = if fold.test.len() > LISTED {
        ", …"
    } else {
        ""
    };
    let left_out = match fold.left_out.len() {
        0 => String::new(),
        count => format!("; {count} others at their places left out"),
    };
    format!(
        "{} sites ({}{more}){left_out}",
        fold.test.len(),
        listed.join(", ")
    )
}

fn describe(pack: &Pack) -> String {
    let observed = pack.flux.iter().filter(|flux| !flux.is_nan()).count();
    format!(
        "{} sites, {}, {observed} observed site-days",
        pack.sites.len(),
        pack.calendar
    )
}
