//! A section of the report lists its parts. The page, its navigation and the links of its footer, the files in `tables/` and
//! `figures/` are read off these lists, so what is written is on the page.

use std::borrow::Cow;
use std::fmt;

use super::figures::Figure;
use super::markup::{Html, html};
use super::table::{Table, Tabular};

/// A section.
pub(crate) struct Section<'a> {
    /// Its address on the page.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    pub(crate) frame: Frame,
    /// What it begins with.
    pub(crate) lead: Html,
    pub(crate) parts: Vec<Part<'a>>,
}

/// What a section is to a reader who looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It has a heading and is in the navigation by this name.
    Named(&'static str),
    /// It comes first: its heading is said to those who hear the page, not shown.
    First,
    /// A link opens it.
    Hidden,
}

/// A part of a section.
pub(crate) enum Part<'a> {
    Text(Html),
    /// What is put together only if the page is.
    Late(Box<dyn Fn() -> Html + 'a>),
    Table(Box<dyn Tabular + 'a>),
    Figure(Box<dyn Fn() -> Drawing + 'a>),
    /// What opens on demand.
    Folded(&'static str, Vec<Part<'a>>),
    /// Figures side by side.
    Beside(Vec<Part<'a>>),
}

/// A figure with its caption, or the reason why there is none.
pub(crate) struct Drawing {
    /// What it would show, for the case that it cannot.
    title: Cow<'static, str>,
    figure: Result<Figure, String>,
    caption: Html,
}

impl Drawing {
    pub(crate) fn new(title: impl Into<Cow<'static, str>>, figure: Figure, caption: Html) -> Self {
        Self {
            title: title.into(),
            figure: Ok(figure),
            caption,
        }
    }

    /// One that the data do not allow.
    pub(crate) fn none(title: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            figure: Err(reason.into()),
            caption: Html::default(),
        }
    }
}

impl<'a> Part<'a> {
    pub(crate) fn table<Row: 'a>(table: Table<'a, Row>) -> Self {
        Self::Table(Box::new(table))
    }

    /// A figure, drawn if the page is written.
    pub(crate) fn figure(draw: impl Fn() -> Drawing + 'a) -> Self {
        Self::Figure(Box::new(draw))
    }

    pub(crate) fn caption(text: Html) -> Self {
        Self::Text(html!("<p class=\"caption\">{}</p>\n", text))
    }

    pub(crate) fn heading(title: &str) -> Self {
        Self::Text(html!("<h3>{}</h3>\n", title))
    }
}

/// How many members a section, its figures and its tables are made of, of how many there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) there: usize,
    pub(crate) planned: usize,
}

impl Members {
    /// Whether some are missing.
    pub(crate) fn is_short(self) -> bool {
        self.there < self.planned
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} members", self.there, self.planned)
    }
}

/// Every table of this section that is a file.
pub(crate) fn tables<'s, 'a>(section: &'s Section<'a>) -> Vec<&'s (dyn Tabular + 'a)> {
    fn collect<'s, 'a>(parts: &'s [Part<'a>], tables: &mut Vec<&'s (dyn Tabular + 'a)>) {
        for part in parts {
            match part {
                Part::Table(table) if table.file_name().is_some() => tables.push(&**table),
                Part::Folded(_, parts) | Part::Beside(parts) => collect(parts, tables),
                _ => {}
            }
        }
    }
    let mut tables = Vec::new();
    collect(&section.parts, &mut tables);
    tables
}

/// A section as markup, with the figures that were drawn for it.
pub(crate) fn render(section: &Section<'_>, members: Option<Members>) -> (Html, Vec<Figure>) {
    let mut figures = Vec::new();
    let mut content = Html::default();
    if let Some(members) = members.filter(|members| members.is_short()) {
        content.push(&html!(
            "<p class=\"short\">Made of {} so far.</p>\n",
            members.to_string()
        ));
    }
    content.push(&section.lead);
    let mut drawn = Drawn {
        members,
        figures: &mut figures,
    };
    content.push(&parts(&section.parts, &mut drawn));
    (framed(section, &content), figures)
}

/// The figures that were drawn so far, and what of.
struct Drawn<'f> {
    members: Option<Members>,
    figures: &'f mut Vec<Figure>,
}

fn framed(section: &Section<'_>, content: &Html) -> Html {
    let (id, title) = (section.id, section.title);
    let hidden = match section.frame {
        Frame::First => {
            return html!(
                "<section id=\"{}\" aria-label=\"{}\">\n{}</section>\n",
                id,
                title,
                content
            );
        }
        Frame::Hidden => Html::literal("hidden "),
        Frame::Named(_) => Html::default(),
    };
    html!(
        "<section {}id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{}</h2>\n{}</section>\n",
        hidden,
        title,
        content;
        id = id
    )
}

fn parts(of: &[Part<'_>], figures: &mut Drawn<'_>) -> Html {
    let mut html = Html::default();
    for part in of {
        html.push(&match part {
            Part::Text(text) => text.clone(),
            Part::Late(text) => text(),
            Part::Table(table) => table.html(),
            Part::Figure(draw) => drawn(draw(), figures),
            Part::Folded(summary, folded) => html!(
                "<details><summary>{}</summary>\n{}</details>\n",
                *summary,
                parts(folded, figures)
            ),
            Part::Beside(beside) => {
                html!("<div class=\"pair\">{}</div>\n", parts(beside, figures))
            }
        });
    }
    html
}

fn drawn(drawing: Drawing, drawn: &mut Drawn<'_>) -> Html {
    match drawing.figure {
        Ok(figure) => {
            let figure = match drawn.members {
                Some(members) => figure.of_members(members),
                None => figure,
            };
            let html = html!(
                "<figure><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Figure\">{}</div>\n\
                 <figcaption>{}</figcaption></figure>\n",
                figure.svg,
                drawing.caption
            );
            drawn.figures.push(figure);
            html
        }
        Err(reason) => html!(
            "<p class=\"caption\">{}: <span class=\"none\">not defined: {}</span></p>\n",
            &*drawing.title,
            reason
        ),
    }
}
