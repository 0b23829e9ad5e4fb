//! `DESCRIPTION.txt`: lines `KEY: value`, which say where a data set was measured.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use efflux_base::error::{Error, Result};
use efflux_data::Site;

use crate::land_cover;

/// What matters of a description.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) site: Site,
    /// The zone of the data set, which a data frame of R itself says better.
    pub(super) time_zone: String,
    pub(super) is_embargoed: bool,
}

/// Reads where the data set `id` was measured.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] with the line if a place is missing or none on Earth.
pub(super) fn read(path: &Path, id: &str) -> Result<Description> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    parse(path, id, &bytes)
}

fn parse(path: &Path, id: &str, bytes: &[u8]) -> Result<Description> {
    // Names of people and places are no reason to refuse a data set.
    let text = String::from_utf8_lossy(bytes);
    describe(id, |key| Entry::find(path, &text, key))
}

/// A description of entries, wherever they stand.
pub(super) fn describe<'a>(
    id: &str,
    entry: impl Fn(&'static str) -> Entry<'a>,
) -> Result<Description> {
    let igbp = entry("CSR_IGBP");
    if igbp.value.is_empty() {
        return Err(igbp.wrong("a land cover class: the filter works on each class by itself"));
    }
    let site = Site {
        id: shown(id),
        name: shown(entry("CSR_SITE_NAME").value),
        latitude: entry("CSR_LATITUDE").within(90.0)?,
        longitude: entry("CSR_LONGITUDE").within(180.0)?,
        elevation: entry("CSR_ELEVATION").number()?,
        igbp: shown(land_cover::class(igbp.value).unwrap_or(igbp.value)),
        publication: shown(entry("CSR_PRIMARY_PUB").value),
    };
    Ok(Description {
        site,
        time_zone: entry("CSR_TIMEZONE").value.to_owned(),
        // Any text is one; some releases write what is missing.
        is_embargoed: !matches!(entry("CSR_EMBARGO").value, "" | "NA"),
    })
}

/// A text as a pack can hold it: a zero byte is shown like other bytes that are no text.
fn shown(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// What the file says of one key; an empty value if it says nothing.
pub(super) struct Entry<'a> {
    pub(super) path: &'a Path,
    pub(super) key: &'a str,
    /// None if there is none.
    pub(super) line: Option<u64>,
    pub(super) value: &'a str,
}

impl<'a> Entry<'a> {
    /// The first line with this key. Comments hold keys too, and some of their lines lack the `#`.
    fn find(path: &'a Path, text: &'a str, key: &'a str) -> Self {
        let found = text.lines().zip(1..).find_map(|(line, number)| {
            let (name, value) = line.split_once(':')?;
            (name == key).then(|| (number, value.trim()))
        });
        Self {
            path,
            key,
            line: found.map(|(line, _)| line),
            value: found.map_or("", |(_, value)| value),
        }
    }

    fn wrong(&self, expected: &str) -> Error {
        let Self {
            path, key, value, ..
        } = self;
        match self.line {
            None => Error::file(path, format!("has no `{key}`, expected {expected}")),
            Some(line) if value.is_empty() => {
                Error::line(path, line, format!("`{key}` is empty, expected {expected}"))
            }
            Some(line) => {
                let reason = format!("`{key}` has `{value}`, expected {expected}");
                Error::line(path, line, reason)
            }
        }
    }

    fn number(&self) -> Result<Option<f64>> {
        if self.value.is_empty() {
            return Ok(None);
        }
        match f64::from_str(self.value) {
            Ok(number) if number.is_finite() && number.abs() <= f64::from(f32::MAX) => {
                Ok(Some(number))
            }
            _ => Err(self.wrong("a finite number, or nothing if unknown")),
        }
    }

    fn within(&self, limit: f64) -> Result<f64> {
        let number = self.number()?.filter(|number| number.abs() <= limit);
        number.ok_or_else(|| self.wrong(&format!("a number from -{limit} to {limit}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# CSR_LATITUDE: a comment\n\t\t%d day: of month\nCSR_SITE_NAME: Fen: the wet one, north\n\
                        CSR_LONGITUDE: 19.5\nCSR_LATITUDE: 64.1\nCSR_ELEVATION:\nCSR_IGBP: Mixed forests \n";

    fn read(text: &str) -> Result<Site> {
        parse(Path::new("DESCRIPTION.txt"), "FEN", text.as_bytes()).map(|of| of.site)
    }

    #[test]
    fn comments_and_colons_are_told_from_keys() {
        let site = read(TEXT).unwrap();
        assert_eq!(site.name, "Fen: the wet one, north");
        assert_eq!((site.latitude, site.longitude), (64.1, 19.5));
        assert_eq!((site.elevation, site.publication.as_str()), (None, ""));
        assert_eq!(site.igbp, "Mixed forests");
        let zero = read(&TEXT.replace("the wet one", "the\0one")).unwrap();
        assert_eq!(zero.name, "Fen: the\u{fffd}one, north");
        let below_the_sea = TEXT.replace("ELEVATION:", "ELEVATION: -2.7");
        assert_eq!(read(&below_the_sea).unwrap().elevation, Some(-2.7));
    }

    #[test]
    fn any_text_is_an_embargo() {
        for (line, expected) in [
            ("", false),
            ("CSR_EMBARGO:\n", false),
            ("CSR_EMBARGO: NA\n", false),
            ("# CSR_EMBARGO: a comment\n", false),
            ("CSR_EMBARGO: until: the paper\n", true),
        ] {
            let text = format!("{TEXT}{line}");
            let read = parse(Path::new("DESCRIPTION.txt"), "FEN", text.as_bytes());
            assert_eq!(read.unwrap().is_embargoed, expected, "{line}");
        }
    }

    #[test]
    fn a_place_that_is_none_is_refused_with_its_line() {
        for (from, to, expected) in [
            (
                "CSR_LATITUDE: 64.1",
                "CSR_LATITUDE: 641",
                "DESCRIPTION.txt:5: `CSR_LATITUDE` has `641`, expected a number from -90 to 90",
            ),
            (
                "CSR_LONGITUDE: 19.5",
                "CSR_LONGITUDE: east",
                "DESCRIPTION.txt:4: `CSR_LONGITUDE` has `east`, expected a finite number",
            ),
            (
                "CSR_LONGITUDE: 19.5\n",
                "",
                "DESCRIPTION.txt: has no `CSR_LONGITUDE`, expected a number",
            ),
            (
                "CSR_IGBP: Mixed forests",
                "CSR_IGBP:",
                "DESCRIPTION.txt:7: `CSR_IGBP` is empty, expected a land cover class",
            ),
        ] {
            let message = read(&TEXT.replace(from, to)).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_description_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            at in 0..TEXT.len(),
        ) {
            let mut mutated = TEXT.as_bytes().to_vec();
            mutated.splice(at..at, bytes.iter().copied());
            let _ = parse(Path::new("DESCRIPTION.txt"), "FEN", &bytes);
            let _ = parse(Path::new("DESCRIPTION.txt"), "FEN", &mutated);
        }
    }
}
