//! The id of a trial.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str;

use efflux_numerics::hex;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names a trial by what determines its result: the first 16 hex digits of a SHA-256 over the contract, its settings, the
/// stage, the days fitted on and the seed. The same trial has the same id in every launch of every job.
#[derive(Clone, PartialEq, Eq)]
pub struct TrialId(Text);

/// Ids lie where they are used, without memory of their own: there are millions of them.
#[derive(Clone, PartialEq, Eq)]
enum Text {
    /// So many bytes; zeros follow.
    Short(u8, [u8; SHORT]),
    /// Whatever else a file that was not made by efflux calls a trial.
    Long(Box<str>),
}

const SHORT: usize = 22;

impl TrialId {
    /// The one of a hash.
    pub(super) fn of(hash: &[u8]) -> Self {
        Self::named(&hex(&hash[..8]))
    }

    /// The id that reads so, as in a file's name.
    pub fn named(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        let place = bytes.get_mut(..text.len());
        Self(match (place, u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Text::Short(length, bytes)
            }
            _ => Text::Long(text.into()),
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("it was text")
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Short(length, bytes) => &bytes[..usize::from(*length)],
            Text::Long(text) => text.as_bytes(),
        }
    }
}

impl Hash for TrialId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Ord for TrialId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // The zeros that follow come before all other bytes.
            (Text::Short(length, bytes), Text::Short(of, there)) => {
                bytes.cmp(there).then(length.cmp(of))
            }
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

impl PartialOrd for TrialId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrialId({self})")
    }
}

impl Serialize for TrialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TrialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = TrialId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a trial")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TrialId, E> {
                Ok(TrialId::named(text))
            }
        }
        deserializer.deserialize_str(Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_written_and_sorted_as_text_whatever_their_length() {
        let texts = [
            "",
            "0123456789abcdef",
            "a name of more than 22 bytes",
            "b",
            "é",
        ];
        let ids = texts.map(TrialId::named);
        assert!(ids.is_sorted());
        for (id, text) in ids.iter().zip(texts) {
            assert_eq!(id.as_str(), text);
            let written = serde_json::to_string(id).unwrap();
            assert_eq!(written, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<TrialId>(&written).unwrap(), *id);
        }
    }
}
