//! What people see while a command works: log lines, and on a terminal one line of progress below them.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use efflux_base::complain;
use efflux_base::error::{Error, Result};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::LogFormat;

/// The log of this process: stderr, and a file once it is known where.
pub(crate) struct Log {
    file: LogFile,
}

impl Log {
    /// Starts logging to stderr.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a filter that cannot be understood.
    pub(crate) fn start(filter: &str, format: LogFormat) -> Result<Self> {
        let file = LogFile::default();
        let in_file = tracing_subscriber::fmt::layer()
            .with_writer(file.clone())
            .with_ansi(false)
            .with_filter(parse(filter)?);
        let layer = tracing_subscriber::fmt::layer().with_writer(AboveProgress);
        let console = match format {
            LogFormat::Text => layer
                .with_timer(Seconds)
                .with_ansi(io::stderr().is_terminal())
                .with_target(false)
                .with_filter(parse(filter)?)
                .boxed(),
            LogFormat::Json => layer.json().with_filter(parse(filter)?).boxed(),
        };
        tracing_subscriber::registry()
            .with(console)
            .with(in_file)
            .try_init()
            .map_err(|error| Error::Internal(format!("log: {error}")))?;
        Ok(Self { file })
    }

    /// Logs to this file too.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written.
    pub(crate) fn also_to(&self, path: &Path) -> Result<()> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(Error::io("write the log", path))?;
        if let Ok(mut open) = self.file.0.lock() {
            *open = Some(file);
        }
        Ok(())
    }
}

/// UTC to the second: a trial takes minutes.
struct Seconds;

impl FormatTime for Seconds {
    fn format_time(&self, line: &mut Writer<'_>) -> fmt::Result {
        write!(
            line,
            "{}",
            jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    }
}

/// A file that need not be open yet. Clones are the same file.
#[derive(Clone, Default)]
struct LogFile(Arc<Mutex<Option<File>>>);

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for LogFile {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if let Ok(Some(file)) = self.0.lock().as_deref_mut() {
            // A log on a full disk is cut short, and the sweep goes on: its journal says what counts.
            let _ = file.write_all(text);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn parse(filter: &str) -> Result<Targets> {
    filter
        .parse()
        .map_err(|error| Error::Usage(format!("--log `{filter}` cannot be understood: {error}")))
}

/// Stderr, each line first wiping a line of progress that may stand there.
struct AboveProgress;

impl<'a> MakeWriter<'a> for AboveProgress {
    type Writer = Unfailing;

    fn make_writer(&'a self) -> Unfailing {
        wipe();
        Unfailing
    }
}

/// Stderr, of which nothing else depends on whether it is open and has room.
struct Unfailing;

impl Write for Unfailing {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Prints a line of what a command was asked for, as `println!` does.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::console::print(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(crate) use say;

/// Prints what a command was asked for, with nothing in it that a terminal would take for an order. A reader that has seen
/// enough (`efflux inspect | head`) and a disk that is full are no reasons to end otherwise; of the latter stderr tells.
pub(crate) fn print(text: impl fmt::Display) {
    let text = printable(&text.to_string());
    let mut stdout = io::stdout();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        complain!("stdout: {error}");
    }
}

/// The text with its control characters spelled out, but for those that end lines and fill tables.
pub(crate) fn printable(text: &str) -> String {
    let spelled = |c: char| {
        if c.is_control() && c != '\n' && c != '\t' {
            c.escape_default().collect()
        } else {
            String::from(c)
        }
    };
    text.chars().map(spelled).collect()
}

/// Whether somebody may watch the line of progress.
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Removes the line of progress from a terminal.
pub(crate) fn wipe() {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // A terminal that cannot be written to shows nothing either way.
        let _ = stderr.write_all(b"\r\x1b[2K");
    }
}

/// Shows a line of progress, on a terminal only: in the log of a batch job it would be noise.
pub(crate) fn progress(line: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        wipe();
        let _ = write!(stderr, "{line}").and_then(|()| stderr.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        let hostile = "site \u{1b}]0;title\u{7}\u{9b}31m\r\tÅ\n";
        assert_eq!(
            printable(hostile),
            "site \\u{1b}]0;title\\u{7}\\u{9b}31m\\r\tÅ\n"
        );
    }
}
