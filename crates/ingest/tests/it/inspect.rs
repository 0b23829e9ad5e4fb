//! What is said of a pack.

use efflux_data::INTERPOLATED;
use efflux_ingest::{CosoreOptions, inspect, read_cosore};
use efflux_testing::release::example;

use super::small_pack;

#[test]
fn the_longest_filled_run_is_told_with_its_site_and_day() {
    let mut pack = small_pack(3, 1);
    let variables = pack.dynamic.len();
    pack.filled.fill(0);
    let mut fill = |site: usize, days: std::ops::Range<usize>| {
        for day in days {
            pack.filled[(site * 365 + day) * variables] = INTERPOLATED;
        }
    };
    fill(0, 10..14);
    fill(1, 100..140);
    fill(2, 360..365);
    let inspection = inspect(&pack, 0.8, 1.0).unwrap();
    let run = inspection.dynamic[0].longest_interpolated.as_ref().unwrap();
    assert_eq!(
        (run.days, &*run.site, &*run.first),
        (40, &*pack.sites[1].id, "2003-04-11")
    );
    assert_eq!(inspection.dynamic[0].longest_held, None);
    assert_eq!(inspection.dynamic[1].longest_interpolated, None);
    let share = inspection.dynamic[0].filled;
    assert!((share - 49.0 / (3.0 * 365.0)).abs() < 1e-12, "{share}");
}

#[test]
fn no_line_is_wider_than_100_columns_and_every_site_has_one() {
    let folder = example();
    let release = read_cosore(folder.path(), &CosoreOptions::default()).unwrap();
    let release = inspect(&release.into_pack(), 0.8, 1.0).unwrap().to_string();
    let mut pack = small_pack(4, 3);
    pack.sites[0].id = "a_site_with_a_name_that_is_longer_than_any_column".into();
    pack.sites[1].publication = "10.1000/a and 10.1000/b, ".repeat(20);
    pack.dynamic[0].name = "a_variable_with_a_name_that_is_longer_than_any_column".into();
    // Dates of a century do not fit as one character a year.
    let mut long = small_pack(1, 100).sealed();
    long.sources = vec!["a source of many words ".repeat(20)];
    for text in [
        release,
        inspect(&pack, 0.8, 1.0).unwrap().to_string(),
        inspect(&long, 0.8, 1.0).unwrap().to_string(),
    ] {
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
    let text = inspect(&pack, 0.8, 1.0).unwrap().to_string();
    for site in &pack.sites[1..] {
        let row = text
            .lines()
            .find(|line| line.starts_with(&format!("  {} ", site.id)));
        assert!(row.is_some_and(|row| row.contains("20")), "{text}");
    }
    assert!(text.contains("a_site_with_a_name_that_is_lo…"), "{text}");
}
