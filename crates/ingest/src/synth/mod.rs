//! A pack that was made, not measured: for trying things out, for tests, and for timing at the paper's size.
//!
//! Sites are drawn from kinds of land cover. A weather generator, a soil bucket and a leaf model give mutually consistent
//! predictors; soil respiration follows temperature and soil water, with pulses after rain on dry soil, and is observed
//! with noise and gaps. Everything is a function of the seed.

mod biome;
mod exports;
mod instruments;
mod random;
mod record;
mod weather;

use efflux_base::error::{Error, Result};
use efflux_data::{Calendar, Pack, Site, Target, Variable};
use efflux_numerics::{SiteByDay, single};
use jiff::civil::Date;

use self::biome::{BIOMES, Biome, ORDER};
pub use self::exports::synthesize_predictors;
use self::instruments::PREDICTORS;
use self::random::Random;
use self::weather::{Day, Place};

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SynthOptions {
    /// Number of sites, 1 to 10,000; the paper has 82.
    pub sites: usize,
    /// Years from 2003-01-01 on, 1 to 100; `None`: the default calendar, to 2020-02-29.
    pub years: Option<usize>,
    /// Another seed, another pack.
    pub seed: u64,
    /// How long the records are.
    pub profile: Profile,
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            sites: 82,
            years: None,
            seed: 0,
            profile: Profile::Cosore,
        }
    }
}

/// How long the records of a synthetic pack are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// As in COSORE: spans of 1 to 10 years, 490 observed days on average. At the default size about 9 / 11 / 17 % of
    /// all windows of 30 / 90 / 365 days hold a day of the training part (80 % of the observed days, validation days
    /// included; 0.8 percentage points less without them).
    #[default]
    Cosore,
}

/// The static attributes of the paper with their units.
const STATICS: [(&str, &str); 10] = [
    ("latitude", "degrees_north"),
    ("longitude", "degrees_east"),
    ("elevation", "m"),
    ("mean_annual_precipitation", "mm yr-1"),
    ("mean_annual_temperature", "degC"),
    ("soil_organic_carbon", "g kg-1"),
    ("sand", "%"),
    ("silt", "%"),
    ("clay", "%"),
    ("bulk_density", "kg dm-3"),
];

/// Makes a pack. The same options give the same pack on every machine whose mathematical library rounds alike.
///
/// # Errors
///
/// [`Error::Usage`] if there are too few or too many sites or years.
pub fn synthesize(options: &SynthOptions) -> Result<Pack> {
    let SynthOptions {
        sites,
        years,
        seed,
        profile: Profile::Cosore,
    } = *options;
    if !(1..=10_000).contains(&sites) {
        return Err(Error::Usage(format!(
            "--sites has {sites}, expected 1 to 10000"
        )));
    }
    let calendar = match years {
        None => Calendar::default(),
        Some(years) => years_from_2003(years)?,
    };
    let mut pack = Pack {
        calendar,
        sites: Vec::new(),
        dynamic: variables(&PREDICTORS),
        values: Vec::with_capacity(sites * calendar.days * PREDICTORS.len()),
        filled: Vec::with_capacity(sites * calendar.days * PREDICTORS.len()),
        statics: variables(&STATICS),
        static_values: Vec::with_capacity(sites * STATICS.len()),
        target: Target::default(),
        flux: SiteByDay::filled(sites, calendar.days, f32::NAN),
        count: SiteByDay::filled(sites, calendar.days, 0),
        origin: None,
        sources: vec![format!(
            "synthetic: efflux {} synth, profile cosore, {sites} sites, {} days, seed {seed}",
            env!("CARGO_PKG_VERSION"),
            calendar.days
        )],
        licences: vec!["CC0-1.0".to_owned()],
        digest: String::new(),
    };
    let lengths = record::lengths(sites, calendar.days, seed);
    for (site, length) in lengths.into_iter().enumerate() {
        add_site(&mut pack, seed, site, length);
    }
    Ok(pack.sealed())
}

fn years_from_2003(years: usize) -> Result<Calendar> {
    let start = Calendar::default().start;
    let whole = |years: usize| {
        let year = start.year() + i16::try_from(years).ok()?;
        let after = Calendar { start, days: 0 }.offset(Date::new(year, 1, 1).ok()?);
        usize::try_from(after).ok()
    };
    let days = Some(years)
        .filter(|years| (1..=100).contains(years))
        .and_then(whole);
    let days =
        days.ok_or_else(|| Error::Usage(format!("--years has {years}, expected 1 to 100")))?;
    Ok(Calendar { start, days })
}

fn variables(table: &[(&str, &str)]) -> Vec<Variable> {
    let pairs = table.iter();
    pairs
        .map(|&(name, units)| Variable::new(name, units))
        .collect()
}

/// What a site's soil is made of.
struct Soil {
    /// Share of the fine earth.
    clay: f64,
    /// Share of the fine earth.
    sand: f64,
    /// Organic carbon, g kg⁻¹.
    carbon: f64,
    /// kg dm⁻³.
    bulk_density: f64,
}

impl Soil {
    fn draw(biome: &Biome, random: &mut Random) -> Self {
        let clay = random.between(0.05, 0.45);
        let sand = (1.0 - clay) * random.between(0.2, 0.9);
        let (low, high) = biome.organic_carbon;
        let carbon = random.between(low, high);
        Self {
            clay,
            sand,
            carbon,
            bulk_density: 1.6 / (1.0 + carbon / 90.0),
        }
    }
}

/// The mean over all days.
fn annual(days: &[Day], of: fn(&Day) -> f64) -> f64 {
    days.iter().map(of).sum::<f64>() / days.len() as f64
}

fn add_site(pack: &mut Pack, seed: u64, site: usize, length: record::Length) {
    // One stream a purpose: a change of one part leaves the others as they are.
    let stream = |purpose| Random::stream(seed, site as u64, purpose);
    let biome = &BIOMES[ORDER[site % ORDER.len()]];
    let mut ground = stream(1);
    let Soil {
        clay,
        sand,
        carbon,
        bulk_density,
    } = Soil::draw(biome, &mut ground);
    let elevation = 700.0 * ground.exponential();
    let longitude = ground.between(-180.0, 180.0);

    let place = Place::draw(biome, clay, &mut stream(2));
    let days = place.days(&pack.calendar, &mut stream(3));
    pack.static_values.extend(
        [
            place.latitude,
            longitude,
            elevation,
            365.25 * annual(&days, |day| day.precipitation),
            annual(&days, |day| day.temperature),
            carbon,
            100.0 * sand,
            100.0 * (1.0 - sand - clay),
            100.0 * clay,
            bulk_density,
        ]
        .map(single),
    );
    pack.sites.push(Site {
        id: format!("SYN{:04}", site + 1),
        name: format!("Synthetic {} {}", biome.igbp.to_lowercase(), site + 1),
        latitude: place.latitude,
        longitude,
        elevation: Some(elevation),
        igbp: biome.igbp.to_owned(),
        publication: String::new(),
    });

    let columns = instruments::observe(&days, &mut stream(4));
    for day in 0..days.len() {
        for (values, flags) in &columns {
            pack.values.push(single(values[day]));
            pack.filled.push(flags[day]);
        }
    }

    let mut chamber = stream(5);
    let observed = record::observed_days(length, &pack.calendar, place.latitude, &mut stream(6));
    for day in observed {
        let flux = days[day].flux;
        let error = (0.04 + 0.06 * flux) * chamber.normal();
        pack.flux[(site, day)] = single(flux + error);
        // Half-hourly measurements of a day that is not always whole.
        pack.count[(site, day)] = 12 + u32::try_from(chamber.below(37)).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use efflux_data::Parts;
    use efflux_data::windows_with_target;
    use efflux_job::{Part, Split};

    fn made(sites: usize, years: Option<usize>, seed: u64) -> Pack {
        let options = SynthOptions {
            sites,
            years,
            seed,
            ..SynthOptions::default()
        };
        synthesize(&options).unwrap()
    }

    /// Share of all windows that hold a target, with the whole training part and without its validation days.
    fn shares(pack: &Pack, window: usize) -> [f64; 2] {
        let days = pack.calendar.days;
        let possible = pack.sites.len() * (days - window);
        [0.0, 0.1].map(|validation| {
            let split = Split::by_time(0.8, validation);
            let parts = Parts::of(&pack.flux, &split);
            let hits: usize = (0..pack.sites.len())
                .map(|site| {
                    let flux = pack.flux_of(site);
                    let train = parts.days(site, Part::Train);
                    let targets = train.filter(|&day| !flux[day].is_nan());
                    windows_with_target(targets, days, window)
                })
                .sum();
            hits as f64 / possible as f64
        })
    }

    /// Only a whole pack is written.
    fn assert_whole(pack: &Pack) {
        let folder = tempfile::tempdir().unwrap();
        pack.write(&folder.path().join("a.h5")).unwrap();
    }

    fn observed(pack: &Pack, site: usize) -> usize {
        let flux = pack.flux_of(site);
        flux.iter().filter(|value| !value.is_nan()).count()
    }

    #[test]
    fn the_default_pack_has_the_record_lengths_of_cosore() {
        for seed in 0..3 {
            let pack = made(82, None, seed);
            for (window, expected) in [(30, 0.09), (90, 0.11), (365, 0.17)] {
                for share in shares(&pack, window) {
                    println!("seed {seed}, {window} days: {share:.4}");
                    assert!((share - expected).abs() <= 0.01, "{window} days: {share}");
                }
            }
            let counts: Vec<usize> = (0..82).map(|site| observed(&pack, site)).collect();
            let mean = counts.iter().sum::<usize>() as f64 / 82.0;
            println!("seed {seed}: {mean:.1} observed days a site");
            assert!((mean - 490.0).abs() < 15.0, "{mean} observed days a site");
            assert!(counts.iter().all(|&count| count >= 60));
        }
    }

    #[test]
    fn a_pack_is_a_function_of_its_options() {
        let digest = |seed| made(3, Some(2), seed).digest;
        assert_eq!(digest(5), digest(5));
        assert_ne!(digest(5), digest(6));
    }

    #[test]
    fn a_site_does_not_depend_on_how_many_others_there_are() {
        let (few, many) = (made(2, Some(1), 0), made(5, Some(1), 0));
        assert_eq!(few.values, many.values[..few.values.len()]);
    }

    #[test]
    fn small_packs_are_whole() {
        for (sites, years, days) in [(1, 1, 365), (4, 2, 731), (3, 100, 36_524)] {
            let pack = made(sites, Some(years), 9);
            assert_eq!(pack.calendar.days, days);
            assert_whole(&pack);
            assert!((0..sites).all(|site| observed(&pack, site) >= 60));
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (sites, years) in [(0, None), (10_001, None), (1, Some(0)), (1, Some(101))] {
            let options = SynthOptions {
                sites,
                years,
                ..SynthOptions::default()
            };
            assert!(matches!(synthesize(&options), Err(Error::Usage(_))));
        }
    }

    #[test]
    fn predictors_are_physical() {
        let pack = made(20, Some(3), 1);
        assert_whole(&pack);
        let limits = [
            (220.0, 350.0),
            (215.0, 320.0),
            (220.0, 330.0),
            (0.0, 200.0),
            (0.0, 0.65),
            (0.0, 15.0),
            (0.0, 20.0),
            (0.0, 8.0),
            (0.0, 1.0),
            (0.0, 1.0),
            (0.0, 30.0),
        ];
        for (variable, (low, high)) in limits.into_iter().enumerate() {
            for site in 0..20 {
                for value in pack.series(site, variable) {
                    let name = &pack.dynamic[variable].name;
                    assert!((low..=high).contains(&value), "{name}: {value}");
                }
            }
        }
        let warmer = |site| {
            let (low, high) = (pack.series(site, 1), pack.series(site, 2));
            low.zip(high).all(|(low, high)| low < high)
        };
        assert!((0..20).all(warmer));
    }

    #[test]
    fn flux_follows_temperature_where_there_are_seasons() {
        let pack = made(20, None, 0);
        let correlation = |site: usize| {
            let pairs: Vec<(f64, f64)> = pack
                .series(site, 2)
                .zip(pack.flux_of(site))
                .filter(|(_, flux)| !flux.is_nan())
                .map(|(warmth, flux)| (warmth.into(), (*flux).into()))
                .collect();
            let count = pairs.len() as f64;
            let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
            let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
            let sum = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
            let covariance = sum(&|p| (p.0 - mx) * (p.1 - my));
            covariance / (sum(&|p| (p.0 - mx).powi(2)) * sum(&|p| (p.1 - my).powi(2))).sqrt()
        };
        let mut seasonal: Vec<f64> = (0..20)
            .filter(|&site| pack.sites[site].igbp == "Deciduous broadleaf forest")
            .map(correlation)
            .collect();
        seasonal.sort_by(f64::total_cmp);
        let median = seasonal[seasonal.len() / 2];
        assert!(median > 0.5, "{seasonal:?}");
    }
}
