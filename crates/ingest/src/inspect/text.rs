//! An inspection as text, in lines of at most 100 characters.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::SeenWithin;
use super::records::{Coverage, Record};
use super::variables::{Run, VariableSummary};
use super::{Inspection, WindowShare};

/// Characters of a line.
const WIDTH: usize = 100;
/// Characters of a name in a table; longer ones are cut.
const NAME: usize = 30;
/// Characters of a row of the table of sites before its coverage.
const BEFORE_COVERAGE: usize = 2 + NAME + 6 + 3 * 11 + 1;

impl Display for Inspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.overview(f)?;
        self.scaling(f)?;
        self.sites(f)?;
        self.daily(f)?;
        self.attributes(f)?;
        if self
            .seen_at_same_place
            .iter()
            .any(|seen| seen.test_days > 0)
        {
            let told = |seen: &SeenWithin| format!("{} within {} km", seen.test_days, seen.km);
            let told: Vec<String> = self.seen_at_same_place.iter().map(told).collect();
            writeln!(
                f,
                "\ntest days on which another site of the same place trains: {}",
                told.join(", ")
            )?;
        }
        if !self.findings.is_empty() {
            writeln!(f, "\n{} to look at", self.findings.len())?;
            for finding in &self.findings {
                wrapped(f, "  - ", &finding.message)?;
            }
        }
        if let Some(account) = &self.account {
            writeln!(f, "\nwhat became of the release\n{account}")?;
        }
        writeln!(f)?;
        for source in &self.sources {
            wrapped(f, "source   ", source)?;
        }
        let publications = self.records.iter().map(|record| &record.site.publication);
        let named: BTreeSet<&str> = publications
            .map(String::as_str)
            .filter(|publication| !publication.is_empty())
            .collect();
        if !named.is_empty() {
            let named: Vec<&str> = named.into_iter().collect();
            wrapped(f, "cite     ", &named.join("; "))?;
        }
        for licence in &self.licences {
            wrapped(f, "licence  ", licence)?;
        }
        write!(f, "digest   {}", self.digest)
    }
}

impl Inspection {
    fn overview(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} sites, {} to {} ({} days)",
            self.sites, self.start, self.end, self.days
        )?;
        for (igbp, count) in &self.igbp {
            let igbp = if igbp.is_empty() {
                "unknown land cover"
            } else {
                igbp
            };
            writeln!(f, "  {count:>4}  {igbp}")?;
        }
        if !self.target.is_soil_efflux() {
            writeln!(f, "\ntarget  {}", self.target)?;
        }
        let [least, q1, median, q3, greatest] = self.observed_days_per_site;
        writeln!(f, "\n{} observed site-days", self.observed_days)?;
        writeln!(
            f,
            "  per site {least} to {greatest}, median {median}, middle half {q1} to {q3}"
        )?;
        for WindowShare { days, share } in &self.windows {
            let percent = 100.0 * share;
            writeln!(
                f,
                "  {percent:.1} % of all {days}-day windows hold a training day"
            )?;
        }
        Ok(())
    }

    fn scaling(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.train_fraction;
        writeln!(
            f,
            "\n{:<45}least  greatest       asinh of these",
            format!("{}, {}", self.target.name(), self.target.unit())
        )?;
        for (what, range) in [
            (
                format!("training days (first {percent} % of each site)"),
                self.scaling.training,
            ),
            ("test days".into(), self.scaling.test),
            ("all days".into(), self.scaling.all),
        ] {
            if let Some([low, high]) = range {
                let (least, greatest) = (low.asinh(), high.asinh());
                writeln!(
                    f,
                    "  {what:<40} {:>8}  {:>8}  {least:>8.4} to {greatest:.4}",
                    digits(low),
                    digits(high)
                )?;
            }
        }
        Ok(())
    }

    fn sites(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let years = self.records.first().map_or(0, |record| record.years.len());
        let step = years.div_ceil(WIDTH - BEFORE_COVERAGE).max(1);
        let first = self.start.get(..4).unwrap_or("");
        let last = self.end.get(..4).unwrap_or("");
        writeln!(
            f,
            "\n{:<width$}  days first      last       tests from {first}-{last}",
            "site",
            width = NAME + 2
        )?;
        for record in &self.records {
            let Record {
                site,
                observed_days,
                first,
                last,
                first_test_day,
                ..
            } = record;
            let date = |date: &Option<String>| date.clone().unwrap_or_else(|| "-".into());
            writeln!(
                f,
                "  {:<NAME$}{observed_days:>6} {:<10} {:<10} {:<10} {}",
                cut(&site.id),
                date(first),
                date(last),
                date(first_test_day),
                coverage(record, step)
            )?;
        }
        let unit = if step == 1 {
            "a year".into()
        } else {
            format!("{step} years")
        };
        wrapped(
            f,
            "  ",
            &format!(
                "Each character is {unit}: tenths of its days with a flux, rounded down; 9 is nine tenths or more, . is none."
            ),
        )
    }

    fn daily(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let title = format!("{} daily variables", self.dynamic.len());
        writeln!(
            f,
            "\n{title:<width$}{:>9} {:>9} {:<13}{:>8} {:>7} {:>7}  absent",
            "least",
            "greatest",
            "unit",
            "filled",
            "gap",
            "held",
            width = NAME + 2
        )?;
        for variable in &self.dynamic {
            let days =
                |run: &Option<Run>| run.as_ref().map_or("-".into(), |run| run.days.to_string());
            writeln!(
                f,
                "{}{:>6.0} % {:>7} {:>7}  {}",
                row(variable),
                100.0 * variable.filled,
                days(&variable.longest_interpolated),
                days(&variable.longest_held),
                absent(variable)
            )?;
        }
        if self.dynamic.is_empty() {
            return Ok(());
        }
        wrapped(
            f,
            "  ",
            "gap: days of the longest run that was interpolated; held: of the longest run outside a record; absent: sites \
             without the variable.",
        )
    }

    fn attributes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let title = format!("{} static attributes", self.statics.len());
        writeln!(
            f,
            "\n{title:<width$}{:>9} {:>9} {:<13}  absent",
            "least",
            "greatest",
            "unit",
            width = NAME + 2
        )?;
        for variable in &self.statics {
            writeln!(f, "{}  {}", row(variable), absent(variable))?;
        }
        Ok(())
    }
}

/// Name, range and unit.
fn row(variable: &VariableSummary) -> String {
    let [low, high] = match variable.range {
        Some(range) => range.map(digits),
        None => ["-".into(), "-".into()],
    };
    format!(
        "  {:<NAME$}{low:>9} {high:>9} {:<13}",
        cut(&variable.name),
        variable.units
    )
}

fn absent(variable: &VariableSummary) -> String {
    match variable.absent_at.len() {
        0 => "-".into(),
        sites => sites.to_string(),
    }
}

/// A digit for every `step` years.
fn coverage(record: &Record, step: usize) -> String {
    let years: Vec<Coverage> = record.years.values().copied().collect();
    let character = |years: &[Coverage]| {
        let days: usize = years.iter().map(|year| year.days).sum();
        let observed: usize = years.iter().map(|year| year.observed).sum();
        let tenths = u32::try_from(10 * observed / days.max(1)).unwrap_or(9);
        match observed {
            0 => '.',
            _ => char::from_digit(tenths.min(9), 10).unwrap_or('9'),
        }
    };
    years.chunks(step).map(character).collect()
}

/// A name that fits into a table.
fn cut(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.into();
    }
    let kept: String = name.chars().take(NAME - 1).collect();
    format!("{kept}…")
}

/// Lines of at most [`WIDTH`] characters, broken between words; the later ones are indented as far as the mark is wide.
fn wrapped(f: &mut Formatter<'_>, mark: &str, text: &str) -> fmt::Result {
    let indent = mark.chars().count();
    let mut line = mark.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + word.chars().count();
        if !empty && length + 1 > WIDTH {
            writeln!(f, "{line}")?;
            line = " ".repeat(indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line += word;
        empty = false;
    }
    writeln!(f, "{line}")
}

/// A number with about four digits that count.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        size if size >= 0.1 || size == 0.0 => 3,
        _ => 5,
    };
    format!("{value:.decimals$}")
}
