//! The days of one synthetic site: weather, water in the soil, leaves, and the efflux they cause.

use efflux_data::Calendar;

use super::biome::Biome;
use super::random::Random;
use crate::sun::Sun;

/// What a site is, drawn once from its biome.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) latitude: f64,
    /// Mean annual temperature, °C.
    temperature: f64,
    /// Half the annual range, °C.
    amplitude: f64,
    /// Share of days with rain.
    wet_share: f64,
    /// Rain of a wet day, mm.
    wet_amount: f64,
    summer_rain: f64,
    leaf_area: (f64, f64),
    /// Mean wind speed, m s⁻¹.
    wind: f64,
    /// Respiration of moist soil at 10 °C, µmol m⁻² s⁻¹.
    respiration: f64,
    /// Factor of respiration per 10 °C.
    q10: f64,
    /// Height of a rewetting pulse, µmol m⁻² s⁻¹.
    pulse: f64,
    /// Water a soil column holds above the wilting point, mm.
    storage: f64,
    /// Volumetric water content at the wilting point and at saturation.
    water_range: (f64, f64),
}

/// One day of one site, before any instrument has looked at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    /// Daily mean air temperature, °C.
    pub(super) temperature: f64,
    /// Difference between the day's maximum and minimum, °C.
    pub(super) range: f64,
    /// Land surface temperature around noon, °C.
    pub(super) surface: f64,
    /// mm.
    pub(super) precipitation: f64,
    /// m³ m⁻³.
    pub(super) soil_water: f64,
    /// Actual and potential evapotranspiration, mm.
    pub(super) evaporation: (f64, f64),
    /// m² m⁻².
    pub(super) leaf_area: f64,
    /// Water equivalent of snow on the ground, mm.
    pub(super) snow: f64,
    /// m s⁻¹.
    pub(super) wind: f64,
    /// Soil CO₂ efflux, µmol m⁻² s⁻¹.
    pub(super) flux: f64,
}

impl Day {
    /// Whether clouds hide the land surface.
    pub(super) fn is_cloudy(&self, random: &mut Random) -> bool {
        let hidden = if self.precipitation > 0.0 { 0.75 } else { 0.15 };
        random.uniform() < hidden
    }
}

impl Place {
    /// Somewhere in the biome.
    pub(super) fn draw(biome: &Biome, clay: f64, random: &mut Random) -> Self {
        Self::drawn(biome, clay, None, random)
    }

    /// The biome at this latitude.
    pub(super) fn at(biome: &Biome, clay: f64, latitude: f64, random: &mut Random) -> Self {
        Self::drawn(biome, clay, Some(latitude), random)
    }

    fn drawn(biome: &Biome, clay: f64, given: Option<f64>, random: &mut Random) -> Self {
        let mut of = |(low, high): (f64, f64)| random.between(low, high);
        let annual = of(biome.precipitation);
        let wet_amount = 4.0 + 3.0 * (annual / 1000.0);
        // Towards the pole it gets colder and more seasonal.
        let drawn = of((0.0, 1.0));
        let poleward = given.map_or(drawn, |latitude| biome.poleward(latitude));
        let seasonal = 0.7 * poleward + of((0.0, 0.3));
        let latitude = along(biome.latitude, poleward);
        let southern = of((0.0, 1.0)) < 0.15 && latitude < 45.0;
        Self {
            latitude: given.unwrap_or(if southern { -latitude } else { latitude }),
            temperature: along(biome.temperature, 1.0 - seasonal),
            amplitude: along(biome.amplitude, seasonal),
            wet_share: (annual / 365.25 / wet_amount).min(0.8),
            wet_amount,
            summer_rain: biome.summer_rain,
            leaf_area: {
                let (low, high) = biome.leaf_area;
                let scale = of((0.75, 1.15));
                (low * scale, high * scale)
            },
            wind: of((1.5, 4.0)),
            respiration: of(biome.respiration),
            q10: of((1.7, 2.8)),
            pulse: of(biome.pulse),
            storage: of((60.0, 120.0)),
            water_range: (0.04 + 0.2 * clay, 0.38 + 0.15 * clay),
        }
    }

    /// Every day of the calendar, after a year in which the stores find their level.
    pub(super) fn days(&self, calendar: &Calendar, random: &mut Random) -> Vec<Day> {
        const RUN_IN: usize = 365;
        let mut stores = Stores::new(self);
        let mut year_anomaly = 0.0;
        let days = (0..RUN_IN + calendar.days).map(|step| {
            // The run-in repeats the calendar's first days.
            let index = step.checked_sub(RUN_IN).unwrap_or(step);
            let day_of_year = f64::from(calendar.date(index).day_of_year());
            if step % 365 == 0 {
                year_anomaly = 0.6 * random.normal();
            }
            stores.advance(self, day_of_year, year_anomaly, random)
        });
        days.skip(RUN_IN).collect()
    }
}

/// What one day hands on to the next.
#[derive(Debug)]
struct Stores {
    /// Deviation of air temperature from its season, °C.
    warm_spell: f64,
    wet: bool,
    /// Extractable water in the soil, share of the storage.
    water: f64,
    /// mm.
    snow: f64,
    /// °C.
    soil_temperature: f64,
    /// °C, over the last month or so.
    month_temperature: f64,
    leaf_area: f64,
    /// Log of the wind's deviation from its mean.
    gusts: f64,
    /// What is left of rewetting pulses, µmol m⁻² s⁻¹.
    pulse: f64,
    /// Log of what drives respiration and no predictor tells.
    unexplained: f64,
}

impl Stores {
    fn new(place: &Place) -> Self {
        Self {
            warm_spell: 0.0,
            wet: false,
            water: 0.5,
            snow: 0.0,
            soil_temperature: place.temperature,
            month_temperature: place.temperature,
            leaf_area: place.leaf_area.0,
            gusts: 0.0,
            pulse: 0.0,
            unexplained: 0.0,
        }
    }

    fn advance(&mut self, place: &Place, day_of_year: f64, year: f64, random: &mut Random) -> Day {
        let warmest = if place.latitude < 0.0 { 17.0 } else { 200.0 };
        let summer = (std::f64::consts::TAU * (day_of_year - warmest) / 365.25).cos();

        // Weather: temperature with spells of some days, rain that comes in runs of days.
        let spread = 1.0 + 0.22 * place.amplitude;
        self.warm_spell = persist(self.warm_spell, 0.8, spread, random);
        let rain_season = (1.0 + 0.9 * place.summer_rain * summer).max(0.0);
        let wet_chance = (place.wet_share * rain_season).min(0.9);
        let chance = if self.wet {
            wet_chance + 0.3 * (1.0 - wet_chance)
        } else {
            0.7 * wet_chance
        };
        self.wet = random.uniform() < chance;
        let amount = place.wet_amount * random.exponential();
        let precipitation = if self.wet { amount } else { 0.0 };
        let clear = if self.wet { 0.55 } else { 1.0 };
        let temperature = place.temperature + place.amplitude * summer + year + self.warm_spell
            - if self.wet {
                0.08 * place.amplitude * summer.max(0.0)
            } else {
                0.0
            };
        let dryness = 1.0 - self.water;
        let range = (clear * (7.0 + 7.0 * dryness) + 1.2 * random.normal()).max(1.5);
        self.gusts = persist(self.gusts, 0.5, 0.35, random);
        let wind = place.wind * (1.0 - 0.15 * summer) * self.gusts.exp();

        // Water: snow, a bucket of soil, evapotranspiration by demand, leaves and supply.
        let sun = Sun::at(place.latitude, day_of_year);
        let potential = hargreaves(sun.radiation, temperature, range);
        let (fallen, melted) = if temperature < -1.0 {
            (precipitation, 0.0)
        } else {
            (0.0, self.snow.min(3.0 * temperature.max(0.0)))
        };
        self.snow += fallen - melted;
        let arriving = precipitation - fallen + melted;
        let before = self.water;
        let cover = 1.0 - (-0.5 * self.leaf_area).exp();
        let supply = (self.water / 0.5).min(1.0);
        let snow_free = if self.snow > 5.0 { 0.1 } else { 1.0 };
        let actual = potential * (0.3 + 0.65 * cover) * supply * snow_free;
        let drained = 0.15 * (self.water - 0.7).max(0.0);
        self.water = (self.water - drained + (arriving - actual) / place.storage).clamp(0.02, 1.0);

        // Leaves follow a month of warmth, and water.
        self.month_temperature += (temperature - self.month_temperature) / 20.0;
        let warmth = logistic((self.month_temperature - 9.0) / 2.0);
        let (least, most) = place.leaf_area;
        let wanted = least + (most - least) * warmth * (self.water / 0.3).min(1.0);
        self.leaf_area += (wanted - self.leaf_area) / 15.0;

        let surface = temperature
            + range / 2.0
            + 0.03 * sun.radiation * clear * (1.0 - cover) * dryness
            + 1.5 * random.normal();
        let flux = self.respire(place, temperature, arriving, before, random);
        let (wilting, saturated) = place.water_range;
        Day {
            temperature,
            range,
            surface,
            precipitation,
            soil_water: wilting + (saturated - wilting) * self.water,
            evaporation: (actual, potential),
            leaf_area: self.leaf_area,
            snow: self.snow,
            wind,
            flux,
        }
    }

    /// Respiration by soil temperature (Q10), soil water and leaves, and the pulse of carbon dioxide that follows when
    /// dry soil is wetted.
    ///
    /// # Source
    ///
    /// Lloyd and Taylor (1994), *Funct. Ecol.* 8, 315–323, for the shape of the temperature response; Birch (1958),
    /// *Plant and Soil* 10, 9–31, for the pulse.
    fn respire(
        &mut self,
        place: &Place,
        air: f64,
        arriving: f64,
        water_before: f64,
        random: &mut Random,
    ) -> f64 {
        // Snow keeps the soil from following the air.
        let insulation = if self.snow > 20.0 { 0.03 } else { 0.2 };
        self.soil_temperature += insulation * (air - self.soil_temperature);
        let warmth = place
            .q10
            .powf((self.soil_temperature - 10.0) / 10.0)
            .min(8.0);
        let dry = 1.25 * self.water / (self.water + 0.25);
        let flooded = 1.0 - 1.6 * (self.water - 0.75).max(0.0);
        let roots = 0.65 + 0.35 * self.leaf_area / place.leaf_area.1;
        let dryness = ((0.3 - water_before) / 0.3).max(0.0);
        self.pulse *= 0.68;
        if arriving > 2.0 {
            self.pulse += place.pulse * dryness * (arriving / 12.0).min(1.0);
        }
        self.unexplained = persist(self.unexplained, 0.93, 0.11, random);
        let base = place.respiration * warmth * dry * flooded * roots;
        (base + self.pulse * warmth.min(2.0)) * self.unexplained.exp()
    }
}

/// The value at this share of the way through a range.
fn along((low, high): (f64, f64), share: f64) -> f64 {
    low + (high - low) * share
}

/// The next value of a first-order autoregressive process with this standard deviation.
fn persist(value: f64, memory: f64, spread: f64, random: &mut Random) -> f64 {
    memory * value + spread * (1.0 - memory * memory).sqrt() * random.normal()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Potential evapotranspiration in mm a day from extraterrestrial radiation (W m⁻²), mean temperature and its daily
/// range (°C).
///
/// # Source
///
/// Hargreaves and Samani (1985), *Appl. Eng. Agric.* 1(2), 96–99; FAO-56 equation 52.
fn hargreaves(radiation: f64, temperature: f64, range: f64) -> f64 {
    let millimetres = 0.408 * 0.0864 * radiation;
    (0.0023 * millimetres * (temperature + 17.8) * range.sqrt()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::biome::BIOMES;
    use super::*;

    #[test]
    fn rain_on_dry_soil_brings_a_pulse_that_fades() {
        let place = Place::draw(&BIOMES[4], 0.2, &mut Random::stream(0, 0, 0));
        let respired = |rain: f64| {
            let mut random = Random::stream(0, 0, 1);
            let mut stores = Stores::new(&place);
            stores.water = 0.1;
            let first = stores.respire(&place, 20.0, rain, 0.05, &mut random);
            let later = (0..20).map(|_| stores.respire(&place, 20.0, 0.0, 0.1, &mut random));
            (first, later.last().unwrap())
        };
        let ((dry, dry_later), (wet, wet_later)) = (respired(0.0), respired(20.0));
        assert!(wet > 2.0 * dry, "{dry} {wet}");
        assert!(
            (wet_later / dry_later - 1.0).abs() < 0.2,
            "{dry_later} {wet_later}"
        );
    }

    #[test]
    fn a_wet_year_has_the_rain_of_its_biome() {
        for (index, biome) in BIOMES.iter().enumerate() {
            let place = Place::draw(biome, 0.2, &mut Random::stream(0, index as u64, 0));
            let calendar = Calendar::default();
            let days = place.days(&calendar, &mut Random::stream(0, index as u64, 1));
            let annual =
                365.25 * days.iter().map(|day| day.precipitation).sum::<f64>() / days.len() as f64;
            let (low, high) = biome.precipitation;
            assert!(
                (0.7 * low..1.2 * high).contains(&annual),
                "{}: {annual}",
                biome.igbp
            );
        }
    }
}
