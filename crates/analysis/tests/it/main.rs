//! The golden numbers of the scores and statistics.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod reference;
