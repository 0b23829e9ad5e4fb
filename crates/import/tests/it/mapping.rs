//! What is wrong with a mapping is said with its line and key.

use crate::{data, refused};

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_key() {
    let folder = data("fluxnet");
    let error = refused(&folder, "layout = 'fluxnet'\nfile = ['dd/*.csv']\n");
    assert!(
        error.ends_with("import.toml: line 2: unknown key `file` (did you mean `files`?)"),
        "{error}"
    );
    let error = refused(
        &folder,
        "layout = 'fluxnet'\nfiles = ['dd/*.csv']\n[fluxnet]\nqualtiy = 0.5\n",
    );
    assert!(
        error.contains("line 4: unknown key `qualtiy` (did you mean `quality`?)"),
        "{error}"
    );
    let error = refused(&folder, "layout = 'fluxnett'\n");
    assert!(
        error.contains("line 1: ") && error.contains("`fluxnet`"),
        "{error}"
    );
}

#[test]
fn a_section_of_another_layout_is_refused() {
    let error = refused(
        &data("fluxnet"),
        "layout = 'icos-l2'\nfiles = ['*']\n[neon]\ndiffus_method = 'a'\nmethod = '0'\n",
    );
    assert!(error.contains("belongs to `layout = \"neon\"`"), "{error}");
}

#[test]
fn a_pattern_that_finds_no_file_is_an_error() {
    let error = refused(
        &data("fluxnet"),
        "layout = 'fluxnet'\nfiles = ['day/*.csv']\n",
    );
    assert!(
        error.contains("`day/*.csv`") && error.contains("no file is called so"),
        "{error}"
    );
}

#[test]
fn a_site_without_coordinates_is_asked_for_them() {
    let mapping = "layout = 'ameriflux-base'\nfiles = ['AMF_ZZ-*.csv']\ntarget = 'RECO_PI'\n";
    let error = refused(&data("ameriflux-base"), mapping);
    assert!(
        error.contains("site `ZZ-Am1` has no `lat`") && error.contains("[[sites]]"),
        "{error}"
    );
}

#[test]
fn what_the_mapping_says_of_a_site_goes_before_what_files_say() {
    let mapping = "layout = 'ameriflux-base'\nfiles = ['AMF_*.csv']\ntarget = 'RECO_PI'\n\
        [[sites]]\nid = 'ZZ-Am1'\nelevation_m = 270\nlicence = 'CC BY 4.0'\n";
    let daily = crate::imported(&data("ameriflux-base"), mapping).unwrap();
    let site = &daily.sites[0].site;
    assert_eq!(
        (site.lat, site.elevation_m, site.licence.as_str()),
        (Some(40.3), Some(270.0), "CC BY 4.0")
    );
}
