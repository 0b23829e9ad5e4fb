//! The paper's numbers beside this run's, and what was the same and what not.
//!
//! # Source
//!
//! Smykalov, Bond-Lamberty, Vargas and Li, *Towards a global deep learning model for daily soil CO₂ efflux* (preprint),
//! Sections 2.1 to 3.4.

mod data;
mod here;
mod numbers;
mod settings;

use efflux_base::error::Result;

use super::cell::p_value;
use super::numbers::number;

pub(crate) use here::Here;
pub(crate) use numbers::Number;

/// This run's number beside one of the paper's, or why there is none to compare.
pub(crate) type Beside = std::result::Result<f64, String>;

/// The paper beside a run.
pub(crate) struct Paper {
    /// Every number, in the order of the paper.
    pub(crate) numbers: Vec<Compared>,
    /// What they rest on.
    pub(crate) settings: Vec<Setting>,
}

/// A number of the paper with this run's.
pub(crate) struct Compared {
    pub(crate) number: &'static Number,
    pub(crate) here: Beside,
}

/// A thing that numbers rest on.
pub(crate) struct Setting {
    pub(crate) what: &'static str,
    pub(crate) paper: String,
    pub(crate) here: String,
    pub(crate) same: Same,
}

/// Whether it is the same in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Same {
    Yes,
    No,
    /// The paper does not say.
    NotSaid,
    /// The run does not tell.
    Unknown,
}

impl Same {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yes => "same",
            Self::No => "differs",
            Self::NotSaid => "not said in the paper",
            Self::Unknown => "cannot be told",
        }
    }

    pub(super) fn of(is_same: bool) -> Self {
        if is_same { Self::Yes } else { Self::No }
    }
}

impl Paper {
    /// # Errors
    ///
    /// None, as long as a test reads the paper's job.
    pub(crate) fn new(here: &Here<'_>) -> Result<Self> {
        let compared = |number: &'static Number| Compared {
            number,
            here: (number.here)(here),
        };
        Ok(Self {
            numbers: numbers::NUMBERS.iter().map(compared).collect(),
            settings: settings::settings(here)?,
        })
    }
}

impl Compared {
    /// Why there is nothing to compare, as people read it.
    pub(crate) fn reason(&self) -> Option<String> {
        let reason = self.here.as_ref().err()?;
        Some(format!("not comparable: {reason}"))
    }

    /// The paper's value as it prints it.
    pub(crate) fn printed(&self) -> String {
        number(self.number.value(), self.number.decimals())
    }

    /// A value of this run with as many decimals as the paper prints; two where it prints none and the value has some.
    pub(crate) fn shown(&self, value: f64) -> String {
        if self.number.statistic == "p" {
            return p_value(value);
        }
        let decimals = match self.number.decimals() {
            0 if value.fract() != 0.0 => 2,
            printed => printed,
        };
        number(value, decimals)
    }
}
