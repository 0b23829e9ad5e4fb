//! Inputs that are made of others: what `inputs.derived` may say.
//!
//! ```text
//! sum     := product (("+" | "-") product)*
//! product := factor (("*" | "/") factor)*
//! factor  := "-" factor | number | name | name "(" sum ("," sum)* ")" | "(" sum ")"
//! ```
//!
//! A name is a daily variable of the pack, `latitude`, `season_cos` or `season_sin`; the functions are those of
//! [`Function`]. The entry `season` stands for the two of the season. What is computed of a text is in `efflux-data`.

use std::fmt;

/// What an entry of `inputs.derived` computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A daily variable of the pack.
    Variable(String),
    /// Degrees north.
    Latitude,
    /// Cosine of the time of the year.
    SeasonCos,
    /// Sine of the time of the year.
    SeasonSin,
    /// An operation on two others.
    Both(Operation, Box<[Expression; 2]>),
    /// A function of others.
    Call(Function, Vec<Expression>),
}

/// `+`, `-`, `*` or `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The sum.
    Add,
    /// The difference.
    Subtract,
    /// The product.
    Multiply,
    /// The quotient.
    Divide,
}

/// A function. Those with memory read the day itself and days before it, never later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `mean(x, k)`: the mean of the last k days, the day included; of fewer at the beginning of a record.
    Mean,
    /// `ema(x, k)`: the exponential mean, which moves by 2/(k+1) of the difference each day and begins at the first value.
    Ema,
    /// `anomaly(x, k)`: x less `ema(x, k)`.
    Anomaly,
    /// `site_mean(x)`: the mean over the site's days that are fitted on.
    SiteMean,
    /// `site_sd(x)`: the standard deviation over these days.
    SiteSd,
    /// `clip(x, low, high)`: x, or the bound that it is beyond.
    Clip,
    /// `max(x, y)`: the larger one.
    Max,
    /// `abs(x)`: without its sign.
    Abs,
    /// `known(x)`: 1 at a site that has the variable x, else 0.
    Known,
}

impl Function {
    const ALL: [(Self, &'static str, usize); 9] = [
        (Self::Mean, "mean", 2),
        (Self::Ema, "ema", 2),
        (Self::Anomaly, "anomaly", 2),
        (Self::SiteMean, "site_mean", 1),
        (Self::SiteSd, "site_sd", 1),
        (Self::Clip, "clip", 3),
        (Self::Max, "max", 2),
        (Self::Abs, "abs", 1),
        (Self::Known, "known", 1),
    ];
}

/// Why a text is no derived input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What there is.
    pub found: String,
    /// What could be there.
    pub expected: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, expected {}", self.found, self.expected)
    }
}

impl Expression {
    /// The entry that stands for both of the season.
    pub const SEASON: &'static str = "season";

    /// The columns that an entry stands for, each with its text: one, or the two of [`Expression::SEASON`].
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn columns(text: &str) -> Result<Vec<(String, Self)>, Malformed> {
        if text.trim() == Self::SEASON {
            return Ok(vec![
                ("season_cos".to_owned(), Self::SeasonCos),
                ("season_sin".to_owned(), Self::SeasonSin),
            ]);
        }
        Ok(vec![(text.to_owned(), Self::parse(text)?)])
    }

    /// What a text says.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut reader = Reader { rest: text };
        let expression = reader.sum()?;
        match reader.next() {
            None => Ok(expression),
            Some(_) => Err(reader.malformed("an operator, or the end")),
        }
    }

    /// Adds the names of the variables that are read for a value, but for those whose presence alone is asked for.
    pub fn variables<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Self::Variable(name) => names.push(name),
            Self::Both(_, parts) => parts.iter().for_each(|part| part.variables(names)),
            Self::Call(Function::Known, _) => {}
            Self::Call(_, parts) => parts.iter().for_each(|part| part.variables(names)),
            Self::Number(_) | Self::Latitude | Self::SeasonCos | Self::SeasonSin => {}
        }
    }
}

/// A text that is read from its beginning.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// Whether this comes next, which is passed over then.
    fn takes(&mut self, sign: char) -> bool {
        let found = self.next() == Some(sign);
        if found {
            self.rest = &self.rest[sign.len_utf8()..];
        }
        found
    }

    fn malformed(&self, expected: &str) -> Malformed {
        let found = match self.rest {
            "" => "the end".to_owned(),
            rest => format!("`{rest}`"),
        };
        Malformed {
            found,
            expected: expected.to_owned(),
        }
    }

    fn sum(&mut self) -> Result<Expression, Malformed> {
        let signs = [('+', Operation::Add), ('-', Operation::Subtract)];
        self.chain(signs, Self::product)
    }

    fn product(&mut self) -> Result<Expression, Malformed> {
        let signs = [('*', Operation::Multiply), ('/', Operation::Divide)];
        self.chain(signs, Self::factor)
    }

    fn chain(
        &mut self,
        signs: [(char, Operation); 2],
        part: fn(&mut Self) -> Result<Expression, Malformed>,
    ) -> Result<Expression, Malformed> {
        let mut left = part(self)?;
        while let Some((_, operation)) = signs.into_iter().find(|(sign, _)| self.takes(*sign)) {
            left = Expression::Both(operation, Box::new([left, part(self)?]));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, Malformed> {
        if self.takes('-') {
            let parts = [Expression::Number(0.0), self.factor()?];
            return Ok(Expression::Both(Operation::Subtract, Box::new(parts)));
        }
        if self.takes('(') {
            let inside = self.sum()?;
            if self.takes(')') {
                return Ok(inside);
            }
            return Err(self.malformed("`)`"));
        }
        match self.next() {
            Some(first) if first.is_ascii_digit() || first == '.' => self.number(),
            Some(first) if first.is_alphabetic() || first == '_' => self.named(),
            _ => Err(self.malformed("a number, a variable or a function")),
        }
    }

    /// The longest beginning of such characters.
    fn word(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !holds(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn number(&mut self) -> Result<Expression, Malformed> {
        let before = self.rest;
        let word = self.word(|c| c.is_ascii_digit() || c == '.');
        let number = word.parse().map(Expression::Number);
        number.map_err(|_| Self { rest: before }.malformed("a number such as 2 or 0.02"))
    }

    fn named(&mut self) -> Result<Expression, Malformed> {
        let before = self.rest;
        let word = self.word(|c| c.is_alphanumeric() || c == '_');
        if !self.takes('(') {
            return Ok(match word {
                "latitude" => Expression::Latitude,
                "season_cos" => Expression::SeasonCos,
                "season_sin" => Expression::SeasonSin,
                name => Expression::Variable(name.to_owned()),
            });
        }
        let known = Function::ALL.into_iter().find(|(_, name, _)| *name == word);
        let Some((function, name, count)) = known else {
            let names = Function::ALL.map(|(_, name, _)| name).join(", ");
            return Err(Self { rest: before }.malformed(&format!("one of {names}")));
        };
        let mut parts = vec![self.sum()?];
        while self.takes(',') {
            parts.push(self.sum()?);
        }
        if !self.takes(')') {
            return Err(self.malformed("`,` or `)`"));
        }
        let malformed = |expected: &str| Err(Self { rest: before }.malformed(expected));
        if parts.len() != count {
            return malformed(&format!("{count} arguments of `{name}`"));
        }
        if matches!(function, Function::Mean | Function::Ema | Function::Anomaly)
            && !matches!(parts[1], Expression::Number(days) if days >= 1.0 && days.fract() == 0.0)
        {
            return malformed(&format!("a whole number of days in `{name}`"));
        }
        if matches!(
            function,
            Function::Known | Function::SiteMean | Function::SiteSd
        ) && !matches!(parts[0], Expression::Variable(_))
        {
            return malformed(&format!("a variable in `{name}`"));
        }
        Ok(Expression::Call(function, parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> String {
        Expression::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn products_come_before_sums_and_the_left_before_the_right() {
        let parse = |text| Expression::parse(text).unwrap();
        assert_eq!(parse("1 - 2 - 3*4"), parse("(1 - 2) - (3 * 4)"));
        assert_ne!(parse("1 - 2 - 3"), parse("1 - (2 - 3)"));
        let mut names = Vec::new();
        let expression = parse("clip((mean(t, 7) - t)/3, -3, 3) * known(m)");
        expression.variables(&mut names);
        assert_eq!(names, ["t", "t"]);
    }

    #[test]
    fn a_text_that_is_none_is_refused_with_what_is_expected_where() {
        assert_eq!(
            found("mean(t)"),
            "`mean(t)`, expected 2 arguments of `mean`"
        );
        assert!(found("mean(t, 2.5)").ends_with("expected a whole number of days in `mean`"));
        assert!(found("median(t, 2)").starts_with("`median(t, 2)`, expected one of mean, ema"));
        assert_eq!(found("(t - 12"), "the end, expected `)`");
        assert_eq!(found("t t"), "`t`, expected an operator, or the end");
        assert_eq!(
            found("t *"),
            "the end, expected a number, a variable or a function"
        );
        assert!(found("1.2.3").contains("a number such as"));
        assert!(found("known(1)").contains("a variable in `known`"));
    }

    #[test]
    fn the_season_is_two_columns() {
        let columns = Expression::columns("season").unwrap();
        assert_eq!(columns.len(), 2);
        assert_eq!(columns[1].1, Expression::SeasonSin);
        assert_eq!(Expression::columns("season_cos").unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z0-9_().,*/+ -]{0,40}") {
            let _ = Expression::columns(&text);
        }
    }
}
