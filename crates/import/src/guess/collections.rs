//! Signs of hydroDL's folders, of COSORE and of CarbonFluxBench, and the mappings that would read them.

use std::fmt::Write;
use std::path::Path;

use super::look::Look;
use super::{CHECK, FILL_IN, quoted};
use crate::layout::Layout;

/// The layout that a file is of, if it is one of these.
pub(super) fn layout(look: &Look) -> Option<Layout> {
    let ends = |ending: &str| look.name.to_lowercase().ends_with(ending);
    let has = |text: &str| look.lines.iter().any(|line| line.contains(text));
    let names = look.names();
    let named = |name: &str| names.iter().any(|other| other == name);
    let begins = |names: &[&str]| names.iter().any(|name| look.name.starts_with(name));
    if look.name == "info.json" && has("\"siteNoLst\"")
        || look.name == "timeStr.csv"
        || ends(".csv") && begins(&["temporal_"])
    {
        Some(Layout::HydroDl)
    } else if look.is_zip && begins(&["cosore-"])
        || look.name == "description.csv" && named("CSR_DATASET")
    {
        Some(Layout::Cosore)
    } else if begins(&["target_fluxes.", "target_fluxes_v2.", "ERA5.", "MOD09GA."]) {
        Some(Layout::CarbonFluxBench)
    } else {
        None
    }
}

/// What follows `layout` and `files` in a mapping of one of these.
pub(super) fn mapping(text: &mut String, layout: Layout, looks: &[Look]) {
    let _ = match layout {
        Layout::HydroDl => hydrodl(text, looks),
        Layout::Cosore => writeln!(
            text,
            "\n# [cosore]  {CHECK}: chambers of all kinds are read, also trenched ones\n# treatments = \"none\"\n# fluxes = [\"Rs\", \"Rh\"]"
        ),
        Layout::CarbonFluxBench => writeln!(
            text,
            "{FILL_IN}: there is no efflux of soil in it. If respiration of the whole ecosystem, modelled from tower data, is what you\n\
             # want, take the mark from the next line. Name the table ERA5 in `files`, too.\n# target = \"RECO_NT_VUT_USTAR50\""
        ),
        _ => Ok(()),
    };
}

fn hydrodl(text: &mut String, looks: &[Look]) -> std::fmt::Result {
    let look = &looks[0];
    let folder = |up: usize| {
        look.path
            .ancestors()
            .nth(up)
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .into_owned()
    };
    let (kind, folder, subset) = match look.name.as_str() {
        "info.json" => ("case", folder(1), String::new()),
        "timeStr.csv" => (
            "dbcsv",
            folder(3),
            format!("subset = \"…\"  {FILL_IN}: a file in `Subset`\n"),
        ),
        _ => ("wide", folder(1), String::new()),
    };
    // The folder stands for the files.
    if let Some(start) = text.find("files = ") {
        text.truncate(start);
    }
    writeln!(
        text,
        "target = \"efflux\"  {FILL_IN}: the variable that is the flux\n\n[hydrodl]\nkind = \"{kind}\"\nfolder = {}\n{subset}\
         unit = \"umol m-2 s-1\"  {FILL_IN}: of the flux, no file tells it\n\n\
         # [hydrodl.columns]  {FILL_IN}: daily names of the other variables\n# soil_temp_c = \"Tsoil\"\n\
         # Sites without coordinates need [[sites]] with id, lat and lon.",
        quoted(&folder)
    )
}
