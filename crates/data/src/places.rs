//! How far apart sites are, and which lie at one place.

/// Mean radius of the Earth, kilometres.
const EARTH: f64 = 6371.0088;

/// Kilometres between two points along the surface, each in degrees north and east.
///
/// # Source
///
/// The haversine formula on a sphere, Sinnott (1984), *Sky and Telescope* 68, 159.
pub fn distance_km(one: [f64; 2], other: [f64; 2]) -> f64 {
    let (a, b) = (one[0].to_radians(), other[0].to_radians());
    let half_width = (other[1] - one[1]).to_radians() / 2.0;
    let h = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * half_width.sin().powi(2);
    2.0 * EARTH * h.sqrt().min(1.0).asin()
}

/// The points that lie at one place, by index, each place by its least: points at most so many kilometres apart (to the
/// millimetre) share one, also through others (single linkage).
pub fn places(points: &[[f64; 2]], within_km: f64) -> Vec<Vec<usize>> {
    let mut place: Vec<usize> = (0..points.len()).collect();
    for second in 0..points.len() {
        for first in 0..second {
            let millimetres = (1e6 * distance_km(points[first], points[second])).round();
            let (from, to) = (place[second], place[first]);
            if from != to && millimetres <= 1e6 * within_km {
                let (least, greatest) = (from.min(to), from.max(to));
                for of in &mut place {
                    if *of == greatest {
                        *of = least;
                    }
                }
            }
        }
    }
    let members = |least: usize| (0..points.len()).filter(|&of| place[of] == least).collect();
    let leasts = (0..points.len()).filter(|&point| place[point] == point);
    leasts.map(members).collect()
}

/// The place of each of these points, by number.
pub fn place_of(points: &[[f64; 2]], within_km: f64) -> Vec<usize> {
    let mut place_of = vec![0; points.len()];
    for (place, members) in places(points, within_km).into_iter().enumerate() {
        for point in members {
            place_of[point] = place;
        }
    }
    place_of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_on_a_sphere() {
        for (one, other, expected) in [
            ([47.3, 8.5], [47.3009, 8.5], 0.100_075_572_210_484_6),
            ([0.0, 179.9998], [0.0, -179.9998], 0.044_478_032_095_423_53),
            ([-17.5, 179.5], [-18.25, -179.75], 115.128_260_432_949_62),
            ([90.0, 0.0], [89.9, 123.4], 11.119_508_023_353_202),
            (
                [42.537, -72.1715],
                [42.54, -72.17],
                0.355_503_453_027_901_26,
            ),
        ] {
            let found = distance_km(one, other);
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
    }

    #[test]
    fn places_reach_through_others_and_over_the_antimeridian() {
        let points = [
            [0.0, 179.9998],
            [42.54, -72.17],
            [0.0, -179.9998],
            [42.548, -72.17],
            [42.556, -72.17],
            [42.57, -72.17],
        ];
        assert_eq!(places(&points, 1.0), [vec![0, 2], vec![1, 3, 4], vec![5]]);
        assert_eq!(place_of(&points, 1.0), [0, 1, 0, 1, 1, 2]);
        assert_eq!(places(&points, 0.01).len(), 6);
        assert_eq!(places(&[[1.0, 2.0], [1.0, 2.0]], 0.0), [[0, 1]]);
        assert!(places(&[], 1.0).is_empty());
    }
}
