//! What the ensemble has to beat.

use efflux_job::Part;

use super::skill::{name, reasons};
use super::{Table, cell};
use crate::comparison::Comparison;
use crate::evaluation::{Evaluation, Measure};
use crate::results::Results;

pub(super) fn baselines(
    results: &Results<'_>,
    evaluation: &Evaluation,
    comparisons: &[Comparison],
) -> Table {
    let mut table = Table::new(
        "baselines.csv",
        "series temperature sites median_test_nse median_test_kge median_test_pearson_r sites_compared \
         sites_ensemble_better median_nse_difference interval_0.95_low interval_0.95_high wilcoxon_p not_defined",
    );
    let temperature = results
        .temperature
        .map_or("", |temperature| temperature.name);
    for comparison in comparisons {
        let mut row = vec![
            name(results, comparison.series),
            if comparison.needs_temperature() {
                temperature.to_owned()
            } else {
                String::new()
            },
            comparison.sites.to_string(),
        ];
        let medians =
            Measure::SKILL.map(|measure| evaluation.median(comparison.series, Part::Test, measure));
        row.extend(medians.map(cell));
        row.extend([comparison.compared, comparison.won].map(|count| count.to_string()));
        let difference = comparison.difference;
        row.extend([
            cell(difference.map(|found| found.median)),
            cell(difference.map(|found| found.low)),
            cell(difference.map(|found| found.high)),
            cell(comparison.test.map(|test| test.p)),
        ]);
        let [nse, kge, r] = medians;
        row.push(reasons(&[
            ("nse", nse),
            ("kge", kge),
            ("r", r),
            ("difference", difference.map(|found| found.median)),
            ("wilcoxon", comparison.test.map(|test| test.p)),
        ]));
        table.rows.push(row);
    }
    table
}
