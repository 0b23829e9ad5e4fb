//! Names of AmeriFlux' files and columns.

/// A column's name: base, qualifiers, position, statistic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// `TS`, `SW_IN`
    pub(super) base: &'a str,
    /// Made by the site's team (`_PI`).
    pub(super) by_team: bool,
    /// Filled, a spread, a number, a flag or in the instrument's own unit.
    pub(super) is_other: bool,
    pub(super) position: At,
}

/// Where a column was measured. In soil the vertical number 1 is the shallowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Not told.
    Nowhere,
    /// Mean of a layer (`_1`).
    Layer(u32),
    /// Mean of the replicates at a place (`_1_1_A`).
    Place { vertical: u32 },
    /// One sensor (`_1_1_1`).
    Sensor { vertical: u32 },
}

impl<'a> Name<'a> {
    pub(super) fn parse(name: &'a str) -> Self {
        let mut rest = name;
        let mut is_other = false;
        let take = |rest: &mut &'a str, ending: &str| match rest.strip_suffix(ending) {
            Some(before) if !before.is_empty() => {
                *rest = before;
                true
            }
            _ => false,
        };
        while take(&mut rest, "_SD") || take(&mut rest, "_N") {
            is_other = true;
        }
        let position = Self::position(&mut rest);
        let mut by_team = false;
        loop {
            if take(&mut rest, "_PI") {
                by_team = true;
            } else if ["_F", "_IU", "_QC"]
                .iter()
                .any(|ending| take(&mut rest, ending))
            {
                is_other = true;
            } else {
                break;
            }
        }
        Self {
            base: rest,
            by_team,
            is_other,
            position,
        }
    }

    fn position(rest: &mut &'a str) -> At {
        let parts: Vec<&str> = rest.rsplitn(4, '_').collect();
        let number = |text: &str| text.parse::<u32>().ok();
        match parts[..] {
            [last, vertical, horizontal, base] if number(horizontal).is_some() => {
                let at = match (number(vertical), last, number(last)) {
                    (Some(vertical), "A", _) => At::Place { vertical },
                    (Some(vertical), _, Some(_)) => At::Sensor { vertical },
                    _ => return At::Nowhere,
                };
                *rest = base;
                at
            }
            [last, ..] if parts.len() > 1 => match number(last) {
                Some(layer) => {
                    *rest = &rest[..rest.len() - last.len() - 1];
                    At::Layer(layer)
                }
                None => At::Nowhere,
            },
            _ => At::Nowhere,
        }
    }
}

/// The columns of a quantity at its first level: the mean of the layer, or all that make it up.
pub(super) fn first_level(names: &[String], base: &str) -> Vec<usize> {
    let parsed = names.iter().map(|name| Name::parse(name)).enumerate();
    let own: Vec<(usize, Name<'_>)> = parsed
        .filter(|(_, name)| name.base.eq_ignore_ascii_case(base) && !name.is_other)
        .collect();
    let all = |wanted: &dyn Fn(At) -> bool| {
        let found: Vec<&(usize, Name<'_>)> = own
            .iter()
            .filter(|(_, name)| wanted(name.position))
            .collect();
        // What the network made goes before what the team made of the same.
        let of_network = found.iter().any(|(_, name)| !name.by_team);
        let found = found
            .into_iter()
            .filter(|(_, name)| !(of_network && name.by_team));
        found.map(|(index, _)| *index).collect::<Vec<usize>>()
    };
    let levels = own.iter().filter_map(|(_, name)| match name.position {
        At::Layer(level) | At::Place { vertical: level } | At::Sensor { vertical: level } => {
            Some(level)
        }
        At::Nowhere => None,
    });
    let Some(first) = levels.min() else {
        return all(&|at| at == At::Nowhere);
    };
    for wanted in [
        At::Nowhere,
        At::Layer(first),
        At::Place { vertical: first },
        At::Sensor { vertical: first },
    ] {
        let found = all(&|at| at == wanted);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// What a file's name tells: `AMF_US-Ha1_BASE_HR_10-1.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) site: String,
    /// Half hours if not hours.
    pub(super) is_hourly: bool,
    pub(super) version: String,
}

impl FileName {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".csv")?;
        let parts: Vec<&str> = stem.split('_').collect();
        match parts[..] {
            ["AMF", site, "BASE", step @ ("HH" | "HR"), version] => Some(Self {
                site: site.to_owned(),
                is_hourly: step == "HR",
                version: version.to_owned(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifiers_and_positions_are_told_from_the_quantity() {
        for (text, base, by_team, is_other, position) in [
            (
                "FC_PI_F_1_1_1",
                "FC",
                true,
                true,
                At::Sensor { vertical: 1 },
            ),
            ("SW_IN", "SW_IN", false, false, At::Nowhere),
            ("SW_IN_PI_F", "SW_IN", true, true, At::Nowhere),
            ("TS_1", "TS", false, false, At::Layer(1)),
            ("TS_1_SD", "TS", false, true, At::Layer(1)),
            ("TS_2_3_A", "TS", false, false, At::Place { vertical: 3 }),
            ("TS_2_3_1_N", "TS", false, true, At::Sensor { vertical: 3 }),
            ("CO2_1_1_1", "CO2", false, false, At::Sensor { vertical: 1 }),
            ("P", "P", false, false, At::Nowhere),
            ("VPD_PI", "VPD", true, false, At::Nowhere),
        ] {
            let expected = Name {
                base,
                by_team,
                is_other,
                position,
            };
            assert_eq!(Name::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_layer_goes_before_sensors_and_the_shallowest_before_the_deeper() {
        let columns = |names: &[&str], base: &str| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            first_level(&names, base)
        };
        assert_eq!(
            columns(&["TS_1_1_1", "TS_2_1_1", "TS_1_2_1", "TS_PI_F_1_1_1"], "TS"),
            [0, 1]
        );
        assert_eq!(columns(&["TS_1_SD", "TS_1_1_1", "TS_1", "TS_2"], "TS"), [2]);
        assert_eq!(columns(&["TS_1_2_1", "TS_1_3_1"], "TS"), [0]);
        assert_eq!(columns(&["VPD_PI", "VPD", "TA"], "VPD"), [1]);
        assert_eq!(columns(&["TS_1_1_A", "TS_1_1_1", "TS_1_1_2"], "TS"), [0]);
        assert!(columns(&["RH"], "TS").is_empty());
    }
}
