//! `efflux trial`: one trial in the foreground, for looking at it closely or timing it.

use efflux_base::error::{Error, Exit, Result};
use efflux_cluster::TrainerSession;
use efflux_job::Trial;
use efflux_protocol::{Assignment, TrainerPreparation};
use efflux_run::Heartbeat;
use efflux_run::record::Outcome;

use super::study::Study;
use crate::cli::TrialArgs;
use crate::console;
use crate::console::say;

/// Trains one trial of the job in a trainer of its own and prints its record. The run directory is not touched.
pub(crate) fn trial(args: &TrialArgs) -> Result<Exit> {
    let study = Study::open(&args.job)?;
    let trial = find(&study, &args.id)?;
    let scratch = std::env::temp_dir().join(format!("efflux-trial-{}", std::process::id()));
    let directory = args.output.clone().unwrap_or_else(|| scratch.clone());
    let launch = study.launch(
        format!("trial-{}", trial.id),
        &directory,
        &args.trainer.compute,
        args.trainer.checkpoint_seconds,
    )?;
    let checkpoint = directory.join(format!("{}.checkpoint", trial.id));
    let preparation = TrainerPreparation::alone(launch);
    let session = TrainerSession::start(preparation, &directory.join("trainer.log"))?;
    let assignment = Assignment {
        keep: args.output.clone(),
        checkpoint: args.output.is_some().then(|| checkpoint.clone()),
        ..Assignment::alone(trial)
    };
    let record = session.train(&assignment, &mut |heartbeat| {
        console::progress(&line(heartbeat));
    })?;
    // The trial has ended, and so nobody goes on from there; the log is of use after an error only.
    let _ = std::fs::remove_file(checkpoint);
    let _ = std::fs::remove_dir_all(&scratch);
    console::wipe();
    let text = serde_json::to_string_pretty(&record)
        .map_err(|error| Error::Internal(format!("record: {error}")))?;
    say!("{text}");
    Ok(match record.outcome {
        Outcome::Finished(_) => Exit::Complete,
        Outcome::Failed(_) => Exit::TrialsFailed,
    })
}

/// The one trial whose id begins so. Members of every configuration can be named, not only of the selected one.
fn find(study: &Study, id: &str) -> Result<Trial> {
    let mut trials = study.search()?.into_vec();
    for configuration in study.job.grid.configurations() {
        trials.extend(study.job.final_trials(&study.contract, configuration)?);
    }
    let mut found = trials
        .into_iter()
        .filter(|trial| trial.id.as_str().starts_with(id));
    match (found.next(), found.next()) {
        (Some(trial), None) => Ok(trial),
        (Some(_), Some(_)) => Err(Error::Usage(format!(
            "--id {id}: several trials begin so, give more of it"
        ))),
        (None, _) => Err(Error::Usage(format!(
            "--id {id}: no such trial in this job (`efflux plan --trials` lists them)"
        ))),
    }
}

/// The line of progress on a terminal.
fn line(heartbeat: &Heartbeat) -> String {
    let Heartbeat {
        epochs_done,
        epochs,
        loss,
        ..
    } = heartbeat;
    let loss = loss.map(|loss| format!(", loss {loss:.5}"));
    format!(
        "epoch {epochs_done:.1} of {epochs}{}",
        loss.unwrap_or_default()
    )
}
