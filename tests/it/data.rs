//! Packing and inspecting by the program.

mod hostile;
mod inspect;
mod pack;
