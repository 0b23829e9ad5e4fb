//! Where a site is, from tables of attributes whose names nothing fixes.

use crate::record::Site;

const LATITUDES: [&str; 6] = [
    "lat",
    "latitude",
    "gauge_lat",
    "lat_site",
    "lat_gage",
    "site_lat",
];
const LONGITUDES: [&str; 8] = [
    "lon",
    "long",
    "longitude",
    "gauge_lon",
    "lng",
    "lng_site",
    "lng_gage",
    "site_lon",
];
const ELEVATIONS: [&str; 7] = [
    "elev",
    "elevation",
    "elev_mean",
    "elevation_m",
    "elev_m",
    "elev_site_m",
    "gauge_elev",
];
const CLASSES: [&str; 2] = ["igbp", "igbp_class"];

/// Tells a site one attribute, if it is one of its place or land cover; the first of several names of one thing counts.
///
/// # Errors
///
/// A place that is no number.
pub(crate) fn tell(site: &mut Site, name: &str, value: &str) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    if CLASSES.contains(&lower.as_str()) && site.igbp.is_empty() {
        value.trim().clone_into(&mut site.igbp);
    }
    let is = |names: &[&str]| names.contains(&lower.as_str());
    let place = if is(&LATITUDES) {
        &mut site.lat
    } else if is(&LONGITUDES) {
        &mut site.lon
    } else if is(&ELEVATIONS) {
        &mut site.elevation_m
    } else {
        return Ok(());
    };
    if place.is_none() {
        let number = value
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite());
        *place = Some(number.ok_or_else(|| format!("`{name}` has `{value}`, expected a number"))?);
    }
    Ok(())
}
