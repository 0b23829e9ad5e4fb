//! `efflux plan`: what a sweep would do, without doing it.

use efflux_base::error::{Error, Exit, Result};
use efflux_data::Pack;
use efflux_job::cost::coordinator_megabytes;
use efflux_job::{DeviceChoice, Fold, Trial};
use efflux_run::stopping::Stopping;
use efflux_run::{Ledger, select};

use super::calibration::calibrate as calibrate_on;
use super::loads::{Loads, Machine, Wall};
use super::stages::Stages;
use super::study::Study;
use super::timing::{Timed, Timing};
use crate::cli::PlanArgs;
use crate::console::say;

/// Prints trials, what is done already, time and memory.
pub(crate) fn plan(args: &PlanArgs) -> Result<Exit> {
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let ledger = match study.run.check(&study.contract)? {
        Some(_) => Ledger::read(&study.run.journals())?,
        None => Ledger::default(),
    };
    let search = study.search()?;
    study.check_forecasts(&search)?;
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
    let choice = select(job, &search, &ledger);
    let stages = Stages::of(&study, &loads, &search, &choice, &ledger)?;
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
    let threads = job.settings.training.threads;
    let placed = args
        .slots
        .slots
        .placed(DeviceChoice::Cpu, threads, args.ranks);
    let slots = placed.placements.len();
    let (timing, basis) = timing(
        &study,
        &loads,
        &search,
        &stages,
        args.calibrate.then_some(slots),
    )?;
    for machine in [Machine::Core, Machine::Gpu, Machine::Lanes] {
        if machine.is_for(&study) {
            say_time(&study, &loads, &stages, machine, &timing, &basis);
        }
    }
    if Machine::Core.is_for(&study) && !stages.left.is_nothing() {
        let wall = loads.wall(&timing, &stages.left, slots * args.ranks as usize);
        say_wall(&study, args, slots, &timing, &wall);
    }
    say_memory(&loads, slots);
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

/// How long trials take here, and what that is known from. `calibrate`: on so many slots.
fn timing(
    study: &Study,
    loads: &Loads,
    search: &[Trial],
    stages: &Stages,
    calibrate: Option<usize>,
) -> Result<(Timing, String)> {
    let mut timed: Vec<Timed> = stages.timed().collect();
    let mut basis = match timed.len() {
        0 => Vec::new(),
        1 => vec!["the trial that is done".to_owned()],
        trials => vec![format!("the {trials} trials that are done")],
    };
    if let Some(slots) = calibrate {
        if !Machine::Core.is_for(study) {
            return Err(Error::Usage(
                "--calibrate times native training on processors, and this job trains by libtorch"
                    .into(),
            ));
        }
        let measured = calibrate_on(study, loads, search, slots)?;
        basis.push(format!("{} short trials", measured.len() * slots));
        timed.extend(measured);
    }
    Ok(match Timing::of(&timed) {
        Some(timing) => (timing, format!("one core here, by {}", basis.join(" and "))),
        None => (Timing::unmeasured(), Machine::Core.name()),
    })
}

/// What is left takes so long, stage by stage.
fn say_time(
    study: &Study,
    loads: &Loads,
    stages: &Stages,
    machine: Machine,
    timing: &Timing,
    basis: &str,
) {
    let times = loads.times(machine, timing, &stages.left);
    let in_folds = match study.contract.folds.len() {
        0 => String::new(),
        _ => format!(", members in folds {}", span(times.in_folds)),
    };
    let (name, basis) = match machine {
        Machine::Core => ("core time", basis.to_owned()),
        Machine::Gpu | Machine::Lanes => ("GPU time", machine.name()),
    };
    say!(
        "  {name:<15}search {}, members {}{in_folds}, together {}; a search trial {} ({} at most); {basis}",
        span(times.search),
        span(times.members),
        span(times.search + times.members + times.in_folds),
        span(times.mean),
        span(times.most),
    );
}

/// From the first trial's beginning to the last one's end, and what to ask Slurm for.
fn say_wall(study: &Study, args: &PlanArgs, slots: usize, timing: &Timing, wall: &Wall) {
    let time = |seconds: f64| span(seconds / 3600.0);
    let [least, most] = timing.band.map(|factor| wall.all.seconds * factor);
    say!(
        "  wall time      {} ({} to {}) with {}; {} of it with slots that have nothing left to take; {} however many there are",
        time(wall.all.seconds),
        time(least),
        time(most),
        on(args.ranks, slots),
        time(wall.all.tail),
        time(wall.longest_chain),
    );
    // A job ends two minutes early, and one that just fits does not fit.
    const SPARE: f64 = 600.0;
    let needed = most + SPARE;
    let (limit, jobs) = match args.walltime {
        Some(limit) if (limit as f64) < needed => {
            let of_job = (limit as f64 - LEAD).max(1.0);
            (limit as f64, (most / of_job).ceil())
        }
        _ => (needed, 1.0),
    };
    let follow = match jobs {
        1.0 => String::new(),
        jobs => format!("; {jobs} such jobs, which follow each other by themselves"),
    };
    let minutes = (limit / 60.0).ceil();
    say!(
        "  Slurm          sbatch --ntasks={} --cpus-per-task={} --time={minutes} slurm/sweep.sbatch {}{follow}",
        args.ranks,
        slots * study.job.settings.training.threads as usize,
        study.job.path.display(),
    );
}

/// Seconds before its end at which a job is told to leave.
const LEAD: f64 = 120.0;

fn on(ranks: u32, slots: usize) -> String {
    let slots = match slots {
        1 => "1 slot".to_owned(),
        slots => format!("{slots} slots"),
    };
    match ranks {
        1 => slots,
        ranks => format!("{ranks} ranks of {slots}"),
    }
}

/// What trainers need, beside what this host has.
fn say_memory(loads: &Loads, slots: usize) {
    let rank = coordinator_megabytes(loads.pack_megabytes);
    let needed = loads.trainer_megabytes * slots as f64 + rank;
    let here = match available_megabytes() {
        Some(available) if available < needed => {
            format!("; {slots} slots do NOT fit into the {available:.0} MB that are free here")
        }
        Some(available) => {
            format!("; {slots} slots fit into the {available:.0} MB that are free here")
        }
        None => String::new(),
    };
    say!(
        "  memory         about {:.0} MB a slot, {rank:.0} MB for rank 0{here}",
        loads.trainer_megabytes,
    );
}

/// What the kernel would give to new processes.
fn available_megabytes() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let mut lines = text.lines();
    let kilobytes = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: f64 = kilobytes.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn print_trial(trial: &Trial, ledger: &Ledger) {
    let done = if ledger.scores(&trial.id).is_some() {
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
