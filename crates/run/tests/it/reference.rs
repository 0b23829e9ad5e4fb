//! `make test-reference` runs these tests alone.

mod stopping;
