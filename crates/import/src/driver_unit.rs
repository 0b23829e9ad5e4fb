//! Units of what is measured beside the flux: from the unit that a mapping tells to the one in which the daily variable's
//! name ends.

/// A value times `factor` plus `offset` is in the unit of the daily variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conversion {
    pub(crate) factor: f64,
    pub(crate) offset: f64,
}

impl Conversion {
    /// None.
    pub(crate) const NONE: Self = Self {
        factor: 1.0,
        offset: 0.0,
    };

    pub(crate) fn of(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }

    fn then(self, next: Self) -> Self {
        Self {
            factor: self.factor * next.factor,
            offset: self.offset * next.factor + next.offset,
        }
    }

    fn back(self) -> Self {
        Self {
            factor: 1.0 / self.factor,
            offset: -self.offset / self.factor,
        }
    }
}

/// What can be converted into each other, each unit with the factor and the offset that make it the first one.
struct Quantity {
    /// Endings of daily names with the unit that they mean.
    endings: &'static [(&'static str, &'static str)],
    units: &'static [(&'static str, f64, f64)],
}

/// Units are written without blanks, `^`, `**`, `°` and `µ`, as [`plain`] leaves them.
const QUANTITIES: [Quantity; 7] = [
    Quantity {
        endings: &[("_c", "degc"), ("_k", "k")],
        units: &[
            ("degc", 1.0, 0.0),
            ("c", 1.0, 0.0),
            ("celsius", 1.0, 0.0),
            ("k", 1.0, -273.15),
            ("kelvin", 1.0, -273.15),
            ("degf", 5.0 / 9.0, -160.0 / 9.0),
            ("f", 5.0 / 9.0, -160.0 / 9.0),
        ],
    },
    Quantity {
        endings: &[("_m3_m3", "m3m-3"), ("_pct", "%")],
        units: &[
            ("m3m-3", 1.0, 0.0),
            ("m3/m3", 1.0, 0.0),
            ("cm3cm-3", 1.0, 0.0),
            ("cm3/cm3", 1.0, 0.0),
            ("1", 1.0, 0.0),
            ("%", 0.01, 0.0),
            ("percent", 0.01, 0.0),
            ("vol%", 0.01, 0.0),
            ("%vol", 0.01, 0.0),
        ],
    },
    Quantity {
        endings: &[("_mm", "mm"), ("_m", "m")],
        units: &[
            ("mm", 1.0, 0.0),
            ("kgm-2", 1.0, 0.0),
            ("l/m2", 1.0, 0.0),
            ("lm-2", 1.0, 0.0),
            ("cm", 10.0, 0.0),
            ("m", 1000.0, 0.0),
            ("in", 25.4, 0.0),
            ("inch", 25.4, 0.0),
        ],
    },
    Quantity {
        endings: &[("_hpa", "hpa")],
        units: &[
            ("hpa", 1.0, 0.0),
            ("mbar", 1.0, 0.0),
            ("kpa", 10.0, 0.0),
            ("pa", 0.01, 0.0),
            ("bar", 1000.0, 0.0),
        ],
    },
    Quantity {
        endings: &[("_w_m2", "wm-2")],
        units: &[
            ("wm-2", 1.0, 0.0),
            ("w/m2", 1.0, 0.0),
            ("jm-2d-1", 1.0 / 86_400.0, 0.0),
            ("mjm-2d-1", 1e6 / 86_400.0, 0.0),
        ],
    },
    Quantity {
        endings: &[("_m_s", "ms-1")],
        units: &[
            ("ms-1", 1.0, 0.0),
            ("m/s", 1.0, 0.0),
            ("kmh-1", 1.0 / 3.6, 0.0),
            ("km/h", 1.0 / 3.6, 0.0),
        ],
    },
    Quantity {
        endings: &[("_umol_m2_s", "umolm-2s-1")],
        units: &[
            ("umolm-2s-1", 1.0, 0.0),
            ("umol/m2/s", 1.0, 0.0),
            ("umol/(m2s)", 1.0, 0.0),
            ("mmolm-2s-1", 1000.0, 0.0),
            ("molm-2d-1", 1e6 / 86_400.0, 0.0),
        ],
    },
];

/// How values of this unit become those of a daily variable of this name.
///
/// # Errors
///
/// What is wrong with the unit, and what it could be.
pub(crate) fn conversion(name: &str, unit: &str) -> Result<Conversion, String> {
    let ending = |quantity: &'static Quantity| {
        let found = quantity
            .endings
            .iter()
            .filter(|(ending, _)| name.ends_with(ending));
        found
            .max_by_key(|(ending, _)| ending.len())
            .map(|found| (quantity, found))
    };
    let found = QUANTITIES.iter().filter_map(ending);
    let Some((quantity, (ending, to))) = found.max_by_key(|(_, (ending, _))| ending.len()) else {
        let endings: Vec<&str> = QUANTITIES
            .iter()
            .flat_map(|quantity| quantity.endings.iter().map(|(ending, _)| *ending))
            .collect();
        return Err(format!(
            "has the unit `{unit}`, but the end of the name `{name}` tells no unit to convert to (let it end in one of {}, or \
             leave out `unit` to take the numbers as they are)",
            endings.join(", ")
        ));
    };
    let of = |wanted: &str| {
        let found = quantity.units.iter().find(|(name, ..)| *name == wanted);
        found.map(|&(_, factor, offset)| Conversion { factor, offset })
    };
    let known = || {
        let names: Vec<&str> = quantity.units.iter().map(|(name, ..)| *name).collect();
        format!(
            "`{name}` ends in `{ending}`, and its unit is `{unit}`, expected one of {}",
            names.join(", ")
        )
    };
    let from = of(&plain(unit)).ok_or_else(known)?;
    let to = of(to).ok_or_else(known)?;
    Ok(if from == to {
        Conversion::NONE
    } else {
        from.then(to.back())
    })
}

/// Small letters without what spellings differ in.
fn plain(unit: &str) -> String {
    let unit = unit.replace("**", "").replace(['⁻', '−'], "-");
    let kept = unit.chars().filter_map(|c| match c {
        '²' => Some('2'),
        '³' => Some('3'),
        '¹' => Some('1'),
        'µ' | 'μ' => Some('u'),
        '°' | 'º' => None,
        _ if c.is_whitespace() || matches!(c, '^' | '_' | '.' | '*' | '[' | ']') => None,
        _ => Some(c),
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_in_the_unit_in_which_the_name_ends() {
        for (name, unit, value, expected) in [
            ("soil_temp_c", "°C", 11.5, 11.5),
            ("air_temp_c", "K", 273.15, 0.0),
            ("air_temp_k", "degC", 0.0, 273.15),
            ("air_temp_c", "°F", 212.0, 100.0),
            ("soil_moisture_m3_m3", "%", 31.0, 0.31),
            ("soil_moisture_pct", "m3 m-3", 0.31, 31.0),
            ("precip_mm", "in", 2.0, 50.8),
            ("precip_m", "mm", 3.0, 0.003),
            ("vpd_hpa", "kPa", 0.8, 8.0),
            ("par_umol_m2_s", "µmol m⁻² s⁻¹", 3.0, 3.0),
            ("wind_m_s", "km/h", 36.0, 10.0),
        ] {
            let found = conversion(name, unit).unwrap().of(value);
            assert!((found - expected).abs() < 1e-9, "{name} {unit}: {found}");
        }
    }

    #[test]
    fn a_unit_of_something_else_is_refused_with_those_that_would_do() {
        let error = conversion("soil_temp_c", "%").unwrap_err();
        assert!(
            error.contains("expected one of degc, c, celsius, k"),
            "{error}"
        );
        let error = conversion("ndvi", "K").unwrap_err();
        assert!(error.contains("tells no unit"), "{error}");
    }
}
