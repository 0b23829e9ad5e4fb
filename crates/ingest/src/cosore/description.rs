//! `DESCRIPTION.txt`: lines `KEY: value`, which say where a data set was measured.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use efflux_base::error::{Error, Result};
use efflux_data::Site;

/// Reads where the data set `id` was measured.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] with the line if a place is missing or none on Earth.
pub(super) fn read(path: &Path, id: &str) -> Result<Site> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    parse(path, id, &bytes)
}

fn parse(path: &Path, id: &str, bytes: &[u8]) -> Result<Site> {
    // Names of people and places are no reason to refuse a data set.
    let text = String::from_utf8_lossy(bytes);
    let entry = |key: &'static str| Entry::find(path, &text, key);
    let igbp = entry("CSR_IGBP");
    if igbp.value.is_empty() {
        return Err(igbp.wrong("a land cover class: the filter works on each class by itself"));
    }
    Ok(Site {
        id: id.to_owned(),
        name: entry("CSR_SITE_NAME").value.to_owned(),
        latitude: entry("CSR_LATITUDE").within(90.0)?,
        longitude: entry("CSR_LONGITUDE").within(180.0)?,
        elevation: entry("CSR_ELEVATION").number()?,
        igbp: igbp.value.to_owned(),
        publication: entry("CSR_PRIMARY_PUB").value.to_owned(),
    })
}

/// What the file says of one key; an empty value if it says nothing.
struct Entry<'a> {
    path: &'a Path,
    key: &'a str,
    line: Option<u64>,
    value: &'a str,
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
            None => Error::file(path, format!("has no line `{key}:`, expected {expected}")),
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
        parse(Path::new("DESCRIPTION.txt"), "FEN", text.as_bytes())
    }

    #[test]
    fn comments_and_colons_are_told_from_keys() {
        let site = read(TEXT).unwrap();
        assert_eq!(site.name, "Fen: the wet one, north");
        assert_eq!((site.latitude, site.longitude), (64.1, 19.5));
        assert_eq!((site.elevation, site.publication.as_str()), (None, ""));
        assert_eq!(site.igbp, "Mixed forests");
        let below_the_sea = TEXT.replace("ELEVATION:", "ELEVATION: -2.7");
        assert_eq!(read(&below_the_sea).unwrap().elevation, Some(-2.7));
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
                "DESCRIPTION.txt: has no line `CSR_LONGITUDE:`, expected a number",
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
