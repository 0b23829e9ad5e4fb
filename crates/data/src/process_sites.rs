//! The sites of a pack as Gaussian processes see them.

use std::ops::Range;

use efflux_job::Expression;
use efflux_process::Day;

use super::derived::SiteRecord;
use super::pack::Pack;

/// A site on the days of its record.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessSite {
    /// The days of the calendar on which the site has a temperature or a flux.
    pub span: Range<usize>,
    /// What is known of each of them.
    pub days: Vec<Day>,
    /// Those that are fitted on, counted from the first.
    pub training: Vec<usize>,
    /// asinh of their flux in µmol m⁻² s⁻¹.
    pub target: Vec<f64>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessVariables {
    /// Temperature of the soil, or another one.
    pub temperature: String,
    /// What is to be taken off it to have °C.
    pub is_kelvin: bool,
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
            is_kelvin: found.units == "K",
            moisture: moisture.map(|variable| variable.name.clone()),
        })
    }

    /// Of a pack, with the temperature of the soil, else of the air, else of the surface; none if the pack has neither.
    pub fn of_soil(pack: &Pack) -> Option<Self> {
        let place = temperature(pack)?;
        Self::of(pack, &pack.dynamic[place].name)
    }

    /// What the numbers of a [`Day`] are made of, in the order of its fields.
    fn expressions(&self) -> [Expression; 9] {
        let zero = if self.is_kelvin { 273.15 } else { 0.0 };
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

    /// A site of a pack; none if it has no temperature, or no record.
    ///
    /// * `days_of_year`: of the pack's calendar; `fitted`: the site's days that are fitted on and have a flux.
    pub fn site(
        &self,
        pack: &Pack,
        site: usize,
        days_of_year: &[f64],
        fitted: Vec<usize>,
    ) -> Option<ProcessSite> {
        let record = SiteRecord::of(pack, site, days_of_year, fitted.clone());
        let (_, own) = record.variables.get(&self.temperature)?;
        let flux = pack.flux_of(site);
        let observed = |day: &usize| !flux[*day].is_nan();
        let all = 0..flux.len();
        let first = all.clone().find(observed).unwrap_or(own.start);
        let last = all.rev().find(observed).map_or(own.end, |day| day + 1);
        let span = own.start.min(first)..own.end.max(last);
        let columns = self
            .expressions()
            .map(|expression| record.values(&expression));
        let day = |day: usize| {
            let [t, s, c, sn, lat, t7, t30, s30, ds] = columns.each_ref().map(|column| column[day]);
            Day {
                t,
                s,
                c,
                sn,
                lat,
                t7,
                t30,
                s30,
                ds,
            }
        };
        Some(ProcessSite {
            days: span.clone().map(day).collect(),
            target: fitted
                .iter()
                .map(|&day| f64::from(flux[day]).asinh())
                .collect(),
            training: fitted.iter().map(|day| day - span.start).collect(),
            span,
        })
    }
}
