//! `efflux sweep`: train the grid, select, train the ensemble, evaluate, report. Run twice, it continues.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use efflux::cluster::{
    Coordinator, Ending, Launch, Notice, Tally, World, default_slots, dismiss_ranks, interrupts,
    serve,
};
use efflux::error::{Error, Exit, Result};
use efflux::job::{Job, Trial};
use efflux::report::Output;
use efflux::run::record::{Outcome, Record};
use efflux::run::{Duration, Ledger, Lock, RunDir, merge_journals, metric, read_journals, select};

use super::evaluate;
use super::study::Study;
use crate::cli::SweepArgs;
use crate::console::{self, Log};

/// Joins the launch's other processes, if there are any, and does this one's part.
pub(crate) fn sweep(args: &SweepArgs, log: &Log) -> Result<Exit> {
    // Before anything else: the default action of these signals is to kill.
    let interrupted = interrupts()?;
    let began = Instant::now();
    let trained = match World::join()? {
        None => lead(args, log, None, interrupted)?,
        Some(mut world) if world.rank() == 0 => {
            let trained = lead(args, log, Some(&mut world), interrupted);
            // Whatever happened here, the others must hear of it; once more does no harm.
            dismiss_ranks(&mut world);
            // They wait for this rank to leave, so it leaves before it evaluates.
            world.leave(
                trained
                    .as_ref()
                    .map_or_else(Error::exit, |_| Exit::Unfinished),
            );
            trained?
        }
        Some(mut world) => {
            let followed = follow(args, log, &mut world);
            world.leave(Exit::Complete);
            return followed;
        }
    };
    if trained.ending == Ending::Interrupted {
        tracing::warn!("interrupted: the same command continues");
        return Ok(Exit::Unfinished);
    }
    let exit = evaluate::write(&trained.study, &trained.ledger, Output::All)?;
    tracing::info!("done in {}", Duration(began.elapsed().as_secs()));
    Ok(exit)
}

/// What rank 0 has when nobody trains any more. The lock goes last: evaluation writes too.
struct Trained {
    study: Study,
    ledger: Ledger,
    ending: Ending,
    _lock: Lock,
}

/// Any rank but 0.
fn follow(args: &SweepArgs, log: &Log, world: &mut World) -> Result<Exit> {
    let _span = tracing::info_span!("sweep", rank = world.rank()).entered();
    let threads = Job::read(&args.job.job).map_or(1, |job| job.training.threads);
    let slots = args
        .slots
        .unwrap_or_else(|| default_slots(threads, world.size()));
    serve(world, slots, |launch| {
        let name = format!("{}-{:04}.log", launch.launch, launch.rank);
        log.also_to(&RunDir::new(&launch.run).logs().join(name))
    })
    .map(|()| Exit::Complete)
}

/// Rank 0.
fn lead(
    args: &SweepArgs,
    log: &Log,
    world: Option<&mut World>,
    interrupted: Arc<AtomicBool>,
) -> Result<Trained> {
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let launch = launch_name();
    study.run.create()?;
    let lock = Lock::acquire(&study.run, &launch)?;
    study.run.bind(&study.contract)?;
    study.run.keep_job(&launch, &study.job)?;
    log.also_to(&study.run.logs().join(format!("{launch}-0000.log")))?;
    merge_journals(&study.run.journals(), &launch)?;
    let ledger = Ledger::of(read_journals(&study.run.journals())?);
    study
        .run
        .clear_checkpoints(|id| ledger.summary(id).is_some())?;

    let ranks = world.as_ref().map_or(1, |world| world.size());
    let slots = args
        .slots
        .unwrap_or_else(|| default_slots(study.contract.training.threads, ranks));
    let launch = Launch {
        name: launch,
        run: study.run.clone(),
        pack: study.job.pack.clone(),
        contract: study.contract.clone(),
        device: args.trainer.device,
        level: args.trainer.level,
        checkpoint_seconds: args.trainer.checkpoint_seconds,
        hang_seconds: args.hang_seconds,
        interrupted,
    };
    let mut coordinator = Coordinator::gather(launch, world, slots, ledger, lock)?;
    let ending = train(&study, &mut coordinator);
    let ledger = coordinator.ledger().clone();
    let lock = coordinator.dismiss();
    Ok(Trained {
        ending: ending?,
        study,
        ledger,
        _lock: lock,
    })
}

/// Search, selection, final members.
fn train(study: &Study, coordinator: &mut Coordinator<'_>) -> Result<Ending> {
    let search = study.search();
    if stage(study, coordinator, "search", &search)? == Ending::Interrupted {
        return Ok(Ending::Interrupted);
    }
    let configurations = study.job.grid.configurations();
    let rule = study.job.selection;
    let Ok(chosen) = select(rule, &configurations, &search, coordinator.ledger()) else {
        tracing::error!(
            "no configuration has a score for every search seed: nothing can be selected"
        );
        return Ok(Ending::Done);
    };
    if coordinator.ledger().selection() != Some(&chosen) {
        coordinator.select(&chosen)?;
    }
    console::wipe();
    tracing::info!("selected {}: {:.3}", chosen.params, chosen.score);
    let last = study.job.final_trials(&study.contract, chosen.params);
    stage(study, coordinator, "final", &last)
}

fn stage(
    study: &Study,
    coordinator: &mut Coordinator<'_>,
    name: &str,
    trials: &[Trial],
) -> Result<Ending> {
    let known = coordinator.ledger().records_of(trials).count();
    tracing::info!(
        "{name}: {known} of {} trials known from earlier launches",
        trials.len()
    );
    let score = |record: &Record| match &record.outcome {
        Outcome::Finished(summary) => metric(study.job.selection, summary),
        Outcome::Failed(_) => None,
    };
    let mut best = None;
    let mut better = |score: Option<f64>| {
        best = [best, score].into_iter().flatten().reduce(f64::max);
        best
    };
    for record in coordinator.ledger().records_of(trials) {
        better(score(record));
    }
    let ending = coordinator.train(trials, &mut |notice| match notice {
        Notice::Ended(record, tally) => {
            tell(record, tally, score(record));
            console::progress(&line(name, tally, better(score(record))));
        }
        Notice::Tick(tally) => console::progress(&line(name, tally, better(None))),
    });
    console::wipe();
    ending
}

/// One line of log for a trial that has ended.
fn tell(record: &Record, tally: &Tally, score: Option<f64>) {
    let Record {
        trial,
        place,
        seconds,
        ..
    } = record;
    let count = format!("{}/{}", tally.finished + tally.failed, tally.planned);
    let eta = tally
        .eta_seconds
        .map(|seconds| format!(", ends in about {}", Duration(seconds)))
        .unwrap_or_default();
    let what = format!("{} {}, seed {}", trial.id, trial.params, trial.seed);
    let place = format!("rank {} slot {}", place.rank, place.slot);
    match &record.outcome {
        Outcome::Finished(summary) => {
            let score = score.map_or("not defined".to_owned(), |score| format!("{score:.3}"));
            tracing::info!(
                "{count} {what}: score {score}, loss {:.4} ({seconds:.0} s on {place}){eta}",
                summary.loss
            );
        }
        Outcome::Failed(failure) => tracing::warn!(
            "{count} {what}: attempt {} failed after {seconds:.0} s on {place}: {}",
            record.attempt,
            failure.message
        ),
    }
}

/// The line of progress on a terminal.
fn line(stage: &str, tally: &Tally, best: Option<f64>) -> String {
    let best = best
        .map(|best| format!(" · best {best:.3}"))
        .unwrap_or_default();
    let eta = tally
        .eta_seconds
        .map(|seconds| format!(" · {} left", Duration(seconds)))
        .unwrap_or_default();
    let failed = match tally.failed {
        0 => String::new(),
        failed => format!(" · {failed} failed"),
    };
    format!(
        "{stage}: {} of {} done · {} running{failed}{best}{eta}",
        tally.finished,
        tally.planned,
        tally.running.len(),
    )
}

/// A name for this start of the sweep that sorts by time and is this process's alone.
fn launch_name() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S");
    format!("{now}-{}", std::process::id())
}
