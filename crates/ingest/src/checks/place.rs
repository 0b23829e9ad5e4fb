//! How far apart sites are, and which share a place.

use efflux_data::Site;

/// Mean radius of the Earth, metres.
const EARTH: f64 = 6_371_008.8;

/// A place in hundredths of a degree, about a kilometre: many coordinates are given no more precisely, and chambers that
/// stand closer together see the same weather.
#[allow(clippy::cast_possible_truncation)] // Coordinates are at most 180 degrees.
pub(super) fn place(site: &Site) -> (i64, i64) {
    let hundredths = |degrees: f64| (100.0 * degrees).round() as i64;
    (hundredths(site.latitude), hundredths(site.longitude))
}

/// Metres between two sites along the surface.
///
/// # Source
///
/// The haversine formula on a sphere, Sinnott (1984), *Sky and Telescope* 68, 159.
pub(super) fn distance(one: &Site, other: &Site) -> f64 {
    let (a, b) = (one.latitude.to_radians(), other.latitude.to_radians());
    let half_width = (other.longitude - one.longitude).to_radians() / 2.0;
    let h = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * half_width.sin().powi(2);
    2.0 * EARTH * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(latitude: f64, longitude: f64) -> Site {
        Site {
            id: "X".into(),
            name: String::new(),
            latitude,
            longitude,
            elevation: None,
            igbp: String::new(),
            publication: String::new(),
        }
    }

    #[test]
    fn a_degree_of_latitude_is_111_kilometres() {
        let apart = distance(&site(10.0, 20.0), &site(11.0, 20.0));
        assert!((apart - 111_195.0).abs() < 1.0, "{apart}");
        let around = distance(&site(0.0, 179.5), &site(0.0, -179.5));
        assert!((around - 111_195.0).abs() < 1.0, "{around}");
    }

    #[test]
    fn a_place_is_a_hundredth_of_a_degree() {
        assert_eq!(place(&site(42.537, -72.1715)), place(&site(42.54, -72.17)));
        assert_ne!(place(&site(42.54, -72.17)), place(&site(42.55, -72.17)));
    }
}
