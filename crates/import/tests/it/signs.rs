//! Files of chambers, programs and collections are known by their signs, and what is written for them is a mapping.

use std::fs;

use efflux_import::{Mapping, guess};

use crate::{data, imported};

#[test]
fn each_layout_is_known_by_a_file_of_it() {
    for (file, layout) in [
        ("licor-81x/ZZ-Li1.81x", "licor-81x"),
        ("licor-81x/ZZ-Li2.81x", "licor-81x"),
        ("licor-export/ZZ-Ex1.txt", "licor-export"),
        ("licor-export/ZZ-Ex2.csv", "licor-export"),
        (
            "licor-8250/ZZ-Mx2/8250-0002-20191230_dense_summary.csv",
            "licor-8250",
        ),
        (
            "licor-smart-chamber/ZZ-Sc1/20190701.json",
            "licor-smart-chamber",
        ),
        ("eosfd/ZZ-Fd1.csv", "eosfd"),
        ("eosfd/ZZ-Fd2.csv", "eosfd"),
        ("neuralhydrology/config.yml", "neuralhydrology"),
        ("hydrodl/case/info.json", "hydrodl"),
        ("hydrodl/dbcsv/ZZ/2011/timeStr.csv", "hydrodl"),
        ("hydrodl/wide/temporal_efflux_site2.csv", "hydrodl"),
        ("cosore-release/cosore-9.9.9.zip", "cosore"),
        ("cosore-release/cosore-9.9.9/description.csv", "cosore"),
        (
            "carbonfluxbench/data/target_fluxes_v2.csv",
            "carbonfluxbench",
        ),
    ] {
        let text = guess(&[data(file)]).unwrap();
        assert!(
            text.contains(&format!("layout = \"{layout}\"\n")),
            "{file}: {text}"
        );
        let parsed = Mapping::parse(&data("import.toml"), &text);
        assert!(parsed.is_ok(), "{file}: {}\n{text}", parsed.unwrap_err());
    }
}

#[test]
fn what_is_written_for_a_release_works_as_it_stands() {
    let text = guess(&[data("cosore-release/cosore-9.9.9.zip")]).unwrap();
    assert_eq!(
        imported(&data("cosore-release"), &text)
            .unwrap()
            .sites
            .len(),
        2
    );
}

#[test]
fn a_clue_of_concentrations_goes_before_all_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "Model:\tLI-7810\nDATAH\tSECONDS\tDIAG\n").unwrap();
    assert!(
        guess(&[path])
            .unwrap_err()
            .to_string()
            .contains("concentrations")
    );
}
