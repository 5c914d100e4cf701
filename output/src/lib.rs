//! Destinations: what native code does for output plugins, and which messages are safely delivered.
//!
//! [`register`] offers the module `luasql.postgres` to input and output plugins.

pub mod ack;
pub mod courier;
pub mod destination;
pub mod directory;
pub mod location;
pub mod object;
pub mod postgres;
pub mod runtime;
pub mod s3;
pub mod spool;

pub use ack::AckTracker;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    postgres::register(registry);
}
