//! A run's members on packs that they were not trained on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use efflux_data::{ABOVE, HELD, OBSERVED, Pack, STAND_IN};

use crate::harness::{JOB, Study};

/// A study that was swept.
fn trained(job: &str) -> Study {
    let study = Study::with(job);
    study.sweep("run", "2").ok();
    study
}

fn predict<'a>(pack: &'a str, output: &'a str) -> [&'a str; 6] {
    ["predict", "run", "--pack", pack, "-o", output]
}

fn read<T: hdf5::H5Type>(file: &Path, name: &str) -> Vec<T> {
    let file = hdf5::File::open(file).unwrap();
    file.dataset(name).unwrap().read_raw().unwrap()
}

/// The bits of these series of a file of predictions.
fn series(file: &Path) -> [Vec<u32>; 3] {
    ["simulated", "simulated_mean", "simulated_sd"].map(|name| {
        let values = read::<f32>(file, name).into_iter();
        values.map(f32::to_bits).collect()
    })
}

/// The rows of a table by site and input: those of the columns after these that are asked for.
fn counted(table: &Path) -> BTreeMap<(String, String), [String; 5]> {
    let mut rows = csv::Reader::from_path(table).unwrap();
    let rows = rows.records().map(|row| {
        let row = row.unwrap();
        let last = [6, 7, 8, 9, 11].map(|column| row[column].to_owned());
        ((row[0].to_owned(), row[1].to_owned()), last)
    });
    rows.collect()
}

#[test]
fn the_pack_of_the_run_comes_out_as_the_sweep_had_it_even_when_it_is_gone() {
    for state in ["carried", "window"] {
        let job = format!("{JOB}\n[evaluation]\nstate = \"{state}\"\n");
        let study = trained(&job);
        let expected = series(&study.path("run/ensemble/predictions.nc"));
        fs::rename(study.path("small.h5"), study.path("moved.h5")).unwrap();
        let said = study.run(&predict("moved.h5", "out")).ok().stdout;
        assert!(said.contains("6 sites"), "{said}");
        assert!(said.contains("2 of 2 members"), "{said}");
        assert!(said.contains("within the range of the training"), "{said}");
        assert!(
            said.contains("6 of them the members were trained with"),
            "{said}"
        );
        assert_eq!(series(&study.path("out/predictions.nc")), expected);
        let mut left: Vec<_> = fs::read_dir(study.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                "applicability.csv",
                "extrapolation.csv",
                "predictions.nc",
                "scores.csv"
            ]
        );
        let again = predict("moved.h5", "out");
        study
            .run(&again)
            .refused(4, &["out/predictions.nc", "is there already", "--force"]);
        study.run(&[&again[..], &["--force"]].concat()).ok();
    }
}

#[test]
fn a_run_that_kept_no_scales_takes_them_from_its_pack_or_says_that_it_cannot() {
    let study = trained(JOB);
    let expected = series(&study.path("run/ensemble/predictions.nc"));
    let mut removed = 0;
    for trial in fs::read_dir(study.path("run/trials")).unwrap() {
        let scales = trial.unwrap().path().join("attempt-1/scaling.json");
        if scales.exists() {
            fs::remove_file(scales).unwrap();
            removed += 1;
        }
    }
    assert_eq!(removed, 2, "one a member");
    study.run(&predict("small.h5", "out")).ok();
    assert_eq!(series(&study.path("out/predictions.nc")), expected);

    fs::rename(study.path("small.h5"), study.path("moved.h5")).unwrap();
    let ended = study.run(&predict("moved.h5", "again"));
    ended.refused(4, &["scaling.json", "is missing", "small.h5"]);
    assert!(!study.path("again/predictions.nc").exists());
}

#[test]
fn what_leaves_the_range_of_the_training_is_flagged_where_it_does() {
    let study = trained(JOB);
    let mut pack = Pack::read(&study.path("small.h5")).unwrap();
    let (days, variables) = (pack.calendar.days, pack.dynamic.len());
    let column = pack.dynamic.iter().position(|v| v.name == "tmin").unwrap();
    // One day of the third site, far above; ten of the first held; nothing is observed anywhere.
    pack.values[(2 * days + 100) * variables + column] += 1000.0;
    pack.filled.fill(OBSERVED);
    for day in 0..10 {
        pack.filled[day * variables + column] = HELD;
    }
    pack.flux.fill(f32::NAN);
    pack.count.fill(0);
    pack.sealed().write(&study.path("warm.h5")).unwrap();

    let said = study.run(&predict("warm.h5", "out")).ok().stdout;
    assert!(said.contains("tmin below 0.1 %"), "{said}");
    let all = pack_sites(&study) * days;
    let held = format!(
        "held            10 of {all} site days have an input that repeats its nearest measured value (tmin "
    );
    assert!(said.contains(&held), "{said}");
    assert!(!study.path("out/scores.csv").exists());

    let file = study.path("out/predictions.nc");
    let filled = read::<u8>(&file, "inputs_filled");
    let is_held = |day: usize| filled[day] == HELD;
    assert_eq!(filled.len(), all);
    assert!((0..all).all(|day| is_held(day) == (day < 10)));
    let flags = read::<u8>(&file, "extrapolation");
    let names = read::<hdf5::types::VarLenUnicode>(&file, "input");
    let place = names
        .iter()
        .position(|name| name.as_str() == "tmin")
        .unwrap();
    let outside: Vec<usize> = (0..flags.len())
        .filter(|&index| flags[index] != 0)
        .collect();
    let sites = pack_sites(&study);
    assert_eq!(outside, [(place * sites + 2) * days + 100]);
    assert_eq!(flags[outside[0]], ABOVE);
    assert_eq!(flags.len(), names.len() * sites * days);

    for ((site, input), counts) in counted(&study.path("out/extrapolation.csv")) {
        let values = if names.iter().any(|name| name.as_str() == input) {
            days.to_string()
        } else {
            "1".to_owned()
        };
        let above = if (site.as_str(), input.as_str()) == ("SYN0003", "tmin") {
            "1"
        } else {
            "0"
        };
        let held = if (site.as_str(), input.as_str()) == ("SYN0001", "tmin") {
            "10"
        } else {
            "0"
        };
        assert_eq!(
            counts,
            [values.as_str(), "0", above, "0", held],
            "{site}, {input}"
        );
    }
}

#[test]
fn a_far_off_site_is_outside_the_area_of_applicability_and_sites_of_the_training_are_inside() {
    let study = trained(JOB);
    let mut pack = Pack::read(&study.path("small.h5")).unwrap();
    let (days, variables) = (pack.calendar.days, pack.dynamic.len());
    for value in &mut pack.values[2 * days * variables..3 * days * variables] {
        *value = 5.0 * *value + 50.0;
    }
    pack.sealed().write(&study.path("far.h5")).unwrap();
    let said = study.run(&predict("far.h5", "out")).ok().stdout;
    assert!(said.contains("1 farther (SYN0003 "), "{said}");
    let file = study.path("out/predictions.nc");
    assert_eq!(read::<u8>(&file, "applicability"), [0, 0, 1, 0, 0, 0]);
    let index = read::<f64>(&file, "dissimilarity_index");
    assert!(index[2] > 1.0 && index[0] == 0.0, "{index:?}");

    // As a version left it that did not keep what this takes.
    let kept = study.path("run/ensemble/applicability.json");
    let text = fs::read_to_string(&kept).unwrap();
    fs::remove_file(&kept).unwrap();
    let said = study.run(&predict("far.h5", "old")).ok().stdout;
    assert!(said.contains("applicability   not known"), "{said}");
    assert!(!study.path("old/applicability.csv").exists());
    study.run(&["evaluate", "run"]).ok();
    assert_eq!(fs::read_to_string(&kept).unwrap(), text);
    fs::write(&kept, text.replace("\"fold\"", "\"fold_of\"")).unwrap();
    study
        .run(&predict("far.h5", "damaged"))
        .refused(4, &["applicability.json", "fold", "efflux evaluate"]);
}

fn pack_sites(study: &Study) -> usize {
    Pack::read(&study.path("small.h5")).unwrap().sites.len()
}

#[test]
fn a_site_that_lacks_an_input_is_flagged_if_the_training_had_such_sites_and_refused_if_not() {
    let study = trained(JOB);
    let mut pack = Pack::read(&study.path("small.h5")).unwrap();
    let (days, variables) = (pack.calendar.days, pack.dynamic.len());
    for day in 0..days {
        pack.values[(days + day) * variables] = f32::NAN;
    }
    let lacking = pack.dynamic[0].name.clone();
    pack.sealed().write(&study.path("lacking.h5")).unwrap();
    study.run(&predict("lacking.h5", "out")).refused(
        4,
        &[
            "lacking.h5",
            &lacking,
            "at 1 of its 6 sites",
            "efflux inspect",
        ],
    );

    let inputs =
        format!("\n[inputs]\ndynamic = [\"{lacking}\", \"tmin\"]\nmissing = \"indicator\"\n");
    study.write("job.toml", JOB.replace("small.h5", "lacking.h5") + &inputs);
    fs::remove_dir_all(study.path("run")).unwrap();
    study.sweep("run", "2").ok();
    let expected = series(&study.path("run/ensemble/predictions.nc"));
    study.run(&predict("lacking.h5", "out")).ok();
    let file = study.path("out/predictions.nc");
    assert_eq!(series(&file), expected);
    let flags = read::<u8>(&file, "extrapolation");
    let at_the_site = days..2 * days;
    for (index, flag) in flags[..6 * days].iter().enumerate() {
        assert_eq!(*flag == STAND_IN, at_the_site.contains(&index), "{index}");
    }
}

#[test]
fn a_pack_with_other_inputs_or_units_is_refused_with_all_that_is_wrong() {
    let study = trained(JOB);
    let mut pack = Pack::read(&study.path("small.h5")).unwrap();
    let [first, second] = [0, 1].map(|index| pack.dynamic[index].name.clone());
    pack.dynamic[0].name = "renamed".to_owned();
    pack.dynamic[1].units = "furlong".to_owned();
    pack.sealed().write(&study.path("other.h5")).unwrap();
    let no = format!("no daily variable `{first}`");
    let unit = format!("`{second}` in `furlong`");
    let ended = study.run(&predict("other.h5", "out"));
    ended.refused(4, &["other.h5", &no, &unit]);
    assert!(!study.path("out/predictions.nc").exists());
}

#[test]
fn a_run_without_a_member_is_told_what_it_lacks() {
    let study = Study::new();
    study
        .run(&predict("small.h5", "out"))
        .refused(4, &["run", "no sweep has been started"]);
    study.sweep("run", "2").ok();
    fs::remove_dir_all(study.path("run/trials")).unwrap();
    study.run(&predict("small.h5", "out")).refused(
        4,
        &["run/trials", "the weights of a finished member are gone"],
    );
    fs::remove_dir_all(study.path("run/journal")).unwrap();
    study
        .run(&predict("small.h5", "out"))
        .refused(4, &["run", "0 of 4 search trials have ended"]);
}

#[test]
fn vectors_of_sites_are_an_axis_and_a_site_under_another_name_is_predicted_without_its_own() {
    let job = JOB
        .replace("hidden_size = [8, 12]", "embedding = [3, 5]")
        .replace(
            "window_days = [30]",
            "head = [\"shared\", \"site\"]\nhidden_size = [8]",
        );
    let study = trained(&job);
    assert_eq!(study.findings("run").outcomes.len(), 2 * 2 * 2 + 2);
    study.sweep("again", "1").ok();
    assert_eq!(study.findings("run"), study.findings("again"));
    study.run(&predict("small.h5", "known")).ok();
    let [known, ..] = series(&study.path("known/predictions.nc"));
    let [of_run, ..] = series(&study.path("run/ensemble/predictions.nc"));
    assert_eq!(known, of_run);

    let mut pack = Pack::read(&study.path("small.h5")).unwrap();
    let (sites, days) = (pack.sites.len(), pack.calendar.days);
    pack.sites[2].id = "ELSEWHERE".to_owned();
    pack.sealed().write(&study.path("renamed.h5")).unwrap();
    study.run(&predict("renamed.h5", "unseen")).ok();
    let [unseen, ..] = series(&study.path("unseen/predictions.nc"));
    let rows = known.chunks_exact(days).zip(unseen.chunks_exact(days));
    for (row, (known, unseen)) in rows.enumerate() {
        // Rows are members by sites.
        assert_eq!(known == unseen, row % sites != 2, "{row}");
    }
}
