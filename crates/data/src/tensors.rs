//! The arrays a model reads: a pack as a trial sees it, scaled, with every target masked that is not fitted on.

use std::fmt;

use efflux_base::error::{Error, Result};
use efflux_job::View;
use efflux_numerics::{SiteByDay, single};

use super::derived::SiteRecord;
use super::pack::{Pack, Site};
use super::scale::Scale;
use super::scales::{Input, InputScale, Scales, expressions};
use super::split::{Parts, fitted};

/// Scaled inputs and targets. S sites, D days, F daily inputs, A static inputs, all arrays row-major.
#[derive(Clone)]
pub struct Tensors {
    /// S.
    pub sites: usize,
    /// D.
    pub days: usize,
    /// F: the view's daily inputs, then one 0/1 column for each that some site lacks, then its derived inputs.
    pub dynamic: usize,
    /// A: the view's static inputs, then one 0/1 column for each that some site lacks.
    pub statics: usize,
    /// Shape `[S, D, F]`, complete; in `[0, 1]` but for derived inputs, which are as the job writes them.
    pub dynamic_values: Vec<f32>,
    /// Shape `[S, A]`, in `[0, 1]`, complete.
    pub static_values: Vec<f32>,
    /// Shape `[S, D]`, scaled; NaN on every day that is not fitted on: validation (unless fitted on) and test days
    /// are not in here at all.
    pub target: SiteByDay<f32>,
    /// From `target` and from what the model gives back to the unit of the pack's target.
    pub scale: Scale,
    /// Shape `[S, D]`: the observed flux of all parts, in that unit, NaN on a day without a value. For scores only.
    pub observed: SiteByDay<f32>,
    /// The part of each day.
    pub parts: Parts,
    /// The sites that are judged because nothing was trained on them; none if all are judged.
    pub held_out: Vec<usize>,
    /// The ids of the sites, shape `[S]`.
    pub site_ids: Vec<String>,
    /// Which of the sites that a head has weights of each site is; none of one that it was not trained with, `[S]`.
    pub heads: Vec<Option<usize>>,
}

/// Without the arrays: they would bury whatever else is shown.
impl fmt::Debug for Tensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensors")
            .field("sites", &self.sites)
            .field("days", &self.days)
            .field("dynamic", &self.dynamic)
            .field("statics", &self.statics)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

impl Tensors {
    /// The days of a site that are fitted on.
    pub fn fitted(&self, site: usize) -> Vec<usize> {
        let target = self.target.site(site).iter().enumerate();
        let fitted = target.filter(|(_, value)| !value.is_nan());
        fitted.map(|(day, _)| day).collect()
    }

    /// The days of a site that the training did not have and on which the pack has a flux.
    pub fn observed_anew(&self, site: usize) -> Vec<usize> {
        if self.heads[site].is_some() {
            return Vec::new();
        }
        let flux = self.observed.site(site).iter().enumerate();
        let observed = flux.filter(|(_, value)| !value.is_nan());
        observed.map(|(day, _)| day).collect()
    }

    /// The arrays for trials with this view, scaled by [`Scales::fit`]. Where a site lacks an
    /// input, the mean of the other sites' means stands in and the input's 0/1 column is 1.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] if the pack is not the view's, or if there is no day to fit on.
    pub fn build(pack: &Pack, view: &View) -> Result<Self> {
        if pack.digest != view.pack_digest {
            return Err(Error::Usage(format!(
                "the pack has digest {}, expected {} (the pack was changed after this run was started)",
                pack.digest, view.pack_digest
            )));
        }
        let scales = Scales::fit(pack, view)?;
        let parts = Parts::of_view(&pack.flux, view);
        let target = fitted(&pack.flux, &parts, view);
        Ok(Self {
            target: target.map(|&flux| single(scales.target.apply(flux))),
            parts,
            held_out: match &view.held_out {
                None => Vec::new(),
                Some(fold) => fold.test.clone(),
            },
            ..Self::to_predict(pack, &scales)
        })
    }

    /// Some of the sites alone, ascending, with nothing to fit on; the head of the first has the first weights, and so on.
    #[must_use]
    pub fn of_sites(&self, sites: &[usize]) -> Self {
        fn rows<T: Copy>(values: &[T], width: usize, sites: &[usize]) -> Vec<T> {
            let of = |&site: &usize| values[site * width..][..width].iter().copied();
            sites.iter().flat_map(of).collect()
        }
        let (count, days) = (sites.len(), self.days);
        Self {
            sites: count,
            days,
            dynamic: self.dynamic,
            statics: self.statics,
            dynamic_values: rows(&self.dynamic_values, days * self.dynamic, sites),
            static_values: rows(&self.static_values, self.statics, sites),
            target: SiteByDay::filled(count, days, f32::NAN),
            scale: self.scale,
            observed: SiteByDay::of(days, rows(self.observed.values(), days, sites)),
            parts: Parts::unused(count, days),
            held_out: Vec::new(),
            site_ids: (sites.iter())
                .map(|&site| self.site_ids[site].clone())
                .collect(),
            heads: (0..count).map(Some).collect(),
        }
    }

    /// Whether a site is one of those that the scores of a trial are over.
    pub fn is_judged(&self, site: usize) -> bool {
        self.held_out.is_empty() || self.held_out.contains(&site)
    }

    /// The arrays for a trained model that is to simulate any pack: scaled as its training scaled them, with nothing to
    /// fit on. What [`Scales::check`] refuses is stood in for.
    pub fn to_predict(pack: &Pack, scales: &Scales) -> Self {
        let (sites, days) = (pack.sites.len(), pack.calendar.days);
        let daily = scales.dynamic.iter();
        let fixed = scales.statics.iter();
        let daily = daily.map(|scale| (scale, Input::daily(pack, &scale.name)));
        let fixed = fixed.map(|scale| (scale, Input::fixed(pack, &scale.name)));
        let scaled = columns(&daily.collect::<Vec<_>>(), sites, days);
        let (dynamic, dynamic_values) = with_derived(pack, scales, scaled);
        let head = |site: &Site| scales.sites.iter().position(|id| *id == site.id);
        let (statics, static_values) = columns(&fixed.collect::<Vec<_>>(), sites, 1);
        Self {
            sites,
            days,
            dynamic,
            statics,
            dynamic_values,
            static_values,
            target: SiteByDay::filled(sites, days, f32::NAN),
            scale: scales.target,
            observed: pack.flux.clone(),
            parts: Parts::unused(sites, days),
            held_out: Vec::new(),
            site_ids: pack.sites.iter().map(|site| site.id.clone()).collect(),
            heads: pack.sites.iter().map(head).collect(),
        }
    }
}

/// The daily columns, `[S, D, F]`, with those of derived inputs behind them in each row, as they are.
fn with_derived(
    pack: &Pack,
    scales: &Scales,
    (width, values): (usize, Vec<f32>),
) -> (usize, Vec<f32>) {
    // What cannot be read was refused by `Scales::check`, or before there were scales.
    let expressions = expressions(&scales.derived).unwrap_or_default();
    if expressions.is_empty() {
        return (width, values);
    }
    let (days, days_of_year) = (pack.calendar.days, pack.days_of_year());
    let mut all = Vec::with_capacity(pack.sites.len() * days * (width + expressions.len()));
    for (site, described) in pack.sites.iter().enumerate() {
        let mut record = SiteRecord::of(pack, site, &days_of_year, Vec::new());
        if let Some(known) = scales.statistics.get(&described.id) {
            record.statistics.clone_from(known);
        }
        let columns = expressions
            .iter()
            .map(|(_, expression)| record.values(expression));
        let columns: Vec<Vec<f64>> = columns.collect();
        for day in 0..days {
            all.extend_from_slice(&values[(site * days + day) * width..][..width]);
            all.extend(columns.iter().map(|column| single(column[day])));
        }
    }
    (width + expressions.len(), all)
}

/// The scaled columns of these inputs, then the 0/1 columns of those that have one: their number F and the values,
/// `[S, D, F]`.
fn columns(
    inputs: &[(&InputScale, Option<Input<'_>>)],
    sites: usize,
    days: usize,
) -> (usize, Vec<f32>) {
    let indicators = inputs.iter().filter(|(scale, _)| scale.indicator).count();
    let width = inputs.len() + indicators;
    let mut values = vec![0.0; sites * days * width];
    let mut indicator = inputs.len();
    for (column, (scale, input)) in inputs.iter().enumerate() {
        for site in 0..sites {
            let rows = values[site * days * width..][..days * width].chunks_exact_mut(width);
            match input.as_ref().and_then(|input| input.series(site)) {
                Some(series) => {
                    for (row, value) in rows.zip(series) {
                        row[column] = single(scale.scale.map_or(0.0, |scale| scale.apply(value)));
                    }
                }
                None => {
                    for row in rows {
                        row[column] = single(scale.stand_in);
                        if scale.indicator {
                            row[indicator] = 1.0;
                        }
                    }
                }
            }
        }
        indicator += usize::from(scale.indicator);
    }
    (width, values)
}
