//! Units, each with the form that stands in names of columns and the form that people read.

/// A unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// That of what is observed and simulated, which every pack tells.
    Target,
    /// One that is always the same.
    Fixed {
        /// What the name of a column ends in; empty without a unit.
        key: &'static str,
        /// What people read; empty without a unit.
        label: &'static str,
    },
}

impl Unit {
    /// Dimensionless numbers, counts and words.
    pub const NONE: Self = Self::fixed("", "");
    /// Sums of carbon over a year.
    pub const CARBON: Self = Self::fixed("g_C_m-2_yr-1", "g C m⁻² yr⁻¹");
    /// Degrees of latitude and longitude.
    pub const DEGREES: Self = Self::fixed("deg", "°");
    /// Days.
    pub const DAYS: Self = Self::fixed("days", "days");
    /// Seconds.
    pub const SECONDS: Self = Self::fixed("s", "s");

    const fn fixed(key: &'static str, label: &'static str) -> Self {
        Self::Fixed { key, label }
    }

    /// A name with the unit behind it, as columns are called.
    ///
    /// # Arguments
    ///
    /// * `target`: what the name of a column in the unit of the target ends in; empty if it is dimensionless.
    pub fn column(self, name: &str, target: &str) -> String {
        let key = match self {
            Self::Target => target,
            Self::Fixed { key, .. } => key,
        };
        match key {
            "" => name.to_owned(),
            key => format!("{name}_{key}"),
        }
    }
}
