//! What the kinds of an ensemble of unlike members weigh, and what other weights are worth.

use efflux_job::MemberKind;

use crate::cell::Cell;
use crate::table::{Column, Table};
use crate::weighing::Weighed;

pub(crate) fn weighed(rows: &[Weighed]) -> Table<'_, &Weighed> {
    let weight = |kind: MemberKind| {
        move |row: &&Weighed| {
            let mut weights = row.weights.iter();
            let found = weights.find(|(other, _)| *other == kind);
            Cell::from(found.map(|(_, weight)| *weight))
        }
    };
    let mut columns = vec![Column::text(
        "series",
        "validation days, by models that were fitted on earlier ones",
        |row: &&Weighed| row.series.clone(),
    )];
    columns.push(Column::text("in_use", "in use", |row: &&Weighed| {
        if row.is_in_use { "yes" } else { "" }
    }));
    columns.extend(MemberKind::ALL.map(|kind| {
        let key = format!("weight_{}", kind.name());
        Column::number(key, format!("weight of {}", kind.name()), 3, weight(kind))
    }));
    columns.extend([
        Column::number("inflation", "inflation", 2, |row: &&Weighed| row.inflation),
        Column::count("sites", "sites", |row: &&Weighed| row.sites),
        Column::number("median_nse", "NSE", 3, |row: &&Weighed| row.nse).reason("NSE"),
        Column::number("median_kge", "KGE", 3, |row: &&Weighed| row.kge).reason("KGE"),
    ]);
    Table::new(
        "weights",
        "What the kinds of members weigh: medians over sites, in forecasts of the validation days",
        "a kind of members alone or a mean of them: its weights, and medians over sites of its scores on validation days, which \
         networks of the search and the others, fitted on earlier days, forecast; `mean-fitted` was fitted on these days",
        columns,
        rows.iter().collect(),
    )
}
