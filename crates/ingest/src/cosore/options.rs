//! What of a release enters a pack.

use efflux_base::error::Result;
use efflux_data::{Account, Calendar};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::span;

/// What of a COSORE release enters a pack. The default is the paper's literal reading: everything, filtered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CosoreOptions {
    /// Which measurements are dropped as implausible.
    pub filter: Filter,
    /// Chambers that measure one of these.
    pub fluxes: Vec<Flux>,
    /// Chambers under these treatments.
    pub treatments: Treatments,
    /// Data sets under an embargo (`CSR_EMBARGO`) too, which their owners have not released.
    #[serde(default, skip_serializing_if = "is_false")]
    pub embargoed: bool,
    /// First day of the calendar; none for that of the paper. Not kept among the options of a pack, which has the calendar.
    #[serde(skip)]
    pub from: Option<Date>,
    /// Last day of the calendar; none for that of the paper.
    #[serde(skip)]
    pub to: Option<Date>,
    /// Leave out and name a data set that cannot be read, where it is otherwise an error. Not kept in a pack: where all
    /// can be read, it changes nothing.
    #[serde(skip)]
    pub skip_unreadable: bool,
}

/// What a pack does not say of an option that was not taken.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes it so.
fn is_false(option: &bool) -> bool {
    !*option
}

impl Default for CosoreOptions {
    fn default() -> Self {
        Self {
            filter: Filter::All,
            fluxes: Flux::ALL.to_vec(),
            treatments: Treatments::All,
            embargoed: false,
            from: None,
            to: None,
            skip_unreadable: false,
        }
    }
}

impl CosoreOptions {
    /// The days that means are asked for.
    pub(super) fn calendar(&self) -> Result<Calendar> {
        let paper = Calendar::default();
        let (start, end) = (
            self.from.unwrap_or(paper.start),
            self.to.unwrap_or(paper.end()),
        );
        span::calendar(start, end)
    }

    /// What this release was read with; none if it was not by these options.
    pub(crate) fn of(account: &Account) -> Option<Self> {
        Self::deserialize(&account.options).ok()
    }

    /// The same options, written the same way whatever order they were given in.
    pub(super) fn in_order(&self) -> Self {
        let asked_for = |of: &Flux| self.fluxes.contains(of);
        Self {
            fluxes: Flux::ALL.into_iter().filter(asked_for).collect(),
            ..self.clone()
        }
    }

    /// Whether it takes a look at the chambers to know what enters.
    pub(super) fn selects_ports(&self) -> bool {
        self.treatments != Treatments::All || Flux::ALL.iter().any(|of| !self.fluxes.contains(of))
    }
}

/// Which measurements are dropped: those below the 1st or above the 99th percentile of their IGBP class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Percentiles of all measurements, applied to all, as in the paper
    #[default]
    All,
    /// Percentiles of each site's first 80 % of days, applied to these alone; later days keep everything
    Training,
    /// Nothing is dropped
    None,
}

/// What a chamber measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Flux {
    /// Soil respiration
    #[value(name = "Rs")]
    Rs,
    /// Heterotrophic respiration: without roots
    #[value(name = "Rh")]
    Rh,
    /// Net ecosystem exchange: clear chambers over plants
    #[value(name = "NEE")]
    #[serde(rename = "NEE")]
    Nee,
    /// Ecosystem respiration: dark chambers over plants
    #[value(name = "Reco")]
    Reco,
}

impl Flux {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Rs, Self::Rh, Self::Nee, Self::Reco];

    /// The one that COSORE writes so.
    pub(super) fn of(text: &str) -> Option<Self> {
        match text {
            "Rs" => Some(Self::Rs),
            "Rh" => Some(Self::Rh),
            "NEE" => Some(Self::Nee),
            "Reco" => Some(Self::Reco),
            _ => None,
        }
    }
}

/// Which experiments enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Treatments {
    /// All chambers, also trenched, girdled, warmed or irrigated ones
    #[default]
    All,
    /// Chambers without a treatment
    None,
}
