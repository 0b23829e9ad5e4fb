//! What a run keeps of a mean of unlike members, so that it can be taken on another pack.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_data::{Member, Pack, ProcessVariables, SeenSites};
use efflux_job::EnsembleMembers;
use efflux_numerics::SiteByDay;
use efflux_run::RunDir;
use serde::{Deserialize, Serialize};

use super::ensemble::Together;
use super::mean::MeanRule;
use super::mixed::{Kinds, SiteRecords};
use super::{inputs, pooled};

/// `ensemble/mixture.json`, and beside it what the pooled process has seen.
#[derive(Clone, Debug)]
pub struct Mixture {
    pub(super) kept: Kept,
    /// None where it has no part.
    pub(super) seen: Option<SeenSites>,
    /// Where both are.
    run: RunDir,
}

/// What the file has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// What fits of single sites and the process read; none if the pack of the run had no temperature.
    pub(super) variables: Option<ProcessVariables>,
    /// The coefficients of the fit of each site by its id, where such fits are members.
    pub(super) site_fits: Option<BTreeMap<String, [f64; 5]>>,
    /// How the mean is taken; none in runs of before weights could be fitted, of which the job says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mean: Option<MeanRule>,
    /// Whether the process has a part.
    pub(super) has_process: bool,
    /// The levels of its intervals, rising, and how many standard deviations each reaches to either side.
    #[serde(default)]
    pub(super) intervals: Vec<(f64, f64)>,
    /// The one interval of runs that were evaluated before there were several.
    #[serde(default, skip_serializing)]
    pub(super) interval: Option<(f64, f64)>,
}

impl Mixture {
    pub(super) fn new(run: &RunDir, kept: Kept, seen: Option<SeenSites>) -> Self {
        Self {
            kept,
            seen,
            run: run.clone(),
        }
    }

    /// Keeps it with the run, or sees to it that none is there.
    pub(super) fn keep(mixture: Option<&Self>, run: &RunDir) -> Result<()> {
        match mixture.and_then(|of| of.seen.as_ref()) {
            Some(seen) => seen.write(&run.processes())?,
            None => durable::remove(&run.processes())?,
        }
        let Some(Self { kept, .. }) = mixture else {
            return durable::remove(&run.mixture());
        };
        let text = serde_json::to_string_pretty(kept);
        let text = text.map_err(|error| Error::Internal(format!("mixture: {error}")))?;
        durable::write(&run.mixture(), text + "\n")
    }

    /// As a run has it.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where a file is missing or damaged, [`Error::Io`] if one cannot be read.
    pub fn read(run: &RunDir) -> Result<Self> {
        let there = |path: PathBuf| match path.exists() {
            true => Ok(path),
            false => Err(Error::file(
                &path,
                "is missing, and the mean is one of unlike members (`efflux evaluate` makes it of the run's pack)",
            )),
        };
        let path = there(run.mixture())?;
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let mut kept: Kept = serde_json::from_str(&text).map_err(|error| {
            let advice = "expected what a mean of unlike members takes (`efflux evaluate` makes it of the run's pack)";
            Error::line(&path, error.line().max(1) as u64, format!("{error}, {advice}"))
        })?;
        kept.intervals.extend(kept.interval.take());
        let seen = kept
            .has_process
            .then(|| SeenSites::read(&there(run.processes())?));
        Ok(Self::new(run, kept, seen.transpose()?))
    }

    /// Whether a pack has what processes and fits of single sites read.
    ///
    /// # Errors
    ///
    /// As [`ProcessVariables::check`].
    pub fn check(&self, pack: &Pack) -> std::result::Result<(), String> {
        let mut variables = self.kept.variables.iter();
        variables.try_for_each(|of| of.check(pack))
    }

    /// Lets the process see the days of a pack with a flux at sites that the training did not have, and the mean know their
    /// level. Their amplitude and noise are those of the constants.
    pub fn adapt(&mut self, pack: &Pack) {
        let days_of_year = pack.days_of_year();
        for (site, named) in pack.sites.iter().enumerate() {
            let flux = pack.flux_of(site);
            let days = flux.iter().enumerate();
            let observed = days.filter(|(_, value)| !value.is_nan());
            let observed: Vec<usize> = observed.map(|(day, _)| day).collect();
            if let Some(mean) = &mut self.kept.mean {
                mean.know(&named.id, flux, &observed);
            }
            let Some(seen) = &mut self.seen else {
                continue;
            };
            if seen.site(&named.id).is_some() {
                continue;
            }
            seen.sites.extend(pooled::site(
                pack,
                &seen.variables,
                site,
                &days_of_year,
                &observed,
            ));
        }
    }

    /// What networks that simulated a pack say together with the other members. At sites that the process has not seen, it
    /// says what all sites have in common, and there is no interval; fits of single sites are those of the training.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if the values of a site are beyond what can be computed with.
    pub fn together(
        &self,
        pack: &Pack,
        members: &[Member],
        ensemble: &EnsembleMembers,
    ) -> Result<Together> {
        let Self { kept, seen, run } = self;
        let of_job = || {
            let weights = ensemble.weights()?;
            Some(MeanRule::new(weights, 1.0, pack, &|_| Vec::new()))
        };
        let rule = kept.mean.clone().or_else(of_job).ok_or_else(|| {
            let reason =
                "has no weights, and those of the job are fitted (`efflux evaluate` fits them)";
            Error::file(run.mixture(), reason)
        })?;
        let mut expected = match seen {
            Some(seen) => {
                let expected = pooled::expected(pack, seen, !kept.intervals.is_empty(), &|_| true);
                Some(expected.map_err(|error| Error::file(run.processes(), error.to_string()))?)
            }
            None => None,
        };
        let site_fits = self.site_fits(pack);
        let kinds = Kinds {
            networks: members,
            pooled: expected.as_ref().map(|of| &of.flux),
            site_fits: site_fits.as_ref(),
        };
        let mut together = Together::of(members);
        together.mean = kinds.mean(&rule, pack).values().to_vec();
        if let (Some(seen), Some(of)) = (seen, expected.as_mut()) {
            for (site, named) in pack.sites.iter().enumerate() {
                if seen
                    .site(&named.id)
                    .is_none_or(|of| of.site.seen.is_empty())
                {
                    of.sd.site_mut(site).fill(f32::NAN);
                }
            }
            together.expect_from_forecasts(&of.sd, &kept.intervals);
        }
        Ok(together)
    }

    fn site_fits(&self, pack: &Pack) -> Option<SiteByDay<f64>> {
        let Kept {
            variables,
            site_fits: fits,
            ..
        } = &self.kept;
        let (fits, variables) = (fits.as_ref()?, variables.as_ref()?);
        let mut places = pack.dynamic.iter();
        let place = places.position(|of| of.name == variables.temperature)?;
        let temperature = &inputs::celsius(pack, place);
        Some(SiteRecords { pack, temperature }.flux(fits))
    }
}
