//! A process that makes updates when told to.

use efflux_data::Tensors;
use efflux_job::{Backend, DeviceChoice, Params};
use efflux_model::device::{self, Device};
use efflux_model::{Lanes, Trainer};
use rustix::time::{ClockId, clock_gettime};

use crate::material::{tensors, training};
use crate::{Options, Outcome};

/// Makes as many updates as each line of stdin says, and answers with the milliseconds of one, until all are done and
/// until all are asked for.
pub(crate) fn work(options: &Options, batch: &str, engine: &str) -> Outcome {
    let device = device::open(options.device)?;
    let mut tensors = tensors(options.pack.as_deref())?;
    if batch == "full" {
        // With a target on every day nothing can be left out.
        for value in tensors.target.iter_mut() {
            *value = if value.is_nan() { 0.5 } else { *value };
        }
    }
    let mut updater = Updater::new(&tensors, options, engine, device)?;
    println!("ready");
    for order in std::io::stdin().lines() {
        let updates: u32 = order?.trim().parse()?;
        let began = milliseconds(options.device);
        for _ in 0..updates {
            updater.update()?;
        }
        let asked = milliseconds(options.device) - began;
        updater.wait();
        let done = milliseconds(options.device) - began;
        let each = f64::from(updates) * updater.trainers.len() as f64;
        println!("{} {}", done / each, asked / each);
    }
    Ok(())
}

/// One trial, or several in lanes.
struct Updater<'a> {
    trainers: Vec<Trainer<'a>>,
    lanes: Option<Lanes<'a>>,
}

impl<'a> Updater<'a> {
    fn new(tensors: &'a Tensors, options: &Options, engine: &str, device: Device) -> Outcome<Self> {
        let params = Params {
            hidden_size: options.hidden,
            dropout: 0.2,
            ..Params::PAPER
        };
        let backend = match engine {
            "native" => Backend::Native,
            _ => Backend::Torch,
        };
        let rules = training(backend, options.windows[0]);
        let Ok(count) = engine.parse::<u32>() else {
            let trainer = Trainer::new(tensors, &params, &rules, 0, device)?;
            return Ok(Self {
                trainers: vec![trainer],
                lanes: None,
            });
        };
        let lanes = Lanes::new(count as usize, tensors, &params, &rules, device)?;
        let begun = (0..count).map(|seed| lanes.begin(&params, &rules, seed.into()));
        let trainers: Vec<_> = begun.collect::<Result<_, _>>()?;
        Ok(Self {
            trainers: trainers.into_iter().flatten().collect(),
            lanes: Some(lanes),
        })
    }

    fn update(&mut self) -> Outcome {
        match &mut self.lanes {
            Some(lanes) => {
                let mut trainers: Vec<_> = self.trainers.iter_mut().collect();
                for outcome in lanes.update(&mut trainers)? {
                    outcome?;
                }
            }
            None => drop(self.trainers[0].update()?),
        }
        Ok(())
    }

    /// Until the device has done all it was asked for: what it says last cannot be known before.
    fn wait(&self) {
        let _ = self.trainers[0].checkpoint();
    }
}

/// On a processor the time of this process, which the kernel's ticks would not show of three small updates; else that of
/// the day.
fn milliseconds(device: DeviceChoice) -> f64 {
    let clock = match device {
        DeviceChoice::Cpu => ClockId::ProcessCPUTime,
        _ => ClockId::Monotonic,
    };
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}
