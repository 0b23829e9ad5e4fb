//! The configuration of an experiment: the part of YAML that these files use, keys with a value or a list.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};

pub(super) struct Config {
    path: PathBuf,
    /// Each key with its line and its values.
    keys: Vec<(String, u64, Vec<String>)>,
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let config = Self {
            path: path.to_owned(),
            keys: keys(&text),
        };
        if config.first("dataset") != Some("generic") {
            let found = config.first("dataset").unwrap_or("nothing");
            return Err(config.wrong(
                "dataset",
                &format!("is {found}, expected `generic`: other classes have files of their own"),
            ));
        }
        for key in [
            "additional_feature_files",
            "per_basin_train_periods_file",
            "per_basin_validation_periods_file",
            "per_basin_test_periods_file",
        ] {
            if config.first(key).is_some() {
                let reason = "names pickles of Python, which are not read: write features into the netCDF files, and choose periods by the \
                              job's `[split]`";
                return Err(config.wrong(key, reason));
            }
        }
        Ok(config)
    }

    fn values(&self, key: &str) -> &[String] {
        self.keys
            .iter()
            .find(|(name, ..)| name == key)
            .map_or(&[], |(_, _, values)| values)
    }

    fn first(&self, key: &str) -> Option<&str> {
        self.values(key).first().map(String::as_str)
    }

    fn wrong(&self, key: &str, reason: &str) -> Error {
        match self.keys.iter().find(|(name, ..)| name == key) {
            Some((_, line, _)) => Error::line(&self.path, *line, format!("`{key}` {reason}")),
            None => Error::file(&self.path, format!("`{key}` {reason}")),
        }
    }

    /// The one target.
    pub(super) fn target(&self) -> Result<String> {
        match self.values("target_variables") {
            [one] => Ok(one.clone()),
            [] => Err(self.wrong(
                "target_variables",
                "is missing, expected the variable that is the flux",
            )),
            several => {
                let reason = format!(
                    "has {}, expected one: write which is the flux as `target` in the mapping",
                    several.join(", ")
                );
                Err(self.wrong("target_variables", &reason))
            }
        }
    }

    /// The dynamic inputs, of all frequencies.
    pub(super) fn inputs(&self) -> Vec<String> {
        self.values("dynamic_inputs").to_vec()
    }

    /// A path of the configuration; those that are not absolute are relative to its folder.
    fn place(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }

    pub(super) fn data_folder(&self) -> Result<PathBuf> {
        let folder = self
            .first("data_dir")
            .ok_or_else(|| self.wrong("data_dir", "is missing"))?;
        let place = self.place(folder);
        if place.is_dir() {
            return Ok(place);
        }
        let reason = format!(
            "is {folder}, and {} is no folder (paths are taken relative to the configuration)",
            place.display()
        );
        Err(self.wrong("data_dir", &reason))
    }

    /// The basins of all lists, sorted, each once.
    pub(super) fn basins(&self) -> Result<BTreeSet<String>> {
        let mut basins = BTreeSet::new();
        for key in [
            "train_basin_file",
            "validation_basin_file",
            "test_basin_file",
        ] {
            for name in self.values(key) {
                let path = self.place(name);
                let text =
                    std::fs::read_to_string(&path).map_err(Error::io("read the basins", &path))?;
                basins.extend(
                    text.lines()
                        .map(str::trim)
                        .filter(|line| !line.is_empty())
                        .map(str::to_owned),
                );
            }
        }
        if basins.is_empty() {
            return Err(self.wrong(
                "train_basin_file",
                "names no basin, expected a text file with an id a line",
            ));
        }
        Ok(basins)
    }
}

/// The keys at the left margin, with a value behind them or the items of a list below.
fn keys(text: &str) -> Vec<(String, u64, Vec<String>)> {
    let mut keys: Vec<(String, u64, Vec<String>)> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(item) = trimmed.strip_prefix("- ") {
            if let Some((_, _, values)) = keys.last_mut() {
                values.extend(values_of(item));
            }
        } else if !line.starts_with(' ')
            && let Some((key, value)) = line.split_once(':')
        {
            keys.push((key.trim().to_owned(), number, values_of(value)));
        }
    }
    keys
}

/// `efflux`, `'01/01/2010'`, `[soil_temp, prcp]`.
fn values_of(text: &str) -> Vec<String> {
    let text = text.trim();
    let list = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let plain = |value: &str| value.trim().trim_matches(['\'', '"']).to_owned();
    list.split(',')
        .map(plain)
        .filter(|value| !value.is_empty() && value != "null" && value != "~")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn keys_have_values_lists_below_and_lists_in_brackets() {
        let text = "# a comment\ndataset: generic # one\ntarget_variables:\n- efflux\ndynamic_inputs:\n  1D:\n    - 'a'\n    - b\nstatic: [x, \"y\"]\nempty:\n";
        let keys = keys(text);
        let values = |key: &str| {
            keys.iter()
                .find(|(name, ..)| name == key)
                .map(|(_, line, values)| (*line, values.join(" ")))
        };
        assert_eq!(values("dataset"), Some((2, "generic".into())));
        assert_eq!(values("target_variables"), Some((3, "efflux".into())));
        assert_eq!(values("dynamic_inputs"), Some((5, "a b".into())));
        assert_eq!(values("static"), Some((9, "x y".into())));
        assert_eq!(values("empty"), Some((10, String::new())));
    }
}
