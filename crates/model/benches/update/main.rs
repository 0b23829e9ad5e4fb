//! The time of one update, paired with the same update in PyTorch.
//!
//! ```text
//! cargo bench -p efflux-model --bench update -- [--python PYTHON] [--core N] [--rounds N] [--hidden N] [--level LEVEL]
//!     [--device cpu|cuda] [--pack PACK] [--save FILE] [WINDOW …]
//! ```
//!
//! Workers take turns on one core, a fraction of a second each, round after round, so that what the machine does besides
//! meets all of them alike; efflux's two implementations are two of them, at LEVEL if it is given; ratios are those of neighbours, and their median counts. Times are CPU times. PyTorch runs
//! twice: as shipped, and with the malloc settings of efflux's trainers. First both make the same updates from the same
//! weights, and the largest difference of a weight is printed. Without a PYTHON that has torch 2.11 and safetensors, only
//! efflux is timed.
//!
//! On a GPU (`--device cuda`) times are wall times, which end when the GPU has done all it was asked for; beside them stands
//! when the host had asked for it. Trials in lanes count one by one: a time is that of one trial's update.
//!
//! The data are those of `efflux synth` as it comes, or a PACK, fitted on the whole training part.

mod material;
mod worker;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use efflux_analysis::statistics::median;
use efflux_data::Tensors;
use efflux_job::{DeviceChoice, Training};
use efflux_model::device::{self, Device};
use efflux_protocol::ALLOCATOR;

use material::{CHECKED, check, share, tensors, write_days};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const WINDOWS: [u32; 3] = [30, 90, 365];
/// CPU milliseconds of a turn.
const TURN: f64 = 600.0;

fn main() -> Outcome {
    let options = Options::parse()?;
    match &options.work {
        Some([batch, engine]) => worker::work(&options, batch, engine),
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
    device: DeviceChoice,
    pack: Option<PathBuf>,
    save: Option<PathBuf>,
    windows: Vec<u32>,
    /// This process is a worker on such batches, `full` or `targets`, with this engine: `native`, `torch`, or a number of
    /// lanes.
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
            device: DeviceChoice::Cpu,
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
                "--device" => {
                    options.device = match value()?.as_str() {
                        "cpu" => DeviceChoice::Cpu,
                        "cuda" => DeviceChoice::Cuda,
                        other => {
                            return Err(format!("--device {other}: expected cpu or cuda").into());
                        }
                    }
                }
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
    /// Efflux's engine; none is PyTorch.
    engine: Option<&'static str>,
    batch: &'static str,
    malloc: bool,
}

const fn column(
    name: &'static str,
    engine: Option<&'static str>,
    batch: &'static str,
    malloc: bool,
) -> Column {
    Column {
        name,
        engine,
        batch,
        malloc,
    }
}

const COLUMNS: [Column; 8] = [
    column("native, all windows", Some("native"), "full", true),
    column("native, with targets", Some("native"), "targets", true),
    column("torch, all windows", Some("torch"), "full", true),
    column("torch, with targets", Some("torch"), "targets", true),
    column("PyTorch, all", None, "full", false),
    column("PyTorch, all, malloc", None, "full", true),
    column("PyTorch, with targets", None, "targets", false),
    column("PyTorch, with targets, malloc", None, "targets", true),
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

const GPU_COLUMNS: [Column; 8] = [
    column("alone, all windows", Some("torch"), "full", true),
    column("alone, with targets", Some("torch"), "targets", true),
    column("1 lane, with targets", Some("1"), "targets", true),
    column("8 lanes, with targets", Some("8"), "targets", true),
    column("32 lanes, with targets", Some("32"), "targets", true),
    column("128 lanes, with targets", Some("128"), "targets", true),
    column("PyTorch, all", None, "full", false),
    column("PyTorch, with targets", None, "targets", false),
];

const GPU_RATIOS: [(usize, usize); 8] = [
    (6, 0),
    (6, 1),
    (7, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (6, 5),
];

fn compare(options: &Options) -> Outcome {
    fs::create_dir_all(&options.folder)?;
    device::open(DeviceChoice::Cpu)?;
    let (columns, ratios) = match options.device {
        DeviceChoice::Cpu => (&COLUMNS[..], &RATIOS[..]),
        _ => (&GPU_COLUMNS[..], &GPU_RATIOS[..]),
    };
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
        let rows = compare_at(options, (columns, ratios), &tensors, window, has_peer)?;
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
    (columns, ratios): (&'static [Column], &[(usize, usize)]),
    tensors: &Tensors,
    window: u32,
    has_peer: bool,
) -> Outcome<String> {
    let mut workers = Vec::new();
    for column in columns
        .iter()
        .filter(|column| has_peer || column.engine.is_some())
    {
        workers.push(Worker::start(options, column, window)?);
    }
    let mut text = format!(
        "\nwindow {window} days, share of windows with a target {:.3}",
        share(tensors, window)
    );
    if let Some(peer) = workers.iter().find(|worker| worker.column.engine.is_none()) {
        write!(
            text,
            ", weights after {CHECKED} updates differ by {}",
            peer.said
        )?;
    }
    text += "\n";
    // The first turn finds the length of the others.
    for worker in &mut workers {
        let [milliseconds, _] = worker.turn(3)?;
        // Of all lanes together, which a turn's updates are.
        let lanes = worker.column.engine.and_then(|engine| engine.parse().ok());
        worker.updates = whole(TURN / (milliseconds * lanes.unwrap_or(1.0)));
    }
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        let turns = workers.iter_mut().map(|worker| worker.turn(worker.updates));
        rounds.push(turns.collect::<Outcome<Vec<[f64; 2]>>>()?);
    }
    for (index, worker) in workers.iter().enumerate() {
        let [times, asked] = [0, 1].map(|which| {
            rounds
                .iter()
                .map(|round| round[index][which])
                .collect::<Vec<_>>()
        });
        let host = match options.device {
            DeviceChoice::Cpu => String::new(),
            _ => format!("asked for in {:>8.3} ms   ", middle(&asked)),
        };
        writeln!(
            text,
            "  {:<32} {:>8.3} ms   {host}{}",
            worker.column.name,
            middle(&times),
            list(&times)
        )?;
    }
    for &(slow, fast) in ratios.iter().filter(|(slow, _)| *slow < workers.len()) {
        let ratios: Vec<f64> = rounds
            .iter()
            .map(|round| round[slow][0] / round[fast][0])
            .collect();
        let name = format!("{} / {}", columns[slow].name, columns[fast].name);
        writeln!(
            text,
            "  {name:<52} {:>6.2} ×   {}",
            middle(&ratios),
            list(&ratios)
        )?;
    }
    Ok(text)
}

/// As `--device` takes it.
fn word(device: DeviceChoice) -> &'static str {
    match device {
        DeviceChoice::Cuda => "cuda",
        _ => "cpu",
    }
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
        if let Some(engine) = column.engine {
            command.arg(std::env::current_exe()?);
            command.args(["--hidden", &options.hidden.to_string()]);
            command.args(["--work", column.batch, engine, &window.to_string()]);
            command.args(["--device", word(options.device)]);
            if let Some(pack) = &options.pack {
                command.arg("--pack").arg(pack);
            }
            if let Some(level) = &options.level {
                command.env("ATEN_CPU_CAPABILITY", level);
            }
        } else {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/pytorch.py");
            command
                .arg(&options.python)
                .arg(script)
                .arg(&options.folder);
            command.args([&window.to_string(), column.batch]);
            command.env("HIDDEN", options.hidden.to_string());
            command.env("DEVICE", word(options.device));
        }
        if column.malloc {
            command.envs(ALLOCATOR);
        }
        let mut child = command
            .env("NVIDIA_TF32_OVERRIDE", "0")
            .env("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
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

    /// Milliseconds of each of so many updates, until all is done and until all is asked for.
    fn turn(&mut self, updates: u32) -> Outcome<[f64; 2]> {
        writeln!(self.orders, "{updates}")?;
        let answer = self.answer()?;
        let (done, asked) = answer.split_once(' ').ok_or("one number instead of two")?;
        Ok([done.parse()?, asked.parse()?])
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
