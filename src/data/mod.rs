//! (being written)

pub mod split;
pub mod tensors;
