//! The web UI and its API: what the engine does, to look at and to change.
//!
//! The engine hands over snapshots and blocks of messages ([`Feed`]) and answers questions ([`Engine`]); nothing here
//! sees a Lua state or a queue. `server` listens, `routes` is the list of everything that can be asked for with the role
//! it needs, `access` decides who may, `api` answers, `assets` are the pages, built from `web/`.

pub mod access;
pub mod alerts;
mod api;
pub mod archive;
mod assets;
pub mod cbuf;
pub mod engine;
pub mod feed;
pub mod history;
mod metrics;
pub mod options;
pub mod payloads;
mod roots;
pub mod routes;
pub mod server;
pub mod silences;
pub mod snapshot;
mod text;
pub mod watch;

pub use access::Role;
pub use access::users::line as user_line;
pub use engine::Engine;
pub use feed::Feed;
pub use options::{Options, Root};
pub use server::Server;
pub use snapshot::Snapshot;
