//! The table of a pack's sites, and elevations that come back with it.

use std::fs;

use efflux_data::Pack;
use efflux_ingest::{
    CosoreOptions, Missing, SiteOptions, add_elevations, pack_sites, read_cosore, site_table,
};
use efflux_testing::release::example;

/// Two sites of a release that says no elevation.
fn pack() -> Pack {
    let release = example();
    let read = read_cosore(release.path(), &CosoreOptions::default()).unwrap();
    read.into_pack()
}

fn with(table: &str) -> Result<(Pack, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.csv");
    fs::write(&path, table).unwrap();
    let added = add_elevations(pack(), &path, &Missing::default());
    added.map_err(|error| error.to_string())
}

#[test]
fn the_table_is_a_list_of_sites_that_a_folder_may_have() {
    let pack = pack();
    let text = String::from_utf8(site_table(&pack.sites).unwrap()).unwrap();
    let mut lines = text.lines();
    let header = "site,lat,lon,elevation_m,site_name,igbp,primary_pub";
    assert_eq!(lines.next(), Some(header));
    assert_eq!(lines.count(), pack.sites.len());

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sites.csv"), &text).unwrap();
    for site in &pack.sites {
        let file = folder.path().join(format!("{}.csv", site.id));
        fs::write(
            file,
            "date,co2_flux_umol_m2_s\n2010-07-01,1\n2010-07-02,2\n",
        )
        .unwrap();
    }
    let packed = pack_sites(folder.path(), &SiteOptions::default()).unwrap();
    assert_eq!(packed.pack.sites, pack.sites);
}

#[test]
fn elevations_that_a_release_lacks_are_filled_in() {
    let id = pack().sites[0].id.clone();
    let (filled, told) = with(&format!("site,elevation_m\n{id},312.5\n")).unwrap();
    let elevation = filled.statics.iter().position(|of| of.name == "elevation");
    let elevation = elevation.unwrap();
    assert_eq!(filled.sites[0].elevation, Some(312.5));
    assert_eq!(filled.attribute(0, elevation), 312.5);
    assert!(filled.attribute(1, elevation).is_nan());
    assert!(told.is_empty(), "{told:?}");
    assert_ne!(filled.digest, pack().digest);
    let source = filled.sources.last().unwrap();
    assert!(
        source.contains(&id) && source.contains("--elevations"),
        "{source}"
    );
    let path = tempfile::tempdir().unwrap();
    filled.write(&path.path().join("a.h5")).unwrap();
}

#[test]
fn an_elevation_that_is_known_stays_and_strange_sites_are_named() {
    let id = pack().sites[0].id.clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.csv");
    let given = |text: String, pack| {
        fs::write(&path, text).unwrap();
        add_elevations(pack, &path, &Missing::default()).unwrap()
    };
    let (once, _) = given(format!("site,elevation_m\n{id},10\n"), pack());
    let (twice, told) = given(format!("site,elevation_m\n{id},20\nELSEWHERE,5\n"), once);
    assert_eq!(twice.sites[0].elevation, Some(10.0));
    assert!(
        told.iter().any(|text| text.contains("(10 m, not 20 m)")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|text| text.contains("`ELSEWHERE`")),
        "{told:?}"
    );
}

#[test]
fn tables_that_say_no_elevation_are_refused_with_their_line() {
    for (table, told) in [
        (
            "site,height\nA,1\n",
            "sites.csv:1: has no column `elevation_m`",
        ),
        (
            "site,elevation_m\nA,1\nA,2\n",
            "sites.csv:3: `site` has `A`, expected each site once",
        ),
        (
            "site,elevation_m\nA,high\n",
            "sites.csv:2: `elevation_m` has `high`",
        ),
        (
            "site,elevation_m\nA,-9999\n",
            "this looks like a fill value",
        ),
    ] {
        let refused = with(table).unwrap_err();
        assert!(refused.contains(told), "{refused}");
    }
}
