//! How good: the series that are judged, over sites and at each of them.

use efflux_analysis::Defined;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::classes::Reading;
use efflux_analysis::metrics::Scores;
use efflux_analysis::statistics::{count_above, mean, quantile, sorted};
use efflux_job::Part;

use super::{Table, cell, number};
use crate::evaluation::{Evaluation, Measure, Series};
use crate::results::Results;
use crate::states::States;
use crate::words;

pub(super) fn summary(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "summary.csv",
        "series state part score sites median mean quantile_0.25 quantile_0.75 minimum maximum sites_above_0 \
         sites_above_0.3 sites_above_0.5 not_defined",
    );
    for (series, part, _) in evaluation.all() {
        for measure in Measure::ALL {
            let values = sorted(&evaluation.defined(series, part, measure));
            let at = |p| quantile(&values, p);
            let mut row = vec![
                name(results, series),
                state(results, series),
                words::part(part).to_owned(),
                measure.column().to_owned(),
                values.len().to_string(),
            ];
            let statistics = [at(0.5), mean(&values), at(0.25), at(0.75), at(0.0), at(1.0)];
            row.extend(statistics.map(cell));
            row.extend([0.0, 0.3, 0.5].map(|threshold| {
                // Thresholds of skill say nothing about an error.
                let skill = Measure::SKILL.contains(&measure);
                if skill {
                    count_above(&values, threshold).to_string()
                } else {
                    String::new()
                }
            }));
            row.push(reasons(&[(
                "median",
                evaluation.median(series, part, measure),
            )]));
            table.rows.push(row);
        }
    }
    table
}

pub(super) fn classes(evaluation: &Evaluation) -> Table {
    let mut table = Table::new("classes.csv", "reading good fair poor not_defined");
    for reading in [Reading::Text, Reading::CaptionCascade] {
        let counts = evaluation.classes(reading);
        let counted = [counts.good, counts.fair, counts.poor, counts.undefined];
        let mut row = vec![reading.to_string()];
        row.extend(counted.map(|count| count.to_string()));
        table.rows.push(row);
    }
    table
}

pub(super) fn sites(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "sites.csv",
        "site name latitude_deg longitude_deg igbp train_days validation_days test_days test_first_day \
         test_last_day test_nse test_kge test_pearson_r test_rmse_umol_m-2_s-1 test_mae_umol_m-2_s-1 \
         test_bias_umol_m-2_s-1 training_mean_test_nse class_text class_caption_cascade bias_of_model_umol_m-2_s-1 bias_of_back_transform_umol_m-2_s-1 not_defined",
    );
    for (index, site) in results.sites.iter().enumerate() {
        let scores = &evaluation.scores(Series::Ensemble, Part::Test)[index];
        let baseline =
            evaluation.scores(Series::Baseline(Baseline::TrainingMean), Part::Test)[index].nse;
        let mut row = vec![
            site.id.clone(),
            site.name.clone(),
            number(site.latitude),
            number(site.longitude),
            site.igbp.clone(),
        ];
        row.extend(words::PARTS.map(|part| results.observed_days(index, part).to_string()));
        let mut days = results.part_days(index, Part::Test);
        let first = days.next();
        let ends = [first, days.next_back().or(first)];
        row.extend(ends.map(|day| day.and_then(|day| results.date(day)).unwrap_or_default()));
        row.extend(Measure::ALL.map(|measure| cell(measure.of(scores))));
        row.push(cell(baseline));
        row.extend([Reading::Text, Reading::CaptionCascade].map(|reading| {
            evaluation
                .class(index, reading)
                .map(|class| class.to_string())
                .unwrap_or_default()
        }));
        let bias = evaluation.bias[index];
        row.push(cell(bias.map(|parts| parts.model)));
        row.push(cell(bias.map(|parts| parts.back_transform)));
        let baseline = ("training_mean_test_nse", baseline);
        row.push(reasons(
            &[measures(scores).as_slice(), &[baseline]].concat(),
        ));
        table.rows.push(row);
    }
    table
}

/// The columns of [`cells`].
pub(super) const SCORES: &str = "days nse kge kge_r kge_alpha kge_beta pearson_r rmse_umol_m-2_s-1 \
    mae_umol_m-2_s-1 bias_umol_m-2_s-1 not_defined";

/// Every score of a series.
pub(super) fn cells(scores: &Scores) -> Vec<String> {
    let mut row = vec![scores.n.to_string(), cell(scores.nse)];
    let kge = scores.kge;
    row.extend(
        [
            kge.map(|k| k.value),
            kge.map(|k| k.r),
            kge.map(|k| k.alpha),
            kge.map(|k| k.beta),
        ]
        .map(cell),
    );
    row.extend([scores.r, scores.rmse, scores.mae, scores.bias].map(cell));
    row.push(reasons(&measures(scores)));
    row
}

pub(super) fn scores(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new("scores.csv", &format!("site part series state {SCORES}"));
    for (series, part, of_sites) in evaluation.all() {
        for (site, scores) in results.sites.iter().zip(of_sites) {
            let mut row = vec![
                site.id.clone(),
                words::part(part).to_owned(),
                name(results, series),
                state(results, series),
            ];
            row.extend(cells(scores));
            table.rows.push(row);
        }
    }
    table
}

pub(super) fn members(results: &Results<'_>, evaluation: &Evaluation) -> Table {
    let mut table = Table::new(
        "members.csv",
        "series trial seed train_median_nse train_median_kge train_median_pearson_r validation_median_nse \
         validation_median_kge validation_median_pearson_r test_median_nse test_median_kge test_median_pearson_r \
         not_defined",
    );
    for (place, member) in results.members.iter().enumerate() {
        let series = Series::Member(place);
        let mut row = vec![
            name(results, series),
            member.trial_id.clone(),
            member.seed.to_string(),
        ];
        let medians = words::PARTS
            .map(|part| Measure::SKILL.map(|measure| evaluation.median(series, part, measure)));
        row.extend(medians.iter().flatten().map(|&median| cell(median)));
        let parts = words::PARTS.map(words::part);
        row.push(reasons(&[
            (parts[0], medians[0][0]),
            (parts[1], medians[1][0]),
            (parts[2], medians[2][0]),
        ]));
        table.rows.push(row);
    }
    table
}

/// The name of a series in the tables.
pub(super) fn name(results: &Results<'_>, series: Series) -> String {
    match series {
        Series::Ensemble => "ensemble-mean".to_owned(),
        Series::Member(place) => format!("member-{}", results.members[place].seed),
        Series::OtherState | Series::MemberOtherState(_) => {
            let run = match series {
                Series::MemberOtherState(place) => Series::Member(place),
                _ => Series::Ensemble,
            };
            format!("{}-{}-state", name(results, run), state(results, series))
        }
        Series::SiteLevel => "ensemble-mean-site-level".to_owned(),
        Series::Unfiltered => "ensemble-mean-unfiltered".to_owned(),
        Series::Smeared => "ensemble-mean-smeared".to_owned(),
        Series::Baseline(baseline) => words::baseline_key(baseline).to_owned(),
    }
}

/// The state that a series was run with, where it has one.
fn state(results: &Results<'_>, series: Series) -> String {
    let state = series.state(results);
    state.map_or_else(String::new, |state| words::state(state).to_owned())
}

/// The ensemble mean with either state.
pub(super) fn states(evaluation: &Evaluation, states: &[States]) -> Table {
    let mut table = Table::new(
        "states.csv",
        "part sites carried_median_nse carried_median_kge carried_median_pearson_r window_median_nse window_median_kge \
         window_median_pearson_r sites_compared sites_window_better median_nse_difference interval_0.95_low \
         interval_0.95_high wilcoxon_p not_defined",
    );
    for States {
        part,
        series,
        compared,
        gained,
        difference,
        test,
    } in states
    {
        let sites = evaluation.defined(Series::Ensemble, *part, Measure::Nse);
        let mut row = vec![words::part(*part).to_owned(), sites.len().to_string()];
        let medians = series.map(|(_, series)| {
            Measure::SKILL.map(|measure| evaluation.median(series, *part, measure))
        });
        row.extend(medians.iter().flatten().map(|&median| cell(median)));
        row.extend([compared, gained].map(ToString::to_string));
        let difference = [
            difference.map(|found| found.median),
            difference.map(|found| found.low),
            difference.map(|found| found.high),
        ];
        row.extend(difference.map(cell));
        row.push(cell(test.map(|test| test.p)));
        row.push(reasons(&[
            ("carried", medians[0][0]),
            ("window", medians[1][0]),
            ("difference", difference[0]),
            ("wilcoxon", test.map(|test| test.p)),
        ]));
        table.rows.push(row);
    }
    table
}

pub(super) fn measures(scores: &Scores) -> [(&'static str, Defined); 6] {
    Measure::ALL.map(|measure| (measure.label(), measure.of(scores)))
}

/// `nse: observations are constant; …` of what is not defined.
pub(super) fn reasons(of: &[(&str, Defined)]) -> String {
    let reasons = of
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", value.err()?)));
    reasons.collect::<Vec<_>>().join("; ")
}
