//! `efflux man`: the help as manual pages.

use clap::CommandFactory;
use clap_mangen::Man;
use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};

use crate::cli::{Cli, ManArgs};
use crate::console::say;

/// Writes `efflux.1` and a page for each command.
pub(crate) fn manual(args: &ManArgs) -> Result<Exit> {
    let mut program = Cli::command();
    program.build();
    durable::create_directory(&args.directory)?;
    let mut pages = 0;
    for command in std::iter::once(&program).chain(program.get_subcommands()) {
        if command.is_hide_set() {
            continue;
        }
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = args.directory.join(format!("{name}.1"));
        let mut page = Vec::new();
        Man::new(command.clone())
            .render(&mut page)
            .map_err(Error::io("write", &path))?;
        durable::write(&path, page)?;
        pages += 1;
    }
    say!("{}: {pages} pages", args.directory.display());
    Ok(Exit::Complete)
}
