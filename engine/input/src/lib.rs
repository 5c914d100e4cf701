//! Sources: native support for the input plugins that talk to the outside.

pub mod socket;
