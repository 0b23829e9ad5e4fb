//! A figure on the page, or the reason why there is none.

use super::html::{escape, figure};
use crate::figures::Figure;

/// A figure with its caption.
pub(crate) struct Drawing {
    /// What it would show, for the case that it cannot.
    title: &'static str,
    figure: Result<Figure, String>,
    /// Below it, as markup.
    caption: String,
}

impl Drawing {
    pub(crate) fn new(title: &'static str, figure: Figure, caption: impl Into<String>) -> Self {
        Self {
            title,
            figure: Ok(figure),
            caption: caption.into(),
        }
    }

    /// One that cannot be drawn.
    pub(crate) fn none(title: &'static str, reason: impl Into<String>) -> Self {
        Self {
            title,
            figure: Err(reason.into()),
            caption: String::new(),
        }
    }

    /// What is drawn, if it is.
    pub(crate) fn figure(&self) -> Option<&Figure> {
        self.figure.as_ref().ok()
    }

    pub(super) fn html(&self) -> String {
        match &self.figure {
            Ok(drawn) => figure(&drawn.svg, &self.caption),
            Err(reason) => format!(
                "<p class=\"caption\">{}: <span class=\"none\">not defined: {}</span></p>\n",
                escape(self.title),
                escape(reason)
            ),
        }
    }
}

/// All of them, one below the other.
pub(super) fn html(drawings: &[Drawing]) -> String {
    drawings.iter().map(Drawing::html).collect()
}
