//! What the state that a simulation begins with is worth.

use efflux_job::{Part, State};

use super::html::{self, Cell, count, defined, number_column, table, text, words_column};
use crate::Findings;
use crate::evaluation::Measure;
use crate::states::States;
use crate::words;

/// A part of the scores: the ensemble mean with either state.
pub(super) fn part(findings: &Findings<'_>) -> String {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let found = findings
        .states
        .iter()
        .find(|found| found.part == Part::Test);
    let Some(found) = found else {
        return match results.members.len() {
            0 => String::new(),
            _ => "<p class=\"caption\">Some member was simulated with one state alone, by an earlier version of efflux, so \
                  a carried state and that of a window are not compared. A run in a new directory has both.</p>\n"
                .to_owned(),
        };
    };
    let mut columns = vec![words_column("state"), number_column("sites")];
    columns.extend(Measure::SKILL.map(|measure| number_column(measure.label())));
    let rows = found.series.map(|(state, series)| {
        let is_ours = state == results.contract.evaluation.state;
        let how = match state {
            State::Carried => "carried through the calendar",
            State::Window => "from zero over a window for each day",
        };
        let ours = if is_ours { " (this report)" } else { "" };
        let sites = evaluation.defined(series, Part::Test, Measure::Nse);
        let mut row: Vec<Cell> = vec![text(&format!("{how}{ours}")), count(sites.len())];
        let medians = Measure::SKILL.map(|measure| evaluation.median(series, Part::Test, measure));
        row.extend(medians.map(|median| defined(median, 3)));
        row
    });
    let compared = comparison(found);
    format!(
        "{}<p class=\"caption\">{compared} Training knows no state older than a window; hydroDL, and so the paper, carries \
         it through the calendar.</p>\n",
        table(
            "The ensemble mean with either state: medians over sites on the test part",
            &columns,
            &rows,
            None
        )
    )
}

/// How the two differ, site by site.
fn comparison(found: &States) -> String {
    let mut said = format!(
        "With the state of a window the NSE is higher at {} of {}",
        found.gained,
        words::counted(found.compared, "site")
    );
    if let (Ok(difference), Ok(test)) = (found.difference, found.test) {
        let p = html::p_value(Ok(test.p));
        said.push_str(&format!(
            "; the median difference is {} ({} to {}, p {})",
            words::number(difference.median, 3),
            words::number(difference.low, 3),
            words::number(difference.high, 3),
            p.html()
        ));
    }
    said + "."
}
