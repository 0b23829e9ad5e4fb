//! What a pack has for inputs, and which of it a job uses.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::derived::Expression;

/// How many sites or names a message lists.
const LISTED: usize = 5;

/// `[inputs]`: which variables of the pack the model sees.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inputs {
    /// Daily variables by name, as `efflux inspect` lists them. Left out: every one that is complete at all sites.
    pub dynamic: Option<Vec<String>>,
    /// Static attributes by name. Left out: every one that is known at all sites.
    #[serde(rename = "static")]
    pub statics: Option<Vec<String>>,
    /// What becomes of a chosen variable that some sites lack.
    pub missing: Missing,
    /// Inputs that are made of daily variables, each by an expression. They are read as written, without scaling, so write
    /// them to be about 1 in size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<String>,
    /// Names for variables that come and go together, daily and static alike: `groups.water = ["precip_mm", "map_cm"]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// Groups in place of `dynamic` and `static`. Inputs are in the order of the pack, so an order of groups means nothing.
    #[serde(rename = "use")]
    pub in_use: Option<Vec<String>>,
}

impl Inputs {
    /// The one key that says no more than what others mean.
    pub(super) const GROUPS: &str = "groups";

    /// The first value that cannot be: its key, the value, and what is expected.
    pub(super) fn fault(&self) -> Option<(&'static str, String, String)> {
        let once = || "each name once".to_owned();
        let lists = [
            ("dynamic", &self.dynamic),
            ("static", &self.statics),
            ("use", &self.in_use),
        ];
        for (key, names) in lists {
            if let Some(name) = names.as_deref().and_then(twice) {
                return Some((key, name.clone(), once()));
            }
        }
        for names in self.groups.values() {
            if let Some(name) = twice(names) {
                return Some((Self::GROUPS, name.clone(), once()));
            }
        }
        for text in &self.derived {
            if let Err(malformed) = Expression::columns(text) {
                let found = format!("`{text}` with {}", malformed.found);
                return Some(("derived", found, malformed.expected));
            }
        }
        for (key, names) in [lists[0], lists[2]] {
            if names.as_ref().is_some_and(Vec::is_empty) && self.derived.is_empty() {
                let expected = "at least one name, or no such key";
                return Some((key, "[]".to_owned(), expected.to_owned()));
            }
        }
        let groups = self.in_use.iter().flatten();
        let unknown = groups
            .into_iter()
            .find(|group| !self.groups.contains_key(*group));
        if let Some(group) = unknown {
            let known: Vec<&str> = self.groups.keys().map(String::as_str).collect();
            let expected = match known[..] {
                [] => "names under [inputs.groups], of which there are none".to_owned(),
                _ => format!("names under [inputs.groups]: {}", known.join(", ")),
            };
            return Some(("use", group.clone(), expected));
        }
        if self.in_use.is_some() && (self.dynamic.is_some() || self.statics.is_some()) {
            let found = self.in_use.iter().flatten().cloned().collect::<Vec<_>>();
            let expected = "no such key beside `inputs.dynamic` or `inputs.static`";
            return Some(("use", found.join(" + "), expected.to_owned()));
        }
        None
    }
}

/// The first name that occurs twice.
fn twice(names: &[String]) -> Option<&String> {
    let mut seen = HashSet::new();
    names.iter().find(|name| !seen.insert(*name))
}

/// What to do with a chosen variable that some site does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The job is refused, with the variable and the sites.
    #[default]
    Error,
    /// The mean over sites stands in its place, and a 0/1 input says so.
    Indicator,
}

/// What a pack has for inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Variables {
    /// How many sites it has.
    pub sites: usize,
    /// Its daily variables, in its order.
    pub dynamic: Vec<Variable>,
    /// Its static attributes, in its order.
    #[serde(rename = "static")]
    pub statics: Vec<Variable>,
}

/// A daily variable or a static attribute of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The ids of the sites without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent_at: Vec<String>,
}

/// The inputs of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Daily inputs in order.
    pub dynamic: Vec<String>,
    /// Static inputs in order.
    pub statics: Vec<String>,
    /// Inputs that are made of others, in order.
    pub derived: Vec<String>,
}

impl Variables {
    /// Variables of these names that every site has.
    pub fn complete(dynamic: &[String], statics: &[String]) -> Self {
        let variable = |name: &String| Variable {
            name: name.clone(),
            absent_at: Vec::new(),
        };
        Self {
            sites: 0,
            dynamic: dynamic.iter().map(variable).collect(),
            statics: statics.iter().map(variable).collect(),
        }
    }

    /// The daily variables and static attributes that these inputs are: those of the groups in use, in the pack's order, or
    /// those that are named, in that order; where none is named, every one that all sites have.
    ///
    /// # Errors
    ///
    /// What is wrong with a name that the pack does not have, with a variable that some sites lack unless
    /// `missing = "indicator"`, or that no daily variable is left.
    pub fn choose(&self, inputs: &Inputs) -> Result<Chosen, String> {
        self.check_derived(inputs)?;
        let chosen = match &inputs.in_use {
            Some(groups) => self.of_groups(inputs, groups)?,
            None => {
                let [dynamic, statics] = self.kinds();
                Chosen {
                    dynamic: dynamic.named(inputs.dynamic.as_deref(), inputs.missing)?,
                    statics: statics.named(inputs.statics.as_deref(), inputs.missing)?,
                    derived: inputs.derived.clone(),
                }
            }
        };
        if chosen.dynamic.is_empty() && chosen.derived.is_empty() {
            return Err(match &inputs.in_use {
                Some(groups) => format!(
                    "`inputs.use` has {}, expected a group with a daily variable among them",
                    groups.join(" + ")
                ),
                None => "no daily variable of the pack is complete at all sites: name some in `inputs.dynamic` and \
                    set `inputs.missing = \"indicator\"`"
                    .to_owned(),
            });
        }
        Ok(chosen)
    }

    /// Whether the pack has every variable that derived inputs read. A site may lack one: they are zero there.
    fn check_derived(&self, inputs: &Inputs) -> Result<(), String> {
        let [dynamic, _] = self.kinds();
        for text in &inputs.derived {
            let columns = Expression::columns(text).map_err(|malformed| malformed.to_string())?;
            for (_, expression) in &columns {
                let mut names = Vec::new();
                expression.variables(&mut names);
                let absent = names
                    .into_iter()
                    .find(|name| dynamic.there.iter().all(|one| one.name != *name));
                if let Some(name) = absent {
                    let kind = Kind {
                        key: "inputs.derived".to_owned(),
                        ..dynamic
                    };
                    return Err(kind.unknown(name));
                }
            }
        }
        Ok(())
    }

    fn kinds(&self) -> [Kind<'_>; 2] {
        let sites = self.sites;
        [
            ("inputs.dynamic".to_owned(), &self.dynamic),
            ("inputs.static".to_owned(), &self.statics),
        ]
        .map(|(key, there)| Kind { key, there, sites })
    }

    fn of_groups(&self, inputs: &Inputs, groups: &[String]) -> Result<Chosen, String> {
        let mut wanted: Vec<&str> = Vec::new();
        for group in groups {
            let all: Vec<Variable> = [&self.dynamic[..], &self.statics[..]].concat();
            let kind = Kind {
                key: format!("inputs.groups.{group}"),
                there: &all,
                sites: self.sites,
            };
            let names = inputs.groups.get(group).map_or(&[][..], Vec::as_slice);
            kind.named(Some(names), inputs.missing)?;
            wanted.extend(names.iter().map(String::as_str));
        }
        let of = |there: &[Variable]| {
            let names = there.iter().map(|variable| &variable.name);
            names
                .filter(|name| wanted.contains(&name.as_str()))
                .cloned()
                .collect()
        };
        Ok(Chosen {
            dynamic: of(&self.dynamic),
            statics: of(&self.statics),
            derived: inputs.derived.clone(),
        })
    }
}

/// Variables among which a key names some.
struct Kind<'a> {
    key: String,
    there: &'a [Variable],
    sites: usize,
}

impl Kind<'_> {
    fn named(&self, named: Option<&[String]>, missing: Missing) -> Result<Vec<String>, String> {
        let Some(named) = named else {
            let complete = self.there.iter().filter(|one| one.absent_at.is_empty());
            return Ok(complete.map(|one| one.name.clone()).collect());
        };
        for name in named {
            let found = self.there.iter().find(|variable| variable.name == *name);
            let variable = found.ok_or_else(|| self.unknown(name))?;
            if missing == Missing::Error && !variable.absent_at.is_empty() {
                return Err(self.incomplete(variable));
            }
        }
        Ok(named.to_vec())
    }

    fn unknown(&self, name: &str) -> String {
        let names = self.there.iter().map(|variable| variable.name.as_str());
        let nearest = names
            .clone()
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        match nearest {
            None => format!("`{}` names `{name}`, but the pack has none", self.key),
            Some(nearest) => format!(
                "`{}` names `{name}`, which the pack does not have: did you mean `{nearest}`? (it has {})",
                self.key,
                names.collect::<Vec<_>>().join(", ")
            ),
        }
    }

    fn incomplete(&self, variable: &Variable) -> String {
        let Variable { name, absent_at } = variable;
        let listed: Vec<&str> = absent_at.iter().take(LISTED).map(String::as_str).collect();
        let more = if absent_at.len() > LISTED {
            ", …"
        } else {
            ""
        };
        format!(
            "`{}` names `{name}`, which {} of {} sites do not have ({}{more}): leave it out, or set \
             `inputs.missing = \"indicator\"`",
            self.key,
            absent_at.len(),
            self.sites,
            listed.join(", ")
        )
    }
}
