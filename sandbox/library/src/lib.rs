//! Small native modules without I/O: codecs, hashes, packed structures, bits.

use sandbox::native::Registry;

/// Offers all modules of this crate.
pub fn register(_registry: &mut Registry) {}
