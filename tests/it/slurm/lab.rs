//! A real Slurm on this machine for one test: munge, a controller and two nodes, on loopback, with everything they write
//! in a folder of its own. Nothing of a Slurm that the machine may belong to is touched.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use efflux_testing::left_out;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{Ended, Running, Study, clean};
use crate::programs::{EFFLUX, trainer};

/// A job may have to wait for the controller, which looks at time limits every 30 seconds, and for other tests.
const PATIENCE: Duration = Duration::from_secs(150);

/// The daemons, and what they have started; all of it ends with the test.
pub(crate) struct Lab {
    directory: TempDir,
    daemons: Vec<Running>,
}

impl Lab {
    /// Starts it, or says why it cannot be; where it is required, that is a failure.
    pub(crate) fn start(test: &str) -> Option<Self> {
        if let Some(reason) = missing() {
            let required =
                std::env::var_os("EFFLUX_REQUIRE_SLURM").is_some_and(|value| value == "1");
            assert!(!required, "EFFLUX_REQUIRE_SLURM=1, but {reason}");
            left_out(test, &reason);
            return None;
        }
        let mut lab = Self {
            directory: tempfile::tempdir().unwrap(),
            daemons: Vec::new(),
        };
        lab.configure();
        let socket = lab.path("munge/socket");
        lab.run_daemon("munged", |munged, lab| {
            munged.arg("-F");
            for file in ["key-file", "socket", "pid-file", "log-file", "seed-file"] {
                let name = file.trim_end_matches("-file");
                munged.arg(format!(
                    "--{file}={}",
                    lab.path(&format!("munge/{name}")).display()
                ));
            }
        });
        lab.until("munge is there", |_| socket.exists());
        lab.run_daemon("slurmctld", |controller, _| {
            controller.args(["-D", "-i"]);
        });
        lab.start_node("n1");
        lab.start_node("n2");
        lab.until("both nodes are idle", |lab| {
            lab.ask("sinfo", &["-h", "-o", "%D %t"]).stdout.trim() == "2 idle"
        });
        Some(lab)
    }

    fn configure(&self) {
        for folder in ["munge", "state", "spool/n1", "spool/n2", "tmp/n1", "tmp/n2"] {
            fs::create_dir_all(self.path(folder)).unwrap();
        }
        let key: Vec<u8> = fs::read("/proc/sys/kernel/random/uuid").unwrap();
        let key_file = self.path("munge/key");
        fs::write(&key_file, key).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&key_file, private).unwrap();
        // Held all at once, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, one, two] = held.map(|port| port.local_addr().unwrap().port());
        let host = rustix::system::uname();
        let host = host.nodename().to_str().unwrap().split('.').next().unwrap();
        let lab = self.directory.path().display();
        let text = format!(
            "ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Until a step's credential is void, a job that was queued again does not start.
AuthInfo=socket={lab}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={lab}/state
SlurmdSpoolDir={lab}/spool/%n
# PMIx has folders here, named by user, job and step.
TmpFS={lab}/tmp/%n
SlurmctldPidFile={lab}/slurmctld.pid
SlurmdPidFile={lab}/slurmd-%n.pid
SlurmctldLogFile={lab}/slurmctld.log
SlurmdLogFile={lab}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MpiDefault=none
SlurmdTimeout=10
KillWait=5
MinJobAge=3600
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={one} CPUs=4 RealMemory=16000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={two} CPUs=4 RealMemory=16000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=10
PartitionName=ungraced Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=0
PartitionName=urgent Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
"
        );
        fs::write(self.path("slurm.conf"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run_daemon(&mut self, program: &str, arguments: impl FnOnce(&mut Command, &Self)) {
        let mut command = self.command(program);
        arguments(&mut command, self);
        self.daemons.push(Running::start(&mut command));
    }

    /// Starts a node, or starts it again.
    pub(crate) fn start_node(&mut self, node: &str) {
        self.run_daemon("slurmd", |slurmd, _| {
            slurmd.args(["-D", "-N", node]);
        });
    }

    /// Ends every process of a node at once, as a power cut would.
    pub(crate) fn lose_node(&mut self, node: &str) {
        let slurmd = format!("slurmd\0-D\0-N\0{node}\0");
        let of_node = |process: &Process| {
            process.command.ends_with(&slurmd)
                || process.has_variable(&format!("SLURMD_NODENAME={node}"))
        };
        let step = |process: &Process| process.command.starts_with("slurmstepd");
        // A step's guard does not say of which node it is, but what it guards does.
        let lost: Vec<Process> = self.processes().into_iter().filter(of_node).collect();
        let guards: Vec<u32> = lost.iter().map(|process| process.parent).collect();
        for process in self.processes() {
            if guards.contains(&process.id) && step(&process) {
                Running::signal(process.id, Signal::KILL);
            }
        }
        for process in lost {
            Running::signal(process.id, Signal::KILL);
        }
    }

    /// The process of a rank of the sweep that runs; its trainers have the same variables.
    pub(crate) fn rank(&self, rank: u32) -> u32 {
        let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
        let is_rank = |process: &&Process| {
            process.command.contains("\0sweep\0") && process.has_variable(&wanted)
        };
        self.processes().iter().find(is_rank).unwrap().id
    }

    /// The process of a sweep of one rank.
    pub(crate) fn sweep(&self) -> u32 {
        let begin = format!("{EFFLUX}\0sweep\0");
        let is_sweep = |process: &&Process| process.command.starts_with(&begin);
        self.processes().iter().find(is_sweep).unwrap().id
    }

    /// A program that speaks to this Slurm.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.introduce(&mut command);
        command
    }

    /// Has a program speak to this Slurm.
    pub(crate) fn introduce(&self, command: &mut Command) {
        clean(command);
        trainer();
        command
            .env("SLURM_CONF", self.path("slurm.conf"))
            .env("EFFLUX_PROGRAM", EFFLUX)
            .env("EFFLUX_CHECKPOINT_SECONDS", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    }

    pub(crate) fn ask(&self, program: &str, arguments: &[&str]) -> Ended {
        self.command(program)
            .args(arguments)
            .output()
            .unwrap()
            .into()
    }

    /// `sbatch OPTIONS slurm/sweep.sbatch ARGUMENTS` in a study's folder; returns the job's number.
    pub(crate) fn sbatch(&self, study: &Study, options: &[&str], arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/slurm/sweep.sbatch");
        let submitted: Ended = self
            .command("sbatch")
            .args([
                "--parsable",
                "--cpus-per-task=2",
                "--time=10",
                &format!("--output={}", self.path("job.log").display()),
                "--job-name=job",
            ])
            .args(options)
            .arg(script)
            .args(arguments)
            .current_dir(study.directory.path())
            .output()
            .unwrap()
            .into();
        submitted.ok().stdout.trim().to_owned()
    }

    /// The state of a job, as Slurm says it.
    pub(crate) fn state(&self, job: &str) -> String {
        let shown = self
            .ask("scontrol", &["--oneliner", "show", "job", job])
            .stdout;
        let words = shown.split_whitespace();
        let state = words
            .filter_map(|word| word.strip_prefix("JobState="))
            .next();
        state.unwrap_or_default().to_owned()
    }

    /// Waits until a condition holds.
    pub(crate) fn until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(
                Instant::now() < deadline,
                "never happened: {what}\n{}",
                self.story()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until a job is in this state.
    pub(crate) fn until_state(&self, job: &str, state: &str) {
        self.until(&format!("job {job} is {state}"), |lab| {
            lab.state(job) == state
        });
    }

    /// What the batch script printed, by all jobs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("job.log")).unwrap_or_default()
    }

    /// What the jobs and the controller saw, for a test that failed.
    fn story(&self) -> String {
        let jobs = self.ask("scontrol", &["show", "job"]).stdout;
        let log = fs::read_to_string(self.path("slurmctld.log")).unwrap_or_default();
        format!("{jobs}\n{log}\n{}", self.log())
    }

    /// Everything that was started by these daemons, by the configuration it was given.
    fn processes(&self) -> Vec<Process> {
        let conf = format!("SLURM_CONF={}", self.path("slurm.conf").display());
        let all = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Process::read(id)
        });
        all.filter(|process| process.has_variable(&conf)).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The guards of steps have left the daemons' families.
        for process in self.processes() {
            Running::signal(process.id, Signal::KILL);
        }
        for daemon in &mut self.daemons {
            daemon.wait();
        }
    }
}

struct Process {
    id: u32,
    parent: u32,
    command: String,
    environment: String,
}

impl Process {
    fn read(id: u32) -> Option<Self> {
        let text = |name| {
            let bytes = fs::read(format!("/proc/{id}/{name}")).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let stat: String = text("stat")?;
        // The name, in parentheses, may hold anything; the parent is the second field after it.
        let parent = stat
            .rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()?;
        Some(Self {
            id,
            parent,
            command: text("cmdline")?,
            environment: text("environ")?,
        })
    }

    fn has_variable(&self, variable: &str) -> bool {
        self.environment.split('\0').any(|found| found == variable)
    }
}

/// Why there can be no Slurm here.
fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can start a Slurm".to_owned());
    }
    let programs = [
        "munged",
        "slurmctld",
        "slurmd",
        "sbatch",
        "srun",
        "scontrol",
    ];
    let absent: Vec<&str> = programs
        .into_iter()
        .filter(|program| !exists(program))
        .collect();
    (!absent.is_empty()).then(|| {
        format!(
            "there is no {} (Debian: slurmctld, slurmd, slurm-client, munge)",
            absent.join(", ")
        )
    })
}

fn exists(program: &str) -> bool {
    let started = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.is_ok()
}
