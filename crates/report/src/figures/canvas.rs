//! A sheet to draw on: shapes in, one `<svg>` element out.

use super::super::markup::{Html, html};
use super::super::section::Members;
use super::ink::{Ink, Mark};

/// A finished figure.
pub(crate) struct Figure {
    /// Name of its file, without ending, and stem of its ids.
    pub(crate) name: String,
    /// The `<svg>` element.
    pub(crate) svg: Html,
    /// What it is made of, but for the line of members.
    canvas: Canvas,
    title: String,
    description: String,
}

impl Figure {
    /// What its file is called.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.svg", self.name)
    }

    /// The same with a line below that says how many members it is made of, and says it aloud if some are missing.
    pub(crate) fn of_members(self, members: Members) -> Self {
        let Self {
            name,
            mut canvas,
            title,
            description,
            ..
        } = self;
        canvas.height += MEMBERS_LINE;
        let at = (canvas.width - 4.0, canvas.height - 5.0);
        let ink = if members.is_short() {
            Ink::Strong
        } else {
            Ink::Muted
        };
        canvas.text(ink, at, Anchor::End, &members.to_string());
        canvas.finish(&name, &title, &format!("{description} Made of {members}."))
    }

    /// The figure as a file of its own.
    pub(crate) fn file(&self) -> Html {
        html!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", self.svg)
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
    body: Html,
}

impl Canvas {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: Html::default(),
        }
    }

    pub(crate) fn line(&mut self, ink: Ink, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let data = format!("M{} {}L{} {}", px(x1), px(y1), px(x2), px(y2));
        self.path(ink, &data);
    }

    /// A path by its data.
    pub(crate) fn path(&mut self, ink: Ink, data: &str) {
        if !data.is_empty() {
            let ink = Html::literal(ink.attributes());
            self.push(&html!("<path {} d=\"{}\"/>\n", ink, data));
        }
    }

    pub(crate) fn rect(&mut self, ink: Ink, (x, y): (f64, f64), width: f64, height: f64) {
        self.push(&html!(
            "<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
            Html::literal(ink.attributes()),
            px(x),
            px(y),
            px(width.max(0.0)),
            px(height.max(0.0))
        ));
    }

    pub(crate) fn circle(&mut self, ink: Ink, (x, y): (f64, f64), radius: f64) {
        self.push(&html!(
            "<circle {} cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n",
            Html::literal(ink.attributes()),
            px(x),
            px(y),
            px(radius)
        ));
    }

    pub(crate) fn text(&mut self, ink: Ink, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = Html::literal(match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        });
        self.push(&html!(
            "<text {}{} x=\"{}\" y=\"{}\">{}</text>\n",
            Html::literal(ink.attributes()),
            anchor,
            px(x),
            px(y),
            text
        ));
    }

    /// A point whose shape goes with its ink: what is told by colour is told by shape as well.
    pub(crate) fn marker(&mut self, ink: Ink, (x, y): (f64, f64), radius: f64) {
        let at =
            |right: f64, down: f64| format!("{} {}", px(x + right * radius), px(y + down * radius));
        let outline = |corners: &[(f64, f64)]| {
            let corners: Vec<String> = corners
                .iter()
                .map(|&(right, down)| at(right, down))
                .collect();
            format!("M{}Z", corners.join("L"))
        };
        match ink.mark() {
            Mark::Circle => self.circle(ink, (x, y), radius),
            Mark::Square => {
                let side = 1.7 * radius;
                self.rect(ink, (x - side / 2.0, y - side / 2.0), side, side);
            }
            Mark::Triangle => {
                self.path(ink, &outline(&[(-1.0, 0.75), (1.0, 0.75), (0.0, -1.1)]));
            }
            Mark::Wedge => self.path(ink, &outline(&[(-1.0, -0.75), (1.0, -0.75), (0.0, 1.1)])),
            Mark::Diamond => {
                let corners = [(0.0, -1.25), (1.1, 0.0), (0.0, 1.25), (-1.1, 0.0)];
                self.path(ink, &outline(&corners));
            }
            Mark::Cross => {
                let (far, near) = (1.15, 0.42);
                let quarter = [(near, -far), (near, -near), (far, -near)];
                let mut corners = Vec::new();
                for turn in 0..4 {
                    corners.extend(quarter.map(|(right, down)| match turn {
                        0 => (right, down),
                        1 => (-down, right),
                        2 => (-right, -down),
                        _ => (down, -right),
                    }));
                }
                self.path(ink, &outline(&corners));
            }
        }
    }

    /// A key of samples and names, from left to right, in as many lines as that takes.
    pub(crate) fn key(&mut self, at: (f64, f64), entries: &[(Ink, String)]) {
        let (left, mut y) = at;
        let mut x = left;
        for (ink, name) in entries {
            if x > left && x + advance(name) > self.width {
                (x, y) = (left, y + KEY_LINE);
            }
            match ink {
                Ink::Band | Ink::Zone | Ink::Validation | Ink::Test => {
                    self.rect(*ink, (x, y - 9.0), 22.0, 10.0);
                }
                Ink::Record
                | Ink::Judged
                | Ink::Box
                | Ink::OtherBox
                | Ink::Interpolated
                | Ink::Held => {
                    self.rect(*ink, (x + 5.0, y - 9.0), 16.0, 9.0);
                }
                Ink::Observed | Ink::Background | Ink::SimulatedDays => self.path(
                    *ink,
                    &format!("M{} {}h0m7 2h0m7 -3h0", px(x + 4.0), px(y - 4.0)),
                ),
                Ink::Seed => self.circle(*ink, (x + 11.0, y - 4.0), 4.0),
                Ink::Ring => self.circle(*ink, (x + 16.0, y - 4.0), 6.0),
                Ink::Good | Ink::Fair | Ink::Poor | Ink::Unclassed | Ink::Cover(_) => {
                    self.marker(*ink, (x + 16.0, y - 4.0), 4.5);
                }
                Ink::Mean => self.line(*ink, (x + 11.0, y - 11.0), (x + 11.0, y + 3.0)),
                _ => self.line(*ink, (x, y - 4.0), (x + 22.0, y - 4.0)),
            }
            self.text(Ink::Label, (x + 28.0, y), Anchor::Start, name);
            x += advance(name);
        }
    }

    /// Begins the shapes of a panel, which a reader of the file finds by its letter.
    pub(crate) fn begin_panel(&mut self, letter: &str) {
        self.push(&html!("<g data-panel=\"{}\">\n", letter));
    }

    /// Ends them.
    pub(crate) fn end_panel(&mut self) {
        self.push(&html!("</g>\n"));
    }

    /// The figure; `title` and `description` are what a screen reader says.
    pub(crate) fn finish(self, name: &str, title: &str, description: &str) -> Figure {
        let svg = html!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"drawing\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" aria-labelledby=\"figure-{name}-title figure-{name}-description\" \
             font-family=\"Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif\" \
             font-size=\"12\">\n<title id=\"figure-{name}-title\">{}</title>\n<desc id=\"figure-{name}-description\">{}</desc>\n\
             {}</svg>",
            title,
            description,
            self.body;
            w = px(self.width),
            h = px(self.height),
            name = name
        );
        Figure {
            name: name.to_owned(),
            svg,
            canvas: self,
            title: title.to_owned(),
            description: description.to_owned(),
        }
    }

    fn push(&mut self, element: &Html) {
        self.body.push(element);
    }
}

/// Height of the line that says how many members a figure is made of.
const MEMBERS_LINE: f64 = 18.0;

/// From one line of a key to the next.
const KEY_LINE: f64 = 18.0;

/// How far an entry of a key reaches. Text is not measured: 6.6 px is a generous mean advance at 12 px.
fn advance(name: &str) -> f64 {
    28.0 + 6.6 * name.chars().count() as f64 + 18.0
}

/// How high a key is on a sheet of this width; nothing without entries.
pub(crate) fn key_height(width: f64, left: f64, entries: &[(Ink, String)]) -> f64 {
    if entries.is_empty() {
        return 0.0;
    }
    let (mut x, mut lines) = (left, 1.0);
    for (_, name) in entries {
        if x > left && x + advance(name) > width {
            (x, lines) = (left, lines + 1.0);
        }
        x += advance(name);
    }
    KEY_LINE * lines
}

/// As much of a label as fits into so many units.
pub(crate) fn shortened(label: &str, width: f64) -> String {
    let most = (width / 6.2).max(2.0);
    if (label.chars().count() as f64) <= most {
        return label.to_owned();
    }
    let kept = label.chars().zip(1_u32..);
    let kept = kept.take_while(|(_, count)| f64::from(*count) <= most - 1.0);
    kept.map(|(letter, _)| letter).chain(['…']).collect()
}

/// A coordinate at a tenth of a pixel, in as few characters as that takes.
pub(crate) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!([px(1.0), px(2.25), px(-0.06)], ["1", "2.2", "-0.1"]);
    }
}
