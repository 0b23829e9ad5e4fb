//! `make test-reference` runs these tests alone.

mod embedding;
mod lstm;
mod native;
mod site;
