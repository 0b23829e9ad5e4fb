//! Where a run's members may be asked: how far sites are from those of the training in what the members read.
//!
//! A site is the mean and the standard deviation of each daily variable, and each static input. What an input weighs is how
//! closely the members follow it: the rank correlation, without sign, of its values with what they simulate on the days they
//! were fitted on. It stands in for the importance of the inputs to the members, which would take simulations with each of
//! them exchanged.

use std::fs;

use efflux_analysis::Defined;
use efflux_analysis::applicability as analysis;
use efflux_analysis::significance::rank_correlation;
use efflux_analysis::statistics::{mean, standard_deviation};
use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_data::{Filled, INSIDE_AREA, OUTSIDE_AREA, Pack, SiteDistances, UNKNOWN_AREA, place_of};
use efflux_job::{Chosen, Contract};
use efflux_run::RunDir;
use serde::{Deserialize, Serialize};

use super::ensemble::Together;

/// What a run keeps of the sites that its members were trained with: `ensemble/applicability.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSites {
    /// The daily variables that members read, as inputs or by derived ones.
    daily: Vec<Weighed>,
    /// The static inputs.
    statics: Vec<Weighed>,
    /// In the order of the pack of the run.
    sites: Vec<TrainingSite>,
    /// The levels of intervals about the members at a site that they have not seen, rising, and how many asinh units each reaches
    /// to either side; none where no folds of sites tell, and for a mean of unlike members.
    intervals: Vec<(f64, f64)>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weighed {
    /// What packs call it.
    name: String,
    /// What it weighs, in `[0, 1]`; 0 where it does not vary.
    weight: f64,
}

/// A site of the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainingSite {
    id: String,
    /// Sites of the same number are not compared with each other: they are in one fold, or at one place.
    fold: usize,
    /// Mean and standard deviation of each daily variable, then the static inputs; null where the site lacks one, and
    /// everywhere if nothing was fitted on it.
    features: Vec<Option<f64>>,
}

impl TrainingSites {
    /// Of the sites of a pack.
    ///
    /// * `daily`: the daily variables that members read; `simulated`: what they say together, `[S, D]`; `fitted`: the days
    ///   of each site that they were fitted on.
    pub(super) fn of(
        pack: &Pack,
        contract: &Contract,
        (daily, inputs): (&[String], &Chosen),
        simulated: &[f32],
        fitted: &dyn Fn(usize) -> Vec<usize>,
    ) -> Self {
        let sites = 0..pack.sites.len();
        let days: Vec<Vec<usize>> = sites.clone().map(fitted).collect();
        let weight = |value: &dyn Fn(usize, usize) -> f32| {
            let of_site = |site: usize| {
                let at = move |&day: &usize| {
                    let flux = simulated[site * pack.calendar.days + day];
                    (f64::from(value(site, day)), f64::from(flux))
                };
                days[site].iter().map(at)
            };
            let pairs: Vec<(f64, f64)> = sites.clone().flat_map(of_site).collect();
            rank_correlation(&pairs).map_or(0.0, |found| found.r.abs())
        };
        let daily = daily.iter().filter_map(|name| {
            let variable = pack.dynamic.iter().position(|of| of.name == *name)?;
            let width = pack.dynamic.len();
            let value = |site: usize, day: usize| {
                pack.values[(site * pack.calendar.days + day) * width + variable]
            };
            let (name, weight) = (name.clone(), weight(&value));
            Some(Weighed { name, weight })
        });
        let statics = inputs.statics.iter().filter_map(|name| {
            let attribute = pack.statics.iter().position(|of| of.name == *name)?;
            let (name, weight) = (
                name.clone(),
                weight(&|site, _| pack.attribute(site, attribute)),
            );
            Some(Weighed { name, weight })
        });
        let mut kept = Self {
            daily: daily.collect(),
            statics: statics.collect(),
            sites: Vec::new(),
            intervals: Vec::new(),
        };
        let features = kept.features(pack);
        let described = pack.sites.iter().zip(features).zip(folds(pack, contract));
        kept.sites = described
            .enumerate()
            .map(|(site, ((named, features), fold))| TrainingSite {
                id: named.id.clone(),
                fold,
                features: features
                    .into_iter()
                    .map(|value| (value.is_finite() && !days[site].is_empty()).then_some(value))
                    .collect(),
            })
            .collect();
        kept
    }

    /// With intervals for sites that members have not seen.
    pub(super) fn with_intervals(self, intervals: Vec<(f64, f64)>) -> Self {
        Self { intervals, ..self }
    }

    /// Gives what members say of a pack intervals at the sites that they were not trained with; none if folds of sites did not
    /// tell how wide they must be.
    pub fn expect(&self, pack: &Pack, together: &mut Together) {
        together.expect_from_folds(pack.calendar.days, &self.intervals);
        for (site, named) in pack.sites.iter().enumerate() {
            if self.sites.iter().any(|of| of.id == named.id) {
                together.expect_nothing(pack.calendar.days, site);
            }
        }
    }

    /// Keeps them with the run, or sees to it that none are there.
    pub(super) fn keep(sites: Option<&Self>, run: &RunDir) -> Result<()> {
        let Some(sites) = sites else {
            return durable::remove(&run.applicability());
        };
        let text = serde_json::to_string_pretty(sites);
        let text = text.map_err(|error| Error::Internal(format!("training sites: {error}")))?;
        durable::write(&run.applicability(), text + "\n")
    }

    /// As a run has them; none if it was evaluated by a version that did not keep them.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if the file is damaged, [`Error::Io`] if it cannot be read.
    pub fn read(run: &RunDir) -> Result<Option<Self>> {
        let path = run.applicability();
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let kept: Self = serde_json::from_str(&text).map_err(|error| {
            let advice =
                "expected what the sites of the training are (`efflux evaluate` writes it again)";
            let line = error.line().max(1) as u64;
            Error::line(&path, line, format!("{error}, {advice}"))
        })?;
        let expected = kept.weights().len();
        let wrong = |of: &&TrainingSite| of.features.len() != expected;
        if let Some(site) = kept.sites.iter().find(wrong) {
            let (id, found) = (&site.id, site.features.len());
            let reason = format!(
                "site `{id}` has {found} features, expected {expected}: two for each daily variable and one for \
                 each static input (`efflux evaluate` writes it again)"
            );
            return Err(Error::file(&path, reason));
        }
        Ok(Some(kept))
    }

    /// How far the sites of any pack are from those of the training.
    pub fn distances(&self, pack: &Pack) -> SiteDistances {
        let area = self.area();
        let features = self.features(pack).into_iter();
        let points = features.map(|of| {
            let point = area.as_ref().ok()?.point(&of)?;
            Some((point.dissimilarity, point.local_points.ok()))
        });
        told(area.as_ref().ok(), points)
    }

    /// How far each of them is from those of other folds, in the order of the pack of the run.
    pub(super) fn among_themselves(&self) -> SiteDistances {
        let area = self.area();
        let near = area
            .as_ref()
            .map(analysis::Applicability::training_local_points);
        let points = (0..self.sites.len()).map(|site| {
            let index = area.as_ref().ok()?.training[site]?;
            Some((index, near.as_ref().ok()?[site]))
        });
        told(area.as_ref().ok(), points)
    }

    /// What a feature weighs, for each.
    fn weights(&self) -> Vec<f64> {
        let daily = self.daily.iter().flat_map(|of| [of.weight; 2]);
        daily
            .chain(self.statics.iter().map(|of| of.weight))
            .collect()
    }

    fn area(&self) -> Defined<analysis::Applicability> {
        let features = |site: &TrainingSite| -> Vec<f64> {
            let values = site.features.iter();
            values.map(|value| value.unwrap_or(f64::NAN)).collect()
        };
        let sites: Vec<Vec<f64>> = self.sites.iter().map(features).collect();
        let folds: Vec<usize> = self.sites.iter().map(|site| site.fold).collect();
        analysis::Applicability::new(&sites, &self.weights(), Some(&folds))
    }

    /// The features of each site of a pack; NaN where it lacks one. Days on which an input repeats its nearest measured
    /// value are passed over.
    fn features(&self, pack: &Pack) -> Vec<Vec<f64>> {
        let names: Vec<String> = self.daily.iter().map(|of| of.name.clone()).collect();
        let filled = Filled::of(pack, &names);
        let daily = |site: usize, name: &str| {
            let place = pack.dynamic.iter().position(|of| of.name == name);
            let known: Vec<f64> = place.map_or_else(Vec::new, |place| {
                let values: Vec<f32> = pack.series(site, place).collect();
                let known = filled.own_days(site);
                known.map(|day| f64::from(values[day])).collect()
            });
            [mean(&known), standard_deviation(&known)].map(|of| of.unwrap_or(f64::NAN))
        };
        let fixed = |site: usize, name: &str| {
            let place = pack.statics.iter().position(|of| of.name == name);
            place.map_or(f64::NAN, |place| f64::from(pack.attribute(site, place)))
        };
        let of_site = |site: usize| {
            let means = self.daily.iter().flat_map(|of| daily(site, &of.name));
            let statics = self.statics.iter().map(|of| fixed(site, &of.name));
            means.chain(statics).collect()
        };
        (0..pack.sites.len()).map(of_site).collect()
    }
}

/// The fold that holds each site out; the place of each site where there are no folds.
fn folds(pack: &Pack, contract: &Contract) -> Vec<usize> {
    let held_out = |site: usize| {
        let mut folds = contract.folds.iter();
        folds.position(|fold| fold.test.contains(&site))
    };
    if !contract.folds.is_empty() {
        let alone = |site: usize| contract.folds.len() + site;
        return (0..pack.sites.len())
            .map(|site| held_out(site).unwrap_or_else(|| alone(site)))
            .collect();
    }
    let points: Vec<[f64; 2]> = (pack.sites.iter())
        .map(|site| [site.latitude, site.longitude])
        .collect();
    place_of(&points, contract.split.keep_together_km)
}

/// * `points`: of each site the index, and how many sites of the training are near; none where it is not known.
fn told(
    area: Option<&analysis::Applicability>,
    points: impl Iterator<Item = Option<(f64, Option<usize>)>>,
) -> SiteDistances {
    let threshold = area.and_then(|area| area.threshold.ok());
    let mut told = SiteDistances {
        threshold: threshold.unwrap_or(f64::NAN),
        index: Vec::new(),
        area: Vec::new(),
        near: Vec::new(),
    };
    for point in points {
        told.index.push(point.map_or(f64::NAN, |(index, _)| index));
        // Inside is whoever has a site of the training within the threshold.
        let near = point.and_then(|(_, near)| near);
        told.area.push(match near {
            None => UNKNOWN_AREA,
            Some(0) => OUTSIDE_AREA,
            Some(_) => INSIDE_AREA,
        });
        told.near.push(near.map_or(f64::NAN, |near| near as f64));
    }
    told
}

#[cfg(test)]
mod tests {
    use efflux_ingest::{SynthOptions, synthesize};
    use efflux_job::{Evaluation, Split, Variables};

    use super::*;

    /// Sites of a synthetic pack, whose simulated flux follows one variable.
    fn training() -> (Pack, TrainingSites) {
        let options = SynthOptions {
            sites: 12,
            years: Some(2),
            seed: 3,
            ..SynthOptions::default()
        };
        let pack = synthesize(&options).unwrap();
        let contract = Contract {
            pack_digest: pack.digest.clone(),
            evaluation: Evaluation::default(),
            split: Split::default(),
            folds: Vec::new(),
            variables: Variables::default(),
        };
        let tmin = pack
            .dynamic
            .iter()
            .position(|of| of.name == "tmin")
            .unwrap();
        let sites = 0..pack.sites.len();
        let simulated: Vec<f32> = sites.flat_map(|site| pack.series(site, tmin)).collect();
        let daily = ["tmin", "precipitation"].map(str::to_owned);
        let inputs = Chosen {
            dynamic: daily.to_vec(),
            statics: vec![pack.statics[0].name.clone()],
            derived: Vec::new(),
        };
        let all = |_| (0..pack.calendar.days).collect();
        let kept = TrainingSites::of(&pack, &contract, (&daily, &inputs), &simulated, &all);
        (pack, kept)
    }

    #[test]
    fn what_members_follow_weighs_most_and_comes_back_from_the_file_with_all_else() {
        let (pack, kept) = training();
        assert!((kept.daily[0].weight - 1.0).abs() < 1e-12);
        assert!(kept.daily[1].weight < 0.9);
        let directory = tempfile::tempdir().unwrap();
        let run = RunDir::new(directory.path());
        assert_eq!(TrainingSites::read(&run).unwrap(), None);
        let kept = kept.with_intervals(vec![(0.9, 1.25)]);
        std::fs::create_dir(directory.path().join("ensemble")).unwrap();
        TrainingSites::keep(Some(&kept), &run).unwrap();
        let read = TrainingSites::read(&run).unwrap().unwrap();
        assert_eq!(read, kept);
        assert_eq!(read.distances(&pack), kept.distances(&pack));
    }

    #[test]
    fn sites_like_those_of_the_training_are_inside_and_one_without_an_input_has_no_index() {
        let (mut pack, kept) = training();
        let (days, width) = (pack.calendar.days, pack.dynamic.len());
        let tmin = pack
            .dynamic
            .iter()
            .position(|of| of.name == "tmin")
            .unwrap();
        for day in 0..days {
            pack.values[day * width + tmin] += 0.1;
            pack.values[(days + day) * width + tmin] += 60.0;
            pack.values[(2 * days + day) * width + tmin] = f32::NAN;
        }
        let found = kept.distances(&pack);
        assert_eq!(
            &found.area[..4],
            [INSIDE_AREA, OUTSIDE_AREA, UNKNOWN_AREA, INSIDE_AREA]
        );
        assert!(found.index[0] > 0.0 && found.index[0] < found.threshold);
        assert!(found.index[1] > found.threshold && found.index[2].is_nan());
        assert_eq!(found.index[3], 0.0);
        assert!(
            kept.among_themselves()
                .index
                .iter()
                .all(|index| *index > 0.0)
        );
    }

    #[test]
    fn an_interval_reaches_as_far_as_it_was_told_and_only_at_sites_that_are_new() {
        let (mut pack, kept) = training();
        let mut together = Together::of(&[]);
        together.mean = vec![2.0; pack.flux.len()];
        kept.expect(&pack, &mut together);
        assert!(together.intervals.is_empty());
        pack.sites[1].id = "NEW".to_owned();
        let kept = kept.with_intervals(vec![(0.9, 0.5)]);
        kept.expect(&pack, &mut together);
        let found = &together.intervals[0];
        assert!(found.lower[0].is_nan());
        let reached = f64::from(found.upper[pack.calendar.days]);
        assert!((reached - (2.0_f64.asinh() + 0.5).sinh()).abs() < 1e-6);
    }
}
