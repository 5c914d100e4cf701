//! Count, mean and deviation of numbers that are not kept.
//!
//! B. P. Welford, "Note on a method for calculating corrected sums of squares and products" (1962).

pub mod lua;

use crate::binding::take;
use crate::serialized::Serialized;

/// Bytes of what is written.
pub const LEN: usize = 24;

/// The statistics so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunningStats {
    /// How many numbers.
    pub count: f64,
    /// Their mean, 0 for none.
    pub mean: f64,
    /// The sum of the squares of their distances from the mean.
    pub squares: f64,
}

impl RunningStats {
    /// Adds a number; infinite ones and NaN are passed over.
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() {
            return;
        }
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = number;
            return;
        }
        let distance = number - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (number - self.mean);
    }

    /// The variance of what the numbers are a sample of, 0 for fewer than two.
    pub fn variance(&self) -> f64 {
        if self.count < 2.0 {
            return 0.0;
        }
        self.squares / (self.count - 1.0)
    }

    /// The standard deviation of what the numbers are a sample of, 0 for fewer than two.
    pub fn sd(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The standard deviation of the numbers themselves, 0 for fewer than two.
    pub fn usd(&self) -> f64 {
        if self.count < 2.0 {
            return 0.0;
        }
        (self.squares / self.count).sqrt()
    }
}

impl Serialized for RunningStats {
    fn byte_len(&self) -> usize {
        LEN
    }

    /// Appends the three numbers, least significant byte first.
    fn write(&self, out: &mut Vec<u8>) {
        for number in [self.count, self.mean, self.squares] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        if bytes.len() != LEN {
            return None;
        }
        let [count, mean, squares] = [(); 3].map(|()| take(&mut bytes).map(f64::from_le_bytes));
        let stats = RunningStats {
            count: count?,
            mean: mean?,
            squares: squares?,
        };
        (stats.count >= 0.0).then(|| *self = stats)
    }
}
