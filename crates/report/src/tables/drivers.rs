//! What goes along with skill.

use super::skill::reasons;
use super::{Table, cell, number};
use crate::drivers::Drivers;
use crate::results::Results;

pub(super) fn all(results: &Results<'_>, drivers: &Drivers) -> [Table; 7] {
    [
        traits(results, drivers),
        correlations(drivers),
        groups(drivers),
        seasons(drivers),
        climate_bins(drivers),
        climate_tests(drivers),
        correlograms(results, drivers),
    ]
}

fn traits(results: &Results<'_>, drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "traits.csv",
        "site observed_days smoothness_lag_1 seasonality_raw_lag_182 cyclicality_lag_365 summer_mean_umol_m-2_s-1 \
         winter_mean_umol_m-2_s-1 summer_winter_difference_umol_m-2_s-1 flux_at_0_degC_observed_umol_m-2_s-1 flux_at_0_degC_simulated_umol_m-2_s-1 \
         q10_observed q10_simulated smoothness_simulated seasonality_simulated cyclicality_simulated sites_at_same_place \
         test_days_seen_there_in_training not_defined",
    );
    for (site, traits) in results.sites.iter().zip(&drivers.sites) {
        let named = [
            ("smoothness", traits.smoothness.r),
            ("seasonality", traits.seasonality.r),
            ("cyclicality", traits.cyclicality.r),
            ("summer", traits.seasons.summer),
            ("winter", traits.seasons.winter),
            ("difference", traits.seasons.difference),
            (
                "flux_at_0_degC_observed",
                traits.observed_response.map(|response| response.at_zero),
            ),
            (
                "flux_at_0_degC_simulated",
                traits.simulated_response.map(|response| response.at_zero),
            ),
            ("q10_observed", traits.observed_q10()),
            ("q10_simulated", traits.simulated_q10()),
            ("smoothness_simulated", traits.simulated_rhythm[0].r),
            ("seasonality_simulated", traits.simulated_rhythm[1].r),
            ("cyclicality_simulated", traits.simulated_rhythm[2].r),
        ];
        let mut row = vec![site.id.clone(), traits.observed_days.to_string()];
        row.extend(named.iter().map(|(_, value)| cell(*value)));
        row.push(traits.neighbours.len().to_string());
        row.push(traits.test_days_seen.to_string());
        row.push(reasons(&named));
        table.rows.push(row);
    }
    table
}

fn correlations(drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "correlations.csv",
        "property test_score over n r p p_benjamini_hochberg not_defined",
    );
    for row in &drivers.correlations {
        let r = row.found.map(|found| found.r);
        table.rows.push(vec![
            row.name.clone(),
            row.measure.column().to_owned(),
            row.over.name().to_owned(),
            row.found.map_or(String::new(), |found| found.n.to_string()),
            cell(r),
            cell(row.found.map(|found| found.p)),
            row.adjusted_p.map(number).unwrap_or_default(),
            reasons(&[("r", r)]),
        ]);
    }
    table
}

fn groups(drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "groups.csv",
        "by group sites median_test_nse median_test_kge median_test_pearson_r mean_test_nse mean_test_kge \
         mean_test_pearson_r good poor not_defined",
    );
    for group in &drivers.groups {
        let mut row = vec![
            group.by.clone(),
            group.name.clone(),
            group.sites.to_string(),
        ];
        row.extend(
            group
                .medians
                .iter()
                .chain(&group.means)
                .map(|value| cell(*value)),
        );
        row.extend([group.good, group.poor].map(|count| count.to_string()));
        let [nse, kge, r] = group.medians;
        row.push(reasons(&[("nse", nse), ("kge", kge), ("r", r)]));
        table.rows.push(row);
    }
    table
}

fn seasons(drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "season_tests.csv",
        "classes test good_sites poor_sites good_mean_difference_umol_m-2_s-1 poor_mean_difference_umol_m-2_s-1 t df p \
         not_defined",
    );
    for seasons in &drivers.seasons {
        for (name, found) in [("welch", seasons.welch), ("student", seasons.student)] {
            let t = found.map(|found| found.t);
            let means = [
                ("good_mean", seasons.good_mean),
                ("poor_mean", seasons.poor_mean),
                ("t", t),
            ];
            table.rows.push(vec![
                seasons.reading.to_string(),
                name.to_owned(),
                seasons.good.to_string(),
                seasons.poor.to_string(),
                cell(seasons.good_mean),
                cell(seasons.poor_mean),
                cell(t),
                cell(found.map(|found| found.df)),
                cell(found.map(|found| found.p)),
                reasons(&means),
            ]);
        }
    }
    table
}

fn climate_bins(drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "climate_bins.csv",
        "property from to sites median_test_nse median_test_kge median_test_pearson_r good good_percent not_defined",
    );
    for climate in &drivers.climates {
        for bin in &climate.bins {
            let mut row = vec![
                climate.name.clone(),
                number(bin.from),
                number(bin.to),
                bin.sites.to_string(),
            ];
            row.extend(bin.medians.map(cell));
            row.push(bin.good.to_string());
            row.push(number(bin.good_share()));
            let [nse, kge, r] = bin.medians;
            row.push(reasons(&[("nse", nse), ("kge", kge), ("r", r)]));
            table.rows.push(row);
        }
    }
    table
}

fn climate_tests(drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "climate_tests.csv",
        "property sites_in_a_bin_against bins r p not_defined",
    );
    for climate in &drivers.climates {
        let names = ["median_test_nse", "median_test_kge", "good_percent"];
        for (name, found) in names.into_iter().zip(climate.tests) {
            let r = found.map(|found| found.r);
            table.rows.push(vec![
                climate.name.clone(),
                name.to_owned(),
                found.map_or(String::new(), |found| found.n.to_string()),
                cell(r),
                cell(found.map(|found| found.p)),
                reasons(&[("r", r)]),
            ]);
        }
    }
    table
}

fn correlograms(results: &Results<'_>, drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "correlograms.csv",
        "rhythm site lag_days pairs observed simulated not_defined",
    );
    for correlogram in &drivers.correlograms {
        for (place, [observed, simulated]) in correlogram.lags.iter().enumerate() {
            table.rows.push(vec![
                correlogram.role.to_owned(),
                results.sites[correlogram.site].id.clone(),
                (place + 1).to_string(),
                observed.pairs.to_string(),
                cell(observed.r),
                cell(simulated.r),
                reasons(&[("observed", observed.r), ("simulated", simulated.r)]),
            ]);
        }
    }
    table
}
