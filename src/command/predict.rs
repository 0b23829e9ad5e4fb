//! `efflux predict`: what a run's members say of any pack.

use std::path::{Path, PathBuf};

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_cluster::{TrainerSession, common_level};
use efflux_data as data;
use efflux_data::{DaysOf, Extrapolation, Filled, Member, Pack, Scales};
use efflux_job::{Contract, Head, Job, MemberKind, Params, SitePrior, Trial};
use efflux_numerics::Level;
use efflux_protocol::{LaunchSpec, Simulation, TrainerPreparation};
use efflux_report as report;
use efflux_report::{Mixture, Prediction, Together, Told, TrainingSites};
use efflux_run::{Attempt, Ledger, RunDir, host, select};

use crate::cli::PredictArgs;
use crate::console;
use crate::console::say;

/// `efflux predict RUN --pack PACK -o DIR`
pub(crate) fn predict(args: &PredictArgs) -> Result<Exit> {
    simulate(args, false)
}

/// `efflux adapt RUN --pack PACK -o DIR`
pub(crate) fn adapt(args: &PredictArgs) -> Result<Exit> {
    simulate(args, true)
}

/// Simulates the pack; `adapt` says whether sites that the training did not have are made known by their observed days.
fn simulate(args: &PredictArgs, adapt: bool) -> Result<Exit> {
    let file = args.output.join("predictions.nc");
    if file.exists() && !args.force {
        let reason = "is there already (--force replaces it, another --output keeps it)";
        return Err(Error::file(&file, reason));
    }
    let run = RunDir::new(&args.run);
    let job = run.latest_job()?;
    let manifest = run.manifest()?;
    let contract = manifest
        .ok_or_else(|| Error::file(run.root(), "no sweep has been started in this directory"))?
        .contract;
    let (members, planned) = selected(&run, &job, &contract)?;

    let mut pack = Pack::read(&args.pack)?;
    durable::create_directory(&args.output)?;
    // Beside the result: the members' files together are as large as it is.
    let scratch = tempfile::Builder::new()
        .prefix("members-")
        .tempdir_in(&args.output)
        .map_err(Error::io("make a directory in", &args.output))?;
    let (scales, scaling) = scales(&members[0], &job, &contract, scratch.path())?;
    scales.check(&pack).map_err(|reason| {
        let advice =
            "the members were trained with other inputs (`efflux inspect` lists what a pack has)";
        Error::file(&args.pack, format!("{reason}: {advice}"))
    })?;
    // A pack without observations need not say what is to be simulated.
    pack.target.clone_from(&scales.target_is);
    let extrapolation = Extrapolation::of(&pack, &scales);
    let inputs = scales.daily().map(|scale| scale.name.clone());
    let filled = Filled::of(&pack, &inputs.collect::<Vec<_>>());
    let training = TrainingSites::read(&run)?;
    let distances = training.as_ref().map(|training| training.distances(&pack));
    let mixture = job.ensemble.is_mixed().then(|| Mixture::read(&run));
    let mut mixture = mixture.transpose()?;
    if let Some(mixture) = &mut mixture {
        let lacks = |reason| Error::file(&args.pack, format!("{reason}: processes read it"));
        mixture.check(&pack).map_err(lacks)?;
        if adapt {
            mixture.adapt(&pack);
        }
    }
    if adapt {
        let params = job.settings.with(&members[0].0.params);
        let params = params.map_or(job.settings.params, |settings| settings.params);
        let has_process = params.residual_process || job.ensemble.has(MemberKind::Gp);
        check_adaptable(
            &args.pack,
            &pack,
            &scales,
            params.head == Head::Site || has_process,
        )?;
    }
    let simulations = members.iter().map(|(trial, directory)| {
        Ok(Simulation {
            trial: trial.clone(),
            weights: directory.join(RunDir::WEIGHTS),
            scaling: scaling.clone(),
            residuals: kept(&job, trial, &directory.join(RunDir::RESIDUALS), |params| {
                params.residual_process
            })?,
            site_prior: kept(&job, trial, &directory.join(RunDir::SITE_PRIOR), |params| {
                params.site_prior == SitePrior::Attributes
            })?,
            adapt,
            keep: scratch.path().join(trial.id.as_str()),
        })
    });
    let simulations: Vec<Simulation> = simulations.collect::<Result<_>>()?;
    let launch = LaunchSpec {
        name: "predict".to_owned(),
        run: scratch.path().to_owned(),
        pack: args.pack.clone(),
        contract: Contract {
            pack_digest: pack.digest.clone(),
            ..contract
        },
        settings: job.settings.clone(),
        device: args.compute.device,
        level: common_level(args.compute.level, [(&*host(), Level::of_this_host())])?,
        checkpoint_seconds: u32::MAX,
        lanes: 1,
    };
    let preparation = TrainerPreparation::alone(launch);
    let session = TrainerSession::start(preparation, &scratch.path().join("trainer.log"))?;
    session.simulate(&simulations, &mut |number| {
        console::progress(&format!("member {number} of {}", simulations.len()));
    })?;
    console::wipe();
    let members: Vec<Member> = simulations
        .iter()
        .map(|simulation| data::read_member(&simulation.keep))
        .collect::<Result<_>>()?;

    let mut together = match &mixture {
        Some(mixture) => mixture.together(&pack, &members, &job.ensemble)?,
        None => Together::of(&members),
    };
    // Members that know days of a site are surer of it than those that do not.
    if let (Some(training), true, false) = (&training, together.intervals.is_empty(), adapt) {
        training.expect(&pack, &mut together);
    }
    let prediction = Prediction {
        run: &job.name,
        pack: &pack,
        mean: &together.mean,
        members: &members,
        members_planned: planned,
        extrapolation: &extrapolation,
        filled: &filled,
        distances: distances.as_ref(),
        trained_with: &scales.sites,
        is_judged: !adapt,
    };
    let sites = pack.sites.iter();
    let trained_with: Vec<bool> = sites.map(|site| scales.sites.contains(&site.id)).collect();
    let told = Told {
        filled: &filled,
        days: DaysOf::OtherPack {
            extrapolation: &extrapolation,
            trained_with: &trained_with,
        },
        distances: distances.as_ref(),
    };
    let made_of = (&members[..], planned);
    together.write(&file, &job.name, &pack, made_of, told)?;
    let summary = report::write_prediction(&prediction, &args.output)?;
    say!("{summary}");
    Ok(if members.len() == planned {
        Exit::Complete
    } else {
        Exit::Unfinished
    })
}

/// The members of the configuration that the run selected: those that have finished, with the directory of their
/// weights, and how many there are to be.
fn selected(
    run: &RunDir,
    job: &Job,
    contract: &Contract,
) -> Result<(Vec<(Trial, PathBuf)>, usize)> {
    let ledger = Ledger::read(&run.journals())?;
    let search = job.search_trials(contract)?;
    let choice = select(job, &search, &ledger);
    let winner = choice.winner.ok_or_else(|| {
        let ended = ledger.ended(&search).count();
        let reason = format!(
            "no configuration is selected: {ended} of {} search trials have ended (`efflux status` tells of them)",
            search.len()
        );
        Error::file(run.root(), reason)
    })?;
    let mut planned = job.final_trials(contract, &winner.params)?;
    // Those of folds have not seen all sites that there are to learn from.
    planned.retain(|trial| trial.params.fold().is_none());
    let finished = planned
        .iter()
        .filter(|trial| ledger.scores(&trial.id).is_some());
    let members = finished.map(|trial| {
        let gone = || {
            let reason =
                "the weights of a finished member are gone (the same sweep makes them again)";
            Error::file(run.attempt(&trial.id, Attempt::FIRST), reason)
        };
        Ok((trial.clone(), run.kept(&trial.id).ok_or_else(gone)?))
    });
    let members = members.collect::<Result<Vec<_>>>()?;
    if members.is_empty() {
        let reason = "no member has finished yet (the same sweep trains them)";
        return Err(Error::file(run.root(), reason));
    }
    Ok((members, planned.len()))
}

/// Whether there is something to condition, and something to condition it on.
fn check_adaptable(path: &Path, pack: &Pack, scales: &Scales, can: bool) -> Result<()> {
    if !can {
        let reason = "its run has neither a head with weights of each site nor a Gaussian process (`model.head`, \
            `model.residual_process`, `ensemble.members`), so nothing of it can be conditioned on new days (`efflux predict` \
            simulates the pack)";
        return Err(Error::file(path, reason));
    }
    let is_new = |site: &usize| !scales.sites.contains(&pack.sites[*site].id);
    let mut new = (0..pack.sites.len()).filter(is_new);
    if new.any(|site| pack.flux_of(site).iter().any(|flux| !flux.is_nan())) {
        return Ok(());
    }
    let reason = "no site that the training did not have has an observed flux, so there is nothing to condition on (`efflux \
        predict` simulates the pack)";
    Err(Error::file(path, reason))
}

/// What a member keeps beside its weights, if its trial has that.
fn kept(
    job: &Job,
    trial: &Trial,
    path: &Path,
    has: fn(&Params) -> bool,
) -> Result<Option<PathBuf>> {
    let settings = job.settings.with(&trial.params);
    if !settings.is_ok_and(|settings| has(&settings.params)) {
        return Ok(None);
    }
    if path.exists() {
        return Ok(Some(path.to_owned()));
    }
    let reason = "is missing: the member was trained by a version that did not keep it (remove the folder: the same \
        sweep trains the member again)";
    Err(Error::file(path, reason))
}

/// The scales of the members' training, and the file that holds them: beside a member's weights, or made from the pack
/// of the run, for runs of a version that did not keep them.
fn scales(
    (trial, member): &(Trial, PathBuf),
    job: &Job,
    contract: &Contract,
    scratch: &Path,
) -> Result<(Scales, PathBuf)> {
    let kept = member.join(RunDir::SCALING);
    if kept.exists() {
        return Ok((Scales::read(&kept)?, kept));
    }
    let refused = |reason: String| {
        let advice = format!(
            "the scales of the training are taken from the run's pack, {}",
            job.pack.display()
        );
        Error::file(&kept, format!("is missing, so {advice}: {reason}"))
    };
    let pack = Pack::read(&job.pack).map_err(|error| refused(error.to_string()))?;
    if pack.digest != contract.pack_digest {
        let expected = &contract.pack_digest;
        let found = &pack.digest;
        return Err(refused(format!("has digest {found}, expected {expected}")));
    }
    let settings = job.settings.with(&trial.params);
    let settings = settings.map_err(|fault| refused(fault.to_string()))?;
    let view = contract.view(&settings, trial.fit).map_err(refused)?;
    let scales = Scales::fit(&pack, &view)?;
    let path = scratch.join(RunDir::SCALING);
    scales.write(&path)?;
    Ok((scales, path))
}
