//! `make test-reference` runs these tests alone.

mod derived;
mod places;
mod splits;
