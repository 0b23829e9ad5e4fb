//! Miniature folders with the traps of their layouts, and what is right.

use std::path::Path;

use crate::{imported, table};

/// A site's place as its miniature tells it.
const PLACE: [&str; 3] = ["lat", "lon", "elevation_m"];
const WORDS: [&str; 3] = ["site", "site_name", "igbp"];

/// Holds what is written to what is right: every day, the account, and the sites.
///
/// # Arguments
///
/// * `days`: the name of the file with the right days.
pub(crate) fn hold(folder: &Path, mapping: &str, days: &str) {
    let written = tempfile::tempdir().unwrap();
    let out = written.path().join("daily");
    imported(folder, mapping).unwrap().write(&out).unwrap();
    let expected = table(&folder.join(days));
    let mut sites: Vec<&String> = expected.iter().map(|row| &row["site"]).collect();
    sites.dedup();
    assert!(!sites.is_empty());
    for site in sites {
        let found = table(&out.join(format!("{site}.csv")));
        let expected: Vec<_> = expected.iter().filter(|row| row["site"] == *site).collect();
        assert_eq!(found.len(), expected.len(), "days of {site}");
        for (found, expected) in found.iter().zip(expected) {
            for (column, value) in expected.iter().filter(|(column, _)| *column != "site") {
                // A site without the variable at all has no column of it.
                let found = found.get(column).map_or("", String::as_str);
                same(
                    found,
                    value,
                    &format!("{column} of {site} on {}", expected["date"]),
                );
            }
        }
    }
    if days != "expected.csv" {
        return;
    }
    assert_eq!(
        table(&out.join("account.csv")),
        table(&folder.join("expected_account.csv"))
    );
    if !folder.join("expected_sites.csv").exists() {
        return;
    }
    let (found, expected) = (
        table(&out.join("sites.csv")),
        table(&folder.join("expected_sites.csv")),
    );
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        for column in PLACE {
            same(&found[column], &expected[column], column);
        }
        for column in WORDS {
            assert_eq!(found[column], expected[column]);
        }
        assert!(
            found["source"].starts_with(&expected["source"]),
            "{}",
            found["source"]
        );
    }
}

/// Numbers agree to the digits of what is right, other cells to the letter.
fn same(found: &str, expected: &str, what: &str) {
    match (found.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(found), Ok(expected)) => {
            assert!(
                (found - expected).abs() < 1.1e-6,
                "{what}: {found}, expected {expected}"
            );
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}
