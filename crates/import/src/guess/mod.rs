//! What files are, by their names and first lines, and the mapping that would read them.

mod collections;
mod interval;
mod look;
mod signs;
mod table;
mod words;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};

use self::look::Look;
use crate::layout::Layout;

/// Marks what people have to say.
const FILL_IN: &str = "# FILL IN";
/// Marks what is likely, and what people have to look at.
const CHECK: &str = "# CHECK";

/// The mapping that would read these files, as TOML. Lines with `FILL IN` ask for what no file tells.
///
/// # Errors
///
/// [`Error::Data`] with the reason for files that hold no efflux, or that cannot be told; [`Error::Io`] if one cannot be read.
pub fn guess(files: &[PathBuf]) -> Result<String> {
    let looks = files
        .iter()
        .map(|path| Look::at(path))
        .collect::<Result<Vec<_>>>()?;
    if looks.is_empty() {
        return Err(Error::Usage("expected files to look at".into()));
    }
    for look in &looks {
        let reason = match crate::refused::reason(&look.path)? {
            Some(reason) => Some(reason),
            None if collections::layout(look).is_some() => None,
            None => look.refusal().map(str::to_owned),
        };
        if let Some(reason) = reason {
            return Err(Error::file(&look.path, reason));
        }
    }
    let layouts: Vec<Option<Layout>> = looks.iter().map(signs::layout).collect();
    let mut layout = None;
    for found in layouts.iter().flatten() {
        if layout.is_some_and(|layout| layout != *found) {
            return Err(Error::Usage(
                "expected files of one layout at a time: these are of several (one mapping reads one layout)".into(),
            ));
        }
        layout = Some(*found);
    }
    let mut text = String::from(
        "# Save this in the folder that you are in, as import.toml, say: files are named from there.\n\
         # Then: efflux import import.toml -o daily && efflux pack --sites daily -o sites.h5\n",
    );
    match layout {
        Some(layout) => network(&mut text, layout, &looks),
        None => table::mapping(&mut text, &looks[0], &looks)?,
    }
    Ok(text)
}

/// A mapping of a layout that tells its columns itself.
fn network(text: &mut String, layout: Layout, looks: &[Look]) {
    let paths: Vec<&Path> = looks.iter().map(|look| look.path.as_path()).collect();
    let _ = writeln!(text, "layout = \"{}\"", layout.name());
    let _ = writeln!(text, "files = {}", list(&paths));
    match layout {
        Layout::AmerifluxBase => {
            let names: Vec<String> = looks.iter().flat_map(Look::names).collect();
            let candidates = crate::ameriflux::candidates(&names);
            let _ = writeln!(
                text,
                "{FILL_IN}: the column that is the soil's efflux; FC and NEE are net exchange, RECO is of the whole ecosystem.\n\
                 # target = \"{}\"",
                candidates.first().map_or("RECO_PI", String::as_str)
            );
            metadata(text, "BIF", looks);
        }
        Layout::Fluxnet | Layout::IcosL2 => {
            let _ = writeln!(
                text,
                "{FILL_IN}: these files have no efflux of soil. If respiration of the whole ecosystem, modelled from tower data, is\n\
                 # what you want, take the mark from the next line.\n\
                 # target = \"RECO_NT_VUT_REF\""
            );
            let is_icos = layout == Layout::IcosL2;
            metadata(text, if is_icos { "SITEINFO" } else { "BIF" }, looks);
            let _ = writeln!(
                text,
                "\n[fluxnet]\nquality = 0.8  {CHECK}: the least share of measured or well filled steps of a day"
            );
        }
        Layout::Neon => {
            let _ = writeln!(
                text,
                "\n[neon]\ndiffus_method = \"Millington-Quirk\"  {CHECK}: or \"Marshall\"\nmethod = \"000\"  {CHECK}: all layers\n\n\
                 {FILL_IN}: the site, as the folder or `siteID` calls it, and the hours that its standard time is ahead of UTC\n\
                 # [[sites]]\n# id = \"SRER\"\n# utc_offset = -7"
            );
        }
        Layout::NeuralHydrology => {
            let _ = writeln!(
                text,
                "\n[neuralhydrology]\n{FILL_IN}: the unit of the target, if its variable has no `units`\n# unit = \"g C m-2 d-1\""
            );
        }
        Layout::Licor81x
        | Layout::LicorExport
        | Layout::Licor8250
        | Layout::LicorSmartChamber
        | Layout::Eosfd => chamber(text),
        Layout::HydroDl | Layout::Cosore | Layout::CarbonFluxBench => {
            collections::mapping(text, layout, looks);
        }
        Layout::Table => {}
    }
}

/// Asks for the file that tells of the sites, if it is not there.
fn metadata(text: &mut String, file: &str, looks: &[Look]) {
    if !looks.iter().any(Look::is_metadata) {
        let _ = writeln!(
            text,
            "{FILL_IN}: add the file {file} to `files`: it tells coordinates and land cover"
        );
    }
}

/// What files of chambers do not tell.
fn chamber(text: &mut String) {
    let _ = writeln!(
        text,
        "\n{FILL_IN}: the site. Files of chambers do not tell it\n# [[sites]]\n# id = \"OAK\"\n# lat = 51.2\n# lon = 9.1\n\n\
         [chamber]\n# zone = \"Etc/GMT+5\"  {CHECK}: the instrument's clock, if it is not the site's standard time\n\n\
         [chamber.columns]\n{FILL_IN}: what was plugged in\n# soil_temp_c = \"V3\"\n\
         # soil_moisture_m3_m3 = {{ column = \"V4\", unit = \"%\" }}"
    );
}

/// A list of files as TOML writes it.
fn list(paths: &[&Path]) -> String {
    let quoted: Vec<String> = paths
        .iter()
        .map(|path| quoted(&glob::Pattern::escape(&path.to_string_lossy())))
        .collect();
    format!("[{}]", quoted.join(", "))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
