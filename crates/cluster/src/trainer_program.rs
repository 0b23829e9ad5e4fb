//! Where the trainer's program is.

use std::path::PathBuf;

use efflux_base::error::{Error, Result};

/// The trainer's program: the one `EFFLUX_TRAINER` names, else the one beside this program.
///
/// # Errors
///
/// [`Error::Trainer`] if there is none.
pub fn trainer_program() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("EFFLUX_TRAINER") {
        return Ok(named.into());
    }
    let this = std::env::current_exe()
        .map_err(|error| Error::Trainer(format!("cannot find this program's own file: {error}")))?;
    let beside = this.with_file_name("efflux-trainer");
    if beside.exists() {
        return Ok(beside);
    }
    Err(Error::Trainer(format!(
        "{} is missing (install both programs side by side, or name it in EFFLUX_TRAINER)",
        beside.display()
    )))
}
