//! In what jobs differ.

use serde_json::{Map, Value, json};

use super::file::Job;

/// A key that does not have the same value in all of some jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its dotted name in job files.
    pub key: String,
    /// Its value in each job, defaults included; none where a job has neither.
    pub values: Vec<Option<Value>>,
}

/// The keys in which jobs differ, in the order of their names. What a job leaves out has its default, so that only jobs that
/// ask for different things differ.
pub fn differences(jobs: &[&Job]) -> Vec<Difference> {
    let jobs: Vec<Map<String, Value>> = jobs.iter().map(|job| keys(job)).collect();
    let mut names: Vec<&String> = jobs.iter().flat_map(Map::keys).collect();
    names.sort_unstable();
    names.dedup();
    let differences = names.into_iter().map(|key| Difference {
        key: key.clone(),
        values: jobs.iter().map(|job| job.get(key).cloned()).collect(),
    });
    let differ = |difference: &Difference| difference.values.windows(2).any(|two| two[0] != two[1]);
    differences.filter(differ).collect()
}

/// Everything that a job says, by dotted names.
fn keys(job: &Job) -> Map<String, Value> {
    // The grid as written: its configurations are too many to be told apart one by one.
    let written: toml::Table = toml::from_str(&job.text).unwrap_or_default();
    let said = json!({
        "pack": job.pack,
        "inputs": job.settings.inputs,
        "split": job.settings.split,
        "transform": job.settings.transform,
        "model": job.settings.params,
        "training": job.settings.training,
        "evaluation": job.evaluation,
        "search": job.search,
        "grid": written.get("grid"),
        "seeds": job.seeds,
        "selection": job.selection,
        "final": job.final_members,
        "stop": job.stop,
        "ensemble": job.ensemble,
        "baselines": job.baselines,
        "analysis": job.analysis,
    });
    let mut keys = Map::new();
    flatten(String::new(), said, &mut keys);
    keys
}

fn flatten(name: String, value: Value, keys: &mut Map<String, Value>) {
    match value {
        Value::Null => {}
        Value::Object(table) => {
            for (key, value) in table {
                let name = if name.is_empty() {
                    key
                } else {
                    format!("{name}.{key}")
                };
                flatten(name, value, keys);
            }
        }
        value => {
            keys.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn job(text: &str) -> Job {
        Job::parse(Path::new("job.toml"), text.to_owned()).unwrap()
    }

    #[test]
    fn a_default_that_one_job_writes_out_is_no_difference() {
        let short = job("pack = \"a.h5\"\n[grid]\nhidden_size = [8, 12]\n");
        let long = job(
            "# the same\npack = \"a.h5\"\n[split]\ntrain = 0.8\n[grid]\nhidden_size = [8, 12]\n",
        );
        assert_eq!(differences(&[&short, &long]), []);
    }

    #[test]
    fn what_differs_is_named_as_in_job_files_with_the_value_of_each() {
        let one = job("pack = \"a.h5\"\n[training]\nepochs = 2\n[grid]\nhidden_size = [8]\n");
        let other = job("pack = \"b.h5\"\n[inputs]\ndynamic = [\"t\"]\n[training]\nepochs = 3\n");
        let found = differences(&[&one, &one, &other]);
        let names: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(
            names,
            [
                "grid.hidden_size",
                "inputs.dynamic",
                "pack",
                "training.epochs"
            ]
        );
        assert_eq!(found[0].values, [Some(json!([8])), Some(json!([8])), None]);
        assert_eq!(
            found[3].values,
            [Some(json!(2)), Some(json!(2)), Some(json!(3))]
        );
    }
}
