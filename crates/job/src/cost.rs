//! The cost of a trial before it is trained: time on a processor core or a GPU, and memory. Estimates from measurements,
//! whose sources are with the constants.

use efflux_numerics::Level;

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
    /// Site-days of the pack, which every trial takes over and is scored on.
    pub calendar_days: f64,
    /// What the process of its residuals computes; nothing without one.
    pub residuals: Residuals,
    /// What a core computes with.
    pub level: Level,
}

/// What a Gaussian process of each site computes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Residuals {
    /// Pairs of days that are compared.
    pub pairs: f64,
    /// Operations of the factorisations: the cubes of the days that sites are fitted on, over 3.
    pub factored: f64,
}

/// Seconds of a trial on a core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoreSeconds {
    /// Of all its updates.
    pub updates: f64,
    /// Of all else: validation, simulation, the process of residuals.
    pub rest: f64,
}

/// Operations a second of one core in products of matrices.
///
/// # Source
///
/// This and the next seven: `benches/results/2026-11-27-intel-xeon/trials.csv`, processor time on an Intel Xeon with AVX-512.
const CORE_RATE: f64 = 1.3e11;

/// Seconds a site-day and unit of a layer in the cells of an update, forward and backward.
const CORE_CELL: f64 = 6.5e-9;

/// The same forward alone.
const CORE_CELL_FORWARD: f64 = 3e-9;

/// Seconds a site-day of an update beside them: gathering inputs, head and loss.
const CORE_DAY: f64 = 1.8e-7;

/// The same forward alone.
const CORE_DAY_FORWARD: f64 = 1e-7;

/// Seconds a pair of days whose covariance is computed.
const CORE_PAIR: f64 = 1.2e-8;

/// Operations a second in factorisations.
const CORE_FACTOR_RATE: f64 = 3e10;

/// Seconds a site-day of the pack: copying inputs, scores.
const CORE_CALENDAR_DAY: f64 = 1e-7;

/// Seconds a weight and update: masks, optimizer, and putting it where products want it.
///
/// # Source
///
/// This and the next two: `benches/results/2026-11-25-amd-epyc-zen4`, what an update of 64, 128 and 256 units takes beside its
/// days.
const CORE_WEIGHT: f64 = 1e-9;

/// What a weight takes more that does not fit into the second-level cache with its gradient, means and masks.
const CORE_WEIGHT_BEYOND: f64 = 4e-9;

/// How many weights do fit.
const CORE_CACHED: f64 = 65_536.0;

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
        self.site_days * self.operations_a_day(self.hidden_size, [48.0, 4.0])
    }

    /// The same as a core computes them: units that fill up its registers are computed, too.
    pub fn core_operations(&self) -> f64 {
        self.site_days * self.operations_a_day(self.units(), [48.0, 4.0])
    }

    /// Operations of a site-day: so many a weight of a unit of a layer for each unit, and a weight of an input.
    fn operations_a_day(&self, units: u32, [a_weight, an_input]: [f64; 2]) -> f64 {
        let (units, layers) = (f64::from(units), f64::from(self.layers));
        layers * a_weight * units * units + an_input * self.inputs as f64 * units
    }

    /// Units that a core computes.
    fn units(&self) -> u32 {
        self.hidden_size.next_multiple_of(registers(self.level))
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

    /// What a trial takes on one core of a processor, trained and simulated natively.
    pub fn core_seconds(&self) -> CoreSeconds {
        let (units, layers) = (f64::from(self.units()), f64::from(self.layers));
        let weights = layers * 8.0 * units * units;
        let weights = weights * CORE_WEIGHT + (weights - CORE_CACHED).max(0.0) * CORE_WEIGHT_BEYOND;
        let day = CORE_DAY + layers * units * CORE_CELL;
        let update = self.core_operations() / CORE_RATE + self.site_days * day;
        let forward = self.operations_a_day(self.units(), [16.0, 2.0]) / CORE_RATE
            + CORE_DAY_FORWARD
            + layers * units * CORE_CELL_FORWARD;
        let days = self.validated_days + self.simulated_days + self.windowed_days;
        let Residuals { pairs, factored } = self.residuals;
        CoreSeconds {
            updates: self.updates as f64 * (update + weights),
            rest: days * forward
                + pairs * CORE_PAIR
                + factored / CORE_FACTOR_RATE
                + self.calendar_days * CORE_CALENDAR_DAY,
        }
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

impl CoreSeconds {
    /// All together.
    pub fn sum(self) -> f64 {
        self.updates + self.rest
    }
}

/// What native training pads hidden units to a multiple of.
pub fn registers(level: Level) -> u32 {
    match level {
        Level::Baseline => 8,
        Level::Avx2 => 16,
        Level::Avx512 => 64,
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
        calendar_days: 0.0,
        residuals: Residuals {
            pairs: 0.0,
            factored: 0.0,
        },
        level: Level::Avx512,
    };

    /// The same as `benches/update` trains it: on validation days, too.
    const BENCH: Workload = Workload {
        site_days: 204.0,
        ..SEARCH
    };

    /// A search trial of `jobs/cosore-daily.toml`: 56 sites, 48 windows of 90 days after 30 of warm-up.
    const SITES: Workload = Workload {
        hidden_size: 32,
        inputs: 13,
        updates: 300,
        site_days: 5068.0,
        validated_days: 80_050.0,
        simulated_days: 351_064.0,
        calendar_days: 351_064.0,
        ..SEARCH
    };

    /// Its process of residuals.
    const RESIDUALS: Residuals = Residuals {
        pairs: 2.756e7,
        factored: 2.769e9,
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
    fn a_core_takes_as_long_as_it_was_measured_to_take() {
        // Trials an hour in `benches/results/2026-11-25-amd-epyc-zen4`.
        is_about(3600.0 / SEARCH.core_seconds().sum(), 11.6);
        // Seconds in `benches/results/2026-11-27-intel-xeon/trials.csv`.
        let sized = |hidden_size, updates, validated_days| {
            let sized = Workload {
                hidden_size,
                updates,
                validated_days,
                ..SITES
            };
            sized.core_seconds().sum()
        };
        for (hidden_size, seconds) in [(32, 3.30), (64, 3.26), (128, 10.6)] {
            is_about(sized(hidden_size, 300, 80_050.0), seconds);
        }
        is_about(sized(32, 60, 16_010.0), 0.86);
    }

    #[test]
    fn a_trial_with_a_process_or_by_window_takes_what_these_were_measured_to_take_more() {
        let corrected = Workload {
            residuals: RESIDUALS,
            ..SITES
        };
        let more = corrected.core_seconds().rest - SITES.core_seconds().rest;
        is_about(more, 0.43);
        let member = Workload {
            windowed_days: 29_212.0 * 120.0,
            ..SITES
        };
        is_about(member.core_seconds().sum(), 6.19);
    }

    #[test]
    fn units_that_share_registers_cost_a_core_the_same_and_a_gpu_what_they_are() {
        let with = |hidden_size, level| Workload {
            hidden_size,
            level,
            ..SITES
        };
        let seconds = |hidden_size, level| with(hidden_size, level).core_seconds();
        let (one, most) = (seconds(1, Level::Avx512), seconds(64, Level::Avx512));
        assert_eq!(one, most);
        assert!(seconds(65, Level::Avx512).sum() > 2.0 * most.sum());
        assert!(seconds(16, Level::Avx2).sum() < most.sum() / 3.0);
        let (small, large) = (with(16, Level::Avx512), with(64, Level::Avx512));
        assert!(large.gpu_update_seconds(1) > small.gpu_update_seconds(1));
    }

    #[test]
    fn more_of_anything_takes_longer() {
        let less = SITES.core_seconds().sum();
        let more = [
            Workload { layers: 2, ..SITES },
            Workload {
                inputs: 40,
                ..SITES
            },
            Workload {
                site_days: 6000.0,
                ..SITES
            },
            Workload {
                windowed_days: 1e5,
                ..SITES
            },
            Workload {
                calendar_days: 1e6,
                ..SITES
            },
            Workload {
                residuals: RESIDUALS,
                ..SITES
            },
        ];
        for more in more {
            assert!(more.core_seconds().sum() > less, "{more:?}");
        }
        let few = SITES.of_epochs(1, 10).core_seconds();
        let all = SITES.core_seconds();
        assert!((few.updates - all.updates / 10.0).abs() < 1e-9);
        assert!(few.rest > all.rest / 10.0, "the simulation is whole");
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
