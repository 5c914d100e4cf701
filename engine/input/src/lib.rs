//! Sources: native support for the input plugins that talk to the outside.
//!
//! [`register`] offers the modules `socket`, `socket.unix`, `ssl`, `mime.core` and `lfs` to input and output plugins.

pub mod lfs;
pub mod mime;
pub mod socket;
pub mod ssl;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    socket::register(registry);
    ssl::register(registry);
    mime::register(registry);
    lfs::register(registry);
}

#[cfg(test)]
mod test_plugin;
