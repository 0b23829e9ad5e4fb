//! What was tried and what became of it.

use efflux_job::{Keep, SelectionPart, VALIDATION_DAYS};
use efflux_run::record::Outcome;

use super::html::{self, Cell, details, figure, number_column, table, text, words_column};
use super::{Figures, grid};
use crate::Findings;
use crate::figures::ranked;
use crate::results::{Configuration, Results};
use crate::tables::ordered;
use crate::words;

/// What configurations are compared by.
pub(super) fn score(results: &Results<'_>) -> String {
    let selection = results.selection;
    format!(
        "{} over sites on the {} part",
        words::metric(selection.metric),
        words::part(selection.on.part())
    )
}

pub(super) fn section(findings: &Findings<'_>, figures: &Figures) -> String {
    let (results, grid) = (findings.results, &findings.grid);
    let selection = results.selection;
    let score = score(results);
    let vote = match selection.on {
        SelectionPart::Validation => {
            format!(" Sites with fewer than {VALIDATION_DAYS} validation days have no vote.")
        }
        SelectionPart::Test => String::new(),
    };
    let caption = format!(
        "The {score} of every configuration, best mean first. A configuration is judged by the mean of its search \
         seeds, never by its luckiest; one that lacks a seed cannot be selected.{vote}"
    );
    let mut columns = vec![words_column("configuration"), number_column("mean")];
    let seeds = selection
        .configurations
        .first()
        .map(|first| first.seeds.as_slice())
        .unwrap_or_default();
    columns.extend(
        seeds
            .iter()
            .map(|(seed, _)| number_column(&format!("seed {seed}"))),
    );
    columns.push(words_column(""));
    let rows: Vec<Vec<Cell>> = ranked(selection)
        .into_iter()
        .map(|configuration| {
            let mut row = vec![text(&configuration.params.to_string()), mean(configuration)];
            row.extend(
                configuration
                    .seeds
                    .iter()
                    .map(|(_, value)| html::number(*value, 3)),
            );
            row.push(text(
                match (
                    &configuration.mean,
                    selection.winner == Some(configuration.params),
                ) {
                    (_, true) => "selected",
                    (Err(why), false) => why,
                    (Ok(_), false) => "",
                },
            ));
            row
        })
        .collect();
    let content = figure(&figures.search.svg, &caption)
        + &details(
            "The same as a table",
            &table(&format!("Search: {score}"), &columns, &rows, Some(1)),
        )
        + &grid::top(results, grid)
        + &grid::axes(grid, figures)
        + &grid::costs(grid);
    html::section("search", "Search", &content)
}

/// How the members learned; nothing where no epoch is on file.
pub(super) fn training(results: &Results<'_>, figures: &Figures) -> String {
    let Some(drawn) = &figures.training else {
        return String::new();
    };
    let kept = match results.contract.training.keep {
        Keep::Last => "The last epoch’s weights were kept.",
        Keep::Best => "The weights of the epoch with the best validation score were kept.",
    };
    let caption = format!(
        "Every line is a member. The validation score of an epoch comes from runs that begin one training window before \
         the validation days. {kept} All epochs of all trials are in the run directory, in <code>epochs/</code>."
    );
    html::section("training", "Training", &figure(&drawn.svg, &caption))
}

fn mean(configuration: &Configuration) -> Cell {
    html::number(configuration.mean.as_ref().ok().copied(), 3)
}

pub(super) fn failures(findings: &Findings<'_>) -> String {
    let results = findings.results;
    let columns = [
        "trial",
        "stage",
        "configuration",
        "seed",
        "attempt",
        "class",
        "message",
        "where",
    ];
    let columns = columns.map(|name| match name {
        "seed" | "attempt" => number_column(name),
        _ => words_column(name),
    });
    let mut rows = Vec::new();
    for record in ordered(results) {
        if let Outcome::Failed(failure) = &record.outcome {
            let place = &record.place;
            rows.push(vec![
                text(record.trial.id.as_str()),
                text(&record.trial.stage.to_string()),
                text(&record.trial.params.to_string()),
                text(&record.trial.seed.to_string()),
                text(&record.attempt.to_string()),
                text(words::failure(failure.class)),
                text(&failure.message),
                text(&format!(
                    "{}, rank {}, slot {}",
                    place.host, place.rank, place.slot
                )),
            ]);
        }
    }
    let content = if rows.is_empty() {
        format!(
            "<p>None: all {} ran to their end.</p>\n",
            words::counted(results.records.len(), "trial")
        )
    } else {
        let each = table("Trials whose newest attempt failed", &columns, &rows, None);
        grid::failures(&findings.grid) + &each
    };
    html::section("failures", "Failed trials", &content)
}
