//! How a trial fails.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tch::TchError;

/// Why a trial did not come to its end. The run goes on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// Training went out of the range of numbers. It would again: there is no randomness outside the seed.
    #[error("loss or weights are not finite after epoch {epoch}")]
    Diverged {
        /// The epoch, counted from 1.
        epoch: u32,
    },
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
