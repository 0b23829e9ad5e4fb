//! Units, each with the form that stands in names of columns and the form that people read.

/// A unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// What the name of a column ends in; empty without a unit.
    pub key: &'static str,
    /// What people read; empty without a unit.
    pub label: &'static str,
}

impl Unit {
    /// Dimensionless numbers, counts and words.
    pub const NONE: Self = Self::new("", "");
    /// Fluxes of carbon dioxide.
    pub const FLUX: Self = Self::new("umol_m-2_s-1", "µmol m⁻² s⁻¹");
    /// Sums of carbon over a year.
    pub const CARBON: Self = Self::new("g_C_m-2_yr-1", "g C m⁻² yr⁻¹");
    /// Degrees of latitude and longitude.
    pub const DEGREES: Self = Self::new("deg", "°");
    /// Days.
    pub const DAYS: Self = Self::new("days", "days");
    /// Seconds.
    pub const SECONDS: Self = Self::new("s", "s");

    const fn new(key: &'static str, label: &'static str) -> Self {
        Self { key, label }
    }

    /// A name with the unit behind it, as columns are called.
    pub fn column(self, name: &str) -> String {
        match self.key {
            "" => name.to_owned(),
            key => format!("{name}_{key}"),
        }
    }
}
