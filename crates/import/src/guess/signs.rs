//! Layouts by the names of files and by what is in their first lines.

use super::look::Look;
use crate::layout::Layout;

/// The layout that a file is of, if its columns are not somebody's own.
pub(super) fn layout(look: &Look) -> Option<Layout> {
    let columns = look.names();
    let has = |name: &str| columns.iter().any(|column| column == name);
    let in_lines = |sign: &str| look.lines.iter().any(|line| line.contains(sign));
    let ends = |ending: &str| look.name.to_lowercase().ends_with(ending);
    if crate::ameriflux::is_data(&look.name) {
        Some(Layout::AmerifluxBase)
    } else if let Some(layout) = crate::fluxnet::layout_of(&look.name) {
        Some(layout)
    } else if crate::neon::is_of_neon(&look.name, &columns) {
        Some(Layout::Neon)
    } else if look.lines.iter().any(|line| line.starts_with("LI-8100:")) {
        Some(Layout::Licor81x)
    } else if has("Obs#") && (has("IV Date") || has("CrvFitStatus")) {
        Some(Layout::LicorExport)
    } else if ends("_summary.csv") && in_lines("FCO2") {
        Some(Layout::Licor8250)
    } else if ends(".json") && in_lines("\"datasets\"") {
        Some(Layout::LicorSmartChamber)
    } else if columns
        .iter()
        .any(|name| name.contains("Flux") && (name.contains("(FD") || name.contains(".P1")))
    {
        Some(Layout::Eosfd)
    } else if (ends(".yml") || ends(".yaml")) && in_lines("target_variables") {
        Some(Layout::NeuralHydrology)
    } else {
        super::collections::layout(look)
    }
}
