//! Predictions as a table with a row for every site and day, for programs that do not read netCDF.

use efflux_base::error::{Error, Result};
use efflux_data::DailyPredictions;

/// The table: site and date, what the days are to the training, the observed and the simulated flux with its calibrated
/// intervals, all in the unit of the target, and how far inputs are to be trusted. Days without an observation and a simulation are left out,
/// a value that is not there is empty.
///
/// # Errors
///
/// [`Error::Internal`] if the table cannot be made.
pub fn daily_csv(daily: &DailyPredictions) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::Internal(format!("daily predictions: {error}"));
    let predictions = &daily.predictions;
    let days = predictions.calendar.days;
    let columns = columns(daily);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["site", "date"].into_iter().map(str::to_owned);
    let names = columns.iter().map(|column| column.name.clone());
    writer.write_record(header.chain(names)).map_err(failed)?;
    let dates: Vec<String> = (0..days)
        .map(|day| predictions.calendar.date(day).to_string())
        .collect();
    for (place, (observed, mean)) in predictions
        .observed
        .values()
        .iter()
        .zip(predictions.mean.values())
        .enumerate()
    {
        if observed.is_nan() && mean.is_nan() {
            continue;
        }
        let (site, date) = (&predictions.sites[place / days], &dates[place % days]);
        let place_of = [site.clone(), date.clone()];
        let cells = columns.iter().map(|column| (column.cell)(place));
        writer
            .write_record(place_of.into_iter().chain(cells))
            .map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| Error::Internal(format!("daily predictions: {error}")))
}

struct Column<'a> {
    name: String,
    /// Of a place in `[S, D]`.
    cell: Cell<'a>,
}

fn columns(daily: &DailyPredictions) -> Vec<Column<'_>> {
    let mut columns = Vec::new();
    let days = daily.predictions.calendar.days;
    if let Some(parts) = &daily.parts {
        columns.push(named(
            "part",
            flag(parts, &["unused", "train", "validation", "test"]),
        ));
    }
    if let Some(seen) = &daily.trained_with {
        let cell = move |place: usize| u8::from(seen[place / days]).to_string();
        columns.push(named("site_in_training", Box::new(cell)));
    }
    columns.push(named(
        "observed",
        number(daily.predictions.observed.values()),
    ));
    columns.push(named(
        "simulated_mean",
        number(daily.predictions.mean.values()),
    ));
    columns.push(named("simulated_sd", number(&daily.sd)));
    for interval in &daily.intervals {
        let percent = (100.0 * interval.level).round();
        for (end, values) in [("lower", &interval.lower), ("upper", &interval.upper)] {
            columns.push(named(&format!("{end}_{percent}"), number(values)));
        }
    }
    if let Some(filled) = &daily.filled {
        let cell = flag(filled, &["observed", "interpolated", "held"]);
        columns.push(named("inputs_filled", cell));
    }
    if let Some(outside) = &daily.outside {
        let cell = |place: usize| outside[place].to_string();
        columns.push(named("inputs_outside", Box::new(cell)));
    }
    columns
}

type Cell<'a> = Box<dyn Fn(usize) -> String + 'a>;

fn named<'a>(name: &str, cell: Cell<'a>) -> Column<'a> {
    Column {
        name: name.to_owned(),
        cell,
    }
}

fn number(values: &[f32]) -> Cell<'_> {
    Box::new(|place| match values[place] {
        value if value.is_nan() => String::new(),
        value => value.to_string(),
    })
}

fn flag<'a>(flags: &'a [u8], meanings: &'a [&'a str]) -> Cell<'a> {
    Box::new(|place| {
        let found = meanings.get(usize::from(flags[place]));
        found.copied().unwrap_or_default().to_owned()
    })
}
