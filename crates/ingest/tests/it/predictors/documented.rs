//! The rows that docs/reproduce.md shows of each table.

use std::collections::BTreeSet;

use efflux_testing::repository;

use super::*;

/// The tables of the page: a paragraph that begins with the name of a file, then its first rows.
fn samples() -> Vec<(String, String)> {
    let text = fs::read_to_string(repository().join("docs/reproduce.md")).unwrap();
    let blocks: Vec<&str> = text.split("\n\n```csv\n").collect();
    let pairs = blocks.windows(2);
    let named = pairs.filter_map(|pair| {
        let (_, paragraph) = pair[0].rsplit_once("\n\n")?;
        let (file, _) = paragraph.strip_prefix('`')?.split_once('`')?;
        let (rows, _) = pair[1].split_once("```")?;
        (!file.is_empty()).then(|| (file.to_owned(), rows.to_owned()))
    });
    named.collect()
}

#[test]
fn the_page_shows_the_first_rows_of_every_table_as_they_are_read() {
    let (folder, products) = (tempfile::tempdir().unwrap(), Products::paper().unwrap());
    let samples = samples();
    let stem = |file: &str| {
        file.trim_end_matches(".csv")
            .split('-')
            .next()
            .unwrap()
            .to_owned()
    };
    let shown: BTreeSet<String> = samples.iter().map(|(file, _)| stem(file)).collect();
    let described: BTreeSet<String> = products.iter().map(|of| of.table.clone()).collect();
    assert_eq!(shown, described);
    for (file, rows) in &samples {
        fs::write(folder.path().join(file), rows).unwrap();
    }
    let site = |id: &str| Site {
        id: id.to_owned(),
        ..sites().remove(0)
    };
    let sites = ["d20190409_ANJILELI", "d20190409_ZOU"].map(site);
    let calendar = Calendar {
        start: date(2010, 1, 1),
        days: 31,
    };
    let missing = Missing::default();
    let read = read_predictors(folder.path(), &products, &sites, calendar, &missing).unwrap();
    for (index, variable) in read.dynamic.iter().enumerate() {
        let value = f64::from(read.values[index * calendar.days]);
        let product = products.iter().find(|of| of.name == variable.name).unwrap();
        let [low, high] = product.plausible;
        assert!((low..=high).contains(&value), "{}: {value}", variable.name);
    }
    // Two hours are no day.
    let hourly = 3;
    assert_eq!(
        read.dynamic.len() + read.statics.len() + hourly,
        products.iter().count()
    );
    assert!(read.static_values.iter().all(|value| value.is_finite()));
}
