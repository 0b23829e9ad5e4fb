//! Files that were damaged on their way become days or an error, and nothing else.

use std::fs;
use std::path::Path;

use crate::{data, imported};

/// Imports a folder again and again, each time with a file that is cut or has a changed byte.
fn damaged(layout: &str, file: &str, mapping: &str) {
    let folder = tempfile::tempdir().unwrap();
    copy(&data(layout), folder.path());
    let path = folder.path().join(file);
    let whole = fs::read(&path).unwrap();
    let kept = imported(folder.path(), mapping).unwrap().account;
    let step = (whole.len() / 40).max(1);
    let mut refused = 0;
    for at in (0..whole.len().min(120)).chain((120..whole.len()).step_by(step)) {
        for changed in [Some(0), Some(0xff), None] {
            let mut bytes = whole.clone();
            match changed {
                Some(byte) => bytes[at] ^= byte | 1,
                None => bytes.truncate(at),
            }
            fs::write(&path, bytes).unwrap();
            refused += u32::from(imported(folder.path(), mapping).is_err());
        }
    }
    assert!(refused > 0, "{layout}: no damage was noticed");
    fs::write(&path, whole).unwrap();
    assert_eq!(imported(folder.path(), mapping).unwrap().account, kept);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(&path, &place).unwrap();
        }
    }
}

#[test]
fn classic_netcdf() {
    let mapping = "layout = 'neuralhydrology'\nfiles = ['config.yml']\nmissing = ['-999']\n";
    damaged("neuralhydrology", "data/time_series/990135.nc4", mapping);
}

#[test]
fn arrays_of_numpy() {
    let mapping = "layout = 'hydrodl'\ntarget = 'efflux'\n[hydrodl]\nkind = 'case'\nfolder = 'case'\nunit = 'umol m-2 s-1'\n\
        [[sites]]\nid = '00990135'\nlat = 1\nlon = 1\n[[sites]]\nid = '00994150'\nlat = 1\nlon = 1\n";
    damaged("hydrodl", "case/data.npz", mapping);
}

#[test]
fn releases_of_cosore() {
    damaged(
        "cosore-release",
        "cosore-9.9.9.zip",
        "layout = 'cosore'\nfiles = ['cosore-9.9.9.zip']\n",
    );
}

#[test]
fn files_of_chambers() {
    let mapping = |layout: &str, file: &str| {
        format!("layout = '{layout}'\n[[sites]]\nid = 'A'\nlat = 1\nlon = 1\nfiles = ['{file}']\n")
    };
    damaged(
        "licor-81x",
        "ZZ-Li1.81x",
        &mapping("licor-81x", "ZZ-Li1.81x"),
    );
    let smart = "ZZ-Sc1/20190701.json";
    damaged(
        "licor-smart-chamber",
        smart,
        &mapping("licor-smart-chamber", smart),
    );
    let summary = "ZZ-Mx1/8250-0001-20190601_dense_summary.csv";
    damaged("licor-8250", summary, &mapping("licor-8250", summary));
    let table = format!(
        "{}[sites.chamber]\nzone = 'UTC'\nunit = 'umol m-2 s-1'\n",
        mapping("eosfd", "ZZ-Fd2.csv").replace("lat = 1", "lat = 1\nutc_offset = -6")
    );
    damaged("eosfd", "ZZ-Fd2.csv", &table);
}

#[test]
fn files_of_towers_and_what_tells_of_their_sites() {
    let ameriflux =
        "layout = 'ameriflux-base'\nfiles = ['AMF_ZZ-Am2*.csv', '*.xlsx']\ntarget = 'RECO_PI'\n";
    damaged("ameriflux-base", "AMF_ZZ-Am2_BASE_HR_1-1.csv", ameriflux);
    damaged(
        "ameriflux-base",
        "AMF_AA-Flx_BIF_CCBY4_20991231.xlsx",
        ameriflux,
    );
    let icos = "layout = 'icos-l2'\nfiles = ['*/*.csv']\ntarget = 'RECO_NT_VUT_REF'\n";
    let folder = "ICOSETC_ZZ-Ic1_ARCHIVE_L2";
    for file in ["SITEINFO_L2", "FLUXNET_DD_L2"] {
        damaged(
            "icos-l2",
            &format!("{folder}/ICOSETC_ZZ-Ic1_{file}.csv"),
            icos,
        );
    }
}

#[test]
fn files_that_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let whole = "Datum;Zeit;Flux (mg CO2 m-2 h-1);Tsoil (°C)\n01.05.2010;00:30;300,5;10,5\n13.05.2010;12:30;301,5;-9999\n";
    let mut answers = std::collections::BTreeSet::new();
    for at in 0..whole.len() {
        for byte in [0, b';', b'\n', b'"', 0xc3] {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[at] = byte;
            fs::write(&path, &bytes).unwrap();
            answers.insert(efflux_import::guess(std::slice::from_ref(&path)).is_ok());
            fs::write(&path, &bytes[..at]).unwrap();
            answers.insert(efflux_import::guess(std::slice::from_ref(&path)).is_ok());
        }
    }
    assert_eq!(answers.len(), 2, "some are recognised and some are not");
}
