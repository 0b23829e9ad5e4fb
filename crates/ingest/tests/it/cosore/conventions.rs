//! COSORE's own conventions: embargoes, chambers of net exchange, rows that repeat another or lack something.

use std::fs;

use efflux_data::LeftOut;
use efflux_ingest::{CosoreOptions, Filter, Flux, Release, Treatments};
use efflux_testing::release::{Column, data_frame, data_set, example, times};

use super::read;

#[test]
fn what_is_under_an_embargo_enters_only_if_asked_for() {
    let folder = example();
    let path = folder.path().join("datasets/crop/DESCRIPTION.txt");
    let text = fs::read_to_string(&path).unwrap() + "CSR_EMBARGO: until: the paper\n";
    fs::write(&path, text).unwrap();
    let release = read(folder.path(), &CosoreOptions::default());
    assert_eq!(release.sites.len(), 1);
    assert_eq!(release.account.left_out()[&LeftOut::Embargoed], ["crop"]);
    assert!(release.warnings.contains(
        &"left out, under an embargo (CSR_EMBARGO; --embargoed takes it): crop".to_owned()
    ));
    let options = CosoreOptions {
        embargoed: true,
        ..CosoreOptions::default()
    };
    let release = read(folder.path(), &options);
    assert_eq!(release.sites.len(), 2);
    assert_eq!(release.account.options["embargoed"], true);
}

#[test]
fn repeated_rows_and_net_exchange_are_told() {
    let folder = example();
    let release = read(folder.path(), &CosoreOptions::default());
    let told = "1 rows repeat another's port, time and flux, and stay as in the paper: WET 1";
    assert!(
        release.warnings.iter().any(|of| of == told),
        "{:?}",
        release.warnings
    );
    assert!(!release.warnings.iter().any(|of| of.contains("NEE")));
    let ports = folder.path().join("datasets/crop/PORTS.txt");
    let text = fs::read_to_string(&ports)
        .unwrap()
        .replace("0,\tRs", "0,\tNEE");
    fs::write(&ports, text).unwrap();
    let told = |release: Release| release.warnings.into_iter().find(|of| of.contains("(NEE)"));
    let named = told(read(folder.path(), &CosoreOptions::default())).unwrap();
    assert!(named.ends_with(": crop"), "{named}");
    let options = CosoreOptions {
        fluxes: vec![Flux::Rs, Flux::Rh, Flux::Reco],
        ..CosoreOptions::default()
    };
    assert_eq!(told(read(folder.path(), &options)), None);
}

#[test]
fn rows_without_a_port_are_dropped_where_ports_matter() {
    let folder = tempfile::tempdir().unwrap();
    let begin = times(&["2010-01-01T00:00:00Z", "2010-01-02T00:00:00Z"]);
    let data = data_frame(&[
        ("CSR_PORT", Column::Integer(vec![1, i32::MIN])),
        ("CSR_TIMESTAMP_BEGIN", Column::Times(begin, "UTC")),
        ("CSR_FLUX_CO2", Column::Real(vec![1.0, 2.0])),
    ]);
    let ports = "CSR_PORT,CSR_MSMT_VAR,CSR_TREATMENT\n0,Rs,None\n";
    data_set(folder.path(), "A", "Wetland", ports, Some(&data));
    let rows = |treatments| {
        let options = CosoreOptions {
            treatments,
            filter: Filter::None,
            ..CosoreOptions::default()
        };
        read(folder.path(), &options).account.rows()
    };
    assert_eq!(
        (
            rows(Treatments::All).kept,
            rows(Treatments::All).without_port
        ),
        (2, 0)
    );
    assert_eq!(
        (
            rows(Treatments::None).kept,
            rows(Treatments::None).without_port
        ),
        (1, 1)
    );
}
