//! The scores of many sites in a few numbers.

use std::fmt;
use std::ops::Index;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::measures::{ByMeasure, MEASURES, Measure, NSE};
use super::metrics::Pairs;
use super::statistics::median;

/// Medians over the sites at which a measure is defined, of the measures that [records](Measure::recorded) keep.
///
/// Serialized as a map by their keys: what an earlier version did not record is absent, what a later one has beside is
/// passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Medians {
    /// Sites at which NSE is defined.
    pub sites: u32,
    /// In the order of [`Measure::recorded`].
    values: [Option<f64>; RECORDED],
}

/// How many measures records keep.
const RECORDED: usize = {
    let (mut place, mut count) = (0, 0);
    while place < MEASURES.len() {
        if MEASURES[place].headline || MEASURES[place].selectable {
            count += 1;
        }
        place += 1;
    }
    count
};

impl Default for Medians {
    fn default() -> Self {
        Self {
            sites: 0,
            values: [None; RECORDED],
        }
    }
}

impl Index<Measure> for Medians {
    type Output = Option<f64>;

    /// Nothing for a measure that records do not keep.
    fn index(&self, measure: Measure) -> &Option<f64> {
        place(measure).map_or(&None, |place| &self.values[place])
    }
}

/// Where a measure is among those that are kept.
fn place(measure: Measure) -> Option<usize> {
    Measure::recorded().position(|one| one == measure)
}

impl Medians {
    /// Of sites with at least `least` pairs.
    pub fn over(sites: impl IntoIterator<Item = Pairs>, least: usize) -> Self {
        let mut defined: ByMeasure<Vec<f64>> = ByMeasure::new(|_| Vec::new());
        for pairs in sites.into_iter().filter(|pairs| pairs.len() >= least) {
            for measure in Measure::recorded() {
                defined[measure].extend((measure.of)(&pairs));
            }
        }
        let sites = u32::try_from(defined[NSE].len()).unwrap_or(u32::MAX);
        Self::of(sites, |measure| median(&defined[measure]).ok())
    }

    /// These medians, over so many sites.
    pub fn of(sites: u32, value: impl Fn(Measure) -> Option<f64>) -> Self {
        let mut medians = Self {
            sites,
            ..Self::default()
        };
        for measure in Measure::recorded() {
            medians.set(measure, value(measure));
        }
        medians
    }

    /// Notes one, if records keep it.
    pub fn set(&mut self, measure: Measure, value: Option<f64>) {
        if let Some(place) = place(measure) {
            self.values[place] = value;
        }
    }
}

/// The key of the count.
const SITES: &str = "sites";

impl Serialize for Medians {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + Measure::recorded().count()))?;
        map.serialize_entry(SITES, &self.sites)?;
        for measure in Measure::recorded() {
            map.serialize_entry(measure.key, &self[measure])?;
        }
        map.end()
    }
}

/// What a key says.
enum Field {
    Sites,
    Of(Measure),
    Unknown,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a measure")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Field, E> {
                Ok(match Measure::by_key(key) {
                    _ if key == SITES => Field::Sites,
                    Some(measure) => Field::Of(measure),
                    None => Field::Unknown,
                })
            }
        }
        deserializer.deserialize_str(Key)
    }
}

impl<'de> Deserialize<'de> for Medians {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Medians;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("medians by the keys of their measures")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Medians, A::Error> {
                let mut medians = Medians::default();
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Sites => medians.sites = map.next_value()?,
                        Field::Of(measure) => medians.set(measure, map.next_value()?),
                        Field::Unknown => drop(map.next_value::<Option<f64>>()?),
                    }
                }
                Ok(medians)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::super::measures::{R, RMSE};
    use super::*;

    #[test]
    fn medians_are_written_as_version_0_1_0_wrote_them() {
        let medians = Medians::of(3, |measure| match measure {
            NSE => Some(0.25),
            R => Some(0.5),
            _ => None,
        });
        let text = r#"{"sites":3,"nse":0.25,"kge":null,"r":0.5}"#;
        assert_eq!(serde_json::to_string(&medians).unwrap(), text);
        assert_eq!(serde_json::from_str::<Medians>(text).unwrap(), medians);
    }

    #[test]
    fn what_another_version_records_is_no_obstacle() {
        let text = r#"{"sites":3,"nse":0.25,"d":0.9}"#;
        let read: Medians = serde_json::from_str(text).unwrap();
        assert_eq!((read.sites, read[NSE]), (3, Some(0.25)));
        assert_eq!([read[R], read[RMSE]], [None, None]);
    }
}
