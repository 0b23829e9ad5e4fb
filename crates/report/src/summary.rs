//! The answer in a few numbers, and as the table at the end of a sweep.

use std::fmt;
use std::path::{Path, PathBuf};

use efflux_analysis::Defined;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::classes::Reading;
use efflux_analysis::measures::{ByMeasure, Measure, NSE};
use efflux_analysis::statistics::{median, range};
use efflux_job::{Configuration, Metric, Part};

use super::cell::Cell;
use super::evaluation::{ClassCounts, Evaluation, Series};
use super::numbers;
use super::results::Results;
use super::table::{Column, Table};

/// The headline of a report. Its `Display` is a table of at most 80 columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Name of the job.
    pub job: String,
    /// The selected configuration.
    pub selected: Option<Configuration>,
    /// The score that selected it.
    pub metric: Metric,
    /// The part it was selected on.
    pub selected_on: Part,
    /// Members that simulated the calendar.
    pub members: usize,
    /// Members that the job asks for.
    pub members_planned: usize,
    /// The ensemble mean on train, validation and test.
    pub ensemble: Vec<PartSummary>,
    /// Lowest and highest test median among the members.
    pub members_test: ByMeasure<Defined<(f64, f64)>>,
    /// Median test NSE of the training mean of each site.
    pub training_mean_nse: Defined,
    /// Sites at which the ensemble mean has a higher test NSE than the training mean.
    pub sites_better: usize,
    /// Sites at which both are defined.
    pub sites_compared: usize,
    /// Classes of the ensemble mean on the test part by the text's thresholds.
    pub classes: ClassCounts,
    /// The same by the captions' thresholds.
    pub classes_caption: ClassCounts,
    /// The page.
    pub report: PathBuf,
}

/// Medians over sites of the ensemble mean on one part.
#[derive(Clone, Debug, PartialEq)]
pub struct PartSummary {
    /// The part.
    pub part: Part,
    /// Sites at which NSE is defined.
    pub sites: usize,
    /// The median of each measure.
    pub medians: ByMeasure<Defined>,
}

/// A row of the table in the terminal.
struct Line {
    label: String,
    sites: Option<usize>,
    values: ByMeasure<Option<f64>>,
}

impl Summary {
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation, report: &Path) -> Self {
        let part = |part| PartSummary {
            part,
            sites: evaluation.defined(Series::Ensemble, part, NSE).len(),
            medians: evaluation.medians(Series::Ensemble, part),
        };
        let members_test = ByMeasure::new(|measure| {
            let medians: Vec<f64> = (0..results.members.len())
                .filter_map(|member| {
                    evaluation
                        .median(Series::Member(member), Part::Test, measure)
                        .ok()
                })
                .collect();
            range(&medians)
        });
        let training_mean = Series::Baseline(Baseline::TrainingMean);
        let baseline = evaluation.defined(training_mean, Part::Test, NSE);
        let (sites_better, sites_compared) = evaluation.better_than_training_mean();
        let rule = results.selection.rule;
        Self {
            job: results.job_name.to_owned(),
            selected: results
                .selection
                .winner
                .as_ref()
                .map(|winner| winner.params.clone()),
            metric: rule.metric,
            selected_on: rule.on.part(),
            members: results.members.len(),
            members_planned: results.members_planned,
            ensemble: Part::ALL.map(part).to_vec(),
            members_test,
            training_mean_nse: median(&baseline),
            sites_better,
            sites_compared,
            classes: evaluation.classes(Reading::Text),
            classes_caption: evaluation.classes(Reading::CaptionCascade),
            report: report.to_owned(),
        }
    }

    /// The ensemble mean on the test part.
    pub fn test(&self) -> Option<&PartSummary> {
        self.ensemble
            .iter()
            .find(|summary| summary.part == Part::Test)
    }

    /// Medians over sites, for a terminal.
    fn medians(&self) -> Table<'static, Line> {
        let mut columns = vec![
            Column::text("", "median over sites", |line: &Line| line.label.clone()),
            Column::count("", "sites", |line: &Line| {
                Cell::Word(line.sites.map(|sites| sites.to_string()))
            }),
        ];
        columns.extend(Measure::headline().map(|measure| {
            Column::number("", measure.label, measure.decimals, move |line: &Line| {
                line.values[measure]
            })
        }));
        let mut lines: Vec<Line> = self.ensemble.iter().map(Line::of_part).collect();
        let end = |label: &str, pick: fn((f64, f64)) -> f64| Line {
            label: label.to_owned(),
            sites: None,
            values: ByMeasure::new(|measure| self.members_test[measure].ok().map(pick)),
        };
        lines.push(end("lowest member, test", |(low, _)| low));
        lines.push(end("highest member, test", |(_, high)| high));
        lines.push(Line {
            label: "training mean, test".to_owned(),
            sites: Some(self.sites_compared),
            values: ByMeasure::new(|measure| {
                let is_known = measure == NSE;
                self.training_mean_nse.ok().filter(|_| is_known)
            }),
        });
        Table::page("", columns, lines)
    }
}

impl Line {
    fn of_part(summary: &PartSummary) -> Self {
        Self {
            label: format!("ensemble mean, {}", summary.part.name()),
            sites: Some(summary.sites),
            values: ByMeasure::new(|measure| summary.medians[measure].ok()),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selected = match &self.selected {
            Some(params) => params.to_string(),
            None => "nothing: no configuration is selectable".to_owned(),
        };
        let (metric, on) = (self.metric.label(), self.selected_on.name());
        writeln!(f, "{}", self.job)?;
        writeln!(f, "  selected  {selected}")?;
        writeln!(f, "            by {metric} on {on}")?;
        writeln!(
            f,
            "  members   {} of {}",
            self.members, self.members_planned
        )?;
        writeln!(f)?;
        // Eighty columns, however many measures there are.
        let width = (44 / Measure::headline().count().max(1)).min(13);
        writeln!(f, "{}", self.medians().terminal(&[28, 6, width]))?;
        writeln!(
            f,
            "  better than the training mean at {} of {}",
            self.sites_better,
            numbers::counted(self.sites_compared, "site")
        )?;
        for (counts, name) in [(self.classes, "text"), (self.classes_caption, "captions")] {
            writeln!(f, "  classes   {counts} ({name})")?;
        }
        write!(f, "  report    {}", self.report.display())
    }
}
