//! The tables of a prediction: how it compares with what was observed, and where it extrapolates.

use efflux_analysis::measures::{Detail, Scores};
use efflux_data::{ABOVE, BELOW, FilledDays, InputFlags, STAND_IN, SiteDistances};

use crate::prediction::Prediction;
use crate::table::{Column, Table};

/// A series at a site.
pub(crate) struct Scored<'a> {
    site: &'a str,
    series: String,
    scores: Scores,
    filled: FilledDays,
}

/// A site and a series: the scores on all days with an observation.
pub(crate) fn scores<'a>(prediction: &'a Prediction<'_>) -> Table<'a, Scored<'a>> {
    let mut columns = vec![
        Column::text("site", "site", |row: &Scored<'_>| row.site),
        Column::text("series", "simulated series", |row: &Scored<'_>| {
            row.series.clone()
        }),
    ];
    columns.extend(super::scores(
        Detail::Parts,
        Detail::Parts,
        |row: &Scored<'_>| &row.scores,
    ));
    columns.extend([
        Column::count(
            "days_input_interpolated",
            "observed days with an input between two measured ones",
            |row: &Scored<'_>| row.filled.interpolated,
        ),
        Column::count(
            "days_input_held",
            "observed days with an input that repeats its nearest measured value",
            |row: &Scored<'_>| row.filled.held,
        ),
    ]);
    let members = prediction.members.iter();
    let members = members.map(|member| (format!("member-{}", member.seed), &member.flux[..]));
    let mean = ("ensemble-mean".to_owned(), prediction.mean);
    let rows = std::iter::once(mean)
        .chain(members)
        .flat_map(|(series, flux)| {
            let sites = prediction.pack.sites.iter().zip(prediction.scores(flux));
            sites
                .enumerate()
                .map(move |(index, (site, scores))| Scored {
                    site: &site.id,
                    series: series.clone(),
                    scores,
                    filled: prediction.filled_days(index),
                })
        });
    Table::file(
        "scores",
        "a site and a series: every score on all days with an observation",
        columns,
        rows.collect(),
    )
}

/// An input at a site.
pub(crate) struct Leaving<'a> {
    site: &'a str,
    kind: &'static str,
    input: &'a InputFlags,
    /// Of each of its values whether it is outside, and how.
    flags: &'a [u8],
    filled: FilledDays,
}

/// A site and an input: how many of its values are outside the range of the training, and how many were not measured.
pub(crate) fn extrapolation<'a>(prediction: &'a Prediction<'_>) -> Table<'a, Leaving<'a>> {
    type Row<'a> = Leaving<'a>;
    let count =
        |wanted: u8| move |row: &Row<'a>| row.flags.iter().filter(|&&flag| flag == wanted).count();
    let columns = vec![
        Column::text("site", "site", |row: &Row<'a>| row.site),
        Column::text("input", "input", |row: &Row<'a>| row.input.name.clone()),
        Column::text("units", "its unit", |row: &Row<'a>| row.input.units.clone()),
        Column::text("kind", "`daily` or `static`", |row: &Row<'a>| row.kind),
        Column::number(
            "training_min",
            "lowest value of the training",
            2,
            |row: &Row<'a>| row.input.range[0],
        ),
        Column::number(
            "training_max",
            "highest value of the training",
            2,
            |row: &Row<'a>| row.input.range[1],
        ),
        Column::count("values", "values", |row: &Row<'a>| row.flags.len()),
        Column::count("below", "values below the range", count(BELOW)),
        Column::count("above", "values above the range", count(ABOVE)),
        Column::count(
            "stand_in",
            "values that the pack does not have",
            count(STAND_IN),
        ),
        Column::count(
            "interpolated",
            "values between two measured ones",
            |row: &Row<'a>| row.filled.interpolated,
        ),
        Column::count(
            "held",
            "values that repeat the nearest measured one",
            |row: &Row<'a>| row.filled.held,
        ),
    ];
    let sites = &prediction.pack.sites;
    let of = |kind, inputs: &'a [InputFlags]| {
        inputs.iter().flat_map(move |input| {
            let values = input.flags.len() / sites.len();
            let sites = sites.iter().zip(input.flags.chunks_exact(values));
            let filled = prediction.filled.input(&input.name);
            sites
                .enumerate()
                .map(move |(index, (site, flags))| Leaving {
                    site: &site.id,
                    kind,
                    input,
                    flags,
                    filled: filled.map_or(FilledDays::default(), |filled| {
                        let flags = filled.flags.site(index);
                        FilledDays::among(flags, 0..flags.len())
                    }),
                })
        })
    };
    let extrapolation = prediction.extrapolation;
    Table::file(
        "extrapolation",
        "a site and an input: how many of its values are outside the range of the training or not measured",
        columns,
        of("daily", &extrapolation.dynamic)
            .chain(of("static", &extrapolation.statics))
            .collect(),
    )
}

/// A site: how far it is from those of the training, whose index is in its place.
pub(crate) fn applicability<'a>(
    prediction: &'a Prediction<'_>,
    distances: &'a SiteDistances,
) -> Table<'a, usize> {
    let mut columns = vec![Column::text("site", "site", |&row: &usize| {
        prediction.pack.sites[row].id.as_str()
    })];
    columns.extend(super::distances(distances));
    Table::file(
        "applicability",
        "a site: how far it is from the sites of the training in what the members read",
        columns,
        (0..prediction.pack.sites.len()).collect(),
    )
}
