//! Where the two programs are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The program `efflux`.
pub(crate) const EFFLUX: &str = env!("CARGO_BIN_EXE_efflux");

/// The program `efflux-trainer`. It is of another package, so cargo does not see to it that it is there.
pub(crate) fn trainer() -> &'static Path {
    static FOUND: LazyLock<PathBuf> = LazyLock::new(|| {
        let program = Path::new(EFFLUX).with_file_name("efflux-trainer");
        let built = fs::metadata(&program).and_then(|file| file.modified());
        // Beside it cargo lists what it was compiled of: `program: source source …`.
        let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
        let newer = sources.split_once(": ").map_or("", |(_, sources)| sources);
        let newer = newer.split_whitespace().find(|source| {
            let changed = fs::metadata(source).and_then(|file| file.modified());
            matches!((changed, &built), (Ok(changed), Ok(built)) if changed > *built)
        });
        let fault = match (&built, newer) {
            (Err(_), _) => "is not there".to_owned(),
            (Ok(_), Some(source)) => format!("is older than {source}"),
            (Ok(_), None) => return program,
        };
        let profile = if cfg!(debug_assertions) {
            ""
        } else {
            " --release"
        };
        panic!(
            "{} {fault}: `cargo build{profile}` builds both programs, and `make test` does so first",
            program.display()
        );
    });
    &FOUND
}
