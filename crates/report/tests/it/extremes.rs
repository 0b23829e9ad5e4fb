//! Bands and spikes of the made-up study.

use efflux_report as report;
use efflux_report::Output;
use efflux_testing::{row, rows};

use super::study::{SITES, Study};

#[test]
fn every_test_day_is_in_one_band_and_is_a_spike_or_is_not() {
    let (study, out) = (Study::new(), tempfile::tempdir().unwrap());
    report::write(&study.results(), out.path(), Output::All).unwrap();
    let extremes = rows(out.path(), "extremes.csv");
    let scores = rows(out.path(), "scores.csv");
    assert_eq!(extremes.len(), 8 * SITES);
    let mut spikes = 0;
    let mut all_days = 0;
    for site in extremes.chunks(8) {
        let days: Vec<usize> = site
            .iter()
            .map(|row| row["days"].parse().unwrap())
            .collect();
        let ensemble = [
            ("site", site[0]["site"].as_str()),
            ("part", "test"),
            ("series", "ensemble-mean"),
        ];
        let all: usize = row(&scores, &ensemble)["days"].parse().unwrap();
        all_days += all;
        assert_eq!(days[..3].iter().sum::<usize>(), all);
        assert_eq!(days[3..5].iter().sum::<usize>(), all);
        assert_eq!(days[5..].iter().sum::<usize>(), all);
        spikes += days[3];
    }
    assert!(spikes > 0, "the made-up pulses are no spikes");

    // All sites together hold the same days; a spike stays one, while bands are taken over them all.
    let pooled = rows(out.path(), "extremes_pooled.csv");
    let days: Vec<usize> = pooled
        .iter()
        .map(|row| row["days"].parse().unwrap())
        .collect();
    assert_eq!(days[..3].iter().sum::<usize>(), all_days);
    assert_eq!((days[3], days[3] + days[4]), (spikes, all_days));
    assert_eq!(days[5..].iter().sum::<usize>(), all_days);
    // Five days in a hundred, to the day that lies on the limit.
    assert!(days[2].abs_diff(all_days / 20) <= 1, "{days:?}");
    // A spike is the same day in both, so the squared errors of all are those of the sites.
    let of_spikes = extremes.iter().filter(|row| row["group"] == "spikes");
    let squares: f64 = of_spikes
        .filter(|row| row["days"] != "0")
        .map(|row| {
            let number = |column: &str| row[column].parse::<f64>().unwrap();
            number("days") * number("rmse_umol_m-2_s-1").powi(2)
        })
        .sum();
    let rmse: f64 = row(&pooled, &[("group", "spikes")])["rmse_umol_m-2_s-1"]
        .parse()
        .unwrap();
    assert!((rmse - (squares / days[3] as f64).sqrt()).abs() < 1e-9);
}
