//! The figures, drawn as SVG: colours carry presentation attributes, so that a saved file needs nothing else, and
//! classes, so that the page can darken them. What colour tells is told by shape, dash or words as well.
//!
//! | file | shows | in the paper |
//! | --- | --- | --- |
//! | `classes.svg` | how many sites are good, fair and poor, in both readings | |
//! | `search-curves.svg` | the validation score of the configurations by epoch, and what became of them | |
//! | `search.svg`, `training.svg` | the score of every configuration and seed; the members, epoch by epoch | |
//! | `axes.svg`, `parallel.svg` | what each axis of the search does; all configurations through their values to the score | |
//! | `sites.svg` | the sites on a map by land cover (a), and how many there are of each (b) | Figure 1a, b |
//! | `climate.svg` | mean annual temperature and precipitation of the sites (c) | Figure 1c |
//! | `budyko.svg` | their water balance (d), and that of the humid ones | Figure 1d |
//! | `record.svg` | sites observed in each year, and the days of every site | Figure 1e |
//! | `skill-nse.svg`, `skill-kge.svg` | how the scores are distributed over sites | |
//! | `baselines.svg` | the ensemble mean against models of single sites | |
//! | `series-good.svg`, `series-median.svg`, `series-poor.svg` | three sites in large, with the spread of the ensemble | |
//! | `series-classes.svg` | series of up to three sites of each class, with the share of the calendar they cover | Figure 4 |
//! | `extremes.svg` | NSE and KGE on spikes and other days (c), and within bands (d) | Figure 7c, d |
//! | `unseen.svg` | members at unseen sites against other models | |
//! | `coverage.svg`, `spread-error.svg`, `ranks.svg`, `ensemble-size.svg` | how sure the ensemble is | |
//! | `skill-days.svg` | NSE (a, and without outliers), KGE (b) and r (c) against the length of the record | Figure 6 |
//! | `map.svg` | the sites by class on a map, and a pie of the classes | Figure 7a |
//! | `skill-climate-space.svg` | the classes in climate space, and the share of good sites in steps of it | Figure 7b |
//! | `skill-climate.svg` | each score against temperature, precipitation, PET, aridity and organic carbon | Figure 8 |
//! | `rhythm.svg` | records and correlograms of the strongest and the weakest rhythm | Figure 3 |
//! | `correlogram.svg` | correlograms by class | |
//! | `skill-rhythm.svg` | each score against smoothness, seasonality and cyclicality | Figure 9 |
//! | `temperature-response.svg` | flux against temperature at the sites of Figure 4, with exponential fits | Figure 5 |
//! | `q10.svg` | Q10 of observed against that of simulated flux | |
//!
//! A figure that the data do not allow is no file; the page says why. Figure 2 of the paper is a diagram of the model, for
//! which the page has words.

mod axes;
mod canvas;
mod chart;
mod classes;
mod covers;
mod curves;
mod distribution;
mod forest;
mod frame;
mod ink;
mod layer;
mod map;
mod parallel;
mod pie;
mod record;
mod scale;
mod search;
mod series;
mod sheet;
mod training;

pub(crate) use axes::axes;
pub(crate) use chart::Chart;
pub(crate) use classes::classes;
pub(crate) use covers::covers;
pub(crate) use curves::{curves, shown};
pub(crate) use distribution::{Curve, distribution};
pub(crate) use forest::{Estimate, forest};
pub(crate) use layer::{Layer, Shape};
pub(crate) use map::{Place, skill_map};
pub(crate) use parallel::parallel;
pub(crate) use record::record;
pub(crate) use scale::dates;
pub(crate) use search::search;
pub(crate) use series::{band_label, series};
pub(crate) use sheet::{Panel, sheet};
pub(crate) use training::training;

pub(crate) use canvas::Figure;
pub(crate) use ink::Ink;
