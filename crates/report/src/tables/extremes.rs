//! How well the unusual days are met.

use efflux_analysis::Defined;
use efflux_analysis::events::EventSkill;
use efflux_analysis::measures::{Detail, Scores};
use efflux_analysis::units::Unit;

use super::scores;
use crate::Findings;
use crate::cell::Cell;
use crate::extremes::Group;
use crate::table::{Column, Table};

/// A group of test days at a site.
pub(crate) fn extremes<'a>(findings: &'a Findings<'_>) -> Table<'a, (&'a str, Group, &'a Scores)> {
    type Row<'a> = (&'a str, Group, &'a Scores);
    let mut columns = vec![
        Column::text("site", "site", |row: &Row<'a>| row.0),
        Column::text("group", "test days", |row: &Row<'a>| row.1.name()),
    ];
    columns.extend(scores(Detail::Full, Detail::Full, |row: &Row<'a>| row.2));
    let sites = findings.results.sites.iter();
    let rows = sites
        .zip(findings.extremes.sites())
        .flat_map(|(site, groups)| {
            let groups = Group::ALL.into_iter().zip(groups);
            groups.map(|(group, scores)| (site.id.as_str(), group, scores))
        });
    Table::file(
        "extremes",
        "a site and a kind of test days, by how unusual they are: the scores of the ensemble mean",
        columns,
        rows.collect(),
    )
}

/// A group of the test days of all sites together. `name`: what the page calls a group.
pub(crate) fn pooled<'a>(
    findings: &'a Findings<'_>,
    name: impl Fn(Group) -> String + 'a,
) -> Table<'a, (Group, &'a Scores)> {
    type Row<'a> = (Group, &'a Scores);
    let mut columns = vec![Column::text("group", "test days", move |row: &Row<'a>| {
        Cell::Named(row.0.name().to_owned(), name(row.0))
    })];
    columns.extend(scores(Detail::Full, Detail::Brief, |row: &Row<'a>| row.1));
    Table::new(
        "extremes_pooled",
        format!(
            "The test days of all sites together, with bands taken over them all; errors in {}. The paper does not say \
             whether its bands are of a site or of all sites: the medians above take those of each site.",
            findings.results.target.unit()
        ),
        "a kind of test days of all sites together, bands taken over them all: the scores",
        columns,
        Group::ALL
            .into_iter()
            .zip(&findings.extremes.pooled)
            .collect(),
    )
}

/// Spikes of a site, and of all.
pub(crate) fn events<'a>(findings: &'a Findings<'_>) -> Table<'a, (Option<&'a str>, EventSkill)> {
    type Row<'a> = (Option<&'a str>, EventSkill);
    let number = |key, label, decimals, value: fn(&EventSkill) -> Defined| {
        Column::number(key, label, decimals, move |row: &Row<'a>| value(&row.1))
    };
    let columns = vec![
        Column::text(
            "site",
            "spikes of the test part",
            |row: &Row<'a>| match row.0 {
                Some(id) => id.into(),
                None => Cell::Named("all".to_owned(), "all sites".to_owned()),
            },
        ),
        Column::count("hits", "hits", |row: &Row<'a>| row.1.hits),
        Column::count("misses", "misses", |row: &Row<'a>| row.1.misses),
        Column::count("false_alarms", "false alarms", |row: &Row<'a>| {
            row.1.false_alarms
        }),
        number("detection", "detected", 2, EventSkill::detection).reason("detection"),
        number(
            "false_alarm_ratio",
            "false alarm ratio",
            2,
            EventSkill::false_alarm_ratio,
        )
        .reason("false_alarm_ratio"),
        number("median_peak_ratio", "peak ratio", 2, EventSkill::peak_ratio).reason("peak_ratio"),
        number(
            "mean_timing_error",
            "timing error, days",
            1,
            EventSkill::timing_error,
        )
        .unit(Unit::DAYS)
        .reason("timing_error"),
    ];
    let all = || (None, findings.extremes.all_events());
    let sites = findings.results.sites.iter().zip(&findings.extremes.events);
    let sites = sites.map(|(site, skill)| (Some(site.id.as_str()), skill.clone()));
    Table::new(
        "events",
        "Spikes as events",
        "a site, and all of them: observed and simulated spikes, whether and when they meet",
        columns,
        sites.chain([all()]).collect(),
    )
    .page_rows(vec![all()])
}
