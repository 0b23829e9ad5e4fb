//! What goes along with skill, for people.

use super::Figures;
use super::html::{
    self, Cell, count, defined, details, figure, number_column, p_value, table, text, words_column,
};
use crate::analysis::budyko::evaporative_index;
use crate::analysis::classes::{Class, Reading};
use crate::analysis::significance::TTest;
use crate::analysis::statistics::median;
use crate::job::Part;
use crate::report::drivers::{CORRELOGRAM_STEP, Drivers, Over, SiteTraits, Water, attribute};
use crate::report::evaluation::{Evaluation, Measure, Series};
use crate::report::figures::{Chart, Figure, Ink, Layer, Place, Shape, map};
use crate::report::results::Results;
use crate::report::words;

const CLASSES: [(Class, Ink, &str); 3] = [
    (Class::Good, Ink::Good, "good"),
    (Class::Fair, Ink::Fair, "fair"),
    (Class::Poor, Ink::Poor, "poor"),
];

/// The drawings of this section.
pub(super) fn figures(
    results: &Results<'_>,
    evaluation: &Evaluation,
    drivers: &Drivers,
) -> Vec<Figure> {
    let by_class = |x: &dyn Fn(usize) -> Option<f64>, y: &dyn Fn(usize) -> Option<f64>| {
        CLASSES.map(|(class, ink, name)| Layer {
            name: name.to_owned(),
            ink,
            shape: Shape::Points,
            values: (0..results.sites.len())
                .filter(|&site| evaluation.class(site, Reading::Text) == Some(class))
                .filter_map(|site| Some((x(site)?, y(site)?)))
                .collect(),
        })
    };
    let scores = evaluation.scores(Series::Ensemble, Part::Test);
    let nse = |site: usize| Measure::Nse.of(&scores[site]).ok();
    let skill = |name, title, x, value: &dyn Fn(usize) -> Option<f64>| {
        Chart {
            name,
            title,
            x,
            y: "test NSE, those below −1 on the edge",
            limits: Some((-1.0, 1.0)),
            symlog: false,
            names: Vec::new(),
            layers: by_class(value, &nse).into(),
        }
        .draw()
    };
    let site = |index: usize| &drivers.sites[index];
    let mut drawn = vec![
        places(results, evaluation),
        correlogram(results, evaluation, drivers),
        skill(
            "skill-days",
            "Skill against the length of the record",
            "observed days",
            &|index| Some(site(index).observed_days as f64),
        ),
        skill(
            "skill-smoothness",
            "Skill against smoothness",
            "smoothness (lag 1 day)",
            &|index| {
                site(index)
                    .smoothness
                    .r
                    .ok()
                    .filter(|_| site(index).smoothness.usable())
            },
        ),
        skill(
            "skill-seasonality",
            "Skill against seasonality",
            "raw autocorrelation, lag 182 days",
            &|index| {
                site(index)
                    .seasonality
                    .r
                    .ok()
                    .filter(|_| site(index).seasonality.usable())
            },
        ),
    ];
    for (name, title, begins) in [
        (
            "skill-temperature",
            "Skill against temperature",
            ["mean_annual_temperature", "mat_", "mean soil_temp"],
        ),
        (
            "skill-precipitation",
            "Skill against precipitation",
            ["mean_annual_precipitation", "map_", "mean precipitation"],
        ),
    ] {
        let mut attributes = results.attributes.iter();
        let known = attributes.find(|one| begins.iter().any(|begin| one.name.starts_with(begin)));
        drawn.extend(known.map(|attribute| {
            skill(name, title, &attribute.name, &|index| {
                Some(attribute.values[index]).filter(|value| value.is_finite())
            })
        }));
    }
    drawn.extend(climate(results, &by_class));
    drawn.extend(
        drivers
            .water
            .as_ref()
            .and_then(|water| budyko(water, &by_class)),
    );
    let mut responses = vec![Layer {
        name: "as observed".to_owned(),
        ink: Ink::Baseline,
        shape: Shape::Line,
        values: vec![(1.0, 1.0), (6.0, 6.0)],
    }];
    // Beyond six a fit says little about soils.
    let shown = |value: crate::analysis::Defined| value.ok().map(|value| value.clamp(0.0, 6.0));
    responses.extend(by_class(
        &|index| shown(site(index).observed_q10),
        &|index| shown(site(index).simulated_q10),
    ));
    drawn.push(
        Chart {
            name: "q10",
            title: "Response to temperature, observed and simulated",
            x: "Q10 of observed flux",
            y: "Q10 of simulated flux",
            limits: None,
            symlog: false,
            names: Vec::new(),
            layers: responses,
        }
        .draw(),
    );
    drawn
}

/// Layers of sites by class, from what lies along x and along y.
type ByClass<'a> =
    dyn Fn(&dyn Fn(usize) -> Option<f64>, &dyn Fn(usize) -> Option<f64>) -> [Layer; 3] + 'a;

/// The climates of the sites; none unless both means are known.
fn climate(results: &Results<'_>, by_class: &ByClass<'_>) -> Option<Figure> {
    let temperature = attribute(results, &["mean_annual_temperature", "mat_"])?;
    let precipitation = attribute(results, &["mean_annual_precipitation", "map_"])?;
    let known = |values: &[f64], site: usize| Some(values[site]).filter(|value| value.is_finite());
    let chart = Chart {
        name: "climate",
        title: "Climates of the sites",
        x: &temperature.name,
        y: &precipitation.name,
        limits: None,
        symlog: false,
        names: Vec::new(),
        layers: by_class(&|site| known(&temperature.values, site), &|site| {
            known(&precipitation.values, site)
        })
        .into(),
    };
    Some(chart.draw())
}

/// The water balance of the sites beside Budyko's curve; none without evapotranspiration.
fn budyko(water: &Water, by_class: &ByClass<'_>) -> Option<Figure> {
    let evaporation = water.evaporation.as_ref()?;
    let known = |values: &[f64], site: usize| Some(values[site]).filter(|value| value.is_finite());
    let curve = (0..=100).map(|step| f64::from(step) * 0.05);
    let mut layers = vec![Layer {
        name: "Budyko (1974)".to_owned(),
        ink: Ink::Baseline,
        shape: Shape::Line,
        values: curve
            .map(|aridity| (aridity, evaporative_index(aridity)))
            .collect(),
    }];
    // Beyond five a desert is a desert.
    layers.extend(by_class(
        &|site| known(&water.aridity, site).map(|value| value.min(5.0)),
        &|site| known(evaporation, site),
    ));
    let chart = Chart {
        name: "budyko",
        title: "Water balance of the sites",
        x: "PET / precipitation, those above 5 on the edge",
        y: "ET / precipitation, those above 1.5 on the edge",
        limits: Some((0.0, 1.5)),
        symlog: false,
        names: Vec::new(),
        layers,
    };
    Some(chart.draw())
}

/// The sites on a map, with the classes of the text.
fn places(results: &Results<'_>, evaluation: &Evaluation) -> Figure {
    let sites = results.sites.iter().enumerate().map(|(index, site)| {
        let class = evaluation.class(index, Reading::Text);
        let known = CLASSES.iter().find(|(one, ..)| Some(*one) == class);
        Place {
            latitude: site.latitude,
            longitude: site.longitude,
            ink: known.map_or(Ink::Unclassed, |(_, ink, _)| *ink),
        }
    });
    let mut places: Vec<Place> = sites.collect();
    // The good lie on top where sites share a place.
    places.sort_by_key(|place| {
        CLASSES
            .iter()
            .rev()
            .position(|(_, ink, _)| *ink == place.ink)
    });
    let mut key: Vec<(Ink, String)> = CLASSES
        .iter()
        .map(|(_, ink, name)| (*ink, (*name).to_owned()))
        .collect();
    if places.iter().any(|place| place.ink == Ink::Unclassed) {
        key.push((Ink::Unclassed, "not defined".to_owned()));
    }
    map(
        "map",
        "Sites and how well they are simulated",
        &places,
        &key,
    )
}

/// The median over the sites of each class.
fn correlogram(results: &Results<'_>, evaluation: &Evaluation, drivers: &Drivers) -> Figure {
    let inks = [Ink::Simulated, Ink::Baseline, Ink::Train];
    let layers = CLASSES.iter().zip(inks).map(|((class, _, name), ink)| {
        let here: Vec<&SiteTraits> = (0..results.sites.len())
            .filter(|&site| evaluation.class(site, Reading::Text) == Some(*class))
            .map(|site| &drivers.sites[site])
            .collect();
        let points = here.first().map_or(0, |site| site.correlogram.len());
        let at = |step: usize| {
            let values: Vec<f64> = here
                .iter()
                .filter_map(|site| site.correlogram[step])
                .collect();
            Some(((step * CORRELOGRAM_STEP) as f64, median(&values).ok()?))
        };
        Layer {
            name: (*name).to_owned(),
            ink,
            shape: Shape::Line,
            values: (1..points).filter_map(at).collect(),
        }
    });
    Chart {
        name: "correlogram",
        title: "Correlograms by class",
        x: "lag, days",
        y: "autocorrelation, median over sites",
        limits: Some((-1.0, 1.0)),
        symlog: false,
        names: Vec::new(),
        layers: layers.collect(),
    }
    .draw()
}

pub(super) fn section(results: &Results<'_>, drivers: &Drivers, figures: &Figures) -> String {
    let (map, charts) = figures.drivers.split_at(1);
    let map: String = map.iter().map(|drawing| figure(&drawing.svg, "")).collect();
    let drawn: Vec<String> = charts
        .iter()
        .map(|drawing| figure(&drawing.svg, ""))
        .collect();
    let content = format!(
        "{map}{}<div class=\"pair\">{}</div>\n<p class=\"caption\">Classes by the text’s thresholds. Smoothness, seasonality \
         and cyclicality are autocorrelations at lags of 1, 182 and 365 days over days that were both observed, with 30 \
         pairs or more. Seasonality is raw: a strongly seasonal site is near −1. The paper’s positive correlation of \
         seasonality with skill has the other sign.</p>\n{}{}{}",
        groups(drivers),
        drawn.concat(),
        correlations(drivers),
        seasons(drivers),
        neighbours(results, drivers),
    );
    html::section("drivers", "What goes along with skill", &content)
}

fn groups(drivers: &Drivers) -> String {
    let mut columns = vec![
        words_column("sites by"),
        words_column(""),
        number_column("sites"),
    ];
    columns.extend(
        [
            "median NSE",
            "median KGE",
            "median r",
            "mean NSE",
            "good",
            "poor",
        ]
        .map(number_column),
    );
    let rows: Vec<Vec<Cell>> = drivers
        .groups
        .iter()
        .map(|group| {
            let mut row = vec![text(&group.by), text(&group.name), count(group.sites)];
            row.extend(group.medians.map(|value| html::number(value.ok(), 2)));
            row.push(html::number(group.means[0].ok(), 2));
            row.extend([group.good, group.poor].map(count));
            row
        })
        .collect();
    table(
        "Groups of sites: ensemble mean on the test part",
        &columns,
        &rows,
        None,
    )
}

fn correlations(drivers: &Drivers) -> String {
    let mut columns = vec![words_column("property"), words_column("test score")];
    columns.extend(
        [
            "n",
            "r",
            "p",
            "p, all tests",
            "r, places",
            "p, places, all tests",
        ]
        .map(number_column),
    );
    let over = |wanted: Over| {
        drivers
            .correlations
            .iter()
            .filter(move |row| row.over == wanted)
    };
    let rows: Vec<Vec<Cell>> = over(Over::SitesWithoutOutliers)
        .zip(over(Over::LocationsWithoutOutliers))
        .map(|(sites, places)| {
            let r = |found: &crate::report::drivers::CorrelationRow| {
                html::number(found.found.ok().map(|found| found.r), 2)
            };
            vec![
                text(&sites.name),
                text(sites.measure.label()),
                count(sites.found.map_or(0, |found| found.n)),
                r(sites),
                p_or_none(sites.found.ok().map(|found| found.p)),
                p_or_none(sites.adjusted_p),
                r(places),
                p_or_none(places.adjusted_p),
            ]
        })
        .collect();
    let caption = "Correlation of each property with each score over sites, scores beyond Tukey’s fences left out";
    details(
        "Correlations with properties of the sites",
        &format!(
            "{}<p class=\"caption\">Many are tested, so some are small by chance: “all tests” is the p value by Benjamini \
             and Hochberg over the whole table. Sites at one place are no independent evidence: “places” takes one mean \
             value a place. The table correlations.csv has the same with outliers.</p>\n",
            table(caption, &columns, &rows, Some(2))
        ),
    )
}

fn p_or_none(p: Option<f64>) -> Cell {
    p.map_or_else(|| html::number(None, 0), |p| p_value(Ok(p)))
}

fn seasons(drivers: &Drivers) -> String {
    let seasons = &drivers.seasons;
    let said = |found: Result<TTest, crate::analysis::Undefined>| match found {
        Err(reason) => format!("not defined: {}", html::escape(&reason.to_string())),
        Ok(TTest { t, df, p }) => {
            let p = if p < 0.0001 {
                "p &lt; 0.0001".to_owned()
            } else {
                format!("p = {}", words::number(p, 4))
            };
            format!(
                "t = {}, {} degrees of freedom, {p}",
                words::number(t, 2),
                words::number(df, 1)
            )
        }
    };
    format!(
        "<p>The difference of mean summer and mean winter flux, {} good against {} poor sites: Welch’s test {}; Student’s \
         {}.</p>\n",
        seasons.good,
        seasons.poor,
        said(seasons.welch),
        said(seasons.student)
    )
}

fn neighbours(results: &Results<'_>, drivers: &Drivers) -> String {
    let mut columns = vec![words_column("site"), number_column("test days")];
    columns.extend(
        [
            "of these seen at the same place in training",
            "Q10 observed",
            "Q10 simulated",
        ]
        .map(number_column),
    );
    let rows: Vec<Vec<Cell>> = results
        .sites
        .iter()
        .enumerate()
        .filter(|(index, _)| !drivers.sites[*index].neighbours.is_empty())
        .map(|(index, site)| {
            let traits = &drivers.sites[index];
            vec![
                html::site(index, &site.name, &site.id, ""),
                count(results.observed_days(index, Part::Test)),
                count(traits.test_days_seen),
                defined(traits.observed_q10, 2),
                defined(traits.simulated_q10, 2),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "<p>No two sites are at the same place.</p>\n".to_owned();
    }
    let caption = "Sites that share their place with others: weather of their test days was seen in training there";
    details(
        "Sites at the same place",
        &table(caption, &columns, &rows, Some(2)),
    )
}
