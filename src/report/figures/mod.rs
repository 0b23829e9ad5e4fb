//! The figures, drawn as SVG: colours carry presentation attributes, so that a saved file needs nothing else, and
//! classes, so that the page can darken them.

mod axes;
mod canvas;
mod chart;
mod classes;
mod distribution;
mod forest;
mod map;
mod scale;
mod search;
mod series;
mod training;

pub(crate) use axes::axes;
pub(crate) use canvas::escape;
pub(crate) use chart::{Chart, Layer, Shape};
pub(crate) use classes::classes;
pub(crate) use distribution::{Curve, distribution};
pub(crate) use forest::{Estimate, forest};
pub(crate) use map::{Place, map};
pub(crate) use search::{ranked, search};
pub(crate) use series::{band_label, chosen_sites, series};
pub(crate) use training::training;

pub(crate) use canvas::{Figure, Ink};
