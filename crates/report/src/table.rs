//! A table: columns over rows. Each column is declared once; the file (comma-separated, full precision), the page
//! (rounded, sortable), the terminal (aligned) and the documentation are views of the same declaration.

use efflux_analysis::units::Unit;
use efflux_base::error::{Error, Result};
use efflux_data::Target;

use super::cell::Cell;
use super::markup::{Html, html};
use super::section::Members;

/// Where a table or a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Everywhere,
    /// In the file alone.
    File,
    /// On the page alone.
    Page,
}

impl Shown {
    fn in_file(self) -> bool {
        self != Self::Page
    }

    fn on_page(self) -> bool {
        self != Self::File
    }
}

/// A column of a table whose rows are `Row`s.
pub(crate) struct Column<'a, Row> {
    /// Its name in the file, without the unit.
    key: String,
    /// Its name for people.
    label: String,
    unit: Unit,
    decimals: usize,
    is_number: bool,
    /// What the column `not_defined` calls it.
    reason: Option<String>,
    shown: Shown,
    cell: Box<dyn Fn(&Row) -> Cell + 'a>,
}

impl<'a, Row> Column<'a, Row> {
    /// A column of words.
    pub(crate) fn text<C: Into<Cell>>(
        key: impl Into<String>,
        label: impl Into<String>,
        cell: impl Fn(&Row) -> C + 'a,
    ) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            unit: Unit::NONE,
            decimals: 0,
            is_number: false,
            reason: None,
            shown: Shown::Everywhere,
            cell: Box::new(move |row| cell(row).into()),
        }
    }

    /// A column of counts, or of other whole numbers.
    pub(crate) fn count<C: Into<Cell>>(
        key: impl Into<String>,
        label: impl Into<String>,
        cell: impl Fn(&Row) -> C + 'a,
    ) -> Self {
        Self {
            is_number: true,
            ..Self::text(key, label, cell)
        }
    }

    /// A column of numbers, of which people read so many decimals.
    pub(crate) fn number<C: Into<Cell>>(
        key: impl Into<String>,
        label: impl Into<String>,
        decimals: usize,
        cell: impl Fn(&Row) -> C + 'a,
    ) -> Self {
        Self {
            decimals,
            ..Self::count(key, label, cell)
        }
    }

    /// Has this unit, which its name in the file ends in.
    pub(crate) fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// Where it has no number, the column `not_defined` says why, by this name.
    pub(crate) fn reason(self, name: impl Into<String>) -> Self {
        Self {
            reason: Some(name.into()),
            ..self
        }
    }

    /// Is in the file alone.
    pub(crate) fn in_file(self) -> Self {
        Self {
            shown: Shown::File,
            ..self
        }
    }

    /// Is in the file alone, if this is so.
    pub(crate) fn in_file_if(self, is_so: bool) -> Self {
        if is_so { self.in_file() } else { self }
    }

    /// Is on the page alone.
    pub(crate) fn on_page(self) -> Self {
        Self {
            shown: Shown::Page,
            ..self
        }
    }
}

/// A table.
pub(crate) struct Table<'a, Row> {
    /// Its file is called so.
    id: &'static str,
    /// What the page says above it.
    title: String,
    /// What a row is.
    note: &'static str,
    shown: Shown,
    columns: Vec<Column<'a, Row>>,
    rows: Vec<Row>,
    /// The rows of the page, where these are others or stand in another order.
    page_rows: Option<Vec<Row>>,
    /// The column that the page's rows are sorted by, the highest first; readers can then sort by any.
    sorted_by: Option<&'static str>,
}

impl<'a, Row> Table<'a, Row> {
    /// A table that is a file and on the page.
    pub(crate) fn new(
        id: &'static str,
        title: impl Into<String>,
        note: &'static str,
        columns: Vec<Column<'a, Row>>,
        rows: Vec<Row>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            note,
            shown: Shown::Everywhere,
            columns,
            rows,
            page_rows: None,
            sorted_by: None,
        }
    }

    /// A table that is a file alone.
    pub(crate) fn file(
        id: &'static str,
        note: &'static str,
        columns: Vec<Column<'a, Row>>,
        rows: Vec<Row>,
    ) -> Self {
        Self {
            shown: Shown::File,
            ..Self::new(id, "", note, columns, rows)
        }
    }

    /// A table that is on the page, or in a terminal, alone.
    pub(crate) fn page(
        title: impl Into<String>,
        columns: Vec<Column<'a, Row>>,
        rows: Vec<Row>,
    ) -> Self {
        Self {
            shown: Shown::Page,
            ..Self::new("", title, "", columns, rows)
        }
    }

    /// The page has these rows instead.
    pub(crate) fn page_rows(self, rows: Vec<Row>) -> Self {
        Self {
            page_rows: Some(rows),
            ..self
        }
    }

    /// The page's rows are sorted by the column with this key.
    pub(crate) fn sorted_by(self, key: &'static str) -> Self {
        Self {
            sorted_by: Some(key),
            ..self
        }
    }

    /// Is a file alone from here on, because there is nothing that the page could show.
    pub(crate) fn in_file_alone_if(self, is_empty: bool) -> Self {
        let shown = if is_empty { Shown::File } else { self.shown };
        Self { shown, ..self }
    }

    /// As a terminal has it: the first column to the left, the others to the right, at least so wide.
    pub(crate) fn terminal(&self, widths: &[usize]) -> String {
        let columns = || {
            self.columns
                .iter()
                .zip(widths.iter().chain(widths.last().into_iter().cycle()))
        };
        let line = |cells: Vec<String>| {
            let padded = cells.iter().zip(columns()).enumerate();
            let padded = padded.map(|(place, (cell, (_, width)))| match place {
                0 => format!("  {cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            padded.collect::<String>() + "\n"
        };
        let mut text = line(columns().map(|(column, _)| column.label.clone()).collect());
        for row in &self.rows {
            let cells = columns().map(|(column, &width)| {
                let cell = (column.cell)(row);
                cell.text(column.decimals, width)
            });
            text.push_str(&line(cells.collect()));
        }
        text
    }

    fn in_file(&self) -> impl Iterator<Item = &Column<'a, Row>> {
        self.columns.iter().filter(|column| column.shown.in_file())
    }

    fn has_reasons(&self) -> bool {
        self.in_file().any(|column| column.reason.is_some())
    }
}

/// The last column of tables with numbers that may not be defined.
const NOT_DEFINED: &str = "not_defined";
/// The last column of all in tables that are made of members.
const MADE_OF: &str = "made_of";

/// A table, whatever its rows are.
pub(crate) trait Tabular {
    /// The name of its file; none if it is on the page alone.
    fn file_name(&self) -> Option<String>;
    /// Its file, with a last column that says what members it is made of, if it is; `target` is what the numbers in the unit of
    /// the target are of.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if it cannot be put together.
    fn csv(&self, members: Option<Members>, target: &Target) -> Result<Vec<u8>>;
    /// What the page has of it.
    fn html(&self) -> Html;
    /// What the documentation says of its file, as Markdown.
    fn described(&self, members: Option<Members>, target: &Target) -> String;
}

impl<Row> Tabular for Table<'_, Row> {
    fn file_name(&self) -> Option<String> {
        self.shown.in_file().then(|| format!("{}.csv", self.id))
    }

    fn csv(&self, members: Option<Members>, target: &Target) -> Result<Vec<u8>> {
        let defect =
            |error: &dyn std::fmt::Display| Error::Internal(format!("{}: {error}", self.id));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let has_reasons = self.has_reasons();
        let unit = target.unit_in_columns();
        let mut header: Vec<String> = self
            .in_file()
            .map(|column| column.unit.column(&column.key, &unit))
            .collect();
        header.extend(has_reasons.then(|| NOT_DEFINED.to_owned()));
        header.extend(members.map(|_| MADE_OF.to_owned()));
        writer
            .write_record(&header)
            .map_err(|error| defect(&error))?;
        for row in &self.rows {
            let mut record = Vec::with_capacity(header.len());
            let mut reasons = Vec::new();
            for column in self.in_file() {
                let cell = (column.cell)(row);
                record.push(cell.csv());
                if let (Some(name), Some(reason)) = (&column.reason, cell.reason()) {
                    reasons.push(format!("{name}: {reason}"));
                }
            }
            if has_reasons {
                record.push(reasons.join("; "));
            }
            record.extend(members.map(|members| members.to_string()));
            writer
                .write_record(&record)
                .map_err(|error| defect(&error))?;
        }
        writer.into_inner().map_err(|error| defect(&error))
    }

    fn html(&self) -> Html {
        if !self.shown.on_page() {
            return Html::default();
        }
        let columns: Vec<&Column<'_, Row>> = self
            .columns
            .iter()
            .filter(|column| column.shown.on_page())
            .collect();
        let class = |column: &Column<'_, Row>| match column.is_number {
            true => Html::literal(" class=\"number\""),
            false => Html::default(),
        };
        let sortable = match self.sorted_by {
            Some(_) => Html::literal(" class=\"sortable\""),
            None => Html::default(),
        };
        let mut html = html!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table{}>\
             <caption>{title}</caption>\n<thead><tr>",
            sortable;
            title = self.title
        );
        for column in &columns {
            let sorted = match self.sorted_by {
                Some(key) if key == column.key => Html::literal(" aria-sort=\"descending\""),
                _ => Html::default(),
            };
            let (class, label) = (class(column), &column.label);
            html.push(&html!(
                "<th scope=\"col\"{}{}>{}</th>",
                class,
                sorted,
                label
            ));
        }
        html.push(&html!("</tr></thead>\n<tbody>\n"));
        for row in self.page_rows.as_ref().unwrap_or(&self.rows) {
            html.push(&html!("<tr>"));
            for (place, column) in columns.iter().enumerate() {
                let cell = (column.cell)(row);
                let sort = match cell.sort() {
                    Some(key) => html!(" data-sort=\"{}\"", key),
                    None => Html::default(),
                };
                let (class, shown) = (class(column), cell.html(column.decimals));
                html.push(&match place {
                    0 => html!("<th scope=\"row\"{}{}>{}</th>", class, sort, shown),
                    _ => html!("<td{}{}>{}</td>", class, sort, shown),
                });
            }
            html.push(&html!("</tr>\n"));
        }
        html.push(&html!("</tbody></table></div>\n"));
        html
    }

    fn described(&self, members: Option<Members>, target: &Target) -> String {
        let (unit, in_columns) = (target.unit(), target.unit_in_columns());
        let mut text = format!("## {}.csv\n\nA row is {}.\n\n", self.id, self.note);
        text.push_str("| column | what it is | unit |\n| --- | --- | --- |\n");
        for column in self.in_file() {
            text.push_str(&format!(
                "| `{}` | {} | {} |\n",
                column.unit.column(&column.key, &in_columns),
                column.label,
                match column.unit {
                    Unit::Target => unit.as_str(),
                    Unit::Fixed { label, .. } => label,
                }
            ));
        }
        if self.has_reasons() {
            text.push_str(&format!(
                "| `{NOT_DEFINED}` | why a number of the row is not defined | |\n"
            ));
        }
        if members.is_some() {
            text.push_str(&format!(
                "| `{MADE_OF}` | members that the row is made of, `10 of 12 members` | |\n"
            ));
        }
        text
    }
}
