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

mod caveats;
mod chosen;
mod comparison;
mod drivers;
mod evaluation;
mod extremes;
mod figures;
mod grid;
mod page;
mod prediction;
mod reasons;
mod record;
mod results;
mod states;
mod summary;
mod tables;
mod uncertainty;
mod words;

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::Result;

pub use evaluation::ClassCounts;
pub use prediction::{Prediction, PredictionSummary, write_prediction};
pub use results::{Attribute, Configuration, Results, Selection, Site, Temperature};
pub use summary::{PartSummary, Summary};

use comparison::Comparison;
use drivers::Drivers;
use evaluation::Evaluation;
use extremes::Extremes;
use grid::Grid;
use page::Figures;
use reasons::Explained;
use record::Record;
use states::States;
use uncertainty::Uncertainty;

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
    let findings = Findings::new(results, &index);
    if output != Output::Page {
        let tables = directory.join("tables");
        for table in tables::all(&findings) {
            durable::write(&tables.join(table.file), table.csv()?)?;
        }
    }
    if output != Output::Tables {
        let figures = directory.join("figures");
        let drawn = Figures::draw(&findings);
        for figure in drawn.all() {
            let path = figures.join(&figure.name).with_extension("svg");
            durable::write(&path, figure.file())?;
        }
        // The page comes last: where it is, everything it speaks of is.
        durable::write(&index, page::page(&findings, &drawn))?;
    }
    Ok(findings.summary)
}

/// What the results mean, for tables and page alike.
struct Findings<'a> {
    results: &'a Results<'a>,
    evaluation: Evaluation,
    extremes: Extremes,
    comparisons: Vec<Comparison>,
    states: Vec<States>,
    uncertainty: Uncertainty,
    drivers: Drivers,
    grid: Grid,
    reasons: Vec<Explained>,
    record: Record,
    summary: Summary,
}

impl<'a> Findings<'a> {
    fn new(results: &'a Results<'a>, index: &Path) -> Self {
        let evaluation = Evaluation::new(results);
        let extremes = Extremes::new(results, &evaluation);
        let drivers = Drivers::new(results, &evaluation);
        Self {
            reasons: reasons::explained(results, &evaluation, &extremes, &drivers),
            extremes,
            grid: Grid::new(results),
            comparisons: comparison::comparisons(&evaluation),
            states: states::states(results, &evaluation),
            uncertainty: Uncertainty::new(results),
            drivers,
            record: Record::new(results),
            summary: Summary::new(results, &evaluation, index),
            results,
            evaluation,
        }
    }
}
