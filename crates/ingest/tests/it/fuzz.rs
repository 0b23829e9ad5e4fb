//! Files of every reader with bytes that were changed: they are read or refused, never more and never less.
//!
//! `EFFLUX_FUZZ_SECONDS` says for how long, `EFFLUX_FUZZ_SEED` where to begin.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use efflux_base::error::Error;
use efflux_data::Pack;
use efflux_ingest::{
    CosoreOptions, Filter, Products, SiteOptions, Treatments, check, pack_sites, read_cosore,
    read_predictors,
};
use efflux_numerics::random::{Stream, mix};
use efflux_testing::release::{Column, Format, data_frame_as, packed, times};

/// What is put into files beside random bytes.
const WORDS: [&[u8]; 16] = [
    b"",
    b",",
    b"\n",
    b"\r",
    b"\"",
    b"NA",
    b"-9999",
    b"1e400",
    b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\xee",
    b"\0\0\x03\x0d",
    b"\xef\xbb\xbf",
    b"sep=;\n",
    b"#",
    b"2010-07-01",
];

/// Changes some bytes: other ones, fewer, more, or the same again elsewhere.
fn change(bytes: &mut Vec<u8>, random: &mut Stream) {
    for _ in 0..=random.index(4) {
        let at = random.index(bytes.len());
        let length = random.index(9).min(bytes.len() - at);
        match random.index(6) {
            0 if !bytes.is_empty() => bytes[at] = random.bits().to_le_bytes()[0],
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.index(8),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let word = WORDS[random.index(WORDS.len())];
                bytes.splice(at..at + length.min(word.len()), word.iter().copied());
            }
            4 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.index(bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => bytes.truncate(bytes.len() - random.index(bytes.len() / 8 + 1)),
        }
    }
}

/// Files under a folder, and what reads them.
struct Seed {
    name: &'static str,
    files: Vec<(PathBuf, Vec<u8>)>,
    read: fn(&Path) -> Result<Pack, Error>,
}

fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = efflux_testing::files(folder).into_iter();
    let relative = |path: PathBuf| {
        path.strip_prefix(folder)
            .map_or(path.clone(), Path::to_owned)
    };
    files.map(|(path, bytes)| (relative(path), bytes)).collect()
}

fn release(folder: &Path) -> Result<Pack, Error> {
    let options = CosoreOptions {
        filter: Filter::None,
        treatments: Treatments::None,
        ..CosoreOptions::default()
    };
    let chosen = read_cosore(folder, &options);
    let all = read_cosore(folder, &CosoreOptions::default())?;
    Ok(chosen.unwrap_or(all).into_pack())
}

fn archive(folder: &Path) -> Result<Pack, Error> {
    release(&folder.join("release.zip"))
}

fn sites(folder: &Path) -> Result<Pack, Error> {
    let pack = pack_sites(folder, &SiteOptions::default())?.pack;
    if !folder.join("p").is_dir() {
        return Ok(pack);
    }
    let (products, missing) = (Products::paper()?, SiteOptions::default().missing);
    let tables = folder.join("p");
    read_predictors(&tables, &products, &pack.sites, pack.calendar, &missing)?.join(&pack)
}

/// A data set with columns of R's classes.
fn data_frame(format: Format) -> Vec<u8> {
    let days = [
        "2010-07-01T17:00:00Z",
        "2010-07-02T17:00:00Z",
        "2010-07-03T17:00:00Z",
    ];
    data_frame_as(
        format,
        &[
            ("CSR_PORT", Column::Factor(vec![1, 2, 1], vec!["11", "12"])),
            (
                "CSR_TIMESTAMP_BEGIN",
                Column::WrappedTimes(times(&days), "Etc/GMT+5"),
            ),
            (
                "CSR_FLUX_CO2",
                Column::Text(vec![Some("1.5"), None, Some("2")]),
            ),
            (
                "CSR_ERROR",
                Column::Logical(vec![Some(false), None, Some(true)]),
            ),
            ("CSR_A", Column::Long(vec![1, 2, 3])),
            ("CSR_B", Column::Sequence(1, 3, true)),
            ("CSR_C", Column::Deferred(3)),
            ("CSR_D", Column::BrokenDown(3)),
            ("CSR_E", Column::Classed(vec![1.0, 2.0, 3.0], "units")),
        ],
    )
}

fn seeds() -> Vec<Seed> {
    let cases = efflux_testing::repository().join("tests/data/cases");
    let mut seeds = Vec::new();
    let description = "CSR_SITE_NAME: A\nCSR_LONGITUDE: 1\nCSR_LATITUDE: 2\nCSR_IGBP: Wetland\n";
    let ports = "CSR_PORT,CSR_MSMT_VAR,CSR_TREATMENT\n11,Rs,None\n12,Rs,Trenched\n";
    let of_r = |data: Vec<u8>| Seed {
        name: "release of R data files",
        files: vec![
            ("datasets/A/data/data.RDS".into(), data),
            ("datasets/A/DESCRIPTION.txt".into(), description.into()),
            ("datasets/A/PORTS.txt".into(), ports.into()),
        ],
        read: release,
    };
    for format in [Format::BigEndian, Format::LittleEndian, Format::Text] {
        seeds.push(of_r(data_frame(format)));
    }
    seeds.push(of_r(packed(&data_frame(Format::BigEndian))));
    for case in [
        "rds-01_xz",
        "rds-10_compact_intseq_port",
        "rds-07_factor_flux",
    ] {
        seeds.push(Seed {
            name: "release of R data files",
            files: files_of(&cases.join("cosore").join(case).join("rel")),
            read: release,
        });
    }
    seeds.push(Seed {
        name: "release of tables",
        files: files_of(&cases.join("cosore/cosore-release/cosore-9.9.9")),
        read: release,
    });
    let zip = fs::read(cases.join("cosore/cosore-release/cosore-9.9.9.zip")).unwrap();
    seeds.push(Seed {
        name: "release in an archive",
        files: vec![("release.zip".into(), zip)],
        read: archive,
    });
    for case in ["11-sep-line", "14-comment-head", "99-flux-filled-by-user"] {
        seeds.push(Seed {
            name: "daily files",
            files: files_of(&cases.join("sites").join(case)),
            read: sites,
        });
    }
    for case in [
        "69-filled-float",
        "55-merged-index",
        "102-contradiction-across-parts",
    ] {
        let mut files = files_of(&cases.join("sites").join(case).join("s"));
        let tables = files_of(&cases.join("sites").join(case).join("p"));
        files.extend(
            tables
                .into_iter()
                .map(|(path, bytes)| (Path::new("p").join(path), bytes)),
        );
        seeds.push(Seed {
            name: "daily files and tables of predictors",
            files,
            read: sites,
        });
    }
    seeds
}

/// Whether a pack may be written: no number in it is infinite, and it reads back as it is.
fn look_at(pack: &Pack, folder: &Path) {
    assert!(
        pack.flux.iter().all(|flux| !flux.is_infinite()),
        "an infinite flux"
    );
    assert!(
        pack.values.iter().all(|value| !value.is_infinite()),
        "an infinite input"
    );
    let _ = check(pack, &Products::paper().unwrap(), 0.8, 1.0);
    let path = folder.join("pack.h5");
    pack.write(&path).unwrap();
    assert_eq!(Pack::read(&path).unwrap().digest, pack.digest);
}

#[test]
fn changed_files_of_every_reader_are_read_or_refused() {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let time = Duration::from_secs(variable("EFFLUX_FUZZ_SECONDS").unwrap_or(2));
    let seeds = seeds();
    let (begin, mut seed) = (Instant::now(), variable("EFFLUX_FUZZ_SEED").unwrap_or(0));
    let mut ended = std::collections::BTreeMap::<&str, [u64; 2]>::new();
    while begin.elapsed() < time {
        let mut random = Stream::of_state(mix(seed));
        let Seed { name, files, read } = &seeds[random.index(seeds.len())];
        let folder = tempfile::tempdir().unwrap();
        let changed = random.index(files.len());
        for (place, (path, bytes)) in files.iter().enumerate() {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut bytes = bytes.clone();
            if place == changed {
                change(&mut bytes, &mut random);
            }
            fs::write(path, bytes).unwrap();
        }
        let is_read = catch_unwind(|| match read(folder.path()) {
            Err(error) => {
                assert!(!matches!(error, Error::Internal(_)), "{error}");
                false
            }
            Ok(pack) => {
                look_at(&pack, folder.path());
                true
            }
        });
        let file = &files[changed].0;
        let is_read = is_read.unwrap_or_else(|_| panic!("{name}, {}: seed {seed}", file.display()));
        ended.entry(name).or_default()[usize::from(is_read)] += 1;
        seed += 1;
    }
    for (name, [refused, read]) in &ended {
        println!(
            "{name}: {} changed, {read} read, {refused} refused",
            refused + read
        );
    }
    assert!(ended.values().all(|[refused, read]| refused + read > 0));
}
