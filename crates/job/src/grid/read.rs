//! `[grid]` as it is written: keys are known, values are values of their keys, and each has its line.

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Misstated;
use super::axis::{Axis, Range, Values, whole};
use crate::configuration::{Configuration, text};
use crate::search::Method;
use crate::section::{Key, Section};

/// A value for a key, or the range it is drawn from, and its line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Value,
    pub(super) line: usize,
}

/// Configurations that are left out: those with one of the values of each key.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) line: usize,
    pub(super) values: Vec<(Key, Vec<Value>)>,
}

impl Rule {
    pub(super) fn excludes(&self, configuration: &Configuration) -> bool {
        let mut values = self.values.iter();
        values.all(|(key, values)| {
            let value = configuration.get(*key);
            value.is_some_and(|value| values.contains(value))
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (key, values)) in self.values.iter().enumerate() {
            let and = if place > 0 { " · " } else { "" };
            let values: Vec<String> = values.iter().map(text).collect();
            write!(f, "{and}{key} {}", values.join(" or "))?;
        }
        Ok(())
    }
}

/// What `[grid]` says.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) axes: Vec<Axis>,
    pub(super) listed: Vec<Vec<(Key, Value)>>,
    pub(super) exclude: Vec<Rule>,
    pub(super) entries: Vec<Entry>,
}

/// Lists that vary together, one value of each at a time: a table of lists of equal length.
const TOGETHER: &str = "together";
/// Further configurations by themselves, each a table of values; without lists they are all there are.
const CONFIGURATIONS: &str = "configurations";
/// Leaves out what has all values of a table; a list in it is one of several values.
const EXCLUDE: &str = "exclude";

/// The keys of `[grid]` that are no axes.
pub(crate) const OWN: [&str; 3] = [TOGETHER, CONFIGURATIONS, EXCLUDE];

impl Read {
    /// # Errors
    ///
    /// The first thing that cannot be, with its line.
    pub(super) fn of(file: &str, method: Method) -> Result<Self, Misstated> {
        let mut reader = Reader {
            file,
            entries: Vec::new(),
        };
        let mut read = Self {
            axes: Vec::new(),
            listed: Vec::new(),
            exclude: Vec::new(),
            entries: Vec::new(),
        };
        // Whoever reads the whole file refuses what is no TOML.
        let root = DeTable::parse(file).map_err(|error| (1, error.message().to_owned()))?;
        let Some(grid) = root.get_ref().get("grid") else {
            return Ok(read);
        };
        let grid = reader.table("grid", grid)?;
        for (key, stated) in reader.keys(grid, &OWN)? {
            let values = match stated.get_ref() {
                DeValue::Table(_) => Values::Range(reader.range(key, stated, method)?),
                _ => {
                    let levels = reader.list(key, stated, true)?.into_iter();
                    Values::Levels(levels.map(|value| vec![value]).collect())
                }
            };
            let keys = vec![key];
            read.axes.push(Axis { keys, values });
        }
        read.axes.sort_by_key(|axis| axis.keys[0]);
        for table in reader.tables(grid, TOGETHER)? {
            let line = reader.line(table);
            let stated = reader
                .keys(reader.table(TOGETHER, table)?, &[])?
                .into_iter();
            let lists = stated.map(|(key, list)| Ok((key, reader.list(key, list, false)?)));
            let lists: Vec<(Key, Vec<Value>)> = lists.collect::<Result<_, Misstated>>()?;
            let length = lists.first().map_or(0, |(_, values)| values.len());
            if let Some((key, values)) = lists.iter().find(|(_, values)| values.len() != length) {
                let reason = format!(
                    "`grid.together.{key}` has {} values, expected {length}, as many as `{}` has",
                    values.len(),
                    lists[0].0
                );
                return Err((line, reason));
            }
            let levels = (0..length).map(|level| {
                let values = lists.iter().map(|(_, values)| values[level].clone());
                values.collect()
            });
            read.axes.push(Axis {
                keys: lists.iter().map(|(key, _)| *key).collect(),
                values: Values::Levels(levels.collect()),
            });
        }
        let keys = read.axes.iter().flat_map(|axis| &axis.keys);
        let mut seen = HashSet::new();
        if let Some(&key) = keys.into_iter().find(|key| !seen.insert(**key)) {
            let mut entries = reader.entries.iter().filter(|entry| entry.key == key);
            let line = entries.next_back().map_or(1, |entry| entry.line);
            let reason =
                format!("`grid.{key}` varies in two places, expected one list of its values");
            return Err((line, reason));
        }
        for table in reader.tables(grid, CONFIGURATIONS)? {
            let values = reader.keys(reader.table(CONFIGURATIONS, table)?, &[])?;
            let values = values
                .into_iter()
                .map(|(key, value)| Ok((key, reader.value(key, value)?)));
            read.listed.push(values.collect::<Result<_, _>>()?);
        }
        let known: Vec<Key> = read.keys();
        let stated = reader.entries.len();
        for table in reader.tables(grid, EXCLUDE)? {
            let line = reader.line(table);
            let mut values_of = Vec::new();
            for (key, value) in reader.keys(reader.table(EXCLUDE, table)?, &[])? {
                if !known.contains(&key) {
                    let known: Vec<&str> = known.iter().map(|key| key.short()).collect();
                    let reason = format!(
                        "`grid.exclude` has `{key}`, which the grid does not set, expected one of {}",
                        known.join(", ")
                    );
                    return Err((reader.line(value), reason));
                }
                let values = match value.get_ref() {
                    // A list of names is one value where values are lists of names.
                    DeValue::Array(values) if !reader.is_value(key, value) => values
                        .iter()
                        .map(|value| reader.value(key, value))
                        .collect::<Result<_, _>>()?,
                    _ => vec![reader.value(key, value)?],
                };
                values_of.push((key, values));
            }
            read.exclude.push(Rule {
                line,
                values: values_of,
            });
        }
        reader.entries.truncate(stated);
        read.entries = reader.entries;
        Ok(read)
    }

    /// The keys that configurations set.
    pub(super) fn keys(&self) -> Vec<Key> {
        let listed = self.listed.iter().flatten().map(|(key, _)| *key);
        let axes = self.axes.iter().flat_map(|axis| axis.keys.iter().copied());
        let mut keys: Vec<Key> = Key::ALWAYS.into_iter().chain(axes).chain(listed).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What every combination of the axes' levels sets, the last axis varying fastest.
    pub(super) fn product(&self) -> impl Iterator<Item = Vec<(Key, Value)>> {
        let axes: Vec<(&Axis, &[Vec<Value>])> = self
            .axes
            .iter()
            .filter_map(|axis| Some((axis, axis.levels()?)))
            .collect();
        let count = axes.iter().map(|(_, levels)| levels.len()).product();
        (0..count).map(move |number: usize| {
            let mut rest = number;
            let mut values = Vec::new();
            for (axis, levels) in axes.iter().rev() {
                let level = levels[rest % levels.len()].iter().cloned();
                values.extend(axis.keys.iter().copied().zip(level));
                rest /= levels.len();
            }
            values
        })
    }

    /// What a point of the cube of all axes sets.
    pub(super) fn at(&self, point: &[f64]) -> Vec<(Key, Value)> {
        let places = self.axes.iter().zip(point);
        places.flat_map(|(axis, place)| axis.at(*place)).collect()
    }
}

/// Reads tables and lists, and remembers the lines of values.
struct Reader<'a> {
    file: &'a str,
    entries: Vec<Entry>,
}

type Place<'a, 'i> = &'a Spanned<DeValue<'i>>;

impl Reader<'_> {
    fn line(&self, value: Place<'_, '_>) -> usize {
        self.file[..value.span().start].matches('\n').count() + 1
    }

    fn table<'a, 'i>(
        &self,
        name: &str,
        value: Place<'a, 'i>,
    ) -> Result<&'a DeTable<'i>, Misstated> {
        value.get_ref().as_table().ok_or_else(|| {
            let found = value.get_ref().type_str();
            (
                self.line(value),
                format!("`{name}` has a value of type {found}, expected a table"),
            )
        })
    }

    /// The tables of an array of tables.
    fn tables<'a, 'i>(
        &self,
        grid: &'a DeTable<'i>,
        name: &str,
    ) -> Result<&'a [Spanned<DeValue<'i>>], Misstated> {
        let Some(value) = grid.get(name) else {
            return Ok(&[]);
        };
        let array = value.get_ref().as_array().map(|array| array.as_ref());
        array.ok_or_else(|| {
            let reason =
                format!("`grid.{name}` is one table, expected a list of tables: [[grid.{name}]]");
            (self.line(value), reason)
        })
    }

    /// The keys of a table, by whatever name, with their values.
    fn keys<'a, 'i>(
        &self,
        table: &'a DeTable<'i>,
        but_for: &[&str],
    ) -> Result<Vec<(Key, Place<'a, 'i>)>, Misstated> {
        let mut found = Vec::new();
        for (name, value) in table.iter() {
            let name = name.get_ref().as_ref();
            if but_for.contains(&name) {
                continue;
            }
            let section = Section::ALL
                .into_iter()
                .find(|section| section.name() == name);
            let Some((section, keys)) = section.zip(value.get_ref().as_table()) else {
                found.push((self.key(name, value, but_for)?, value));
                continue;
            };
            for (name, value) in keys.iter() {
                let dotted = format!("{}.{}", section.name(), name.get_ref());
                found.push((self.key(&dotted, value, &[])?, value));
            }
        }
        Ok(found)
    }

    fn key(&self, name: &str, value: Place<'_, '_>, others: &[&str]) -> Result<Key, Misstated> {
        if let Some(key) = Key::called(name) {
            return match key.fixed() {
                Some(expected) => Err((
                    self.line(value),
                    format!("`grid.{key}` is a list, expected {expected}"),
                )),
                None => Ok(key),
            };
        }
        let known = Key::all().map(|key| {
            if name.contains('.') {
                key.dotted()
            } else {
                key.short().to_owned()
            }
        });
        let known = known.chain(others.iter().map(|&other| other.to_owned()));
        let similar = |known: &String| strsim::jaro_winkler(name, known);
        let nearest = known.max_by(|a, b| similar(a).total_cmp(&similar(b)));
        let nearest = nearest.unwrap_or_default();
        Err((
            self.line(value),
            format!("unknown key `{name}` (did you mean `{nearest}`?)"),
        ))
    }

    /// A list with at least one value, and none twice if they are to be distinct.
    fn list(
        &mut self,
        key: Key,
        list: Place<'_, '_>,
        distinct: bool,
    ) -> Result<Vec<Value>, Misstated> {
        let wrong =
            |found: &str, expected: &str| format!("`grid.{key}` has {found}, expected {expected}");
        let DeValue::Array(array) = list.get_ref() else {
            let found = text(&json(list.get_ref()));
            let reason = format!("invalid type: {}", wrong(&found, "a list of values"));
            return Err((self.line(list), reason));
        };
        if array.is_empty() {
            return Err((self.line(list), wrong("[]", "at least one value")));
        }
        let mut values: Vec<Value> = Vec::new();
        for one in array.iter() {
            let value = self.value(key, one)?;
            if distinct && values.contains(&value) {
                return Err((self.line(one), wrong(&text(&value), "each value once")));
            }
            values.push(value);
        }
        Ok(values)
    }

    /// A range of a key's values: `{ min = 1e-4, max = 0.1, log = true }`.
    fn range(
        &mut self,
        key: Key,
        place: Place<'_, '_>,
        method: Method,
    ) -> Result<Range, Misstated> {
        let (stated, line) = (json(place.get_ref()), self.line(place));
        let wrong = |expected: &str| {
            let reason = format!("`grid.{key}` has the range {stated}, expected {expected}");
            Err((line, reason))
        };
        if method == Method::Grid {
            return wrong("a list, unless `search.method` is \"random\" or \"sobol\"");
        }
        let number = |name: &str| stated.get(name).and_then(Value::as_f64);
        let log = stated.get("log").map_or(Some(false), Value::as_bool);
        let names = stated
            .as_object()
            .into_iter()
            .flat_map(|table| table.keys());
        let is_known = names
            .into_iter()
            .all(|name| ["min", "max", "log"].contains(&name.as_str()));
        let (Some(min), Some(max), Some(log), true) = (number("min"), number("max"), log, is_known)
        else {
            return wrong("two numbers `min` and `max`, and `log` true or false");
        };
        if min >= max {
            return wrong("`min` below `max`");
        }
        if log && min <= 0.0 {
            return wrong("`min` above 0 with `log`");
        }
        let range = Range {
            min,
            max,
            log,
            whole: key.read(&Value::from(1.5)).is_err(),
        };
        let ends = if range.whole && min >= 0.0 && min.fract() == 0.0 && max.fract() == 0.0 {
            [min, max].map(|end| key.read(&Value::from(whole(end))))
        } else {
            [min, max].map(|end| key.read(&Value::from(end)))
        };
        match ends.into_iter().find_map(Result::err) {
            Some(reason) => wrong(&format!("values of this key ({reason})")),
            None => {
                let value = stated;
                self.entries.push(Entry { key, value, line });
                Ok(range)
            }
        }
    }

    /// A value of a key.
    fn value(&mut self, key: Key, place: Place<'_, '_>) -> Result<Value, Misstated> {
        let (found, line) = (json(place.get_ref()), self.line(place));
        let value = key
            .read(&found)
            .map_err(|reason| (line, format!("`grid.{key}` has {}: {reason}", text(&found))))?;
        self.entries.push(Entry {
            key,
            value: value.clone(),
            line,
        });
        Ok(value)
    }

    fn is_value(&self, key: Key, place: Place<'_, '_>) -> bool {
        key.read(&json(place.get_ref())).is_ok()
    }
}

/// A value of TOML as one of JSON. Dates stay text; numbers that JSON has not are texts, too, and so no values of any key.
fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| Value::from(number.to_string()), Value::from)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse::<f64>();
            let parsed = parsed.ok().filter(|number| number.is_finite());
            parsed.map_or_else(|| Value::from(number.to_string()), Value::from)
        }
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Array(values) => values.iter().map(|value| json(value.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = table.iter();
            entries
                .map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref())))
                .collect()
        }
    }
}
