//! Which variables of a pack a job uses.

use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_job::{Inputs, Missing};

use super::pack::{Pack, Variable};

/// How many sites or names a message lists.
const LISTED: usize = 5;

/// The daily variables and static attributes that a job uses, in the job's order; where it names none, every one that
/// all sites have, in the pack's order.
///
/// `job_path` names the job file in messages.
///
/// # Errors
///
/// [`Error::Job`] for a name that the pack does not have, for a variable that some sites lack unless
/// `missing = "indicator"`, and if no daily variable is left.
pub fn choose(pack: &Pack, inputs: &Inputs, job_path: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let wrong = |reason| Error::Job {
        path: job_path.to_owned(),
        reason,
    };
    let lacking_dynamic = |variable| pack.sites_without(variable);
    let lacking_static = |attribute| pack.sites_without_attribute(attribute);
    let dynamic = Choice {
        key: "inputs.dynamic",
        there: &pack.dynamic,
        lacking: &lacking_dynamic,
        pack,
    };
    let statics = Choice {
        key: "inputs.static",
        there: &pack.statics,
        lacking: &lacking_static,
        pack,
    };
    let dynamic = dynamic
        .of(inputs.dynamic.as_deref(), inputs.missing)
        .map_err(wrong)?;
    if dynamic.is_empty() {
        return Err(wrong(
            "no daily variable of the pack is complete at all sites: name some in `inputs.dynamic` and set \
             `inputs.missing = \"indicator\"`"
                .to_owned(),
        ));
    }
    let statics = statics
        .of(inputs.statics.as_deref(), inputs.missing)
        .map_err(wrong)?;
    Ok((dynamic, statics))
}

/// One key of `[inputs]` and what the pack has for it.
struct Choice<'a> {
    key: &'static str,
    there: &'a [Variable],
    /// The sites without the variable of this index.
    lacking: &'a dyn Fn(usize) -> Vec<usize>,
    pack: &'a Pack,
}

impl Choice<'_> {
    fn of(&self, named: Option<&[String]>, missing: Missing) -> Result<Vec<String>, String> {
        let Some(named) = named else {
            let complete = (0..self.there.len()).filter(|&index| (self.lacking)(index).is_empty());
            return Ok(complete
                .map(|index| self.there[index].name.clone())
                .collect());
        };
        for name in named {
            let index = self
                .there
                .iter()
                .position(|variable| variable.name == *name);
            let index = index.ok_or_else(|| self.unknown(name))?;
            let lacking = (self.lacking)(index);
            if missing == Missing::Error && !lacking.is_empty() {
                return Err(self.incomplete(name, &lacking));
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

    fn incomplete(&self, name: &str, lacking: &[usize]) -> String {
        let ids = lacking
            .iter()
            .map(|&site| self.pack.sites[site].id.as_str());
        let listed: Vec<&str> = ids.take(LISTED).collect();
        let more = if lacking.len() > LISTED { ", …" } else { "" };
        format!(
            "`{}` names `{name}`, which {} of {} sites do not have ({}{more}): leave it out, or set \
             `inputs.missing = \"indicator\"`",
            self.key,
            lacking.len(),
            self.pack.sites.len(),
            listed.join(", ")
        )
    }
}
