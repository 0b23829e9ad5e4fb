//! Results become files: tables, figures and one page.
//!
//! ```text
//! report/index.html      one self-contained page: the answer first, then what it rests on
//! report/tables/*.csv    the same numbers at full precision
//! report/figures/*.svg   the page's figures, one file each
//! ```
//!
//! Reads nothing and decides nothing: everything comes in with [`Results`], so a report written twice from the same
//! results is the same, byte for byte.

mod applicability;
mod caveats;
mod cell;
mod chosen;
mod compare;
mod comparison;
mod contenders;
mod curves;
mod daily;
mod drivers;
mod ensemble;
mod evaluate;
mod evaluation;
mod export;
mod external;
mod extremes;
mod figures;
mod filled;
mod forecast;
mod grid;
mod groups;
mod hindcast;
mod inputs;
mod markup;
mod mean;
mod members;
mod mixed;
mod mixture;
mod numbers;
mod page;
mod paper;
mod pooled;
mod prediction;
mod reasons;
mod record;
mod results;
mod section;
mod site_priors;
mod states;
mod summary;
mod table;
mod tables;
mod uncertainty;
mod unseen;
mod variance;
mod weighing;

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::Result;

pub use applicability::TrainingSites;
pub use compare::{Compared, compare};
pub use contenders::Contenders;
pub use daily::daily_csv;
pub use ensemble::{Together, Told};
pub use evaluate::{Evaluated, evaluate};
pub use evaluation::ClassCounts;
pub use export::Exported;
pub use external::external;
pub use forecast::ForecastSpread;
pub use inputs::Run;
pub use members::{DamagedMember, damaged_members};
pub use mixture::Mixture;
pub use prediction::{Prediction, PredictionSummary, write_prediction};
pub use results::{Attribute, Results, Site, Temperature};
pub use summary::{PartSummary, Summary};
pub use weighing::Weighed;

use comparison::Comparison;
use drivers::Drivers;
use evaluation::Evaluation;
use extremes::Extremes;
use grid::Grid;
use groups::Group;
use paper::{Here, Paper};
use reasons::Explained;
use record::Record;
use states::States;
use uncertainty::Uncertainty;
use unseen::Unseen;
use variance::Variance;

/// Which files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tables, figures and the page.
    All,
    /// The tables alone: what the evaluation found.
    Tables,
    /// Figures and the page alone.
    Page,
}

/// Writes the report, or a part of it, into `directory`, which is made if it is not there, and returns the headline.
///
/// # Errors
///
/// [`Error::Io`](efflux_base::error::Error::Io) if a directory or file cannot be written,
/// [`Error::Internal`](efflux_base::error::Error::Internal) if series and calendar differ in length.
pub fn write(results: &Results<'_>, directory: &Path, output: Output) -> Result<Summary> {
    results.check()?;
    let index = directory.join("index.html");
    let findings = Findings::new(results, &index)?;
    let sections = page::sections(&findings);
    if output != Output::Page {
        let directory = directory.join("tables");
        for section in &sections {
            let members = page::members(results, section);
            for table in section::tables(section) {
                if let Some(name) = table.file_name() {
                    durable::write(&directory.join(name), table.csv(members, results.target)?)?;
                }
            }
        }
    }
    if output != Output::Tables {
        let (page, drawn) = page::page(results, &sections);
        for figure in &drawn {
            let path = directory.join("figures").join(figure.file_name());
            durable::write(&path, figure.file().as_str())?;
        }
        // The page comes last: where it is, everything it speaks of is.
        durable::write(&index, page.as_str())?;
    }
    drop(sections);
    Ok(findings.summary)
}

/// What the documentation of columns begins with.
const COLUMNS: &str = "\
# The report's tables

Comma-separated, UTF-8, a header line, numbers at full precision, in `report/tables/` of a run directory. Units stand in
the names of columns; scores without one are dimensionless. What is not defined is an empty cell, with the reason in the
column `not_defined`. A series is `ensemble-mean`, `member-SEED`, either with the state that the job did not ask for
(`…-window-state`), the ensemble mean with a correction, or a baseline. The column `state` says how a series was run:
`carried` through the calendar, or from zero over a `window` for each day. Where a pack declares a target of its own, its unit stands
in the place of µmol m⁻² s⁻¹, in names too, and `paper.csv`, `paper_settings.csv` and `annual_sums.csv` are not there.

This file is written by a test (`EFFLUX_WRITE_DOCS=1 cargo test -p efflux-report columns`) from what the tables declare.
";

/// What the columns of the report's tables are, as Markdown: `docs/columns.md`. The results decide nothing but which sites
/// there are.
///
/// # Errors
///
/// As [`write`](fn@write).
pub fn columns(results: &Results<'_>) -> Result<String> {
    results.check()?;
    let findings = Findings::new(results, Path::new(""))?;
    let sections = page::sections(&findings);
    let described = sections.iter().flat_map(|section| {
        let members = page::members(results, section);
        let tables = section::tables(section).into_iter();
        tables.map(move |table| table.described(members, results.target))
    });
    let described: Vec<String> = described.collect();
    Ok(format!("{COLUMNS}\n{}", described.join("\n")))
}

/// What the results mean, for tables and page alike.
struct Findings<'a> {
    results: &'a Results<'a>,
    evaluation: Evaluation,
    extremes: Extremes,
    comparisons: Vec<Comparison>,
    states: Vec<States>,
    uncertainty: Uncertainty,
    unseen: Option<Unseen>,
    drivers: Drivers,
    grid: Grid,
    variance: Variance,
    groups: Vec<Group>,
    reasons: Vec<Explained>,
    record: Record,
    paper: Paper,
    summary: Summary,
}

impl<'a> Findings<'a> {
    /// # Errors
    ///
    /// As [`Paper::new`].
    fn new(results: &'a Results<'a>, index: &Path) -> Result<Self> {
        let evaluation = Evaluation::new(results);
        let extremes = Extremes::new(results, &evaluation);
        let drivers = Drivers::new(results, &evaluation);
        let here = Here {
            results,
            evaluation: &evaluation,
            extremes: &extremes,
            drivers: &drivers,
        };
        let paper = Paper::new(&here)?;
        Ok(Self {
            reasons: reasons::explained(results, &evaluation, &extremes, &drivers),
            extremes,
            grid: Grid::new(results),
            variance: Variance::new(results.selection),
            groups: groups::groups(results.selection),
            comparisons: comparison::comparisons(&evaluation),
            states: states::states(results, &evaluation),
            uncertainty: Uncertainty::new(results, &evaluation),
            unseen: Unseen::new(results, &evaluation),
            drivers,
            record: Record::new(results),
            paper,
            summary: Summary::new(results, &evaluation, index),
            results,
            evaluation,
        })
    }
}
