//! How efflux fails, how it writes files, how it complains and which version it is: what every other package that does input
//! or output begins with.

pub mod durable;
pub mod error;
mod version;

use std::fmt;
use std::io::Write;

pub use version::{announce, version};

/// Writes a line to stderr, as `eprintln!` does. That stderr is closed, or a log on a full disk, changes nothing else.
#[macro_export]
macro_rules! complain {
    ($($text:tt)*) => {
        $crate::write_complaint(format_args!($($text)*))
    };
}

/// What [`complain!`] does.
pub fn write_complaint(line: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
