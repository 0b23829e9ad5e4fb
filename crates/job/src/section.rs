//! The sections of a job that a configuration may overlay, and their keys. A key is declared once, as a field of its
//! section's type: this reads the fields off the types.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use serde_json::{Map, Value};

use super::inputs::Inputs;
use super::params::Params;
use super::split::Split;
use super::training::keys::TrainingKeys;
use super::value::Transform;

/// A section whose keys can be axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `[model]`
    Model,
    /// `[training]`
    Training,
    /// `[inputs]`
    Inputs,
    /// `[transform]`
    Transform,
    /// `[split]`
    Split,
}

impl Section {
    /// All of them, in the order in which configurations list their keys.
    pub const ALL: [Self; 5] = [
        Self::Model,
        Self::Training,
        Self::Inputs,
        Self::Transform,
        Self::Split,
    ];

    /// Its name in job files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Training => "training",
            Self::Inputs => "inputs",
            Self::Transform => "transform",
            Self::Split => "split",
        }
    }

    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Model => fields::<Params>(),
            Self::Training => fields::<TrainingKeys>(),
            Self::Inputs => fields::<Inputs>(),
            Self::Transform => fields::<Transform>(),
            Self::Split => fields::<Split>(),
        }
    }

    /// What its keys are where a job does not name them.
    fn defaults(self) -> Map<String, Value> {
        match self {
            Self::Model => table(&Params::default()),
            Self::Training => table(&TrainingKeys::default()),
            Self::Inputs => table(&Inputs::default()),
            Self::Transform => table(&Transform::default()),
            Self::Split => table(&Split::default()),
        }
    }

    /// The keys that the ids of version 0.1.0 were made of, whatever their values. A key that came later is in an id only
    /// where it is not what it is by default.
    fn first(self) -> &'static [&'static str] {
        match self {
            Self::Model => &["hidden_size", "dropout"],
            Self::Training => &[
                "window_days",
                "epochs",
                "backend",
                "sampler",
                "warm_up_days",
                "loss",
                "huber_delta",
                "optimizer",
                "learning_rate",
                "weight_decay",
                "schedule",
                "clip_norm",
                "keep",
                "patience",
                "tf32",
                "threads",
            ],
            Self::Inputs => &["dynamic", "static", "missing"],
            Self::Transform => &["target", "inputs", "scaling"],
            Self::Split => &["train", "validation"],
        }
    }
}

/// A section as JSON has it; what cannot be written so has no keys.
pub(super) fn table(section: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(section) {
        Ok(Value::Object(table)) => table,
        _ => Map::new(),
    }
}

/// A section as it enters ids.
pub(super) fn hashed(section: Section, values: &impl Serialize) -> Map<String, Value> {
    static DEFAULTS: LazyLock<[Map<String, Value>; 5]> =
        LazyLock::new(|| Section::ALL.map(Section::defaults));
    let mut table = table(values);
    let defaults = &DEFAULTS[section as usize];
    table.retain(|key, value| {
        section.first().contains(&key.as_str()) || defaults.get(key) != Some(value)
    });
    table
}

/// A key that configurations may set, by its place in a list of all such keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u16);

/// What is known of a key.
#[derive(Debug)]
struct Described {
    section: Section,
    name: &'static str,
    /// Its name where that is unique among all sections, else with its section.
    short: String,
    /// Whether it may be left unset, which a list writes as `"none"`.
    optional: bool,
}

/// The three that version 0.1.0 had come first, for the order of its grids; the others by section.
const FIRST: [(Section, &str); 3] = [
    (Section::Model, "hidden_size"),
    (Section::Model, "dropout"),
    (Section::Training, "window_days"),
];

static KEYS: LazyLock<Vec<Described>> = LazyLock::new(|| {
    let all = Section::ALL
        .into_iter()
        .flat_map(|section| section.fields().iter().map(move |&name| (section, name)))
        .filter(|key| *key != (Section::Inputs, Inputs::GROUPS));
    let all: Vec<(Section, &'static str)> = all.collect();
    let rest = all.iter().filter(|key| !FIRST.contains(key));
    let ordered = FIRST.iter().chain(rest);
    let described = ordered.map(|&(section, name)| {
        let namesakes = all.iter().filter(|(_, other)| *other == name).count();
        Described {
            section,
            name,
            short: match namesakes {
                1 => name.to_owned(),
                _ => format!("{}.{name}", section.name()),
            },
            optional: section.defaults().get(name) == Some(&Value::Null),
        }
    });
    described.collect()
});

impl Key {
    /// The three axes that every configuration has.
    pub const ALWAYS: [Self; 3] = [Self::HIDDEN_SIZE, Self::DROPOUT, Self::WINDOW_DAYS];
    /// `model.hidden_size`
    pub const HIDDEN_SIZE: Self = Self(0);
    /// `model.dropout`
    pub const DROPOUT: Self = Self(1);
    /// `training.window_days`
    pub const WINDOW_DAYS: Self = Self(2);

    /// All keys, in the order in which configurations list them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..KEYS.len()).filter_map(|place| Some(Self(u16::try_from(place).ok()?)))
    }

    /// `split.fold`, which trials have and jobs do not.
    pub fn fold() -> Self {
        static FOLD: LazyLock<Key> = LazyLock::new(|| {
            let key = Key::of(Section::Split, "fold");
            key.expect("a field of the section")
        });
        *FOLD
    }

    /// The key of a section, if there is one of this name.
    pub fn of(section: Section, name: &str) -> Option<Self> {
        Self::all().find(|key| key.section() == section && key.name() == name)
    }

    /// The key that is called so in `[grid]`: by its name if that is unique, else with its section before it.
    pub fn called(text: &str) -> Option<Self> {
        let dotted = text.split_once('.');
        let is_called =
            |key: &Self| key.short() == text || dotted == Some((key.section().name(), key.name()));
        Self::all().find(is_called)
    }

    fn described(self) -> &'static Described {
        &KEYS[usize::from(self.0)]
    }

    /// Its section.
    pub fn section(self) -> Section {
        self.described().section
    }

    /// Its name in its section.
    pub fn name(self) -> &'static str {
        self.described().name
    }

    /// Its shortest name that is unique.
    pub fn short(self) -> &'static str {
        &self.described().short
    }

    /// Its name with its section.
    pub fn dotted(self) -> String {
        format!("{}.{}", self.section().name(), self.name())
    }

    /// Whether it may be left unset, which a list writes as `"none"`.
    pub(super) fn is_optional(self) -> bool {
        self.described().optional
    }

    /// Why it is one for all trials of a launch, if it is.
    pub(super) fn fixed(self) -> Option<&'static str> {
        match (self.section(), self.name()) {
            (Section::Training, "threads" | "tf32") => {
                Some("no such axis: trainers are started with it, so a launch has one")
            }
            (Section::Split, "train" | "validation" | "kind") => None,
            (Section::Split, _) => {
                Some("no such axis: it says which sites are judged, so a run directory has one")
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dotted())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// The names of a type's fields as files have them.
pub(super) fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Reader<'f>(&'f mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Reader<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only its fields are asked for"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut found: &'static [&'static str] = &[];
    // It ends with the error above, by which time the fields are known.
    let _ = T::deserialize(Reader(&mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_section_is_a_key_and_the_oldest_three_come_first() {
        let all: Vec<String> = Key::all().map(Key::dotted).collect();
        assert_eq!(
            all[..3],
            ["model.hidden_size", "model.dropout", "training.window_days"]
        );
        for key in [
            "training.weight_decay",
            "transform.inputs",
            "split.train",
            "inputs.use",
        ] {
            assert!(all.iter().any(|one| one == key), "{key}: {all:?}");
        }
        assert!(!all.contains(&"inputs.groups".to_owned()));
        let keys =
            Section::ALL.map(|section| section.first().iter().map(move |name| (section, *name)));
        for (section, name) in keys.into_iter().flatten() {
            assert!(Key::of(section, name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_key_is_called_by_its_name_or_with_its_section() {
        let rate = Key::of(Section::Training, "learning_rate");
        assert_eq!(Key::called("learning_rate"), rate);
        assert_eq!(Key::called("training.learning_rate"), rate);
        assert_eq!(Key::called("model.learning_rate"), None);
        assert_eq!(rate.unwrap().to_string(), "learning_rate");
    }
}
