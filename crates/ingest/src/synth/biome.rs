//! Kinds of sites: what climate, vegetation and soil respiration a land cover has.

/// A kind of site; every pair is a range that a site's own value is drawn from.
#[derive(Debug)]
pub(super) struct Biome {
    /// IGBP class.
    pub(super) igbp: &'static str,
    /// Distance from the equator, degrees.
    pub(super) latitude: (f64, f64),
    /// Mean annual air temperature, °C.
    pub(super) temperature: (f64, f64),
    /// Half the difference between the warmest and the coldest time of the year, °C.
    pub(super) amplitude: (f64, f64),
    /// Annual precipitation, mm.
    pub(super) precipitation: (f64, f64),
    /// 1: all the rain in summer; −1: all in winter; 0: no wet season.
    pub(super) summer_rain: f64,
    /// Least and greatest leaf area index of a year, m² m⁻².
    pub(super) leaf_area: (f64, f64),
    /// Respiration of moist soil at 10 °C, µmol m⁻² s⁻¹.
    pub(super) respiration: (f64, f64),
    /// Height of the pulse after a heavy rain on dry soil, µmol m⁻² s⁻¹.
    pub(super) pulse: (f64, f64),
    /// Organic carbon of the soil, g kg⁻¹.
    pub(super) organic_carbon: (f64, f64),
}

/// Words of land covers and the index into [`BIOMES`] of what is nearest to them, the first that fits.
const NEAREST: [(&str, usize); 13] = [
    ("needleleaf", 1),
    ("mixed", 2),
    ("evergreen", 6),
    ("deciduous", 0),
    ("shrub", 4),
    ("savanna", 5),
    ("woodland", 4),
    ("barren", 4),
    ("wetland", 7),
    ("water", 7),
    ("grass", 3),
    ("crop", 3),
    ("snow", 1),
];

impl Biome {
    /// The one that is nearest to a land cover at a latitude.
    pub(super) fn nearest(igbp: &str, latitude: f64) -> &'static Self {
        let igbp = igbp.to_lowercase();
        let mut words = NEAREST.iter();
        let found = words.find(|(word, _)| igbp.contains(word));
        match found.map(|(_, place)| &BIOMES[*place]) {
            // Evergreen broadleaf forest of warm temperate climates is no rain forest.
            Some(tropical) if tropical.latitude.1 < 20.0 && latitude.abs() > 25.0 => &BIOMES[0],
            Some(nearest) => nearest,
            None => &BIOMES[3],
        }
    }

    /// How far a latitude lies on the way through the biome towards the pole, 0 to 1.
    pub(super) fn poleward(&self, latitude: f64) -> f64 {
        let (low, high) = self.latitude;
        ((latitude.abs() - low) / (high - low)).clamp(0.0, 1.0)
    }
}

/// Index into [`BIOMES`] of one site after another, round and round: about the shares of land covers in COSORE, mixed
/// so that a pack of few sites has several.
pub(super) const ORDER: [usize; 20] = [0, 3, 6, 1, 4, 0, 2, 1, 0, 5, 3, 0, 7, 1, 6, 0, 4, 2, 0, 1];

pub(super) const BIOMES: [Biome; 8] = [
    Biome {
        igbp: "Deciduous broadleaf forest",
        latitude: (35.0, 46.0),
        temperature: (6.0, 13.0),
        amplitude: (10.0, 14.0),
        precipitation: (800.0, 1400.0),
        summer_rain: 0.1,
        leaf_area: (0.5, 5.2),
        respiration: (1.4, 2.6),
        pulse: (0.5, 2.0),
        organic_carbon: (25.0, 70.0),
    },
    Biome {
        igbp: "Evergreen needleleaf forest",
        latitude: (42.0, 66.0),
        temperature: (-2.0, 9.0),
        amplitude: (10.0, 18.0),
        precipitation: (400.0, 1300.0),
        summer_rain: 0.2,
        leaf_area: (2.0, 4.2),
        respiration: (1.3, 2.6),
        pulse: (0.3, 1.5),
        organic_carbon: (40.0, 150.0),
    },
    Biome {
        igbp: "Mixed forests",
        latitude: (34.0, 48.0),
        temperature: (6.0, 14.0),
        amplitude: (8.0, 12.0),
        precipitation: (600.0, 1200.0),
        summer_rain: -0.1,
        leaf_area: (1.5, 4.8),
        respiration: (1.2, 2.4),
        pulse: (0.5, 2.0),
        organic_carbon: (20.0, 80.0),
    },
    Biome {
        igbp: "Grassland",
        latitude: (31.0, 50.0),
        temperature: (2.0, 15.0),
        amplitude: (8.0, 13.0),
        precipitation: (300.0, 800.0),
        summer_rain: 0.3,
        leaf_area: (0.2, 2.6),
        respiration: (1.0, 2.4),
        pulse: (1.0, 4.0),
        organic_carbon: (10.0, 45.0),
    },
    Biome {
        igbp: "Open shrubland",
        latitude: (30.0, 38.0),
        temperature: (12.0, 19.0),
        amplitude: (6.0, 10.0),
        precipitation: (180.0, 450.0),
        summer_rain: -0.7,
        leaf_area: (0.2, 1.0),
        respiration: (0.4, 1.0),
        pulse: (1.5, 5.0),
        organic_carbon: (4.0, 15.0),
    },
    Biome {
        igbp: "Woody savanna",
        latitude: (28.0, 34.0),
        temperature: (16.0, 20.0),
        amplitude: (6.0, 9.0),
        precipitation: (300.0, 1000.0),
        summer_rain: 0.7,
        leaf_area: (0.4, 2.0),
        respiration: (0.5, 1.3),
        pulse: (2.0, 6.0),
        organic_carbon: (6.0, 20.0),
    },
    Biome {
        igbp: "Evergreen broadleaf forest",
        latitude: (1.0, 14.0),
        temperature: (24.0, 27.0),
        amplitude: (0.4, 1.5),
        precipitation: (1700.0, 3300.0),
        summer_rain: 0.4,
        leaf_area: (4.5, 6.2),
        respiration: (0.9, 1.6),
        pulse: (0.2, 1.0),
        organic_carbon: (20.0, 60.0),
    },
    Biome {
        igbp: "Wetland",
        latitude: (30.0, 66.0),
        temperature: (0.0, 16.0),
        amplitude: (8.0, 14.0),
        precipitation: (500.0, 1300.0),
        summer_rain: 0.0,
        leaf_area: (0.5, 3.0),
        respiration: (0.6, 1.8),
        pulse: (0.1, 0.8),
        organic_carbon: (100.0, 350.0),
    },
];
