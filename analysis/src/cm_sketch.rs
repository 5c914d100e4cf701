//! Counts how often keys occur, a little too high at worst: a count-min sketch.
//!
//! G. Cormode, S. Muthukrishnan, "An improved data stream summary: the count-min sketch and its applications" (2005), with
//! conservative updates (C. Estan, G. Varghese, 2002) and double hashing (A. Kirsch, M. Mitzenmacher, 2006).

pub mod lua;

use xxhash_rust::xxh32::xxh32;

use crate::binding::take;
use crate::serialized::Serialized;

/// Euler's number as the size of a sketch is computed with.
const E: f64 = std::f64::consts::E;
/// Bytes of both counts in front of the counters.
const HEADER: usize = 16;

/// The measures of a sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Counters of a row.
    pub width: u32,
    /// Rows.
    pub depth: u32,
}

impl Shape {
    /// The sketch whose estimates are at most `epsilon` of all counts too high, except with probability `delta` (both between
    /// 0 and 1); `None` when it is too large to exist.
    pub fn new(epsilon: f64, delta: f64) -> Option<Shape> {
        let width = (E / epsilon).ceil();
        let depth = (1.0 / delta).ln().ceil();
        // The reciprocal of the smallest numbers is infinite.
        let possible = width <= f64::from(u32::MAX) && depth <= f64::from(u16::MAX);
        possible.then_some(Shape {
            width: width as u32,
            depth: depth as u32,
        })
    }

    /// The arguments of [`Shape::new`] that give this shape again.
    pub fn arguments(&self) -> (f64, f64) {
        let epsilon = E / (f64::from(self.width) - 0.5);
        let delta = 1.0 / E.powf(f64::from(self.depth) - 0.5);
        (epsilon, delta)
    }

    /// How many counters it has.
    pub fn counters(&self) -> usize {
        (self.width as usize).saturating_mul(self.depth as usize)
    }
}

/// A sketch.
#[derive(Clone, Debug)]
pub struct CountMinSketch {
    shape: Shape,
    counters: Vec<u32>,
    item_count: u64,
    unique_count: u64,
}

impl CountMinSketch {
    /// An empty sketch; `counters` are [`Shape::counters`] zeros.
    pub fn new(shape: Shape, counters: Vec<u32>) -> CountMinSketch {
        assert_eq!(
            counters.len(),
            shape.counters(),
            "the counters of this shape"
        );
        CountMinSketch {
            shape,
            counters,
            item_count: 0,
            unique_count: 0,
        }
    }

    /// Its measures.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How often keys occurred, removals taken off.
    pub fn item_count(&self) -> u64 {
        self.item_count
    }

    /// How many keys occurred, about.
    pub fn unique_count(&self) -> u64 {
        self.unique_count
    }

    /// The counters of a key, one in each row.
    fn places(&self, key: &[u8]) -> impl Iterator<Item = usize> + Clone + use<> {
        let Shape { width, depth } = self.shape;
        let (first, second) = (xxh32(key, 1), xxh32(key, 2));
        (0..depth).map(move |i| {
            let step = i.wrapping_mul(second).wrapping_add(i.wrapping_mul(i));
            let column = first.wrapping_add(step) % width;
            i as usize * width as usize + column as usize
        })
    }

    /// How often a key occurred: never too low, if nothing was removed that had not been added.
    pub fn point_query(&self, key: &[u8]) -> u32 {
        let counts = self.places(key).map(|place| self.counters[place]);
        counts.min().unwrap_or(u32::MAX)
    }

    /// Adds to the count of a key, or takes off, but not below 0; the new estimate.
    pub fn update(&mut self, key: &[u8], n: i32) -> u32 {
        let places = self.places(key);
        let estimate = self.point_query(key);
        if n > 0 {
            self.add(places, estimate, n.unsigned_abs())
        } else if n < 0 && estimate > 0 {
            self.remove(places, estimate, n.unsigned_abs())
        } else {
            estimate
        }
    }

    fn add(&mut self, places: impl Iterator<Item = usize>, estimate: u32, n: u32) -> u32 {
        self.unique_count = self.unique_count.saturating_add(u64::from(estimate == 0));
        let mut added = 0;
        for place in places {
            let counter = &mut self.counters[place];
            // At the upper end less is added.
            let n = n.min(u32::MAX - *counter);
            *counter = (*counter).max(estimate + n);
            added = added.max(n);
        }
        self.item_count = self.item_count.saturating_add(u64::from(added));
        estimate + added
    }

    fn remove(&mut self, places: impl Iterator<Item = usize>, estimate: u32, n: u32) -> u32 {
        let n = n.min(estimate);
        if n == estimate {
            self.unique_count = self.unique_count.saturating_sub(1);
        }
        for place in places {
            // The estimate is the smallest of the counters.
            self.counters[place] -= n;
        }
        self.item_count = self.item_count.saturating_sub(u64::from(n));
        estimate - n
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.counters.fill(0);
        (self.item_count, self.unique_count) = (0, 0);
    }
}

impl Serialized for CountMinSketch {
    fn byte_len(&self) -> usize {
        HEADER + 4 * self.counters.len()
    }

    /// Appends both counts and the counters, least significant byte first.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.item_count.to_le_bytes());
        out.extend_from_slice(&self.unique_count.to_le_bytes());
        for counter in &self.counters {
            out.extend_from_slice(&counter.to_le_bytes());
        }
    }

    /// Takes over what was written of a sketch of the same size; `None` when it is something else, and nothing has changed
    /// then.
    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        if bytes.len() != self.byte_len() {
            return None;
        }
        self.item_count = u64::from_le_bytes(take(&mut bytes)?);
        self.unique_count = u64::from_le_bytes(take(&mut bytes)?);
        for counter in &mut self.counters {
            *counter = u32::from_le_bytes(take(&mut bytes)?);
        }
        Some(())
    }
}
