//! `target` of a mapping: the column that is the flux, and what it is if it is not soil CO₂ efflux.

use std::fmt;

use efflux_base::error::{Error, Result};
use efflux_data::Target;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::unit::FluxUnit;
use crate::{DECLARED, FLUX};

/// `target = "FC"`, or the section `[target]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetKeys {
    /// The column, where the layout has several.
    pub(crate) column: Option<String>,
    /// What its values are; soil CO₂ efflux if it is not said.
    pub(crate) declared: Option<Target>,
}

/// `[target]`
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    column: Option<String>,
    name: String,
    long_name: String,
    unit: String,
}

impl<'de> Deserialize<'de> for TargetKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = TargetKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the name of a column, or a section with `name`, `long_name` and `unit`",
                )
            }

            fn visit_str<E: serde::de::Error>(self, column: &str) -> Result<TargetKeys, E> {
                Ok(TargetKeys {
                    column: Some(column.to_owned()),
                    declared: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TargetKeys, A::Error> {
                let section = Section::deserialize(MapAccessDeserializer::new(map))?;
                let declared = Target::new(&section.name, &section.long_name, &section.unit);
                Ok(TargetKeys {
                    column: section.column,
                    declared: Some(declared.map_err(A::Error::custom)?),
                })
            }
        }
        from.deserialize_any(Either)
    }
}

impl TargetKeys {
    /// What a value in this unit is multiplied by to be in that of the target.
    ///
    /// # Errors
    ///
    /// Why there is no such number, and what to do.
    pub(crate) fn factor(&self, unit: &str) -> Result<f64, String> {
        let Some(target) = &self.declared else {
            return Ok(FluxUnit::parse(unit)?.factor());
        };
        if target.is_in(unit) {
            return Ok(1.0);
        }
        // Fluxes of CO2 and of carbon are converted among themselves.
        match (FluxUnit::parse(unit), FluxUnit::parse(target.units())) {
            (Ok(from), Ok(to)) => Ok(from.factor() / to.factor()),
            _ => Err(format!(
                "unit `{unit}` is not that of the target, `{}`, and how to convert it is not known: declare the target in \
                 `{unit}`, or convert the values",
                target.units()
            )),
        }
    }

    /// What daily files call the column.
    pub(crate) fn column_of_days(&self) -> &'static str {
        match self.declared {
            Some(_) => DECLARED,
            None => FLUX,
        }
    }

    /// `target.toml`, if there is something to declare.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] if it cannot be put together.
    pub(crate) fn declaration(&self) -> Result<Option<String>> {
        let text = self.declared.as_ref().map(toml::to_string).transpose();
        text.map_err(|error| Error::Internal(format!("a target: {error}")))
    }
}
