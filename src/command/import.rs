//! `efflux import`: data as people have them become daily site files; `efflux init`: an example of that.

use std::path::{Path, PathBuf};

use efflux_base::error::{Exit, Result};
use efflux_import::Mapping;

use super::tell;
use crate::cli::{ImportArgs, InitArgs};
use crate::console::{print, say};

/// Writes an example study.
pub(crate) fn init(args: &InitArgs) -> Result<Exit> {
    efflux_import::write_example(&args.folder)?;
    let folder = args.folder.display();
    say!(
        "{folder}: an example study. Next: cd {folder} && efflux import import.toml -o daily (README.md goes on from there)"
    );
    Ok(Exit::Complete)
}

/// Writes a folder of daily site files, or prints the mapping that would.
pub(crate) fn import(args: &ImportArgs) -> Result<Exit> {
    let Some(path) = &args.mapping else {
        print(efflux_import::guess(&args.guess)?);
        return Ok(Exit::Complete);
    };
    let mut mapping = Mapping::read(path)?;
    if let Some(target) = &args.target {
        mapping = mapping.with_target(target)?;
    }
    let daily = efflux_import::import(&mapping)?;
    let folder = args.output.clone().unwrap_or_else(|| beside(path));
    tell(&daily.notes, &daily.warnings, args.strict, &folder)?;
    daily.write(&folder)?;
    say!("{}: {daily}", folder.display());
    Ok(Exit::Complete)
}

/// The folder for a mapping: its name without ending, and `-daily`.
fn beside(mapping: &Path) -> PathBuf {
    let mut name = mapping.file_stem().unwrap_or_default().to_owned();
    name.push("-daily");
    mapping.with_file_name(name)
}
