//! Where a weight lies natively: as in `model::layout`, but with the hidden units padded with zeros to whole registers, and
//! the weight of the input layer transposed.
//!
//! A padded unit has no weight in or out, so it stays 0, as does its gradient, and no optimizer moves it.

use std::ops::Range;

use super::aligned::Aligned;
use super::level::Level;
use crate::Shape;
use crate::layout::{self, Head};
use crate::parameter::{Dimension, Parameter};

/// Sizes of a model and of its padded weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) inputs: usize,
    pub(super) hidden: usize,
    /// Hidden units with the padding.
    pub(super) padded: usize,
    /// Cells on top of each other.
    pub(super) layers: usize,
    parameters: Vec<Matrix>,
    /// The weights of the cell, behind those of the input layer and before those of the head.
    cell: Range<usize>,
    pub(super) head: Head,
    /// Numbers in the vector of each site, and sites with weights of their own.
    pub(super) embedding: usize,
    pub(super) sites: usize,
    /// Where the weights of single sites begin, behind all others.
    common: usize,
    /// Weights that are zero and stay so.
    fixed: Vec<Range<usize>>,
}

/// Where a parameter lies; a vector has one column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Matrix {
    first: usize,
    rows: Side,
    columns: Side,
    transposed: bool,
    drops: bool,
}

/// Rows or columns: some blocks of units, padded each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    blocks: usize,
    units: usize,
    padded: usize,
}

impl Side {
    fn length(self) -> usize {
        self.blocks * self.padded
    }

    /// Places of the units that are not padding.
    fn places(self) -> impl Iterator<Item = usize> + Clone {
        (0..self.blocks)
            .flat_map(move |block| (0..self.units).map(move |unit| block * self.padded + unit))
    }
}

impl Matrix {
    fn length(&self) -> usize {
        self.rows.length() * self.columns.length()
    }

    /// Places of the weights that are not padding, row by row.
    fn places(&self) -> impl Iterator<Item = usize> {
        let Self {
            first,
            rows,
            columns,
            transposed,
            ..
        } = *self;
        rows.places().flat_map(move |row| {
            columns.places().map(move |column| {
                first
                    + if transposed {
                        column * rows.length() + row
                    } else {
                        row * columns.length() + column
                    }
            })
        })
    }
}

impl Layout {
    /// For a model of this shape at a level.
    pub(super) fn of(shape: Shape, level: Level) -> Self {
        let size = |size: i64| usize::try_from(size).expect("sizes are positive");
        let (inputs, hidden) = (size(shape.inputs), size(shape.hidden));
        let (embedding, sites) = (size(shape.embedding), size(shape.sites));
        let padded = hidden.next_multiple_of(level.width());
        let side = |dimension: Option<&Dimension>| {
            let (blocks, units, padded) = match dimension {
                None | Some(Dimension::One) => (1, 1, 1),
                Some(Dimension::Inputs) => (1, inputs, inputs),
                Some(Dimension::Embedding) => (1, embedding, embedding),
                Some(Dimension::Joined) => (1, inputs + embedding, inputs + embedding),
                Some(Dimension::Sites) => (1, sites, sites),
                Some(&Dimension::Units(blocks)) => (size(blocks), hidden, padded),
            };
            Side {
                blocks,
                units,
                padded,
            }
        };
        let layout = layout::Layout::of(shape);
        let mut first = 0;
        let mut fixed = Vec::new();
        let place = |parameter: &Parameter| {
            let (rows, columns) = (parameter.dimensions.first(), parameter.dimensions.get(1));
            let matrix = Matrix {
                first,
                rows: side(rows),
                columns: side(columns),
                transposed: (rows, columns)
                    == (Some(&Dimension::Units(1)), Some(&Dimension::Joined)),
                drops: parameter.drops,
            };
            first += matrix.length();
            if layout.is_fixed(parameter) {
                fixed.push(matrix.first..first);
            }
            matrix
        };
        let parameters: Vec<Matrix> = layout.parameters().iter().map(place).collect();
        let cell = layout.cell();
        let common = parameters.get(layout.of_sites().start);
        Self {
            inputs,
            hidden,
            padded,
            layers: size(shape.layers),
            cell: parameters[cell.start].first..parameters[cell.end].first,
            head: shape.head,
            embedding,
            sites,
            common: common.map_or(first, |first_of_sites| first_of_sites.first),
            fixed,
            parameters,
        }
    }

    /// Numbers in the padded weights.
    pub(super) fn weights(&self) -> usize {
        self.parameters.iter().map(Matrix::length).sum()
    }

    /// Where the weights of single sites begin among the padded weights.
    pub(super) fn common(&self) -> usize {
        self.common
    }

    /// Sets the gradient of weights that stay as they are to zero.
    pub(super) fn fix(&self, gradient: &mut [f32]) {
        for weights in &self.fixed {
            gradient[weights.clone()].fill(0.0);
        }
    }

    /// How many weights dropout may drop.
    pub(super) fn dropped(&self) -> usize {
        let dropped = self.parameters.iter().filter(|one| one.drops);
        dropped.map(|one| one.places().count()).sum()
    }

    /// The padded weights of the input layer, the cell and the head, and the vectors of sites.
    pub(super) fn split<'a>(&self, weights: &'a [f32]) -> [&'a [f32]; 4] {
        let (input, rest) = weights.split_at(self.cell.start);
        let (cell, rest) = rest.split_at(self.cell.len());
        let (head, vectors) = rest.split_at(rest.len() - self.sites * self.embedding);
        [input, cell, head, vectors]
    }

    /// The same, to be changed.
    pub(super) fn split_mut<'a>(&self, weights: &'a mut [f32]) -> [&'a mut [f32]; 4] {
        let (input, rest) = weights.split_at_mut(self.cell.start);
        let (cell, rest) = rest.split_at_mut(self.cell.len());
        let (head, vectors) = rest.split_at_mut(rest.len() - self.sites * self.embedding);
        [input, cell, head, vectors]
    }

    /// Multiplies the padded weights that dropout may drop by their factors, which are without padding.
    pub(super) fn mask(&self, weights: &mut [f32], mut masks: &[f32]) {
        for matrix in self.parameters.iter().filter(|one| one.drops) {
            let (rows, columns) = (matrix.rows, matrix.columns);
            for row in rows.places() {
                let (factors, rest) = masks.split_at(columns.units);
                let row = &mut weights[matrix.first + row * columns.length()..];
                for (weight, factor) in row.iter_mut().zip(factors) {
                    *weight *= factor;
                }
                masks = rest;
            }
        }
    }

    /// Weights in torch's order as padded ones.
    pub(super) fn pad(&self, flat: &[f32]) -> Aligned {
        let mut padded = Aligned::zeros(self.weights());
        for (place, &value) in self.places().zip(flat) {
            padded[place] = value;
        }
        padded
    }

    /// Padded weights in torch's order.
    pub(super) fn flat(&self, padded: &[f32]) -> Vec<f32> {
        self.places().map(|place| padded[place]).collect()
    }

    /// Where the weights lie, in torch's order.
    fn places(&self) -> impl Iterator<Item = usize> {
        self.parameters.iter().flat_map(Matrix::places)
    }
}
