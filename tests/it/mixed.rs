//! An ensemble of unlike members on a few of the real sites: its intervals, and its forecasts of other packs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use efflux_data::{HELD, OBSERVED, Pack};
use efflux_job::Stage;
use efflux_numerics::SiteByDay;
use efflux_testing::rows;

use crate::harness::Study;

const SITES: [&str; 5] = [
    "d20190504_SAVAGE_hf006-03",
    "d20190617_SCOTT_WHS",
    "d20190722_GORRES",
    "d20200114_CARBONE_BURNS",
    "d20200328_UEYAMA_FAIRBANKS",
];

const JOB: &str = r#"
pack = "few.h5"

[inputs]
dynamic = []
static = []
derived = [
    "(soil_temp_c - 12) / 8",
    "season",
    "clip((mean(soil_moisture_m3_m3, 30) - site_mean(soil_moisture_m3_m3)) / max(site_sd(soil_moisture_m3_m3), 0.02), -3, 3)",
]

[split]
validation = 0.2

[transform]
scaling = "none"

[model]
hidden_size = 8
dropout = 0.0
head = "site"
skip = true
residual_process = true

[training]
window_days = 60
warm_up_days = 20
epochs = 2
epoch_updates = 10
sampler = "root"
batch_windows = 8
optimizer = "adamw"
learning_rate = 0.01

[final]
fit = "train+validation"

[seeds]
search = [0]
final = [0, 1]

[ensemble]
members = ["lstm", "gp", "site-fit"]
"#;

/// A study of these real sites, swept.
fn swept(sites: &[&str]) -> Study {
    let study = Study::with(JOB);
    pack(&study, sites, "few");
    study.sweep("run", "2").ok();
    study
}

/// Packs these real sites as `<name>.h5`.
fn pack(study: &Study, sites: &[&str], name: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/cosore-daily");
    fs::create_dir(study.path(name)).unwrap();
    let list = fs::read_to_string(data.join("sites.csv")).unwrap();
    let is_wanted = |line: &&str| {
        let id = line.split(',').next().unwrap_or_default();
        id == "site" || sites.contains(&id)
    };
    let wanted: Vec<&str> = list.lines().filter(is_wanted).collect();
    study.write(&format!("{name}/sites.csv"), wanted.join("\n") + "\n");
    for site in sites {
        let file = format!("{site}.csv");
        fs::copy(data.join(&file), study.path(name).join(&file)).unwrap();
    }
    study
        .run(&["pack", "--sites", name, "-o", &format!("{name}.h5")])
        .ok();
}

fn read(file: &Path, name: &str) -> Vec<f32> {
    let file = hdf5::File::open(file).unwrap();
    file.dataset(name).unwrap().read_raw().unwrap()
}

const SERIES: [&str; 6] = [
    "simulated",
    "simulated_mean",
    "simulated_lower",
    "simulated_upper",
    "interval_lower",
    "interval_upper",
];

/// The bits of a series on the first days of each site or member.
fn bits(file: &Path, name: &str, days: usize, first: usize) -> Vec<u32> {
    let values = read(file, name);
    let rows = values.chunks_exact(days);
    rows.flat_map(|row| row[..first].iter().map(|value| value.to_bits()))
        .collect()
}

/// The same pack with so many days more, which are those of a year before, and nothing observed on them.
fn longer(pack: &Pack, more: usize) -> Pack {
    let (days, width) = (pack.calendar.days, pack.dynamic.len());
    let mut longer = pack.clone();
    longer.calendar.days += more;
    fn extended<T: Copy>(
        rows: &[T],
        days: usize,
        more: usize,
        width: usize,
        fill: Option<T>,
    ) -> Vec<T> {
        let rows = rows.chunks_exact(days * width);
        rows.flat_map(|row| {
            let behind = (days - 365) * width..(days - 365 + more) * width;
            let behind = row[behind].iter().map(|&value| fill.unwrap_or(value));
            row.iter().copied().chain(behind).collect::<Vec<T>>()
        })
        .collect()
    }
    longer.values = extended(&pack.values, days, more, width, None);
    longer.filled = extended(&pack.filled, days, more, width, Some(OBSERVED));
    let flux = extended(pack.flux.values(), days, more, 1, Some(f32::NAN));
    let count = extended(pack.count.values(), days, more, 1, Some(0));
    longer.flux = SiteByDay::of(days + more, flux);
    longer.count = SiteByDay::of(days + more, count);
    longer.sealed()
}

/// Of the run's own pack of so many days, `predict` says bit for bit what the sweep wrote.
fn predicts_as_the_sweep_did(study: &Study, of_run: &Path, days: usize) {
    study
        .run(&["predict", "run", "--pack", "few.h5", "-o", "same"])
        .ok();
    let same = study.path("same/predictions.nc");
    for name in SERIES {
        assert!(
            bits(&same, name, days, days) == bits(of_run, name, days, days),
            "{name}"
        );
    }
}

#[test]
fn a_mixed_ensemble_has_intervals_and_forecasts_the_same_and_a_longer_pack_as_the_sweep_did() {
    let study = swept(&SITES);
    let run = study.path("run/ensemble/predictions.nc");
    let pack = Pack::read(&study.path("few.h5")).unwrap();
    let days = pack.calendar.days;
    let [mean, lower, upper] =
        ["simulated_mean", "simulated_lower", "simulated_upper"].map(|name| read(&run, name));
    let known = lower.iter().filter(|value| value.is_finite()).count();
    assert!(known > 500, "{known}");
    for ((mean, lower), upper) in mean.iter().zip(&lower).zip(&upper) {
        assert!(lower.is_nan() || (lower <= mean && mean <= upper));
    }
    let levels = read(&run, "interval_upper").len() / upper.len();
    assert_eq!(levels, 4);
    let wider = |level: usize| {
        let [lower, upper] = ["interval_lower", "interval_upper"].map(|name| read(&run, name));
        let days = level * mean.len()..(level + 1) * mean.len();
        let widths = days.map(|place| f64::from(upper[place] - lower[place]));
        widths.filter(|width| width.is_finite()).sum::<f64>()
    };
    assert!((1..4).all(|level| wider(level) > wider(level - 1)));
    let tables = study.path("run/report/tables");
    let intervals = fs::read_to_string(tables.join("intervals.csv")).unwrap();
    assert_eq!(intervals.matches(",forecast,").count(), 4, "{intervals}");
    let by_lead = fs::read_to_string(tables.join("intervals_by_lead.csv")).unwrap();
    assert_eq!(by_lead.lines().count(), 1 + 4 * 4, "{by_lead}");

    predicts_as_the_sweep_did(&study, &run, days);

    // Inputs that were held behind a site's record are not held any more in the longer pack.
    let flags = pack.filled.chunks_exact(pack.dynamic.len());
    let is_record = flags
        .zip(&lower)
        .map(|(flags, lower)| !flags.contains(&HELD) && lower.is_finite());
    let is_record: Vec<bool> = is_record.collect();
    longer(&pack, 200).write(&study.path("longer.h5")).unwrap();
    study
        .run(&["predict", "run", "--pack", "longer.h5", "-o", "later"])
        .ok();
    let later = study.path("later/predictions.nc");
    for name in SERIES {
        let begins = bits(&later, name, days + 200, days);
        let short = bits(&run, name, days, days);
        let pairs = begins.iter().zip(&short).zip(is_record.iter().cycle());
        let differ = pairs
            .enumerate()
            .filter(|(_, ((long, short), is_record))| **is_record && long != short)
            .map(|(at, ((long, short), _))| {
                let values = [*long, *short].map(f32::from_bits);
                format!("row {} day {} of {days}: {values:?}", at / days, at % days)
            });
        assert_eq!(differ.collect::<Vec<_>>(), [""; 0], "{name}");
    }
    let ahead = read(&later, "simulated_upper");
    let last = ahead.chunks_exact(days + 200).map(|site| site[days + 199]);
    assert!(last.clone().all(f32::is_finite), "{last:?}");
    let columns = fs::read_to_string(study.path("later/extrapolation.csv")).unwrap();
    assert!(
        columns.contains(",soil_moisture_m3_m3,"),
        "sources of derived inputs are told of"
    );
}

/// The rows of the table of weights: series, in use, weights of networks, process and fits, NSE.
fn weights(study: &Study) -> Vec<(String, bool, [f64; 3], f64)> {
    let rows = rows(&study.path("run/report"), "weights.csv");
    let number = |text: &str| text.parse().unwrap_or(0.0);
    let row = |row: &HashMap<String, String>| {
        let weights =
            ["lstm", "gp", "site-fit"].map(|kind| number(&row[&format!("weight_{kind}")]));
        let (series, nse) = (row["series"].clone(), number(&row["median_nse"]));
        (series, row["in_use"] == "yes", weights, nse)
    };
    rows.iter().map(row).collect()
}

#[test]
fn fitted_weights_and_inflation_are_kept_with_the_run_and_come_of_forecasts_of_the_search() {
    let fitted = |text: &str| {
        let job = JOB.replace("validation = 0.2", "validation = 0.25");
        format!("{job}inflation = 1.1\n{text}")
    };
    let study = Study::with(&fitted("weights = \"fitted\"\n"));
    pack(&study, &SITES, "few");
    study.sweep("run", "2").ok();
    let table = weights(&study);
    let series: Vec<&str> = table.iter().map(|(series, ..)| series.as_str()).collect();
    let expected = [
        "lstm",
        "gp",
        "site-fit",
        "mean-recommended",
        "mean-equal",
        "mean-fitted",
        "mean-inflated",
    ];
    assert_eq!(series, expected);
    let in_use: Vec<bool> = table.iter().map(|(_, in_use, ..)| *in_use).collect();
    assert_eq!(in_use, [false, false, false, false, false, false, true]);
    let (_, _, found, nse) = &table[5];
    assert!(found.iter().all(|weight| *weight >= 0.0), "{found:?}");
    assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{found:?}");
    assert_eq!(
        (found, *found == [4.0 / 9.0, 4.0 / 9.0, 1.0 / 9.0]),
        (&table[6].2, false)
    );
    assert!(table.iter().all(|(.., nse)| *nse != 0.0) && *nse > table[2].3 - 1.0);
    let page = fs::read_to_string(study.path("run/report/index.html")).unwrap();
    for said in [
        "the ensemble’s forecasts of the validation days",
        "by 1.10, in asinh units",
    ] {
        assert!(page.contains(said), "{said}");
    }

    let of_run = study.path("run/ensemble/predictions.nc");
    let days = Pack::read(&study.path("few.h5")).unwrap().calendar.days;
    predicts_as_the_sweep_did(&study, &of_run, days);

    // The same weights as a list are the same mean.
    let mean = read(&of_run, "simulated_mean");
    let listed = found
        .map(|weight| format!("{:e}", weight.max(1e-12)))
        .join(", ");
    study.write("job.toml", fitted(&format!("weights = [{listed}]\n")));
    study.sweep("run", "2").ok();
    let (listed, mut compared) = (read(&of_run, "simulated_mean"), 0);
    for (one, other) in mean.iter().zip(&listed).filter(|(one, _)| one.is_finite()) {
        assert!(
            (one - other).abs() <= 1e-5 * one.abs().max(1.0),
            "{one} {other}"
        );
        compared += 1;
    }
    assert!(compared > 500);

    // Without what the search simulated weights cannot be fitted, and intervals are those of the process alone.
    for record in study.records("run") {
        if record.trial.stage == Stage::Search {
            let kept = format!("run/trials/{}", record.trial.id);
            fs::remove_dir_all(study.path(&kept)).unwrap();
        }
    }
    study.run(&["evaluate", "run"]).ok();
    study.run(&["report", "run"]).ok();
    let page = fs::read_to_string(study.path("run/report/index.html")).unwrap();
    assert!(page.contains("the process’s forecasts from the first three quarters"));
    study.write("job.toml", fitted("weights = \"fitted\"\n"));
    let expected = ["job.toml", "`ensemble.weights` has \"fitted\"", "--run-dir"];
    let plan = ["plan", "job.toml", "--run-dir", "run"];
    study.run(&plan).refused(2, &expected);
    study.sweep("run", "2").refused(2, &expected);
}

#[test]
fn days_of_a_new_site_adapt_the_networks_to_it_and_to_no_other() {
    let new = SITES.len() - 1;
    let study = swept(&SITES[..new]);
    pack(&study, &SITES, "more");
    for command in ["predict", "adapt"] {
        study
            .run(&[command, "run", "--pack", "more.h5", "-o", command])
            .ok();
    }
    let more = Pack::read(&study.path("more.h5")).unwrap();
    let days = more.calendar.days;
    assert_eq!(more.sites[new].id, SITES[new]);
    let of = |command: &str, name: &str| {
        let file = study.path(command).join("predictions.nc");
        bits(&file, name, days, days)
    };
    let [before, after] = ["predict", "adapt"].map(|command| of(command, "simulated"));
    let rows = before.chunks_exact(days).zip(after.chunks_exact(days));
    for (row, (before, after)) in rows.enumerate() {
        assert_eq!(before == after, row % SITES.len() != new, "row {row}");
    }
    let error = |command: &str| -> f64 {
        let mean = of(command, "simulated_mean");
        let mean = mean[new * days..].iter().map(|bits| f32::from_bits(*bits));
        let pairs = mean.zip(more.flux_of(new));
        let known = pairs.filter(|(_, flux)| !flux.is_nan());
        known
            .map(|(mean, flux)| f64::from(mean - flux).powi(2))
            .sum()
    };
    let [before, after] = ["predict", "adapt"].map(error);
    assert!(after < before / 2.0, "{after} after {before}");
    let has_interval = |command: &str| {
        let upper = of(command, "simulated_upper");
        let mut upper = upper[new * days..].iter();
        upper.any(|bits| f32::from_bits(*bits).is_finite())
    };
    assert!(!has_interval("predict") && has_interval("adapt"));
    assert!(!study.path("adapt/scores.csv").exists());
    study
        .run(&["adapt", "run", "--pack", "few.h5", "-o", "nothing"])
        .refused(4, &["few.h5", "nothing to condition on", "efflux predict"]);
}

#[test]
fn the_recommended_job_fits_a_pack_of_any_variables() {
    let study = Study::new();
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/recommended.toml");
    fs::copy(job, study.path("recommended.toml")).unwrap();
    let said = study.run(&["plan", "recommended.toml", "--pack", "small.h5"]);
    assert!(said.ok().stdout.contains("300"), "updates of a trial");
}

#[test]
fn what_a_forecast_of_unlike_members_lacks_is_named() {
    let study = swept(&SITES);
    let mut pack = Pack::read(&study.path("few.h5")).unwrap();
    pack.dynamic[0].units = "K".to_owned();
    assert_eq!(pack.dynamic[0].name, "soil_temp_c");
    pack.sealed().write(&study.path("kelvin.h5")).unwrap();
    let predict = |pack| study.run(&["predict", "run", "--pack", pack, "-o", "out"]);
    predict("kelvin.h5").refused(4, &["kelvin.h5", "`soil_temp_c` in `K`"]);

    let processes = study.path("run/ensemble/processes.safetensors");
    let mut bytes = fs::read(&processes).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&processes, bytes).unwrap();
    predict("few.h5").refused(4, &["processes.safetensors"]);
    fs::remove_file(&processes).unwrap();
    predict("few.h5").refused(4, &["processes.safetensors", "efflux evaluate"]);
    study.run(&["evaluate", "run"]).ok();
    predict("few.h5").ok();
    for trial in fs::read_dir(study.path("run/trials")).unwrap() {
        let kept = trial
            .unwrap()
            .path()
            .join("attempt-1/residuals.safetensors");
        if kept.exists() {
            fs::remove_file(kept).unwrap();
        }
    }
    fs::remove_dir_all(study.path("out")).unwrap();
    predict("few.h5").refused(4, &["residuals.safetensors", "the same sweep"]);
}
