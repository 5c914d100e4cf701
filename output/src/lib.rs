//! Destinations: what native code does for output plugins, and which messages are safely delivered.

pub mod ack;

pub use ack::AckTracker;
