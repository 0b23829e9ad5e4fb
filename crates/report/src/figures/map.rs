//! Where the sites are: the world, with or without what became of them.

use super::canvas::{Anchor, Canvas, Figure, key_height, px};
use super::ink::Ink;
use super::pie::pie;
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

/// How wide and how high the world is drawn.
pub(super) const SIZE: (f64, f64) = (960.0, 376.0);

/// The world without Antarctica with its upper edge at `top`, a degree of latitude as long as one of longitude.
/// `zone`: degrees of latitude to set apart, on both sides of the equator.
pub(super) fn world(canvas: &mut Canvas, top: f64, places: &[Place], zone: Option<(f64, f64)>) {
    let x = Scale::new((-180.0, 180.0), (4.0, SIZE.0 - 4.0));
    let y = Scale::new((-58.0, 84.0), (top + SIZE.1, top));
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
    if let Some((low, high)) = zone {
        for (from, to) in [(low, high), (-high, -low)] {
            let (upper, lower) = (y.clamped(to), y.clamped(from));
            let corner = (x.at(-180.0), upper);
            canvas.rect(Ink::Zone, corner, x.at(180.0) - x.at(-180.0), lower - upper);
        }
    }
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
}

/// Where the sites of each class are, with the shares of the classes as a pie in the South Pacific.
pub(crate) fn skill_map(
    places: &[Place],
    zone: (f64, f64),
    slices: &[(usize, Ink, &str)],
) -> Figure {
    let mut key: Vec<(Ink, String)> = slices
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(_, ink, name)| (*ink, (*name).to_owned()))
        .collect();
    key.push((Ink::Zone, format!("{}° to {}° of latitude", zone.0, zone.1)));
    let top = key_height(SIZE.0, 4.0, &key) + 8.0;
    let mut canvas = Canvas::new(SIZE.0, top + SIZE.1 + 4.0);
    canvas.key((4.0, 16.0), &key);
    canvas.begin_panel("map");
    world(&mut canvas, top, places, Some(zone));
    canvas.end_panel();
    canvas.begin_panel("pie");
    pie(&mut canvas, (168.0, top + 262.0), 46.0, slices);
    canvas.end_panel();
    let counted: Vec<String> = slices
        .iter()
        .map(|(count, _, name)| format!("{count} {name}"))
        .collect();
    canvas.finish(
        "map",
        "Sites and how well they are simulated",
        &format!(
            "{} sites on a map of the world, and a pie of their classes: {}.",
            places.len(),
            counted.join(", ")
        ),
    )
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
