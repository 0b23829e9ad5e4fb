//! What stopping rules decide on histories, for comparing them with other programs' rules (`benches/policies.py`) and for
//! replaying them on known curves (`benches/replay.py`).
//!
//! Reads a history a line from standard input, as JSON:
//!
//! ```text
//! {"stop": {"policy": "asha", "least": 1, "eta": 3}, "configurations": 9, "replications": 1, "epochs": 9,
//!  "events": ["ask", [0, 0, 0, 0.25], [1, 0, 0, null]]}
//! {"events": ["ask"]}
//! ```
//!
//! `stop` is as in a job file. An event is an arrival, `[configuration, replication, rung, score]`, higher scores being
//! better, with a list of the scores of sites behind that where the rule compares sites; or `"ask"`, at which what the rule
//! proposes is accepted. A line with nothing but events goes on with the history before it. Writes a line for each line: for
//! every event the decisions, each `[configuration, "go_on" | "wait" | "stop", rung]`.

use std::io::{self, BufRead, Write};

use efflux_analysis::measures::NSE;
use efflux_job::Stop;
use efflux_run::stopping::{Arrival, Decision, Field, StoppingRule, Verdict, rule};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Line {
    /// None: it goes on with the search of the line before.
    #[serde(flatten)]
    search: Option<Search>,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Search {
    stop: Stop,
    configurations: usize,
    replications: usize,
    epochs: u32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    /// Configuration, replication, rung and score.
    Arrival(usize, usize, usize, Option<f64>),
    /// The same with the scores of sites.
    ArrivalOfSites(usize, usize, usize, Option<f64>, Vec<Option<f64>>),
    Question(Question),
}

#[derive(Clone, Copy, Deserialize)]
enum Question {
    #[serde(rename = "ask")]
    Ask,
}

fn said(decision: &Decision) -> Value {
    let number = decision.configuration;
    match decision.verdict {
        Verdict::GoOn(rung) => json!([number, "go_on", rung]),
        Verdict::Wait => json!([number, "wait", null]),
        Verdict::Stop(rung) => json!([number, "stop", rung]),
    }
}

impl Search {
    fn rule(&self) -> Result<Box<dyn StoppingRule>, String> {
        let field = Field {
            configurations: self.configurations,
            replications: self.replications,
            epochs: self.epochs,
            measure: NSE,
        };
        rule(self.stop, field).ok_or_else(|| "a history without a policy".to_owned())
    }
}

fn decide(rule: &mut dyn StoppingRule, event: &Event) -> Value {
    let (configuration, replication, rung, score, sites) = match event {
        Event::Question(Question::Ask) => {
            let proposed = rule.propose();
            proposed
                .into_iter()
                .for_each(|decision| rule.accept(decision));
            return proposed.iter().map(said).collect();
        }
        &Event::Arrival(configuration, replication, rung, score) => {
            (configuration, replication, rung, score, &[][..])
        }
        Event::ArrivalOfSites(configuration, replication, rung, score, sites) => {
            (*configuration, *replication, *rung, *score, &sites[..])
        }
    };
    let arrival = Arrival {
        configuration,
        replication,
        rung,
        score,
        sites,
    };
    rule.on(&arrival).iter().map(said).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut answers = io::stdout().lock();
    let mut known: Option<Box<dyn StoppingRule>> = None;
    for line in io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        if let Some(search) = &line.search {
            known = Some(search.rule()?);
        }
        let rule = known
            .as_deref_mut()
            .ok_or("events before any `stop`, `configurations`, `replications` and `epochs`")?;
        let decided: Value = line.events.iter().map(|one| decide(rule, one)).collect();
        writeln!(answers, "{decided}")?;
        answers.flush()?;
    }
    Ok(())
}
