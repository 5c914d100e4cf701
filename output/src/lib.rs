//! Destinations: what native code does for output plugins, and which messages are safely delivered.
//!
//! [`register`] offers the module `luasql.postgres` to input and output plugins.

pub mod ack;
pub mod postgres;

pub use ack::AckTracker;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    postgres::register(registry);
}
