//! `make test-reference` runs these tests alone.

mod analysis;
mod factorial;
mod places;
mod statistics;
