//! What a person is told of rows and data sets that enter or do not.

use efflux_data::{Account, Entry};

/// Data sets named in a sentence, at most.
const NAMED: usize = 8;

/// How many rows of a data set are of a kind.
type Count = fn(&Entry) -> u64;

/// Rows that a person may not expect to be dropped, or to stay.
pub(super) fn rows(account: &Account) -> Vec<String> {
    let kinds: [(Count, &str); 5] = [
        (
            |of| of.rows.flagged,
            "flagged as errors (CSR_ERROR) are dropped",
        ),
        (|of| of.rows.without_time, "without a time are dropped"),
        (|of| of.rows.without_port, "without a port are dropped"),
        (
            |of| of.rows.outside_calendar,
            "outside the calendar are left out (`--from` and `--to` widen it)",
        ),
        (
            |of| of.repeated,
            "repeat another's port, time and flux, and stay as in the paper",
        ),
    ];
    let told = kinds.into_iter().filter_map(|(count, what)| {
        let mut counts: Vec<(u64, &str)> = account
            .data_sets
            .iter()
            .map(|of| (count(of), of.id.as_str()))
            .filter(|(rows, _)| *rows > 0)
            .collect();
        let all: u64 = counts.iter().map(|(rows, _)| rows).sum();
        counts.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
        let names = counts.iter().map(|(rows, id)| format!("{id} {rows}"));
        (all > 0).then(|| format!("{all} rows {what}: {}", some(names)))
    });
    told.collect()
}

/// Data sets whose chambers measure net ecosystem exchange too.
pub(super) fn exchange(ids: &[String]) -> Option<String> {
    (!ids.is_empty()).then(|| {
        format!(
            "chambers that measure net ecosystem exchange (NEE) enter like the others, `--variables Rs,Rh,Reco` leaves \
             them out: {}",
            some(ids.iter().cloned())
        )
    })
}

fn some(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}
