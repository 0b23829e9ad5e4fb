//! What people see while a command works: log lines, and on a terminal one line of progress below them.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use efflux::error::{Error, Result};

use crate::cli::LogFormat;

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// The log of this process, to which a file can be added once it is known where.
pub(crate) struct Log {
    filter: String,
    file: reload::Handle<Option<Boxed>, Registry>,
}

impl Log {
    /// Starts logging to stderr.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a filter that cannot be understood.
    pub(crate) fn start(filter: &str, format: LogFormat) -> Result<Self> {
        let (file, handle) = reload::Layer::new(None);
        let console = match format {
            LogFormat::Text => tracing_subscriber::fmt::layer()
                .with_writer(AboveProgress)
                .with_ansi(io::stderr().is_terminal())
                .with_target(false)
                .with_filter(parse(filter)?)
                .boxed(),
            LogFormat::Json => tracing_subscriber::fmt::layer()
                .json()
                .with_writer(AboveProgress)
                .with_filter(parse(filter)?)
                .boxed(),
        };
        let layers: Vec<Boxed> = vec![file.boxed(), console];
        tracing_subscriber::registry()
            .with(layers)
            .try_init()
            .map_err(|error| Error::Internal(format!("log: {error}")))?;
        Ok(Self {
            filter: filter.to_owned(),
            file: handle,
        })
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
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(Mutex::new(file))
            .with_ansi(false)
            .with_filter(parse(&self.filter)?)
            .boxed();
        self.file
            .reload(Some(layer))
            .map_err(|error| Error::Internal(format!("log: {error}")))
    }
}

fn parse(filter: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(filter)
        .map_err(|error| Error::Usage(format!("--log `{filter}` cannot be understood: {error}")))
}

/// Stderr, each line first wiping a line of progress that may stand there.
struct AboveProgress;

impl<'a> MakeWriter<'a> for AboveProgress {
    type Writer = io::Stderr;

    fn make_writer(&'a self) -> io::Stderr {
        wipe();
        io::stderr()
    }
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
