//! `efflux-trainer`: the child that trains. Takes orders on stdin, reports on stdout, speaks to people on stderr.
//!
//! Started by a supervisor, one a slot, and lives for many trials. What it does to itself costs one attempt at one
//! trial: the supervisor starts another.

use std::process::ExitCode;

use efflux_base::error::Exit;
use efflux_job::DeviceChoice;
use efflux_model::{backend, device};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--versions"] => {
            println!("{}", backend::versions());
            Exit::Complete.into()
        }
        ["--gpus"] => match device::open(DeviceChoice::Cuda).and_then(device::gpus) {
            Ok(gpus) => {
                gpus.iter().for_each(|gpu| println!("{gpu}"));
                Exit::Complete.into()
            }
            Err(error) => {
                efflux_base::complain!("{error}");
                error.exit().into()
            }
        },
        ["--parent", parent] => match efflux_trainer::serve(parent) {
            Ok(()) => Exit::Complete.into(),
            Err(error) => {
                efflux_base::complain!("error: {error}");
                error.exit().into()
            }
        },
        _ => {
            efflux_base::complain!(
                "efflux-trainer is started by efflux: see `efflux sweep --help`"
            );
            Exit::Usage.into()
        }
    }
}
