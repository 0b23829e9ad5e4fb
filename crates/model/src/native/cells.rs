//! The cells that are computed natively.

use super::cell::Definition;
use super::lstm;
use crate::cell::Cell;

/// How this cell is made; nothing where libtorch alone computes it.
pub(super) fn definition(cell: Cell) -> Option<Definition> {
    (cell == Cell::Lstm).then_some(lstm::DEFINITION)
}
