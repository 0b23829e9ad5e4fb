//! `efflux`: parse, log, dispatch, exit code.

mod cli;
mod command;
mod console;
mod shipped;

use std::process::ExitCode;

use clap::Parser;
use efflux_base::complain;
use efflux_base::error::{Exit, Result};

use cli::{Cli, Command};
use console::Log;

/// With the commit, where the build knew it.
const VERSION: &str = env!("EFFLUX_VERSION");

fn main() -> ExitCode {
    efflux_base::announce(VERSION);
    std::panic::set_hook(Box::new(|panic| {
        complain!("efflux: defect: {panic}");
        std::process::exit(Exit::Internal as i32);
    }));
    if let Err(error) = efflux_protocol::survive_file_limits() {
        complain!("error: {error}");
        return error.exit().into();
    }
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::wipe();
            complain!("error: {}", console::printable(&error.to_string()));
            error.exit().into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit> {
    let log = Log::start(&cli.log, cli.log_format)?;
    carry_out(cli.command, &log)
}

fn carry_out(command: Command, log: &Log) -> Result<Exit> {
    match command {
        Command::Demo(args) => command::demo::demo(&args, log),
        Command::Synth(args) => command::data::synth(&args),
        Command::Init(args) => command::import::init(&args),
        Command::Import(args) => command::import::import(&args),
        Command::Pack(args) => command::data::pack(&args),
        Command::Inspect(args) => command::data::inspect(&args),
        Command::Plan(args) => command::plan::plan(&args),
        Command::Sweep(args) => command::sweep::sweep(&args, log),
        Command::Submit(args) => command::submit::submit(&args),
        Command::Trial(args) => command::trial::trial(&args),
        Command::Status(args) => command::status::status(&args),
        Command::Explain(args) => command::explain::explain(&args),
        Command::Compare(args) => command::compare::compare(&args),
        Command::Export(args) => command::export::export(&args),
        Command::Stop(args) => command::stop::stop(&args),
        Command::Repair(args) => command::repair::repair(&args),
        Command::Evaluate(args) => command::evaluate::evaluate(&args),
        Command::Report(args) => command::evaluate::report(&args),
        Command::Predict(args) => command::predict::predict(&args),
        Command::Adapt(args) => command::predict::adapt(&args),
        Command::Doctor(args) => command::doctor::doctor(&args),
        Command::Completions(args) => command::completions(&args),
        Command::Man(args) => command::manual::manual(&args),
    }
}
