//! Compared runs as a terminal, files and other programs have them.

use std::fmt;

use efflux_analysis::measures::{Detail, Measure};
use efflux_base::error::Result;
use serde_json::{Value, json};

use super::shared::{Against, Row, Shared, Site};
use super::{Compared, Side};
use crate::cell::{Cell, p_value};
use crate::numbers::{counted, shortened};
use crate::table::{Column, Table, Tabular};

/// Characters of a run's name and of a value in a terminal.
const SHOWN: usize = 24;

/// A site of a series, and the place of a run.
struct AtSite<'a> {
    shared: &'a Shared,
    site: &'a Site,
    run: usize,
}

/// A line of scores in a terminal.
struct Line<'a> {
    label: String,
    score: Box<dyn Fn(Measure) -> Option<f64> + 'a>,
}

impl Compared {
    /// A row for every series, run and measure.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](efflux_base::error::Error::Internal) if it cannot be put together.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let against = |of: fn(&Against) -> Cell| {
            move |row: &Row| row.against.as_ref().map_or(Cell::Word(None), of)
        };
        let columns = vec![
            Column::text("series", "series", |row: &Row| row.series.key()),
            Column::text("run", "run", |row: &Row| self.runs[row.run].name.clone()),
            Column::text("score", "score", |row: &Row| {
                row.measure.column_name(&self.target.unit_in_columns())
            }),
            Column::count("sites", "sites at which all runs have it", |row: &Row| {
                row.sites
            }),
            Column::number("median", "median over them", 3, |row: &Row| row.median)
                .reason("median"),
            Column::number("all_days", "over all days together", 3, |row: &Row| {
                row.pooled
            })
            .reason("all_days"),
            Column::count(
                "better_than_first",
                "sites better",
                against(|of| of.better.into()),
            ),
            Column::count(
                "worse_than_first",
                "sites worse",
                against(|of| of.worse.into()),
            ),
            Column::number(
                "median_gain",
                "median gain",
                3,
                against(|of| of.gain.map(|gain| gain.median).into()),
            )
            .reason("median_gain"),
            Column::number(
                "gain_0.025",
                "lower end",
                3,
                against(|of| of.gain.map(|gain| gain.low).into()),
            ),
            Column::number(
                "gain_0.975",
                "upper end",
                3,
                against(|of| of.gain.map(|gain| gain.high).into()),
            ),
            Column::number("p", "p", 4, against(|of| of.test.map(|test| test.p).into()))
                .reason("p"),
        ];
        let rows = self.series.iter().flat_map(Shared::rows).collect();
        Table::file("compared", "a series, a run and a score", columns, rows)
            .csv(None, &self.target)
    }

    /// A row for every series, site and run.
    ///
    /// # Errors
    ///
    /// As [`Compared::csv`].
    pub fn sites_csv(&self) -> Result<Vec<u8>> {
        let mut columns = vec![
            Column::text("series", "series", |row: &AtSite<'_>| {
                row.shared.series.key()
            }),
            Column::text("site", "site", |row: &AtSite<'_>| row.site.id.clone()),
            Column::text("run", "run", |row: &AtSite<'_>| {
                self.runs[row.run].name.clone()
            }),
            Column::count("days", "days", |row: &AtSite<'_>| {
                row.site.scores[row.run].n
            }),
        ];
        columns.extend(Measure::listed(Detail::Brief).map(|measure| {
            let score = move |row: &AtSite<'_>| row.site.scores[row.run][measure];
            let column = Column::number(measure.column, measure.label, measure.decimals, score);
            column.unit(measure.unit).reason(measure.label)
        }));
        let rows = self.series.iter().flat_map(|shared| {
            let sites = shared.sites.iter();
            sites.flat_map(move |site| {
                (0..site.scores.len()).map(move |run| AtSite { shared, site, run })
            })
        });
        Table::file(
            "sites",
            "a series, a site and a run",
            columns,
            rows.collect(),
        )
        .csv(None, &self.target)
    }

    /// Everything of it.
    pub fn json(&self) -> Value {
        let runs = self.runs.iter().map(|side| {
            json!({
                "run": side.name,
                "pack_digest": side.pack_digest,
                "members": side.members,
                "configuration": side.configuration,
            })
        });
        let unit = self.target.unit_in_columns();
        let series = self.series.iter().map(|shared| {
            let sites = shared.sites.iter().map(|site| {
                let scores = |measure: Measure| {
                    let by_run = site.scores.iter().map(|scores| scores[measure].ok());
                    (
                        measure.column_name(&unit),
                        json!(by_run.collect::<Vec<_>>()),
                    )
                };
                let scores: serde_json::Map<String, Value> =
                    Measure::listed(Detail::Brief).map(scores).collect();
                let days = site.scores.first().map(|scores| scores.n);
                json!({"site": site.id, "days": days, "scores": scores})
            });
            json!({
                "series": shared.series.key(),
                "days": shared.days,
                "days_left_out": shared.unequal,
                "scores": shared.rows().iter().map(|row| self.row(row)).collect::<Vec<_>>(),
                "sites": sites.collect::<Vec<_>>(),
            })
        });
        let differences = self.differences.iter();
        let differences = differences.map(|of| json!({"key": of.key, "values": of.values}));
        json!({
            "runs": runs.collect::<Vec<_>>(),
            "series": series.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }

    fn row(&self, row: &Row) -> Value {
        let against = row.against.as_ref().map(|of| {
            let gain = of.gain.ok();
            json!({
                "better": of.better,
                "worse": of.worse,
                "median_gain": gain.map(|gain| gain.median),
                "interval": gain.map(|gain| [gain.low, gain.high]),
                "p": of.test.ok().map(|test| test.p),
            })
        });
        json!({
            "run": self.runs[row.run].name,
            "score": row.measure.column_name(&self.target.unit_in_columns()),
            "sites": row.sites,
            "median": row.median.ok(),
            "all_days": row.pooled.ok(),
            "against_first": against,
        })
    }

    /// The place of a run among them, from 1, and its name.
    fn label(&self, run: usize) -> String {
        format!("{} {}", run + 1, shortened(&self.runs[run].name, SHOWN))
    }

    fn scores(&self, shared: &Shared) -> String {
        let rows = shared.rows();
        let rows = &rows;
        let line = |run: usize, pick: fn(&Row) -> Option<f64>| Line {
            label: self.label(run),
            score: Box::new(move |measure| {
                let mut rows = rows.iter();
                rows.find(|row| row.run == run && row.measure == measure)
                    .and_then(pick)
            }),
        };
        let table = |title: &'static str, pick: fn(&Row) -> Option<f64>| {
            let mut columns = vec![Column::text("", title, |line: &Line<'_>| {
                line.label.clone()
            })];
            columns.extend(Measure::listed(Detail::Brief).map(|measure| {
                Column::number(
                    "",
                    measure.label,
                    measure.decimals,
                    move |line: &Line<'_>| (line.score)(measure),
                )
            }));
            let lines = (0..self.runs.len()).map(|run| line(run, pick));
            Table::page("", columns, lines.collect()).terminal(&[SHOWN + 4, 12])
        };
        let medians = table("median over sites", |row| row.median.ok());
        medians + "\n" + &table("all days together", |row| row.pooled.ok())
    }

    /// A run beside the first.
    fn against(&self, shared: &Shared, run: usize) -> String {
        let rows = shared.rows();
        let rows = rows.into_iter().filter(|row| row.run == run);
        let rows: Vec<(Row, Against)> = rows
            .filter_map(|mut row| {
                let against = row.against.take()?;
                Some((row, against))
            })
            .collect();
        let columns = vec![
            Column::text(
                "",
                format!("run {} beside run 1", run + 1),
                |(row, _): &(Row, Against)| row.measure.label,
            ),
            Column::text("", "better at", |(row, of): &(Row, Against)| {
                format!("{} of {}", of.better, row.sites)
            }),
            Column::number("", "gain", 3, |(_, of): &(Row, Against)| {
                of.gain.map(|gain| gain.median)
            }),
            Column::text("", "95 % interval", |(_, of): &(Row, Against)| {
                of.gain.map_or("–".to_owned(), |gain| {
                    format!("{:.3} to {:.3}", gain.low, gain.high)
                })
            }),
            Column::text("", "p", |(_, of): &(Row, Against)| {
                of.test.map_or("–".to_owned(), |test| p_value(test.p))
            }),
        ];
        Table::page("", columns, rows).terminal(&[20, 13, 9, 18, 10])
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, side) in self.runs.iter().enumerate() {
            let Side {
                name,
                members,
                configuration,
                ..
            } = side;
            let of = configuration
                .as_deref()
                .unwrap_or("not of one configuration in its journal");
            writeln!(
                f,
                "run {}  {name}\n       {}: {of}",
                place + 1,
                counted(*members, "member")
            )?;
        }
        if !self.target.is_soil_efflux() {
            writeln!(f, "\nall of {}", self.target)?;
        }
        for shared in &self.series {
            writeln!(
                f,
                "\n{}: {}, {}",
                shared.series.label(),
                counted(shared.sites.len(), "site"),
                counted(shared.days, "test day")
            )?;
            writeln!(f, "{}", self.scores(shared))?;
            for run in 1..self.runs.len() {
                writeln!(f, "{}", self.against(shared, run))?;
            }
        }
        match self.differences.is_empty() {
            true => write!(f, "The jobs ask for the same.")?,
            false => write!(
                f,
                "What the jobs differ in, run by run (–: the default, or not there):"
            )?,
        }
        for difference in &self.differences {
            let values = difference.values.iter().map(|value| {
                let value = value.as_ref().map(Value::to_string);
                value.map_or("–".to_owned(), |value| shortened(&value, SHOWN))
            });
            let values: Vec<String> = values.collect();
            write!(f, "\n  {:<26}{}", difference.key, values.join("  |  "))?;
        }
        for note in &self.notes {
            write!(f, "\n\nnote: {note}")?;
        }
        Ok(())
    }
}
