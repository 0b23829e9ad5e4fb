//! How well the unusual days are met.

use super::skill::{measures, reasons};
use super::{Table, cell};
use crate::extremes::{Extremes, Group};
use crate::results::Results;

pub(super) fn extremes(results: &Results<'_>, extremes: &Extremes) -> Table {
    let mut table = Table::new(
        "extremes.csv",
        "site group days nse kge pearson_r rmse_umol_m-2_s-1 mae_umol_m-2_s-1 bias_umol_m-2_s-1 not_defined",
    );
    for (site, groups) in results.sites.iter().zip(extremes.sites()) {
        for (group, scores) in Group::ALL.into_iter().zip(groups) {
            let mut row = vec![
                site.id.clone(),
                group.name().to_owned(),
                scores.n.to_string(),
            ];
            let measured = measures(scores);
            row.extend(measured.iter().map(|(_, value)| cell(*value)));
            row.push(reasons(&measured));
            table.rows.push(row);
        }
    }
    table
}

pub(super) fn pooled(extremes: &Extremes) -> Table {
    let mut table = Table::new(
        "extremes_pooled.csv",
        "group days nse kge pearson_r rmse_umol_m-2_s-1 mae_umol_m-2_s-1 bias_umol_m-2_s-1 not_defined",
    );
    for (group, scores) in Group::ALL.into_iter().zip(&extremes.pooled) {
        let mut row = vec![group.name().to_owned(), scores.n.to_string()];
        let measured = measures(scores);
        row.extend(measured.iter().map(|(_, value)| cell(*value)));
        row.push(reasons(&measured));
        table.rows.push(row);
    }
    table
}

pub(super) fn events(results: &Results<'_>, extremes: &Extremes) -> Table {
    let mut table = Table::new(
        "events.csv",
        "site hits misses false_alarms detection false_alarm_ratio median_peak_ratio mean_timing_error_days not_defined",
    );
    let all = extremes.all_events();
    let sites = results.sites.iter().map(|site| site.id.as_str());
    let named = sites.zip(&extremes.events).chain([("all", &all)]);
    for (site, skill) in named {
        let mut row = vec![site.to_owned()];
        row.extend([skill.hits, skill.misses, skill.false_alarms].map(|count| count.to_string()));
        let values = [
            ("detection", skill.detection()),
            ("false_alarm_ratio", skill.false_alarm_ratio()),
            ("peak_ratio", skill.peak_ratio()),
            ("timing_error", skill.timing_error()),
        ];
        row.extend(values.iter().map(|(_, value)| cell(*value)));
        row.push(reasons(&values));
        table.rows.push(row);
    }
    table
}
