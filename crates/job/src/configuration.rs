//! A configuration: the values that a grid lays over a job.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::de::{self, DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::section::{Key, Section};
use super::training::Training;

/// Keys and values of one point of the grid, in the order of [`Key`]. Whatever it does not set is as the job says.
///
/// In text it is a table of the keys' shortest names. Messages, which are bincode, carry values as text: a value of any
/// type has no other form there.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Configuration(Arc<[(Key, Value)]>);

impl Configuration {
    /// The configuration that sets these keys.
    pub fn of(mut values: Vec<(Key, Value)>) -> Self {
        values.sort_by_key(|(key, _)| *key);
        Self(values.into())
    }

    /// What it sets.
    pub fn values(&self) -> &[(Key, Value)] {
        &self.0
    }

    /// The value of a key, if it sets that.
    pub fn get(&self, key: Key) -> Option<&Value> {
        let mut values = self.0.iter();
        values.find_map(|(of, value)| (*of == key).then_some(value))
    }

    /// The same in a fold, or on all sites.
    #[must_use]
    pub fn in_fold(&self, fold: Option<usize>) -> Self {
        let of_all = || {
            self.0
                .iter()
                .filter(|(key, _)| *key != Key::fold())
                .cloned()
        };
        match fold {
            None if self.fold().is_none() => self.clone(),
            None => Self(of_all().collect()),
            Some(fold) => Self::of(of_all().chain([(Key::fold(), fold.into())]).collect()),
        }
    }

    /// The fold that it holds out, if it does.
    pub fn fold(&self) -> Option<usize> {
        usize::try_from(self.count(Key::fold())?).ok()
    }

    /// The value of a key as a count, if it sets one.
    pub fn count(&self, key: Key) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    /// The epochs of its trainings; those of the job where it sets none.
    pub fn epochs(&self, of_job: &Training) -> u32 {
        static EPOCHS: LazyLock<Option<Key>> =
            LazyLock::new(|| Key::of(Section::Training, "epochs"));
        let set = EPOCHS.and_then(|key| u32::try_from(self.count(key)?).ok());
        set.unwrap_or(of_job.epochs)
    }

    /// The value of a key as a number, if it sets one.
    pub fn number(&self, key: Key) -> Option<f64> {
        self.get(key)?.as_f64()
    }

    /// The value of a key as people read it; empty if it sets none.
    pub fn text(&self, key: Key) -> String {
        self.get(key).map(text).unwrap_or_default()
    }

    /// Whether another one sets the same but for some keys.
    pub fn is_like(&self, other: &Self, but_for: &[Key]) -> bool {
        let counted = |(key, _): &&(Key, Value)| !but_for.contains(key);
        self.0
            .iter()
            .filter(counted)
            .eq(other.0.iter().filter(counted))
    }

    /// Its place among configurations: by the value of the first key in which they differ.
    pub fn order(&self, other: &Self) -> Ordering {
        let pairs = self.0.iter().zip(other.0.iter());
        let mut orders = pairs.map(|((key, value), (of, there))| {
            key.cmp(of)
                .then_with(|| match (value.as_f64(), there.as_f64()) {
                    (Some(value), Some(there)) => value.total_cmp(&there),
                    _ => text(value).cmp(&text(there)),
                })
        });
        let first = orders.find(|order| order.is_ne());
        first.unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

/// A value as people read it: `0.001`, `huber`, `temperature + water`, `none`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" + "),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => number.to_string(),
            None => number.to_string(),
        },
        Value::Bool(_) | Value::Object(_) => value.to_string(),
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (key, value)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" · ")?;
            }
            let value = text(value);
            match *key {
                Key::HIDDEN_SIZE => write!(f, "hidden {value}")?,
                Key::WINDOW_DAYS => write!(f, "window {value} d")?,
                key if key == Key::fold() => {
                    write!(f, "fold {}", self.fold().unwrap_or_default() + 1)?
                }
                key => write!(f, "{key} {value}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Configuration({self})")
    }
}

impl Serialize for Configuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let in_text = serializer.is_human_readable();
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0.iter() {
            if in_text {
                map.serialize_entry(key.short(), value)?;
            } else {
                map.serialize_entry(key.short(), &value.to_string())?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Configuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values {
            in_text: bool,
        }

        struct Called;

        impl<'de> DeserializeSeed<'de> for Called {
            type Value = Key;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
                deserializer.deserialize_str(self)
            }
        }

        impl Visitor<'_> for Called {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key of a configuration")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                let unknown = || E::custom(format!("`{name}` is no key of a configuration"));
                Key::called(name).ok_or_else(unknown)
            }
        }

        impl<'de> Visitor<'de> for Values {
            type Value = Configuration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("keys and values of a configuration")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Configuration, A::Error> {
                let mut values = Vec::with_capacity(Key::ALWAYS.len());
                while let Some(key) = map.next_key_seed(Called)? {
                    let value = if self.in_text {
                        map.next_value()?
                    } else {
                        let text: String = map.next_value()?;
                        serde_json::from_str(&text).map_err(A::Error::custom)?
                    };
                    values.push((key, value));
                }
                Ok(Configuration::of(values))
            }
        }

        let in_text = deserializer.is_human_readable();
        deserializer.deserialize_map(Values { in_text })
    }
}
