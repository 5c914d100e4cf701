//! Remembers which keys were seen, in about ten bits each, with some false positives: a Bloom filter.
//!
//! B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors" (1970). Bit `i` of a key is XXH32 with the seed
//! `i`, modulo the number of bits; bits lie in bytes from the least significant on.

pub mod lua;

use crate::filter::Filter;
use xxhash_rust::xxh32::xxh32;

/// The measures of a filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// How many keys it is made for.
    pub items: u32,
    /// The share of false positives when it holds that many.
    pub probability: f64,
    /// Bits.
    pub bits: u64,
    /// Bits per key.
    pub hashes: u32,
}

impl Shape {
    /// The smallest filter for `items` keys (more than 1) with false positives of `probability` (between 0 and 1).
    pub fn new(items: u32, probability: f64) -> Shape {
        let n = f64::from(items);
        let ln_2 = 2f64.ln();
        let bits = (n * probability.ln() / (1.0 / 2f64.powf(ln_2)).ln()).ceil();
        Shape {
            items,
            probability,
            bits: bits as u64,
            hashes: (ln_2 * bits / n).round() as u32,
        }
    }

    /// Bytes of the bits.
    pub fn byte_len(&self) -> usize {
        usize::try_from(self.bits.div_ceil(8)).unwrap_or(usize::MAX)
    }
}

/// A filter.
#[derive(Clone, Debug)]
pub struct BloomFilter {
    shape: Shape,
    bits: Vec<u8>,
    count: u64,
}

impl BloomFilter {
    /// An empty filter; `bits` are [`Shape::byte_len`] zeros.
    pub fn new(shape: Shape, bits: Vec<u8>) -> BloomFilter {
        assert_eq!(bits.len(), shape.byte_len(), "the bits of this shape");
        BloomFilter {
            shape,
            bits,
            count: 0,
        }
    }

    /// Its measures.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Adds a key; false when it was there already, or seems so.
    pub fn add(&mut self, key: &[u8]) -> bool {
        let mut added = false;
        for seed in 0..self.shape.hashes {
            let (byte, mask) = self.place(key, seed);
            added |= self.bits[byte] & mask == 0;
            self.bits[byte] |= mask;
        }
        self.count = self.count.saturating_add(u64::from(added));
        added
    }

    /// Whether the key was added, or seems so; never false for one that was.
    pub fn query(&self, key: &[u8]) -> bool {
        (0..self.shape.hashes).all(|seed| {
            let (byte, mask) = self.place(key, seed);
            self.bits[byte] & mask != 0
        })
    }

    /// The bits, as they are written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// Takes over bits that were written, and the count if it is known.
    ///
    /// # Errors
    /// When they are of another length; nothing has changed then.
    pub fn read(&mut self, count: Option<u64>, bytes: &[u8]) -> Result<(), String> {
        let (found, expected) = (bytes.len(), self.bits.len());
        if found != expected {
            return Err(format!(
                "fromstring() bytes found: {found}, expected {expected}"
            ));
        }
        self.bits.copy_from_slice(bytes);
        self.count = count.unwrap_or(self.count);
        Ok(())
    }

    fn place(&self, key: &[u8], seed: u32) -> (usize, u8) {
        let bit = u64::from(xxh32(key, seed)) % self.shape.bits;
        ((bit / 8) as usize, 1 << (bit % 8))
    }
}

impl Filter for BloomFilter {
    fn count(&self) -> u64 {
        self.count
    }

    fn clear(&mut self) {
        self.bits.fill(0);
        self.count = 0;
    }
}
