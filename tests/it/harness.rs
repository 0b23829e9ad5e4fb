//! Real programs on small studies.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use efflux_run::record::{Failure, Outcome, Record};
use efflux_run::{Entry, read_journals};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tempfile::TempDir;

use crate::programs::{EFFLUX, trainer};

/// Two configurations × two seeds and two members on six sites: a second or two of training.
pub(crate) const JOB: &str = r#"
pack = "small.h5"

[training]
epochs = 2

[grid]
hidden_size = [8, 12]
window_days = [30]

[seeds]
search = [0, 1]
final = [0, 1]
"#;

/// A directory with a small pack and a job for it.
pub(crate) struct Study {
    pub(crate) directory: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// Asserts exit code and a part of the message.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "`{part}` is not in: {}",
                self.stderr
            );
        }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

impl Study {
    pub(crate) fn new() -> Self {
        Self::with(JOB)
    }

    pub(crate) fn with(job: &str) -> Self {
        let study = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        study
            .run(&["synth", "-o", "small.h5", "--sites", "6", "--years", "3"])
            .ok();
        study.write("job.toml", job);
        study
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// A program of the test's own.
    pub(crate) fn program(&self, name: &str, text: &str) {
        self.write(name, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(self.path(name), mode).unwrap();
    }

    /// `efflux` in this directory, as a user outside any launcher would start it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(EFFLUX);
        trainer();
        command.args(arguments).current_dir(self.directory.path());
        clean(&mut command);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    fn sweep_command(&self, run: &str, slots: &str) -> Command {
        self.command(&["sweep", "job.toml", "--run-dir", run, "--slots", slots])
    }

    /// Sweeps the job to its end.
    pub(crate) fn sweep(&self, run: &str, slots: &str) -> Ended {
        self.sweep_command(run, slots).output().unwrap().into()
    }

    /// Starts a sweep of the job.
    pub(crate) fn start_sweep(&self, run: &str, slots: &str) -> Running {
        Running::start(&mut self.sweep_command(run, slots))
    }

    /// `mpirun -n ranks efflux …`, as root and oversubscribed if need be.
    pub(crate) fn mpirun(&self, ranks: u32, arguments: &[&str]) -> Command {
        self.mpirun_with(&[], ranks, arguments)
    }

    /// The same with options of mpirun's own.
    pub(crate) fn mpirun_with(&self, options: &[&str], ranks: u32, arguments: &[&str]) -> Command {
        self.mpirun_of(EFFLUX, options, ranks, arguments)
    }

    /// The same of another program, such as one that starts `efflux`.
    pub(crate) fn mpirun_of(
        &self,
        program: impl AsRef<OsStr>,
        options: &[&str],
        ranks: u32,
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new("mpirun");
        trainer();
        command
            .args(options)
            .args([
                "--oversubscribe",
                "--bind-to",
                "none",
                "-n",
                &ranks.to_string(),
            ])
            .arg(program)
            .args(arguments)
            .current_dir(self.directory.path());
        clean(&mut command);
        command
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command
    }

    /// What all programs of a run have written into their logs.
    pub(crate) fn logs(&self, run: &str) -> String {
        let Ok(logs) = fs::read_dir(self.path(run).join("logs")) else {
            return String::new();
        };
        let texts = logs.flatten().map(|log| fs::read_to_string(log.path()));
        texts.map(Result::unwrap_or_default).collect()
    }

    /// Every record in the journals of a run.
    pub(crate) fn records(&self, run: &str) -> Vec<Record> {
        let entries = read_journals(&self.path(run).join("journal")).unwrap();
        let record = |entry| match entry {
            Entry::Trial(record) => Some(*record),
            Entry::Rung(_) | Entry::Stop(_) | Entry::Selection(_) => None,
        };
        entries.into_iter().filter_map(record).collect()
    }

    /// What a run found out, without where and when: the records' outcomes by trial and the report's tables.
    pub(crate) fn findings(&self, run: &str) -> Findings {
        let finished = |record: &Record| matches!(record.outcome, Outcome::Finished(_));
        let outcomes = self
            .records(run)
            .into_iter()
            .filter(finished)
            .map(|record| (record.trial.id.to_string(), format!("{:?}", record.outcome)))
            .collect();
        let tables = self.path(run).join("report/tables");
        let tables = ["scores.csv", "selection.csv", "summary.csv", "members.csv"].map(|name| {
            (
                name.to_owned(),
                fs::read_to_string(tables.join(name)).unwrap(),
            )
        });
        Findings {
            outcomes,
            tables: tables.into(),
            simulations: simulations(&self.path(run)),
        }
    }
}

/// A program at work; whatever becomes of the test, it and all it started end with it.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(
            command
                .stderr(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    pub(crate) fn signal(pid: u32, signal: Signal) {
        // It may have ended meanwhile.
        let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal);
    }

    /// The exit code, once it has ended by itself, and how long that took.
    pub(crate) fn ends(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        await_until("the program ended", || self.has_ended());
        (self.wait(), began.elapsed())
    }

    /// SIGKILL to the program and to everything it has started; returns when all of them have ended.
    pub(crate) fn kill_all(&mut self) {
        let family = self.family();
        let pid = |pid: &u32| Pid::from_raw(pid.cast_signed()).unwrap();
        let ends = family
            .iter()
            .map(|member| pidfd_open(pid(member), PidfdFlags::empty()));
        let ends: Vec<OwnedFd> = ends.filter_map(Result::ok).collect();
        for member in family {
            Self::signal(member, Signal::KILL);
        }
        let _ = self.0.wait();
        for end in &ends {
            let _ = poll(&mut [PollFd::new(end, PollFlags::IN)], None);
        }
    }

    /// The program and the processes that descend from it.
    pub(crate) fn family(&self) -> Vec<u32> {
        let mut family = vec![self.id()];
        let mut next = 0;
        while let Some(&parent) = family.get(next) {
            let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
            let children = children.unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
            next += 1;
        }
        family
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.kill_all();
        }
    }
}

/// What must not depend on how a sweep was run.
#[derive(Debug, PartialEq)]
pub(crate) struct Findings {
    pub(crate) outcomes: BTreeMap<String, String>,
    pub(crate) tables: BTreeMap<String, String>,
    /// By trial: the bytes of the member's simulation.
    pub(crate) simulations: BTreeMap<String, Vec<u8>>,
}

fn simulations(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for trial in fs::read_dir(run.join("trials")).unwrap() {
        let trial = trial.unwrap();
        for attempt in fs::read_dir(trial.path()).unwrap() {
            let file = attempt.unwrap().path().join("simulation.safetensors");
            if let Ok(bytes) = fs::read(file) {
                found.insert(trial.file_name().to_string_lossy().into_owned(), bytes);
            }
        }
    }
    found
}

/// [`JOB`] with so many epochs, trained by libtorch: slow enough in every build for something to happen in the middle.
pub(crate) fn of_epochs(epochs: u32) -> String {
    let longer = format!("epochs = {epochs}\nbackend = \"torch\"");
    JOB.replace("epochs = 2", &longer)
}

/// A job of a few seconds.
pub(crate) fn longer() -> Study {
    Study::with(&of_epochs(12))
}

/// What [`longer`] finds out when nobody disturbs it. Packs, jobs and so findings are the same for every test.
pub(crate) fn undisturbed() -> &'static Findings {
    static FINDINGS: LazyLock<Findings> = LazyLock::new(|| {
        let study = longer();
        study.sweep("whole", "2").ok();
        study.findings("whole")
    });
    &FINDINGS
}

/// Why attempts did not end well.
pub(crate) fn failures(study: &Study, run: &str) -> Vec<Failure> {
    let records = study.records(run).into_iter();
    records
        .filter_map(|record| match record.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Finished(_) => None,
        })
        .collect()
}

/// Attempts that have ended in a run, which may not have begun.
pub(crate) fn finished(study: &Study, run: &str) -> usize {
    let journals = study.path(run).join("journal");
    if !journals.exists() {
        return 0;
    }
    study.records(run).len()
}

/// Asserts that each of the six trials of [`JOB`] has one record.
#[track_caller]
pub(crate) fn assert_each_trial_ran_once(study: &Study, run: &str, expected: usize) {
    let records = study.records(run);
    let trials: BTreeSet<_> = records.iter().map(|record| &record.trial.id).collect();
    assert_eq!(
        (records.len(), trials.len()),
        (expected, expected),
        "a finished trial was run again"
    );
}

/// The processes whose command line holds all of these, by number.
pub(crate) fn processes(parts: &[&str]) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path();
        let command = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
        if parts.iter().all(|part| command.contains(part)) {
            let name = path.file_name().and_then(|name| name.to_str());
            found.extend(name.and_then(|name| name.parse::<u32>().ok()));
        }
    }
    found.sort_unstable();
    found
}

/// The processes that were started as trainers of this process, or of none any more.
pub(crate) fn trainers_of(parent: u32) -> Vec<u32> {
    processes(&["efflux-trainer", &format!("--parent\0{parent}\0")])
}

/// The process of a rank of this launch.
pub(crate) fn rank_of(launch: &Running, rank: u32) -> u32 {
    let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
    let is_rank = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|&byte| byte == 0);
        variables.any(|variable| variable == wanted.as_bytes())
    };
    let mut found = None;
    await_until("the rank was started", || {
        // mpirun's daemons of other nodes are no children of its own.
        let family = launch.family();
        let others = processes(&["efflux", "sweep", "job.toml"]);
        let all = family.into_iter().chain(others);
        found = all.filter(|&pid| is_of(pid, launch)).find(is_rank);
        found.is_some()
    });
    found.unwrap()
}

/// Whether a process works in the study of this launch.
fn is_of(pid: u32, launch: &Running) -> bool {
    let there = |pid: u32| fs::read_link(format!("/proc/{pid}/cwd")).ok();
    there(pid).is_some() && there(pid) == there(launch.id())
}

/// Waits until a condition holds; a minute is far more than it takes.
pub(crate) fn await_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Takes away what a launcher or a user's settings around the tests would say.
pub(crate) fn clean(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let launcher = ["OMPI_", "PMIX_", "PMI_", "SLURM_"];
        if launcher.iter().any(|prefix| name.starts_with(prefix)) || name.starts_with("EFFLUX_") {
            command.env_remove(name);
        }
    }
}
