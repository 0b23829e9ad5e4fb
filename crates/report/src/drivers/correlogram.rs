//! The records with the strongest and the weakest rhythm, lag by lag.

use efflux_analysis::rhythm::{Autocorrelation, CYCLICALITY, autocorrelation};

use super::site::{SiteProperties, record_series};
use crate::evaluation::Evaluation;
use crate::results::Results;

/// A site with its autocorrelations.
pub(crate) struct Correlogram {
    pub(crate) site: usize,
    pub(crate) role: &'static str,
    /// At lags of 1, 2, … [`CYCLICALITY`] days: of observed and of simulated flux, on the same days.
    pub(crate) lags: Vec<[Autocorrelation; 2]>,
}

/// The sites where smoothness less seasonality plus cyclicality is greatest and least, of those where all three rest on
/// enough pairs; none if there are not two.
pub(super) fn correlograms(
    results: &Results<'_>,
    evaluation: &Evaluation,
    sites: &[SiteProperties],
) -> Vec<Correlogram> {
    let rhythm = |site: &SiteProperties| {
        let parts = [&site.smoothness, &site.seasonality, &site.cyclicality];
        if !parts.iter().all(|part| part.usable()) {
            return None;
        }
        let [smoothness, seasonality, cyclicality] = parts.map(|part| part.r.ok());
        Some(smoothness? - seasonality? + cyclicality?)
    };
    let known = sites.iter().enumerate();
    let mut ranked: Vec<(f64, usize)> = known
        .filter_map(|(place, site)| Some((rhythm(site)?, place)))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (Some(first), Some(last)) = (ranked.first(), ranked.last()) else {
        return Vec::new();
    };
    if first.1 == last.1 {
        return Vec::new();
    }
    [(first.1, "strongest"), (last.1, "weakest")]
        .map(|(site, role)| {
            let series = record_series(results, evaluation, site);
            let at = |lag| [0, 1].map(|which| autocorrelation(&series[which], lag));
            Correlogram {
                site,
                role,
                lags: (1..=CYCLICALITY).map(at).collect(),
            }
        })
        .into()
}
