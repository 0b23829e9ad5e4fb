//! A sheet to draw on: shapes in, one `<svg>` element out.

use std::fmt::Write;

/// A finished figure.
pub(crate) struct Figure {
    /// Name of its file, without ending, and stem of its ids.
    pub(crate) name: String,
    /// The `<svg>` element.
    pub(crate) svg: String,
}

impl Figure {
    /// The figure as a file of its own.
    pub(crate) fn file(&self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", self.svg)
    }
}

/// What a shape stands for, which decides how it looks. The colours are those of Okabe and Ito, which the colour-blind
/// tell apart; nothing is told by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Grid,
    Axis,
    Label,
    Muted,
    Strong,
    Observed,
    Simulated,
    Band,
    Validation,
    Test,
    Train,
    Baseline,
    Seed,
    Mean,
    Good,
    Fair,
    Poor,
    Unclassed,
    OnDark,
    OnLight,
    Land,
}

impl Ink {
    /// Class and presentation attributes.
    fn attributes(self) -> &'static str {
        match self {
            Self::Grid => r##"class="grid" stroke="#e4e1da" fill="none""##,
            Self::Axis => r##"class="axis" stroke="#8a857c" fill="none""##,
            Self::Label => r##"class="label" fill="#3a3834""##,
            Self::Muted => r##"class="muted" fill="#6d6961" font-size="11""##,
            Self::Strong => r##"class="strong" fill="#1d1c1a" font-weight="600""##,
            Self::Observed => {
                r##"class="observed" stroke="#26241f" stroke-width="2.4" stroke-linecap="round" fill="none""##
            }
            Self::Simulated => {
                r##"class="simulated" stroke="#0072b2" stroke-width="1.6" stroke-linejoin="round" fill="none""##
            }
            Self::Band => r##"class="band" fill="#56b4e9" fill-opacity="0.4""##,
            Self::Validation => r##"class="validation" fill="#e69f00" fill-opacity="0.13""##,
            Self::Test => r##"class="test" fill="#0072b2" fill-opacity="0.08""##,
            Self::Train => {
                r##"class="train" stroke="#d55e00" stroke-width="1.6" stroke-dasharray="7 3" fill="none""##
            }
            Self::Baseline => {
                r##"class="baseline" stroke="#6d6961" stroke-width="1.6" stroke-dasharray="2 3" fill="none""##
            }
            Self::Seed => r##"class="seed" stroke="#0072b2" stroke-width="1.2" fill="#ffffff""##,
            Self::Mean => r##"class="mean" stroke="#0072b2" stroke-width="3" fill="none""##,
            Self::Good => r##"class="good" fill="#0072b2""##,
            Self::Fair => r##"class="fair" fill="#a9cfe6""##,
            Self::Poor => r##"class="poor" fill="#e69f00""##,
            Self::Unclassed => r##"class="unclassed" fill="#d5d1c8""##,
            Self::Land => r##"class="land" fill="#efece4" stroke="#c9c4b8" stroke-width="0.6""##,
            Self::OnDark => r##"class="on-dark" fill="#ffffff""##,
            Self::OnLight => r##"class="on-light" fill="#1d1c1a""##,
        }
    }
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A sheet of `width` × `height` pixels, origin at the top left.
pub(crate) struct Canvas {
    pub(crate) width: f64,
    pub(crate) height: f64,
    body: String,
}

impl Canvas {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    pub(crate) fn line(&mut self, ink: Ink, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let data = format!("M{} {}L{} {}", px(x1), px(y1), px(x2), px(y2));
        self.path(ink, &data);
    }

    /// A path by its data.
    pub(crate) fn path(&mut self, ink: Ink, data: &str) {
        if !data.is_empty() {
            self.push(format_args!("<path {} d=\"{data}\"/>", ink.attributes()));
        }
    }

    pub(crate) fn rect(&mut self, ink: Ink, (x, y): (f64, f64), width: f64, height: f64) {
        self.push(format_args!(
            "<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            ink.attributes(),
            px(x),
            px(y),
            px(width.max(0.0)),
            px(height.max(0.0))
        ));
    }

    pub(crate) fn circle(&mut self, ink: Ink, (x, y): (f64, f64), radius: f64) {
        let (x, y, r) = (px(x), px(y), px(radius));
        self.push(format_args!(
            "<circle {} cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>",
            ink.attributes()
        ));
    }

    pub(crate) fn text(&mut self, ink: Ink, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.push(format_args!(
            "<text {}{anchor} x=\"{}\" y=\"{}\">{}</text>",
            ink.attributes(),
            px(x),
            px(y),
            escape(text)
        ));
    }

    /// A point whose shape goes with its ink: classes are told apart without colour.
    pub(crate) fn marker(&mut self, ink: Ink, (x, y): (f64, f64), radius: f64) {
        match ink {
            Ink::Fair => {
                let side = 1.7 * radius;
                self.rect(ink, (x - side / 2.0, y - side / 2.0), side, side);
            }
            Ink::Poor => {
                let (left, right) = (px(x - radius), px(x + radius));
                let (top, base) = (px(y - 1.1 * radius), px(y + 0.75 * radius));
                let data = format!("M{left} {base}H{right}L{} {top}Z", px(x));
                self.path(ink, &data);
            }
            _ => self.circle(ink, (x, y), radius),
        }
    }

    /// A key of line samples and names, from left to right.
    pub(crate) fn key(&mut self, (mut x, y): (f64, f64), entries: &[(Ink, String)]) {
        for (ink, name) in entries {
            match ink {
                Ink::Band => self.rect(*ink, (x, y - 9.0), 22.0, 10.0),
                Ink::Observed => self.path(
                    *ink,
                    &format!("M{} {}h0m7 2h0m7 -3h0", px(x + 4.0), px(y - 4.0)),
                ),
                Ink::Seed => self.circle(*ink, (x + 11.0, y - 4.0), 4.0),
                Ink::Good | Ink::Fair | Ink::Poor | Ink::Unclassed => {
                    self.marker(*ink, (x + 16.0, y - 4.0), 4.5);
                }
                Ink::Mean => self.line(*ink, (x + 11.0, y - 11.0), (x + 11.0, y + 3.0)),
                _ => self.line(*ink, (x, y - 4.0), (x + 22.0, y - 4.0)),
            }
            self.text(Ink::Label, (x + 28.0, y), Anchor::Start, name);
            // Text is not measured: 6.6 px is a generous mean advance at 12 px.
            x += 28.0 + 6.6 * name.chars().count() as f64 + 18.0;
        }
    }

    /// The figure; `title` and `description` are what a screen reader says.
    pub(crate) fn finish(self, name: &str, title: &str, description: &str) -> Figure {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"drawing\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" aria-labelledby=\"figure-{name}-title figure-{name}-description\" \
             font-family=\"Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif\" \
             font-size=\"12\">\n<title id=\"figure-{name}-title\">{}</title>\n<desc id=\"figure-{name}-description\">{}</desc>\n\
             {}</svg>",
            escape(title),
            escape(description),
            self.body,
            w = px(self.width),
            h = px(self.height),
        );
        Figure {
            name: name.to_owned(),
            svg,
        }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}

/// A coordinate at a tenth of a pixel, in as few characters as that takes.
pub(crate) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Text for element content and double-quoted attributes, in SVG and HTML alike. Control characters, which XML has no
/// way to write, become the replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_name_stays_text() {
        assert_eq!(
            escape("<b a=\"1\"> & \u{1}"),
            "&lt;b a=&quot;1&quot;&gt; &amp; \u{fffd}"
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([px(1.0), px(2.25), px(-0.02)], ["1", "2.2", "-0"]);
    }
}
