//! What a sweep leaves behind for its readers.

mod again;
mod python;
mod states;
