//! Where to find what comes with the programs: example jobs, cluster files, batch scripts, data.

use std::path::{Path, PathBuf};

/// The folders that may hold it, the first one first: `EFFLUX_HOME`, this one, and what belongs to this program's own file,
/// in an installed tree `PREFIX/share/efflux` and in one that was built the repository.
pub(crate) fn folders() -> Vec<PathBuf> {
    let named = std::env::var_os("EFFLUX_HOME").map(PathBuf::from);
    let program = std::env::current_exe().unwrap_or_default();
    let prefix = program.parent().and_then(Path::parent);
    let installed = prefix.map(|prefix| prefix.join("share/efflux"));
    let built = prefix.and_then(Path::parent).map(Path::to_owned);
    let folders = [named, Some(PathBuf::new()), installed, built];
    folders.into_iter().flatten().collect()
}

/// The first folder that has a file or folder of this name.
pub(crate) fn folder_with(name: &str) -> Option<PathBuf> {
    folders()
        .into_iter()
        .find(|folder| folder.join(name).exists())
}
