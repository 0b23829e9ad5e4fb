//! What the trials of a job are to compute, and what that takes.

mod days;

use std::iter::repeat_n;

use efflux_base::error::{Error, Result};
use efflux_data::Pack;
use efflux_job::cost::{Workload, trainer_megabytes};
use efflux_job::{Backend, Chosen, Inputs, Stage};

use self::days::Days;
use super::study::Study;
use super::timing::{Makespan, Timing};

/// Of the plan for a GPU, where more of them gain little.
const LANES: u32 = 128;

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// A processor core, natively.
    Core,
    /// A GPU with one trial at a time.
    Gpu,
    /// A GPU with many trials at a time.
    Lanes,
}

/// What trials are to compute.
pub(crate) struct Loads {
    /// Of the search trials of one seed, in their order.
    search: Vec<Workload>,
    /// Of the members of one seed: for each configuration that on all sites, then those of the folds.
    members: Vec<Workload>,
    /// Members of one seed.
    per_seed: usize,
    /// The fewest and the most epochs of a trial.
    epochs: [u32; 2],
    /// The different inputs that configurations see.
    inputs: Vec<Chosen>,
    /// Of the largest trainer.
    pub(crate) trainer_megabytes: f64,
    /// The pack in memory.
    pub(crate) pack_megabytes: f64,
}

/// What is left to train.
pub(crate) struct Left {
    /// Places of search trials.
    pub(crate) search: Vec<usize>,
    /// How many members on all sites, then in each fold.
    pub(crate) members: Vec<usize>,
    /// The place of the configuration that members are trained with, once it is selected.
    pub(crate) selected: Option<usize>,
}

impl Left {
    /// Whether all is trained.
    pub(crate) fn is_nothing(&self) -> bool {
        self.search.is_empty() && self.members.iter().all(|count| *count == 0)
    }
}

/// Hours for what is left.
pub(crate) struct Times {
    /// Of the search.
    pub(crate) search: f64,
    /// Of members on all sites.
    pub(crate) members: f64,
    /// Of members in folds.
    pub(crate) in_folds: f64,
    /// Of a search trial, on average.
    pub(crate) mean: f64,
    /// Of the longest search trial.
    pub(crate) most: f64,
}

/// From the first trial's beginning to the last one's end.
pub(crate) struct Wall {
    /// Search, then members.
    pub(crate) all: Makespan,
    /// Seconds of the longest search trial and the longest member after it.
    pub(crate) longest_chain: f64,
}

impl Machine {
    fn hours(self, workload: &Workload, timing: &Timing) -> f64 {
        match self {
            Self::Core => timing.seconds(workload) / 3600.0,
            Self::Gpu => workload.gpu_hours(1),
            Self::Lanes => workload.gpu_hours(LANES),
        }
    }

    /// What the hours are counted on.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Core => "one core with AVX2 or AVX-512, as measured elsewhere".to_owned(),
            Self::Gpu => "an NVIDIA H200, one trial at a time".to_owned(),
            Self::Lanes => format!("an NVIDIA H200, {LANES} lanes"),
        }
    }

    /// Whether it is known what the trials of a job take on it.
    pub(crate) fn is_for(self, study: &Study) -> bool {
        !study.job.any(|settings| {
            let (params, training) = (&settings.params, &settings.training);
            match self {
                Self::Core => training.backend == Backend::Torch || training.threads > 1,
                Self::Gpu | Self::Lanes => training.backend == Backend::Native || params.layers > 1,
            }
        })
    }
}

impl Loads {
    /// # Errors
    ///
    /// [`Error::Job`] if the pack has not what a configuration asks for.
    pub(crate) fn of(study: &Study) -> Result<Self> {
        let pack_megabytes = megabytes(&study.pack);
        let (mut inputs, mut counts) = (Vec::new(), Vec::new());
        let mut known: Vec<(&Inputs, usize)> = Vec::new();
        let mut most_megabytes: f64 = 0.0;
        let mut epochs = [u32::MAX, 0];
        for (_, settings) in study.job.configured() {
            let (params, training) = (&settings.params, &settings.training);
            let sites = study.pack.sites.len();
            let takes = trainer_megabytes(params, training, sites, pack_megabytes);
            most_megabytes = most_megabytes.max(takes);
            epochs = [
                epochs[0].min(training.epochs),
                epochs[1].max(training.epochs),
            ];
            let found = known.iter().find(|(one, _)| **one == settings.inputs);
            if let Some((_, count)) = found {
                counts.push(*count);
                continue;
            }
            let chosen = study.contract.variables.choose(&settings.inputs);
            let chosen = chosen.map_err(|reason| Error::Job {
                path: study.job.path.clone(),
                reason,
            })?;
            let count = chosen.dynamic.len() + chosen.statics.len() + chosen.derived.len();
            known.push((&settings.inputs, count));
            counts.push(count);
            inputs.push(chosen);
        }
        let mut days = Days::of(study);
        let (mut search, mut members) = (Vec::new(), Vec::new());
        let configured = || study.job.configured().zip(&counts);
        for fold in study.contract.folds_of_search() {
            for ((_, settings), &count) in configured() {
                search.push(days.workload(Stage::Search, settings, count, fold)?);
            }
        }
        let folds = study.contract.folds.len();
        for ((_, settings), &count) in configured() {
            for fold in std::iter::once(None).chain((0..folds).map(Some)) {
                members.push(days.workload(Stage::Final, settings, count, fold)?);
            }
        }
        Ok(Self {
            search,
            members,
            per_seed: 1 + folds,
            epochs,
            inputs,
            trainer_megabytes: most_megabytes,
            pack_megabytes,
        })
    }

    /// What a search trial computes, by its place.
    pub(crate) fn of_search(&self, place: usize) -> &Workload {
        &self.search[place % self.search.len()]
    }

    /// What the members of a configuration compute: on all sites, then in each fold.
    pub(crate) fn of_members(&self, configuration: usize) -> &[Workload] {
        &self.members[configuration * self.per_seed..][..self.per_seed]
    }

    /// Places of search trials of one seed whose updates differ in size, the smallest first, each with what it computes.
    pub(crate) fn sizes(&self) -> Vec<(usize, &Workload)> {
        let mut sizes: Vec<(usize, &Workload)> = self.search.iter().enumerate().collect();
        let operations = |(_, workload): &(usize, &Workload)| workload.core_operations();
        sizes.sort_by(|a, b| operations(a).total_cmp(&operations(b)));
        sizes.dedup_by(|a, b| operations(a) == operations(b));
        sizes
    }

    /// What a member takes, on all sites or in a fold: on average over configurations while it is not known of which one
    /// members will be.
    fn of_member(&self, left: &Left, fold: usize, takes: impl Fn(&Workload) -> f64) -> f64 {
        if let Some(configuration) = left.selected {
            return takes(&self.of_members(configuration)[fold]);
        }
        let of_fold = self.members.iter().skip(fold).step_by(self.per_seed);
        of_fold.map(takes).sum::<f64>() * self.per_seed as f64 / self.members.len() as f64
    }

    /// What it takes to train what is left.
    pub(crate) fn times(&self, machine: Machine, timing: &Timing, left: &Left) -> Times {
        let hours = |workload: &Workload| machine.hours(workload, timing);
        let mut members = left
            .members
            .iter()
            .enumerate()
            .map(|(fold, &count)| count as f64 * self.of_member(left, fold, hours));
        let search = self.search.iter().map(hours);
        Times {
            search: left
                .search
                .iter()
                .map(|&place| hours(self.of_search(place)))
                .sum(),
            members: members.next().unwrap_or(0.0),
            in_folds: members.sum(),
            mean: search.clone().sum::<f64>() / self.search.len().max(1) as f64,
            most: search.fold(0.0, f64::max),
        }
    }

    /// When what is left has ended, if so many slots take it in the order of dispatch.
    pub(crate) fn wall(&self, timing: &Timing, left: &Left, slots: usize) -> Wall {
        let longest_first = |mut seconds: Vec<f64>| {
            seconds.sort_by(|a, b| b.total_cmp(a));
            seconds
        };
        let search = left.search.iter();
        let search = search.map(|&place| timing.seconds(self.of_search(place)));
        let search = longest_first(search.collect());
        let seconds = |workload: &Workload| timing.seconds(workload);
        let members = left.members.iter().enumerate();
        let members =
            members.flat_map(|(fold, &count)| repeat_n(self.of_member(left, fold, seconds), count));
        let members = longest_first(members.collect());
        let longest = |seconds: &[f64]| seconds.first().copied().unwrap_or(0.0);
        Wall {
            longest_chain: longest(&search) + longest(&members),
            all: Makespan::of(search.into_iter(), slots)
                .then(Makespan::of(members.into_iter(), slots)),
        }
    }

    /// The names of one kind of inputs; where configurations see different ones, how many.
    pub(crate) fn inputs(&self, kind: impl Fn(&Chosen) -> &Vec<String>) -> String {
        match &self.inputs[..] {
            [all] => kind(all).join(", "),
            several => {
                let counts = several.iter().map(|one| kind(one).len());
                let (least, most) = (counts.clone().min(), counts.max());
                format!(
                    "{} to {}, in {} sets",
                    least.unwrap_or(0),
                    most.unwrap_or(0),
                    several.len()
                )
            }
        }
    }

    /// Epochs, and optimizer steps of a trial.
    pub(crate) fn updates(&self, study: &Study) -> String {
        let updates = self.search.iter().map(|workload| workload.updates);
        let updates = [
            updates.clone().min().unwrap_or(0),
            updates.max().unwrap_or(0),
        ];
        let fewer = match study.job.any(|one| one.training.patience.is_some()) {
            true => " at most",
            false => "",
        };
        format!(
            "{} epochs; {} updates{fewer}",
            range(self.epochs.map(u64::from)),
            range(updates)
        )
    }
}

fn range([least, most]: [u64; 2]) -> String {
    if least < most {
        format!("{least} to {most}")
    } else {
        most.to_string()
    }
}

/// The pack in memory.
fn megabytes(pack: &Pack) -> f64 {
    let bytes = 4 * pack.values.len() + pack.filled.len() + 8 * pack.flux.len();
    bytes as f64 / 1e6
}
