//! What the sites are like and when they were observed: the paper's Figure 1, for people.

use efflux_analysis::budyko::{evaporative_index, landscape_index};

use crate::Findings;
use crate::drivers::{Drivers, PRECIPITATION, TEMPERATURE, Water};
use crate::figures::{self, Chart, Ink, Layer, Panel, Place, Shape, sheet};
use crate::markup::{Html, html};
use crate::numbers;
use crate::results::Results;
use crate::section::{Drawing, Frame, Part, Section};
use crate::tables;

pub(super) fn section<'a>(findings: &'a Findings<'_>) -> Section<'a> {
    let (results, drivers) = (findings.results, &findings.drivers);
    let record = &findings.record;
    Section {
        id: "data",
        title: "The data",
        frame: Frame::Named("Data"),
        lead: Html::default(),
        parts: vec![
            Part::figure(|| sites(results, &Covers::new(results))),
            Part::figure(|| climate(results, &Covers::new(results))),
            Part::figure(|| water(results, drivers, &Covers::new(results))),
            Part::figure(|| {
                Drawing::new(
                    "When the sites were observed",
                    figures::record(record),
                    html!(
                        "Above, the sites with an observed day in each year of the calendar; below, the observed days of \
                         each site, gaps of a month and less left out (Figure 1e)."
                    ),
                )
            }),
            Part::table(tables::record::record(record)),
            Part::table(tables::filled::inputs(results)),
        ],
    }
}

/// The land covers, that of most sites first: their places are their marks.
struct Covers {
    names: Vec<(String, usize)>,
}

impl Covers {
    fn new(results: &Results<'_>) -> Self {
        let mut names: Vec<(String, usize)> = Vec::new();
        for site in results.sites {
            match names.iter_mut().find(|(name, _)| *name == site.igbp) {
                Some((_, sites)) => *sites += 1,
                None => names.push((site.igbp.clone(), 1)),
            }
        }
        names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self { names }
    }

    fn ink(&self, name: &str) -> Ink {
        let place = self.names.iter().position(|(known, _)| known == name);
        Ink::Cover(place.unwrap_or_default())
    }

    /// A layer for each land cover with sites that have both numbers.
    fn layers(
        &self,
        results: &Results<'_>,
        x: &dyn Fn(usize) -> f64,
        y: &dyn Fn(usize) -> f64,
    ) -> Vec<Layer> {
        let layers = self.names.iter().map(|(name, _)| {
            let here = (0..results.sites.len()).filter(|&site| results.sites[site].igbp == *name);
            let values = here.map(|site| (x(site), y(site)));
            let values = values.filter(|(x, y)| x.is_finite() && y.is_finite());
            Layer::new(
                name.as_str(),
                self.ink(name),
                Shape::Points,
                values.collect(),
            )
        });
        layers.filter(|layer| !layer.values.is_empty()).collect()
    }
}

fn sites(results: &Results<'_>, covers: &Covers) -> Drawing {
    // The rare lie on top where sites share a place.
    let mut places: Vec<(usize, Place)> = Vec::new();
    for site in results.sites {
        let rank = covers.names.iter().position(|(name, _)| *name == site.igbp);
        places.push((
            rank.unwrap_or_default(),
            Place {
                latitude: site.latitude,
                longitude: site.longitude,
                ink: covers.ink(&site.igbp),
            },
        ));
    }
    places.sort_by_key(|(rank, _)| *rank);
    let places: Vec<Place> = places.into_iter().map(|(_, place)| place).collect();
    let counts = covers.names.iter();
    let counts: Vec<(Ink, &str, usize)> = counts
        .map(|(name, sites)| (covers.ink(name), name.as_str(), *sites))
        .collect();
    Drawing::new(
        "Sites by land cover",
        figures::covers(&places, &counts),
        html!(
            "{} by land cover (IGBP): where they are (a) and how many there are of each (b), as in Figures 1a and 1b of \
             the paper. Sites at one place hide each other.",
            numbers::counted(results.sites.len(), "site")
        ),
    )
}

/// Temperature and precipitation, if both are known.
fn climate(results: &Results<'_>, covers: &Covers) -> Drawing {
    const TITLE: &str = "Climates of the sites (Figure 1c)";
    let known = (
        results.attribute(&TEMPERATURE[..2]),
        results.attribute(&PRECIPITATION),
    );
    let (Some(temperature), Some(precipitation)) = known else {
        return Drawing::none(
            TITLE,
            "the pack has no mean annual temperature or no mean annual precipitation of the sites",
        );
    };
    let (x, y) = (
        numbers::quantity(&temperature.name, "mean annual temperature"),
        numbers::quantity(&precipitation.name, "mean annual precipitation"),
    );
    let chart = Chart {
        x: x.into(),
        y: y.into(),
        layers: covers.layers(results, &|site| temperature.values[site], &|site| {
            precipitation.values[site]
        }),
        ..Chart::default()
    };
    let panel = Panel {
        letter: "c".into(),
        ..Panel::of(chart)
    };
    Drawing::new(
        TITLE,
        sheet(
            "climate",
            "Climates of the sites",
            1,
            (960.0, 330.0),
            &[panel],
        ),
        html!("Mean annual temperature and precipitation of the sites (Figure 1c)."),
    )
}

/// The water balance, if it is known.
fn water(results: &Results<'_>, drivers: &Drivers, covers: &Covers) -> Drawing {
    const TITLE: &str = "Water balance of the sites (Figure 1d)";
    let balance = drivers.water.as_ref();
    let known = balance.and_then(|water| Some((water, water.evaporation.as_ref()?)));
    let Some((water, evaporation)) = known else {
        return Drawing::none(
            TITLE,
            "the pack has no daily precipitation, potential evapotranspiration and evapotranspiration in known units",
        );
    };
    Drawing::new(
        TITLE,
        budyko(results, covers, water, evaporation),
        html!(
            "What evaporates of the rain against what could (Figure 1d); right, the humid sites. Where PET exceeds \
             precipitation a site is water-limited. Solid: Budyko (1974), ET/P = √(φ tanh(1/φ) (1 − exp(−φ))) with φ = \
             PET/P. Dotted: ET/P = φ / (1 + φ^β)^(1/β) with β = 1, 2 and 3 from below (Choudhury 1999, after Turc and \
             Pike); the paper draws curves of these β without naming a formula."
        ),
    )
}

fn budyko(
    results: &Results<'_>,
    covers: &Covers,
    water: &Water,
    evaporation: &[f64],
) -> figures::Figure {
    // Beyond these a desert is a desert.
    const FURTHEST: f64 = 5.0;
    const HIGHEST: f64 = 1.5;
    let panel = |letter: &'static str, furthest: f64, x: &'static str| {
        let curve = |index: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            let steps = (0..=100).map(|step| furthest * f64::from(step) / 100.0);
            steps.map(|aridity| (aridity, index(aridity))).collect()
        };
        let mut layers: Vec<Layer> = [1.0, 2.0, 3.0]
            .map(|beta| {
                let values = curve(&|aridity| landscape_index(aridity, beta));
                Layer::new("β = 1, 2, 3", Ink::Baseline, Shape::Line, values)
            })
            .into();
        let values = curve(&evaporative_index);
        layers.push(Layer::new("Budyko (1974)", Ink::Fit, Shape::Line, values));
        let within = |site: usize| {
            let aridity = water.aridity[site];
            if furthest < FURTHEST && aridity > furthest {
                f64::NAN
            } else {
                aridity.min(furthest)
            }
        };
        layers.extend(covers.layers(results, &within, &|site| evaporation[site]));
        Panel {
            letter: letter.into(),
            ..Panel::of(Chart {
                x: x.into(),
                y: "ET / precipitation, those above 1.5 on the edge".into(),
                limits: Some((0.0, HIGHEST)),
                layers,
                ..Chart::default()
            })
        }
    };
    let panels = [
        panel(
            "d",
            FURTHEST,
            "PET / precipitation, those above 5 on the edge",
        ),
        panel("d, humid", 1.0, "PET / precipitation"),
    ];
    sheet(
        "budyko",
        "Water balance of the sites",
        2,
        (480.0, 320.0),
        &panels,
    )
}
