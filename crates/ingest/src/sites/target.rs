//! `target.toml` in a folder of daily files: what their target is, if it is not soil CO₂ efflux.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_data::Target;

/// The declaration in the folder.
const DECLARATION: &str = "target.toml";
/// The column of soil CO₂ efflux.
const SOIL_EFFLUX: &str = "co2_flux_umol_m2_s";
/// The column of a target that is declared.
const DECLARED: &str = "target";

/// What the target of a folder is, and the column that holds it.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) target: Target,
    is_declared: bool,
}

impl Declared {
    /// Reads the declaration of a folder; without one the target is soil CO₂ efflux.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Job`] with line and key of what is wrong in it.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(DECLARATION);
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::io("read", &path)(error)),
            Ok(text) => Self::parse(&path, &text),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let target = toml::from_str(text);
        Ok(Self {
            target: target.map_err(|error| efflux_job::toml_error(path, text, &error))?,
            is_declared: true,
        })
    }

    /// The column of the target.
    pub(super) fn column(&self) -> &'static str {
        match self.is_declared {
            true => DECLARED,
            false => SOIL_EFFLUX,
        }
    }

    /// Whether a column is called as another kind of target is.
    pub(super) fn is_column_of_others(&self, name: &str) -> bool {
        [DECLARED, SOIL_EFFLUX].contains(&name) && name != self.column()
    }

    /// Whether the name of a column begins with the name of the target: `nee_gap_free` where `NEE` is declared.
    pub(super) fn is_called(&self, column: &str) -> bool {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|letter: char| !letter.is_alphanumeric());
            let words = words.filter(|word| !word.is_empty());
            words.map(str::to_lowercase).collect()
        };
        let name = words(self.target.plain_name());
        self.is_declared && !name.is_empty() && words(column).starts_with(&name)
    }

    /// What to do about a column that may be the target.
    pub(super) fn advice(&self, near: &str) -> String {
        let unit = self.target.unit();
        match (self.is_declared, near) {
            (false, DECLARED) => {
                format!(
                    "write {DECLARATION}, which says what it is, or rename it if it is the flux in {unit}"
                )
            }
            (false, _) => format!("rename it if it is the flux in {unit}"),
            (true, _) => format!("rename it if it is {} in {unit}", self.target.long_name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let refused = Declared::parse(Path::new("target.toml"), text);
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_declaration_that_is_not_whole_is_refused_with_its_line() {
        const WHOLE: &str =
            "name = \"CH4 flux\"\nlong_name = \"methane flux\"\nunit = \"nmol m-2 s-1\"\n";
        let declared = Declared::parse(Path::new("target.toml"), WHOLE).unwrap();
        assert_eq!(declared.target.units(), "nmol m-2 s-1");
        for (text, told) in [
            (
                WHOLE.replace("unit", "units"),
                "target.toml: line 3: unknown key `units`",
            ),
            (
                WHOLE.replace("\"methane flux\"", "\" \""),
                "target.toml: line 2:",
            ),
            (WHOLE.replace("\"CH4 flux\"", "3"), "target.toml: line 1:"),
            (WHOLE.replace("CH4 flux", "a\\nb"), "which nobody sees"),
            (
                WHOLE.replace("nmol m-2 s-1", &"m".repeat(81)),
                "has 81 characters, expected",
            ),
            (WHOLE.replace("name = \"CH4 flux\"\n", ""), "name"),
            ("name = ".to_owned(), "target.toml: line 1:"),
        ] {
            let message = refused(&text);
            assert!(message.contains(told), "{message}");
        }
    }
}
