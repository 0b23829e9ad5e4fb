//! The settings of a trial: what the job says, with a configuration laid over it.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::configuration::{Configuration, text};
use super::inputs::Inputs;
use super::params::Params;
use super::section::{Key, Section, table};
use super::split::Split;
use super::training::Training;
use super::training::keys::TrainingKeys;
use super::value::Transform;

/// A value that cannot be: its key in a section, the value, and what is expected.
pub(super) type Fault = (&'static str, String, &'static str);

/// A value of some section that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The section.
    pub(super) section: &'static str,
    /// The key.
    pub(super) key: &'static str,
    /// Its value.
    pub(super) found: String,
    /// What could be there.
    pub(super) expected: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            section,
            key,
            found,
            expected,
        } = self;
        write!(f, "`{section}.{key}` has {found}, expected {expected}")
    }
}

impl Refused {
    pub(super) fn in_section(section: &'static str, (key, found, expected): Fault) -> Self {
        Self {
            section,
            key,
            found,
            expected: expected.to_owned(),
        }
    }
}

/// Everything that determines the result of a trial on a pack besides stage, days fitted on and seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `[inputs]`
    pub inputs: Inputs,
    /// `[split]`
    pub split: Split,
    /// `[transform]`
    pub transform: Transform,
    /// `[model]`
    #[serde(rename = "model")]
    pub params: Params,
    /// `[training]`
    pub training: Training,
}

impl Settings {
    /// The same for the trials that hold out this fold; none: that train on all sites.
    #[must_use]
    pub fn in_fold(&self, fold: Option<usize>) -> Self {
        Self {
            split: self.split.in_fold(fold),
            ..self.clone()
        }
    }

    /// The same with a configuration laid over them.
    ///
    /// # Errors
    ///
    /// The first value that cannot be, or that another one contradicts.
    pub fn with(&self, configuration: &Configuration) -> Result<Self, Refused> {
        Overlay::of(self).with(configuration)
    }

    /// A section as JSON has it.
    fn table(&self, section: Section) -> Map<String, Value> {
        match section {
            Section::Model => table(&self.params),
            Section::Training => table(&TrainingKeys::from(self.training)),
            Section::Inputs => table(&self.inputs),
            Section::Transform => table(&self.transform),
            Section::Split => table(&self.split),
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: Key) -> Value {
        let section = self.table(key.section());
        section.get(key.name()).cloned().unwrap_or_default()
    }

    /// The first value that cannot be.
    pub(super) fn fault(&self) -> Option<Refused> {
        let of = |section: Section| {
            move |fault: Option<Fault>| Some(Refused::in_section(section.name(), fault?))
        };
        let inputs = self.inputs.fault().map(|(key, found, expected)| Refused {
            section: Section::Inputs.name(),
            key,
            found,
            expected,
        });
        of(Section::Model)(self.params.fault())
            .or(inputs)
            .or_else(|| of(Section::Split)(self.split.fault()))
            .or_else(|| of(Section::Training)(self.training.fault()))
    }
}

/// Settings that many configurations are laid over.
pub(super) struct Overlay<'a> {
    settings: &'a Settings,
    /// Their sections as JSON has them, in the order of [`Section::ALL`].
    tables: [Map<String, Value>; 5],
}

impl<'a> Overlay<'a> {
    pub(super) fn of(settings: &'a Settings) -> Self {
        Self {
            settings,
            tables: Section::ALL.map(|section| settings.table(section)),
        }
    }

    /// As [`Settings::with`].
    pub(super) fn with(&self, configuration: &Configuration) -> Result<Settings, Refused> {
        let mut settings = self.settings.clone();
        for section in Section::ALL {
            // The oldest keys come first in configurations, so those of a section need not stand together.
            let values = configuration.values().iter();
            let values: Vec<&(Key, Value)> =
                values.filter(|(key, _)| key.section() == section).collect();
            if values.is_empty() {
                continue;
            }
            match section {
                Section::Model => settings.params = self.overlaid(&values)?,
                Section::Training => {
                    let training = self.overlaid::<TrainingKeys>(&values)?.training();
                    settings.training = training
                        .map_err(|fault| Refused::in_section(Section::Training.name(), fault))?;
                }
                Section::Inputs => settings.inputs = self.overlaid(&values)?,
                Section::Transform => settings.transform = self.overlaid(&values)?,
                Section::Split => settings.split = self.overlaid(&values)?,
            }
        }
        Ok(settings)
    }

    /// A section with these values, all of it, in the place of its own.
    fn overlaid<T: DeserializeOwned>(&self, values: &[&(Key, Value)]) -> Result<T, Refused> {
        let section = values[0].0.section();
        let is_set = |name: &str| values.iter().any(|(key, _)| key.name() == name);
        let own = self.tables[section as usize].iter();
        let own = own.filter(|(name, _)| !is_set(name));
        let own = own.map(|(name, value)| (name.as_str(), value));
        let set = values.iter().map(|(key, value)| (key.name(), value));
        let read = T::deserialize(MapDeserializer::new(own.chain(set)));
        read.map_err(|error: serde_json::Error| {
            let wrong = values.iter().find(|(key, value)| key.read(value).is_err());
            let (key, value) = wrong.unwrap_or(&values[0]);
            Refused {
                section: section.name(),
                key: key.name(),
                found: text(value),
                expected: error.to_string(),
            }
        })
    }
}

impl Key {
    /// A value of this key as its section reads it: 1 is 1.0 where a number may have a fraction, `"none"` is no value
    /// where there need be none.
    ///
    /// # Errors
    ///
    /// Why it is no value of this key.
    pub(super) fn read(self, value: &Value) -> Result<Value, String> {
        fn read_back<T: Serialize + DeserializeOwned>(
            key: Key,
            value: &Value,
        ) -> Result<Value, String> {
            let alone = serde_json::json!({ key.name(): value });
            let section: T = serde_json::from_value(alone).map_err(|error| error.to_string())?;
            Ok(table(&section)
                .remove(key.name())
                .unwrap_or_else(|| value.clone()))
        }
        if self.is_optional() && value == "none" {
            return Ok(Value::Null);
        }
        match self.section() {
            Section::Model => read_back::<Params>(self, value),
            Section::Training => read_back::<TrainingKeys>(self, value),
            Section::Inputs => read_back::<Inputs>(self, value),
            Section::Transform => read_back::<Transform>(self, value),
            Section::Split => read_back::<Split>(self, value),
        }
    }
}
