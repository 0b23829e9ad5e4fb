//! Where the sites are and how well they are simulated.

use super::canvas::{Anchor, Canvas, Figure, Ink, px};
use super::scale::Scale;

/// Outlines of land, a ring a line, `longitude,latitude` in tenths of a degree: Natural Earth 1:110m, in the public
/// domain, thinned to about 0.3°, without small islands and Antarctica.
const COASTLINE: &str = include_str!("coastline.txt");

/// A site on the map.
pub(crate) struct Place {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) ink: Ink,
}

/// The world without Antarctica, a degree of latitude as long as one of longitude. `key` names the inks.
pub(crate) fn map(name: &str, title: &str, places: &[Place], key: &[(Ink, String)]) -> Figure {
    let mut canvas = Canvas::new(960.0, 410.0);
    let x = Scale::new((-180.0, 180.0), (4.0, canvas.width - 4.0));
    let y = Scale::new((-58.0, 84.0), (canvas.height - 4.0, 30.0));
    let mut land = String::new();
    for ring in COASTLINE.lines() {
        let points = ring.split(' ').filter_map(|point| {
            let (longitude, latitude) = point.split_once(',')?;
            let degrees = |text: &str| Some(text.parse::<f64>().ok()? / 10.0);
            Some((degrees(longitude)?, degrees(latitude)?))
        });
        for (place, (longitude, latitude)) in points.enumerate() {
            let pen = if place == 0 { 'M' } else { 'L' };
            let at = (px(x.at(longitude)), px(y.clamped(latitude)));
            land.push_str(&format!("{pen}{} {}", at.0, at.1));
        }
        land.push('Z');
    }
    canvas.path(Ink::Land, &land);
    for latitude in [-30.0, 0.0, 30.0, 60.0] {
        let at = y.at(latitude);
        canvas.line(Ink::Grid, (x.at(-180.0), at), (x.at(180.0), at));
        let label = match latitude {
            0.0 => "equator".to_owned(),
            north if north > 0.0 => format!("{north}° N"),
            south => format!("{}° S", -south),
        };
        canvas.text(Ink::Muted, (6.0, at - 4.0), Anchor::Start, &label);
    }
    for place in places {
        let at = (x.clamped(place.longitude), y.clamped(place.latitude));
        canvas.marker(place.ink, at, 4.6);
    }
    canvas.key((4.0, 16.0), key);
    let counted = format!("{} sites on a map of the world.", places.len());
    canvas.finish(name, title, &counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ring_of_the_coastline_is_closed_and_on_earth() {
        for ring in COASTLINE.lines() {
            let points: Vec<(f64, f64)> = ring
                .split(' ')
                .map(|point| point.split_once(',').unwrap())
                .map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap()))
                .collect();
            assert!(
                points.len() > 3 && points[0] == points[points.len() - 1],
                "{ring}"
            );
            assert!(
                points
                    .iter()
                    .all(|(a, b)| a.abs() <= 1800.0 && b.abs() <= 900.0)
            );
        }
    }
}
