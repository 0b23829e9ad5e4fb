//! `[training]` as files have it: every number under a key of its own.

use serde::{Deserialize, Serialize};

use super::{Backend, Keep, Loss, Optimizer, Sampling, Schedule, Training};
use crate::settings::Fault;

/// The keys of [`Training`]. This form is hashed into the ids of trials: a change of a name, of a value or of a default here
/// is a change of every id.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TrainingKeys {
    window_days: u32,
    epochs: u32,
    backend: Backend,
    sampler: Sampling,
    warm_up_days: u32,
    loss: LossKey,
    /// Where Huber's loss turns into a line, in standard deviations of the targets. Left out: 1.
    huber_delta: Option<f64>,
    optimizer: OptimizerKey,
    learning_rate: Option<f64>,
    /// Share of a weight, times the learning rate, that a step takes away. Left out: 0.01, as in torch.
    weight_decay: Option<f64>,
    schedule: Schedule,
    clip_norm: Option<f64>,
    keep: Keep,
    patience: Option<u32>,
    tf32: bool,
    threads: u32,
    epoch_updates: Option<u32>,
    batch_windows: Option<u32>,
    warm_up_updates: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LossKey {
    Mse,
    Nse,
    Huber,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OptimizerKey {
    Adadelta,
    Adam,
    AdamW,
}

impl Default for TrainingKeys {
    fn default() -> Self {
        Training::default().into()
    }
}

impl From<Training> for TrainingKeys {
    fn from(training: Training) -> Self {
        let Training {
            window_days,
            epochs,
            backend,
            sampler,
            warm_up_days,
            loss,
            optimizer,
            learning_rate,
            schedule,
            clip_norm,
            keep,
            patience,
            tf32,
            threads,
            epoch_updates,
            batch_windows,
            warm_up_updates,
        } = training;
        Self {
            window_days,
            epochs,
            backend,
            sampler,
            warm_up_days,
            loss: match loss {
                Loss::Mse => LossKey::Mse,
                Loss::Nse => LossKey::Nse,
                Loss::Huber { .. } => LossKey::Huber,
            },
            huber_delta: loss.delta(),
            optimizer: match optimizer {
                Optimizer::Adadelta => OptimizerKey::Adadelta,
                Optimizer::Adam => OptimizerKey::Adam,
                Optimizer::AdamW { .. } => OptimizerKey::AdamW,
            },
            learning_rate,
            weight_decay: optimizer.decay(),
            schedule,
            clip_norm,
            keep,
            patience,
            tf32,
            threads,
            epoch_updates,
            batch_windows,
            warm_up_updates,
        }
    }
}

impl TrainingKeys {
    /// The training that these keys describe.
    ///
    /// # Errors
    ///
    /// The first key that does not belong to the loss or the optimizer.
    pub(crate) fn training(self) -> Result<Training, Fault> {
        let loss = match (self.loss, self.huber_delta) {
            (LossKey::Huber, delta) => Loss::Huber { delta },
            (LossKey::Mse, None) => Loss::Mse,
            (LossKey::Nse, None) => Loss::Nse,
            (LossKey::Mse | LossKey::Nse, Some(delta)) => {
                let expected = "no such key unless `loss` is \"huber\"";
                return Err(("huber_delta", delta.to_string(), expected));
            }
        };
        let optimizer = match (self.optimizer, self.weight_decay) {
            (OptimizerKey::AdamW, decay) => Optimizer::AdamW { decay },
            (OptimizerKey::Adadelta, None) => Optimizer::Adadelta,
            (OptimizerKey::Adam, None) => Optimizer::Adam,
            (OptimizerKey::Adadelta | OptimizerKey::Adam, Some(decay)) => {
                let expected = "no such key unless `optimizer` is \"adamw\"";
                return Err(("weight_decay", decay.to_string(), expected));
            }
        };
        Ok(Training {
            window_days: self.window_days,
            epochs: self.epochs,
            backend: self.backend,
            sampler: self.sampler,
            warm_up_days: self.warm_up_days,
            loss,
            optimizer,
            learning_rate: self.learning_rate,
            schedule: self.schedule,
            clip_norm: self.clip_norm,
            keep: self.keep,
            patience: self.patience,
            tf32: self.tf32,
            threads: self.threads,
            epoch_updates: self.epoch_updates,
            batch_windows: self.batch_windows,
            warm_up_updates: self.warm_up_updates,
        })
    }
}

impl TryFrom<TrainingKeys> for Training {
    type Error = String;

    fn try_from(keys: TrainingKeys) -> Result<Self, String> {
        keys.training()
            .map_err(|(key, found, expected)| format!("`{key}` has {found}, expected {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_files_is_the_one_that_ids_are_made_of() {
        let training = Training {
            loss: Loss::Huber { delta: Some(1.5) },
            optimizer: Optimizer::AdamW { decay: None },
            ..Training::default()
        };
        let text = serde_json::to_string(&training).unwrap();
        let expected = "{\"window_days\":30,\"epochs\":200,\"backend\":\"auto\",\"sampler\":\"uniform\",\"warm_up_days\":0,\
            \"loss\":\"huber\",\"huber_delta\":1.5,\"optimizer\":\"adamw\",\"learning_rate\":null,\
            \"weight_decay\":null,\"schedule\":\"constant\",\"clip_norm\":null,\"keep\":\"last\",\"patience\":null,\
            \"tf32\":false,\"threads\":1,\"epoch_updates\":null,\"batch_windows\":null,\"warm_up_updates\":20}";
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Training>(&text).unwrap(), training);
        let odd = text.replace("\"huber\"", "\"mse\"");
        let refused = serde_json::from_str::<Training>(&odd).unwrap_err();
        assert!(
            refused.to_string().contains("`huber_delta` has 1.5"),
            "{refused}"
        );
    }
}
