//! What both cuckoo filters share: where a key may lie, and how entries move to make room.
//!
//! B. Fan, D. G. Andersen, M. Kaminsky, M. D. Mitzenmacher, "Cuckoo filter: practically better than Bloom" (2014). A key
//! leaves a fingerprint in one of two buckets of four entries; from the fingerprint and one bucket the other follows.

use xxhash_rust::xxh64::xxh64;

use crate::random::Random;

/// Entries of a bucket.
pub const BUCKET_SIZE: usize = 4;
/// Entries that are moved at most to make room for one.
const MAX_KICKS: usize = 512;
/// The seed of all hashes.
const SEED: u64 = 1;
/// Why nothing could be added.
pub const FULL: &str = "the cuckoo filter is full";

/// A fingerprint with what is kept beside it; the default is an empty entry.
pub trait Entry: Copy + Default + PartialEq {
    /// The entry of a key with this hash, without what is kept beside.
    fn of_hash(hash: u64) -> Self;
    /// Whether both have the same fingerprint.
    fn same(&self, other: &Self) -> bool;
    /// The hash of the fingerprint's bytes.
    fn hash(&self) -> u64;
}

/// XXH64 of a key, or of a fingerprint, as all filters use it.
pub fn hash(bytes: &[u8]) -> u64 {
    xxh64(bytes, SEED)
}

/// How many buckets hold `items` keys: a power of two.
pub fn bucket_count(items: u32) -> usize {
    (items as usize / BUCKET_SIZE).next_power_of_two()
}

/// Buckets, their number a power of two.
#[derive(Clone, Debug)]
pub struct Buckets<E> {
    buckets: Vec<[E; BUCKET_SIZE]>,
    random: Random,
}

/// Where a key may lie.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    first: usize,
    second: usize,
}

impl<E: Entry> Buckets<E> {
    /// `buckets` are empty, and as many as [`bucket_count`] says.
    pub fn new(buckets: Vec<[E; BUCKET_SIZE]>) -> Buckets<E> {
        assert!(
            buckets.len().is_power_of_two(),
            "the number of buckets is no power of two"
        );
        Buckets {
            buckets,
            random: Random::new(SEED),
        }
    }

    /// How many keys fit in.
    pub fn items(&self) -> usize {
        self.buckets.len() * BUCKET_SIZE
    }

    /// The buckets.
    pub fn all(&self) -> &[[E; BUCKET_SIZE]] {
        &self.buckets
    }

    /// The buckets, to be changed.
    pub fn all_mut(&mut self) -> &mut [[E; BUCKET_SIZE]] {
        &mut self.buckets
    }

    /// How many entries are in use.
    pub fn count(&self) -> u64 {
        let used =
            |bucket: &[E; BUCKET_SIZE]| bucket.iter().filter(|e| !e.same(&E::default())).count();
        self.buckets.iter().map(|bucket| used(bucket) as u64).sum()
    }

    /// Empties all.
    pub fn clear(&mut self) {
        self.buckets.fill(Default::default());
    }

    /// Both buckets of a key with this hash.
    pub fn places(&self, hash: u64) -> Places {
        let first = hash as usize & (self.buckets.len() - 1);
        let second = self.other(first, &E::of_hash(hash));
        Places { first, second }
    }

    /// The other bucket of an entry that lies in `bucket`: as many of the hash's upper bits (those of its upper half) as
    /// number the buckets.
    fn other(&self, bucket: usize, entry: &E) -> usize {
        let bits = self.buckets.len().trailing_zeros();
        let upper = entry.hash() >> 32;
        bucket ^ (upper >> (32 - bits)) as usize
    }

    /// The entry with this fingerprint.
    pub fn find(&self, places: Places, entry: &E) -> Option<&E> {
        let both = [places.first, places.second];
        both.into_iter()
            .flat_map(|bucket| &self.buckets[bucket])
            .find(|found| found.same(entry))
    }

    /// As [`Buckets::find`], to be changed.
    pub fn find_mut(&mut self, places: Places, entry: &E) -> Option<&mut E> {
        let both = [places.first, places.second];
        let bucket = both
            .into_iter()
            .find(|&bucket| self.buckets[bucket].iter().any(|found| found.same(entry)))?;
        self.buckets[bucket]
            .iter_mut()
            .find(|found| found.same(entry))
    }

    /// Empties the entry of a key with this hash; false when there is none.
    pub fn remove(&mut self, hash: u64) -> bool {
        let found = self.find_mut(self.places(hash), &E::of_hash(hash));
        found.map(|entry| *entry = E::default()).is_some()
    }

    /// Adds an entry whose fingerprint is in neither place.
    ///
    /// # Errors
    /// [`FULL`]; nothing has changed then.
    pub fn insert(&mut self, places: Places, entry: E) -> Result<(), &'static str> {
        if self.put(places.first, entry) || self.put(places.second, entry) {
            return Ok(());
        }
        let mut bucket = match self.random.below(2) {
            0 => places.second,
            _ => places.first,
        };
        let mut moved = [(0, 0); MAX_KICKS];
        let mut homeless = entry;
        for step in &mut moved {
            *step = (bucket, self.random.below(BUCKET_SIZE));
            std::mem::swap(&mut self.buckets[bucket][step.1], &mut homeless);
            bucket = self.other(bucket, &homeless);
            if self.put(bucket, homeless) {
                return Ok(());
            }
        }
        // Back again, so that no key is lost that was there before.
        for (bucket, i) in moved.into_iter().rev() {
            std::mem::swap(&mut self.buckets[bucket][i], &mut homeless);
        }
        Err(FULL)
    }

    fn put(&mut self, bucket: usize, entry: E) -> bool {
        let empty = self.buckets[bucket]
            .iter_mut()
            .find(|found| found.same(&E::default()));
        match empty {
            Some(place) => {
                *place = entry;
                true
            }
            None => false,
        }
    }
}
