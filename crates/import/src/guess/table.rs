//! A mapping of `layout = "table"` for a file whose columns are somebody's own.

use std::fmt::Write;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_ingest::Missing;

use super::interval::Interval;
use super::look::Look;
use super::{CHECK, FILL_IN, list, quoted, words};
use crate::driver_unit;
use crate::stamp::recognise;
use crate::unit::FluxUnit;

/// A column of numbers.
struct Column {
    name: String,
    unit: Option<String>,
}

pub(super) fn mapping(text: &mut String, look: &Look, all: &[Look]) -> Result<()> {
    let names = look.names();
    if names.len() < 2 || look.shape.rows >= look.lines.len() {
        let reason = "has no rows of numbers below names of columns, so no layout was recognised (docs/import.md lists them)";
        return Err(Error::file(&look.path, reason));
    }
    let paths: Vec<&Path> = all.iter().map(|look| look.path.as_path()).collect();
    let columns: Vec<Column> = names
        .iter()
        .enumerate()
        .map(|(index, name)| column(look, index, name))
        .collect();
    let id: String = look
        .name
        .split('.')
        .next()
        .unwrap_or("SITE")
        .chars()
        .map(allowed)
        .collect();
    let _ = write!(
        text,
        "layout = \"table\"\nfiles = {}\n\n[[sites]]\nid = {}  {CHECK}: it names the site's file\n{FILL_IN}: degrees north and \
         east; what is known else may follow\n# lat = 51.2\n# lon = 9.1\n# elevation_m = 120\n# igbp = \"DBF\"\n# licence = \"CC BY \
         4.0\"\n\n[table]\n",
        list(&paths),
        quoted(&id)
    );
    written(text, look);
    let missing = missing(look, &names);
    if !missing.is_empty() {
        let words: Vec<String> = missing.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(
            text,
            "missing = [{}]  {CHECK}: these look like fill values",
            words.join(", ")
        );
    }
    let interval = time(text, look, &names);
    flux(text, &columns);
    for (variable, found) in drivers(&columns) {
        driver(text, variable, &found, &interval);
    }
    let used =
        |name: &str| words::is_flux(name) || words::is_time(name) || words::driver(name).is_some();
    let others: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !used(name))
        .collect();
    if !others.is_empty() {
        let _ = writeln!(text, "\n# Not used: {}", others.join(", "));
    }
    Ok(())
}

/// How the file is written.
fn written(text: &mut String, look: &Look) {
    match look.shape.delimiter {
        Some(',') => {}
        Some('\t') => text.push_str("delimiter = \"tab\"\n"),
        Some(other) => {
            let _ = writeln!(text, "delimiter = \"{other}\"");
        }
        None => text.push_str("delimiter = \"blanks\"\n"),
    }
    if look.shape.decimal_comma {
        text.push_str("decimal = \",\"\n");
    }
    if look.shape.names > 0 {
        let _ = writeln!(text, "lines_before_names = {}", look.shape.names);
    }
    let after = look.shape.rows - look.shape.names - 1;
    if after > 0 {
        let _ = writeln!(text, "lines_after_names = {after}");
    }
}

/// The columns of time and their format. Returns how long the intervals are.
fn time(text: &mut String, look: &Look, names: &[String]) -> Interval {
    let own: Vec<usize> = (0..names.len())
        .filter(|index| words::is_time(&names[*index]))
        .collect();
    let singles = own.iter().map(|index| vec![*index]);
    let pairs = own.windows(2).map(<[usize]>::to_vec);
    let triples = own.windows(3).map(<[usize]>::to_vec);
    let recognised = |columns: &Vec<usize>| {
        let cells: Vec<Vec<String>> = columns.iter().map(|index| look.column(*index)).collect();
        let rows = cells.first().map_or(0, Vec::len);
        let joined: Vec<String> = (0..rows)
            .map(|row| {
                cells
                    .iter()
                    .map(|column| column[row].as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        let joined: Vec<&str> = joined.iter().map(String::as_str).collect();
        let format = recognise(&joined).ok()?;
        let interval = Interval::of(&format, &joined);
        Some((format.to_string(), interval))
    };
    // Date and time are one stamp; a date alone would put all of a day at midnight, which is the same day.
    let found = triples
        .chain(pairs)
        .chain(singles)
        .find_map(|columns| Some((recognised(&columns)?, columns)));
    let ((format, interval), columns, remark) = match found {
        Some((recognised, columns)) => (recognised, columns, ""),
        None => (
            ("%Y-%m-%d %H:%M".to_owned(), Interval::unknown()),
            own,
            "  # FILL IN: no format was recognised",
        ),
    };
    let columns: Vec<&str> = columns.iter().map(|index| names[*index].as_str()).collect();
    let is_end = columns
        .iter()
        .any(|name| name.to_lowercase().contains("end"));
    let quoted_columns: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    let _ = write!(
        text,
        "\n[table.time]\ncolumns = [{}]\nformat = {}{remark}\nstands_for = \"{}\"  {CHECK}: \"begin\", \"middle\" or \"end\" of the \
         interval\nminutes = {}  {CHECK}: {}\nzone = \"standard\"  {CHECK}: the site's standard time; or \"UTC\", \
         \"Etc/GMT+5\", \"America/New_York\"\n",
        quoted_columns.join(", "),
        quoted(&format),
        if is_end { "end" } else { "begin" },
        interval.minutes,
        interval.remark,
    );
    interval
}

fn flux(text: &mut String, columns: &[Column]) {
    let found: Vec<&Column> = columns
        .iter()
        .filter(|column| words::is_flux(&column.name))
        .collect();
    let Some(first) = found.first() else {
        let _ = writeln!(
            text,
            "\n{FILL_IN}: the column of the flux, and its unit\n# [table.flux]\n# columns = [\"flux\"]\n# unit = \"umol m-2 s-1\""
        );
        return;
    };
    text.push_str("\n[table.flux]\n");
    let same: Vec<String> = found
        .iter()
        .filter(|other| other.unit == first.unit)
        .map(|column| quoted(&column.name))
        .collect();
    let remark = if same.len() > 1 {
        format!("  {CHECK}: each counts as a chamber of its own")
    } else {
        String::new()
    };
    let _ = writeln!(text, "columns = [{}]{remark}", same.join(", "));
    match first
        .unit
        .as_deref()
        .map(|unit| (unit, FluxUnit::parse(unit)))
    {
        Some((unit, Ok(_))) => {
            let _ = writeln!(text, "unit = {}", quoted(unit));
        }
        Some((unit, Err(reason))) => {
            let reason = reason.replace('\n', " ");
            let _ = writeln!(
                text,
                "{FILL_IN}: the file says `{unit}`: {reason}\n# unit = \"umol m-2 s-1\""
            );
        }
        None => {
            let _ = writeln!(
                text,
                "{FILL_IN}: the unit of the flux\n# unit = \"umol m-2 s-1\""
            );
        }
    }
    if let Some(quality) = columns
        .iter()
        .find(|column| words::is_quality(&column.name))
    {
        let name = quoted(&quality.name);
        let _ = writeln!(
            text,
            "# quality = {{ column = {name}, keep = [0, 1] }}  {CHECK}: which flags are good"
        );
    }
}

/// Each daily variable with its columns.
fn drivers(columns: &[Column]) -> Vec<(&'static str, Vec<&Column>)> {
    let mut found: Vec<(&'static str, Vec<&Column>)> = Vec::new();
    for column in columns
        .iter()
        .filter(|column| !words::is_flux(&column.name))
    {
        let Some(variable) = words::driver(&column.name) else {
            continue;
        };
        match found.iter_mut().find(|(name, _)| *name == variable) {
            Some((_, columns)) => columns.push(column),
            None => found.push((variable, vec![column])),
        }
    }
    found
}

fn driver(text: &mut String, variable: &str, columns: &[&Column], interval: &Interval) {
    let first = columns[0];
    let remark = if columns.len() > 1 {
        format!("  {CHECK}: those nearest to 5 cm; several are averaged")
    } else {
        String::new()
    };
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let _ = writeln!(
        text,
        "\n[[table.drivers]]\nname = \"{variable}\"\ncolumns = [{}]{remark}",
        names.join(", ")
    );
    let unit = first
        .unit
        .as_deref()
        .filter(|unit| driver_unit::conversion(variable, unit).is_ok());
    match unit {
        Some(unit) => {
            let _ = writeln!(text, "unit = {}", quoted(unit));
        }
        None => {
            let _ = writeln!(
                text,
                "# unit = \"…\"  {CHECK}: not needed if it is that of the name"
            );
        }
    }
    if variable == "precip_mm" {
        let (values, remark) = interval.values_a_day();
        let _ = writeln!(
            text,
            "day = \"sum\"\nvalues_a_day = {values}  {CHECK}: {remark}"
        );
    }
}

/// What looks like fill values, and words among numbers.
fn missing(look: &Look, names: &[String]) -> Vec<String> {
    let mut missing: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if words::is_time(name) || !(words::is_flux(name) || words::driver(name).is_some()) {
            continue;
        }
        let cells = look.column(index);
        let numbers: Vec<f64> = cells.iter().filter_map(|cell| look.number(cell)).collect();
        let found = Missing::default().sentinels(&numbers);
        missing.extend(found.iter().map(|sentinel| sentinel.value.to_string()));
        let is_word = |cell: &&String| !cell.is_empty() && look.number(cell).is_none();
        missing.extend(
            cells
                .iter()
                .filter(is_word)
                .filter(|cell| !crate::cells::is_no_number(cell))
                .cloned(),
        );
    }
    missing.sort();
    missing.dedup();
    missing
}

/// A column with the unit that its name or the line below it tells.
fn column(look: &Look, index: usize, name: &str) -> Column {
    let below = (look.shape.names + 1..look.shape.rows).find_map(|line| {
        let cells = look.cells(line);
        cells.get(index).filter(|cell| !cell.is_empty()).cloned()
    });
    Column {
        name: name.to_owned(),
        unit: words::bracketed(name).map(str::to_owned).or(below),
    }
}

/// A character that a site's id may have.
fn allowed(character: char) -> char {
    if character.is_ascii_alphanumeric() || matches!(character, '_' | '-') {
        character
    } else {
        '_'
    }
}
