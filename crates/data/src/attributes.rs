//! What sites are like: one list of numbers for each.

use super::filled::Filled;
use super::pack::Pack;
use super::scales::Scales;
use super::tensors::Tensors;

/// The attributes of each site: mean and standard deviation of each daily input as a model reads it, then its static inputs,
/// `[S, 2F + A]`. They are over the days on which no daily variable that the model reads is held, whether the site was trained
/// with or not; over all days where there is no such day.
///
/// * `tensors`: those of the pack by these scales.
pub fn site_attributes(pack: &Pack, scales: &Scales, tensors: &Tensors) -> Vec<Vec<f64>> {
    let names: Vec<String> = scales.daily().map(|scale| scale.name.clone()).collect();
    let filled = Filled::of(pack, &names);
    let of_site = |site: usize| {
        let mut days: Vec<usize> = filled.own_days(site).collect();
        if days.is_empty() {
            days = (0..tensors.days).collect();
        }
        let count = days.len() as f64;
        let daily = (0..tensors.dynamic).flat_map(|input| {
            let value = |&day: &usize| {
                let place = (site * tensors.days + day) * tensors.dynamic + input;
                f64::from(tensors.dynamic_values[place])
            };
            let mean = days.iter().map(value).sum::<f64>() / count;
            let squares = days.iter().map(|day| (value(day) - mean).powi(2));
            [mean, (squares.sum::<f64>() / count).sqrt()]
        });
        let fixed = &tensors.static_values[site * tensors.statics..][..tensors.statics];
        daily
            .chain(fixed.iter().map(|&value| f64::from(value)))
            .collect()
    };
    (0..tensors.sites).map(of_site).collect()
}
