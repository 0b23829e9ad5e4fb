//! The command line, as types. What the options mean is carried out in `command/`.

mod help;
mod packs;
mod runs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use efflux_cluster::{Deadline, Slots};
use efflux_job::DeviceChoice;
use efflux_numerics::Level;

use help::{
    ADAPT_HELP, COMPARE_HELP, COMPLETIONS_HELP, DEMO_HELP, DOCTOR_HELP, EXIT_CODES, EXPORT_HELP,
    IMPORT_HELP, INSPECT_HELP, MAN_HELP, PACK_HELP, PLAN_HELP, PREDICT_HELP, SUBMIT_HELP,
    SWEEP_HELP, SYNTH_HELP,
};
pub(crate) use packs::{ImportArgs, InitArgs, InspectArgs, PackArgs, SynthArgs};
pub(crate) use runs::{
    CompareArgs, ExplainArgs, ExportArgs, RepairArgs, RunArgs, StatusArgs, StopArgs,
};

/// Of `--drain-seconds`, when nobody says.
pub(crate) const DRAIN_SECONDS: u32 = 90;
/// Of `--checkpoint-seconds`, when nobody says.
pub(crate) const CHECKPOINT_SECONDS: u32 = 60;

/// Heading of the options that every command has.
const LOGGING: &str = "Logging";
/// Place of those options: after a command's own.
const LAST: usize = 900;

/// Train, select and judge LSTM models of daily soil CO2 efflux
#[derive(Debug, Parser)]
#[command(
    version = crate::VERSION,
    propagate_version = true,
    after_help = EXIT_CODES,
    help_expected = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Which log lines to show, in `tracing` syntax, for example `warn,efflux=debug`
    #[arg(
        long,
        global = true,
        env = "EFFLUX_LOG",
        default_value = "info",
        value_name = "FILTER",
        help_heading = LOGGING,
        display_order = LAST
    )]
    pub(crate) log: String,

    /// How log lines look
    #[arg(
        long,
        global = true,
        env = "EFFLUX_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT",
        help_heading = LOGGING,
        display_order = LAST
    )]
    pub(crate) log_format: LogFormat,

    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a first sweep: pack the 56 sites that come with efflux, train, write a report; some minutes on two cores
    #[command(after_help = DEMO_HELP)]
    Demo(DemoArgs),
    /// Write a synthetic pack: realistic sites, weather and fluxes, the same for the same seed
    #[command(after_help = SYNTH_HELP)]
    Synth(SynthArgs),
    /// Write an example study: raw files of two invented sites, a mapping and a job, with what to run
    Init(InitArgs),
    /// Make a folder of daily site files of data as people have them: tables, towers, chambers
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Write a pack from files of real sites
    #[command(after_help = PACK_HELP)]
    Pack(PackArgs),
    /// Show what is in a pack
    #[command(after_help = INSPECT_HELP)]
    Inspect(InspectArgs),
    /// Show what a sweep would do: trials, what is done already, time and memory; checks the job against its pack
    #[command(after_help = PLAN_HELP)]
    Plan(PlanArgs),
    /// Train the grid, select, train the ensemble, evaluate, report; run again, it continues
    #[command(after_help = SWEEP_HELP)]
    Sweep(SweepArgs),
    /// Hand a sweep to Slurm: make the batch script for a cluster, have it checked, submit it
    #[command(after_help = SUBMIT_HELP)]
    Submit(SubmitArgs),
    /// Train one trial in the foreground and print its record
    Trial(TrialArgs),
    /// Show how far a sweep is, also while it runs and from a login node
    Status(StatusArgs),
    /// Tell of a trial and its configuration: how far it is and why, where it ran, its epochs
    Explain(ExplainArgs),
    /// Set runs side by side, paired by site: scores on the days that all are judged on, and what their jobs differ in
    #[command(after_help = COMPARE_HELP)]
    Compare(CompareArgs),
    /// Write a run's search for other programs: a table, or a study for Optuna and its dashboard
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArgs),
    /// Have a running sweep stop in good order, from any host that sees its run directory
    Stop(StopArgs),
    /// Set aside what is damaged in a run directory, so that the same sweep makes it again
    Repair(RepairArgs),
    /// Evaluate a run's members again: predictions and tables
    Evaluate(RunArgs),
    /// Write a run's figures and page again
    Report(RunArgs),
    /// Simulate any pack with a run's members, and tell where they extrapolate
    #[command(after_help = PREDICT_HELP)]
    Predict(PredictArgs),
    /// Condition a run's members on the observed days of new sites, without training, and simulate the pack
    #[command(after_help = ADAPT_HELP)]
    Adapt(PredictArgs),
    /// Check this machine: MPI, Slurm, devices, the run directory's file system; says what to do about what is missing
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Write the help as manual pages, one for each command
    #[command(after_help = MAN_HELP)]
    Man(ManArgs),
}

#[derive(Args, Debug)]
pub(crate) struct JobArgs {
    /// The job file: what to run
    #[arg(value_name = "JOB")]
    pub(crate) job: PathBuf,

    /// Take this pack instead of the one the job names
    #[arg(long, value_name = "PACK")]
    pub(crate) pack: Option<PathBuf>,

    /// Run directory [default: runs/<job file's name>]
    #[arg(long, env = "EFFLUX_RUN_DIR", value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
}

impl JobArgs {
    /// Where the run lives: the option, the variable, or `runs/` and the job file's name.
    pub(crate) fn run_dir(&self) -> PathBuf {
        self.run_dir.clone().unwrap_or_else(|| {
            let name = self.job.file_stem().unwrap_or_default();
            PathBuf::from("runs").join(name)
        })
    }
}

#[derive(Args, Debug)]
pub(crate) struct SlotsArgs {
    /// Trials to train at a time on each rank; `auto` is one for each of its GPUs and MIG instances, without GPUs
    /// the task's processors under Slurm, one under mpirun, else every processor
    #[arg(
        long,
        env = "EFFLUX_SLOTS",
        default_value = "auto",
        value_name = "N|auto"
    )]
    pub(crate) slots: Slots,
}

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// List every trial with its id
    #[arg(long)]
    pub(crate) trials: bool,

    /// Time a few epochs of trials of each size here, for some seconds, instead of going by another machine
    #[arg(long)]
    pub(crate) calibrate: bool,

    /// Ranks that the sweep will have
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) ranks: u32,

    #[command(flatten)]
    pub(crate) slots: SlotsArgs,

    /// Time limit of a job, as sbatch takes it: how many jobs will follow each other
    #[arg(long, value_name = "TIME", value_parser = time_limit)]
    pub(crate) walltime: Option<u64>,
}

/// Seconds of a time limit.
fn time_limit(text: &str) -> Result<u64, String> {
    efflux_job::time_limit(text).ok_or_else(|| format!("expected {}", efflux_job::TIME_LIMITS))
}

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// Print the run directory and do nothing else: for the batch script, which looks into it
    #[arg(long, hide = true)]
    pub(crate) show_run_dir: bool,

    #[command(flatten)]
    pub(crate) slots: SlotsArgs,

    /// Trials that each slot trains at once, those of one hidden size and window side by side: for GPUs, which one
    /// trial of the paper's size keeps waiting
    #[arg(
        long,
        env = "EFFLUX_LANES",
        default_value = "1",
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1024)
    )]
    pub(crate) lanes: u32,

    #[command(flatten)]
    pub(crate) trainer: TrainerArgs,

    /// Seconds without a sign of life after which a trainer is killed and its trials tried again from their checkpoints,
    /// and after which the trials of a rank are given to others
    #[arg(
        long,
        env = "EFFLUX_HANG_SECONDS",
        default_value = "600",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(2..)
    )]
    pub(crate) hang_seconds: u32,

    /// Further attempts at a trial whose trainer crashed or hung, before it is set aside
    #[arg(
        long,
        env = "EFFLUX_RETRIES",
        default_value = "2",
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(..=1000)
    )]
    pub(crate) retries: u32,

    /// When the allocation ends: seconds since 1970, 2026-11-23T22:00:00Z, or `never` [default: what
    /// Slurm says of this job]
    #[arg(long, env = "EFFLUX_UNTIL", value_name = "TIME")]
    pub(crate) until: Option<Deadline>,

    /// Seconds that running trials have for a last checkpoint: so long before the end they stop, and so
    /// long after USR2 the sweep leaves at the latest
    #[arg(
        long,
        env = "EFFLUX_DRAIN_SECONDS",
        default_value_t = DRAIN_SECONDS,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) drain_seconds: u32,
}

#[derive(Args, Debug)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// Cluster file, or the name of one in configs/clusters (configs/README.md describes it)
    #[arg(long, env = "EFFLUX_CLUSTER", value_name = "FILE|NAME")]
    pub(crate) cluster: String,

    /// Print the script, have it checked where there is a Slurm, submit nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Time limit of a job, as sbatch takes it [default: the cluster file's]
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct TrialArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,

    /// The trial's id, as `efflux plan --trials` lists it, or enough of its beginning
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,

    /// Keep weights, simulation, epochs and log here. Interrupted, the same command continues
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) trainer: TrainerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct TrainerArgs {
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,

    /// How often to keep what it takes to go on with a running trial: a kill costs no more than this
    #[arg(
        long,
        env = "EFFLUX_CHECKPOINT_SECONDS",
        default_value_t = CHECKPOINT_SECONDS,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) checkpoint_seconds: u32,
}

#[derive(Args, Debug)]
pub(crate) struct ComputeArgs {
    /// Where to compute
    #[arg(
        long,
        env = "EFFLUX_DEVICE",
        default_value = "auto",
        value_name = "DEVICE"
    )]
    pub(crate) device: DeviceChoice,

    /// Hold trainers to this instruction-set level, to give the bits that such a processor gives
    /// [default: the lowest of all hosts]
    #[arg(long, env = "EFFLUX_LEVEL", value_name = "LEVEL")]
    pub(crate) level: Option<Level>,
}

#[derive(Args, Debug)]
pub(crate) struct PredictArgs {
    /// The run directory of a sweep with members
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,

    /// What to simulate: any pack with the inputs of the run, in the same units; observed fluxes are not needed
    #[arg(long, value_name = "PACK")]
    pub(crate) pack: PathBuf,

    /// Where predictions and tables go
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,

    /// Replace predictions that are there already
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Where pack, run and report go
    #[arg(default_value = "efflux-demo", value_name = "DIR")]
    pub(crate) directory: PathBuf,

    #[command(flatten)]
    pub(crate) slots: SlotsArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Where the pages go
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Directory whose file system to check
    #[arg(long, env = "EFFLUX_RUN_DIR", default_value = ".", value_name = "DIR")]
    pub(crate) run_dir: PathBuf,

    /// As JSON: `ready`, and `findings` with what, state (good, limited, missing), found and remedy
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_option_is_documented_and_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_is_no_wider_than_a_terminal_and_has_what_all_commands_share_at_its_end() {
        let mut program = Cli::command().term_width(80);
        program.build();
        for command in program.get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
            // An example that is wrapped cannot be pasted.
            let examples = help.split("Examples:\n").nth(1).unwrap_or_default();
            let lines = examples.lines().take_while(|line| !line.is_empty());
            for line in lines {
                let begins = ["  efflux ", "  mpirun ", "  sbatch "];
                assert!(begins.iter().any(|begin| line.starts_with(begin)), "{line}");
            }
            let logging = help.find("Logging:").unwrap();
            let own = help.rfind("  -h, --help").unwrap();
            assert!(own < logging, "{help}");
        }
    }
}
