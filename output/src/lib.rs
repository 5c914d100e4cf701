//! Destinations: what native code does for output plugins, and which messages are safely delivered.
//!
//! [`register`] offers the modules `destination`, `luasql.postgres` and `object_store` to input and output plugins.

pub mod ack;
pub mod batch;
pub mod courier;
pub mod delivery;
pub mod destination;
pub mod directory;
pub mod http;
pub mod location;
pub mod object;
pub mod object_store;
mod options;
pub mod packing;
pub mod postgres;
mod record;
pub mod rights;
pub mod runtime;
pub mod s3;
pub mod spool;
pub mod stdout;
pub mod stores;

pub use ack::AckTracker;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    delivery::register(registry);
    object_store::register(registry);
    postgres::register(registry);
}
