//! What stands in a cell of a table, and how files, the page and a terminal have it.

use efflux_analysis::Defined;

use super::markup::{Html, html};
use super::numbers;

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    /// What files call it, and what people do.
    Named(String, String),
    /// Texts below each other.
    Lines(Vec<String>),
    /// A word that may be missing.
    Word(Option<String>),
    Count(usize),
    /// A number, or the reason why there is none.
    Number(Defined),
    /// A number that may be missing without a reason of its own.
    Bare(Option<f64>),
    /// A number; the reason why there is none is not said in its place on the page.
    Quiet(Defined),
    /// A p value: small ones are shown as a bound.
    P(Defined),
    /// A p value that may be missing without a reason of its own.
    BareP(Option<f64>),
    /// A site: files have its id; the page has its name, which leads to its own page, its id and a remark.
    Site {
        id: String,
        name: String,
        remark: String,
    },
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Bare(Some(number))
    }
}

impl From<Defined> for Cell {
    fn from(number: Defined) -> Self {
        Self::Number(number)
    }
}

impl From<Option<f64>> for Cell {
    fn from(number: Option<f64>) -> Self {
        Self::Bare(number)
    }
}

/// The text with an apostrophe in front if a spreadsheet would compute it: names come from whoever made the data.
fn inert(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

impl Cell {
    /// As files have it: a text that no spreadsheet takes for a formula; of a number the shortest decimal that reads back to the same number; nothing if it is none.
    pub(super) fn csv(&self) -> String {
        let number = |value: f64| {
            if value.is_finite() {
                value.to_string()
            } else {
                String::new()
            }
        };
        match self {
            Self::Text(text) | Self::Named(text, _) | Self::Site { id: text, .. } => inert(text),
            Self::Lines(lines) => inert(&lines.join("; ")),
            Self::Word(word) => inert(word.as_deref().unwrap_or_default()),
            Self::Count(count) => count.to_string(),
            Self::Number(value) | Self::Quiet(value) | Self::P(value) => {
                value.map(number).unwrap_or_default()
            }
            Self::Bare(value) | Self::BareP(value) => value.map(number).unwrap_or_default(),
        }
    }

    /// As the page has it.
    pub(super) fn html(&self, decimals: usize) -> Html {
        match self {
            Self::Text(text) | Self::Named(_, text) => html!("{}", text),
            Self::Lines(lines) => {
                let lines: Vec<Html> = lines.iter().map(|line| html!("{}", line)).collect();
                Html::joined(&lines, "<br>")
            }
            Self::Word(word) => html!("{}", word.as_deref().unwrap_or("–")),
            Self::Count(count) => html!("{}", *count),
            Self::Number(value) => defined(*value, decimals),
            Self::Bare(value) => bare(*value, decimals),
            Self::Quiet(value) => bare(value.ok(), decimals),
            Self::P(value) => match value {
                Ok(p) => html!("{}", p_value(*p)),
                Err(_) => defined(*value, decimals),
            },
            Self::BareP(value) => match value {
                Some(p) => html!("{}", p_value(*p)),
                None => bare(None, decimals),
            },
            Self::Site { id, name, remark } => {
                let mut html = html!("<a href=\"#site={}\">{}</a>", id, name);
                if id != name {
                    html.push(&html!(" <span class=\"id\">{}</span>", id));
                }
                if !remark.is_empty() {
                    html.push(&html!("<span class=\"none\">{}</span>", remark));
                }
                html
            }
        }
    }

    /// As a terminal has it in a column so wide.
    pub(super) fn text(&self, decimals: usize, width: usize) -> String {
        const NONE: &str = "not defined";
        let none = if NONE.len() < width { NONE } else { "–" };
        let number = |value: Option<f64>| {
            value.map_or_else(|| none.to_owned(), |value| format!("{value:.decimals$}"))
        };
        match self {
            Self::Number(value) | Self::Quiet(value) | Self::P(value) => number(value.ok()),
            Self::Bare(value) | Self::BareP(value) => number(*value),
            Self::Named(_, label) => label.clone(),
            other => other.csv(),
        }
    }

    /// The number that it sorts by.
    pub(super) fn sort(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(value) | Self::Quiet(value) | Self::P(value) => value.ok(),
            Self::Bare(value) | Self::BareP(value) => *value,
            _ => None,
        }
    }

    /// Why there is no number.
    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Self::Number(Err(reason)) | Self::Quiet(Err(reason)) | Self::P(Err(reason)) => {
                Some(reason.to_string())
            }
            _ => None,
        }
    }
}

/// A number as markup, or the reason why there is none.
pub(crate) fn defined(value: Defined, decimals: usize) -> Html {
    match value {
        Ok(value) => html!("{}", numbers::number(value, decimals)),
        Err(reason) => html!(
            "<span class=\"none\">not defined: {}</span>",
            reason.to_string()
        ),
    }
}

fn bare(value: Option<f64>, decimals: usize) -> Html {
    match value {
        Some(value) => html!("{}", numbers::number(value, decimals)),
        None => html!("<span role=\"img\" aria-label=\"none\">–</span>"),
    }
}

/// A p value for people, small ones as a bound.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0001 {
        "< 0.0001".to_owned()
    } else {
        numbers::number(p, 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_table_is_a_formula_to_a_spreadsheet() {
        for begin in ["=", "+", "@", "\t", "\r"] {
            let name = format!("{begin}HYPERLINK(\"a\")");
            let site = Cell::Site {
                id: name.clone(),
                name: String::new(),
                remark: String::new(),
            };
            let lines = Cell::Lines(vec![name.clone(), "b".to_owned()]);
            let cells = [
                Cell::Text(name.clone()),
                Cell::Named(name.clone(), String::new()),
                Cell::Word(Some(name.clone())),
                site,
            ];
            for cell in cells {
                assert_eq!(cell.csv(), format!("'{name}"));
            }
            assert_eq!(lines.csv(), format!("'{name}; b"));
        }
        assert_eq!(Cell::from("FR-Pue = 1").csv(), "FR-Pue = 1");
        assert_eq!(Cell::from(-1.5).csv(), "-1.5");
    }
}
