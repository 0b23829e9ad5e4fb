//! The first sheet of a spreadsheet (xlsx) as texts. A library for all that spreadsheets can be took ten times as long to
//! compile as the reader of XML that this is made with.
//!
//! # Source
//!
//! ECMA-376, Office Open XML, part 1, 18.3.1 (sheets) and 18.4 (shared strings).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use efflux_base::error::{Error, Result};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

/// Where texts are that several cells have.
const SHARED: &str = "xl/sharedStrings.xml";

/// The rows of the first sheet, each as long as its last cell that is there.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is no workbook.
pub(crate) fn first_sheet(path: &Path) -> Result<Vec<Vec<String>>> {
    let wrong = |reason: String| {
        Error::file(
            path,
            format!("is no workbook that can be read: {reason} (save the sheet as CSV)"),
        )
    };
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| wrong(error.to_string()))?;
    let names = zip
        .file_names()
        .map(|name| name.map(|name| name.into_owned()));
    let names: Vec<String> = names
        .collect::<Result<_, zip::result::ZipError>>()
        .map_err(|error| wrong(error.to_string()))?;
    let mut sheets: Vec<&String> = names
        .iter()
        .filter(|name| name.starts_with("xl/worksheets/") && name.ends_with(".xml"))
        .collect();
    // sheet2 before sheet10.
    sheets.sort_by_key(|name| (name.len(), *name));
    let sheet = sheets
        .first()
        .ok_or_else(|| wrong("it has no sheet".into()))?;
    let has_shared = names.iter().any(|name| name == SHARED);
    let mut part = |name: &str| -> Result<String> {
        let mut text = String::new();
        let mut file = zip
            .by_name(name)
            .map_err(|error| wrong(error.to_string()))?;
        file.read_to_string(&mut text)
            .map_err(Error::io("read", path))?;
        Ok(text)
    };
    let shared = if has_shared {
        texts(&part(SHARED)?)
    } else {
        Ok(Vec::new())
    };
    let shared = shared.map_err(|error| wrong(error.to_string()))?;
    rows(&part(sheet)?, &shared).map_err(wrong)
}

/// The shared texts, in their order.
fn texts(xml: &str) -> quick_xml::Result<Vec<String>> {
    let mut reader = Reader::from_str(xml);
    let mut texts = Vec::new();
    // Texts in `rPh` say how another one is pronounced.
    let (mut in_text, mut in_phonetic) = (false, false);
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) if is(&tag, "si") => texts.push(String::new()),
            Event::Start(tag) if is(&tag, "t") => in_text = true,
            Event::Start(tag) if is(&tag, "rPh") => in_phonetic = true,
            Event::End(tag) if tag.local_name().as_ref() == "t" => in_text = false,
            Event::End(tag) if tag.local_name().as_ref() == "rPh" => in_phonetic = false,
            Event::Eof => return Ok(texts),
            event => {
                if let (Some(text), true, false) = (texts.last_mut(), in_text, in_phonetic) {
                    append(text, &event);
                }
            }
        }
    }
}

fn rows(xml: &str, shared: &[String]) -> Result<Vec<Vec<String>>, String> {
    let mut reader = Reader::from_str(xml);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut text = String::new();
    let (mut is_shared, mut in_value, mut column) = (false, false, 0);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) | Event::Empty(tag) if is(&tag, "row") => {
                rows.push(Vec::new());
                column = 0;
            }
            Event::Start(tag) if is(&tag, "c") => {
                is_shared = attribute(&tag, "t").as_deref() == Some("s");
                // Cells that are empty may be left out.
                column = attribute(&tag, "r")
                    .and_then(|place| column_of(&place))
                    .unwrap_or(column);
                text.clear();
            }
            Event::Start(tag) if is(&tag, "v") || is(&tag, "t") => in_value = true,
            Event::End(tag) => match tag.local_name().as_ref() {
                "v" | "t" => in_value = false,
                "c" => {
                    let value = if is_shared {
                        let index = text.trim().parse::<usize>().ok();
                        let found = index.and_then(|index| shared.get(index));
                        found
                            .ok_or_else(|| format!("there is no shared text `{text}`"))?
                            .clone()
                    } else {
                        text.clone()
                    };
                    if let Some(row) = rows.last_mut() {
                        row.resize(column, String::new());
                        row.push(value);
                    }
                    column += 1;
                }
                _ => {}
            },
            Event::Eof => return Ok(rows),
            event if in_value => append(&mut text, &event),
            _ => {}
        }
    }
}

fn is(tag: &BytesStart<'_>, name: &str) -> bool {
    tag.local_name().as_ref() == name
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    Some(attribute.value.into_owned())
}

/// The index of the column of a cell: 1 of `B7`.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(3).fold(0, |number, letter| {
        26 * number + usize::from(letter - b'A') + 1
    });
    number.checked_sub(1)
}

/// Adds what an event says to a text.
fn append(text: &mut String, event: &Event<'_>) {
    match event {
        Event::Text(found) => text.push_str(found),
        Event::CData(found) => text.push_str(found),
        Event::GeneralRef(found) => {
            if let Ok(Some(character)) = found.resolve_char_ref() {
                text.push(character);
            } else if let Some(known) = resolve_predefined_entity(found) {
                text.push_str(known);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_are_left_out_are_empty_and_texts_are_unescaped() {
        let shared = "<sst><si><t>a &amp; b</t></si><si><r><t>x</t></r><r><t xml:space=\"preserve\"> y</t></r></si></sst>";
        let shared = texts(shared).unwrap();
        assert_eq!(shared, ["a & b", "x y"]);
        let sheet = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\"><v>40.3</v></c></row>\
                     <row r=\"2\"><c r=\"AA2\" t=\"inlineStr\"><is><t>&#176;</t></is></c></row></sheetData></worksheet>";
        let rows = rows(sheet, &shared).unwrap();
        assert_eq!(rows[0], ["a & b", "", "40.3"]);
        assert_eq!((rows[1].len(), rows[1][26].as_str()), (27, "°"));
    }

    #[test]
    fn a_file_that_is_no_workbook_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        std::fs::write(&path, "SITE_ID,GROUP_ID\n").unwrap();
        let error = first_sheet(&path).unwrap_err().to_string();
        assert!(error.contains("is no workbook"), "{error}");
    }
}
