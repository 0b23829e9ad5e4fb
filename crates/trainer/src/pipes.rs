//! The trainer's end of the protocol.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use efflux_base::error::{Error, Result};
use efflux_protocol::{
    Assignment, FromTrainer, Simulation, ToTrainer, TrainerPreparation, read_frame, write_frame,
};

/// Orders that arrive, reports that leave.
pub(crate) struct Pipes {
    /// As a thread of its own reads them: [`ToTrainer::Drain`] must be heard in the middle of a trial.
    orders: Receiver<io::Result<Order>>,
    /// Set by [`ToTrainer::Drain`].
    drains: Arc<AtomicBool>,
    reports: Box<dyn Write>,
}

/// An order that waits its turn: what a trainer is told, but for what cannot wait and for the end.
#[derive(Debug)]
pub(crate) enum Order {
    Prepare(Box<TrainerPreparation>),
    Train(Assignment),
    Simulate(Simulation),
}

impl Pipes {
    /// Takes stdin and stdout from everybody else: libraries print to stdout, and that goes to stderr from now on.
    pub(crate) fn claim() -> io::Result<Self> {
        let orders = rustix::io::dup(rustix::stdio::stdin())?;
        let reports = rustix::io::dup(rustix::stdio::stdout())?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        Ok(Self::new(File::from(orders), File::from(reports)))
    }

    /// Takes orders from here and reports there.
    pub(crate) fn new(orders: impl Read + Send + 'static, reports: impl Write + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        let drains = Arc::new(AtomicBool::new(false));
        let is_asked = Arc::clone(&drains);
        std::thread::spawn(move || listen(BufReader::new(orders), &is_asked, &sender));
        Self {
            orders: receiver,
            drains,
            reports: Box::new(reports),
        }
    }

    /// Whether the running trials are to be handed back.
    pub(crate) fn drains(&self) -> bool {
        self.drains.load(Ordering::Relaxed)
    }

    /// Sends a message to whoever started this trainer.
    pub(crate) fn report(&mut self, report: &FromTrainer) -> Result<()> {
        write_frame(&mut self.reports, report)
            .map_err(|error| Error::Trainer(format!("cannot report: {error}")))
    }

    /// The next order, waited for; none if there will be no more.
    pub(crate) fn next(&mut self) -> Result<Option<Order>> {
        taken(self.orders.recv().ok())
    }

    /// The next order, if there is one already.
    pub(crate) fn next_if_any(&mut self) -> Result<Option<Order>> {
        taken(self.orders.try_recv().ok())
    }
}

fn taken(order: Option<io::Result<Order>>) -> Result<Option<Order>> {
    let order = order.transpose();
    order.map_err(|error| Error::Trainer(format!("cannot take orders: {error}")))
}

/// Passes orders on until there are no more.
fn listen(mut from: impl Read, drains: &AtomicBool, to: &Sender<io::Result<Order>>) {
    loop {
        let order = match read_frame(&mut from).transpose() {
            Some(Ok(ToTrainer::Drain)) => {
                drains.store(true, Ordering::Relaxed);
                continue;
            }
            Some(Ok(ToTrainer::Prepare(preparation))) => Ok(Order::Prepare(preparation)),
            Some(Ok(ToTrainer::Train(assignment))) => Ok(Order::Train(assignment)),
            Some(Ok(ToTrainer::Simulate(simulation))) => Ok(Order::Simulate(simulation)),
            // What came before is done first.
            Some(Ok(ToTrainer::Stop)) | None => return,
            Some(Err(error)) => Err(error),
        };
        let is_last = order.is_err();
        // Nobody is there to take it only when the process ends.
        if to.send(order).is_err() || is_last {
            return;
        }
    }
}
