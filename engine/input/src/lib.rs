//! Sources: native support for the input plugins that talk to the outside.
//!
//! [`register`] offers the modules `http_edge`, `socket`, `socket.unix` and `lfs` to input and output plugins.

pub mod edge;
pub mod inspect;
pub mod lfs;
pub mod send;
pub mod socket;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    edge::register(registry);
    socket::register(registry);
    lfs::register(registry);
}

#[cfg(test)]
mod test_plugin;
