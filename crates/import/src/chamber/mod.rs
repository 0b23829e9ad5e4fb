//! Files of automatic chambers: what they have in common is one flux a measurement, a clock without a zone, and columns whose
//! meaning only the owner knows.

mod eosfd;
mod export;
mod raw_81x;
mod smart;
mod summary_8250;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use jiff::civil::DateTime;
use serde::Deserialize;

use crate::account::Rows;
use crate::cells::Dialect;
use crate::column::{Column, ColumnKeys};
use crate::fill_values::Seen;
use crate::mapping::{Mapping, SiteKeys};
use crate::record::{Imported, Record, Sample, Site};
use crate::refused;
use crate::stamp::{Clock, Format, Position, SiteOffset, Zone};

pub(crate) use eosfd::read as read_eosfd;
pub(crate) use export::read as read_export;
pub(crate) use raw_81x::read as read_81x;
pub(crate) use smart::read as read_smart;
pub(crate) use summary_8250::read as read_8250;

/// Rows whose time the clock never showed.
const NO_SUCH_TIME: &str = "time that does not exist";
const NO_FLUX: &str = "no flux";
const OTHER_PORT: &str = "other port";
const FAILED_FIT: &str = "failed fit";

/// `[chamber]`, and `[sites.chamber]` for what is otherwise at one site.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChamberKeys {
    /// The zone of the instrument's clock; the site's standard time if not said.
    zone: Option<String>,
    /// How stamps are written; recognised if not said.
    format: Option<String>,
    stands_for: Option<Position>,
    /// Length of a measurement.
    minutes: Option<f64>,
    /// Of the flux, where the file does not tell it.
    unit: Option<String>,
    /// The ports (collars, chambers) to read; all if not said.
    #[serde(default)]
    ports: Vec<String>,
    /// Daily variables, each with the column that it is made of.
    #[serde(default)]
    columns: ColumnKeys,
}

impl ChamberKeys {
    /// These, and the general ones where these say nothing.
    fn over(&self, general: &Self) -> Self {
        Self {
            zone: self.zone.clone().or_else(|| general.zone.clone()),
            format: self.format.clone().or_else(|| general.format.clone()),
            stands_for: self.stands_for.or(general.stands_for),
            minutes: self.minutes.or(general.minutes),
            unit: self.unit.clone().or_else(|| general.unit.clone()),
            ports: if self.ports.is_empty() {
                &general.ports
            } else {
                &self.ports
            }
            .clone(),
            columns: general
                .columns
                .iter()
                .chain(&self.columns)
                .map(|(name, column)| (name.clone(), column.clone()))
                .collect(),
        }
    }
}

/// What a layout's files of one site become.
struct Reader<'a> {
    mapping: &'a Mapping,
    keys: ChamberKeys,
    columns: Vec<Column>,
    zone: Option<Zone>,
    site: &'a SiteKeys,
    /// One a port, so that each remembers its own last row.
    clocks: HashMap<String, Clock>,
    rows: Rows,
    record: Record,
    warnings: Vec<String>,
}

/// Reads the files of each site.
///
/// # Arguments
///
/// * `usual`: what columns are where the mapping does not say it.
/// * `rules`: what rows can be dropped by.
/// * `one`: reads one file.
fn read_sites(
    mapping: &Mapping,
    usual: &[(&str, &str)],
    rules: &[&str],
    one: impl Fn(&mut Reader<'_>, &Path) -> Result<()>,
) -> Result<Imported> {
    let mut imported = Imported::default();
    for (site, files) in files(mapping)? {
        let mut reader = Reader::new(mapping, site, usual, rules)?;
        for file in files {
            if let Some(reason) = refused::reason(&file)? {
                return Err(Error::file(&file, reason));
            }
            one(&mut reader, &file)?;
        }
        for warning in reader.warnings {
            if !imported.warnings.contains(&warning) {
                imported.warnings.push(warning);
            }
        }
        imported.account.sites.push(reader.rows);
        imported.records.push(reader.record);
    }
    Ok(imported)
}

/// The sites with their files.
fn files(mapping: &Mapping) -> Result<Vec<(&SiteKeys, Vec<PathBuf>)>> {
    let of_site = |site: &'_ SiteKeys| {
        match (&site.files[..], &mapping.sites[..]) {
        ([], [_]) => mapping.all_files(),
        ([], _) => Err(mapping.wrong(format!(
            "does not tell the files of the site `{0}`, expected `files = [\"{0}/*\"]` below its id",
            site.id
        ))),
        (own, _) => mapping.found(own),
    }
    };
    if mapping.sites.is_empty() {
        return Err(mapping.wrong(
            "has no [[sites]], expected each with `id`, `lat`, `lon` and its `files`: files of chambers do not tell their site"
                .into(),
        ));
    }
    mapping
        .sites
        .iter()
        .map(|site| Ok((site, of_site(site)?)))
        .collect()
}

impl<'a> Reader<'a> {
    fn new(
        mapping: &'a Mapping,
        site: &'a SiteKeys,
        usual: &[(&str, &str)],
        rules: &[&str],
    ) -> Result<Self> {
        let general = mapping.chamber.clone().unwrap_or_default();
        let keys = site
            .chamber
            .as_ref()
            .map_or_else(|| general.clone(), |own| own.over(&general));
        let zone = keys.zone.as_deref().map(str::parse).transpose();
        let zone =
            zone.map_err(|reason: String| mapping.wrong(format!("`chamber.zone`: {reason}")))?;
        let columns = Column::all(&keys.columns);
        let mut columns =
            columns.map_err(|reason| mapping.wrong(format!("`chamber.columns`: {reason}")))?;
        if let Some(sum) = columns
            .iter()
            .find(|column| column.driver.starts_with("precip"))
        {
            return Err(mapping.wrong(format!(
                "`chamber.columns` has `{}`, but precipitation between measurements is in no file of a chamber (join a table of \
                 weather with `efflux pack --predictors`)",
                sum.driver
            )));
        }
        let unsaid = usual
            .iter()
            .filter(|(driver, _)| !keys.columns.contains_key(*driver));
        columns.extend(unsaid.map(|(driver, name)| Column::plain(driver, name)));
        columns.retain(|column| mapping.wants(&column.driver));
        let mut own = Site::default();
        site.over(&mut own);
        let drivers = columns.iter().map(|column| column.driver(0)).collect();
        Ok(Self {
            mapping,
            zone,
            site,
            clocks: HashMap::new(),
            rows: Rows::new(&site.id, rules),
            record: Record {
                site: own,
                drivers,
                samples: Vec::new(),
            },
            warnings: Vec::new(),
            keys,
            columns,
        })
    }

    fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Clocks for the stamps of the next file.
    fn start_file(&mut self) {
        self.clocks.clear();
    }

    /// The format that the mapping says, or else the one that the stamps have.
    fn format(&self, stamps: &[&str]) -> Result<Format, String> {
        match &self.keys.format {
            Some(format) => format.parse(),
            None => crate::stamp::recognise(stamps),
        }
    }

    /// When a measurement begins; none for a time that the clock never showed.
    fn begin(
        &mut self,
        port: &str,
        format: &Format,
        stamp: &str,
    ) -> Result<Option<DateTime>, String> {
        if let Some(clock) = self.clocks.get_mut(port) {
            return clock.begin(stamp);
        }
        let offset = self
            .site
            .utc_offset
            .map(SiteOffset::from_hours)
            .transpose()?;
        let mut clock = Clock::new(
            format.clone(),
            self.keys.stands_for.unwrap_or_default(),
            self.keys.minutes,
            self.zone.clone(),
            offset,
        )?;
        let begin = clock.begin(stamp);
        self.clocks.insert(port.to_owned(), clock);
        begin
    }

    /// Says once that nothing tells the zone of the clock.
    fn warn_of_zone(&mut self) {
        if self.zone.is_none() {
            self.warn(
                "no file tells the zone of the instrument's clock, so it is taken for local standard time without daylight saving \
                 (`zone = \"America/New_York\"` in [chamber] for a clock that is put forward, `zone = \"UTC\"` for one in UTC)",
            );
        }
    }

    fn wants_port(&self, port: &str) -> bool {
        self.keys.ports.is_empty() || self.keys.ports.iter().any(|wanted| wanted == port)
    }

    /// Whether a row that was read is of a port that is asked for; else it is dropped.
    fn takes(&mut self, port: &str) -> bool {
        let takes = self.wants_port(port);
        if !takes {
            self.rows.drop(OTHER_PORT);
        }
        takes
    }

    /// A measurement of a row; its flux is none where a rule has dropped it.
    fn push(&mut self, begin: DateTime, flux: Option<f64>, drivers: Vec<f64>) {
        self.record.samples.push(Sample {
            begin,
            flux,
            count: 1,
            drivers,
        });
    }

    /// A place for the numbers of a file as they are written: the flux, then the columns.
    fn seen(&self) -> Seen {
        let names = std::iter::once("the flux".to_owned())
            .chain(self.columns.iter().map(|column| column.name.clone()));
        Seen::new(&names.collect::<Vec<_>>())
    }

    fn dialect(&self) -> Dialect {
        Dialect {
            comment: None,
            ..Dialect::with_missing(&["-9999", "nan", "#VALUE!", "#REF!"], &self.mapping.missing)
        }
    }

    /// # Errors
    ///
    /// A key of `[chamber]` that this layout has no use for.
    fn only(&self, known: &[&str]) -> Result<()> {
        let said = [
            ("format", self.keys.format.is_some()),
            ("minutes", self.keys.minutes.is_some()),
            ("stands_for", self.keys.stands_for.is_some()),
            ("unit", self.keys.unit.is_some()),
            ("zone", self.keys.zone.is_some()),
        ];
        match said.iter().find(|(key, is_there)| *is_there && !known.contains(key)) {
            Some((key, _)) => Err(self.mapping.wrong(format!(
                "`chamber.{key}` has no meaning for layout = \"{}\", whose files tell it (remove it)",
                self.mapping.layout.name()
            ))),
            None => Ok(()),
        }
    }
}
