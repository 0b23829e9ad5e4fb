//! The example study.

use efflux_import::{Mapping, import, write_example};

#[test]
fn the_example_is_imported_as_it_stands_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let example = folder.path().join("study");
    write_example(&example).unwrap();
    let daily = import(&Mapping::read(&example.join("import.toml")).unwrap()).unwrap();
    assert!(daily.warnings.is_empty(), "{:?}", daily.warnings);
    assert_eq!(daily.sites.len(), 2);
    for site in &daily.sites {
        assert_eq!(site.days.len(), 3 * 365);
        let flux = site
            .days
            .iter()
            .filter_map(|day| day.flux)
            .fold(0.0, f64::max);
        assert!((2.0..20.0).contains(&flux), "{flux}");
    }
    assert!(daily.account.sites.iter().all(|rows| {
        rows.dropped
            .iter()
            .any(|(rule, rows)| rule == "quality" && *rows > 0)
    }));
}

#[test]
fn a_folder_with_something_in_it_gets_no_example() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("import.toml"), "mine").unwrap();
    let error = write_example(folder.path()).unwrap_err().to_string();
    assert!(error.contains("is not empty"), "{error}");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("import.toml")).unwrap(),
        "mine"
    );
}
