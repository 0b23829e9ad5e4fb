//! Pieces of a page: text that is safe, numbers that say when they are none, tables that can be sorted.

use efflux_analysis::Defined;

use crate::words;

pub(crate) use crate::figures::escape;

/// A column of a [`table`].
pub(crate) struct Column {
    name: String,
    numeric: bool,
}

/// A cell: what is shown and the number it sorts by.
pub(crate) struct Cell {
    html: String,
    sort: Option<f64>,
}

impl Cell {
    /// What is shown, for a text.
    pub(crate) fn html(&self) -> &str {
        &self.html
    }
}

/// A column of words.
pub(crate) fn words_column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        numeric: false,
    }
}

/// A column of numbers.
pub(crate) fn number_column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        numeric: true,
    }
}

/// A text.
pub(crate) fn text(text: &str) -> Cell {
    Cell {
        html: escape(text),
        sort: None,
    }
}

/// Texts below each other.
pub(crate) fn lines(lines: &[String]) -> Cell {
    let escaped: Vec<String> = lines.iter().map(|line| escape(line)).collect();
    Cell {
        html: escaped.join("<br>"),
        sort: None,
    }
}

/// A count.
pub(crate) fn count(count: usize) -> Cell {
    Cell {
        html: count.to_string(),
        sort: Some(count as f64),
    }
}

/// A number, or the reason why there is none.
pub(crate) fn defined(value: Defined, decimals: usize) -> Cell {
    Cell {
        html: value.map_or_else(
            |reason| {
                format!(
                    "<span class=\"none\">not defined: {}</span>",
                    escape(&reason.to_string())
                )
            },
            |value| words::number(value, decimals),
        ),
        sort: value.ok(),
    }
}

/// A number that may be missing without a reason of its own.
pub(crate) fn number(value: Option<f64>, decimals: usize) -> Cell {
    Cell {
        html: value.map_or_else(
            || "<span role=\"img\" aria-label=\"none\">–</span>".to_owned(),
            |value| words::number(value, decimals),
        ),
        sort: value,
    }
}

/// A p value, small ones as a bound.
pub(crate) fn p_value(value: Defined) -> Cell {
    match value {
        Ok(p) if p < 0.0001 => Cell {
            html: "&lt; 0.0001".to_owned(),
            sort: Some(p),
        },
        value => defined(value, 4),
    }
}

/// A site's name with a link to its page, its id in the tables, and a remark.
pub(crate) fn site(place: usize, name: &str, id: &str, remark: &str) -> Cell {
    let plain = name_and_id(name, id, remark);
    let name = escape(name);
    let link = format!("<a href=\"#site-{place}\">{name}</a>");
    Cell {
        html: plain.html.replacen(&name, &link, 1),
        ..plain
    }
}

/// A name with the id it has in the tables, and a remark.
pub(crate) fn name_and_id(name: &str, id: &str, remark: &str) -> Cell {
    let mut html = format!("{} <span class=\"id\">{}</span>", escape(name), escape(id));
    if !remark.is_empty() {
        html.push_str(&format!("<span class=\"none\">{}</span>", escape(remark)));
    }
    Cell { html, sort: None }
}

/// A table with a row header in its first column. With `sorted_by`, a column that the rows are sorted by (descending),
/// it can be sorted by any.
pub(crate) fn table(
    caption: &str,
    columns: &[Column],
    rows: &[Vec<Cell>],
    sorted_by: Option<usize>,
) -> String {
    let mut html = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table{}>\
         <caption>{caption}</caption>\n<thead><tr>",
        if sorted_by.is_some() {
            " class=\"sortable\""
        } else {
            ""
        },
        caption = escape(caption),
    );
    for (place, column) in columns.iter().enumerate() {
        let class = if column.numeric {
            " class=\"number\""
        } else {
            ""
        };
        let sorted = if sorted_by == Some(place) {
            " aria-sort=\"descending\""
        } else {
            ""
        };
        html.push_str(&format!(
            "<th scope=\"col\"{class}{sorted}>{}</th>",
            escape(&column.name)
        ));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (place, (cell, column)) in row.iter().zip(columns).enumerate() {
            let (open, close) = if place == 0 {
                ("<th scope=\"row\"", "</th>")
            } else {
                ("<td", "</td>")
            };
            let class = if column.numeric {
                " class=\"number\""
            } else {
                ""
            };
            let sort = cell
                .sort
                .map(|key| format!(" data-sort=\"{key}\""))
                .unwrap_or_default();
            html.push_str(&format!("{open}{class}{sort}>{}{close}", cell.html));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// A figure with its caption, which may hold markup.
pub(crate) fn figure(svg: &str, caption: &str) -> String {
    format!(
        "<figure><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Figure\">{svg}</div>\n<figcaption>{caption}</figcaption></figure>\n"
    )
}

/// A part that opens on demand.
pub(crate) fn details(summary: &str, content: &str) -> String {
    format!(
        "<details><summary>{}</summary>\n{content}</details>\n",
        escape(summary)
    )
}

/// A section with its heading.
pub(crate) fn section(id: &str, title: &str, content: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n{content}</section>\n"
    )
}
