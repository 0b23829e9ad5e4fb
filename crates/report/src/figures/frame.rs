//! Where a chart is on its sheet, and how its values become places there.

use super::scale::Scale;

/// Where a chart has its axes, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// The two scales of a chart, y by its symmetric logarithm if the chart is.
pub(super) struct Axes {
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) symlog: bool,
    /// Half of what lies between two bars; 0 without bars.
    pub(super) half: f64,
}

impl Axes {
    /// The pixel of a value; that of the edge for one beyond.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.y.clamped(self.drawn(value))
    }

    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.clamped(x), self.y(y))
    }

    fn drawn(&self, value: f64) -> f64 {
        if self.symlog { symlog(value) } else { value }
    }
}

/// The sign of a value and the logarithm of its size plus 1.
pub(super) fn symlog(value: f64) -> f64 {
    value.signum() * value.abs().ln_1p()
}
