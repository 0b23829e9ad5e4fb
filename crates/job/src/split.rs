//! `[split]`: which days train, and which days and sites are judged.

use serde::{Deserialize, Serialize};

use super::settings::Fault;
use super::value::SAME_PLACE_KM;

/// `[split]`: which days train, and which days and sites are judged: parts of each site's observed days in order of time,
/// and folds of sites.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// First share of each site's observed days; the rest is the test part.
    pub train: f64,
    /// Last share of the training part, kept back; 0 is the paper, and then `selection.on` must be `"test"`.
    pub validation: f64,
    /// What models have not seen of what they are judged on.
    pub kind: SplitKind,
    /// Folds of sites, for `by` `"random"`, `"stratified"` and `"distance"`.
    pub folds: u32,
    /// Which sites a fold holds out.
    pub by: FoldsBy,
    /// Sites up to so many kilometres apart, also through others, are one place, and no fold takes it apart.
    pub keep_together_km: f64,
    /// The largest share of the sites in a fold by distance.
    pub largest_fold: f64,
    /// What folds are drawn with.
    pub fold_seed: u64,
    /// The fold that a trial holds out, counted from 0; none: it trains on all sites. Trials have it, jobs do not.
    pub fold: Option<u32>,
}

/// What models have not seen of what they are judged on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitKind {
    /// Later days.
    #[default]
    Time,
    /// Other sites, trained on whole records.
    Sites,
    /// Other sites, trained on earlier days alone.
    Both,
}

impl SplitKind {
    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Sites => "sites",
            Self::Both => "both",
        }
    }
}

/// Which sites a fold holds out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldsBy {
    /// Places at random.
    #[default]
    Random,
    /// Places at random, each land cover spread evenly over the folds.
    Stratified,
    /// All sites of one land cover.
    Class,
    /// Sites that are as far from the others as those of the pack without observations are, which stand for what is to be
    /// predicted.
    Distance,
    /// One place.
    Site,
}

/// Sites that a fold judges, and those that neither train nor are judged in it; places among the sites of the pack. All
/// others train.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// What the sites have in common, or its number.
    pub name: String,
    /// The sites that are judged, ascending.
    pub test: Vec<usize>,
    /// The sites that share a place with one of them, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<usize>,
}

impl Fold {
    /// Whether a site is trained on.
    pub fn trains(&self, site: usize) -> bool {
        !self.test.contains(&site) && !self.left_out.contains(&site)
    }
}

impl Default for Split {
    fn default() -> Self {
        Self::by_time(0.8, 0.1)
    }
}

impl Split {
    /// Parts one after the other: these shares of the observed days and of the training part.
    pub const fn by_time(train: f64, validation: f64) -> Self {
        Self {
            train,
            validation,
            kind: SplitKind::Time,
            folds: 5,
            by: FoldsBy::Random,
            keep_together_km: SAME_PLACE_KM,
            largest_fold: 0.5,
            fold_seed: 0,
            fold: None,
        }
    }

    /// The same for the trials that hold out this fold; none: that train on all sites.
    #[must_use]
    pub fn in_fold(self, fold: Option<usize>) -> Self {
        Self {
            fold: fold.and_then(|fold| u32::try_from(fold).ok()),
            ..self
        }
    }

    /// Whether some sites are held out.
    pub fn has_folds(&self) -> bool {
        self.kind != SplitKind::Time
    }

    /// Whether forecasts of the validation part, from what is before it, reach as far ahead as those of the test part do: it
    /// has at least as many observed days.
    pub fn forecasts_as_far_as_the_test(&self) -> bool {
        // To the rounding of a product.
        self.train * self.validation >= (1.0 - self.train) * (1.0 - 1e-9)
    }

    /// The first value that cannot be.
    pub(super) fn fault(&self) -> Option<Fault> {
        let Self {
            train,
            validation,
            folds,
            keep_together_km,
            largest_fold,
            ..
        } = *self;
        if !(train > 0.0 && train < 1.0) {
            return Some(("train", train.to_string(), "above 0 and below 1"));
        }
        if !(0.0..1.0).contains(&validation) {
            let expected = "at least 0 and below 1";
            return Some(("validation", validation.to_string(), expected));
        }
        if folds < 2 {
            return Some(("folds", folds.to_string(), "2 or more"));
        }
        if !(keep_together_km.is_finite() && keep_together_km >= 0.0) {
            let expected = "kilometres, 0 or more";
            return Some(("keep_together_km", keep_together_km.to_string(), expected));
        }
        if !(largest_fold > 0.0 && largest_fold < 1.0) {
            let expected = "above 0 and below 1";
            return Some(("largest_fold", largest_fold.to_string(), expected));
        }
        None
    }
}
