//! R's serialization as a tree of which only what a data frame needs is kept. Vectors stay where they are in the file, so
//! a length that a damaged file claims costs nothing.

use super::stream::Stream;
use super::unpack::AGAIN;
use super::{MOST_ROWS, damaged};

/// How deep objects may be nested: a data frame of vectors is not, the attributes of some are.
const DEPTH: usize = 100;
/// The most columns of a data frame.
const MOST_COLUMNS: usize = 20_000;
/// The most symbols and environments, which later places of the file refer to by number.
const MOST_REFERENCES: usize = 1 << 20;
/// The attributes that are kept.
const KEPT: [&str; 5] = ["names", "row.names", "class", "levels", "tzone"];

/// Kinds of objects, the last byte of what stands before each.
mod kind {
    pub(super) const NULL: u8 = 0;
    pub(super) const SYMBOL: u8 = 1;
    pub(super) const PAIRS: u8 = 2;
    pub(super) const ENVIRONMENT: u8 = 4;
    pub(super) const TEXT: u8 = 9;
    pub(super) const LIST: u8 = 19;
    pub(super) const EXPRESSION: u8 = 20;
    pub(super) const ALTREP: u8 = 238;
    pub(super) const PERSISTENT: u8 = 247;
    pub(super) const NOTHING: u8 = 254;
    pub(super) const REFERENCE: u8 = 255;
}

/// An object with the attributes that matter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) values: Values,
    attributes: Vec<(&'static str, Object)>,
}

/// Where values are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Logical(Span),
    Integer(Span),
    Real(Span),
    Text(Span),
    /// `1:n` and its like, of which R writes the ends.
    Sequence {
        first: f64,
        step: f64,
        length: usize,
    },
    /// Texts of numbers that R has not made yet.
    Deferred(Box<Object>),
    /// Only of the list that the file holds the elements are kept.
    List(Vec<Object>),
    /// Something else, by the name that R's `typeof` has for it.
    Other(&'static str),
}

/// A vector in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) at: usize,
    pub(super) length: usize,
}

impl Object {
    fn new(values: Values) -> Self {
        Self {
            values,
            attributes: Vec::new(),
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Self> {
        let mut attributes = self.attributes.iter();
        attributes.find_map(|(other, object)| (*other == name).then_some(object))
    }
}

/// What stands before an object.
#[derive(Clone, Copy)]
struct Flags(i32);

impl Flags {
    fn kind(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    fn has_attributes(self) -> bool {
        self.0 & 0x200 != 0
    }

    fn has_tag(self) -> bool {
        self.0 & 0x400 != 0
    }
}

pub(super) struct Parser<'a> {
    stream: Stream<'a>,
    /// The names of symbols; `None` for anything else that can be referred to.
    references: Vec<Option<Box<str>>>,
}

impl<'a> Parser<'a> {
    /// Reads what stands before the first object.
    pub(super) fn new(mut stream: Stream<'a>) -> Result<Self, String> {
        let version = stream.integer()?;
        let [_written_by, _readable_by] = [stream.integer()?, stream.integer()?];
        match version {
            2 => {}
            3 => {
                let length = stream.length()?;
                stream.text(length)?;
            }
            _ => {
                return Err(format!(
                    "has version {version} of R's format, expected 2 or 3; {AGAIN}"
                ));
            }
        }
        Ok(Self {
            stream,
            references: Vec::new(),
        })
    }

    /// The one object of a file.
    pub(super) fn whole(&mut self) -> Result<Object, String> {
        self.item(0)
    }

    /// The objects of a workspace, by name.
    pub(super) fn workspace(&mut self) -> Result<Vec<(String, Object)>, String> {
        let mut objects = Vec::new();
        loop {
            let flags = self.flags()?;
            match flags.kind() {
                kind::NOTHING => return Ok(objects),
                kind::PAIRS if flags.has_tag() && objects.len() < MOST_COLUMNS => {
                    if flags.has_attributes() {
                        self.item(1)?;
                    }
                    let name = self.symbol()?.unwrap_or_default();
                    // Of many objects none is taken.
                    let depth = usize::from(!objects.is_empty());
                    objects.push((name, self.item(depth)?));
                }
                _ => return Err(damaged("its list of objects is none")),
            }
        }
    }

    fn flags(&mut self) -> Result<Flags, String> {
        self.stream.integer().map(Flags)
    }

    fn item(&mut self, depth: usize) -> Result<Object, String> {
        let flags = self.flags()?;
        self.flagged(flags, depth)
    }

    fn flagged(&mut self, flags: Flags, depth: usize) -> Result<Object, String> {
        if depth > DEPTH {
            return Err(damaged("its objects are nested without end"));
        }
        let mut object = match flags.kind() {
            kind::ALTREP => return self.altrep(depth),
            kind::NULL | kind::NOTHING | 241 | 242 | 250..=253 => {
                return Ok(Object::new(Values::Other("NULL")));
            }
            kind::SYMBOL | kind::REFERENCE => {
                self.named(flags)?;
                return Ok(Object::new(Values::Other("symbol")));
            }
            kind::PAIRS | 3 | 5 | 6 | 17 => return self.pairs(flags, depth),
            kind::ENVIRONMENT => {
                self.refer(None)?;
                self.stream.integer()?;
                for _ in 0..4 {
                    self.item(depth + 1)?;
                }
                return Ok(Object::new(Values::Other("environment")));
            }
            kind::PERSISTENT..=249 => {
                self.stream.integer()?;
                for _ in 0..self.stream.length()? {
                    self.item(depth + 1)?;
                }
                self.refer(None)?;
                return Ok(Object::new(Values::Other("environment")));
            }
            7 | 8 => {
                let length = self.stream.length()?;
                self.stream.text(length)?;
                return Ok(Object::new(Values::Other("function")));
            }
            kind::TEXT => {
                self.skip_text()?;
                Object::new(Values::Other("text"))
            }
            10 => Object::new(Values::Logical(self.span(4)?)),
            13 => Object::new(Values::Integer(self.span(4)?)),
            14 => Object::new(Values::Real(self.span(8)?)),
            15 => {
                let length = self.stream.length()?;
                self.stream.skip(8, length.saturating_mul(2))?;
                Object::new(Values::Other("complex"))
            }
            24 => {
                self.span(1)?;
                Object::new(Values::Other("raw"))
            }
            16 => Object::new(Values::Text(self.texts()?)),
            kind::LIST | kind::EXPRESSION => self.list(flags.kind(), depth)?,
            22 => {
                self.refer(None)?;
                self.item(depth + 1)?;
                self.item(depth + 1)?;
                Object::new(Values::Other("external pointer"))
            }
            23 => {
                self.refer(None)?;
                Object::new(Values::Other("weak reference"))
            }
            25 => Object::new(Values::Other("S4 object")),
            21 | 239 | 240 | 243 | 244 => {
                return Err(format!("holds compiled functions of R; {AGAIN}"));
            }
            other => return Err(damaged(&format!("it has an object of kind {other}"))),
        };
        if flags.has_attributes() {
            object.attributes = self.attributes(depth + 1)?;
        }
        Ok(object)
    }

    fn span(&mut self, bytes: usize) -> Result<Span, String> {
        let length = self.stream.length()?;
        let at = self.stream.at();
        self.stream.skip(bytes, length)?;
        Ok(Span { at, length })
    }

    fn texts(&mut self) -> Result<Span, String> {
        let length = self.stream.length()?;
        let at = self.stream.at();
        for _ in 0..length {
            if self.flags()?.kind() != kind::TEXT {
                return Err(damaged("a vector of texts holds something else"));
            }
            self.skip_text()?;
        }
        Ok(Span { at, length })
    }

    fn skip_text(&mut self) -> Result<(), String> {
        match self.stream.integer()? {
            -1 => Ok(()),
            length => {
                let length =
                    usize::try_from(length).map_err(|_| damaged("a text has no length"))?;
                self.stream.text(length).map(drop)
            }
        }
    }

    fn list(&mut self, kind: u8, depth: usize) -> Result<Object, String> {
        let length = self.stream.length()?;
        if length > self.stream.left() {
            return Err(damaged("a list is longer than the file"));
        }
        if depth == 0 && length > MOST_COLUMNS {
            return Err(format!(
                "holds a list of {length} elements, expected a data frame of at most {MOST_COLUMNS} columns"
            ));
        }
        let mut kept = Vec::new();
        for _ in 0..length {
            let element = self.item(depth + 1)?;
            if depth == 0 {
                kept.push(element);
            }
        }
        Ok(Object::new(if kind == kind::LIST {
            Values::List(kept)
        } else {
            Values::Other("expression")
        }))
    }

    /// A pairlist, or what is written like one: each half of a pair may be anything.
    fn pairs(&mut self, mut flags: Flags, depth: usize) -> Result<Object, String> {
        while let kind::PAIRS | 3 | 5 | 6 | 17 = flags.kind() {
            if flags.has_attributes() {
                self.item(depth + 1)?;
            }
            if flags.has_tag() {
                self.item(depth + 1)?;
            }
            self.item(depth + 1)?;
            flags = self.flags()?;
        }
        self.flagged(flags, depth + 1)?;
        Ok(Object::new(Values::Other("pairlist")))
    }

    /// The attributes that matter.
    fn attributes(&mut self, depth: usize) -> Result<Vec<(&'static str, Object)>, String> {
        let mut kept: Vec<(&'static str, Object)> = Vec::new();
        loop {
            let flags = self.flags()?;
            match flags.kind() {
                kind::NOTHING | kind::NULL => return Ok(kept),
                kind::PAIRS if flags.has_tag() => {}
                _ => return Err(damaged("the attributes of an object are none")),
            }
            if flags.has_attributes() {
                self.item(depth + 1)?;
            }
            let name = self.symbol()?;
            let value = self.item(depth + 1)?;
            let name = KEPT.into_iter().find(|kept| name.as_deref() == Some(kept));
            if let Some(name) = name.filter(|name| kept.iter().all(|(other, _)| other != name)) {
                kept.push((name, value));
            }
        }
    }

    fn refer(&mut self, name: Option<Box<str>>) -> Result<(), String> {
        if self.references.len() == MOST_REFERENCES {
            return Err(damaged("it has more symbols than any data set"));
        }
        self.references.push(name);
        Ok(())
    }

    fn symbol(&mut self) -> Result<Option<String>, String> {
        let flags = self.flags()?;
        self.named(flags)
    }

    /// The name of a symbol, be it here or referred to; `None` for something else that is referred to.
    fn named(&mut self, flags: Flags) -> Result<Option<String>, String> {
        match flags.kind() {
            kind::SYMBOL => {
                if self.flags()?.kind() != kind::TEXT {
                    return Err(damaged("a symbol has no name"));
                }
                let length = self.stream.length()?;
                let text = self.stream.text(length)?;
                let name = String::from_utf8_lossy(&text).into_owned();
                self.refer(Some(name.as_str().into()))?;
                Ok(Some(name))
            }
            kind::REFERENCE => {
                let index = match flags.0 >> 8 {
                    0 => self.stream.integer()?,
                    index => index,
                };
                let index = usize::try_from(index).ok();
                let name = index.and_then(|index| self.references.get(index.checked_sub(1)?));
                let name = name.ok_or_else(|| damaged("it refers to a symbol that it has not"))?;
                Ok(name.as_deref().map(str::to_owned))
            }
            _ => Err(damaged("there is no symbol where one belongs")),
        }
    }

    /// A vector that R holds in a way of its own (ALTREP): class, state and attributes.
    fn altrep(&mut self, depth: usize) -> Result<Object, String> {
        let pair = |flags: Flags| flags.kind() == kind::PAIRS && !flags.has_attributes();
        let no_class = || damaged("an ALTREP vector has no class");
        let mut names = [String::new(), String::new()];
        for name in &mut names {
            if !pair(self.flags()?) {
                return Err(no_class());
            }
            *name = self.symbol()?.ok_or_else(no_class)?;
        }
        self.item(depth + 1)?;
        let [class, package] = names;
        let mut object = match class.as_str() {
            "compact_intseq" | "compact_realseq" => self.sequence(depth)?,
            "deferred_string" => {
                let (numbers, _) = self.state(depth)?;
                Object::new(Values::Deferred(Box::new(numbers)))
            }
            class if class.starts_with("wrap_") => self.state(depth)?.0,
            _ => {
                return Err(format!(
                    "holds a vector in the way of `{class}` of the package `{package}`, expected plain vectors; in R: \
                     x[] <- lapply(x, function(column) column[seq_along(column)]), then {}",
                    AGAIN.trim_start_matches("in R: ")
                ));
            }
        };
        let attributes = self.attributes(depth + 1)?;
        if !attributes.is_empty() {
            object.attributes = attributes;
        }
        Ok(object)
    }

    /// The two halves of a state: a pair, or a list of two.
    fn state(&mut self, depth: usize) -> Result<(Object, Object), String> {
        let flags = self.flags()?;
        match flags.kind() {
            kind::PAIRS if !flags.has_attributes() && !flags.has_tag() => {}
            kind::LIST if self.stream.length()? == 2 => {}
            _ => return Err(damaged("an ALTREP vector has no state")),
        }
        Ok((self.item(depth + 1)?, self.item(depth + 1)?))
    }

    fn sequence(&mut self, depth: usize) -> Result<Object, String> {
        let state = self.item(depth + 1)?;
        let no_sequence = || damaged("a sequence has no ends");
        let Values::Real(Span { at, length: 3 }) = state.values else {
            return Err(no_sequence());
        };
        let mut stream = self.stream.from(at);
        let [length, first, step] = [stream.real()?, stream.real()?, stream.real()?];
        if !(length.fract() == 0.0 && length >= 0.0 && first.is_finite() && step.is_finite()) {
            return Err(no_sequence());
        }
        if length > MOST_ROWS as f64 {
            return Err(damaged(&format!("a sequence claims {length} numbers")));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // As just seen.
        let length = length as usize;
        Ok(Object::new(Values::Sequence {
            first,
            step,
            length,
        }))
    }
}
