//! Sources: native support for the input plugins that talk to the outside.
//!
//! [`register`] offers the modules `geoip` (with `geoip.city` and `geoip.country`), `gzfile`, `http_edge`, `lfs`,
//! `maxminddb`, `mime.core`, `socket`, `socket.unix` and `ssl` to input and output plugins.

pub mod edge;
pub mod geoip;
pub mod gzfile;
pub mod inspect;
pub mod lfs;
pub mod maxminddb;
pub mod mime;
pub mod send;
pub mod socket;
pub mod ssl;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    edge::register(registry);
    geoip::register(registry);
    gzfile::register(registry);
    lfs::register(registry);
    maxminddb::register(registry);
    mime::register(registry);
    socket::register(registry);
    ssl::register(registry);
}

#[cfg(test)]
mod test_plugin;
