//! `efflux sweep`: train the grid, select, train the ensemble, evaluate, report. Run twice, it continues.

mod signs;
mod training;

use std::io::ErrorKind;
use std::time::Instant;

use efflux_base::error::{Error, Exit, Result};
use efflux_cluster::{
    Coordinator, Deadline, Ending, Launch, PlacedSlots, RankExit, Shutdown, Signals, World,
    dismiss_ranks, serve, transport,
};
use efflux_job::{Backend, DeviceChoice, Job, Training, Trial};
use efflux_protocol::Urgency;
use efflux_report::{DamagedMember, Output, damaged_members};
use efflux_run::{
    Brief, Duration, FileSystem, Ledger, Lock, Rank, RunDir, expect_results, merge_journals,
    note_giving_up, note_launch, select,
};

use self::training::train;
use super::evaluate;
use super::study::Study;
use crate::cli::SweepArgs;
use crate::console::{Log, say};

/// Joins the launch's other processes, if there are any, and does this one's part.
pub(crate) fn sweep(args: &SweepArgs, log: &Log) -> Result<Exit> {
    if args.show_run_dir {
        say!("{}", args.job.run_dir().display());
        return Ok(Exit::Complete);
    }
    // Before anything else: the default action of these signals is to kill.
    let signals = Signals::listen()?;
    let began = Instant::now();
    match World::join()? {
        None => finish(lead(args, log, None, signals.clone())?, &signals, began),
        Some(mut world) if world.rank() == Rank::COORDINATOR => {
            let trained = lead(args, log, Some(&mut world), signals.clone());
            // Whatever happened here, the others must hear of it; once more does no harm.
            dismiss_ranks(&mut world);
            // The others wait for this rank to leave, so it leaves before it evaluates. After a loss leaving may hang until
            // it is cut short, and then it comes last.
            if !world.has_lost() {
                let unfinished = |_: &Trained| Exit::Unfinished;
                world.leave(trained.as_ref().map_or_else(Error::exit, unfinished));
                return finish(trained?, &signals, began);
            }
            let finished = trained.and_then(|trained| finish(trained, &signals, began));
            if let Err(error) = &finished {
                tracing::error!("{error}");
            }
            world.leave(finished.as_ref().map_or_else(Error::exit, |exit| *exit));
            finished
        }
        Some(mut world) => {
            let followed = follow(args, log, &mut world, signals);
            world.leave(followed.as_ref().map_or_else(Error::exit, |exit| *exit));
            followed
        }
    }
}

/// Evaluates and reports, if everything is trained.
fn finish(trained: Trained, signals: &Signals, began: Instant) -> Result<Exit> {
    if trained.ending == Ending::Interrupted && trained.study.run.is_asked_to_stop() {
        trained.study.run.clear_stop()?;
        tracing::warn!("stopped as `efflux stop` asked: the same command continues");
        return Ok(Exit::Stopped);
    }
    if trained.ending == Ending::Interrupted {
        tracing::warn!("interrupted: the same command continues");
        return Ok(Exit::Unfinished);
    }
    // All results are on the disk, and the report is written whole or not at all.
    signals.end_at_once();
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
fn follow(args: &SweepArgs, log: &Log, world: &mut World, signals: Signals) -> Result<Exit> {
    let _span = tracing::info_span!("sweep", rank = %world.rank()).entered();
    let threads = Job::read(&args.job.job).map_or(1, |job| job.settings.training.threads);
    let placed = args
        .slots
        .slots
        .placed(args.trainer.compute.device, threads, world.size());
    let exit = serve(world, placed, args.lanes, signals, |preparation| {
        let launch = &preparation.launch;
        let name = format!("{}-{:04}.log", launch.name, preparation.rank);
        log.also_to(&RunDir::new(&launch.run).logs().join(name))
    })?;
    Ok(match exit {
        RankExit::Dismissed => Exit::Complete,
        RankExit::Orphaned => Exit::Unfinished,
    })
}

/// Rank 0.
fn lead(
    args: &SweepArgs,
    log: &Log,
    world: Option<&mut World>,
    signals: Signals,
) -> Result<Trained> {
    let study = Study::open(&args.job)?;
    study.check_selection()?;
    let ranks = world.as_ref().map_or(1, |world| world.size());
    let threads = study.job.settings.training.threads;
    let placed = args
        .slots
        .slots
        .placed(args.trainer.compute.device, threads, ranks);
    check_lanes(args, &study, &placed)?;
    let search = study.search()?;
    study.check_forecasts(&search)?;
    study.run.create().map_err(anothers)?;
    let file_system = FileSystem::probe(study.run.root()).map_err(anothers)?;
    for warning in file_system.warnings() {
        tracing::warn!("{}: {warning}", study.run.root().display());
    }
    let launch = study.run.next_launch()?;
    let lock = Lock::acquire(&study.run, &launch)?;
    study.run.clear_temporary()?;
    study.run.clear_stop()?;
    expect_results(&study.run)?;
    study.run.bind(&study.contract)?;
    study.run.keep_job(&launch, &study.job)?;
    log.also_to(&study.run.logs().join(format!("{launch}-0000.log")))?;
    merge_journals(&study.run.journals(), &launch)?;
    let ledger = Ledger::read(&study.run.journals())?;
    let choice = select(&study.job, &search, &ledger);
    let members = match &choice.winner {
        Some(winner) => study.job.final_trials(&study.contract, &winner.params)?,
        None => Vec::new(),
    };
    check_members(&study, &members, &ledger)?;
    let is_left = |trial: &&Trial| {
        let brief = ledger.brief(&trial.id);
        brief.is_none_or(Brief::worth_another) && !choice.stopped.contains_key(&trial.id)
    };
    let left = search.iter().chain(&members).filter(is_left).count();
    note_launch(&study.run, &launch, ledger.entries(), left)?;
    study
        .run
        .clear_checkpoints(|id| ledger.scores(id).is_some())?;

    let deadline = args.until.unwrap_or_else(Deadline::of_this_job);
    let deadline = deadline.instant();
    let left =
        deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).as_secs());
    let (drain, checkpoint) = (args.drain_seconds, args.trainer.checkpoint_seconds);
    let warning = left.and_then(|left| Shutdown::warning("the end is in", left, drain, checkpoint));
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    let ranks = transport(world, placed, args.lanes);
    let mut asked = signals.clone();
    let launch = Launch {
        name: launch,
        run: study.run.clone(),
        pack: study.job.pack.clone(),
        contract: study.contract.clone(),
        settings: study.job.settings.clone(),
        device: args.trainer.compute.device,
        level: args.trainer.compute.level,
        checkpoint_seconds: checkpoint,
        hang_seconds: args.hang_seconds,
        lanes: args.lanes,
        keeps_forecasts: study.job.keeps_forecasts(),
        retries: args.retries,
        deadline,
        drain_seconds: drain,
        signals,
    };
    let name = launch.name.clone();
    let trained = Coordinator::join(launch, ranks, ledger, lock).and_then(|mut coordinator| {
        let ending = train(
            &study,
            &search,
            &choice,
            args.lanes,
            &name,
            &mut coordinator,
        );
        let (ledger, lock) = coordinator.dismiss();
        Ok((ending?, ledger, lock))
    });
    let gave_up = match &trained {
        Ok((Ending::Done, ..)) => false,
        // Who interrupts it at once, or with `efflux stop`, knows why.
        Ok((Ending::Interrupted, ..)) => {
            asked.asked() != Some(Urgency::Immediate) && !study.run.is_asked_to_stop()
        }
        Err(_) => true,
    };
    if gave_up && let Err(error) = note_giving_up(&study.run, &name) {
        tracing::warn!("{error}");
    }
    let (ending, ledger, lock) = trained?;
    Ok(Trained {
        study,
        ledger,
        ending,
        _lock: lock,
    })
}

/// A run directory in which this user may not write is somebody else's.
fn anothers(error: Error) -> Error {
    match error {
        Error::Io {
            path,
            action,
            source,
        } if source.kind() == ErrorKind::PermissionDenied => {
            let reason = format!(
                "cannot {action}: {source} (it is another user's: sweep into a directory of your own, --run-dir DIRECTORY; \
                 `efflux status DIRECTORY` shows what is in one)"
            );
            Error::file(path, reason)
        }
        other => other,
    }
}

/// Lanes are libtorch's, and without a GPU nothing is gained by them.
fn check_lanes(args: &SweepArgs, study: &Study, placed: &PlacedSlots) -> Result<()> {
    let lanes = args.lanes;
    let mut placements = placed.placements.iter();
    let is_planned = placements.any(|placement| placement.gpu.is_some());
    let has_gpus = is_planned || args.trainer.compute.device == DeviceChoice::Cuda;
    let is_native = |training: &Training| match training.backend {
        Backend::Native => true,
        Backend::Torch => false,
        Backend::Auto => !has_gpus && training.threads == 1,
    };
    if lanes > 1 && study.job.any(|settings| is_native(&settings.training)) {
        return Err(Error::Usage(format!(
            "--lanes {lanes}: what trains in lanes is libtorch, on GPUs, but these trials are to be trained natively, on \
             processors, which is faster there: leave --lanes out, or set `backend = \"torch\"` under [training]"
        )));
    }
    if lanes > 1 && study.job.any(|settings| settings.params.layers > 1) {
        return Err(Error::Usage(format!(
            "--lanes {lanes}: models of several layers (`model.layers`) train one at a time: leave --lanes out"
        )));
    }
    Ok(())
}

/// Whether what earlier launches have kept of members can be used: else the sweep would fail after all of its trials.
fn check_members(study: &Study, members: &[Trial], ledger: &Ledger) -> Result<()> {
    let mut damaged = damaged_members(&study.run, ledger, members).into_iter();
    match damaged.next() {
        None => Ok(()),
        Some(DamagedMember { folder, error }) => {
            let (folder, run) = (folder.display(), study.run.root().display());
            let reason = format!(
                "{error} (of {} damaged members; `efflux repair {run}` sets {folder} aside, and the same sweep trains that \
                 member again)",
                damaged.count() + 1
            );
            Err(Error::file(study.run.root(), reason))
        }
    }
}
