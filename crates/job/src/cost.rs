//! The cost of a trial before it is trained: time on a processor core or a GPU, and memory. Estimates from measurements,
//! whose sources are with the constants.

use crate::params::Params;
use crate::training::Training;

/// What one trial computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Units of the input layer and of the LSTM.
    pub hidden_size: u32,
    /// LSTMs on top of each other.
    pub layers: u32,
    /// Daily and static inputs.
    pub inputs: usize,
    /// Updates of all epochs.
    pub updates: u64,
    /// Site-days that an update computes, on average: those of each drawn window up to its last target.
    pub site_days: f64,
    /// Site-days of validation after all epochs, which are run without a gradient.
    pub validated_days: f64,
    /// Site-days of the simulation of the trained model, which are run so, too.
    pub simulated_days: f64,
    /// Site-days of simulation that are run by window.
    pub windowed_days: f64,
}

/// Operations a second of one core of an AMD EPYC 9004 (Zen 4, 3.7 GHz), all products and cells of a native training
/// taken together.
///
/// # Source
///
/// `benches/results/2026-11-25-amd-epyc-zen4`.
const CORE_RATE: f64 = 1e11;

/// Seconds a weight and update on that core: masks, optimizer, and putting it where products want it.
const CORE_WEIGHT: f64 = 1.6e-9;

/// Operations a second of the same core in simulations by window, whose many windows are not in its caches.
///
/// # Source
///
/// `benches/results/2026-11-25-amd-epyc-zen4/window-state.txt`: 66 to 101 s for 29,212 windows of 365 days.
const WINDOW_RATE: f64 = 3.6e10;

/// Seconds that an update takes on an NVIDIA H200 whatever the number of lanes: its twenty calls.
///
/// # Source
///
/// Fitted, with [`GPU_RATE`], to `benches/results/2026-11-26-nvidia-h200`: an update of all trials in 1, 32, 128 and 256
/// lanes takes 0.709, 1.02, 2.4 and 3.9 ms. The last one is from whole sweeps, whose search trials have fewer days.
const GPU_UPDATE: f64 = 0.66e-3;

/// Operations a second in lanes on an NVIDIA H200.
const GPU_RATE: f64 = 1.2e13;

/// libtorch, the allocator's head start and the program itself, as measured on a trainer on a processor.
const TRAINER_BASE_MB: f64 = 260.0;

impl Workload {
    /// Operations of an update: forward, backward, and the gradient of the weights.
    pub fn operations(&self) -> f64 {
        let hidden = f64::from(self.hidden_size);
        let layers = f64::from(self.layers);
        self.site_days * (layers * 48.0 * hidden * hidden + 4.0 * self.inputs as f64 * hidden)
    }

    /// Operations of a site-day that is run forward alone.
    fn forward_operations(&self) -> f64 {
        let hidden = f64::from(self.hidden_size);
        let layers = f64::from(self.layers);
        layers * 16.0 * hidden * hidden + 2.0 * self.inputs as f64 * hidden
    }

    /// The same trial with so many epochs, where it has `all` of them.
    #[must_use]
    pub fn of_epochs(&self, epochs: u32, all: u32) -> Self {
        Self {
            updates: self.updates * u64::from(epochs) / u64::from(all),
            validated_days: self.validated_days * f64::from(epochs) / f64::from(all),
            ..*self
        }
    }

    /// Hours that a trial takes on one core of a processor, trained and simulated natively.
    pub fn core_hours(&self) -> f64 {
        let hidden = f64::from(self.hidden_size);
        let weights = f64::from(self.layers) * 8.0 * hidden * hidden;
        let update = self.operations() / CORE_RATE + weights * CORE_WEIGHT;
        let carried = self.validated_days + self.simulated_days;
        let days = carried / CORE_RATE + self.windowed_days / WINDOW_RATE;
        (self.updates as f64 * update + days * self.forward_operations()) / 3600.0
    }

    /// Seconds that an update of all trials takes on an NVIDIA H200, with so many of them in lanes.
    pub fn gpu_update_seconds(&self, lanes: u32) -> f64 {
        GPU_UPDATE + f64::from(lanes) * self.operations() / GPU_RATE
    }

    /// Hours of an NVIDIA H200 that each trial takes, with so many of them in lanes.
    pub fn gpu_hours(&self, lanes: u32) -> f64 {
        self.updates as f64 * self.gpu_update_seconds(lanes) / f64::from(lanes.max(1)) / 3600.0
    }
}

/// Megabytes of a trainer on a processor: the pack and its tensors, and for the largest possible batch the activations that
/// the backward pass needs.
pub fn trainer_megabytes(
    params: &Params,
    training: &Training,
    sites: usize,
    pack_megabytes: f64,
) -> f64 {
    let (hidden, window) = (
        f64::from(params.hidden_size),
        f64::from(training.window_days),
    );
    let layers = f64::from(params.layers);
    let activations = layers * sites as f64 * window * hidden * 12.0 * 4.0 / 1e6;
    let weights = layers * 8.0 * hidden * hidden * 4.0 * 8.0 / 1e6;
    TRAINER_BASE_MB + 3.0 * pack_megabytes + activations + weights
}

/// Megabytes of the coordinator's rank, without its trainers.
pub fn coordinator_megabytes(pack_megabytes: f64) -> f64 {
    2.0 * pack_megabytes + 30.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search trial of the paper's configuration on the default synthetic pack: 82 sites, windows of 30 days.
    const SEARCH: Workload = Workload {
        hidden_size: 128,
        layers: 1,
        inputs: 21,
        updates: 192_200,
        site_days: 183.7,
        validated_days: 0.0,
        simulated_days: 0.0,
        windowed_days: 0.0,
    };

    /// The same as `benches/update` trains it: on validation days, too.
    const BENCH: Workload = Workload {
        site_days: 204.0,
        ..SEARCH
    };

    #[track_caller]
    fn is_about(estimate: f64, measured: f64) {
        let ratio = estimate / measured;
        assert!(
            (0.85..=1.15).contains(&ratio),
            "{estimate} is not about {measured}"
        );
    }

    #[test]
    fn an_h200_takes_as_long_as_it_was_measured_to_take() {
        // `update.txt` has milliseconds a trial, `lanes.csv` trials an hour.
        for (lanes, milliseconds) in [(1, 0.709), (8, 0.776), (32, 1.02), (128, 2.4)] {
            is_about(BENCH.gpu_update_seconds(lanes) * 1e3, milliseconds);
        }
        is_about(SEARCH.gpu_update_seconds(256) * 1e3, 3.9);
        for (lanes, trials_an_hour) in [(1, 29.0), (128, 1011.0), (256, 1241.0)] {
            is_about(1.0 / SEARCH.gpu_hours(lanes), trials_an_hour);
        }
    }

    #[test]
    fn a_core_trains_as_many_trials_an_hour_as_it_was_measured_to_train() {
        is_about(1.0 / SEARCH.core_hours(), 11.6);
    }

    #[test]
    fn a_member_is_run_by_window_for_as_long_as_it_was_measured_to_be() {
        let member = Workload {
            updates: 0,
            windowed_days: 29_212.0 * 365.0,
            ..SEARCH
        };
        is_about(member.core_hours() * 3600.0, 83.0 - 4.8);
    }

    #[test]
    fn lanes_share_the_calls_of_an_update_and_not_its_operations() {
        let (one, many) = (SEARCH.gpu_hours(1), SEARCH.gpu_hours(128));
        assert!(many < one / 30.0, "{one} {many}");
        let least = SEARCH.updates as f64 * SEARCH.operations() / GPU_RATE / 3600.0;
        assert!(many > least);
    }

    #[test]
    fn memory_grows_with_pack_window_and_network() {
        let megabytes = |hidden_size, window_days, sites, pack| {
            let params = Params {
                hidden_size,
                ..Params::default()
            };
            let training = Training {
                window_days,
                ..Training::default()
            };
            trainer_megabytes(&params, &training, sites, pack)
        };
        let base = megabytes(1, 1, 1, 0.0);
        assert!((base - TRAINER_BASE_MB).abs() < 0.01);
        let small = megabytes(128, 30, 82, 10.0);
        assert!(megabytes(256, 30, 82, 10.0) > small);
        assert!(megabytes(128, 365, 82, 10.0) > small);
        assert!((megabytes(128, 30, 82, 20.0) - small - 30.0).abs() < 1e-9);
        assert!((coordinator_megabytes(10.0) - 50.0).abs() < 1e-9);
    }
}
