//! The columns of a data set that matter, whatever file they come from.

/// Begin of the measurement.
pub(super) const BEGIN: &str = "CSR_TIMESTAMP_BEGIN";
/// The flux of CO₂.
pub(super) const FLUX: &str = "CSR_FLUX_CO2";
/// The chamber.
pub(super) const PORT: &str = "CSR_PORT";
/// Whether the instrument or the import went wrong.
pub(super) const ERROR: &str = "CSR_ERROR";

/// The columns of a data set that matter, one entry a row.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    /// Name of the zone that makes local days of `begin`, as the column itself says it.
    pub(super) time_zone: String,
    /// Seconds since 1970-01-01T00:00:00Z; NaN where missing.
    pub(super) begin: Vec<f64>,
    /// µmol m⁻² s⁻¹; NaN where missing.
    pub(super) flux: Vec<f64>,
    /// Number of the chamber; NaN where missing. Empty if there is none, which only a choice of chambers forbids.
    pub(super) port: Vec<f64>,
    /// Whether the instrument or the import went wrong; empty if nothing says so.
    pub(super) error: Vec<bool>,
}

impl Frame {
    /// Whether the columns belong together and a pack can hold them; or what is wrong.
    pub(super) fn check(&self, ports: bool) -> Result<(), String> {
        let rows = self.begin.len();
        for (name, found, needed) in [
            (FLUX, self.flux.len(), true),
            (PORT, self.port.len(), ports),
            (ERROR, self.error.len(), false),
        ] {
            if found != rows && (needed || found > 0) {
                return Err(format!("{name} has {found} rows, but {BEGIN} has {rows}"));
            }
        }
        // A pack holds single precision.
        let too_large = |flux: &f64| flux.abs() > f64::from(f32::MAX);
        if let Some(row) = self.flux.iter().position(too_large) {
            let (flux, row) = (self.flux[row], row + 1);
            return Err(format!(
                "{FLUX} has {flux} in row {row}, expected a finite number"
            ));
        }
        Ok(())
    }

    /// Whether a row is one that went wrong.
    pub(super) fn is_flagged(&self, row: usize) -> bool {
        self.error.get(row).is_some_and(|flagged| *flagged)
    }

    /// Rows that say what another one says: port, time and flux.
    pub(super) fn repeated(&self) -> u64 {
        let rows = 0..self.flux.len();
        let mut all: Vec<[u64; 3]> = rows
            .filter(|row| !self.flux[*row].is_nan() && !self.begin[*row].is_nan())
            .filter(|row| !self.is_flagged(*row))
            .map(|row| {
                let port = self.port.get(row).copied().unwrap_or(f64::NAN);
                [port, self.begin[row], self.flux[row]].map(f64::to_bits)
            })
            .collect();
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        (before - all.len()) as u64
    }
}
