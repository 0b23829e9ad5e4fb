//! How sure, and how sure it should be.

use efflux_analysis::Defined;
use efflux_analysis::units::Unit;

use crate::Findings;
use crate::cell::Cell;
use crate::table::{Column, Table};
use crate::uncertainty::{
    ByLead, Coverage, HEADLINE, SiteSpread, Size, SpreadError, Uncertainty, Year,
};

/// A kind of interval at a level.
pub(crate) struct Held {
    level: f64,
    kind: &'static str,
    found: Defined<Coverage>,
    factor: Option<Defined>,
}

pub(crate) fn intervals(uncertainty: &Uncertainty) -> Table<'_, Held> {
    let columns = vec![
        Column::number("level", "level of the interval", 2, |row: &Held| row.level),
        Column::text(
            "kind",
            "`raw`, `calibrated` or, where the pooled process is a member, `forecast`",
            |row: &Held| row.kind,
        ),
        Column::count("days", "test days", |row: &Held| {
            Cell::Word(row.found.ok().map(|found| found.days.to_string()))
        }),
        Column::number("coverage", "share of them inside", 3, |row: &Held| {
            row.found.map(|found| found.share)
        })
        .reason("coverage"),
        Column::number("mean_width", "mean width", 2, |row: &Held| {
            row.found.map(|found| found.width)
        })
        .unit(Unit::Target),
        median_width(|row: &Held| row.found),
        Column::number(
            "factor_all_sites",
            "factor of the spread, all sites together; of `forecast` that of the process’s standard deviation, in asinh units",
            3,
            |row: &Held| row.factor.and_then(Result::ok),
        ),
    ];
    let rows = uncertainty.intervals.iter().flat_map(|interval| {
        let of = |kind, found, factor| Held {
            level: interval.level,
            kind,
            found,
            factor,
        };
        let forecast = interval.forecast;
        [
            Some(of("raw", interval.raw, None)),
            Some(of("calibrated", interval.calibrated, Some(interval.factor))),
            forecast.map(|(found, factor)| of("forecast", found, Some(factor))),
        ]
        .into_iter()
        .flatten()
    });
    Table::file(
        "intervals",
        "a level and a kind of interval: how many test days it holds, and its width",
        columns,
        rows.collect(),
    )
}

fn median_width<'a, Row: 'a>(of: impl Fn(&Row) -> Defined<Coverage> + 'a) -> Column<'a, Row> {
    let width = move |row: &Row| of(row).map(|found| found.median_width);
    Column::number("median_width", "median width", 2, width).unit(Unit::Target)
}

/// How far ahead days are, and what intervals of a level hold of them.
pub(crate) fn by_lead(uncertainty: &Uncertainty) -> Table<'_, &ByLead> {
    let columns = vec![
        Column::number("level", "level of the interval", 2, |row: &&ByLead| {
            row.level
        }),
        Column::count(
            "lead_from",
            "days since the last one that the site was fitted on, from",
            |row: &&ByLead| row.lead.0,
        ),
        Column::count("lead_to", "to; empty if without end", |row: &&ByLead| {
            Cell::Word(row.lead.1.map(|last| last.to_string()))
        }),
        Column::count("days", "test days", |row: &&ByLead| {
            Cell::Word(row.found.ok().map(|found| found.days.to_string()))
        }),
        Column::number("coverage", "share of them inside", 3, |row: &&ByLead| {
            row.found.map(|found| found.share)
        })
        .reason("coverage"),
        median_width(|row: &&ByLead| row.found),
    ];
    Table::new(
        "intervals_by_lead",
        "Intervals from forecasts, by how far ahead the day is",
        "a level and a range of days since the last one that the site was fitted on: how many test days the intervals from \
         forecasts hold, and their width",
        columns,
        uncertainty.by_lead.iter().collect(),
    )
    .page_rows(headline_rows(uncertainty))
    .in_file_alone_if(uncertainty.by_lead.is_empty())
}

/// Those of the level that reports quote.
fn headline_rows(uncertainty: &Uncertainty) -> Vec<&ByLead> {
    let rows = uncertainty.by_lead.iter();
    rows.filter(|row| row.level == HEADLINE).collect()
}

/// A site, what its test days say, and the score of its forecasts if there are such.
type AtSite<'a> = (&'a str, Defined<SiteSpread>, Option<Defined>);

pub(crate) fn sites<'a>(findings: &'a Findings<'_>) -> Table<'a, AtSite<'a>> {
    let number = |key, label, of: fn(&SiteSpread) -> f64| {
        Column::number(key, label, 3, move |row: &AtSite<'a>| -> Defined {
            row.1.as_ref().map(of).map_err(|reason| *reason)
        })
        .unit(Unit::Target)
    };
    let columns = vec![
        Column::text("site", "site", |row: &AtSite<'a>| row.0),
        Column::count("test_days", "test days", |row: &AtSite<'a>| {
            row.1.map_or(0, |found| found.days)
        }),
        number("mean_spread", "spread", |site| site.spread),
        number("rmse", "RMSE", |site| site.rmse),
        number("mae", "MAE", |site| site.mae),
        number("crps", "CRPS", |site| site.crps).reason("uncertainty"),
        number("crps_fair", "CRPS, fair", |site| site.crps_fair),
        Column::number(
            "crps_forecast",
            "CRPS of the distribution from forecasts, where the pooled process is a member",
            3,
            |row: &AtSite<'a>| row.2.and_then(Result::ok),
        )
        .unit(Unit::Target),
    ];
    let sites = findings.results.sites.iter().enumerate();
    let uncertainty = &findings.uncertainty;
    let forecast = |site: usize| uncertainty.crps_forecast.as_ref().map(|crps| crps[site]);
    let rows = sites.zip(&uncertainty.sites);
    Table::file(
        "uncertainty",
        "a site: spread, errors and scores of the distribution, test part",
        columns,
        rows.map(|((place, site), found)| (site.id.as_str(), *found, forecast(place)))
            .collect(),
    )
}

pub(crate) fn ranks(uncertainty: &Uncertainty) -> Table<'_, (usize, f64)> {
    Table::file(
        "ranks",
        "a rank: how often so many members lay below the observation",
        vec![
            Column::count(
                "members_below_observation",
                "members below the observation",
                |row: &(usize, f64)| row.0,
            ),
            Column::number(
                "test_days",
                "test days of all sites; one whose observation equals members is shared by the ranks that it may have",
                1,
                |row: &(usize, f64)| row.1,
            ),
        ],
        uncertainty.ranks.iter().copied().enumerate().collect(),
    )
}

pub(crate) fn spread_error(uncertainty: &Uncertainty) -> Table<'_, &SpreadError> {
    Table::file(
        "spread_error",
        "a tenth of the test days by spread: their spread and error",
        vec![
            Column::count("test_days", "test days", |row: &&SpreadError| row.days),
            Column::number(
                "root_mean_square_spread",
                "root mean squared spread",
                3,
                |row: &&SpreadError| row.spread,
            )
            .unit(Unit::Target),
            Column::number("rmse", "RMSE", 3, |row: &&SpreadError| row.rmse).unit(Unit::Target),
        ],
        uncertainty.spread_error.iter().collect(),
    )
}

pub(crate) fn sizes(uncertainty: &Uncertainty) -> Table<'_, &Size> {
    Table::file(
        "ensemble_size",
        "a number of members: the skill of ensembles of that size",
        vec![
            Column::count("members", "members", |row: &&Size| row.members),
            Column::number(
                "median_test_nse",
                "median test NSE, mean over choices of members",
                3,
                |row: &&Size| row.nse,
            )
            .reason("nse"),
            Column::number("lowest", "that of the worst choice", 3, |row: &&Size| {
                row.range.map(|(low, _)| low)
            }),
            Column::number("highest", "that of the best choice", 3, |row: &&Size| {
                row.range.map(|(_, high)| high)
            }),
        ],
        uncertainty.sizes.iter().collect(),
    )
}

/// The page has the year with the most observed days of each site.
pub(crate) fn years<'a>(findings: &'a Findings<'_>) -> Table<'a, &'a Year> {
    let (results, years) = (findings.results, &findings.uncertainty.years);
    let columns = vec![
        Column::text("site", "site", |row: &&Year| {
            super::site(results, row.site, String::new())
        }),
        Column::text("", "land cover", |row: &&Year| {
            results.sites[row.site].igbp.clone()
        })
        .on_page(),
        Column::count("year", "year", |row: &&Year| row.year.to_string()),
        Column::count("observed_days", "observed days", |row: &&Year| {
            row.observed_days
        }),
        Column::count("held_days", "days with a held input", |row: &&Year| {
            row.held_days
        }),
        Column::number("mean", "g C m⁻² yr⁻¹", 0, |row: &&Year| row.mean)
            .unit(Unit::CARBON)
            .reason("mean"),
        Column::number("sd", "sd over members", 0, |row: &&Year| row.spread)
            .unit(Unit::CARBON)
            .reason("sd"),
        Column::number(
            "quantile_0.25",
            "lower quartile over members",
            0,
            |row: &&Year| row.quartiles.map(|(low, _)| low),
        )
        .unit(Unit::CARBON)
        .in_file(),
        Column::number(
            "quantile_0.75",
            "upper quartile over members",
            0,
            |row: &&Year| row.quartiles.map(|(_, high)| high),
        )
        .unit(Unit::CARBON)
        .in_file(),
    ];
    let best = years.chunk_by(|a, b| a.site == b.site).filter_map(|years| {
        let best = years
            .iter()
            .max_by_key(|year| (year.observed_days, std::cmp::Reverse(year.year)));
        best.filter(|year| year.observed_days > 0)
    });
    Table::new(
        "annual_sums",
        "Simulated annual sums of each site’s best observed year: summed for each member, then mean and standard \
         deviation over members",
        "a site and a whole year: the simulated sum, over members",
        columns,
        years.iter().collect(),
    )
    .page_rows(best.collect())
    .sorted_by("observed_days")
}
