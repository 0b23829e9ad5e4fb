//! Libraries that are loaded in front of a program's own, to have its calls to the system go wrong. Compiled where a test
//! needs them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use efflux_testing::{left_out, repository};
use tempfile::TempDir;

/// `shims/NAME.c`, compiled; none where there is no C compiler, which is noted for the test.
pub(crate) fn compiled(name: &'static str, test: &str) -> Option<PathBuf> {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    static COMPILED: Mutex<BTreeMap<&str, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap();
    let library = compiled.entry(name).or_insert_with(|| {
        let library = FOLDER.path().join(format!("{name}.so"));
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let output = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .arg(repository().join(format!("tests/it/shims/{name}.c")))
            .arg("-ldl")
            .output()
            .map_err(|error| format!("{compiler}: {error}"))?;
        if output.status.success() {
            Ok(library)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    match library {
        Ok(library) => Some(library.clone()),
        Err(reason) => {
            left_out(test, reason);
            None
        }
    }
}
