//! The time of one update, paired with the same update in PyTorch.
//!
//! ```text
//! cargo bench --bench update -- [--python PYTHON] [--core N] [--rounds N] [--hidden N] [--level LEVEL]
//!     [--pack PACK] [--save FILE] [WINDOW …]
//! ```
//!
//! Workers take turns on one core, a fraction of a second each, round after round, so that what the machine does besides
//! meets all of them alike; efflux's two implementations are two of them, at LEVEL if it is given; ratios are those of neighbours, and their median counts. Times are CPU times. PyTorch runs
//! twice: as shipped, and with the malloc settings of efflux's trainers. First both make the same updates from the same
//! weights, and the largest difference of a weight is printed. Without a PYTHON that has torch 2.11 and safetensors, only
//! efflux is timed.
//!
//! The data are those of `efflux synth` as it comes, or a PACK, fitted on the whole training part.

mod material;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use efflux::analysis::statistics::median;
use efflux::cluster::ALLOCATOR;
use efflux::data::Tensors;
use efflux::job::{Backend, DeviceChoice, Training};
use efflux::model::device::{self, Device};
use efflux::model::{Flow, TrialError};
use rustix::time::{ClockId, clock_gettime};

use material::{CHECKED, check, share, tensors, trainer, write_days};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const WINDOWS: [u32; 3] = [30, 90, 365];
/// CPU milliseconds of a turn.
const TURN: f64 = 600.0;

fn main() -> Outcome {
    let options = Options::parse()?;
    match &options.work {
        Some([batch, backend]) => work(&options, batch, backend),
        None => compare(&options),
    }
}

struct Options {
    folder: PathBuf,
    python: PathBuf,
    core: u32,
    rounds: usize,
    hidden: u32,
    /// Of efflux alone.
    level: Option<String>,
    pack: Option<PathBuf>,
    save: Option<PathBuf>,
    windows: Vec<u32>,
    /// This process is a worker on such batches, `full` or `targets`, with the backend `native` or `torch`.
    work: Option<[String; 2]>,
}

impl Options {
    fn parse() -> Outcome<Self> {
        let mut options = Self {
            folder: concat!(env!("CARGO_TARGET_TMPDIR"), "/update").into(),
            python: "python3".into(),
            core: 0,
            rounds: 9,
            hidden: 128,
            level: None,
            pack: None,
            save: None,
            windows: Vec::new(),
            work: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                // Cargo adds it.
                "--bench" => {}
                "--python" => options.python = value()?.into(),
                "--core" => options.core = value()?.parse()?,
                "--rounds" => options.rounds = value()?.parse()?,
                "--hidden" => options.hidden = value()?.parse()?,
                "--level" => options.level = Some(value()?),
                "--pack" => options.pack = Some(value()?.into()),
                "--save" => options.save = Some(value()?.into()),
                "--work" => options.work = Some([value()?, value()?]),
                window => options.windows.push(window.parse()?),
            }
        }
        if options.windows.is_empty() {
            options.windows = WINDOWS.into();
        }
        Ok(options)
    }
}

/// One column of the table: who trains, and on which windows.
struct Column {
    name: &'static str,
    /// Efflux's backend; none is PyTorch.
    backend: Option<&'static str>,
    batch: &'static str,
    malloc: bool,
}

const COLUMNS: [Column; 8] = [
    Column {
        name: "native, all windows",
        backend: Some("native"),
        batch: "full",
        malloc: true,
    },
    Column {
        name: "native, with targets",
        backend: Some("native"),
        batch: "targets",
        malloc: true,
    },
    Column {
        name: "torch, all windows",
        backend: Some("torch"),
        batch: "full",
        malloc: true,
    },
    Column {
        name: "torch, with targets",
        backend: Some("torch"),
        batch: "targets",
        malloc: true,
    },
    Column {
        name: "PyTorch, all",
        backend: None,
        batch: "full",
        malloc: false,
    },
    Column {
        name: "PyTorch, all, malloc",
        backend: None,
        batch: "full",
        malloc: true,
    },
    Column {
        name: "PyTorch, with targets",
        backend: None,
        batch: "targets",
        malloc: false,
    },
    Column {
        name: "PyTorch, with targets, malloc",
        backend: None,
        batch: "targets",
        malloc: true,
    },
];

/// Whose time is divided by whose.
const RATIOS: [(usize, usize); 14] = [
    (4, 0),
    (5, 0),
    (4, 1),
    (5, 1),
    (6, 1),
    (7, 1),
    (4, 2),
    (5, 2),
    (4, 3),
    (6, 3),
    (7, 3),
    (2, 0),
    (3, 1),
    (0, 1),
];

fn compare(options: &Options) -> Outcome {
    fs::create_dir_all(&options.folder)?;
    device::open(DeviceChoice::Cpu)?;
    let tensors = tensors(options.pack.as_deref())?;
    write_days(&tensors, &options.folder.join("days.safetensors"))?;
    let has_peer = Command::new(&options.python)
        .args(["-c", "import torch, safetensors, numpy"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut text = format!(
        "{}; core {}, {} rounds; {} sites, hidden {}, dropout 0.2\n",
        machine(),
        options.core,
        options.rounds,
        tensors.sites,
        options.hidden
    );
    if let Some(level) = &options.level {
        text += &format!("efflux at level {level}\n");
    }
    print!("{text}");
    if !has_peer {
        println!("{} has no torch: efflux alone", options.python.display());
    }
    for &window in &options.windows {
        check(&tensors, window, options.hidden, &options.folder)?;
        let rows = compare_at(options, &tensors, window, has_peer)?;
        print!("{rows}");
        text += &rows;
    }
    if let Some(path) = &options.save {
        fs::write(path, text)?;
    }
    Ok(())
}

fn compare_at(
    options: &Options,
    tensors: &Tensors,
    window: u32,
    has_peer: bool,
) -> Outcome<String> {
    let mut workers = Vec::new();
    for column in COLUMNS
        .iter()
        .filter(|column| has_peer || column.backend.is_some())
    {
        workers.push(Worker::start(options, column, window)?);
    }
    let mut text = format!(
        "\nwindow {window} days, share of windows with a target {:.3}",
        share(tensors, window)
    );
    if let Some(peer) = workers
        .iter()
        .find(|worker| worker.column.backend.is_none())
    {
        write!(
            text,
            ", weights after {CHECKED} updates differ by {}",
            peer.said
        )?;
    }
    text += "\n";
    // The first turn finds the length of the others.
    for worker in &mut workers {
        let milliseconds = worker.turn(3)?;
        worker.updates = whole(TURN / milliseconds);
    }
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        let turns = workers.iter_mut().map(|worker| worker.turn(worker.updates));
        rounds.push(turns.collect::<Outcome<Vec<f64>>>()?);
    }
    for (index, worker) in workers.iter().enumerate() {
        let times: Vec<f64> = rounds.iter().map(|round| round[index]).collect();
        writeln!(
            text,
            "  {:<32} {:>8.3} ms   {}",
            worker.column.name,
            middle(&times),
            list(&times)
        )?;
    }
    for (slow, fast) in RATIOS.into_iter().filter(|&(slow, _)| slow < workers.len()) {
        let ratios: Vec<f64> = rounds
            .iter()
            .map(|round| round[slow] / round[fast])
            .collect();
        let name = format!("{} / {}", COLUMNS[slow].name, COLUMNS[fast].name);
        writeln!(
            text,
            "  {name:<52} {:>6.2} ×   {}",
            middle(&ratios),
            list(&ratios)
        )?;
    }
    Ok(text)
}

fn middle(values: &[f64]) -> f64 {
    median(values).unwrap_or(f64::NAN)
}

/// All of them, for whoever wants more than the median.
fn list(values: &[f64]) -> String {
    values
        .iter()
        .map(|value| format!("{value:.2}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A count of updates.
fn whole(updates: f64) -> u32 {
    (updates.round() as u32).max(1)
}

/// A process that makes updates when told to.
struct Worker {
    column: &'static Column,
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    said: String,
    updates: u32,
}

impl Worker {
    fn start(options: &Options, column: &'static Column, window: u32) -> Outcome<Self> {
        let mut command = Command::new("taskset");
        command.args(["-c", &options.core.to_string()]);
        if let Some(backend) = column.backend {
            command.arg(std::env::current_exe()?);
            command.args(["--hidden", &options.hidden.to_string()]);
            command.args(["--work", column.batch, backend, &window.to_string()]);
            if let Some(pack) = &options.pack {
                command.arg("--pack").arg(pack);
            }
            if let Some(level) = &options.level {
                command.env("ATEN_CPU_CAPABILITY", level);
            }
        } else {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/pytorch.py");
            command
                .arg(&options.python)
                .arg(script)
                .arg(&options.folder);
            command.args([&window.to_string(), column.batch]);
            command.env("HIDDEN", options.hidden.to_string());
        }
        if column.malloc {
            command.envs(ALLOCATOR);
        }
        let mut child = command
            .env("OMP_NUM_THREADS", "1")
            .env("MKL_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let mut worker = Self {
            column,
            child,
            orders: orders.ok_or("no pipe")?,
            answers: BufReader::new(answers.ok_or("no pipe")?),
            said: String::new(),
            updates: 0,
        };
        worker.said = worker.answer()?;
        Ok(worker)
    }

    /// Milliseconds of each of so many updates.
    fn turn(&mut self, updates: u32) -> Outcome<f64> {
        writeln!(self.orders, "{updates}")?;
        Ok(self.answer()?.parse()?)
    }

    fn answer(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("{} ended", self.column.name).into());
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes as many updates as each line of stdin says, and answers with the CPU milliseconds of one.
fn work(options: &Options, batch: &str, backend: &str) -> Outcome {
    let backend = match backend {
        "native" => Backend::Native,
        _ => Backend::Torch,
    };
    device::open(DeviceChoice::Cpu)?;
    let mut tensors = tensors(options.pack.as_deref())?;
    if batch == "full" {
        // With a target on every day nothing can be left out.
        for value in &mut tensors.target {
            *value = if value.is_nan() { 0.5 } else { *value };
        }
    }
    println!("ready");
    let mut orders = std::io::stdin().lines();
    let (mut left, mut made, mut began) = (0_u32, 0_u32, 0.0);
    let result =
        trainer(&tensors, options.windows[0], options.hidden, 0.2, backend)?.run(&mut |_| {
            if left > 0 {
                left -= 1;
                return Flow::Continue;
            }
            if made > 0 {
                println!("{}", (cpu_milliseconds() - began) / f64::from(made));
            }
            match orders.next() {
                Some(Ok(line)) => {
                    made = line.trim().parse().unwrap_or(1);
                    left = made - 1;
                    began = cpu_milliseconds();
                    Flow::Continue
                }
                _ => Flow::Stop,
            }
        });
    match result {
        Ok(_) | Err(TrialError::Interrupted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// CPU time of this process. What the kernel counts by its ticks may not move in three small updates.
fn cpu_milliseconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// The processor, as it calls itself, and the level of its instructions.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
        let found = pairs.find(|(found, _)| found.trim() == name);
        found.map_or("?", |(_, value)| value).trim().to_owned()
    };
    format!(
        "{} (family {}, model {}), {}",
        field("model name"),
        field("cpu family"),
        field("model"),
        device::describe(Device::Cpu, &Training::default())
    )
}
