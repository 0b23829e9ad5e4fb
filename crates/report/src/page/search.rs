//! What was tried and what became of it.

use efflux_job::{Keep, SelectionPart, VALIDATION_DAYS};
use efflux_run::record::Record;
use efflux_run::{Candidate, Choice};

use super::{grid, variance};
use crate::Findings;
use crate::curves;
use crate::figures;
use crate::markup::{Html, html};
use crate::numbers;
use crate::results::Results;
use crate::section::{Drawing, Frame, Part, Section};
use crate::table::{Column, Table};
use crate::tables;
use crate::tables::search::{failed, ordered};

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let (results, grid) = (findings.results, &findings.grid);
    let choice = results.selection;
    let vote = match choice.rule.on {
        SelectionPart::Validation => {
            format!(" Sites with fewer than {VALIDATION_DAYS} validation days have no vote.")
        }
        SelectionPart::Test => String::new(),
    };
    let mut parts = vec![
        Part::figure(move || {
            let caption = html!(
                "The {} of every configuration, best mean first. A configuration is judged by the mean of its search \
                 seeds, never by its luckiest; one that lacks a seed cannot be selected.{}",
                choice.compared_by(),
                vote
            );
            Drawing::new("Search", figures::search(choice), caption)
        }),
        Part::Folded(
            "The same as a table",
            vec![Part::table(configurations(choice))],
        ),
    ];
    parts.extend(stopped(results));
    parts.extend(curves(results));
    parts.extend(grid::top(findings));
    parts.extend(variance::parts(findings));
    parts.extend(grid::axes(findings));
    parts.extend([
        Part::Folded(
            "Cost of every configuration",
            vec![Part::table(tables::grid::costs(grid, choice))],
        ),
        Part::table(tables::search::selection(results)),
        Part::table(tables::search::curves(results)),
        Part::table(tables::search::trials(results)),
        Part::table(tables::search::attempts(results)),
    ]);
    Section {
        id: "search",
        title: "Search",
        frame: Frame::Named("Search"),
        lead: Html::default(),
        parts,
    }
}

/// How the configurations learned; nothing where no epoch of a search trial has a validation score.
fn curves<'a>(results: &'a Results<'_>) -> Option<Part<'a>> {
    let curves = curves::curves(results);
    if curves.is_empty() {
        return None;
    }
    let label = results.selection.rule.metric.label();
    let drawing = move || {
        let shown = figures::shown(curves.len()).len();
        let caption = html!(
            "A line is a configuration: the mean of {} over its trials, by epoch. {} of {} with scores are drawn, evenly by rank, the \
             best among them; all are in <code>curves.csv</code>. Scores far below the others lie on the lower edge.",
            format!("{label} on the validation days"),
            shown,
            numbers::counted(curves.len(), "configuration")
        );
        Drawing::new(
            "Search, epoch by epoch",
            figures::curves(&curves, &label),
            caption,
        )
    };
    Some(Part::figure(drawing))
}

/// What a stopping rule did, if there was one.
fn stopped<'a>(results: &'a Results<'_>) -> Option<Part<'a>> {
    let candidates = &results.selection.candidates;
    let stopped = candidates.iter().filter(|one| one.stopped.is_some());
    let stopped = stopped.count();
    let first = results.rungs.first()?;
    let whole = results.settings.training.epochs;
    let saved = results.rungs.iter().filter(|judged| judged.is_stopped);
    let saved: u32 = saved
        .map(|judged| whole.saturating_sub(judged.epochs))
        .sum();
    let trials: usize = candidates.iter().map(|one| one.scores.len()).sum();
    let all = f64::from(whole) * trials as f64;
    let text = html!(
        "<p>A stopping rule compared configurations by the mean of their seeds on the validation part, for the first time \
         after {}. It stopped {} of {}, whose trials keep their checkpoints and can go on. That saved {} of {} epochs ({} \
         %). A configuration that was stopped might have been the best in the end.</p>\n",
        numbers::counted(first.epochs as usize, "epoch"),
        stopped,
        numbers::counted(candidates.len(), "configuration"),
        saved,
        all,
        format!("{:.0}", 100.0 * f64::from(saved) / all)
    );
    Some(Part::Folded(
        "What the stopping rule did",
        vec![
            Part::Text(text),
            Part::table(tables::search::rungs(results)),
        ],
    ))
}

fn configurations(choice: &Choice) -> Table<'_, &Candidate> {
    type Row<'a> = &'a Candidate;
    let decimals = choice.rule.metric.measure().decimals;
    let mut columns = vec![
        Column::text("configuration", "configuration", |row: &Row<'_>| {
            row.params.to_string()
        }),
        Column::number("mean", "mean", decimals, |row: &Row<'_>| row.mean),
    ];
    let first = choice.candidates.first();
    let seeds = first
        .map(|first| first.scores.as_slice())
        .unwrap_or_default();
    columns.extend(seeds.iter().enumerate().map(|(place, (seed, _))| {
        Column::number(
            "",
            format!("seed {seed}"),
            decimals,
            move |row: &Row<'_>| row.scores.get(place).and_then(|(_, score)| *score),
        )
    }));
    columns.push(Column::text("", "", |row: &Row<'_>| {
        if choice.selects(&row.params) {
            "selected".to_owned()
        } else {
            row.obstacle().unwrap_or_default()
        }
    }));
    let title = format!("Search: {}", choice.compared_by());
    Table::page(title, columns, choice.ranked()).sorted_by("mean")
}

/// How the members learned; none where no epoch is on file.
pub(super) fn training<'a>(results: &'a Results<'_>) -> Option<Section<'a>> {
    let members = results.members_epochs();
    if members.is_empty() {
        return None;
    }
    let kept = match results.settings.training.keep {
        Keep::Last => "The last epoch’s weights were kept.",
        Keep::Best => "The weights of the epoch with the best validation score were kept.",
    };
    let drawing = move || {
        let caption = html!(
            "Every line is a member. The validation score of an epoch comes from runs that begin one training window \
             before the validation days. {} All epochs of all trials are in the run directory, in <code>epochs/</code>.",
            kept
        );
        Drawing::new("Training", figures::training(&members), caption)
    };
    Some(Section {
        id: "training",
        title: "Training",
        frame: Frame::Named("Training"),
        lead: Html::default(),
        parts: vec![Part::figure(drawing)],
    })
}

pub(super) fn failures<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    type Row<'a> = &'a Record;
    let results = findings.results;
    let columns = vec![
        Column::text("trial", "trial", |row: &Row<'_>| row.trial.id.to_string()),
        Column::text("stage", "stage", |row: &Row<'_>| {
            row.trial.stage.to_string()
        }),
        Column::text("configuration", "configuration", |row: &Row<'_>| {
            row.trial.params.to_string()
        }),
        Column::count("seed", "seed", |row: &Row<'_>| row.trial.seed.to_string()),
        Column::count("attempt", "attempt", |row: &Row<'_>| {
            row.attempt.to_string()
        }),
        Column::text("class", "class", |row: &Row<'_>| {
            failed(row).map_or("", |failure| failure.class.label())
        }),
        Column::text("message", "message", |row: &Row<'_>| {
            failed(row).map_or("", |failure| failure.message.as_str())
        }),
        Column::text("where", "where", |row: &Row<'_>| {
            let place = &row.place;
            format!("{}, rank {}, slot {}", place.host, place.rank, place.slot)
        }),
    ];
    let records = ordered(results).into_iter();
    let records: Vec<Row<'a>> = records.filter(|record| failed(record).is_some()).collect();
    let mut parts = vec![Part::table(tables::grid::failures(&findings.grid))];
    parts.push(if records.is_empty() {
        Part::Text(html!(
            "<p>None: all {} ran to their end.</p>\n",
            numbers::counted(results.records.len(), "trial")
        ))
    } else {
        let title = "Trials whose newest attempt failed";
        Part::table(Table::page(title, columns, records))
    });
    Section {
        id: "failures",
        title: "Failed trials",
        frame: Frame::Named("Failures"),
        lead: Html::default(),
        parts,
    }
}
