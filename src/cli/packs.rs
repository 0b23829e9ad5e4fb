//! What makes packs and looks into them.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use efflux_ingest::{Filter, Flux, Treatments};
use jiff::civil::Date;

#[derive(Args, Debug)]
pub(crate) struct SynthArgs {
    /// The pack to write; with --predictors-for the folder for its tables
    #[arg(short, long, value_name = "PACK|DIR")]
    pub(crate) output: PathBuf,

    /// Make predictor tables for the sites of this pack instead, as Earth Engine exports them, to try
    /// `efflux pack --predictors` with
    #[arg(long, value_name = "PACK", conflicts_with_all = ["sites", "years"])]
    pub(crate) predictors_for: Option<PathBuf>,

    /// Number of sites
    #[arg(long, default_value = "82", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) sites: u32,

    /// Years of the calendar, from 2003-01-01 on [default: to 2020-02-29]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) years: Option<u32>,

    /// Seed: the same one gives the same pack
    #[arg(long, default_value = "0", value_name = "SEED")]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The folder to write: a new or an empty one
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").required(true).args(["mapping", "guess"])))]
pub(crate) struct ImportArgs {
    /// The mapping: which files there are, in which layout, and what their columns mean (docs/import.md describes it)
    #[arg(value_name = "MAPPING")]
    pub(crate) mapping: Option<PathBuf>,

    /// Print the mapping that would read these files; lines with FILL IN ask for what no file tells
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub(crate) guess: Vec<PathBuf>,

    /// The column that is the flux, instead of the one that the mapping names
    #[arg(long, value_name = "COLUMN", conflicts_with = "guess")]
    pub(crate) target: Option<String>,

    /// Write no folder if there is a warning
    #[arg(long, conflicts_with = "guess")]
    pub(crate) strict: bool,

    /// The folder to write; one that an earlier import wrote and nobody changed is replaced [default: MAPPING without its
    /// ending, and `-daily`]
    #[arg(short, long, value_name = "DIR", conflicts_with = "guess")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("data").required(true).args(["sites", "cosore"])))]
pub(crate) struct PackArgs {
    /// Folder with sites.csv and one CSV of daily values per site (configs/README.md describes it)
    #[arg(long, value_name = "DIR")]
    pub(crate) sites: Option<PathBuf>,

    /// Release of COSORE: the folder that holds `datasets`, with R data files or with tables, or its zip archive
    /// (configs/README.md describes what becomes of it)
    #[arg(long, value_name = "PATH")]
    pub(crate) cosore: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) release: ReleaseArgs,

    #[command(flatten)]
    pub(crate) tables: TableArgs,

    /// Folder with tables of predictors as Earth Engine exports them, to go into the pack too
    #[arg(long, value_name = "DIR")]
    pub(crate) predictors: Option<PathBuf>,

    /// What the predictor tables hold [default: the paper's products, configs/predictors.toml]
    #[arg(long, value_name = "FILE", requires = "predictors")]
    pub(crate) predictors_config: Option<PathBuf>,

    /// Table with `site` and `elevation_m`: elevations that the release lacks, as `efflux inspect --sites-csv` writes it
    #[arg(long, conflicts_with = "sites", value_name = "FILE")]
    pub(crate) elevations: Option<PathBuf>,

    /// Write no pack if there is a warning
    #[arg(long)]
    pub(crate) strict: bool,

    /// The pack to write
    #[arg(short, long, value_name = "PACK")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ReleaseArgs {
    /// Which measurements of a COSORE release to drop: those below the 1st or above the 99th percentile
    /// of their IGBP class
    #[arg(
        long,
        default_value = "all",
        conflicts_with = "sites",
        value_name = "FILTER"
    )]
    pub(crate) filter: Filter,

    /// Keep chambers that measure one of these, separated by commas
    #[arg(
        long,
        default_values = ["Rs", "Rh", "NEE", "Reco"],
        value_delimiter = ',',
        conflicts_with = "sites",
        value_name = "FLUX"
    )]
    pub(crate) variables: Vec<Flux>,

    /// Keep chambers under these treatments
    #[arg(
        long,
        default_value = "all",
        conflicts_with = "sites",
        value_name = "WHICH"
    )]
    pub(crate) treatments: Treatments,

    /// Take data sets under an embargo (CSR_EMBARGO) too: their owners have not released them
    #[arg(long, conflicts_with = "sites")]
    pub(crate) embargoed: bool,

    /// Leave out and name a data set that cannot be read, instead of ending with an error
    #[arg(long, conflicts_with = "sites")]
    pub(crate) skip_unreadable: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TableArgs {
    /// First day of the calendar, as 2003-01-01 [default: the first day of the files of the sites; of a release of
    /// COSORE that of the paper, 2003-01-01]
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<Date>,

    /// Last day of the calendar [default: the last day of the files of the sites; of a release of COSORE that of the
    /// paper, 2020-02-29]
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<Date>,

    /// What stands for a missing value in the tables, beside an empty cell: numbers or words, separated by
    /// commas
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_name = "VALUES"
    )]
    pub(crate) missing: Vec<String>,

    /// Numbers that look like fill values for missing data, but were measured, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_name = "NUMBERS"
    )]
    pub(crate) measured: Vec<f64>,

    /// Columns of the sites' files that are inputs although they look like an index, a date or a quality
    /// flag, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        conflicts_with = "cosore",
        value_name = "NAMES"
    )]
    pub(crate) keep_columns: Vec<String>,

    /// Sites nearer to each other than this, kilometres, are one place
    #[arg(long, default_value = "1", value_name = "KM", value_parser = kilometres)]
    pub(crate) same_place: f64,
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The pack
    #[arg(value_name = "PACK")]
    pub(crate) pack: PathBuf,

    /// Share of each site's observed days that a job trains on, for the boundaries, windows and ranges shown
    #[arg(long, default_value = "0.8", value_name = "SHARE", value_parser = share)]
    pub(crate) train_fraction: f64,

    /// Sites nearer to each other than this, kilometres, are one place
    #[arg(long, default_value = "1", value_name = "KM", value_parser = kilometres)]
    pub(crate) same_place: f64,

    /// Also write the sites as a table, for configs/earth-engine/export.js and to fill in elevations
    #[arg(long, value_name = "FILE")]
    pub(crate) sites_csv: Option<PathBuf>,

    /// As JSON, with all sites, years and findings (configs/README.md lists the keys)
    #[arg(long)]
    pub(crate) json: bool,
}

/// A share of days, some but not all.
fn share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a number between 0 and 1".into())
}

/// A distance on the Earth.
fn kilometres(text: &str) -> Result<f64, String> {
    let distance = text.parse().ok();
    let distance = distance.filter(|km: &f64| (0.0..=20_100.0).contains(km));
    distance.ok_or_else(|| "expected kilometres, 0 to 20100".into())
}
