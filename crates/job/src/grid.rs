//! `[grid]`: axes, zipped axes, listed configurations and exclusions → configurations.

mod axis;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::Value;

#[cfg(test)]
pub(crate) use self::read::OWN;
use self::read::{Entry, Read};
use super::configuration::Configuration;
use super::search::{Method, Search};
use super::section::Key;
use super::settings::Settings;

/// The configurations of a job, and where in its file their values stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    configurations: Vec<Configuration>,
    /// Axes that vary by themselves.
    axes: usize,
    entries: Vec<Entry>,
}

/// Something in `[grid]` that cannot be: the line it stands on, and what is wrong with it.
pub(super) type Misstated = (usize, String);

impl Grid {
    /// The configurations that a job's text asks for, over these settings, chosen so. It is valid TOML.
    ///
    /// # Errors
    ///
    /// The first value that cannot be. Whether values of a configuration contradict each other is not asked here.
    pub(super) fn parse(
        file: &str,
        settings: &Settings,
        search: Search,
    ) -> Result<Self, Misstated> {
        let read = Read::of(file, search.method)?;
        let keys = read.keys();
        let full = |mut values: Vec<(Key, Value)>| {
            for &key in &keys {
                if !values.iter().any(|(of, _)| *of == key) {
                    values.push((key, settings.get(key)));
                }
            }
            Configuration::of(values)
        };
        let mut configurations = Vec::new();
        if search.method == Method::Grid && (!read.axes.is_empty() || read.listed.is_empty()) {
            configurations.extend(read.product().map(full));
        }
        let drawn = search.points(read.axes.len());
        let further = drawn
            .map(|point| read.at(&point))
            .chain(read.listed.iter().cloned());
        let mut further = further.map(full).peekable();
        if further.peek().is_some() {
            let mut seen: HashSet<Configuration> = configurations.iter().cloned().collect();
            configurations.extend(further.filter(|one| seen.insert(one.clone())));
        }
        for rule in &read.exclude {
            let before = configurations.len();
            if before == 0 {
                // Nothing could be drawn, which is refused with what is wrong with [search].
                break;
            }
            configurations.retain(|one| !rule.excludes(one));
            let what = match (before - configurations.len(), configurations.len()) {
                (0, _) => "no configuration",
                (_, 0) => "every configuration that is left",
                _ => continue,
            };
            let reason = format!(
                "`grid.exclude` has {rule}, which excludes {what}, expected a rule that excludes some"
            );
            return Err((rule.line, reason));
        }
        Ok(Self {
            configurations,
            axes: read.axes.len(),
            entries: read.entries,
        })
    }

    /// Every configuration, the last axis varying fastest, those that are listed one by one at the end.
    pub fn configurations(&self) -> &[Configuration] {
        &self.configurations
    }

    /// The keys that configurations set.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        let first = self.configurations.first();
        first
            .into_iter()
            .flat_map(|one| one.values().iter().map(|(key, _)| *key))
    }

    /// How many axes vary by themselves.
    pub(super) fn axes(&self) -> usize {
        self.axes
    }

    /// The line on which the value that a configuration has for a key is stated, if `[grid]` states one.
    pub(super) fn line(&self, key: Key, value: &Value) -> Option<usize> {
        let mut entries = self.entries.iter();
        let found = entries.find(|entry| {
            // What was drawn from a range stands where the range does.
            entry.key == key && (entry.value == *value || entry.value.is_object())
        });
        found.map(|entry| entry.line)
    }
}
