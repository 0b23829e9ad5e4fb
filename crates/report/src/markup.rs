//! Markup as a type: what is [`Html`] came out of [`html!`], which escapes every text that it is given, so a name from a
//! pack cannot reach the page as markup.

use std::fmt::{self, Display, Formatter, Write};

/// Markup of HTML or SVG.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

/// Markup from a format string, its arguments escaped unless they are [`Html`] themselves. Named arguments follow a
/// semicolon: `html!("<p>{}, {unit}</p>", value; unit = unit)`.
///
/// The format string cannot name a variable in its braces, which would go around the escaping: the compiler does not
/// look for variables in a format string that a macro puts together.
macro_rules! html {
    ($format:literal $(, $value:expr)* $(; $($name:ident = $named:expr),+)? $(,)?) => {
        $crate::markup::Html::formatted(format_args!(
            concat!($format)
            $(, $crate::markup::Escaped(&$value))*
            $($(, $name = $crate::markup::Escaped(&$named))+)?
        ))
    };
}
pub(crate) use html;

impl Html {
    /// For [`html!`].
    pub(crate) fn formatted(arguments: fmt::Arguments<'_>) -> Self {
        Self(arguments.to_string())
    }

    /// Markup that stands in the source.
    pub(crate) fn literal(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// A value for a script to read: nothing in it can end the script element.
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self(value.to_string().replace('<', "\\u003c"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn push(&mut self, more: &Html) {
        self.0.push_str(&more.0);
    }

    /// Pieces with the same text between them.
    pub(crate) fn joined(pieces: &[Html], between: &'static str) -> Self {
        let pieces: Vec<&str> = pieces.iter().map(Html::as_str).collect();
        Self(pieces.join(between))
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(pieces: I) -> Self {
        let mut all = Self::default();
        for piece in pieces {
            all.push(&piece);
        }
        all
    }
}

/// What can stand in markup.
pub(crate) trait Markup {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result;
}

/// A value as [`html!`] writes it.
pub(crate) struct Escaped<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Markup + ?Sized> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.write(f)
    }
}

impl Markup for Html {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Markup for str {
    /// Text for element content and double-quoted attributes, in SVG and HTML alike. Control characters, which XML has no
    /// way to write, become the replacement character.
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut rest = self;
        let special = |character: char| {
            matches!(character, '&' | '<' | '>' | '"')
                || (character.is_control() && !matches!(character, '\n' | '\t'))
        };
        while let Some(place) = rest.find(special) {
            let (plain, from) = rest.split_at(place);
            f.write_str(plain)?;
            let mut characters = from.chars();
            match characters.next() {
                Some('&') => f.write_str("&amp;")?,
                Some('<') => f.write_str("&lt;")?,
                Some('>') => f.write_str("&gt;")?,
                Some('"') => f.write_str("&quot;")?,
                _ => f.write_char('\u{fffd}')?,
            }
            rest = characters.as_str();
        }
        f.write_str(rest)
    }
}

impl Markup for String {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.as_str().write(f)
    }
}

impl<T: Markup + ?Sized> Markup for &T {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        (**self).write(f)
    }
}

macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl Markup for $number {
            fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
                Display::fmt(self, f)
            }
        }
    )+};
}
numbers!(usize u32 f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_markup_stays_text() {
        let name = "<b a=\"1\"> & \u{1}";
        let escaped = "&lt;b a=&quot;1&quot;&gt; &amp; \u{fffd}";
        assert_eq!(
            html!("<p>{}</p>", name).as_str(),
            format!("<p>{escaped}</p>")
        );
        let twice = html!("{}{inner}", 1.5; inner = html!("<i>{}</i>", name.to_owned()));
        assert_eq!(twice.as_str(), format!("1.5<i>{escaped}</i>"));
    }

    #[test]
    fn nothing_in_a_value_ends_its_script() {
        let value = serde_json::json!({"name": "</script>"});
        assert!(!Html::json(&value).as_str().contains('<'));
    }
}
