//! `efflux plan`: what a sweep would do, without doing it.

use efflux_base::error::{Exit, Result};
use efflux_data::Pack;
use efflux_job::cost::coordinator_megabytes;
use efflux_job::{Fold, Trial};
use efflux_run::stopping::Stopping;
use efflux_run::{Ledger, read_journals};

use super::loads::{Loads, Machine};
use super::stages::Stages;
use super::study::Study;
use crate::cli::PlanArgs;
use crate::console::say;

/// Prints trials, what is done already, time and memory.
pub(crate) fn plan(args: &PlanArgs) -> Result<Exit> {
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let ledger = match study.run.check(&study.contract)? {
        Some(_) => Ledger::of(read_journals(&study.run.journals())?),
        None => Ledger::default(),
    };
    let search = study.search()?;
    let job = &study.job;
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
    let stages = Stages::of(&study, &loads, &search, &ledger)?;
    say_trials(&study, search.len(), &stages);
    say!("  each trial     {}", loads.updates(&study));
    if let Some(stopping) = Stopping::of(job, &search) {
        let rungs: Vec<String> = stopping.rungs().iter().map(u32::to_string).collect();
        say!(
            "  stopping       `{}` compares configurations after {} epochs; times are without it",
            job.stop.policy.name(),
            rungs.join(", ")
        );
    }
    for machine in [Machine::Core, Machine::Gpu, Machine::Lanes] {
        if machine.is_for(&study) {
            say_time(&study, &loads, &stages, machine);
        }
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
        for configuration in job.grid.configurations() {
            let last = job.final_trials(&study.contract, configuration)?;
            last.iter().for_each(|trial| print_trial(trial, &ledger));
        }
    }
    Ok(Exit::Complete)
}

/// How many trials each stage has, and how many of them are done.
fn say_trials(study: &Study, search: usize, stages: &Stages) {
    let counted =
        |all: usize, left: usize| format!("{all} trials: {} done, {left} new", all - left);
    let seeds = &study.job.seeds;
    let folds = &study.contract.folds;
    let in_folds = match folds.len() {
        0 => String::new(),
        count => format!(" × {count} folds"),
    };
    say!(
        "  search         {} configurations{in_folds} × {} seeds = {}",
        study.job.grid.configurations().len(),
        seeds.search.len(),
        counted(search, stages.left.search.len())
    );
    let final_seeds = seeds.final_members.len();
    let of = match stages.left.selected {
        Some(place) => study.job.grid.configurations()[place].to_string(),
        None => "the configuration that the search selects".to_owned(),
    };
    let (on_all, in_each) = stages.left.members.split_at(1);
    say!(
        "  members        of {of}: {}",
        counted(final_seeds, on_all.iter().sum())
    );
    if !folds.is_empty() {
        say!(
            "  in folds       {final_seeds} members × {} folds = {}",
            folds.len(),
            counted(final_seeds * folds.len(), in_each.iter().sum())
        );
    }
    for fold in folds {
        say!(
            "  {:<15}{}",
            format!("fold {}", fold.name),
            sites_of(study, fold)
        );
    }
}

/// What is left takes so long, stage by stage.
fn say_time(study: &Study, loads: &Loads, stages: &Stages, machine: Machine) {
    let times = loads.times(machine, &stages.left);
    // What records say of processors here is better than what was measured elsewhere.
    let pace = stages.pace().filter(|_| machine == Machine::Core);
    let time = |hours: f64| span(hours * pace.map_or(1.0, |(pace, _)| pace));
    let in_folds = match study.contract.folds.len() {
        0 => String::new(),
        _ => format!(", members in folds {}", time(times.in_folds)),
    };
    let basis = match pace {
        Some((_, 1)) => "one core here, by the trial that is done".to_owned(),
        Some((_, trials)) => format!("one core here, by the {trials} trials that are done"),
        None => machine.name(),
    };
    say!(
        "  {:<15}search {}, members {}{in_folds}, together {}; a search trial {} ({} at most); {basis}",
        match machine {
            Machine::Core => "core time",
            Machine::Gpu | Machine::Lanes => "GPU time",
        },
        time(times.search),
        time(times.members),
        time(times.search + times.members + times.in_folds),
        time(times.mean),
        time(times.most),
    );
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

/// Hours as people say them, to two digits or more.
fn span(hours: f64) -> String {
    // The sum of no trials is minus zero.
    let hours = hours + 0.0;
    let (count, unit) = match hours * 3600.0 {
        seconds if seconds < 99.5 => (seconds, "s"),
        seconds if seconds < 99.5 * 60.0 => (seconds / 60.0, "min"),
        _ => (hours, "h"),
    };
    let decimals = match count {
        count if count < 0.995 => 2,
        count if count < 9.95 => 1,
        _ => 0,
    };
    format!("{count:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_digits() {
        let seconds = [0.0, 0.044, 3.21, 42.0, 100.0, 1200.0, 7_200.0, 4e6];
        let said: Vec<String> = seconds.map(|seconds| span(seconds / 3600.0)).into();
        let expected = [
            "0.00 s", "0.04 s", "3.2 s", "42 s", "1.7 min", "20 min", "2.0 h", "1111 h",
        ];
        assert_eq!(said, expected);
    }
}
