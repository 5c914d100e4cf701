//! Servers of S3 for tests and demonstrations, and a proxy that is a bad network.

mod faults;
mod moto;
mod server;

pub use faults::{Faults, Proxy, Refusal, S3_ERRORS};
pub use moto::Moto;
pub use server::Server;

/// The access key that a server takes.
pub const ACCESS_KEY: &str = "foresight";

/// The secret key that belongs to it; no secret, since servers listen on the loopback alone.
pub const SECRET_KEY: &str = "foresight-secret";
