//! Placeholder until the data side is merged.

/// Scaling of the target.
#[derive(Clone, Debug, Default)]
pub struct TargetScale;

/// Parts of a site's record.
#[derive(Clone, Debug, Default)]
pub struct SiteParts;

/// What a trial sees.
#[derive(Clone, Debug, Default)]
pub struct Tensors {
    /// Sites.
    pub sites: usize,
    /// Days.
    pub days: usize,
    /// Daily inputs.
    pub dynamic: usize,
    /// Static inputs.
    pub statics: usize,
    /// `[S, D, F]`, scaled.
    pub dynamic_values: Vec<f32>,
    /// `[S, A]`, scaled.
    pub static_values: Vec<f32>,
    /// `[S, D]`, scaled, NaN on days that are not fitted on.
    pub target: Vec<f32>,
    /// How the target was scaled.
    pub scale: TargetScale,
    /// `[S, D]`, physical.
    pub observed: Vec<f32>,
    /// Per site.
    pub parts: Vec<SiteParts>,
    /// Names.
    pub site_ids: Vec<String>,
}
