//! Packing and inspecting by the program.

mod command;
mod hostile;
mod import;
mod inspect;
mod reproduce;
