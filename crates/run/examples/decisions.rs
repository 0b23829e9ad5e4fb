//! What stopping rules decide on histories, for comparing them with other programs' rules (`benches/policies.py`).
//!
//! Reads a history a line from standard input, as JSON:
//!
//! ```text
//! {"stop": {"policy": "asha", "least": 1, "eta": 3}, "configurations": 9, "replications": 1, "epochs": 9,
//!  "events": ["ask", [0, 0, 0, 0.25], [1, 0, 0, null]]}
//! ```
//!
//! `stop` is as in a job file. An event is an arrival, `[configuration, replication, rung, score]`, higher scores being
//! better, or `"ask"`, at which what the rule proposes is accepted. Writes a line for each history: for every event the
//! decisions, each `[configuration, "go_on" | "wait" | "stop", rung]`.

use std::io::{self, BufRead, BufWriter, Write};

use efflux_analysis::measures::NSE;
use efflux_job::Stop;
use efflux_run::stopping::{Arrival, Decision, Field, Verdict, rule};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct History {
    stop: Stop,
    configurations: usize,
    replications: usize,
    epochs: u32,
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    /// Configuration, replication, rung and score.
    Arrival(usize, usize, usize, Option<f64>),
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

fn decide(history: &History) -> Result<Value, String> {
    let field = Field {
        configurations: history.configurations,
        replications: history.replications,
        epochs: history.epochs,
        measure: NSE,
    };
    let mut rule = rule(history.stop, field).ok_or("a history without a policy")?;
    let answers = history.events.iter().map(|event| match *event {
        Event::Arrival(configuration, replication, rung, score) => {
            let arrival = Arrival {
                configuration,
                replication,
                rung,
                score,
                sites: &[],
            };
            rule.on(&arrival).iter().map(said).collect::<Value>()
        }
        Event::Question(Question::Ask) => {
            let proposed = rule.propose();
            proposed
                .into_iter()
                .for_each(|decision| rule.accept(decision));
            proposed.iter().map(said).collect::<Value>()
        }
    });
    Ok(answers.collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut answers = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let history: History = serde_json::from_str(&line?)?;
        writeln!(answers, "{}", decide(&history)?)?;
    }
    answers.flush()?;
    Ok(())
}
