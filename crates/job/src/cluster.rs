//! The cluster file: what a Slurm job of a site asks for and needs. TOML in, a validated [`Cluster`] out.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::file::{line_of, syntax};

/// A cluster file whose every value is possible. What is `None` is left to Slurm's and the batch script's defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// Where it was read.
    #[serde(skip)]
    path: PathBuf,
    /// Its text.
    #[serde(skip)]
    text: String,
    /// `--partition`
    pub partition: Option<String>,
    /// `--account`
    pub account: Option<String>,
    /// `--qos`
    pub qos: Option<String>,
    /// `--constraint`
    pub constraint: Option<String>,
    /// `--nodes`
    pub nodes: u32,
    /// `--ntasks-per-node`: ranks on a node.
    pub ntasks_per_node: u32,
    /// `--cpus-per-task`
    pub cpus_per_task: u32,
    /// `--mem-per-cpu`
    pub mem_per_cpu: String,
    /// `--gres`, on every node.
    pub gres: Option<String>,
    /// `--gpus-per-task`
    pub gpus_per_task: Option<String>,
    /// `--time`
    pub time: String,
    /// Seconds before the end at which the sweep is told to stop.
    pub signal_lead_seconds: u32,
    /// Whether Slurm may queue the same job again; if not, another follows.
    pub requeue: bool,
    /// How often an unfinished job goes on in all.
    pub max_restarts: u32,
    /// `module load` these, in order.
    pub modules: Vec<String>,
    /// Lines of shell, after the modules.
    pub setup: Vec<String>,
    /// A command that runs another one in a container, as in `apptainer exec efflux.sif`.
    pub container: Option<String>,
    /// A folder on a node's own disk; variables of the shell are replaced there.
    pub scratch: Option<String>,
    /// What starts the ranks.
    pub launcher: Launcher,
    /// Options for mpirun.
    pub mpirun_options: Option<String>,
    /// Whether trainers share their GPU by NVIDIA's Multi-Process Service.
    pub mps: bool,
    /// Further options of sbatch.
    pub sbatch: Vec<String>,
    /// Further variables for the sweep.
    pub environment: BTreeMap<String, String>,
}

/// What starts the ranks of a job with more than one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Launcher {
    /// Open MPI's own.
    #[default]
    Mpirun,
    /// Slurm's, with its PMIx.
    Srun,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            text: String::new(),
            partition: None,
            account: None,
            qos: None,
            constraint: None,
            nodes: 1,
            ntasks_per_node: 1,
            cpus_per_task: 4,
            mem_per_cpu: "2G".to_owned(),
            gres: None,
            gpus_per_task: None,
            time: "04:00:00".to_owned(),
            signal_lead_seconds: 120,
            requeue: true,
            max_restarts: 100,
            modules: Vec::new(),
            setup: Vec::new(),
            container: None,
            scratch: None,
            launcher: Launcher::Mpirun,
            mpirun_options: None,
            mps: false,
            sbatch: Vec::new(),
            environment: BTreeMap::new(),
        }
    }
}

/// Slurm keeps the lead of a signal in 16 bits.
const LONGEST_LEAD: u32 = 65_535;

impl Cluster {
    /// Reads and validates a cluster file; another time limit may take the place of the file's.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Job`] with line, key, value and what would be possible;
    /// [`Error::Usage`] for the other time limit.
    pub fn read(path: &Path, time: Option<&str>) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).map_err(Error::io("read the cluster file", path))?;
        let mut cluster = Self::parse(path, text)?;
        if let Some(time) = time {
            let lead = cluster.signal_lead_seconds;
            if time_limit(time).is_none_or(|limit| limit <= lead.into()) {
                return Err(Error::Usage(format!(
                    "--time {time}: expected {TIME_LIMITS}, more than the {lead} s of signal_lead_seconds"
                )));
            }
            time.clone_into(&mut cluster.time);
        }
        Ok(cluster)
    }

    /// Validates the text of a cluster file; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] with line, key, value and what would be possible.
    pub fn parse(path: &Path, text: String) -> Result<Self> {
        let mut cluster: Self =
            toml::from_str(&text).map_err(|error| syntax(path, &text, &error))?;
        path.clone_into(&mut cluster.path);
        cluster.text = text;
        cluster.validate()?;
        Ok(cluster)
    }

    /// The time limit of a job.
    pub fn limit_seconds(&self) -> u64 {
        // It was validated.
        time_limit(&self.time).unwrap_or(u64::MAX)
    }

    fn validate(&self) -> Result<()> {
        for (key, count) in [
            ("nodes", self.nodes),
            ("ntasks_per_node", self.ntasks_per_node),
            ("cpus_per_task", self.cpus_per_task),
        ] {
            if count == 0 {
                return Err(self.wrong(key, count, "1 or more"));
            }
        }
        let words = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("qos", &self.qos),
            ("constraint", &self.constraint),
            ("gres", &self.gres),
            ("gpus_per_task", &self.gpus_per_task),
        ];
        let words = words
            .iter()
            .filter_map(|(key, word)| Some((*key, word.as_ref()?)));
        for (key, word) in words.chain([("mem_per_cpu", &self.mem_per_cpu)]) {
            if word.is_empty() || word.contains(char::is_whitespace) {
                return Err(self.wrong(key, format!("{word:?}"), "one word"));
            }
        }
        for module in &self.modules {
            if module.is_empty()
                || !module
                    .chars()
                    .all(|c| c.is_alphanumeric() || "/._+-".contains(c))
            {
                let expected = "names of modules (other lines of shell go into `setup`)";
                return Err(self.wrong("modules", format!("{module:?}"), expected));
            }
        }
        for option in &self.sbatch {
            if !option.starts_with('-') || option.contains('\n') {
                let expected = "options of sbatch, as in \"--exclusive\"";
                return Err(self.wrong("sbatch", format!("{option:?}"), expected));
            }
        }
        for name in self.environment.keys() {
            let fits = |(at, c): (usize, char)| {
                c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit()
            };
            if name.is_empty() || !name.chars().enumerate().all(fits) {
                return Err(self.wrong("environment", format!("{name:?}"), "names of variables"));
            }
        }
        if self.gres.is_some() && self.gpus_per_task.is_some() {
            let found = self.gpus_per_task.as_deref().unwrap_or_default();
            return Err(self.wrong("gpus_per_task", found, "no such key beside `gres`"));
        }
        if self.signal_lead_seconds > LONGEST_LEAD {
            let expected = format!("at most {LONGEST_LEAD}");
            return Err(self.wrong("signal_lead_seconds", self.signal_lead_seconds, &expected));
        }
        match time_limit(&self.time) {
            None => Err(self.wrong("time", format!("{:?}", self.time), TIME_LIMITS)),
            Some(limit) if limit <= self.signal_lead_seconds.into() => {
                let expected = format!("less than `time`, {limit} s");
                Err(self.wrong("signal_lead_seconds", self.signal_lead_seconds, &expected))
            }
            Some(_) => Ok(()),
        }
    }

    fn wrong(&self, key: &str, found: impl Display, expected: &str) -> Error {
        let place = line_of(&self.text, "", key)
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        Error::Job {
            path: self.path.clone(),
            reason: format!("{place}`{key}` has {found}, expected {expected}"),
        }
    }
}

/// What a time limit may be.
pub const TIME_LIMITS: &str =
    "minutes, or as in \"12:30:00\", \"2-00:00:00\" (days, hours, minutes, seconds)";

/// A time limit as sbatch takes it, in seconds: minutes, minutes:seconds, hours:minutes:seconds, and with days in front
/// days-hours, days-hours:minutes, days-hours:minutes:seconds.
pub fn time_limit(limit: &str) -> Option<u64> {
    let (days, rest) = match limit.split_once('-') {
        Some((days, rest)) => (Some(days), rest),
        None => (None, limit),
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.len() < 7 && text.bytes().all(|c| c.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let parts: Vec<u64> = rest.split(':').map(number).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = match (days, parts[..].as_ref()) {
        (None, &[minutes]) => [0, minutes, 0],
        (None, &[minutes, seconds]) => [0, minutes, seconds],
        (Some(_), &[hours]) => [hours, 0, 0],
        (Some(_), &[hours, minutes]) => [hours, minutes, 0],
        (_, &[hours, minutes, seconds]) => [hours, minutes, seconds],
        _ => return None,
    };
    let days = days.map_or(Some(0), number)?;
    Some(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        Cluster::parse(Path::new("a.toml"), text.to_owned())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn an_empty_file_is_what_the_batch_script_asks_for_by_itself() {
        let cluster = Cluster::parse(Path::new("a.toml"), String::new()).unwrap();
        let script = include_str!("../../../slurm/sweep.sbatch");
        // One task on one node is Slurm's own default, which leaves `--ntasks` to users.
        assert_eq!((cluster.nodes, cluster.ntasks_per_node), (1, 1));
        assert!(!script.contains("#SBATCH --nodes") && !script.contains("#SBATCH --ntasks"));
        for option in [
            format!("--cpus-per-task={}", cluster.cpus_per_task),
            format!("--mem-per-cpu={}", cluster.mem_per_cpu),
            format!("--time={}", cluster.time),
            format!("--signal=B:USR2@{}", cluster.signal_lead_seconds),
        ] {
            assert!(
                script.contains(&format!("\n#SBATCH {option}\n")),
                "{option}"
            );
        }
        assert!(script.contains(&format!("EFFLUX_MAX_RESTARTS:-{}}}", cluster.max_restarts)));
    }

    #[test]
    fn a_fault_is_named_with_file_line_key_and_what_was_expected() {
        assert_eq!(
            refusal("account = \"a\"\nparttion = \"gpu\""),
            "a.toml: line 2: unknown key `parttion` (did you mean `partition`?)"
        );
        assert_eq!(
            refusal("\nnodes = 0"),
            "a.toml: line 2: `nodes` has 0, expected 1 or more"
        );
        assert_eq!(
            refusal("time = \"1:2:3:4\""),
            format!("a.toml: line 1: `time` has \"1:2:3:4\", expected {TIME_LIMITS}")
        );
        assert_eq!(
            refusal("time = \"1\""),
            "a.toml: `signal_lead_seconds` has 120, expected less than `time`, 60 s"
        );
        assert_eq!(
            refusal("gres = \"gpu:1\"\ngpus_per_task = \"1\""),
            "a.toml: line 2: `gpus_per_task` has 1, expected no such key beside `gres`"
        );
        assert!(refusal("partition = \"a b\"").contains("expected one word"));
        assert!(refusal("modules = [\"gcc; rm\"]").contains("names of modules"));
        assert!(refusal("sbatch = [\"exclusive\"]").contains("options of sbatch"));
        assert!(refusal("[environment]\n\"A-B\" = \"1\"").contains("names of variables"));
    }

    #[test]
    fn time_limits_are_read_as_slurm_reads_them() {
        let limits = ["90", "90:30", "1:30:00", "2-0", "2-1:30", "2-01:30:15"];
        let found = limits.map(time_limit);
        let expected = [5400, 5430, 5400, 172_800, 178_200, 178_215];
        assert_eq!(found, expected.map(Some));
        for no_limit in [
            "",
            "x",
            "1-",
            "-1",
            "1:",
            "1:2:3:4",
            "UNLIMITED",
            "1-2:3:4:5",
        ] {
            assert_eq!(time_limit(no_limit), None, "{no_limit}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = time_limit(&text);
            let _ = Cluster::parse(Path::new("a.toml"), text);
        }
    }
}
