//! The parent's handle on one trainer process.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use efflux_base::error::{Error, Result};
use efflux_protocol::{ALLOCATOR, Frames, Order, Preparation, Report, Seen, write_frame};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;

use super::slots;

/// A running `efflux-trainer`. Killed when dropped.
#[derive(Debug)]
pub struct Trainer {
    child: Child,
    orders: ChildStdin,
    reports: ChildStdout,
    frames: Frames,
    planned: Preparation,
    log: PathBuf,
    /// Where its own words begin in the log, which the slot's trainers share.
    log_start: u64,
}

/// How a trainer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// In words that follow "the trainer".
    how: String,
    /// Whether it was SIGKILL, and not from here: as a rule the kernel's, which found too little memory.
    pub by_kill: bool,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.how)
    }
}

/// Variables that launchers set for their ranks and that a trainer, which is no rank, must not see.
const LAUNCHERS: [&str; 7] = [
    "OMPI_", "PMIX_", "PMI_", "PRTE_", "SLURM_", "HYDRA_", "MPI_",
];

/// Variables by which OpenMP binds threads itself. It would have every trainer begin at the first processor.
const BINDING: [&str; 4] = [
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
];

/// On a GPU: sums are taken in the same order in every run, cuDNN's LSTM included.
const SAME_SUMS: (&str, &str) = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");

/// On a GPU: 0 lets 32-bit products keep all their bits.
const TF32: &str = "NVIDIA_TF32_OVERRIDE";

impl Trainer {
    /// Starts a trainer and tells it what all its trials have in common. It says [`Report::Seated`] when it has
    /// loaded the pack. Must be called from a thread that lives to the end: trainers die with the thread that spawned them.
    ///
    /// # Errors
    ///
    /// [`Error::Trainer`] if it cannot be started, [`Error::Io`] if its log cannot be written.
    pub fn spawn(preparation: &Preparation, log: &Path) -> Result<Self> {
        let program = trainer_program()?;
        let log_file = open_log(log)?;
        let log_start = log_file.metadata().map_or(0, |data| data.len());
        let threads = preparation.contract.training.threads.to_string();
        let mut command = Command::new(&program);
        command
            .arg("--parent")
            .arg(std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            // A Ctrl-C at the terminal is for the sweep, which then stops its trainers in good order.
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if LAUNCHERS.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
            .envs(slots::environment(preparation.level))
            .envs(ALLOCATOR)
            .env(SAME_SUMS.0, SAME_SUMS.1)
            .env_remove(TF32)
            .env("OMP_NUM_THREADS", &threads)
            .env("MKL_NUM_THREADS", &threads);
        for name in BINDING {
            command.env_remove(name);
        }
        if let Some(gpu) = &preparation.seat.gpu {
            command.env("CUDA_VISIBLE_DEVICES", gpu);
        }
        if !preparation.contract.training.tf32 {
            command.env(TF32, "0");
        }
        let refused = |error: io::Error| {
            Error::Trainer(format!("cannot start {}: {error}", program.display()))
        };
        let mut child = command.spawn().map_err(refused)?;
        let (Some(orders), Some(reports)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Internal("a trainer without pipes".into()));
        };
        let flags = fcntl_getfl(&reports).map_err(|error| refused(error.into()))?;
        fcntl_setfl(&reports, flags | OFlags::NONBLOCK).map_err(|error| refused(error.into()))?;
        let mut trainer = Self {
            child,
            orders,
            reports,
            frames: Frames::default(),
            planned: preparation.clone(),
            log: log.to_owned(),
            log_start,
        };
        trainer.send(&Order::Prepare(Box::new(preparation.clone())));
        Ok(trainer)
    }

    /// Sends an order. A trainer that is gone cannot take it: reading its reports tells.
    pub fn send(&mut self, order: &Order) {
        if let Err(error) = write_frame(&mut self.orders, order) {
            tracing::debug!(%error, "order not delivered");
        }
    }

    /// Compares what it sees with what was planned for it. One that differs must not be given a trial.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] with what was planned, what was seen, and what to do.
    pub fn check(&self, seen: &Seen) -> Result<()> {
        seen.check(&self.planned)
    }

    /// What to wait on for reports.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.reports.as_fd()
    }

    /// What has been reported, without waiting.
    ///
    /// # Errors
    ///
    /// How the trainer ended, or that it sends garbage, in which case it has been killed.
    pub fn reports(&mut self) -> Result<Vec<Report>, Gone> {
        let mut arrived = [0; 1 << 16];
        let mut reports = Vec::new();
        let open = loop {
            match self.reports.read(&mut arrived) {
                Ok(0) => break false,
                Ok(count) => self.frames.push(&arrived[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.end(&format!("its pipe cannot be read: {error}"))),
            }
        };
        loop {
            match self.frames.pop() {
                Ok(Some(report)) => reports.push(report),
                Ok(None) => break,
                Err(garbage) => return Err(self.end(&garbage)),
            }
        }
        // What a trainer said before it ended counts; that it ended is found again at the next call.
        if open || !reports.is_empty() {
            return Ok(reports);
        }
        match self.child.wait() {
            Ok(status) => Err(Gone {
                how: self.with_log(describe(status)),
                by_kill: status.signal() == Some(Signal::KILL.as_raw()),
            }),
            Err(error) => Err(self.gone(format!("cannot be waited for: {error}"))),
        }
    }

    /// Kills it, and says so with its last words.
    pub(super) fn end(&mut self, reason: &str) -> Gone {
        self.kill();
        self.gone(format!("was killed: {reason}"))
    }

    fn gone(&self, how: String) -> Gone {
        Gone {
            how: self.with_log(how),
            by_kill: false,
        }
    }

    fn with_log(&self, text: String) -> String {
        let written = std::fs::read(&self.log).unwrap_or_default();
        let start = usize::try_from(self.log_start).unwrap_or(usize::MAX);
        let own = String::from_utf8_lossy(written.get(start..).unwrap_or_default());
        match own.lines().rfind(|line| !line.trim().is_empty()) {
            Some(last) => format!("{text}; its last words in {}: {last}", self.log.display()),
            None => text,
        }
    }

    /// Asks it to end, waits until the deadline, then kills it.
    pub fn stop(mut self, deadline: Instant) {
        self.send(&Order::Stop);
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }

    fn kill(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The trainer's program: the one `EFFLUX_TRAINER` names, else the one beside this program.
///
/// # Errors
///
/// [`Error::Trainer`] if there is none.
pub fn trainer_program() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("EFFLUX_TRAINER") {
        return Ok(named.into());
    }
    let this = std::env::current_exe()
        .map_err(|error| Error::Trainer(format!("cannot find this program's own file: {error}")))?;
    let beside = this.with_file_name("efflux-trainer");
    if beside.exists() {
        return Ok(beside);
    }
    Err(Error::Trainer(format!(
        "{} is missing (install both programs side by side, or name it in EFFLUX_TRAINER)",
        beside.display()
    )))
}

fn open_log(log: &Path) -> Result<File> {
    if let Some(directory) = log.parent() {
        std::fs::create_dir_all(directory).map_err(Error::io("create the directory", directory))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .map_err(Error::io("write the log", log))
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
