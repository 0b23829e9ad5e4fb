//! What the parts do together, and with files as they come.

mod data;
