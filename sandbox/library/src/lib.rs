//! Small native modules without I/O: codecs, hashes, packed structures, bits.
//!
//! [`register`] offers `bit`, `bit32`, `openssl`, `snappy`, `struct`, `timezone`, `xxhash`, `zlib` and `zstd` to plugins of
//! every kind.

pub mod bits;
pub mod openssl;
pub mod packed;
pub mod snappy;
pub mod timezone;
pub mod work;
pub mod xxhash;
pub mod zlib;
pub mod zstd;

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    bits::register(registry);
    openssl::register(registry);
    packed::register(registry);
    snappy::register(registry);
    timezone::register(registry);
    xxhash::register(registry);
    zlib::register(registry);
    zstd::register(registry);
}
