//! The model against torch's own numbers, and what training promises of itself.

mod golden;
mod training;
