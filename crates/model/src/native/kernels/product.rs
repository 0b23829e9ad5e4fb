//! Products of matrices.

use crate::native::registers::{Registers, tile};

/// `c = a · b`, or `c += a · b`.
#[derive(Clone, Copy, Debug)]
pub(in crate::native) struct Product<'a> {
    pub(in crate::native) a: Rows<'a>,
    pub(in crate::native) b: Panels<'a>,
    /// Rows of a and c.
    pub(in crate::native) rows: usize,
    /// Columns of a, rows of b.
    pub(in crate::native) depth: usize,
    /// Distance of the rows of c.
    pub(in crate::native) c_row: usize,
    /// Whether c is added to.
    pub(in crate::native) add: bool,
}

impl<'a> Product<'a> {
    /// `a · b`.
    ///
    /// * `rows`: of a; `depth`: columns of a; `c_row`: distance of the rows of the result.
    pub(in crate::native) fn of(
        a: Rows<'a>,
        rows: usize,
        depth: usize,
        b: Panels<'a>,
        c_row: usize,
    ) -> Self {
        Self {
            a,
            b,
            rows,
            depth,
            c_row,
            add: false,
        }
    }

    /// The same product, added to what is there.
    pub(in crate::native) fn added(self) -> Self {
        Self { add: true, ..self }
    }
}

/// A matrix whose element (i, k) lies at `i · row + k · step`.
#[derive(Clone, Copy, Debug)]
pub(in crate::native) struct Rows<'a> {
    pub(in crate::native) values: &'a [f32],
    pub(in crate::native) row: usize,
    pub(in crate::native) step: usize,
}

impl<'a> Rows<'a> {
    /// Rows at this distance.
    pub(in crate::native) fn of(values: &'a [f32], row: usize) -> Self {
        Self {
            values,
            row,
            step: 1,
        }
    }

    /// The transpose of that.
    pub(in crate::native) fn transposed(values: &'a [f32], step: usize) -> Self {
        Self {
            values,
            row: 1,
            step,
        }
    }
}

/// A matrix cut into panels of the level's width: element (k, j) of panel p lies at `p · panel + k · row + j`.
#[derive(Clone, Copy, Debug)]
pub(in crate::native) struct Panels<'a> {
    pub(in crate::native) values: &'a [f32],
    pub(in crate::native) count: usize,
    pub(in crate::native) panel: usize,
    pub(in crate::native) row: usize,
}

impl<'a> Panels<'a> {
    /// A matrix in row order.
    ///
    /// * `row`: distance of its rows; `columns`: their number; `width`: of a panel.
    pub(in crate::native) fn of(
        values: &'a [f32],
        row: usize,
        columns: usize,
        width: usize,
    ) -> Self {
        Self {
            values,
            count: columns / width,
            panel: width,
            row,
        }
    }
}

/// Rows of b that are multiplied at a time, so that they stay in a near cache while all rows of a pass.
const DEPTH: usize = 256;

/// Multiplies two matrices. What is added up, and in which order, does not depend on the number of rows.
#[inline(always)]
pub(in crate::native) fn multiply<G: Registers>(product: Product, c: &mut [f32]) {
    let Product {
        a,
        b,
        rows,
        depth,
        c_row,
        add,
    } = product;
    if depth == 0 && !add {
        for row in 0..rows {
            c[row * c_row..][..b.count * G::WIDTH].fill(0.0);
        }
    }
    // Tiles of as equal a height as can be.
    let tiles = rows.div_ceil(G::ROWS);
    for first in (0..depth).step_by(DEPTH) {
        let depth = DEPTH.min(depth - first);
        let add = add || first > 0;
        for panel in 0..b.count {
            let factors = (&b.values[panel * b.panel + first * b.row..], b.row);
            let mut row = 0;
            for tile in 0..tiles {
                let height = (rows - row).div_ceil(tiles - tile);
                let series = (&a.values[row * a.row + first * a.step..], a.row, a.step);
                let sums = (&mut c[row * c_row + panel * G::WIDTH..], c_row);
                of_height::<G>(height, depth, series, factors, sums, add);
                row += height;
            }
        }
    }
}

#[inline(always)]
fn of_height<G: Registers>(
    height: usize,
    depth: usize,
    a: (&[f32], usize, usize),
    b: (&[f32], usize),
    c: (&mut [f32], usize),
    add: bool,
) {
    macro_rules! heights {
        ($($rows:literal)*) => {
            match (height, G::COLUMNS) {
                $(($rows, 2) => tile::<G, $rows, 2>(depth, a, b, c, add),)*
                $(($rows, 4) => tile::<G, $rows, 4>(depth, a, b, c, add),)*
                _ => unreachable!("a tile has 1 to 6 rows of 2 or 4 vectors"),
            }
        };
    }
    heights!(1 2 3 4 5 6);
}

/// A square of the level's width with its rows as columns.
#[inline(always)]
pub(in crate::native) fn transpose<G: Registers>(square: &[f32], transposed: &mut [f32]) {
    // Small blocks, whose columns are gathered in registers.
    const BLOCK: usize = 4;
    let width = G::WIDTH;
    for row in (0..width).step_by(BLOCK) {
        for column in (0..width).step_by(BLOCK) {
            let block: [[f32; BLOCK]; BLOCK] = std::array::from_fn(|i| {
                let values = &square[(row + i) * width + column..][..BLOCK];
                std::array::from_fn(|j| values[j])
            });
            for j in 0..BLOCK {
                let values = &mut transposed[(column + j) * width + row..][..BLOCK];
                values.copy_from_slice(&std::array::from_fn::<_, BLOCK, _>(|i| block[i][j]));
            }
        }
    }
}
