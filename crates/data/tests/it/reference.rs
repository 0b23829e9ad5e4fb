//! `make test-reference` runs these tests alone.

mod places;
mod splits;
