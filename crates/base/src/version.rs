//! Which efflux this is: what is said on request and written into files.

use std::sync::OnceLock;

static PROGRAM: OnceLock<&'static str> = OnceLock::new();

/// The program says its version with the commit it was built from, before anything asks. It is handed in so that a commit
/// makes no other package be compiled again.
pub fn announce(version: &'static str) {
    // A second announcement changes nothing.
    let _ = PROGRAM.set(version);
}

/// The version, with the commit where the program knows it: `0.1.0 (3f2a91c07b5e)`.
pub fn version() -> &'static str {
    PROGRAM.get().copied().unwrap_or(env!("CARGO_PKG_VERSION"))
}
