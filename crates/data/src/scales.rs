//! How a training scaled what it read: kept beside its weights, so that another pack can be read in the same way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_job::{Expression, Missing, Scaling, Transformation, View};
use efflux_numerics::{SiteByDay, hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::derived::{SiteRecord, Statistics};
use super::pack::{Pack, Variable};
use super::scale::Scale;
use super::split::{Parts, fitted};
use super::target::Target;

/// The scales of everything that a model reads and gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scales {
    /// Of the daily inputs, in the order of the model's columns.
    pub dynamic: Vec<InputScale>,
    /// Of the static inputs, in the order of the model's columns.
    pub statics: Vec<InputScale>,
    /// Of the target, in its unit.
    pub target: Scale,
    /// What the target is; soil CO₂ efflux in files that do not say it.
    #[serde(default, skip_serializing_if = "Target::is_soil_efflux")]
    pub target_is: Target,
    /// The inputs that are made of others, in the order of the model's columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<String>,
    /// The daily variables that these read and that are no inputs themselves; none in files of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<InputScale>,
    /// What these ask of the days that each site was fitted on, by its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub statistics: BTreeMap<String, Statistics>,
    /// Ids of the sites of the training, in the order of the weights that a head has of each; none in files of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<String>,
}

/// How one input is scaled, and what stands in for it where it is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputScale {
    /// What packs call it.
    pub name: String,
    /// The unit of its values; empty if unknown.
    pub units: String,
    /// From its values to what the model reads; absent if no site of the training had it, and 0 stands for it.
    pub scale: Option<Scale>,
    /// What the model reads at a site that lacks it: the mean of the other sites' means, scaled.
    pub stand_in: f64,
    /// Whether a 0/1 column tells where that is so: some site of the training lacked it.
    pub indicator: bool,
}

impl InputScale {
    /// The least and the greatest value of the training, in its unit; NaN if no site had it.
    pub fn range(&self) -> [f64; 2] {
        [0.0, 1.0].map(|end| self.scale.map_or(f64::NAN, |scale| scale.inverse(end)))
    }
}

impl Scales {
    /// The scales of trials with this view.
    ///
    /// Inputs are scaled by their range over all sites that are not held out and all days: they are known for all days, so
    /// nothing of the target leaks. The target is scaled by its range over the days fitted on, or over all observed days if the
    /// view says so.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] if the pack lacks an input, or if there is no day to fit on.
    pub fn fit(pack: &Pack, view: &View) -> Result<Self> {
        let transformation = view.transform.inputs;
        let input = |input: Input<'_>| {
            let scale = input.scale(transformation, |site| view.trains(site));
            if scale.indicator && view.missing == Missing::Error {
                let reason = format!(
                    "the job uses `{}`, which some sites do not have",
                    scale.name
                );
                return Err(Error::Usage(reason));
            }
            Ok(scale)
        };
        let find = |name: &String, found: Option<Input<'_>>| {
            let absent = || {
                Error::Usage(format!(
                    "the job uses `{name}`, which the pack does not have"
                ))
            };
            found.ok_or_else(absent).and_then(input)
        };
        let dynamic = view.inputs.dynamic.iter();
        let statics = view.inputs.statics.iter();
        let dynamic = dynamic.map(|name| find(name, Input::daily(pack, name)));
        let statics = statics.map(|name| find(name, Input::fixed(pack, name)));

        let read = sources(&view.inputs.dynamic, &view.inputs.derived)?;
        let read = &read[view.inputs.dynamic.len()..];
        // A site may lack one of these: what reads it is zero there.
        let read = read.iter().filter_map(|name| Input::daily(pack, name));
        let read = read.map(|input| input.scale(transformation, |site| view.trains(site)));

        let parts = Parts::of_view(&pack.flux, view);
        let days = fitted(&pack.flux, &parts, view);
        let sites = (0..pack.sites.len()).filter(|&site| view.trains(site));
        let range = sites.flat_map(|site| match view.transform.scaling {
            Scaling::Training | Scaling::None => days.site(site),
            Scaling::All => pack.flux.site(site),
        });
        let target = Scale::fit(view.transform.target, range.copied());
        let target = target.map(|target| match view.transform.scaling {
            Scaling::Training | Scaling::All => target,
            Scaling::None => target.without_range(),
        });
        let target = target.filter(|_| days.iter().any(|value| !value.is_nan()));
        Ok(Self {
            dynamic: dynamic.collect::<Result<_>>()?,
            statics: statics.collect::<Result<_>>()?,
            sources: read.collect(),
            derived: view.inputs.derived.clone(),
            statistics: statistics(pack, &view.inputs.derived, &days)?,
            sites: trained_sites(pack, view),
            target_is: pack.target.clone(),
            target: target.ok_or_else(|| {
                Error::Usage(format!(
                    "no site has a day to fit on: split.train = {} leaves none",
                    view.split.train
                ))
            })?,
        })
    }

    /// The daily variables that are read, as inputs or by derived ones.
    pub fn daily(&self) -> impl Iterator<Item = &InputScale> {
        self.dynamic.iter().chain(&self.sources)
    }

    /// Whether a pack has every input in the unit of the training, and if it has observations, those of the training's target.
    ///
    /// # Errors
    ///
    /// What it lacks or has in another unit, all of it.
    pub fn check(&self, pack: &Pack) -> std::result::Result<(), String> {
        let daily = self.daily().map(|scale| {
            let found = Input::daily(pack, &scale.name);
            (scale, "daily variable", found)
        });
        let fixed = self.statics.iter().map(|scale| {
            let found = Input::fixed(pack, &scale.name);
            (scale, "static attribute", found)
        });
        let known: Vec<String> = self.daily().map(|scale| scale.name.clone()).collect();
        let read = sources(&known, &self.derived).map_err(|error| error.to_string())?;
        let absent = read[known.len()..].iter();
        let absent = absent.filter(|name| Input::daily(pack, name).is_none());
        let absent = absent.map(|name| format!("no daily variable `{name}`"));
        let wrong = daily.chain(fixed).filter_map(|(scale, kind, found)| {
            let InputScale { name, units, .. } = scale;
            match found {
                None => Some(format!("no {kind} `{name}` ({units})")),
                Some(found) if found.variable.units != *units => {
                    let there = &found.variable.units;
                    Some(format!("`{name}` in `{there}`, expected `{units}`"))
                }
                Some(found) => {
                    let lack = (0..found.sites).filter(|&site| found.series(site).is_none());
                    let count = lack.count();
                    (count > 0 && scale.scale.is_some() && !scale.indicator).then(|| {
                        format!(
                            "no `{name}` at {count} of its {} sites, which every site of the training had",
                            found.sites
                        )
                    })
                }
            }
        });
        let [here, expected] = [&pack.target, &self.target_is];
        let is_other = here != expected && pack.flux.iter().any(|flux| !flux.is_nan());
        let other = is_other.then(|| {
            format!(
                "observations of {} in `{}`, expected {} in `{}`",
                here.plain_long_name(),
                here.units(),
                expected.plain_long_name(),
                expected.units()
            )
        });
        let wrong: Vec<String> = wrong.chain(absent).chain(other).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("has {}", wrong.join("; ")))
    }

    /// Writes the scales as JSON, with their digest; the file is there as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = || {
            let mut json = serde_json::to_value(self)?;
            json[DIGEST] = self.digest()?.into();
            serde_json::to_string_pretty(&json)
        };
        let text = text().map_err(|error| Error::Internal(format!("scales: {error}")))?;
        durable::write(path, text + "\n")
    }

    /// Reads them back, every bit.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it holds something else, or values that are not those
    /// of its digest; version 0.1.0 wrote none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::io("read the scales", path))?;
        let parse = || {
            let mut json: Value = serde_json::from_str(&text)?;
            let digest = json.as_object_mut().and_then(|json| json.remove(DIGEST));
            let scales: Self = serde_json::from_value(json)?;
            let is_sound = match digest {
                None => true,
                Some(digest) => digest == scales.digest()?,
            };
            Ok((scales, is_sound))
        };
        let expected = "expected the scales of a training (remove the file: they are taken from the run's pack then)";
        match parse() {
            Ok((scales, true)) => Ok(scales),
            Ok((_, false)) => Err(Error::file(
                path,
                format!("is damaged: its digest is not that of its content, {expected}"),
            )),
            Err(error) => {
                let error: serde_json::Error = error;
                Err(Error::file(path, format!("{error}, {expected}")))
            }
        }
    }

    /// SHA-256 of the scales as JSON without blanks, as hexadecimal digits.
    fn digest(&self) -> serde_json::Result<String> {
        Ok(hex(&Sha256::digest(serde_json::to_string(self)?)))
    }
}

/// The ids of the sites that are trained on.
fn trained_sites(pack: &Pack, view: &View) -> Vec<String> {
    let sites = pack.sites.iter().enumerate();
    let trained = sites.filter(|(site, _)| view.trains(*site));
    trained.map(|(_, site)| site.id.clone()).collect()
}

/// The columns of derived inputs, each with its text.
///
/// # Errors
///
/// [`Error::Usage`] for one that cannot be read.
pub(super) fn expressions(derived: &[String]) -> Result<Vec<(String, Expression)>> {
    let columns = derived.iter().map(|text| {
        Expression::columns(text).map_err(|malformed| {
            Error::Usage(format!("the derived input `{text}` has {malformed}"))
        })
    });
    Ok(columns.collect::<Result<Vec<_>>>()?.concat())
}

/// The daily variables that a model reads: these inputs, then those that derived ones read besides, each once.
///
/// # Errors
///
/// [`Error::Usage`] for a derived input that cannot be read.
pub fn sources(dynamic: &[String], derived: &[String]) -> Result<Vec<String>> {
    let mut read = dynamic.to_vec();
    for (_, expression) in expressions(derived)? {
        let mut names = Vec::new();
        expression.variables(&mut names);
        for name in names {
            if !read.iter().any(|known| known == name) {
                read.push(name.to_owned());
            }
        }
    }
    Ok(read)
}

/// What derived inputs ask of the days that each site is fitted on, by its id.
fn statistics(
    pack: &Pack,
    derived: &[String],
    days: &SiteByDay<f32>,
) -> Result<BTreeMap<String, Statistics>> {
    let expressions: Vec<Expression> = expressions(derived)?
        .into_iter()
        .map(|(_, one)| one)
        .collect();
    if expressions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let days_of_year = pack.days_of_year();
    let of_site = |site: usize| {
        let values = days.site(site).iter().enumerate();
        let fitted = values.filter(|(_, value)| !value.is_nan());
        let fitted = fitted.map(|(day, _)| day).collect();
        let record = SiteRecord::of(pack, site, &days_of_year, fitted);
        (
            pack.sites[site].id.clone(),
            record.statistics_of(&expressions),
        )
    };
    let all = (0..pack.sites.len()).map(of_site);
    Ok(all.filter(|(_, known)| !known.is_empty()).collect())
}

/// The key of the digest in the file.
const DIGEST: &str = "digest";

/// A daily variable or a static attribute of a pack, with its series at each site.
pub(super) struct Input<'a> {
    variable: &'a Variable,
    sites: usize,
    /// The series of a site; a static attribute has one value.
    values: Box<dyn Fn(usize) -> Vec<f32> + 'a>,
}

impl<'a> Input<'a> {
    pub(super) fn daily(pack: &'a Pack, name: &str) -> Option<Self> {
        let index = pack.dynamic.iter().position(|v| v.name == name)?;
        Some(Self {
            variable: &pack.dynamic[index],
            sites: pack.sites.len(),
            values: Box::new(move |site| pack.series(site, index).collect()),
        })
    }

    pub(super) fn fixed(pack: &'a Pack, name: &str) -> Option<Self> {
        let index = pack.statics.iter().position(|v| v.name == name)?;
        Some(Self {
            variable: &pack.statics[index],
            sites: pack.sites.len(),
            values: Box::new(move |site| vec![pack.attribute(site, index)]),
        })
    }

    /// The series of a site that has it on every day.
    pub(super) fn series(&self, site: usize) -> Option<Vec<f32>> {
        let values = (self.values)(site);
        (!values.iter().any(|value| value.is_nan())).then_some(values)
    }

    /// By the sites that are trained on.
    fn scale(&self, transformation: Transformation, trains: impl Fn(usize) -> bool) -> InputScale {
        let sites: Vec<usize> = (0..self.sites).filter(|&site| trains(site)).collect();
        let known: Vec<Vec<f32>> = sites.iter().filter_map(|&site| self.series(site)).collect();
        let mean =
            |site: &Vec<f32>| site.iter().copied().map(f64::from).sum::<f64>() / site.len() as f64;
        let means: f64 = known.iter().map(mean).sum();
        let scale = Scale::fit(transformation, known.iter().flatten().copied());
        let mean = means / known.len().max(1) as f64;
        InputScale {
            name: self.variable.name.clone(),
            units: self.variable.units.clone(),
            stand_in: scale.map_or(0.0, |scale| scale.apply(mean)),
            indicator: known.len() < sites.len(),
            scale,
        }
    }
}
