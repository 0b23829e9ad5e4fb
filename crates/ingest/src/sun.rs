//! Day length and radiation at the top of the atmosphere from latitude and date.

use std::f64::consts::PI;

/// Names of the two daily variables that are computed for every site and day.
pub(super) const DAY_LENGTH: &str = "day_length_h";
pub(super) const RADIATION: &str = "toa_radiation_w_m2";

/// What the sun gives a place on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sun {
    /// Time between sunrise and sunset, hours.
    pub(super) day_length: f64,
    /// Daily mean on a horizontal surface without atmosphere, W m⁻².
    pub(super) radiation: f64,
}

impl Sun {
    /// The sun on a day of the year (1 to 366) at a latitude in degrees north.
    ///
    /// # Source
    ///
    /// Allen, Pereira, Raes and Smith (1998), *Crop evapotranspiration*, FAO Irrigation and Drainage Paper 56,
    /// equations 21 and 23 to 25 and 34.
    pub(super) fn at(latitude: f64, day_of_year: f64) -> Self {
        let phi = latitude.to_radians();
        let angle = 2.0 * PI * day_of_year / 365.0;
        let distance = 1.0 + 0.033 * angle.cos();
        let declination = 0.409 * (angle - 1.39).sin();
        let sunset = (-phi.tan() * declination.tan()).clamp(-1.0, 1.0).acos();
        let height =
            sunset * phi.sin() * declination.sin() + phi.cos() * declination.cos() * sunset.sin();
        let megajoules_a_day = 24.0 * 60.0 / PI * 0.0820 * distance * height;
        Self {
            day_length: 24.0 * sunset / PI,
            radiation: megajoules_a_day / 0.0864,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_source_is_met() {
        // Example 8: 3 September (day 246) at 20° S: 32.2 MJ m⁻² d⁻¹; example 9: 11.7 hours.
        let sun = Sun::at(-20.0, 246.0);
        assert!((sun.radiation * 0.0864 - 32.2).abs() < 0.05);
        assert!((sun.day_length - 11.7).abs() < 0.05);
    }

    #[test]
    fn the_poles_have_day_and_night() {
        assert_eq!(Sun::at(90.0, 172.0).day_length, 24.0);
        let night = Sun::at(90.0, 355.0);
        assert!(night.day_length == 0.0 && night.radiation.abs() < 1e-9);
    }
}
