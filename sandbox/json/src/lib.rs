//! The modules `cjson` and `rjson`: JSON in, JSON out, and JSON Schema.

#![forbid(unsafe_code)]

mod cjson;
pub mod document;
mod rjson;
mod scan;
pub mod schema;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    cjson::register(registry);
    rjson::register(registry);
}
