//! How good: the series that are judged, over sites and at each of them.

use efflux_analysis::Defined;
use efflux_analysis::backtransform::BiasParts;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::classes::Reading;
use efflux_analysis::measures::{Detail, Kind, Measure, NSE, Scores};
use efflux_analysis::statistics::{count_above, mean, quantile, sorted};
use efflux_analysis::units::Unit;
use efflux_job::{Part, State};

use super::{scores, site};
use crate::Findings;
use crate::cell::Cell;
use crate::evaluation::{ClassCounts, Series};
use crate::filled;
use crate::states::States;
use crate::table::{Column, Table};

/// A measure of a series on a part, with its values over sites in ascending order.
pub(crate) struct Spread {
    series: Series,
    part: Part,
    measure: Measure,
    values: Vec<f64>,
}

pub(crate) fn summary<'a>(findings: &'a Findings<'_>) -> Table<'a, Spread> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let unit = results.target.unit_in_columns();
    let at = |p: f64| move |row: &Spread| quantile(&row.values, p);
    let above = |threshold: f64| {
        move |row: &Spread| {
            // Thresholds of skill say nothing about an error.
            let is_skill = matches!(row.measure.kind, Kind::Efficiency | Kind::Correlation);
            let count = is_skill.then(|| count_above(&row.values, threshold).to_string());
            Cell::Word(count)
        }
    };
    let columns = vec![
        Column::text("series", "series", |row: &Spread| row.series.key(results)),
        Column::text("state", "state that it was run with", |row: &Spread| {
            row.series.state(results).map_or("", State::name)
        }),
        Column::text("part", "part", |row: &Spread| row.part.name()),
        Column::text("score", "score", move |row: &Spread| {
            row.measure.column_name(&unit)
        }),
        Column::count("sites", "sites at which it is defined", |row: &Spread| {
            row.values.len()
        }),
        Column::number("median", "median over them", 3, |row: &Spread| {
            evaluation.median(row.series, row.part, row.measure)
        })
        .reason("median"),
        Column::number("mean", "mean", 3, |row: &Spread| mean(&row.values)),
        Column::number("quantile_0.25", "lower quartile", 3, at(0.25)),
        Column::number("quantile_0.75", "upper quartile", 3, at(0.75)),
        Column::number("minimum", "lowest", 3, at(0.0)),
        Column::number("maximum", "highest", 3, at(1.0)),
        Column::count("sites_above_0", "sites above 0", above(0.0)),
        Column::count("sites_above_0.3", "sites above 0.3", above(0.3)),
        Column::count("sites_above_0.5", "sites above 0.5", above(0.5)),
    ];
    let rows = evaluation.all().flat_map(|(series, part, _)| {
        Measure::listed(Detail::Full).map(move |measure| Spread {
            series,
            part,
            measure,
            values: sorted(&evaluation.defined(series, part, measure)),
        })
    });
    Table::file(
        "summary",
        "a series, a part and a score: its distribution over sites",
        columns,
        rows.collect(),
    )
}

pub(crate) fn classes<'a>(findings: &'a Findings<'_>) -> Table<'a, (Reading, ClassCounts)> {
    let counts = |reading| (reading, findings.evaluation.classes(reading));
    Table::file(
        "classes",
        "a reading of the performance classes: sites in each, ensemble mean on the test part",
        vec![
            Column::text("reading", "reading", |row: &(Reading, ClassCounts)| {
                row.0.to_string()
            }),
            Column::count("good", "good sites", |row: &(Reading, ClassCounts)| {
                row.1.good
            }),
            Column::count("fair", "fair sites", |row: &(Reading, ClassCounts)| {
                row.1.fair
            }),
            Column::count("poor", "poor sites", |row: &(Reading, ClassCounts)| {
                row.1.poor
            }),
            Column::count(
                "not_defined",
                "sites without a class",
                |row: &(Reading, ClassCounts)| row.1.undefined,
            ),
        ],
        [Reading::Text, Reading::CaptionCascade].map(counts).into(),
    )
}

/// Sorted on the page by NSE. A row is a site's place among the sites.
pub(crate) fn sites<'a>(findings: &'a Findings<'_>) -> Table<'a, usize> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    let training_mean = Series::Baseline(Baseline::TrainingMean);
    let baseline = evaluation.scores(training_mean, Part::Test);
    let days = |part: Part| {
        let label = format!("{} days", part.name());
        Column::count(
            format!("{}_days", part.name()),
            label,
            move |&row: &usize| results.observed_days(row, part),
        )
    };
    let date = move |row: usize, pick: fn(std::ops::Range<usize>) -> Option<usize>| {
        let day = pick(results.parts.span(row, Part::Test));
        Cell::Word(day.and_then(|day| results.date(day)))
    };
    let mut columns = vec![
        Column::text("site", "site", move |&row: &usize| {
            let remarks = [why_undefined(&scores[row]), filled::remark(results, row)];
            let remarks: Vec<String> = remarks.into_iter().flatten().collect();
            site(results, row, remarks.join("; "))
        }),
        Column::text("name", "its name", |&row: &usize| {
            results.sites[row].name.clone()
        })
        .in_file(),
        Column::number("latitude", "degrees north", 3, |&row: &usize| {
            results.sites[row].latitude
        })
        .unit(Unit::DEGREES)
        .in_file(),
        Column::number("longitude", "degrees east", 3, |&row: &usize| {
            results.sites[row].longitude
        })
        .unit(Unit::DEGREES)
        .in_file(),
        Column::text("igbp", "land cover", |&row: &usize| {
            results.sites[row].igbp.clone()
        }),
        days(Part::Train),
        days(Part::Validation).in_file(),
        days(Part::Test),
        Column::count(
            "test_days_input_interpolated",
            "test days with an input between two measured values",
            move |&row: &usize| filled::test_days(results, row).interpolated,
        )
        .in_file(),
        Column::count(
            "test_days_input_held",
            "test days with an input that repeats its nearest measured value",
            move |&row: &usize| filled::test_days(results, row).held,
        )
        .in_file(),
        Column::text(
            "test_first_day",
            "first day of the test part",
            move |&row: &usize| date(row, |mut days| days.next()),
        )
        .in_file(),
        Column::text("test_last_day", "its last day", move |&row: &usize| {
            date(row, |mut days| days.next_back())
        })
        .in_file(),
    ];
    columns.extend(Measure::listed(Detail::Full).map(|measure| {
        let key = format!("test_{}", measure.column);
        Column::number(
            key,
            measure.label,
            measure.decimals - 1,
            move |&row: &usize| Cell::Quiet(scores[row][measure]),
        )
        .unit(measure.unit)
        .reason(measure.label)
        .in_file_if(measure.detail > Detail::Usual)
    }));
    columns.push(
        Column::number(
            "training_mean_test_nse",
            "NSE of training mean",
            2,
            |&row: &usize| Cell::Quiet(baseline[row][NSE]),
        )
        .reason("training_mean_test_nse"),
    );
    let class = |key, label, reading| {
        Column::text(key, label, move |&row: &usize| {
            let class = evaluation.class(row, reading);
            Cell::Word(class.map(|class| class.to_string()))
        })
    };
    let bias = |key, label, of: fn(&BiasParts) -> f64| {
        Column::number(key, label, 3, move |&row: &usize| {
            evaluation.bias[row].map(|parts| of(&parts))
        })
        .unit(Unit::Target)
        .in_file()
    };
    columns.extend([
        class("class_text", "class", Reading::Text),
        class(
            "class_caption_cascade",
            "class (captions)",
            Reading::CaptionCascade,
        ),
        bias(
            "bias_of_model",
            "bias from errors in asinh units",
            |parts| parts.model,
        ),
        bias(
            "bias_of_back_transform",
            "bias from the way back",
            |parts| parts.back_transform,
        ),
    ]);
    let mut order: Vec<usize> = (0..results.sites.len()).collect();
    let key = |site: usize| scores[site][NSE].unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    let title = format!(
        "The ensemble mean on the test part of each site; errors in {}",
        results.target.unit()
    );
    Table::new(
        "sites",
        title,
        "a site: where it is, its parts, the ensemble mean on the test part",
        columns,
        (0..results.sites.len()).collect(),
    )
    .page_rows(order)
    .sorted_by("test_nse")
}

/// `not defined: NSE, r (observations are constant)`, or nothing. Said once beside the site's name: in each cell it
/// would make the table too wide to read.
fn why_undefined(scores: &Scores) -> Option<String> {
    let undefined = Measure::listed(Detail::Usual).filter(|&measure| scores[measure].is_err());
    let names: Vec<&str> = undefined.clone().map(|measure| measure.label).collect();
    let reason = undefined
        .clone()
        .find_map(|measure| scores[measure].err())?;
    Some(format!("not defined: {} ({reason})", names.join(", ")))
}

/// The scores of a series on a part at a site.
type Scored<'a> = (&'a str, Part, Series, &'a Scores);

pub(crate) fn all_scores<'a>(findings: &'a Findings<'_>) -> Table<'a, Scored<'a>> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let mut columns = vec![
        Column::text("site", "site", |row: &Scored<'a>| row.0),
        Column::text("part", "part", |row: &Scored<'a>| row.1.name()),
        Column::text("series", "series", |row: &Scored<'a>| row.2.key(results)),
        Column::text("state", "state that it was run with", |row: &Scored<'a>| {
            row.2.state(results).map_or("", State::name)
        }),
    ];
    columns.extend(scores(Detail::Parts, Detail::Parts, |row: &Scored<'a>| {
        row.3
    }));
    let rows = evaluation.all().flat_map(|(series, part, of_sites)| {
        let sites = results.sites.iter().zip(of_sites);
        sites.map(move |(site, scores)| (site.id.as_str(), part, series, scores))
    });
    Table::file(
        "scores",
        "a site, a part and a series: every score",
        columns,
        rows.collect(),
    )
}

/// A row is a member's place among the members.
pub(crate) fn members<'a>(findings: &'a Findings<'_>) -> Table<'a, usize> {
    let (results, evaluation) = (findings.results, &findings.evaluation);
    let mut columns = vec![
        Column::text("series", "series", |&row: &usize| {
            Series::Member(row).key(results)
        }),
        Column::text("trial", "id of its trial", |&row: &usize| {
            results.members[row].trial_id.clone()
        }),
        Column::count("seed", "seed", |&row: &usize| {
            results.members[row].seed.to_string()
        }),
    ];
    for part in Part::ALL {
        let name = part.name();
        columns.extend(Measure::headline().map(|measure| {
            let column = Column::number(
                format!("{name}_median_{}", measure.column),
                format!("{name}: median {}", measure.label),
                measure.decimals,
                move |&row: &usize| evaluation.median(Series::Member(row), part, measure),
            );
            let column = column.unit(measure.unit);
            if measure == NSE {
                column.reason(name)
            } else {
                column
            }
        }));
    }
    Table::file(
        "members",
        "a member of the ensemble: medians over sites",
        columns,
        (0..results.members.len()).collect(),
    )
}

/// The ensemble mean with either state.
pub(crate) fn states<'a>(findings: &'a Findings<'_>) -> Table<'a, &'a States> {
    type Row<'a> = &'a States;
    let evaluation = &findings.evaluation;
    let mut columns = vec![
        Column::text("part", "part", |row: &Row<'a>| row.part.name()),
        Column::count("sites", "sites", |row: &Row<'a>| {
            evaluation.defined(Series::Ensemble, row.part, NSE).len()
        }),
    ];
    for (place, state) in States::ORDER.into_iter().enumerate() {
        let name = state.name();
        columns.extend(Measure::headline().map(|measure| {
            let column = Column::number(
                format!("{name}_median_{}", measure.column),
                format!("{name} state: median {}", measure.label),
                measure.decimals,
                move |row: &Row<'a>| evaluation.median(row.series[place].1, row.part, measure),
            );
            let column = column.unit(measure.unit);
            if measure == NSE {
                column.reason(name)
            } else {
                column
            }
        }));
    }
    let difference = |value: fn(&efflux_analysis::paired::Bootstrap) -> f64| {
        move |row: &Row<'a>| -> Defined { row.difference.map(|found| value(&found)) }
    };
    columns.extend([
        Column::count("sites_compared", "sites compared", |row: &Row<'a>| {
            row.compared
        }),
        Column::count(
            "sites_window_better",
            "sites with a higher NSE by window",
            |row: &Row<'a>| row.gained,
        ),
        Column::number(
            "median_nse_difference",
            "median of the differences in NSE, window less carried",
            3,
            difference(|found| found.median),
        )
        .reason("difference"),
        Column::number(
            "interval_0.95_low",
            "95 % interval of it, from",
            3,
            difference(|found| found.low),
        ),
        Column::number(
            "interval_0.95_high",
            "to",
            3,
            difference(|found| found.high),
        ),
        Column::number("wilcoxon_p", "p (Wilcoxon)", 4, |row: &Row<'a>| {
            row.test.map(|test| test.p)
        })
        .reason("wilcoxon"),
    ]);
    Table::file(
        "states",
        "a part: the ensemble mean with a carried and with a window's state; empty where a member kept one alone",
        columns,
        findings.states.iter().collect(),
    )
}
