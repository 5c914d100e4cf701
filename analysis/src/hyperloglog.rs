//! Counts distinct keys in twelve kilobytes: the HyperLogLog of Redis, byte for byte.
//!
//! P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation
//! algorithm" (2007), with a 64-bit hash and the correction of the bias that Redis 3.0 has. The layout is Redis's "dense"
//! one: a header of 16 bytes (`HYLL`, encoding, three bytes of nothing, the last estimate) and 16384 registers of 6 bits.

pub mod lua;

/// Registers: 2 to the power of the hash bits that choose one.
const REGISTERS: usize = 1 << 14;
/// Bits of a register.
const BITS: usize = 6;
/// Bytes in front of the registers.
const HEADER: usize = 16;
/// Bytes of the whole, as it is written.
pub const LEN: usize = HEADER + REGISTERS * BITS / 8;
/// What a sketch begins with.
const MAGIC: &[u8; 4] = b"HYLL";
/// The bit in the last byte of the header that says that the estimate there is out of date.
const STALE: u8 = 0x80;
/// The seed that Redis hashes with.
const SEED: u64 = 0xadc8_3b19;

/// Why bytes are no sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// So many bytes instead of [`LEN`].
    Length(usize),
    /// They do not begin with `HYLL`.
    Magic,
    /// They are no dense sketch.
    Encoding,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::Length(n) => write!(f, "fromstring() bytes found: {n}, expected {LEN}"),
            Malformed::Magic => f.write_str("fromstring() HYLL header not found"),
            Malformed::Encoding => f.write_str("fromstring() invalid encoding"),
        }
    }
}

/// A sketch of a set of keys.
#[derive(Clone)]
pub struct HyperLogLog {
    /// One byte more than is written, so that each register can be read as two bytes.
    bytes: Box<[u8; LEN + 1]>,
}

impl Default for HyperLogLog {
    fn default() -> HyperLogLog {
        let mut bytes = Box::new([0; LEN + 1]);
        bytes[..4].copy_from_slice(MAGIC);
        bytes[HEADER - 1] = STALE;
        HyperLogLog { bytes }
    }
}

impl HyperLogLog {
    /// Adds a key; true when that changed a register, and so perhaps the estimate.
    pub fn add(&mut self, key: &[u8]) -> bool {
        let hash = murmur_hash(key);
        let register = hash as usize % REGISTERS;
        // The place of the first 1 among the bits that did not choose the register, counted from 1.
        let rank = ((hash >> 14) | 1 << 49).trailing_zeros() as u8 + 1;
        let higher = rank > self.register(register);
        if higher {
            self.set_register(register, rank);
            self.bytes[HEADER - 1] |= STALE;
        }
        higher
    }

    /// The estimated number of distinct keys. The standard error is 0.81 %.
    pub fn count(&mut self) -> u64 {
        let cached = u64::from_le_bytes(self.bytes[8..HEADER].try_into().expect("eight bytes"));
        if self.bytes[HEADER - 1] & STALE == 0 {
            return cached;
        }
        let mut counts = [0u32; 1 << BITS];
        for i in 0..REGISTERS {
            counts[usize::from(self.register(i))] += 1;
        }
        let count = estimate(&counts);
        self.bytes[8..HEADER].copy_from_slice(&count.to_le_bytes());
        count
    }

    /// The estimated number of distinct keys in all sketches together.
    ///
    /// Hindsight's numbers, which differ by about a thousandth from those of a merged sketch: it looks at the highest registers
    /// two places too early, and so takes two empty ones for the last two.
    pub fn count_union<'a>(sketches: impl IntoIterator<Item = &'a HyperLogLog>) -> u64 {
        const MISSED: usize = 2;
        let mut highest = [0u8; REGISTERS];
        for sketch in sketches {
            for (i, highest) in highest.iter_mut().enumerate() {
                *highest = sketch.register(i).max(*highest);
            }
        }
        let mut counts = [0u32; 1 << BITS];
        counts[0] = MISSED as u32;
        for &register in &highest[..REGISTERS - MISSED] {
            counts[usize::from(register)] += 1;
        }
        estimate(&counts)
    }

    /// Takes in what the other sketch has counted.
    pub fn merge(&mut self, other: &HyperLogLog) {
        for i in 0..REGISTERS {
            let theirs = other.register(i);
            if theirs > self.register(i) {
                self.set_register(i, theirs);
            }
        }
        self.bytes[HEADER - 1] |= STALE;
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        *self = HyperLogLog::default();
    }

    /// The sketch as Redis keeps it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..LEN]
    }

    /// Takes over a sketch that was written by us, by Hindsight or by Redis.
    ///
    /// # Errors
    /// When it is none; nothing has changed then.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if bytes.len() != LEN {
            return Err(Malformed::Length(bytes.len()));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(Malformed::Magic);
        }
        // Hindsight looks at the second of these, which has to be 0 as well.
        if bytes[4] != 0 || bytes[5] != 0 {
            return Err(Malformed::Encoding);
        }
        self.bytes[..LEN].copy_from_slice(bytes);
        Ok(())
    }

    fn register(&self, i: usize) -> u8 {
        let (byte, shift) = place(i);
        let two = u16::from_le_bytes([self.bytes[byte], self.bytes[byte + 1]]);
        (two >> shift) as u8 & 0x3f
    }

    fn set_register(&mut self, i: usize, value: u8) {
        let (byte, shift) = place(i);
        let two = u16::from_le_bytes([self.bytes[byte], self.bytes[byte + 1]]);
        let two = two & !(0x3f << shift) | u16::from(value) << shift;
        [self.bytes[byte], self.bytes[byte + 1]] = two.to_le_bytes();
    }
}

/// The byte in which a register begins, and its lowest bit there.
fn place(register: usize) -> (usize, usize) {
    let bit = register * BITS;
    (HEADER + bit / 8, bit % 8)
}

/// The estimate of Redis 3.0 for so many registers of each value.
fn estimate(counts: &[u32; 1 << BITS]) -> u64 {
    let m = REGISTERS as f64;
    let alpha = 0.7213 / (1.0 + 1.079 / m);
    let sum: f64 = (0i32..)
        .zip(counts)
        .map(|(value, &n)| f64::from(n) * 2f64.powi(-value))
        .sum();
    let raw = alpha * m * m / sum;
    let n_empty = f64::from(counts[0]);
    if raw < 2.5 * m && counts[0] != 0 {
        // Linear counting.
        return (m * (m / n_empty).ln()) as u64;
    }
    if raw < 72_000.0 {
        let bias = 5.9119e-18 * raw.powi(4) - 1.4253e-12 * raw.powi(3) + 1.2940e-7 * raw.powi(2)
            - 5.2921e-3 * raw
            + 83.3216;
        return (raw - raw * (bias / 100.0)) as u64;
    }
    raw as u64
}

/// MurmurHash2 of Austin Appleby in its variant 64A, as Redis uses it.
fn murmur_hash(key: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const R: u32 = 47;
    let mut hash = SEED ^ (key.len() as u64).wrapping_mul(M);
    let mut words = key.chunks_exact(8);
    for word in &mut words {
        let mut k = u64::from_le_bytes(word.try_into().expect("chunks of eight bytes"));
        k = k.wrapping_mul(M);
        k ^= k >> R;
        k = k.wrapping_mul(M);
        hash = (hash ^ k).wrapping_mul(M);
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        let mut last = [0; 8];
        last[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(M);
    }
    hash ^= hash >> R;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> R
}
