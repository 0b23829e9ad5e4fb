//! How sure, and how sure it should be.

use efflux_analysis::Defined;

use super::skill::reasons;
use super::{Table, cell};
use crate::results::Results;
use crate::uncertainty::{SiteSpread, Uncertainty};

pub(super) fn all(results: &Results<'_>, uncertainty: &Uncertainty) -> [Table; 6] {
    [
        intervals(uncertainty),
        sites(results, uncertainty),
        ranks(uncertainty),
        spread_error(uncertainty),
        sizes(uncertainty),
        years(results, uncertainty),
    ]
}

fn intervals(uncertainty: &Uncertainty) -> Table {
    let mut table = Table::new(
        "intervals.csv",
        "level kind days coverage mean_width_umol_m-2_s-1 factor_all_sites not_defined",
    );
    for interval in &uncertainty.intervals {
        for (kind, found, factor) in [
            ("raw", interval.raw, None),
            ("calibrated", interval.calibrated, Some(interval.factor)),
        ] {
            let share = found.map(|found| found.share);
            table.rows.push(vec![
                interval.level.to_string(),
                kind.to_owned(),
                found.map_or(String::new(), |found| found.days.to_string()),
                cell(share),
                cell(found.map(|found| found.width)),
                factor.map(cell).unwrap_or_default(),
                reasons(&[("coverage", share)]),
            ]);
        }
    }
    table
}

fn sites(results: &Results<'_>, uncertainty: &Uncertainty) -> Table {
    let mut table = Table::new(
        "uncertainty.csv",
        "site test_days mean_spread_umol_m-2_s-1 rmse_umol_m-2_s-1 mae_umol_m-2_s-1 crps_umol_m-2_s-1 \
         crps_fair_umol_m-2_s-1 not_defined",
    );
    for (site, found) in results.sites.iter().zip(&uncertainty.sites) {
        let of = |value: fn(&SiteSpread) -> f64| -> Defined {
            found.as_ref().map(value).map_err(|r| *r)
        };
        let mut row = vec![site.id.clone()];
        row.push(found.map_or(0, |found| found.days).to_string());
        row.extend(
            [
                of(|site| site.spread),
                of(|site| site.rmse),
                of(|site| site.mae),
                of(|site| site.crps),
                of(|site| site.crps_fair),
            ]
            .map(cell),
        );
        row.push(reasons(&[("uncertainty", of(|site| site.crps))]));
        table.rows.push(row);
    }
    table
}

fn ranks(uncertainty: &Uncertainty) -> Table {
    let mut table = Table::new("ranks.csv", "members_below_observation test_days");
    for (rank, days) in uncertainty.ranks.iter().enumerate() {
        table.rows.push(vec![rank.to_string(), days.to_string()]);
    }
    table
}

fn spread_error(uncertainty: &Uncertainty) -> Table {
    let mut table = Table::new(
        "spread_error.csv",
        "test_days root_mean_square_spread_umol_m-2_s-1 rmse_umol_m-2_s-1",
    );
    for group in &uncertainty.spread_error {
        let mut row = vec![group.days.to_string()];
        row.extend([group.spread, group.rmse].map(super::number));
        table.rows.push(row);
    }
    table
}

fn sizes(uncertainty: &Uncertainty) -> Table {
    let mut table = Table::new(
        "ensemble_size.csv",
        "members median_test_nse lowest highest not_defined",
    );
    for size in &uncertainty.sizes {
        table.rows.push(vec![
            size.members.to_string(),
            cell(size.nse),
            cell(size.range.map(|(low, _)| low)),
            cell(size.range.map(|(_, high)| high)),
            reasons(&[("nse", size.nse)]),
        ]);
    }
    table
}

fn years(results: &Results<'_>, uncertainty: &Uncertainty) -> Table {
    let mut table = Table::new(
        "annual_sums.csv",
        "site year observed_days mean_g_C_m-2_yr-1 sd_g_C_m-2_yr-1 quantile_0.25_g_C_m-2_yr-1 \
         quantile_0.75_g_C_m-2_yr-1 not_defined",
    );
    for year in &uncertainty.years {
        table.rows.push(vec![
            results.sites[year.site].id.clone(),
            year.year.to_string(),
            year.observed_days.to_string(),
            cell(year.mean),
            cell(year.spread),
            cell(year.quartiles.map(|(low, _)| low)),
            cell(year.quartiles.map(|(_, high)| high)),
            reasons(&[("mean", year.mean), ("sd", year.spread)]),
        ]);
    }
    table
}
