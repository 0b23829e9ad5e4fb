//! What the ensemble has to beat, for people.

use efflux_job::Part;

use super::Figures;
use super::html::{
    self, Cell, count, defined, escape, figure, number_column, table, text, words_column,
};
use crate::comparison::Comparison;
use crate::evaluation::{Evaluation, Measure, Series};
use crate::results::Results;
use crate::words;

pub(super) fn section(
    results: &Results<'_>,
    evaluation: &Evaluation,
    comparisons: &[Comparison],
    figures: &Figures,
) -> String {
    let mut columns = vec![words_column("test part"), number_column("sites")];
    columns.extend(Measure::SKILL.map(|measure| number_column(measure.label())));
    columns.extend(
        [
            "ensemble better at",
            "median NSE difference",
            "95 % interval, from",
            "to",
            "p (Wilcoxon)",
        ]
        .map(number_column),
    );
    let medians = |series| {
        Measure::SKILL.map(|measure| defined(evaluation.median(series, Part::Test, measure), 3))
    };
    let sites = evaluation.defined(Series::Ensemble, Part::Test, Measure::Nse);
    let mut first = vec![text("ensemble mean"), count(sites.len())];
    first.extend(medians(Series::Ensemble));
    first.extend([(); 5].map(|()| html::number(None, 0)));
    let mut rows: Vec<Vec<Cell>> = vec![first];
    for comparison in comparisons {
        let mut row = vec![text(comparison.label()), count(comparison.sites)];
        row.extend(medians(comparison.series));
        row.push(text(&format!(
            "{} of {}",
            comparison.won, comparison.compared
        )));
        let difference = comparison.difference;
        row.extend([
            defined(difference.map(|found| found.median), 3),
            defined(difference.map(|found| found.low), 3),
            defined(difference.map(|found| found.high), 3),
            html::p_value(comparison.test.map(|test| test.p)),
        ]);
        rows.push(row);
    }
    let temperature = match results.temperature {
        Some(temperature) => format!(
            "The models of temperature take <code>{}</code>.",
            escape(temperature.name)
        ),
        None => "The pack has no temperature, so models of temperature are not defined.".to_owned(),
    };
    let content = format!(
        "{}{}<p class=\"caption\">Each baseline is fitted at each site to the days that members were fitted on ({}), by \
         least squares, and judged on the same test days. {temperature} A median over sites is uncertain because sites \
         are few and differ; the difference at each site is less so: its interval comes from drawing sites again. The \
         last two rows are no baselines: they correct the ensemble mean at each site by its residuals in asinh units \
         over the days fitted on, by their mean (site level) or by their scatter around it (smearing, Duan 1983). The \
         ensemble of this report is not corrected.</p>\n",
        table(
            "Ensemble mean and what it has to beat: medians over sites; differences are ensemble mean minus the other",
            &columns,
            &rows,
            None
        ),
        figure(&figures.baselines.svg, ""),
        words::fit(results.fit),
    );
    html::section("baselines", "Baselines", &content)
}
