//! The answer in a few numbers, and as the table at the end of a sweep.

use std::fmt;
use std::path::{Path, PathBuf};

use efflux_analysis::Defined;
use efflux_analysis::baselines::Baseline;
use efflux_analysis::classes::Reading;
use efflux_analysis::statistics::{median, range};
use efflux_job::{Metric, Params, Part};

use super::evaluation::{ClassCounts, Evaluation, Measure, Series};
use super::results::Results;
use super::words;

/// The headline of a report. Its `Display` is a table of at most 80 columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Name of the job.
    pub job: String,
    /// The selected configuration.
    pub selected: Option<Params>,
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
    /// Lowest and highest test median among the members: NSE, KGE, r.
    pub members_test: [Defined<(f64, f64)>; 3],
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
    /// Median NSE.
    pub nse: Defined,
    /// Median KGE.
    pub kge: Defined,
    /// Median correlation.
    pub r: Defined,
}

impl Summary {
    pub(crate) fn new(results: &Results<'_>, evaluation: &Evaluation, report: &Path) -> Self {
        let part = |part| {
            let median = |measure| evaluation.median(Series::Ensemble, part, measure);
            PartSummary {
                part,
                sites: evaluation
                    .defined(Series::Ensemble, part, Measure::Nse)
                    .len(),
                nse: median(Measure::Nse),
                kge: median(Measure::Kge),
                r: median(Measure::R),
            }
        };
        let members_test = Measure::SKILL.map(|measure| {
            let medians: Vec<f64> = (0..results.members.len())
                .filter_map(|member| {
                    evaluation
                        .median(Series::Member(member), Part::Test, measure)
                        .ok()
                })
                .collect();
            range(&medians)
        });
        let baseline = evaluation.defined(
            Series::Baseline(Baseline::TrainingMean),
            Part::Test,
            Measure::Nse,
        );
        let (sites_better, sites_compared) = evaluation.better_than_training_mean();
        Self {
            job: results.job_name.to_owned(),
            selected: results.selection.winner,
            metric: results.selection.metric,
            selected_on: results.selection.on.part(),
            members: results.members.len(),
            members_planned: results.members_planned,
            ensemble: words::PARTS.map(part).to_vec(),
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
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let selected = match &self.selected {
            Some(params) => params.to_string(),
            None => "nothing: no configuration is selectable".to_owned(),
        };
        let (metric, on) = (words::metric(self.metric), words::part(self.selected_on));
        writeln!(f, "{}", self.job)?;
        writeln!(f, "  selected  {selected}")?;
        writeln!(f, "            by {metric} on {on}")?;
        writeln!(
            f,
            "  members   {} of {}",
            self.members, self.members_planned
        )?;
        writeln!(f)?;
        row(
            f,
            "median over sites",
            "sites",
            ["NSE", "KGE", "r"].map(str::to_owned),
        )?;
        for summary in &self.ensemble {
            let label = format!("ensemble mean, {}", words::part(summary.part));
            let scores = [summary.nse, summary.kge, summary.r].map(|score| cell(score.ok()));
            row(f, &label, &summary.sites.to_string(), scores)?;
        }
        let end =
            |pick: fn((f64, f64)) -> f64| self.members_test.map(|range| cell(range.ok().map(pick)));
        row(f, "lowest member, test", "", end(|(low, _)| low))?;
        row(f, "highest member, test", "", end(|(_, high)| high))?;
        let baseline = [cell(self.training_mean_nse.ok()), cell(None), cell(None)];
        row(
            f,
            "training mean, test",
            &self.sites_compared.to_string(),
            baseline,
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "  better than the training mean at {} of {}",
            self.sites_better,
            words::counted(self.sites_compared, "site")
        )?;
        for (counts, name) in [(self.classes, "text"), (self.classes_caption, "captions")] {
            writeln!(f, "  classes   {counts} ({name})")?;
        }
        write!(f, "  report    {}", self.report.display())
    }
}

fn row(f: &mut fmt::Formatter<'_>, label: &str, sites: &str, scores: [String; 3]) -> fmt::Result {
    let [nse, kge, r] = scores;
    writeln!(f, "  {label:<28}{sites:>6}{nse:>13}{kge:>13}{r:>13}")
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "not defined".to_owned(), |value| format!("{value:.3}"))
}
