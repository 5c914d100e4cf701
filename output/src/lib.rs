//! Destinations: what native code does for output plugins, and which messages are safely delivered.
//!
//! [`register`] offers the modules `luasql.postgres` and `object_store` to input and output plugins.

pub mod ack;
pub mod courier;
pub mod destination;
pub mod directory;
pub mod location;
pub mod object;
pub mod object_store;
pub mod postgres;
pub mod runtime;
pub mod s3;
pub mod spool;

pub use ack::AckTracker;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    object_store::register(registry);
    postgres::register(registry);
}
