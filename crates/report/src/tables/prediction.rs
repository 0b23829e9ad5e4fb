//! The tables of a prediction: how it compares with what was observed, and where it extrapolates.

use efflux_data::{ABOVE, BELOW, InputFlags, STAND_IN};

use super::{Table, number, skill};
use crate::prediction::Prediction;

/// A site and a series: the scores on all days with an observation.
pub(crate) fn scores(prediction: &Prediction<'_>) -> Table {
    let header = format!("site series {}", skill::SCORES);
    let mut table = Table::new("scores.csv", &header);
    let members = prediction.members.iter();
    let members = members.map(|member| (format!("member-{}", member.seed), &member.flux[..]));
    let mean = ("ensemble-mean".to_owned(), prediction.mean);
    for (series, flux) in std::iter::once(mean).chain(members) {
        for (site, scores) in prediction.pack.sites.iter().zip(prediction.scores(flux)) {
            let mut row = vec![site.id.clone(), series.clone()];
            row.extend(skill::cells(&scores));
            table.rows.push(row);
        }
    }
    table
}

/// A site and an input: how many of its values are outside the range of the training.
pub(crate) fn extrapolation(prediction: &Prediction<'_>) -> Table {
    let mut table = Table::new(
        "extrapolation.csv",
        "site input units kind training_min training_max values below above stand_in",
    );
    let sites = &prediction.pack.sites;
    let mut add = |kind: &str, input: &InputFlags| {
        let values = input.flags.len() / sites.len();
        for (site, flags) in sites.iter().zip(input.flags.chunks_exact(values)) {
            let count = |wanted: u8| flags.iter().filter(|&&flag| flag == wanted).count();
            let mut row = vec![
                site.id.clone(),
                input.name.clone(),
                input.units.clone(),
                kind.to_owned(),
            ];
            row.extend(input.range.map(number));
            row.push(values.to_string());
            row.extend([BELOW, ABOVE, STAND_IN].map(|flag| count(flag).to_string()));
            table.rows.push(row);
        }
    };
    let extrapolation = prediction.extrapolation;
    for input in &extrapolation.dynamic {
        add("daily", input);
    }
    for input in &extrapolation.statics {
        add("static", input);
    }
    table
}
