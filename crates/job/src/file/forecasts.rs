//! What of the search serves as forecasts.

use efflux_base::error::Result;

use super::Job;
use crate::configuration::Configuration;
use crate::contract::Contract;
use crate::trial::Trial;

impl Job {
    /// Whether trials of the search keep what they simulate: the validation days of it are forecasts, which tell how sure a
    /// mean of unlike members is and what its kinds may weigh.
    pub fn keeps_forecasts(&self) -> bool {
        let split = &self.settings.split;
        self.ensemble.is_mixed() && split.validation > 0.0 && !split.has_folds()
    }

    /// The trials of the search whose simulations forecast the validation days, once a configuration is selected; none where
    /// they are not kept.
    ///
    /// # Errors
    ///
    /// As [`Job::search_trials`].
    pub fn forecast_trials(
        &self,
        contract: &Contract,
        configuration: &Configuration,
    ) -> Result<Vec<Trial>> {
        let mut trials = self.search_trials(contract)?.into_vec();
        trials.retain(|trial| self.keeps_forecasts() && trial.params == *configuration);
        Ok(trials)
    }
}
