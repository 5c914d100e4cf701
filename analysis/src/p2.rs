//! Quantiles and histograms of numbers that are not kept.
//!
//! R. Jain, I. Chlamtac, "The P² algorithm for dynamic calculation of quantiles and histograms without storing
//! observations" (1985): a few markers, whose heights follow the quantiles along parabolas.

pub mod lua;

use crate::binding::take;
use crate::serialized::Serialized;

/// Markers of a quantile.
pub const QUANTILE_MARKERS: usize = 5;
/// Bytes of a written quantile.
pub const QUANTILE_LEN: usize = 2 + 4 + 3 * 8 * QUANTILE_MARKERS;
/// The fewest buckets of a histogram.
pub const MIN_BUCKETS: u16 = 4;

/// Markers: heights, and how many numbers lie at or below each.
#[derive(Clone, Debug, PartialEq)]
struct Markers {
    heights: Vec<f64>,
    positions: Vec<f64>,
    /// How many of the first numbers, which become the heights, are still to come.
    missing: usize,
}

impl Markers {
    fn new(heights: Vec<f64>, mut positions: Vec<f64>) -> Markers {
        let missing = heights.len();
        let numbers = 1..=missing;
        for (position, number) in positions.iter_mut().zip(numbers) {
            *position = number as f64;
        }
        Markers {
            heights,
            positions,
            missing,
        }
    }

    fn clear(&mut self) {
        self.heights.fill(0.0);
        let heights = std::mem::take(&mut self.heights);
        let positions = std::mem::take(&mut self.positions);
        *self = Markers::new(heights, positions);
    }

    /// Takes one of the first numbers, or finds the interval of a later one and counts it there; true for a later one.
    fn count(&mut self, number: f64) -> bool {
        if self.missing > 0 {
            self.missing -= 1;
            self.heights[self.missing] = number;
            if self.missing == 0 {
                self.heights.sort_by(f64::total_cmp);
            }
            return false;
        }
        let last = self.heights.len() - 1;
        self.heights[0] = self.heights[0].min(number);
        self.heights[last] = self.heights[last].max(number);
        let at_or_below = self.heights.partition_point(|&height| height <= number);
        for position in &mut self.positions[at_or_below.clamp(1, last)..] {
            *position += 1.0;
        }
        true
    }

    /// Moves an inner marker by one if it is so far from where it should be.
    fn adjust(&mut self, i: usize, wanted: f64) {
        let (q, n) = (&self.heights, &self.positions);
        let away = wanted - n[i];
        let up = away >= 1.0 && n[i + 1] - n[i] > 1.0;
        let down = away <= -1.0 && n[i - 1] - n[i] < -1.0;
        if !up && !down {
            return;
        }
        let (step, next) = if away > 0.0 {
            (1.0, i + 1)
        } else {
            (-1.0, i - 1)
        };
        let curved = q[i]
            + step / (n[i + 1] - n[i - 1])
                * ((n[i] - n[i - 1] + step) * (q[i + 1] - q[i]) / (n[i + 1] - n[i])
                    + (n[i + 1] - n[i] - step) * (q[i] - q[i - 1]) / (n[i] - n[i - 1]));
        self.heights[i] = if q[i - 1] < curved && curved < q[i + 1] {
            curved
        } else {
            q[i] + step * (q[next] - q[i]) / (n[next] - n[i])
        };
        self.positions[i] += step;
    }

    fn estimate(&self, marker: usize) -> f64 {
        match self.missing {
            0 => self.heights[marker],
            _ => f64::NAN,
        }
    }

    fn position(&self, marker: usize) -> u64 {
        match self.missing {
            0 => self.positions[marker] as u64,
            _ => 0,
        }
    }
}

/// One quantile.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantile {
    p: f32,
    markers: Markers,
    wanted: [f64; QUANTILE_MARKERS],
}

impl Quantile {
    /// The quantile `p`, between 0 and 1.
    pub fn new(p: f32) -> Quantile {
        let zeros = || vec![0.0; QUANTILE_MARKERS];
        let mut quantile = Quantile {
            p,
            markers: Markers::new(zeros(), zeros()),
            wanted: [0.0; QUANTILE_MARKERS],
        };
        quantile.clear();
        quantile
    }

    /// Which quantile.
    pub fn p(&self) -> f32 {
        self.p
    }

    /// Forgets all numbers.
    pub fn clear(&mut self) {
        let p = self.p;
        self.markers.clear();
        // Computed as upstream does, in single precision.
        self.wanted = [1.0, 1.0 + 2.0 * p, 1.0 + 4.0 * p, 3.0 + 2.0 * p, 5.0].map(f64::from);
    }

    /// Adds a number and gives the estimate, NaN for fewer than five numbers. Infinite ones and NaN are passed over.
    pub fn add(&mut self, number: f64) -> f64 {
        if number.is_finite() && self.markers.count(number) {
            let p = self.p;
            let steps = [0.0, p / 2.0, p, (1.0 + p) / 2.0, 1.0].map(f64::from);
            for (wanted, step) in self.wanted.iter_mut().zip(steps) {
                *wanted += step;
            }
            for i in 1..QUANTILE_MARKERS - 1 {
                self.markers.adjust(i, self.wanted[i]);
            }
        }
        self.estimate(2)
    }

    /// The height of a marker (the minimum, p/2, p, (1+p)/2 and the maximum); NaN for fewer than five numbers.
    pub fn estimate(&self, marker: usize) -> f64 {
        self.markers.estimate(marker)
    }

    /// How many numbers lie at or below a marker; 0 for fewer than five numbers.
    pub fn count(&self, marker: usize) -> u64 {
        self.markers.position(marker)
    }
}

impl Serialized for Quantile {
    fn byte_len(&self) -> usize {
        QUANTILE_LEN
    }

    /// Appends it: how many numbers are still to come, `p`, heights, positions and wanted positions.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.markers.missing as u16).to_le_bytes());
        out.extend_from_slice(&self.p.to_le_bytes());
        let numbers = [
            &self.markers.heights,
            &self.markers.positions,
            &self.wanted[..],
        ];
        for number in numbers.into_iter().flatten() {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Takes over what was written of the same quantile; `None` when it is something else, and nothing has changed then.
    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        if bytes.len() != QUANTILE_LEN {
            return None;
        }
        let missing = usize::from(u16::from_le_bytes(take(&mut bytes)?));
        let p = f32::from_le_bytes(take(&mut bytes)?);
        if missing > QUANTILE_MARKERS || p != self.p {
            return None;
        }
        self.markers.missing = missing;
        let Markers {
            heights, positions, ..
        } = &mut self.markers;
        let places = heights.iter_mut().chain(positions).chain(&mut self.wanted);
        for place in places {
            *place = f64::from_le_bytes(take(&mut bytes)?);
        }
        Some(())
    }
}

/// A histogram of buckets that hold equally many numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    markers: Markers,
}

impl Histogram {
    /// A histogram; both arguments are a zero for each bucket and one more.
    pub fn new(heights: Vec<f64>, positions: Vec<f64>) -> Histogram {
        assert!(heights.len() > usize::from(MIN_BUCKETS) && heights.len() == positions.len());
        Histogram {
            markers: Markers::new(heights, positions),
        }
    }

    /// How many buckets: the last marker.
    pub fn buckets(&self) -> usize {
        self.markers.heights.len() - 1
    }

    /// Forgets all numbers.
    pub fn clear(&mut self) {
        self.markers.clear();
    }

    /// Adds a number. Infinite ones and NaN are passed over.
    pub fn add(&mut self, number: f64) {
        if !number.is_finite() || !self.markers.count(number) {
            return;
        }
        let buckets = self.buckets();
        for i in 1..buckets {
            let n_between = self.markers.positions[buckets] - 1.0;
            let wanted = 1.0 + i as f64 * n_between / buckets as f64;
            self.markers.adjust(i, wanted);
        }
    }

    /// The height of a marker, from the minimum (0) to the maximum ([`Histogram::buckets`]); NaN until there are as many
    /// numbers as markers.
    pub fn estimate(&self, marker: usize) -> f64 {
        self.markers.estimate(marker)
    }

    /// How many numbers lie at or below a marker; 0 until there are as many numbers as markers.
    pub fn count(&self, marker: usize) -> u64 {
        self.markers.position(marker)
    }
}

impl Serialized for Histogram {
    fn byte_len(&self) -> usize {
        2 + 16 * self.markers.heights.len()
    }

    /// Appends it: how many numbers are still to come, heights and positions.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.markers.missing as u16).to_le_bytes());
        for number in self.markers.heights.iter().chain(&self.markers.positions) {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Takes over what was written of one with as many buckets; `None` when it is something else, and nothing has changed
    /// then.
    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        if bytes.len() != self.byte_len() {
            return None;
        }
        let missing = usize::from(u16::from_le_bytes(take(&mut bytes)?));
        if missing > self.markers.heights.len() {
            return None;
        }
        self.markers.missing = missing;
        let Markers {
            heights, positions, ..
        } = &mut self.markers;
        for place in heights.iter_mut().chain(positions) {
            *place = f64::from_le_bytes(take(&mut bytes)?);
        }
        Some(())
    }
}
