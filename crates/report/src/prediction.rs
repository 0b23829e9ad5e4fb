//! What `efflux predict` tells of a pack: tables and a headline.

use std::fmt;
use std::path::{Path, PathBuf};

use efflux_analysis::Defined;
use efflux_analysis::measures::{ByMeasure, Measure, Scores};
use efflux_analysis::metrics::Pairs;
use efflux_analysis::statistics::median;
use efflux_base::durable;
use efflux_base::error::Result;
use efflux_data::{
    Extrapolation, Filled, FilledDays, INSIDE, INSIDE_AREA, InputFlags, Member, OUTSIDE_AREA, Pack,
    SiteDistances, Target,
};

use super::section::Members;
use super::table::Tabular;
use super::{numbers, tables};

/// A pack of S sites and D days as M members see it.
#[derive(Clone, Copy, Debug)]
pub struct Prediction<'a> {
    /// Name of the run.
    pub run: &'a str,
    /// What was simulated.
    pub pack: &'a Pack,
    /// Mean over the members, shape `[S, D]`, in the unit of the pack's target.
    pub mean: &'a [f32],
    /// The members, each with S × D values.
    pub members: &'a [Member],
    /// Members that the run's job asks for.
    pub members_planned: usize,
    /// Where the pack leaves the range of the training.
    pub extrapolation: &'a Extrapolation,
    /// Which values of its daily inputs were not measured.
    pub filled: &'a Filled,
    /// How far the sites are from those of the training; none if the run does not tell.
    pub distances: Option<&'a SiteDistances>,
    /// Ids of the sites that the members were trained with; none if the run does not tell.
    pub trained_with: &'a [String],
    /// Whether the series are scored; not where members were conditioned on the observed days.
    pub is_judged: bool,
}

impl Prediction<'_> {
    /// The scores of a series `[S, D]` at each site, on all days with an observation.
    pub(super) fn scores(&self, flux: &[f32]) -> impl Iterator<Item = Scores> {
        let days = self.pack.calendar.days;
        let sites = self.pack.flux.rows().zip(flux.chunks_exact(days));
        sites.map(|(observed, flux)| {
            let pairs = observed.iter().zip(flux);
            let pairs = pairs.map(|(&observed, &flux)| (f64::from(observed), f64::from(flux)));
            pairs.collect::<Pairs>().scores()
        })
    }

    /// How many of a site's observed days have an input that was not measured.
    pub(super) fn filled_days(&self, site: usize) -> FilledDays {
        let flux = self.pack.flux_of(site);
        let days = (0..flux.len()).filter(|&day| !flux[day].is_nan());
        FilledDays::among(self.filled.least_known.site(site), days)
    }

    fn is_observed(&self) -> bool {
        self.is_judged && self.pack.flux.iter().any(|flux| !flux.is_nan())
    }
}

/// Writes the tables of a prediction into `directory`, which is made if it is not there, and returns the headline:
/// `extrapolation.csv`, `applicability.csv` where the run tells of the sites of its training, and `scores.csv` where there is
/// something to compare with.
///
/// # Errors
///
/// [`Error::Io`](efflux_base::error::Error::Io) if a file cannot be written.
pub fn write_prediction(
    prediction: &Prediction<'_>,
    directory: &Path,
) -> Result<PredictionSummary> {
    let path = |file: &str| directory.join(file).with_extension("csv");
    let target = &prediction.pack.target;
    let extrapolation = tables::prediction::extrapolation(prediction);
    durable::write(&path("extrapolation"), extrapolation.csv(None, target)?)?;
    match prediction.distances {
        Some(distances) => durable::write(
            &path("applicability"),
            tables::prediction::applicability(prediction, distances).csv(None, target)?,
        )?,
        None => durable::remove(&path("applicability"))?,
    }
    let members = Members {
        there: prediction.members.len(),
        planned: prediction.members_planned,
    };
    if prediction.is_observed() {
        durable::write(
            &path("scores"),
            tables::prediction::scores(prediction).csv(Some(members), target)?,
        )?;
    } else {
        // Those of an earlier pack would pass for those of this one.
        durable::remove(&path("scores"))?;
    }
    Ok(PredictionSummary::of(prediction, directory))
}

/// The headline of a prediction. Its `Display` is a few lines.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionSummary {
    /// Name of the run.
    pub run: String,
    /// What was simulated.
    pub target: Target,
    /// Sites that were simulated.
    pub sites: usize,
    /// Days that were simulated.
    pub days: usize,
    /// Members that simulated them.
    pub members: usize,
    /// Members that the run's job asks for.
    pub members_planned: usize,
    /// Share of the site days on which at least one input is outside the range of the training.
    pub outside: f64,
    /// The inputs that are outside somewhere, and the share of their values; the largest first.
    pub inputs_outside: Vec<(String, f64)>,
    /// How many sites are in the area of applicability; none if the run does not tell.
    pub area: Option<AreaSummary>,
    /// Site days on which an input was not measured.
    pub filled: FilledDays,
    /// The inputs that are held on some days, and the share of their values; the largest first.
    pub inputs_held: Vec<(String, f64)>,
    /// Sites with an observation, and the medians over them of each measure of the ensemble mean; absent without any.
    pub skill: Option<(usize, ByMeasure<Defined>)>,
    /// Sites with an observation that the members were trained with: their scores hold days of the training.
    pub trained_with: usize,
    /// Where the files are.
    pub directory: PathBuf,
}

/// How many sites are as near to the training's sites as these are to each other.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaSummary {
    /// The dissimilarity index up to which they are; NaN if there is none.
    pub threshold: f64,
    /// Sites that are.
    pub inside: usize,
    /// Sites that are not.
    pub outside: usize,
    /// The one with the largest index, if it is outside: its id and that index.
    pub farthest: Option<(String, f64)>,
}

impl AreaSummary {
    fn of(distances: &SiteDistances, pack: &Pack) -> Self {
        let count = |area: u8| distances.area.iter().filter(|of| **of == area).count();
        let sites = pack.sites.iter().zip(&distances.area);
        let outside = sites
            .zip(&distances.index)
            .filter(|((_, area), _)| **area == OUTSIDE_AREA)
            .map(|((site, _), index)| (site.id.clone(), *index));
        Self {
            threshold: distances.threshold,
            inside: count(INSIDE_AREA),
            outside: count(OUTSIDE_AREA),
            farthest: outside.max_by(|(_, one), (_, other)| one.total_cmp(other)),
        }
    }
}

impl PredictionSummary {
    fn of(prediction: &Prediction<'_>, directory: &Path) -> Self {
        let Extrapolation { dynamic, statics } = prediction.extrapolation;
        let (sites, days) = (prediction.pack.sites.len(), prediction.pack.calendar.days);
        let is_outside = |site: usize, day: usize| {
            let daily = dynamic.iter().map(|input| input.flags[site * days + day]);
            let fixed = statics.iter().map(|input| input.flags[site]);
            daily.chain(fixed).any(|flag| flag != INSIDE)
        };
        let outside = (0..sites * days).filter(|cell| is_outside(cell / days, cell % days));
        let share = |input: &InputFlags| {
            let outside = input.flags.iter().filter(|&&flag| flag != INSIDE).count();
            (
                input.name.clone(),
                outside as f64 / input.flags.len() as f64,
            )
        };
        let mut inputs_outside: Vec<(String, f64)> =
            dynamic.iter().chain(statics).map(share).collect();
        largest_first(&mut inputs_outside);
        let all = 0..sites * days;
        let mut inputs_held: Vec<(String, f64)> = (prediction.filled.inputs.iter())
            .map(|input| {
                let FilledDays { days, held, .. } = FilledDays::among(&input.flags, all.clone());
                (input.name.clone(), held as f64 / days as f64)
            })
            .collect();
        largest_first(&mut inputs_held);
        let skill = prediction.is_observed().then(|| {
            let scores: Vec<Scores> = prediction.scores(prediction.mean).collect();
            let medians = ByMeasure::new(|measure| {
                let defined = scores.iter().filter_map(|scores| scores[measure].ok());
                median(&defined.collect::<Vec<f64>>())
            });
            (scores.iter().filter(|scores| scores.n > 0).count(), medians)
        });
        let is_known = |site: &usize| {
            let is_observed = prediction
                .pack
                .flux_of(*site)
                .iter()
                .any(|flux| !flux.is_nan());
            is_observed
                && prediction
                    .trained_with
                    .contains(&prediction.pack.sites[*site].id)
        };
        Self {
            run: prediction.run.to_owned(),
            target: prediction.pack.target.clone(),
            trained_with: (0..sites).filter(is_known).count(),
            sites,
            days,
            members: prediction.members.len(),
            members_planned: prediction.members_planned,
            outside: outside.count() as f64 / (sites * days).max(1) as f64,
            inputs_outside,
            area: (prediction.distances).map(|of| AreaSummary::of(of, prediction.pack)),
            filled: FilledDays::among(&prediction.filled.least_known, all),
            inputs_held,
            skill,
            directory: directory.to_owned(),
        }
    }
}

impl PredictionSummary {
    fn write_area(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(area) = &self.area else {
            return writeln!(
                f,
                "  applicability   not known: the run was evaluated by a version that did not keep its training sites \
                 (`efflux evaluate` does)"
            );
        };
        if area.threshold.is_nan() {
            return writeln!(
                f,
                "  applicability   not known: the training has too few sites that differ and have all inputs"
            );
        }
        let (sites, threshold) = (
            numbers::counted(self.sites, "site"),
            numbers::number(area.threshold, 2),
        );
        write!(
            f,
            "  applicability   {} of {sites} as near to the training's as these to each other (index up to {threshold})",
            area.inside
        )?;
        if let Some((id, index)) = &area.farthest {
            let index = numbers::number(*index, 2);
            write!(f, ", {} farther ({id} {index})", area.outside)?;
        }
        let unknown = self.sites - area.inside - area.outside;
        if unknown > 0 {
            write!(f, ", {unknown} without an index: an input is missing")?;
        }
        writeln!(f)
    }
}

/// Inputs with a share above 0, the largest first.
fn largest_first(inputs: &mut Vec<(String, f64)>) {
    inputs.retain(|(_, share)| *share > 0.0);
    inputs.sort_by(|(_, one), (_, other)| other.total_cmp(one));
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        few if few > 0.0 && few < 0.1 => "below 0.1 %".to_owned(),
        percent => format!("{} %", numbers::number(percent, 1)),
    }
}

/// The first of these inputs with their shares, and how many more there are.
fn listed(inputs: &[(String, f64)]) -> String {
    const LISTED: usize = 5;
    let named = inputs.iter().take(LISTED);
    let mut named: Vec<String> = named
        .map(|(name, share)| format!("{name} {}", percent(*share)))
        .collect();
    let more = inputs.len().saturating_sub(LISTED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}

impl fmt::Display for PredictionSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {}, {}, {} of {} members",
            self.run,
            numbers::counted(self.sites, "site"),
            numbers::counted(self.days, "day"),
            self.members,
            self.members_planned
        )?;
        if !self.target.is_soil_efflux() {
            writeln!(f, "  target          {}", self.target)?;
        }
        if self.inputs_outside.is_empty() {
            writeln!(
                f,
                "  extrapolation   none: all values of inputs are within the range of the training"
            )?;
        } else {
            let (share, inputs) = (percent(self.outside), listed(&self.inputs_outside));
            writeln!(f, "  extrapolation   {share} of the site days ({inputs})")?;
        }
        self.write_area(f)?;
        let FilledDays {
            days,
            interpolated,
            held,
        } = self.filled;
        if held > 0 {
            let inputs = listed(&self.inputs_held);
            writeln!(
                f,
                "  held            {held} of {days} site days have an input that repeats its nearest measured value ({inputs})"
            )?;
        }
        if interpolated > 0 {
            let also = if held > 0 { " more" } else { "" };
            writeln!(
                f,
                "  interpolated    {interpolated}{also} of {days} site days have an input between two measured ones"
            )?;
        }
        if let Some((sites, medians)) = &self.skill {
            let said = Measure::headline().map(|measure| {
                let value = medians[measure].map_or_else(
                    |_| "not defined".to_owned(),
                    |value| numbers::number(value, measure.decimals),
                );
                format!("{} {value}", measure.label)
            });
            let sites = numbers::counted(*sites, "site");
            writeln!(
                f,
                "  observed        {sites}, ensemble mean: median {}",
                said.collect::<Vec<String>>().join(", ")
            )?;
            if self.trained_with > 0 {
                writeln!(
                    f,
                    "                  {} of them the members were trained with: those scores hold days of the training",
                    self.trained_with
                )?;
            }
        }
        write!(f, "  files           {}", self.directory.display())
    }
}
