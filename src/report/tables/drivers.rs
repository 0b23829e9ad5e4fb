//! What goes along with skill.

use super::skill::reasons;
use super::{Table, cell, number};
use crate::report::drivers::Drivers;
use crate::report::results::Results;

pub(super) fn all(results: &Results<'_>, drivers: &Drivers) -> [Table; 4] {
    [
        traits(results, drivers),
        correlations(drivers),
        groups(drivers),
        seasons(drivers),
    ]
}

fn traits(results: &Results<'_>, drivers: &Drivers) -> Table {
    let mut table = Table::new(
        "traits.csv",
        "site observed_days smoothness_lag_1 seasonality_raw_lag_182 cyclicality_lag_365 summer_mean_umol_m-2_s-1 \
         winter_mean_umol_m-2_s-1 summer_winter_difference_umol_m-2_s-1 q10_observed q10_simulated sites_at_same_place \
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
            ("q10_observed", traits.observed_q10),
            ("q10_simulated", traits.simulated_q10),
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
        "test good_sites poor_sites t df p not_defined",
    );
    let seasons = &drivers.seasons;
    for (name, found) in [("welch", seasons.welch), ("student", seasons.student)] {
        let t = found.map(|found| found.t);
        table.rows.push(vec![
            name.to_owned(),
            seasons.good.to_string(),
            seasons.poor.to_string(),
            cell(t),
            cell(found.map(|found| found.df)),
            cell(found.map(|found| found.p)),
            reasons(&[("t", t)]),
        ]);
    }
    table
}
