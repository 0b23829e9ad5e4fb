//! What goes along with skill.

use efflux_analysis::Defined;
use efflux_analysis::measures::{Measure, NSE};
use efflux_analysis::rhythm::Autocorrelation;
use efflux_analysis::significance::{Correlation, TTest};
use efflux_analysis::units::Unit;

use crate::Findings;
use crate::cell::Cell;
use crate::drivers::{Bin, Climate, CorrelationRow, Drivers, Group, Seasons, SiteProperties};
use crate::table::{Column, Table};

/// A site and what its record is like.
type Site<'a> = (&'a str, &'a SiteProperties);

pub(crate) fn properties<'a>(findings: &'a Findings<'_>) -> Table<'a, Site<'a>> {
    // A number that the column `not_defined` calls by the beginning of the column's name.
    let number = |key: &str, name: &str, label: &str, value: fn(&SiteProperties) -> Defined| {
        Column::number(key, label, 3, move |row: &Site<'a>| value(row.1)).reason(name)
    };
    let columns = vec![
        Column::text("site", "site", |row: &Site<'a>| row.0),
        Column::count(
            "observed_days",
            "observed days, all parts",
            |row: &Site<'a>| row.1.observed_days,
        ),
        number(
            "smoothness_lag_1",
            "smoothness",
            "autocorrelation of observed flux at 1 day",
            |site| site.smoothness.r,
        ),
        number(
            "seasonality_raw_lag_182",
            "seasonality",
            "at 182 days; near −1 at a strongly seasonal site",
            |site| site.seasonality.r,
        ),
        number(
            "cyclicality_lag_365",
            "cyclicality",
            "at 365 days",
            |site| site.cyclicality.r,
        ),
        number(
            "summer_mean",
            "summer",
            "mean observed flux in summer",
            |site| site.seasons.summer,
        )
        .unit(Unit::Target),
        number("winter_mean", "winter", "in winter", |site| {
            site.seasons.winter
        })
        .unit(Unit::Target),
        number(
            "summer_winter_difference",
            "difference",
            "summer less winter",
            |site| site.seasons.difference,
        )
        .unit(Unit::Target),
        number(
            "flux_at_0_degC_observed",
            "flux_at_0_degC_observed",
            "flux at 0 °C of the exponential fit to observed days",
            |site| site.observed_response.map(|response| response.at_zero),
        )
        .unit(Unit::Target),
        number(
            "flux_at_0_degC_simulated",
            "flux_at_0_degC_simulated",
            "of that to the simulation of these days",
            |site| site.simulated_response.map(|response| response.at_zero),
        )
        .unit(Unit::Target),
        number(
            "q10_observed",
            "q10_observed",
            "Q10 of the fit to observed days",
            |site| site.observed_q10(),
        ),
        number(
            "q10_simulated",
            "q10_simulated",
            "of that to the simulation",
            |site| site.simulated_q10(),
        ),
        number(
            "smoothness_simulated",
            "smoothness_simulated",
            "smoothness of simulated flux, on the days that were observed",
            |site| site.simulated_rhythm[0].r,
        ),
        number(
            "seasonality_simulated",
            "seasonality_simulated",
            "its seasonality",
            |site| site.simulated_rhythm[1].r,
        ),
        number(
            "cyclicality_simulated",
            "cyclicality_simulated",
            "its cyclicality",
            |site| site.simulated_rhythm[2].r,
        ),
        Column::count(
            "sites_at_same_place",
            "other sites at the same place",
            |row: &Site<'a>| row.1.neighbours.len(),
        ),
        Column::count(
            "test_days_seen_there_in_training",
            "test days on which one of them was fitted on",
            |row: &Site<'a>| row.1.test_days_seen,
        ),
    ];
    let sites = findings.results.sites.iter();
    let rows = sites
        .zip(&findings.drivers.sites)
        .map(|(site, properties)| (site.id.as_str(), properties));
    Table::file(
        "traits",
        "a site: rhythm, seasons and response to temperature of its record",
        columns,
        rows.collect(),
    )
}

/// The r and p of a correlation, as tables of them have it.
fn correlation<'a, Row: 'a>(
    of: impl Fn(&Row) -> Defined<Correlation> + Copy + 'a,
) -> [Column<'a, Row>; 2] {
    [
        Column::number("r", "r", 2, move |row| of(row).map(|found| found.r)).reason("r"),
        Column::number("p", "p", 4, move |row| {
            Cell::P(of(row).map(|found| found.p))
        }),
    ]
}

/// How many values there were; nothing if there is no correlation.
fn count(found: Defined<Correlation>) -> Cell {
    Cell::Word(found.ok().map(|found| found.n.to_string()))
}

pub(crate) fn correlations<'a>(findings: &'a Findings<'_>) -> Table<'a, &'a CorrelationRow> {
    type Row<'a> = &'a CorrelationRow;
    let unit = findings.results.target.unit_in_columns();
    let mut columns = vec![
        Column::text("property", "property of the sites", |row: &Row<'_>| {
            row.name.clone()
        }),
        Column::text(
            "test_score",
            "score on the test part",
            move |row: &Row<'_>| row.measure.column_name(&unit),
        ),
        Column::text("over", "which values are correlated", |row: &Row<'_>| {
            row.over.name()
        }),
        Column::count("n", "values", |row: &Row<'_>| count(row.found)),
    ];
    columns.extend(correlation(|row: &Row<'_>| row.found));
    columns.push(Column::number(
        "p_benjamini_hochberg",
        "p by Benjamini and Hochberg over all properties and scores of the same values",
        4,
        |row: &Row<'_>| Cell::BareP(row.adjusted_p),
    ));
    Table::file(
        "correlations",
        "a property and a score: their correlation over sites",
        columns,
        findings.drivers.correlations.iter().collect(),
    )
}

pub(crate) fn groups(drivers: &Drivers) -> Table<'_, &Group> {
    let mut columns = vec![
        Column::text("by", "sites by", |row: &&Group| row.by.clone()),
        Column::text("group", "", |row: &&Group| row.name.clone()),
        Column::count("sites", "sites", |row: &&Group| row.sites),
    ];
    columns.extend(Measure::headline().map(|measure| {
        Column::number(
            format!("median_test_{}", measure.column),
            format!("median {}", measure.label),
            measure.decimals - 1,
            move |row: &&Group| Cell::Quiet(row.medians[measure]),
        )
        .unit(measure.unit)
        .reason(measure.key)
    }));
    columns.extend(Measure::headline().map(|measure| {
        Column::number(
            format!("mean_test_{}", measure.column),
            format!("mean {}", measure.label),
            measure.decimals - 1,
            move |row: &&Group| Cell::Quiet(row.means[measure]),
        )
        .unit(measure.unit)
        // The paper gives means of NSE; the page has no room for all.
        .in_file_if(measure != NSE)
    }));
    columns.extend([
        Column::count("good", "good", |row: &&Group| row.good),
        Column::count("poor", "poor", |row: &&Group| row.poor),
    ]);
    Table::new(
        "groups",
        "Groups of sites: ensemble mean on the test part",
        "a group of sites: medians, means and classes",
        columns,
        drivers.groups.iter().collect(),
    )
}

/// A reading of the classes and one of the two tests, with its names.
type Test<'a> = (&'a Seasons, [&'static str; 2], Defined<TTest>);

pub(crate) fn seasons<'a>(findings: &'a Findings<'_>) -> Table<'a, Test<'a>> {
    let target = findings.results.target;
    let poor = |label| Column::count("poor_sites", label, |row: &Test<'_>| row.0.poor);
    let columns = vec![
        Column::text("classes", "classes", |row: &Test<'_>| {
            let reading = row.0.reading;
            Cell::Named(reading.to_string(), reading.label().to_owned())
        }),
        Column::text("test", "test", |row: &Test<'_>| {
            Cell::Named(row.1[0].to_owned(), row.1[1].to_owned())
        }),
        Column::count("good_sites", "good sites", |row: &Test<'_>| row.0.good),
        // The page has the poor sites behind what belongs to the good ones.
        poor("poor sites").in_file(),
        Column::number(
            "good_mean_difference",
            "mean difference",
            2,
            |row: &Test<'_>| row.0.good_mean,
        )
        .unit(Unit::Target)
        .reason("good_mean"),
        poor("poor sites").on_page(),
        Column::number(
            "poor_mean_difference",
            "mean difference",
            2,
            |row: &Test<'_>| row.0.poor_mean,
        )
        .unit(Unit::Target)
        .reason("poor_mean"),
        Column::number("t", "t", 2, |row: &Test<'_>| row.2.map(|found| found.t)).reason("t"),
        Column::number("df", "degrees of freedom", 1, |row: &Test<'_>| {
            row.2.map(|found| found.df)
        }),
        Column::number("p", "p", 4, |row: &Test<'_>| {
            Cell::P(row.2.map(|found| found.p))
        }),
    ];
    let rows = findings.drivers.seasons.iter().flat_map(|seasons| {
        [
            (seasons, ["welch", "Welch"], seasons.welch),
            (seasons, ["student", "Student"], seasons.student),
        ]
    });
    Table::new(
        "season_tests",
        format!(
            "Difference of mean summer and mean winter {}, {}: good against poor sites",
            target.name(),
            target.unit()
        ),
        "a reading of the classes and a t test: summer and winter at good against poor sites",
        columns,
        rows.collect(),
    )
}

/// A step of a property of the climate.
type Step<'a> = (&'a Climate, &'a Bin);

pub(crate) fn climate_bins(drivers: &Drivers) -> Table<'_, Step<'_>> {
    let mut columns = vec![
        Column::text("property", "property of the climate", |row: &Step<'_>| {
            row.0.name.clone()
        }),
        Column::number("from", "where the step begins", 1, |row: &Step<'_>| {
            row.1.from
        }),
        Column::number("to", "where it ends", 1, |row: &Step<'_>| row.1.to),
        Column::count("sites", "sites in it", |row: &Step<'_>| row.1.sites),
    ];
    columns.extend(Measure::headline().map(|measure| {
        Column::number(
            format!("median_test_{}", measure.column),
            format!("median {}", measure.label),
            measure.decimals,
            move |row: &Step<'_>| row.1.medians[measure],
        )
        .unit(measure.unit)
        .reason(measure.key)
    }));
    columns.extend([
        Column::count("good", "good sites", |row: &Step<'_>| row.1.good),
        Column::number(
            "good_percent",
            "their share in percent",
            1,
            |row: &Step<'_>| row.1.good_share(),
        ),
    ]);
    let climates = drivers.climates.iter();
    let rows = climates.flat_map(|climate| climate.bins.iter().map(move |bin| (climate, bin)));
    Table::file(
        "climate_bins",
        "a step of temperature or precipitation: its sites and how well they are simulated",
        columns,
        rows.collect(),
    )
}

/// A score that the number of sites in a step is held against: what files and people call it, and the correlation.
type Against<'a> = (&'a Climate, [String; 2], Defined<Correlation>);

/// `label`: what the page calls a property.
pub(crate) fn climate_tests<'a>(
    drivers: &'a Drivers,
    label: impl Fn(&str) -> String + 'a,
) -> Table<'a, Against<'a>> {
    let mut columns = vec![
        Column::text("property", "steps of", move |row: &Against<'a>| {
            Cell::Named(row.0.name.clone(), label(&row.0.name))
        }),
        Column::text(
            "sites_in_a_bin_against",
            "score of a step",
            |row: &Against<'a>| Cell::Named(row.1[0].clone(), row.1[1].clone()),
        ),
        Column::count("bins", "steps", |row: &Against<'a>| count(row.2)).in_file(),
        Column::count("", "steps", |row: &Against<'a>| row.0.bins.len()).on_page(),
    ];
    columns.extend(correlation(|row: &Against<'a>| row.2));
    let rows = drivers.climates.iter().flat_map(|climate| {
        let medians = climate.tests.iter().map(|(measure, found)| {
            let key = format!("median_test_{}", measure.column);
            ([key, format!("median {}", measure.label)], *found)
        });
        let good = ["good_percent", "share of good sites"].map(str::to_owned);
        medians
            .chain([(good, climate.good_test)])
            .map(move |(names, found)| (climate, names, found))
    });
    Table::new(
        "climate_tests",
        "Do steps of the climate with more sites do better? Correlation of the number of sites in a step with its score",
        "a property of the climate and a score: whether steps with more sites have better scores",
        columns,
        rows.collect(),
    )
    .in_file_alone_if(drivers.climates.is_empty())
}

/// A lag of a record: which record, of which site, the lag in days, and the autocorrelation of observed and simulated flux.
type Lag<'a> = (&'static str, &'a str, usize, &'a [Autocorrelation; 2]);

pub(crate) fn correlograms<'a>(findings: &'a Findings<'_>) -> Table<'a, Lag<'a>> {
    let columns = vec![
        Column::text("rhythm", "`strongest` or `weakest`", |row: &Lag<'a>| row.0),
        Column::text("site", "site", |row: &Lag<'a>| row.1),
        Column::count("lag", "lag", |row: &Lag<'a>| row.2).unit(Unit::DAYS),
        Column::count("pairs", "pairs of observed days", |row: &Lag<'a>| {
            row.3[0].pairs
        }),
        Column::number(
            "observed",
            "autocorrelation of observed flux",
            3,
            |row: &Lag<'a>| row.3[0].r,
        )
        .reason("observed"),
        Column::number(
            "simulated",
            "of simulated flux on these days",
            3,
            |row: &Lag<'a>| row.3[1].r,
        )
        .reason("simulated"),
    ];
    let rows = findings
        .drivers
        .correlograms
        .iter()
        .flat_map(|correlogram| {
            let site = &findings.results.sites[correlogram.site].id;
            let lags = correlogram.lags.iter().zip(1..);
            lags.map(move |(found, lag)| (correlogram.role, site.as_str(), lag, found))
        });
    Table::file(
        "correlograms",
        "a lag at the sites of the strongest and the weakest rhythm: observed and simulated",
        columns,
        rows.collect(),
    )
}
