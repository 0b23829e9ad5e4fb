//! `[training]`: how every trial is trained. Whatever is left out is the paper.

pub(super) mod keys;

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use self::keys::TrainingKeys;
use super::settings::Fault;

/// `[training]`: how every trial is trained. A number that belongs to one loss or optimizer is a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TrainingKeys", into = "TrainingKeys")]
pub struct Training {
    /// Length of a training window.
    pub window_days: u32,
    /// Passes over the data; the iterations of one follow hydroDL's formula: 961 for 82 sites and 30 days.
    pub epochs: u32,
    /// Updates in an epoch. Left out: by hydroDL's formula.
    pub epoch_updates: Option<u32>,
    /// Windows in a batch. Left out: as many as there are sites.
    pub batch_windows: Option<u32>,
    /// What computes the updates: the same equations and draws; the last bits differ.
    pub backend: Backend,
    /// How the windows of a batch are drawn.
    pub sampler: Sampling,
    /// Days that the model sees before each window without being judged on them (hydroDL's `bufftime`).
    pub warm_up_days: u32,
    /// What is minimised, in scaled units.
    pub loss: Loss,
    /// The rule that turns gradients into steps; its constants are torch's.
    pub optimizer: Optimizer,
    /// Factor of every step. Left out: 1 for Adadelta, 0.001 for Adam and AdamW, as in torch.
    pub learning_rate: Option<f64>,
    /// What becomes of the learning rate.
    pub schedule: Schedule,
    /// Updates over which the learning rate rises, with `schedule = "warm-up-cosine"`.
    pub warm_up_updates: u32,
    /// The length that a longer gradient is cut to. Left out: none is.
    pub clip_norm: Option<f64>,
    /// Whose epoch's weights are the result.
    pub keep: Keep,
    /// Epochs without a better validation score after which a trial ends. Left out: it runs all its epochs.
    pub patience: Option<u32>,
    /// Whether a GPU rounds the factors of its products to 10 bits: faster, and other numbers.
    pub tf32: bool,
    /// CPU threads of a trial; the last bits of a result depend on it.
    pub threads: u32,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            window_days: 30,
            epochs: 200,
            epoch_updates: None,
            batch_windows: None,
            backend: Backend::Auto,
            sampler: Sampling::Uniform,
            warm_up_days: 0,
            loss: Loss::Mse,
            optimizer: Optimizer::Adadelta,
            learning_rate: None,
            schedule: Schedule::Constant,
            warm_up_updates: 20,
            clip_norm: None,
            keep: Keep::Last,
            patience: None,
            tf32: false,
            threads: 1,
        }
    }
}

/// What computes the updates of a trial. The equations, draws and files are the same; the last bits are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Native on a CPU with one thread, else torch.
    #[default]
    Auto,
    /// libtorch, on GPUs and on CPUs with any number of threads.
    Torch,
    /// Our own kernels, on one core of a CPU, several times as fast there.
    Native,
}

/// How the window of a site is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Anywhere in the calendar, blind to targets, as hydroDL: a site with a long record is in more batches.
    #[default]
    Uniform,
    /// Among those that hold a target, every site in every batch. Other statistics than the paper's: short records weigh
    /// more, and the report says so.
    Observed,
    /// `batch_windows` of those that hold a target, of sites drawn by the square root of their number of targets.
    Root,
}

/// What training minimises, in scaled units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Loss {
    /// Mean squared error over all targets of a batch.
    #[default]
    Mse,
    /// The same with each site's errors divided by the standard deviation of its targets (plus a tenth of that of all
    /// targets), so that a site counts by how it varies and not by how much it emits.
    Nse,
    /// Huber's: a large error counts by its size, not by its square.
    Huber {
        /// Where the square turns into a line, in standard deviations of the targets fitted on; 1 by default.
        delta: Option<f64>,
    },
}

/// The rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Optimizer {
    /// rho 0.9, eps 1e-6, as hydroDL.
    #[default]
    Adadelta,
    /// betas 0.9 and 0.999, eps 1e-8.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW {
        /// Share of a weight, times the learning rate, that a step takes away; 0.01 by default, as in torch.
        decay: Option<f64>,
    },
}

/// What becomes of the learning rate. Every rule but the last gives one rate for all updates of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// It falls epoch by epoch in equal steps, towards 0.
    Linear,
    /// It falls epoch by epoch along half a cosine, towards 0.
    Cosine,
    /// It rises in equal steps over the first `warm_up_updates` while it falls along half a cosine, update by update, to a
    /// thousandth.
    WarmUpCosine,
}

/// Whose epoch's weights are the result of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The last one's, as hydroDL.
    #[default]
    Last,
    /// The one's with the highest median NSE over the validation days.
    Best,
}

impl Loss {
    /// Where Huber's turns into a line, if that is given.
    pub(super) fn delta(self) -> Option<f64> {
        match self {
            Self::Huber { delta } => delta,
            Self::Mse | Self::Nse => None,
        }
    }
}

impl Optimizer {
    /// The weight decay, if one is given.
    pub(super) fn decay(self) -> Option<f64> {
        match self {
            Self::AdamW { decay } => decay,
            Self::Adadelta | Self::Adam => None,
        }
    }
}

impl Training {
    /// Days of a window with its warm-up.
    pub fn sequence_days(&self) -> u32 {
        self.window_days.saturating_add(self.warm_up_days)
    }

    /// The learning rate of an epoch, counted from 0.
    pub fn learning_rate(&self, epoch: u32) -> f64 {
        let done = f64::from(epoch) / f64::from(self.epochs);
        self.highest_rate()
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Linear => 1.0 - done,
                Schedule::Cosine | Schedule::WarmUpCosine => 0.5 * (1.0 + (PI * done).cos()),
            }
    }

    /// The learning rate of an iteration of an epoch, both counted from 0, where an epoch has so many.
    pub fn rate(&self, epoch: u32, iteration: u32, iterations: u32) -> f64 {
        if self.schedule != Schedule::WarmUpCosine {
            return self.learning_rate(epoch);
        }
        let highest = self.highest_rate();
        let update = f64::from(epoch) * f64::from(iterations) + f64::from(iteration) + 1.0;
        let done = update / (f64::from(self.epochs) * f64::from(iterations));
        let warm = (update / f64::from(self.warm_up_updates.max(1))).min(1.0);
        (highest * warm * 0.5 * (1.0 + (PI * done).cos())).max(1e-3 * highest)
    }

    /// The learning rate that the schedule begins with, or rises to.
    pub fn highest_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(match self.optimizer {
            Optimizer::Adadelta => 1.0,
            Optimizer::Adam | Optimizer::AdamW { .. } => 1e-3,
        })
    }

    /// Whether the course of a trial depends on its validation scores, and so on there being any.
    pub fn needs_validation(&self) -> bool {
        self.keep == Keep::Best || self.patience.is_some()
    }

    /// The first value that cannot be.
    pub(super) fn fault(&self) -> Option<Fault> {
        let positive = |key, value: Option<f64>| {
            let wrong = value.filter(|value| !(value.is_finite() && *value > 0.0))?;
            Some((key, wrong.to_string(), "above 0"))
        };
        let count = |key, value: u32, least, most, expected| {
            (!(least..=most).contains(&value)).then(|| (key, value.to_string(), expected))
        };
        let (delta, decay) = (self.loss.delta(), self.optimizer.decay());
        count("window_days", self.window_days, 1, u32::MAX, "1 or more")
            .or_else(|| count("epochs", self.epochs, 1, u32::MAX, "1 or more"))
            .or_else(|| {
                let updates = self.epoch_updates?;
                count("epoch_updates", updates, 1, u32::MAX, "1 or more")
            })
            .or_else(|| {
                let windows = self.batch_windows?;
                let expected = "no such key unless `sampler` is \"root\"";
                let fits = self.sampler == Sampling::Root;
                (!fits).then(|| ("batch_windows", windows.to_string(), expected))
            })
            .or_else(|| {
                count(
                    "batch_windows",
                    self.batch_windows?,
                    1,
                    100_000,
                    "1 to 100000",
                )
            })
            .or_else(|| count("threads", self.threads, 1, 1024, "1 to 1024"))
            .or_else(|| {
                let native = self.backend == Backend::Native;
                let expected = "1, because `backend` is \"native\"";
                native.then(|| count("threads", self.threads, 1, 1, expected))?
            })
            .or_else(|| positive("learning_rate", self.learning_rate))
            .or_else(|| positive("clip_norm", self.clip_norm))
            .or_else(|| positive("huber_delta", delta))
            .or_else(|| {
                let wrong = decay.filter(|decay| !(0.0..1.0).contains(decay))?;
                Some(("weight_decay", wrong.to_string(), "at least 0 and below 1"))
            })
            .or_else(|| count("patience", self.patience?, 1, u32::MAX, "1 or more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule) -> Vec<f64> {
        let training = Training {
            epochs: 4,
            optimizer: Optimizer::Adam,
            learning_rate: Some(0.8),
            schedule,
            ..Training::default()
        };
        (0..4).map(|epoch| training.learning_rate(epoch)).collect()
    }

    #[test]
    fn schedules_begin_at_the_learning_rate_and_fall_towards_zero() {
        assert_eq!(rates(Schedule::Constant), [0.8; 4]);
        for (found, expected) in rates(Schedule::Linear).iter().zip([0.8, 0.6, 0.4, 0.2]) {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        let half = 0.5_f64.sqrt();
        let cosine = [0.8, 0.4 * (1.0 + half), 0.4, 0.4 * (1.0 - half)];
        for (found, expected) in rates(Schedule::Cosine).iter().zip(cosine) {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn the_learning_rate_is_torchs_unless_given() {
        let of = |optimizer| {
            let training = Training {
                optimizer,
                ..Training::default()
            };
            training.learning_rate(7)
        };
        assert_eq!(of(Optimizer::Adadelta), 1.0);
        assert_eq!(
            (of(Optimizer::Adam), of(Optimizer::AdamW { decay: None })),
            (1e-3, 1e-3)
        );
    }
}
