//! Why sites may be at the ends.

use efflux_analysis::reasons::End;

use super::{Table, number};
use crate::reasons::Explained;
use crate::results::Results;
use crate::words;

pub(super) fn reasons(results: &Results<'_>, explained: &[Explained]) -> Table {
    let mut table = Table::new(
        "reasons.csv",
        "score end rank site test_score reason value end_of_rule bound quarter_of_sites",
    );
    for one in explained {
        let end = if one.is_poor { "worst" } else { "best" };
        let start = [
            one.measure.column().to_owned(),
            end.to_owned(),
            one.rank.to_string(),
            results.sites[one.site].id.clone(),
            number(one.score),
        ];
        for reason in &one.reasons {
            let rule = reason.rule;
            let mut row = start.to_vec();
            row.push(words::reason_key(rule).to_owned());
            row.push(number(reason.value));
            let side = match rule.end {
                End::Low => "at-most",
                End::High => "at-least",
            };
            row.push(side.to_owned());
            row.extend([rule.bound, reason.quartile].map(number));
            table.rows.push(row);
        }
        if one.reasons.is_empty() {
            let mut row = start.to_vec();
            row.push("none-found".to_owned());
            row.resize(10, String::new());
            table.rows.push(row);
        }
    }
    table
}
