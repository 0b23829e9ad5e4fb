//! `make test-reference` runs these tests alone.

mod analysis;
mod factorial;
mod mixture;
mod places;
mod statistics;
