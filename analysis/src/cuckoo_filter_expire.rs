//! Remembers which keys were seen within a window of time: a cuckoo filter with fingerprints of 32 bits that expire.
//!
//! The window has 256 intervals. Beside each fingerprint stands the interval in which its key was seen last; when time goes
//! on, the oldest intervals are emptied, and when four fifths of the filter are in use, the least recent one is.

pub mod lua;

use crate::cuckoo::{self, BUCKET_SIZE, Buckets, Entry};
use crate::filter::{Deletes, Filter};

/// Intervals of the window.
const INTERVALS: i64 = 256;
/// Bytes of a bucket as it is written: four fingerprints, then their intervals.
pub const BUCKET_BYTES: usize = 5 * BUCKET_SIZE;
/// The share in use from which on intervals are emptied.
const CAPACITY: f64 = 0.8;

/// A fingerprint, 0 for none, and the interval it was seen in last. Packed, since filters are large.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(Rust, packed)]
pub struct Seen {
    fingerprint: u32,
    interval: u8,
}

impl Entry for Seen {
    fn of_hash(hash: u64) -> Seen {
        Seen {
            fingerprint: ((hash >> 32) as u32).max(1),
            interval: 0,
        }
    }

    fn same(&self, other: &Seen) -> bool {
        self.fingerprint == other.fingerprint
    }

    fn hash(&self) -> u64 {
        cuckoo::hash(&self.fingerprint.to_le_bytes())
    }
}

/// What became of a key that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It was not there.
    New,
    /// It was there; so many intervals lie between then and now.
    Known(u8),
    /// Its time lies before the window.
    TooOld,
}

/// The place in time of a filter, apart from its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The start of the newest interval, in seconds.
    pub time: i64,
    /// The interval that is emptied next when room is needed.
    pub least_recent: Option<u8>,
}

/// A filter.
#[derive(Clone, Debug)]
pub struct CuckooFilterExpire {
    buckets: Buckets<Seen>,
    count: u64,
    /// Seconds of an interval.
    interval_size: i64,
    clock: Clock,
}

impl CuckooFilterExpire {
    /// An empty filter; `buckets` are [`cuckoo::bucket_count`] empty ones, an interval lasts `minutes`.
    pub fn new(buckets: Vec<[Seen; BUCKET_SIZE]>, minutes: u16) -> CuckooFilterExpire {
        let interval_size = i64::from(minutes.max(1)) * 60;
        CuckooFilterExpire {
            buckets: Buckets::new(buckets),
            count: 0,
            interval_size,
            clock: CuckooFilterExpire::start(interval_size),
        }
    }

    fn start(interval_size: i64) -> Clock {
        Clock {
            time: (INTERVALS - 1) * interval_size,
            least_recent: None,
        }
    }

    /// How many keys fit in.
    pub fn items(&self) -> usize {
        self.buckets.items()
    }

    /// Minutes of an interval.
    pub fn minutes(&self) -> i64 {
        self.interval_size / 60
    }

    /// Its place in time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The index of the newest interval.
    pub fn interval(&self) -> u8 {
        self.interval_of(self.clock.time)
    }

    fn interval_of(&self, time: i64) -> u8 {
        (time / self.interval_size).rem_euclid(INTERVALS) as u8
    }

    /// Adds a key that was seen at `ns` nanoseconds. The second value is how many entries were looked at to empty intervals.
    ///
    /// # Errors
    /// When there is no room.
    pub fn add(&mut self, key: &[u8], ns: f64) -> Result<(Added, usize), &'static str> {
        let time = (ns / 1e9) as i64;
        let time = time - time % self.interval_size;
        if time
            < self
                .clock
                .time
                .saturating_sub(self.interval_size * (INTERVALS - 1))
        {
            return Ok((Added::TooOld, 0));
        }
        let looked = self.expire(time);
        let interval = self.interval_of(time);
        let hash = cuckoo::hash(key);
        let (places, entry) = (self.buckets.places(hash), Seen::of_hash(hash));
        let newest = self.interval();
        if let Some(found) = self.buckets.find_mut(places, &entry) {
            let (now, then) = (
                age_order(interval, newest),
                age_order(found.interval, newest),
            );
            if now > then {
                found.interval = interval;
            }
            return Ok((Added::Known(now.abs_diff(then)), looked));
        }
        self.buckets.insert(places, Seen { interval, ..entry })?;
        self.count += 1;
        Ok((Added::New, looked))
    }

    /// Empties what is too old at `time`, and an interval more when the filter is full.
    fn expire(&mut self, time: i64) -> usize {
        let mut looked = 0;
        if time > self.clock.time {
            let gone = (time - self.clock.time) / self.interval_size;
            if self.count > 0 {
                looked += self.items();
                if gone >= INTERVALS {
                    self.clear();
                } else {
                    let oldest = self.interval().wrapping_add(1);
                    let least_recent = self.empty(oldest, gone as u8);
                    self.clock.least_recent = Some(least_recent);
                }
            }
            self.clock.time = time;
        }
        if self.count as f64 / self.items() as f64 >= CAPACITY {
            looked += self.items();
            let oldest = self.interval().wrapping_add(1);
            let least_recent = self.clock.least_recent.unwrap_or(oldest);
            self.clock.least_recent = Some(self.empty(least_recent, 1));
        }
        looked
    }

    /// Empties `n` intervals from `first` on; the least recent one that had a key before.
    fn empty(&mut self, first: u8, n: u8) -> u8 {
        let newest = self.interval();
        let mut least_recent = u8::MAX;
        for entry in self.buckets.all_mut().iter_mut().flatten() {
            if entry.fingerprint == 0 {
                continue;
            }
            least_recent = least_recent.min(age_order(entry.interval, newest));
            if entry.interval.wrapping_sub(first) < n {
                *entry = Seen::default();
                self.count -= 1;
            }
        }
        least_recent.wrapping_add(newest).wrapping_add(1)
    }

    /// The interval in which the key was seen last, if it was.
    pub fn query(&self, key: &[u8]) -> Option<u8> {
        let hash = cuckoo::hash(key);
        let found = self
            .buckets
            .find(self.buckets.places(hash), &Seen::of_hash(hash));
        found.map(|seen| seen.interval)
    }

    /// Bytes of the buckets as they are written.
    pub fn byte_len(&self) -> usize {
        self.buckets.all().len() * BUCKET_BYTES
    }

    /// Appends the buckets: four fingerprints, least significant byte first, then their intervals.
    pub fn write(&self, out: &mut Vec<u8>) {
        for bucket in self.buckets.all() {
            for entry in bucket {
                out.extend_from_slice(&entry.fingerprint.to_le_bytes());
            }
            out.extend(bucket.iter().map(|entry| entry.interval));
        }
    }

    /// Takes over buckets that were written, and their time if it is known.
    ///
    /// # Errors
    /// When they are of another length; nothing has changed then.
    pub fn read(&mut self, bytes: &[u8], clock: Option<Clock>) -> Result<(), String> {
        let (found, expected) = (bytes.len(), self.byte_len());
        if found != expected {
            return Err(format!(
                "fromstring() bytes found: {found}, expected {expected}"
            ));
        }
        let buckets = self.buckets.all_mut().iter_mut();
        for (bucket, bytes) in buckets.zip(bytes.chunks_exact(BUCKET_BYTES)) {
            let (fingerprints, intervals) = bytes.split_at(4 * BUCKET_SIZE);
            let pairs = fingerprints.chunks_exact(4).zip(intervals);
            for (entry, (fingerprint, &interval)) in bucket.iter_mut().zip(pairs) {
                let fingerprint = fingerprint.try_into().expect("chunks of four bytes");
                *entry = Seen {
                    fingerprint: u32::from_le_bytes(fingerprint),
                    interval,
                };
            }
        }
        self.count = self.buckets.count();
        if let Some(clock) = clock {
            let time = clock.time.max(0);
            self.clock = Clock {
                time: time - time % self.interval_size,
                ..clock
            };
        }
        Ok(())
    }
}

impl Filter for CuckooFilterExpire {
    fn count(&self) -> u64 {
        self.count
    }

    /// Forgets all keys, and the time.
    fn clear(&mut self) {
        self.buckets.clear();
        self.count = 0;
        self.clock = CuckooFilterExpire::start(self.interval_size);
    }
}

impl Deletes for CuckooFilterExpire {
    fn delete(&mut self, key: &[u8]) -> bool {
        let was_there = self.buckets.remove(cuckoo::hash(key));
        self.count -= u64::from(was_there);
        was_there
    }
}

/// Intervals from the oldest of the window (0) to the newest (255).
fn age_order(interval: u8, newest: u8) -> u8 {
    interval.wrapping_sub(newest).wrapping_sub(1)
}
