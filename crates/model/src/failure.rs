//! How a trial fails.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use efflux_data::Tensors;
use efflux_job::{Params, Training, VALIDATION_DAYS};
use tch::TchError;

use super::layout::Shape;

/// Why a trial did not come to its end. The run goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// Training went out of the range of numbers. It would again: there is no randomness outside the seed.
    #[error("loss or weights are not finite in epoch {epoch}")]
    Diverged {
        /// The epoch, counted from 1.
        epoch: u32,
    },
    /// No room for data, weights or a batch: what libtorch said of it, and what the trial takes.
    #[error("not enough memory: {0}")]
    Memory(String),
    /// The job's rules need a validation score.
    #[error(
        "`training.keep` or `training.patience` needs a validation score, but no site has {VALIDATION_DAYS} observed \
         validation days that are not fitted on"
    )]
    NoValidation,
    /// The native implementation computes on CPUs alone.
    #[error(
        "`training.backend` is \"native\", which computes on CPUs alone: expected \"auto\" or \"torch\" on a GPU, or \
         `--device cpu`"
    )]
    Backend,
    /// The implementation does not have the cell.
    #[error(
        "the cell of this model is computed by libtorch alone: expected `training.backend` \"auto\" or \"torch\", and one \
         trial at a time"
    )]
    Cell,
    /// libtorch reported an error; the first line of what it said.
    #[error("libtorch: {0}")]
    Torch(String),
    /// The caller asked for an end.
    #[error("interrupted")]
    Interrupted,
    /// The windows do not fit into the calendar.
    #[error("a window of {window} days does not fit into a calendar of {days}")]
    Window {
        /// Days of a window.
        window: u32,
        /// Days of the calendar.
        days: usize,
    },
    /// Nothing to learn from.
    #[error("no window of epoch {epoch} held a day to fit on")]
    NoTarget {
        /// The epoch, counted from 1.
        epoch: u32,
    },
    /// A checkpoint belongs to another model or was written by another version.
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    /// A defect of this program.
    #[error("{0} (this is a defect of efflux: please report it)")]
    Defect(String),
}

impl TrialError {
    /// The same error; one that means too little memory gets the sizes of the trial.
    pub(super) fn sized(self, tensors: &Tensors, params: &Params, training: &Training) -> Self {
        // What the allocators of libtorch for GPU and CPU and that of C++ say.
        const SIGNS: [&str; 4] = [
            "out of memory",
            "can't allocate memory",
            "bad_alloc",
            "Cannot allocate memory",
        ];
        let said = match &self {
            Self::Memory(said) => said,
            Self::Torch(said) if SIGNS.iter().any(|sign| said.contains(sign)) => said,
            _ => return self,
        };
        let megabytes = |numbers: usize| (numbers * size_of::<f32>()).div_ceil(1_000_000);
        let (hidden, inputs) = (
            params.hidden_size as usize,
            tensors.dynamic + tensors.statics,
        );
        let weights =
            usize::try_from(Shape::of(tensors, params).weights()).unwrap_or(usize::MAX / 64);
        let days = training.sequence_days() as usize;
        Self::Memory(format!(
            "{said}. The trial takes about {} MB for the data ({} sites × {} days × {inputs} inputs), {} MB for weights, \
             gradient, masks and optimizer (hidden {hidden}), up to {} MB for a batch ({} windows × {days} days × hidden \
             {hidden}); fewer slots or lanes on this device, a smaller model.hidden_size or a shorter training.window_days need less",
            megabytes(tensors.sites * tensors.days * (inputs + 2)),
            tensors.sites,
            tensors.days,
            // Weights, gradient and its parts, two means, two scratch vectors, masks, masked weights.
            megabytes(8 * weights),
            // Inputs, activated inputs, four gates and two states, and as much again for their gradients.
            megabytes(tensors.sites * days * (inputs + 2 * 8 * hidden)),
            tensors.sites,
        ))
    }
}

impl From<TchError> for TrialError {
    fn from(error: TchError) -> Self {
        Self::Torch(first_line(&error.to_string()))
    }
}

/// Calls `work` and turns a panic into an error.
///
/// tch panics where its C++ side throws, so this stands wherever tensors are worked with and a failure must not end the
/// process: an allocation that does not succeed, for example, is one trial's failure.
///
/// # Errors
///
/// What `work` returns; [`TrialError::Torch`] for a panic that tch raised, [`TrialError::Defect`] for any other.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, TrialError>) -> Result<T, TrialError> {
    // Nothing of a failed trial is used again.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(from_panic(&*panic)))
}

fn from_panic(panic: &(dyn Any + Send)) -> TrialError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic without a message");
    // `unwrap` shows the error in its debug form: `… value: Torch("first line\nsecond line")`.
    match text.split_once("value: Torch(\"") {
        Some((_, message)) => TrialError::Torch(first_line(message)),
        None => TrialError::Defect(first_line(text)),
    }
}

fn first_line(text: &str) -> String {
    let end = text.find('\n').into_iter().chain(text.find("\\n")).min();
    text[..end.unwrap_or(text.len())]
        .trim_end_matches("\")")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Tensor;

    #[test]
    fn a_panic_of_tch_becomes_one_readable_line() {
        let failure = guarded(|| {
            let _ = Tensor::from_slice(&[1.0_f32, 2.0]).matmul(&Tensor::from_slice(&[1.0_f32]));
            Ok(())
        });
        let Err(TrialError::Torch(message)) = failure else {
            panic!("expected an error of libtorch, got {failure:?}");
        };
        assert!(
            message.contains("size") && !message.contains("\\n"),
            "{message}"
        );
    }

    #[test]
    fn another_panic_is_a_defect() {
        let failure = guarded::<()>(|| panic!("seven is not eight"));
        assert_eq!(
            failure,
            Err(TrialError::Defect("seven is not eight".into()))
        );
    }
}
