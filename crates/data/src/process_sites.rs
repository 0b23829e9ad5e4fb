//! The sites of a pack as Gaussian processes see them.

use std::ops::Range;

use efflux_job::Expression;
use efflux_process::{Day, Seen, Stretch};
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use super::derived::{SiteRecord, Statistics};
use super::pack::Pack;

/// Days of all packs are counted from here where processes tell them apart.
const EPOCH: Date = date(1970, 1, 1);

/// A site on the days of its record.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessSite {
    /// The days of the calendar on which the site has a temperature or a flux.
    pub span: Range<usize>,
    /// The number of the first of them, in days since 1970-01-01.
    pub first: i32,
    /// What is known of each of them.
    pub days: Vec<Day>,
    /// Those that are fitted on, with asinh of their flux in the unit of the target.
    pub seen: Vec<Seen>,
    /// Mean and standard deviation of what is in units of the site's own.
    pub statistics: Statistics,
}

impl ProcessSite {
    /// All its days.
    pub fn stretch(&self) -> Stretch<'_> {
        Stretch {
            first: self.first,
            days: &self.days,
        }
    }
}

/// The place of the daily variable that is taken for a temperature where none is named: of the soil, else of the air, else
/// of the surface.
pub fn temperature(pack: &Pack) -> Option<usize> {
    let begins = ["soil_temp", "air_temp", "lst_day"].into_iter();
    let mut found = begins.filter_map(|begin| {
        let mut variables = pack.dynamic.iter();
        variables.position(|variable| variable.name.starts_with(begin))
    });
    found.next()
}

/// The daily variables that processes read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessVariables {
    /// Temperature of the soil, or another one.
    pub temperature: String,
    /// Its unit.
    pub temperature_units: String,
    /// Soil moisture, m³ m⁻³.
    pub moisture: Option<String>,
}

impl ProcessVariables {
    /// Of a pack, with this daily variable as temperature; none if the pack has it not.
    pub fn of(pack: &Pack, temperature: &str) -> Option<Self> {
        let mut variables = pack.dynamic.iter();
        let found = variables.find(|variable| variable.name == temperature)?;
        let mut variables = pack.dynamic.iter();
        let moisture = variables.find(|variable| variable.name.starts_with("soil_moisture"));
        Some(Self {
            temperature: found.name.clone(),
            temperature_units: found.units.clone(),
            moisture: moisture.map(|variable| variable.name.clone()),
        })
    }

    /// Of a pack, with the temperature of the soil, else of the air, else of the surface; none if the pack has neither.
    pub fn of_soil(pack: &Pack) -> Option<Self> {
        let place = temperature(pack)?;
        Self::of(pack, &pack.dynamic[place].name)
    }

    /// Whether a pack has what a process of another pack reads.
    ///
    /// # Errors
    ///
    /// Everything that it lacks or has in another unit, in words that follow its name.
    pub fn check(&self, pack: &Pack) -> Result<(), String> {
        let find = |name: &str| pack.dynamic.iter().find(|variable| variable.name == name);
        let mut wrong = Vec::new();
        let (name, units) = (&self.temperature, &self.temperature_units);
        match find(name) {
            None => wrong.push(format!("no daily variable `{name}` ({units})")),
            Some(found) if found.units != *units => {
                wrong.push(format!("`{name}` in `{}`, expected `{units}`", found.units));
            }
            Some(_) => {}
        }
        let moisture = self.moisture.iter().filter(|name| find(name).is_none());
        wrong.extend(moisture.map(|name| format!("no daily variable `{name}`")));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("has {}", wrong.join("; ")))
    }

    /// What the numbers of a [`Day`] are made of, in the order of its fields.
    fn expressions(&self) -> [Expression; 9] {
        let zero = if self.temperature_units == "K" {
            273.15
        } else {
            0.0
        };
        let t = &self.temperature;
        // A pack without moisture has no variable of this name, so what reads it is zero.
        let m = self.moisture.as_deref().unwrap_or("soil_moisture");
        let in_sd = |of: &str| format!("clip(({of}) / max(site_sd({m}), 0.02), -3, 3)");
        let texts = [
            format!("({t} - {}) / 8", zero + 12.0),
            in_sd(&format!("{m} - site_mean({m})")),
            "season_cos".to_owned(),
            "season_sin".to_owned(),
            "abs(latitude) / 30 - 1.2".to_owned(),
            format!("(mean({t}, 7) - {t}) / 3"),
            format!("(mean({t}, 30) - {t}) / 5"),
            in_sd(&format!("mean({m}, 30) - site_mean({m})")),
            in_sd(&format!("anomaly({m}, 10)")),
        ];
        texts.map(|text| Expression::parse(&text).unwrap_or(Expression::Number(0.0)))
    }

    /// The days of the calendar on which a site of a pack has a temperature or a flux; none if it has no temperature.
    pub fn span(&self, pack: &Pack, site: usize) -> Option<Range<usize>> {
        let record = SiteRecord::of(pack, site, &[], Vec::new());
        self.span_of(&record, pack.flux_of(site))
    }

    fn span_of(&self, record: &SiteRecord, flux: &[f32]) -> Option<Range<usize>> {
        let (_, own) = record.variables.get(&self.temperature)?;
        let observed = |day: &usize| !flux[*day].is_nan();
        let all = 0..flux.len();
        let first = all.clone().find(observed).unwrap_or(own.start);
        let last = all.rev().find(observed).map_or(own.end, |day| day + 1);
        Some(own.start.min(first)..own.end.max(last))
    }

    /// A site of a pack; none if it has no temperature, or no record.
    ///
    /// * `days_of_year`: of the pack's calendar; `fitted`: the site's days that are fitted on and have a flux; `known`: the
    ///   statistics of an earlier training of the site, which stand in for those of the days that are fitted on.
    pub fn site(
        &self,
        pack: &Pack,
        site: usize,
        days_of_year: &[f64],
        fitted: &[usize],
        known: Option<&Statistics>,
    ) -> Option<ProcessSite> {
        let mut record = SiteRecord::of(pack, site, days_of_year, fitted.to_vec());
        let flux = pack.flux_of(site);
        let span = self.span_of(&record, flux)?;
        let expressions = self.expressions();
        record.statistics = match known {
            Some(known) => known.clone(),
            None => record.statistics_of(&expressions),
        };
        let columns = expressions.map(|expression| record.values(&expression));
        let inputs = |day: usize| Day::of(columns.each_ref().map(|column| column[day]));
        let epoch = -pack.calendar.offset(EPOCH);
        let number = |day: usize| i32::try_from(epoch + day as i64).unwrap_or(i32::MAX);
        let seen = fitted.iter().map(|&day| Seen {
            number: number(day),
            inputs: inputs(day),
            target: f64::from(flux[day]).asinh(),
        });
        Some(ProcessSite {
            first: number(span.start),
            seen: seen.collect(),
            days: span.clone().map(inputs).collect(),
            statistics: record.statistics,
            span,
        })
    }
}
