//! What `--help` says after the options: examples that can be pasted, and where to read more.

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0   complete
  1   a defect of this program
  2   command line or job file wrong
  3   complete, but some trials failed; the report lists them
  4   data, file system, device or MPI launch wrong
  5   stopped by `efflux stop`: the same command continues
  75  unfinished: the same command continues (walltime, preemption, interrupt)";

pub(super) const PLAN_HELP: &str = "\
Examples:
  efflux plan jobs/demo.toml
  efflux plan jobs/demo.toml --calibrate --slots 2
  efflux plan jobs/paper-grid.toml --ranks 4 --slots 32 --walltime 4:00:00

Times go by cores that were measured once (within a factor of 2), with --calibrate by this host, and where trials of the \
run have ended by what those took.";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  efflux completions bash > ~/.local/share/bash-completion/completions/efflux
  efflux completions fish > ~/.config/fish/completions/efflux.fish";

pub(super) const DEMO_HELP: &str = "\
Examples:
  efflux demo
  efflux demo /tmp/demo --slots 2

It says the commands that it carries out. Run again, it continues.";

pub(super) const DOCTOR_HELP: &str = "\
Examples:
  efflux doctor --run-dir runs
  efflux doctor --json

Ends with 4 if something is missing without which no sweep runs. In a Slurm job it tells of the node.";

pub(super) const MAN_HELP: &str = "\
Examples:
  efflux man ~/.local/share/man/man1";

pub(super) const SYNTH_HELP: &str = "\
Examples:
  efflux synth -o data/demo.h5 --sites 24
  efflux synth --predictors-for data/sites.h5 -o tables/   tables for real sites

Such tables have the weather that a site's land cover might have, and a column `synthetic`: packs and reports that rest \
on them say so.";

pub(super) const PACK_HELP: &str = "\
Examples:
  efflux pack --sites data/cosore-daily -o data/cosore-daily.h5
  efflux pack --cosore cosore/ -o data/sites.h5
  efflux pack --cosore cosore/ --predictors tables/ -o data/cosore.h5

docs/reproduce.md goes from a release of COSORE to a report beside the paper.";

pub(super) const INSPECT_HELP: &str = "\
Examples:
  efflux inspect data/demo.h5
  efflux inspect data/sites.h5 --sites-csv sites.csv

The table is what configs/earth-engine/export.js takes.";

pub(super) const IMPORT_HELP: &str = "\
Examples:
  efflux import --guess chambers.csv > import.toml   fill in the marked lines
  efflux import import.toml -o daily                 a daily file per site
  efflux pack --sites daily -o sites.h5

docs/import.md has a walk through, the keys of a mapping and the layouts.";

pub(super) const SUBMIT_HELP: &str = "\
Examples:
  efflux submit jobs/demo.toml --cluster cpu --dry-run    see the script
  efflux submit jobs/demo.toml --cluster cpu --time 2-0   two days at a time

An unfinished job is queued again by itself. docs/slurm.md says how, and how to do it by hand.";

pub(super) const PREDICT_HELP: &str = "\
Examples:
  efflux predict runs/paper-grid --pack data/new-sites.h5 -o predictions

DIR gets predictions.nc (every member, mean, spread, and for every input where it leaves the range of the training), \
extrapolation.csv (the same, counted by site) and, where the pack has observed fluxes, scores.csv. The pack of the run is \
not needed. docs/predict.md describes the files.";

pub(super) const COMPARE_HELP: &str = "\
Examples:
  efflux compare runs/paper-grid runs/cosore-daily
  efflux compare runs/a runs/b runs/c --csv compared.csv --sites-csv sites.csv
  efflux compare runs/a runs/b --json | jq '.series[0].scores'

Every run is compared with the first. Scores are over the test days that all runs have, with the same observed flux; \
what else packs, split and evaluation differ in is said. A p value is that of Wilcoxon's signed-rank test over sites, \
two-sided and not corrected for the number of runs.";

pub(super) const EXPORT_HELP: &str = "\
Examples:
  efflux export runs/paper-grid --csv trials.csv
  efflux export runs/paper-grid --optuna study.log && optuna-dashboard study.log

In Python: optuna.load_study(study_name=\"paper-grid\", storage=JournalStorage(JournalFileBackend(\"study.log\"))). \
Seeds, folds and ids are attributes of trials, validation scores by epoch their intermediate values.";

pub(super) const ADAPT_HELP: &str = "\
Examples:
  efflux adapt runs/cosore-daily --pack data/my-site.h5 -o predictions

At a site that the training did not have, the days of the pack with a flux give each network a head of the site's own \
and are seen by the Gaussian processes: in closed form, in seconds. DIR gets predictions.nc and extrapolation.csv as \
of `efflux predict`; there are no scores, because the observed days were used. docs/predict.md has the details.";

pub(super) const SWEEP_HELP: &str = "\
Examples:
  efflux sweep jobs/demo.toml --slots 2            two trials at a time here
  mpirun -n 4 efflux sweep jobs/demo.toml          four ranks, a trial each
  sbatch slurm/sweep.sbatch jobs/paper-grid.toml   the same as a Slurm job

A run directory belongs to one contract: pack, rules of evaluation, and the days that are judged. Grid and seeds may \
grow between launches; only what is new is trained.

USR2, USR1 and XCPU make a sweep leave in good order: running trials write a checkpoint and stop, nothing is begun, the \
exit code is 75, or 0 if nothing was left. TERM, HUP (unless under nohup) and Ctrl-C do the same within two seconds. The \
signal may go to any rank, USR2 and TERM also to mpirun. A second signal ends the sweep at once.";
