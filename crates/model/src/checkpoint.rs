//! What is kept on disk: the weights of a trained model, and trials in the middle of training.
//!
//! Both are safetensors files. Weights carry the names and shapes of a torch module with the members `input`
//! (`Linear`), `lstm` (`LSTM`) and `output` (`Linear`), so `safetensors.torch.load_file` gives a state dict for it. A
//! checkpoint adds the two running means of the optimizer by their names in torch (`optimizer.square_avg` and
//! `optimizer.acc_delta`, or `optimizer.exp_avg` and `optimizer.exp_avg_sq`), the weights of the best epoch if they are
//! to be kept (`best`), all `[N]` with the parameters in the order of the [`Layout`], and `losses` and `sums` (f64).
//!
//! A file appears under its name only when it is complete and on the disk; its digest is checked on reading.

use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::sealed::{self, Named, Seal, Versions};
use efflux_job::Params;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use super::cell::Cell;
use super::device::values;
use super::failure::TrialError;
use super::layout::{Head, Layout, Shape};
use super::network::Network;
use super::parameter::Parameter;

/// The digest of version 2, which version 0.1.0 wrote, left the header out.
const VERSIONS: &Versions = &[(2, Seal::Tensors), (3, Seal::Everything)];

/// A trial between two iterations: all that is needed to go on bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Sizes of the model.
    pub shape: Shape,
    /// The device it was made on, as [`super::backend::describe`] has it. Going on elsewhere is possible, but the bits
    /// are then no longer those of one device.
    pub device: String,
    pub(super) at: Position,
    pub(super) loss_sum: f64,
    pub(super) norm_sum: f64,
    pub(super) weights: Vec<f32>,
    /// Names of the optimizer's running means.
    pub(super) memory_names: [String; 2],
    pub(super) memory: [Vec<f32>; 2],
    pub(super) best: Option<Vec<f32>>,
}

/// How far a training has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Position {
    /// Epochs finished.
    pub epoch: u32,
    /// Iterations done of the epoch after them.
    pub iteration: u32,
    /// Batches of this epoch that held a target.
    pub batches: u32,
    /// Windows computed since the beginning.
    pub windows: u64,
    /// Those of the epochs finished.
    pub windows_before: u64,
    /// Of the epochs finished.
    pub losses: Vec<f64>,
    /// The epoch with the best validation score, from 1, and the score.
    pub best: Option<(u32, f64)>,
}

/// What the header says besides names and shapes.
#[derive(Serialize, Deserialize)]
struct Header {
    /// Absent in a file of weights.
    training: Option<Training>,
}

#[derive(Serialize, Deserialize)]
struct Training {
    trial: String,
    device: String,
    optimizer: [String; 2],
    epoch: u32,
    iteration: u32,
    batches: u32,
    windows: u64,
    windows_before: u64,
    best: Option<(u32, f64)>,
}

/// Writes a model's weights.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be written.
pub fn save_weights(model: &Network, path: &Path) -> Result<()> {
    let weights = values(model.flat());
    write(path, &parameters(model.shape(), &weights), None)
}

/// Reads a model's weights, of a file of weights or of a checkpoint, onto the CPU.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is not a complete file of this version.
pub fn load_weights(path: &Path) -> Result<Network> {
    let bytes = fs::read(path).map_err(Error::io("read the weights", path))?;
    let (file, _) = parse(path, &bytes)?;
    let (shape, weights) = read_parameters(path, &file)?;
    Ok(Network::new(
        shape,
        Tensor::from_slice(&weights).to_device(Device::Cpu),
    ))
}

impl Checkpoint {
    /// Epochs finished.
    pub fn epoch(&self) -> u32 {
        self.at.epoch
    }

    /// Iterations done of the epoch after them.
    pub fn iteration(&self) -> u32 {
        self.at.iteration
    }

    /// Whether a training of a model of this shape, with an optimizer that has these names for its memory, can go on from
    /// here.
    ///
    /// # Errors
    ///
    /// [`TrialError::Checkpoint`] with what differs.
    pub(super) fn check(
        &self,
        shape: Shape,
        names: [&str; 2],
        epochs: u32,
        iterations: u32,
    ) -> Result<(), TrialError> {
        let (epoch, iteration) = (self.epoch(), self.iteration());
        let refused = |reason: String| Err(TrialError::Checkpoint(reason));
        if self.shape != shape {
            return refused(format!("of a model of {:?}, not {shape:?}", self.shape));
        }
        if epoch > epochs || iteration >= iterations {
            return refused(format!(
                "epoch {epoch}, iteration {iteration} is beyond {epochs} epochs of {iterations} iterations"
            ));
        }
        if self.memory_names != names {
            return refused(format!(
                "holds {:?} of the optimizer, not {names:?}",
                self.memory_names
            ));
        }
        Ok(())
    }

    /// Writes the checkpoint of this trial; what was there before stays until the new one is complete.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be written.
    pub fn save(&self, trial: &str, path: &Path) -> Result<()> {
        let flat = |name: &str, values: &[f32]| Named {
            name: name.into(),
            dtype: Dtype::F32,
            shape: vec![values.len()],
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        let double = |name: &str, values: &[f64]| Named {
            name: name.into(),
            dtype: Dtype::F64,
            shape: vec![values.len()],
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        let mut tensors = parameters(self.shape, &self.weights);
        for (name, values) in self.memory_names.iter().zip(&self.memory) {
            tensors.push(flat(&format!("optimizer.{name}"), values));
        }
        tensors.extend(self.best.as_ref().map(|weights| flat("best", weights)));
        tensors.push(double("losses", &self.at.losses));
        tensors.push(double("sums", &[self.loss_sum, self.norm_sum]));
        let training = Training {
            trial: trial.into(),
            device: self.device.clone(),
            optimizer: self.memory_names.clone(),
            epoch: self.at.epoch,
            iteration: self.at.iteration,
            batches: self.at.batches,
            windows: self.at.windows,
            windows_before: self.at.windows_before,
            best: self.at.best,
        };
        write(path, &tensors, Some(training))
    }

    /// Reads the checkpoint of this trial.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] if it is damaged, of another version or of another trial.
    pub fn load(trial: &str, path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io("read the checkpoint", path))?;
        let (file, header) = parse(path, &bytes)?;
        let training = header
            .training
            .ok_or_else(|| Error::file(path, "a file of weights, expected a checkpoint"))?;
        if training.trial != trial {
            let reason = format!("a checkpoint of trial {}, expected {trial}", training.trial);
            return Err(Error::file(path, reason));
        }
        let (shape, weights) = read_parameters(path, &file)?;
        let state = |name: &str| {
            read(path, &file, name, f32::from_le_bytes).and_then(|(values, _)| {
                if values.len() == weights.len() {
                    Ok(values)
                } else {
                    let (found, expected) = (values.len(), weights.len());
                    Err(Error::file(
                        path,
                        format!("`{name}` has {found} values, expected {expected}"),
                    ))
                }
            })
        };
        let memory = |name: &String| state(&format!("optimizer.{name}"));
        let [first, second] = &training.optimizer;
        let best = file.tensor("best").ok().map(|_| state("best"));
        let (losses, _) = read(path, &file, "losses", f64::from_le_bytes)?;
        let (sums, _) = read(path, &file, "sums", f64::from_le_bytes)?;
        let &[loss_sum, norm_sum] = &sums[..] else {
            let found = sums.len();
            return Err(Error::file(
                path,
                format!("`sums` has {found} values, expected 2"),
            ));
        };
        Ok(Self {
            shape,
            memory: [memory(first)?, memory(second)?],
            best: best.transpose()?,
            device: training.device,
            memory_names: training.optimizer,
            at: Position {
                epoch: training.epoch,
                iteration: training.iteration,
                batches: training.batches,
                windows: training.windows,
                windows_before: training.windows_before,
                losses,
                best: training.best,
            },
            loss_sum,
            norm_sum,
            weights,
        })
    }
}

/// The parameters of a model with these weights.
fn parameters(shape: Shape, weights: &[f32]) -> Vec<Named> {
    let mut rest = weights;
    let layout = Layout::of(shape);
    let named = |parameter: &Parameter| {
        let shape: Vec<usize> = layout
            .sizes(parameter)
            .into_iter()
            .map(|size| usize::try_from(size).expect("sizes are positive"))
            .collect();
        let (values, after) = rest.split_at(shape.iter().product());
        rest = after;
        Named {
            name: parameter.name.clone(),
            dtype: Dtype::F32,
            shape,
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    };
    layout.parameters().iter().map(named).collect()
}

/// The shape of the model in a file, and its weights.
fn read_parameters(path: &Path, file: &SafeTensors) -> Result<(Shape, Vec<f32>)> {
    let (_, first) = read(path, file, "input.weight", f32::from_le_bytes)?;
    let &[hidden, joined] = &first[..] else {
        return Err(Error::file(path, "`input.weight` is not a matrix"));
    };
    let sizes = |name: &str| file.tensor(name).map(|tensor| tensor.shape().to_vec());
    let (of_head, of_embedding) = (sizes("site.bias"), sizes("embedding.weight"));
    let head = match of_head {
        Ok(_) => Head::Site {
            skip: file.tensor("skip.weight").is_ok(),
        },
        Err(_) => Head::Shared,
    };
    let embedding = match of_embedding.as_deref() {
        Ok(&[_, embedding]) if (1..joined).contains(&embedding) => embedding,
        Ok(_) => {
            return Err(Error::file(
                path,
                "`embedding.weight` has no vectors that `input.weight` could read",
            ));
        }
        Err(_) => 0,
    };
    let rows = of_head.or(of_embedding).map(|sizes| sizes.first().copied());
    let sites = rows.ok().flatten().unwrap_or(0) as i64;
    // Cell and layers are those whose parameters are there; a model of fewer layers would leave some of them out.
    let layers = (1..=Params::MOST_LAYERS).rev();
    let shapes = layers.flat_map(|layers| {
        Cell::ALL.map(|cell| Shape {
            cell,
            inputs: (joined - embedding) as i64,
            hidden: hidden as i64,
            layers: i64::from(layers),
            head,
            embedding: embedding as i64,
            sites,
        })
    });
    let is_there = |parameter: &Parameter| file.tensor(&parameter.name).is_ok();
    let layouts: Vec<Layout> = shapes.map(Layout::of).collect();
    let found = layouts
        .iter()
        .find(|layout| layout.parameters().iter().all(is_there));
    let layout = found.unwrap_or(&layouts[layouts.len() - 1]);
    let mut weights = Vec::new();
    for parameter in layout.parameters() {
        let name = &parameter.name;
        let (values, shape) = read(path, file, name, f32::from_le_bytes)?;
        let found: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let expected = layout.sizes(parameter);
        if found != expected {
            let reason = format!("`{name}` has shape {found:?}, expected {expected:?}");
            return Err(Error::file(path, reason));
        }
        weights.extend(values);
    }
    Ok((layout.shape(), weights))
}

/// The values and the shape of one tensor.
fn read<T, const N: usize>(
    path: &Path,
    file: &SafeTensors,
    name: &str,
    value: impl Fn([u8; N]) -> T,
) -> Result<(Vec<T>, Vec<usize>)> {
    let tensor = file
        .tensor(name)
        .map_err(|error| Error::file(path, error.to_string()))?;
    let expected = if N == 4 { Dtype::F32 } else { Dtype::F64 };
    if tensor.dtype() != expected {
        let reason = format!("`{name}` is {:?}, expected {expected:?}", tensor.dtype());
        return Err(Error::file(path, reason));
    }
    let (bytes, _) = tensor.data().as_chunks::<N>();
    Ok((
        bytes.iter().map(|&bytes| value(bytes)).collect(),
        tensor.shape().to_vec(),
    ))
}

fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<(SafeTensors<'a>, Header)> {
    match sealed::read(VERSIONS, bytes) {
        Ok((header, tensors)) => Ok((tensors, header)),
        Err(reason) => Err(Error::file(path, reason)),
    }
}

fn write(path: &Path, tensors: &[Named], training: Option<Training>) -> Result<()> {
    sealed::write(path, VERSIONS, Header { training }, tensors)
}
