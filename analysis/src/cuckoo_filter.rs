//! Remembers which keys were seen, and can forget them one by one: a cuckoo filter with fingerprints of 16 bits.

pub mod lua;

use crate::cuckoo::{self, BUCKET_SIZE, Buckets, Entry};
use crate::filter::{Deletes, Filter};

/// Bytes of a bucket as it is written: four fingerprints.
pub const BUCKET_BYTES: usize = 2 * BUCKET_SIZE;

/// A fingerprint, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fingerprint(u16);

impl Entry for Fingerprint {
    fn of_hash(hash: u64) -> Fingerprint {
        Fingerprint(((hash >> 48) as u16).max(1))
    }

    fn same(&self, other: &Fingerprint) -> bool {
        self.0 == other.0
    }

    fn hash(&self) -> u64 {
        cuckoo::hash(&self.0.to_le_bytes())
    }
}

/// A filter.
#[derive(Clone, Debug)]
pub struct CuckooFilter {
    buckets: Buckets<Fingerprint>,
    count: u64,
}

impl CuckooFilter {
    /// An empty filter; `buckets` are [`cuckoo::bucket_count`] empty ones.
    pub fn new(buckets: Vec<[Fingerprint; BUCKET_SIZE]>) -> CuckooFilter {
        CuckooFilter {
            buckets: Buckets::new(buckets),
            count: 0,
        }
    }

    /// How many keys fit in.
    pub fn items(&self) -> usize {
        self.buckets.items()
    }

    /// Adds a key; false when it was there already, or seems so.
    ///
    /// # Errors
    /// When there is no room; nothing has changed then.
    pub fn add(&mut self, key: &[u8]) -> Result<bool, &'static str> {
        let hash = cuckoo::hash(key);
        let (places, entry) = (self.buckets.places(hash), Fingerprint::of_hash(hash));
        if self.buckets.find(places, &entry).is_some() {
            return Ok(false);
        }
        self.buckets.insert(places, entry)?;
        self.count += 1;
        Ok(true)
    }

    /// Whether the key was added, or seems so; never false for one that was.
    pub fn query(&self, key: &[u8]) -> bool {
        let hash = cuckoo::hash(key);
        let entry = Fingerprint::of_hash(hash);
        self.buckets
            .find(self.buckets.places(hash), &entry)
            .is_some()
    }

    /// Bytes of the filter as it is written.
    pub fn byte_len(&self) -> usize {
        self.buckets.all().len() * BUCKET_BYTES
    }

    /// Appends the buckets: fingerprints, least significant byte first.
    pub fn write(&self, out: &mut Vec<u8>) {
        for entry in self.buckets.all().iter().flatten() {
            out.extend_from_slice(&entry.0.to_le_bytes());
        }
    }

    /// Takes over buckets that were written.
    ///
    /// # Errors
    /// When they are of another length; nothing has changed then.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (found, expected) = (bytes.len(), self.byte_len());
        if found != expected {
            return Err(format!(
                "fromstring() bytes found: {found}, expected {expected}"
            ));
        }
        let entries = self.buckets.all_mut().iter_mut().flatten();
        for (entry, bytes) in entries.zip(bytes.chunks_exact(2)) {
            *entry = Fingerprint(u16::from_le_bytes([bytes[0], bytes[1]]));
        }
        self.count = self.buckets.count();
        Ok(())
    }
}

impl Filter for CuckooFilter {
    fn count(&self) -> u64 {
        self.count
    }

    fn clear(&mut self) {
        self.buckets.clear();
        self.count = 0;
    }
}

impl Deletes for CuckooFilter {
    fn delete(&mut self, key: &[u8]) -> bool {
        let was_there = self.buckets.remove(cuckoo::hash(key));
        self.count -= u64::from(was_there);
        was_there
    }
}
