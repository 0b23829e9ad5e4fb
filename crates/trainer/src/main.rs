//! `efflux-trainer`: the child that trains. Takes orders on stdin, reports on stdout, speaks to people on stderr.
//!
//! Started by a supervisor, one a slot, and lives for many trials. What it does to itself costs one attempt at one
//! trial: the supervisor starts another.

mod attempt;
mod judge;
mod shift;
mod simulation;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use efflux_base::error::{Error, Exit, Result};
use efflux_data::{Pack, SCRATCH, Tensors};
use efflux_job::{DeviceChoice, Fit};
use efflux_model::device::{self, Device};
use efflux_protocol::{
    Assignment, Order, Preparation, Report, Seen, processors, read_frame, write_frame,
};
use efflux_run::record::Place;
use efflux_run::{EpochLog, RunDir, host};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use attempt::Ground;
use shift::Shift;

/// Time between two signs of life.
const BEAT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--versions"] => {
            println!("{}", device::versions());
            Exit::Complete.into()
        }
        ["--gpus"] => match device::open(DeviceChoice::Cuda).and_then(device::gpus) {
            Ok(gpus) => {
                gpus.iter().for_each(|gpu| println!("{gpu}"));
                Exit::Complete.into()
            }
            Err(error) => {
                eprintln!("{error}");
                error.exit().into()
            }
        },
        ["--parent", parent] => match serve(parent) {
            Ok(()) => Exit::Complete.into(),
            Err(error) => {
                eprintln!("error: {error}");
                error.exit().into()
            }
        },
        _ => {
            eprintln!("efflux-trainer is started by efflux: see `efflux sweep --help`");
            Exit::Usage.into()
        }
    }
}

/// The protocol's two ends.
struct Pipes {
    /// As a thread of its own reads them: an order to stop must be heard in the middle of a trial.
    orders: Receiver<io::Result<Order>>,
    /// Set by [`Order::Drain`].
    drains: Arc<AtomicBool>,
    reports: File,
}

impl Pipes {
    /// Takes the descriptors away from everybody else: libraries print to stdout, and that goes to stderr from now on.
    fn claim() -> io::Result<Self> {
        let orders = rustix::io::dup(rustix::stdio::stdin())?;
        let reports = rustix::io::dup(rustix::stdio::stdout())?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        let (sender, receiver) = mpsc::channel();
        let drains = Arc::new(AtomicBool::new(false));
        let (orders, is_asked) = (BufReader::new(File::from(orders)), Arc::clone(&drains));
        std::thread::spawn(move || listen(orders, &is_asked, &sender));
        Ok(Self {
            orders: receiver,
            drains,
            reports: File::from(reports),
        })
    }

    /// Whether the running trial is to be handed back.
    fn drains(&self) -> bool {
        self.drains.load(Ordering::Relaxed)
    }

    fn report(&mut self, report: &Report) -> Result<()> {
        write_frame(&mut self.reports, report)
            .map_err(|error| Error::Trainer(format!("cannot report: {error}")))
    }

    /// The next order, waited for; none if there will be no more.
    fn order(&mut self) -> Result<Option<Order>> {
        taken(self.orders.recv().ok())
    }

    /// The next order, if there is one already.
    fn waiting(&mut self) -> Result<Option<Order>> {
        taken(self.orders.try_recv().ok())
    }
}

fn taken(order: Option<io::Result<Order>>) -> Result<Option<Order>> {
    let order = order.transpose();
    order.map_err(|error| Error::Trainer(format!("cannot take orders: {error}")))
}

/// Passes orders on until there are no more.
fn listen(mut from: BufReader<File>, drains: &AtomicBool, to: &Sender<io::Result<Order>>) {
    while let Some(order) = read_frame(&mut from).transpose() {
        let is_last = order.is_err();
        match order {
            Ok(Order::Drain) => drains.store(true, Ordering::Relaxed),
            // Nobody is there to take it only when the process ends.
            order => drop(to.send(order)),
        }
        if is_last {
            return;
        }
    }
}

fn serve(parent: &str) -> Result<()> {
    efflux_protocol::survive_file_limits()?;
    efflux_protocol::leave_signals_to_the_supervisor()?;
    let io = |error| Error::Trainer(format!("cannot set up: {error}"));
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| io(error.into()))?;
    // A parent that died before the line above sends no signal.
    if getppid()
        .map(Pid::as_raw_nonzero)
        .map(|pid| pid.to_string())
        .as_deref()
        != Some(parent)
    {
        return Err(Error::Trainer("the supervisor is gone".into()));
    }
    let mut pipes = Pipes::claim().map_err(io)?;
    let mut workshop = match pipes.order()? {
        Some(Order::Prepare(preparation)) => match Workshop::prepare(*preparation) {
            Ok(workshop) => workshop,
            Err(error) => {
                pipes.report(&Report::Unable(error.to_string()))?;
                return Err(error);
            }
        },
        Some(Order::Stop) | None => return Ok(()),
        Some(order) => return Err(Error::Trainer(format!("was not prepared for {order:?}"))),
    };
    pipes.report(&Report::Seated(workshop.seen.clone()))?;
    let mut left = None;
    loop {
        let order = match left.take() {
            Some(order) => Some(order),
            None => pipes.order()?,
        };
        match order {
            Some(Order::Run(assignment)) => left = workshop.run(assignment, &mut pipes)?,
            Some(Order::Simulate(order)) => {
                let Workshop { pack, device, .. } = &workshop;
                let contract = &workshop.preparation.contract;
                pipes.report(&match simulation::run(&order, pack, contract, *device) {
                    Ok(()) => Report::Simulated(order.trial.id),
                    Err(error) => Report::Unable(error.to_string()),
                })?;
            }
            Some(Order::Prepare(_)) => {
                return Err(Error::Trainer("cannot be prepared twice".into()));
            }
            // What they ask for is heard by another thread, and by the supervisor.
            Some(Order::Drain | Order::Close) => {}
            Some(Order::Stop) | None => return Ok(()),
        }
    }
}

/// What stays between trials.
struct Workshop {
    preparation: Preparation,
    pack: Pack,
    device: Device,
    seen: Seen,
    epochs: EpochLog,
    /// Of the trial before.
    tensors: Option<(Fit, Tensors)>,
}

impl Workshop {
    fn prepare(preparation: Preparation) -> Result<Self> {
        preparation.seat.take()?;
        let device = device::open(preparation.device)?;
        let scratch = std::env::var_os(SCRATCH).filter(|folder| !folder.is_empty());
        let digest = &preparation.contract.pack_digest;
        let pack = Pack::read_staged(&preparation.pack, digest, scratch.as_ref().map(Path::new))?;
        let Preparation {
            run,
            launch,
            rank,
            slot,
            ..
        } = &preparation;
        let epochs = EpochLog::open(&RunDir::new(run), launch, *rank, *slot)?;
        let seen = Seen {
            gpus: device::gpus(device)?,
            cpus: processors(),
            level: device::level_name(),
            threads: device::set_threads(preparation.contract.training.threads),
        };
        Ok(Self {
            preparation,
            pack,
            device,
            seen,
            epochs,
            tensors: None,
        })
    }

    /// Trains this trial and those that come to be trained beside it, to records or until they are to be handed back.
    /// Returns an order that is still to be carried out. Only what makes further trials impossible is an error.
    fn run(&mut self, first: Assignment, pipes: &mut Pipes) -> Result<Option<Order>> {
        let Preparation {
            contract,
            lanes,
            launch,
            rank,
            slot,
            checkpoint_seconds,
            seat,
            ..
        } = &self.preparation;
        let fit = first.trial.fit;
        // Search trials and members may fit on different days.
        let tensors = match self.tensors.take() {
            Some((known, tensors)) if known == fit => tensors,
            _ => match Tensors::build(&self.pack, contract, fit) {
                Ok(tensors) => tensors,
                Err(error) => {
                    pipes.report(&Report::Unable(error.to_string()))?;
                    return Ok(None);
                }
            },
        };
        let tensors = &self.tensors.insert((fit, tensors)).1;
        let ground = Ground {
            pack: &self.pack,
            tensors,
            contract,
            device: self.device,
            interval: Duration::from_secs((*checkpoint_seconds).into()),
        };
        let place = Place {
            launch: launch.clone(),
            rank: *rank,
            slot: *slot,
            host: host(),
            device: String::new(),
        };
        let gpu = seat.gpu.as_ref().or(self.seen.gpus.first()).cloned();
        let shift = Shift::new(ground, &first, *lanes, place, gpu);
        shift.work(first, &mut self.epochs, pipes)
    }
}
