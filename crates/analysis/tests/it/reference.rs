//! `make test-reference` runs these tests alone.

mod analysis;
mod statistics;
