//! What groups of inputs are worth: configurations with a group beside those that differ in nothing else.

use std::collections::HashMap;

use efflux_analysis::importance::Importance;
use efflux_job::{Configuration, Key, Section};
use efflux_run::Choice;

/// A group of inputs.
pub(crate) struct Group {
    pub(crate) name: String,
    /// Pairs of configurations that differ in it alone.
    pub(crate) configurations: usize,
    /// What the score loses without it, over pairs of trials.
    pub(crate) importance: Importance,
}

/// The groups that some configurations see and others do not, in the order in which they occur.
pub(crate) fn groups(choice: &Choice) -> Vec<Group> {
    let Some(key) = Key::of(Section::Inputs, "use") else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    for candidate in &choice.candidates {
        let used = used(&candidate.params, key);
        names.extend(
            used.into_iter()
                .filter(|name| !names.contains(name))
                .collect::<Vec<_>>(),
        );
    }
    let measure = choice.rule.metric.measure();
    let by_setting: HashMap<_, _> = choice
        .candidates
        .iter()
        .map(|candidate| (setting(&candidate.params, key, None), candidate))
        .collect();
    let group = |name: String| {
        let (mut configurations, mut with, mut without) = (0, Vec::new(), Vec::new());
        for candidate in &choice.candidates {
            if !used(&candidate.params, key).contains(&name) {
                continue;
            }
            let lacking = setting(&candidate.params, key, Some(&name));
            let Some(other) = by_setting.get(&lacking) else {
                continue;
            };
            configurations += 1;
            for ((seed, score), (other_seed, other)) in candidate.scores.iter().zip(&other.scores) {
                if seed == other_seed {
                    let of = |score: &Option<f64>| {
                        score.map_or(f64::NAN, |score| measure.goodness(score))
                    };
                    with.push(of(score));
                    without.push(of(other));
                }
            }
        }
        Group {
            name,
            configurations,
            importance: Importance::of(&[with], &[without]),
        }
    };
    let groups = names.into_iter().map(group);
    groups.filter(|group| group.configurations > 0).collect()
}

/// The groups that a configuration sees.
fn used(configuration: &Configuration, key: Key) -> Vec<String> {
    let value = configuration.get(key).and_then(|value| value.as_array());
    let names = value.into_iter().flatten().filter_map(|name| name.as_str());
    names.map(str::to_owned).collect()
}

/// What a configuration sets besides inputs, and its groups but for one, in order.
fn setting(
    configuration: &Configuration,
    key: Key,
    but_for: Option<&String>,
) -> (Configuration, Vec<String>) {
    let others = configuration.values().iter().filter(|(of, _)| *of != key);
    let mut groups = used(configuration, key);
    groups.retain(|name| Some(name) != but_for);
    groups.sort_unstable();
    (Configuration::of(others.cloned().collect()), groups)
}
