//! `make test-reference` runs these tests alone.

mod lstm;
mod native;
mod site;
