//! The format of stamps, from the stamps themselves.

use super::format::Format;

/// The format that all cells have, each with its cells of time joined by a blank.
///
/// # Errors
///
/// What has to be asked, because the stamps do not tell, and what to write.
pub(crate) fn recognise(cells: &[&str]) -> Result<Format, String> {
    let cells: Vec<&str> = cells
        .iter()
        .map(|cell| cell.trim())
        .filter(|cell| !cell.is_empty())
        .collect();
    let Some(first) = cells.first() else {
        return Err(
            "there is no stamp whose format could be recognised: write `format`".to_owned(),
        );
    };
    let numbers: Option<Vec<f64>> = cells.iter().map(|cell| cell.parse().ok()).collect();
    let text = match numbers {
        Some(numbers) => of_numbers(&cells, &numbers)?.to_owned(),
        None if "iso".parse::<Format>()?.reads_all(&cells) => "iso".to_owned(),
        None => of_texts(first, &cells)?,
    };
    let format: Format = text.parse()?;
    if let Some((cell, reason)) = cells
        .iter()
        .find_map(|cell| Some((cell, format.read(cell).err()?)))
    {
        return Err(format!(
            "stamps look like `{text}`, but not `{cell}` ({reason}): write `format`"
        ));
    }
    Ok(format)
}

impl Format {
    fn reads_all(&self, cells: &[&str]) -> bool {
        cells.iter().all(|cell| self.read(cell).is_ok())
    }
}

fn of_numbers(cells: &[&str], numbers: &[f64]) -> Result<&'static str, String> {
    let digits = |count: usize| {
        cells.iter().all(|cell| {
            cell.len() == count
                && cell.bytes().all(|byte| byte.is_ascii_digit())
                && (cell.starts_with("19") || cell.starts_with("20"))
        })
    };
    for (count, format) in [
        (14, "%Y%m%d%H%M%S"),
        (12, "%Y%m%d%H%M"),
        (10, "%Y%m%d%H"),
        (8, "%Y%m%d"),
    ] {
        if digits(count) {
            return Ok(format);
        }
    }
    let all = |least: f64, most: f64| numbers.iter().all(|number| (least..most).contains(number));
    if all(690_000.0, 770_000.0) {
        return Ok("matlab");
    }
    if all(3e8, 1.9e9) {
        return Ok("epoch");
    }
    if all(3e11, 1.9e12) {
        return Ok("milliseconds since 1970-01-01");
    }
    let first = cells.first().copied().unwrap_or_default();
    if all(10_000.0, 80_000.0) {
        return Err(format!(
            "time {first}: days of a spreadsheet, but from 1900 or from 1904? Write `format = \"excel\"` or `format = \
             \"excel-1904\"`, four years and a day apart"
        ));
    }
    if all(0.0, 367.0) {
        return Err(format!(
            "time {first}: days of a year, but counted from 0 or from 1? Name the column of the year, too, and write `format = \"%Y \
             %j\"` (1.0 is 00:00 on 1 January) or `format = \"%Y %0j\"` (0.0 is)"
        ));
    }
    Err(format!(
        "time {first}: days, hours or seconds since when? Write it as `format = \"days since 2001-01-01 12:00\"`"
    ))
}

/// `3/14/09 0:05 AM`, `14.03.2009 22:30`, `14-Mar-2009`.
fn of_texts(first: &str, cells: &[&str]) -> Result<String, String> {
    let unknown = || {
        format!(
            "time `{first}`: its format is not recognised: write it, as `format = \"%d.%m.%Y %H:%M\"`"
        )
    };
    let (_, mark) = split_date(first).ok_or_else(unknown)?;
    let time = time_of(cells).ok_or_else(unknown)?;
    let dates: Option<Vec<[&str; 3]>> = cells
        .iter()
        .map(|cell| split_date(cell).map(|(parts, _)| parts))
        .collect();
    let dates = dates.ok_or_else(unknown)?;
    let longest = |place: usize| {
        dates
            .iter()
            .map(|date| date[place].len())
            .max()
            .unwrap_or(0)
    };
    let above_12 = |place: usize| {
        dates
            .iter()
            .find(|date| date[place].parse().is_ok_and(|number: u32| number > 12))
    };
    let year = |place: usize| if longest(place) == 4 { "%Y" } else { "%y" };
    let parts = if longest(0) == 4 {
        ["%Y", "%m", "%d"]
    } else if dates
        .iter()
        .any(|date| date[1].starts_with(char::is_alphabetic))
    {
        ["%d", "%b", year(2)]
    } else {
        match (above_12(0), above_12(1)) {
            (Some(_), None) => ["%d", "%m", year(2)],
            (None, Some(_)) => ["%m", "%d", year(2)],
            (Some(day), Some(other)) => {
                return Err(format!(
                    "time: `{}` has the day first, `{}` the month: one file cannot be read both ways",
                    day.join(mark),
                    other.join(mark)
                ));
            }
            (None, None) => {
                let year = year(2);
                return Err(format!(
                    "time `{first}`: is the day first or the month? No stamp tells: write `format = \"%d{mark}%m{mark}{year}{time}\"` or \
                     `format = \"%m{mark}%d{mark}{year}{time}\"`"
                ));
            }
        }
    };
    Ok(format!("{}{time}", parts.join(mark)))
}

/// The part of the format after the date, from the longest time: other stamps may be dates alone.
fn time_of(cells: &[&str]) -> Option<String> {
    let time = cells
        .iter()
        .map(|cell| after_date(cell))
        .max_by_key(|time| time.len())
        .unwrap_or_default();
    let upper = time.to_ascii_uppercase();
    let before = ["AM", "PM"]
        .iter()
        .find_map(|half| upper.strip_suffix(half));
    let (hour, half) = match before {
        Some(before) if before.ends_with(' ') => ("%I", " %p"),
        Some(_) => ("%I", "%p"),
        None => ("%H", ""),
    };
    match (time.is_empty(), time.matches(':').count()) {
        (true, _) => Some(String::new()),
        (false, 1) => Some(format!(" {hour}:%M{half}")),
        (false, 2) => Some(format!(" {hour}:%M:%S{half}")),
        _ => None,
    }
}

fn after_date(cell: &str) -> &str {
    cell.split_once(' ').map_or("", |(_, time)| time.trim())
}

/// The three parts of the date that a cell begins with, and what stands between them.
fn split_date(cell: &str) -> Option<([&str; 3], &'static str)> {
    let date = cell.split(' ').next()?;
    let mark = ["/", ".", "-"]
        .into_iter()
        .find(|mark| date.matches(mark).count() == 2)?;
    let parts: Vec<&str> = date.split(mark).collect();
    Some((parts.try_into().ok()?, mark))
}
