//! One trainer process: its start, its pipes, its exit status.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_protocol::{Frames, FromTrainer, ToTrainer, TrainerPreparation, write_frame};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;

use super::environment;
use super::trainer_program::trainer_program;

/// A running `efflux-trainer`. Killed when dropped.
#[derive(Debug)]
pub(super) struct TrainerProcess {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    frames: Frames,
    /// Why a message could not be sent to it, while it lived.
    undelivered: Option<io::Error>,
    log: PathBuf,
    /// Where its own messages begin in the log, which the slot's trainers share.
    log_start: u64,
}

/// The exit status of a trainer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainerExit {
    /// In words that follow "the trainer".
    how: String,
    /// Whether somebody else sent it SIGKILL: as a rule the kernel, for want of memory.
    pub by_kill: bool,
}

impl fmt::Display for TrainerExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.how)
    }
}

impl TrainerProcess {
    /// Starts a trainer. Must be called from a thread that lives to the end: trainers die with the thread that spawned
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::Trainer`] if it cannot be started, [`Error::Io`] if its log cannot be written.
    pub(super) fn spawn(preparation: &TrainerPreparation, log: &Path) -> Result<Self> {
        let program = trainer_program()?;
        let log_file = open_log(log)?;
        let log_start = log_file.metadata().map_or(0, |data| data.len());
        let mut command = Command::new(&program);
        command
            .arg("--parent")
            .arg(std::process::id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file);
        environment::prepare(&mut command, preparation);
        let refused = |error: io::Error| {
            Error::Trainer(format!("cannot start {}: {error}", program.display()))
        };
        let mut child = command.spawn().map_err(refused)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Internal("a trainer without pipes".into()));
        };
        let flags = fcntl_getfl(&stdout).map_err(|error| refused(error.into()))?;
        fcntl_setfl(&stdout, flags | OFlags::NONBLOCK).map_err(|error| refused(error.into()))?;
        Ok(Self {
            child,
            stdin,
            stdout,
            frames: Frames::default(),
            undelivered: None,
            log: log.to_owned(),
            log_start,
        })
    }

    /// Sends a message. That it was not taken shows when messages are read: the trainer has ended, or is ended then because
    /// it would wait for the message for ever.
    pub(super) fn send(&mut self, message: &ToTrainer) {
        if let Err(error) = write_frame(&mut self.stdin, message)
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.undelivered.get_or_insert(error);
        }
    }

    /// What to wait on for messages.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.stdout.as_fd()
    }

    /// The messages that have arrived, without waiting.
    ///
    /// # Errors
    ///
    /// The exit status of a trainer that has ended, or that was killed because it sends garbage.
    pub(super) fn received(&mut self) -> Result<Vec<FromTrainer>, TrainerExit> {
        if let Some(error) = self.undelivered.take() {
            return Err(self.kill(&format!("it could not be told what to do: {error}")));
        }
        let mut arrived = [0; 1 << 16];
        let mut messages = Vec::new();
        let open = loop {
            match self.stdout.read(&mut arrived) {
                Ok(0) => break false,
                Ok(count) => self.frames.push(&arrived[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.kill(&format!("its pipe cannot be read: {error}"))),
            }
        };
        loop {
            match self.frames.pop() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(garbage) => return Err(self.kill(&garbage)),
            }
        }
        // What it sent before it ended counts; that it ended is found again at the next call.
        if open || !messages.is_empty() {
            return Ok(messages);
        }
        match self.child.wait() {
            Ok(status) => Err(TrainerExit {
                how: self.with_log(describe(status)),
                by_kill: status.signal() == Some(Signal::KILL.as_raw()),
            }),
            Err(error) => Err(self.exit(format!("cannot be waited for: {error}"))),
        }
    }

    /// Kills it for a reason.
    pub(super) fn kill(&mut self, reason: &str) -> TrainerExit {
        self.end();
        self.exit(format!("was killed: {reason}"))
    }

    fn exit(&self, how: String) -> TrainerExit {
        TrainerExit {
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
    pub(super) fn stop(mut self, deadline: Instant) {
        self.send(&ToTrainer::Stop);
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }

    fn end(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for TrainerProcess {
    fn drop(&mut self) {
        self.end();
    }
}

fn open_log(log: &Path) -> Result<File> {
    if let Some(directory) = log.parent() {
        durable::create_directory(directory)?;
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
