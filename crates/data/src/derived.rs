//! Inputs that are made of others, day by day at each site.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::ops::Range;

use efflux_job::{Expression, Function, Operation};

use super::pack::{HELD, Pack};

/// The mean and the standard deviation of variables over the days of a site that were fitted on.
pub type Statistics = BTreeMap<String, [f64; 2]>;

/// A site as expressions see it.
#[derive(Clone, Debug)]
pub struct SiteRecord {
    /// Degrees north.
    pub latitude: f64,
    /// Day of the year of each day, 1 to 366, `[D]`.
    pub days_of_year: Vec<f64>,
    /// The daily variables that the site has, `[D]` each, and the days of their records.
    pub variables: BTreeMap<String, (Vec<f64>, Range<usize>)>,
    /// The days that are fitted on.
    pub fitted: Vec<usize>,
    /// What stands in for statistics over them.
    pub statistics: Statistics,
}

/// A value of a site: the same on all days, or one a day.
enum Value {
    Constant(f64),
    Daily(Vec<f64>),
}

impl SiteRecord {
    /// A site of a pack.
    ///
    /// * `days_of_year`: of the pack's calendar; `fitted`: the site's days that are fitted on.
    pub fn of(pack: &Pack, site: usize, days_of_year: &[f64], fitted: Vec<usize>) -> Self {
        let variables = pack.dynamic.iter().enumerate();
        let record = |(index, variable): (usize, &super::pack::Variable)| {
            let values: Vec<f64> = pack.series(site, index).map(f64::from).collect();
            if values.first().is_none_or(|value| value.is_nan()) {
                return None;
            }
            let own = |flag: &u8| *flag != HELD;
            let flags: Vec<u8> = pack.flags(site, index).collect();
            let first = flags.iter().position(own)?;
            let last = flags.iter().rposition(own)?;
            Some((variable.name.clone(), (values, first..last + 1)))
        };
        Self {
            latitude: pack.sites[site].latitude,
            days_of_year: days_of_year.to_vec(),
            variables: variables.filter_map(record).collect(),
            fitted,
            statistics: Statistics::new(),
        }
    }

    /// The values of an expression on all days, `[D]`; zeros if the site lacks a variable that it reads.
    ///
    /// An expression has a record where all its variables have one: memory begins there, and before and after it the first
    /// and the last value are held.
    pub fn values(&self, expression: &Expression) -> Vec<f64> {
        let days = self.days_of_year.len();
        let mut names = Vec::new();
        expression.variables(&mut names);
        let mut record = 0..days;
        for name in names {
            match self.variables.get(name) {
                Some((_, own)) => {
                    record = record.start.max(own.start)..record.end.min(own.end);
                }
                None => return vec![0.0; days],
            }
        }
        if record.is_empty() {
            return vec![0.0; days];
        }
        match self.evaluate(expression, &record) {
            Value::Constant(value) => vec![value; days],
            Value::Daily(values) => {
                let held =
                    |day: usize| values[day.clamp(record.start, record.end - 1) - record.start];
                (0..days).map(held).collect()
            }
        }
    }

    /// The mean and the standard deviation over the days fitted on of each variable that is asked for them.
    pub fn statistics_of(&self, expressions: &[Expression]) -> Statistics {
        let mut names = Vec::new();
        for expression in expressions {
            asked(expression, &mut names);
        }
        let known = names.into_iter().filter_map(|name| {
            let (values, _) = self.variables.get(name)?;
            Some((name.to_owned(), self.mean_and_sd(name, values)))
        });
        known.collect()
    }

    fn mean_and_sd(&self, name: &str, values: &[f64]) -> [f64; 2] {
        if let Some(&known) = self.statistics.get(name) {
            return known;
        }
        // A site without a day to fit on is known by all its days.
        let all: Vec<usize> = (0..values.len()).collect();
        let days = if self.fitted.is_empty() {
            &all
        } else {
            &self.fitted
        };
        let count = days.len() as f64;
        let mean = days.iter().map(|&day| values[day]).sum::<f64>() / count;
        let squares = days.iter().map(|&day| (values[day] - mean).powi(2));
        [mean, (squares.sum::<f64>() / count).sqrt()]
    }

    /// On the days of a record.
    fn evaluate(&self, expression: &Expression, record: &Range<usize>) -> Value {
        let season = |of: fn(f64) -> f64| {
            let shift = if self.latitude < 0.0 { 182.6 } else { 0.0 };
            let days = self.days_of_year[record.clone()].iter();
            Value::Daily(days.map(|day| of(TAU * (day + shift) / 365.25)).collect())
        };
        match expression {
            Expression::Number(number) => Value::Constant(*number),
            Expression::Latitude => Value::Constant(self.latitude),
            Expression::SeasonCos => season(f64::cos),
            Expression::SeasonSin => season(f64::sin),
            Expression::Variable(name) => match self.variables.get(name) {
                Some((values, _)) => Value::Daily(values[record.clone()].to_vec()),
                None => Value::Constant(0.0),
            },
            Expression::Both(operation, parts) => {
                let [left, right] = parts.each_ref().map(|part| self.evaluate(part, record));
                left.with(&right, |a, b| match operation {
                    Operation::Add => a + b,
                    Operation::Subtract => a - b,
                    Operation::Multiply => a * b,
                    Operation::Divide => a / b,
                })
            }
            Expression::Call(function, parts) => self.call(*function, parts, record),
        }
    }

    fn call(&self, function: Function, parts: &[Expression], record: &Range<usize>) -> Value {
        let value = |index: usize| self.evaluate(&parts[index], record);
        let statistic = |index: usize| match &parts[0] {
            Expression::Variable(name) => match self.variables.get(name) {
                Some((values, _)) => Value::Constant(self.mean_and_sd(name, values)[index]),
                None => Value::Constant(0.0),
            },
            _ => Value::Constant(0.0),
        };
        let days = || match parts[1] {
            Expression::Number(days) => days,
            _ => 1.0,
        };
        match function {
            Function::Mean => value(0).map_daily(|values| running_mean(values, days())),
            Function::Ema => value(0).map_daily(|values| exponential_mean(values, days())),
            Function::Anomaly => {
                let slow = value(0).map_daily(|values| exponential_mean(values, days()));
                value(0).with(&slow, |a, b| a - b)
            }
            Function::SiteMean => statistic(0),
            Function::SiteSd => statistic(1),
            Function::Clip => value(0).with(&value(1), f64::max).with(&value(2), f64::min),
            Function::Max => value(0).with(&value(1), f64::max),
            Function::Abs => value(0).with(&Value::Constant(0.0), |a, _| a.abs()),
            Function::Known => match &parts[0] {
                Expression::Variable(name) => {
                    Value::Constant(f64::from(u8::from(self.variables.contains_key(name))))
                }
                _ => Value::Constant(1.0),
            },
        }
    }
}

impl Value {
    fn with(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Self {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => Self::Constant(of(*a, *b)),
            (Self::Constant(a), Self::Daily(b)) => {
                Self::Daily(b.iter().map(|b| of(*a, *b)).collect())
            }
            (Self::Daily(a), Self::Constant(b)) => {
                Self::Daily(a.iter().map(|a| of(*a, *b)).collect())
            }
            (Self::Daily(a), Self::Daily(b)) => {
                Self::Daily(a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect())
            }
        }
    }

    /// A constant is its own mean of any kind.
    fn map_daily(self, of: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(value),
            Self::Daily(values) => Self::Daily(of(&values)),
        }
    }
}

/// The variables whose mean or standard deviation an expression asks for.
fn asked<'a>(expression: &'a Expression, names: &mut Vec<&'a str>) {
    match expression {
        Expression::Call(Function::SiteMean | Function::SiteSd, parts) => {
            parts.iter().for_each(|part| part.variables(names));
        }
        Expression::Call(_, parts) => parts.iter().for_each(|part| asked(part, names)),
        Expression::Both(_, parts) => parts.iter().for_each(|part| asked(part, names)),
        _ => {}
    }
}

/// The mean of the last so many days, today included; of fewer at the beginning.
fn running_mean(values: &[f64], days: f64) -> Vec<f64> {
    (0..values.len())
        .map(|day| {
            let before = values[..=day].iter().rev();
            let last = before
                .zip(1..)
                .take_while(|(_, count)| f64::from(*count) <= days);
            let (sum, count) = last.fold((0.0, 0.0), |(sum, count), (value, _)| {
                (sum + value, count + 1.0)
            });
            sum / count
        })
        .collect()
}

/// `s₀ = x₀`, `sₜ = sₜ₋₁ + 2/(k+1) (xₜ − sₜ₋₁)`.
fn exponential_mean(values: &[f64], days: f64) -> Vec<f64> {
    let share = 2.0 / (days + 1.0);
    let mut mean = values.first().copied().unwrap_or(0.0);
    let next = |value: &f64| {
        mean += share * (value - mean);
        mean
    };
    values.iter().map(next).collect()
}
