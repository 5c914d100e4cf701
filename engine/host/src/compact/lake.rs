//! What a compaction asks of a store, with the object named in every error.

use std::io;

use output::destination::{Body, Entry, Piece};
use output::object::{Access, Listing};
use output::runtime::Patience;
use sha2::{Digest, Sha256};

/// Bytes that are read at once.
const PIECE: u64 = 4 << 20;

/// What went wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Trouble {
    /// The object, or the folder.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Trouble {
    pub(super) fn new(place: impl Into<String>, reason: impl Into<String>) -> Trouble {
        Trouble {
            place: place.into(),
            reason: reason.into(),
        }
    }
}

/// A store, which is asked until it answers or a few attempts have failed. Clones are the same store.
#[derive(Clone)]
pub(super) struct Lake {
    access: Access,
}

impl Lake {
    pub fn open(address: &str) -> Result<Lake, Trouble> {
        let is_folder = address.contains("://") || std::path::Path::new(address).is_dir();
        if !is_folder {
            return Err(Trouble::new(address, "there is no such folder"));
        }
        let access = output::location::access(address);
        let access = access.map_err(|reason| Trouble::new(address, reason))?;
        Ok(Lake { access })
    }

    #[cfg(test)]
    pub fn of(access: Access) -> Lake {
        Lake { access }
    }

    /// All objects whose keys begin so.
    pub fn listing(&self, prefix: &str) -> Listing {
        Listing::new(self.access.clone(), prefix, "")
    }

    /// The next of a listing.
    pub fn next(&self, listing: &mut Listing, prefix: &str) -> Result<Option<Entry>, Trouble> {
        let next = listing.next(&Patience::endless());
        next.map_err(|failure| Trouble::new(prefix, failure.reason))
    }

    pub fn put(&self, key: &str, body: &Body) -> Result<(), Trouble> {
        let put = || self.access.store.put(key, body);
        let done = self.access.insist(&Patience::endless(), put);
        done.map_err(|failure| Trouble::new(key, failure.reason))
    }

    pub fn read(
        &self,
        key: &str,
        from: u64,
        len: u64,
        version: Option<&str>,
    ) -> Result<Piece, Trouble> {
        let read = || self.access.store.read(key, from, len, version);
        let done = self.access.insist(&Patience::endless(), read);
        done.map_err(|failure| Trouble::new(key, failure.reason))
    }

    /// Hands a whole object to `take`, with the place of each piece; its digest and its version.
    pub fn read_all(
        &self,
        key: &str,
        mut take: impl FnMut(u64, &[u8]) -> io::Result<()>,
    ) -> Result<(String, String), Trouble> {
        let mut digest = Sha256::new();
        let mut version: Option<String> = None;
        let mut at = 0;
        loop {
            let piece = self.read(key, at, PIECE, version.as_deref())?;
            digest.update(&piece.bytes);
            take(at, &piece.bytes).map_err(|error| Trouble::new(key, error.to_string()))?;
            at += piece.bytes.len() as u64;
            let version = version.get_or_insert(piece.version);
            if (piece.bytes.len() as u64) < PIECE {
                return Ok((hex(&digest.finalize()), version.clone()));
            }
        }
    }

    pub fn remove(&self, key: &str) -> Result<(), Trouble> {
        let remove = || self.access.store.remove(key);
        let done = self.access.insist(&Patience::endless(), remove);
        done.map_err(|failure| Trouble::new(key, failure.reason))
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of what is called `name` in a folder, which is empty for the store itself.
pub(super) fn key_in(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}
