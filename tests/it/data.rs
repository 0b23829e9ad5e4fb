//! Packing and inspecting by the program.

mod command;
mod hostile;
mod inspect;
mod reproduce;
