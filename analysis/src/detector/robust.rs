//! Robust z: the distance from the median of the window, in units of the median distance from it.
//!
//! B. Iglewicz, D. C. Hoaglin, "How to detect and handle outliers" (1993). Half of the window may be wrong without harm.
//! Cost: the window for each value.

use super::rate::ratio;
use super::ring::Ring;
use super::{Algorithm, Param, Reader, WINDOW_MAX, Writer};

pub const PARAMS: &[Param] = &[
    Param::whole("window", 288.0, 8.0, WINDOW_MAX),
    Param::real("threshold", 6.0, 0.1, 1e6),
    // The smallest deviation that counts, as a share of the median: measured values are seldom exact.
    Param::real("floor", 0.01, 0.0, 10.0),
];

/// The median distance of normal values is so many of their standard deviations.
const MAD_OF_NORMAL: f64 = 0.674_489_75;

/// The detector.
pub struct Robust {
    values: Ring,
    /// The same values in order.
    sorted: Vec<f64>,
    window: usize,
    threshold: f64,
    floor: f64,
    /// Of the newest value; told, not preserved.
    bounds: Option<[f64; 2]>,
}

impl Robust {
    pub fn new(params: &[f64]) -> Robust {
        let window = params[0] as usize;
        Robust {
            values: Ring::new(window),
            sorted: Vec::new(),
            window,
            threshold: params[1],
            floor: params[2],
            bounds: None,
        }
    }

    fn place(&self, value: f64) -> usize {
        self.sorted.partition_point(|other| *other < value)
    }
}

/// The median of values in order.
fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    match n % 2 {
        1 => sorted[n / 2],
        _ => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The median distance from `middle` of values in order, by walking away from it to both sides.
fn median_distance(sorted: &[f64], middle: f64) -> f64 {
    let n = sorted.len();
    let mut above = sorted.partition_point(|value| *value < middle);
    let mut below = above;
    let (mut previous, mut distance) = (0.0, 0.0);
    for _ in 0..=n / 2 {
        let down = below
            .checked_sub(1)
            .map_or(f64::INFINITY, |i| middle - sorted[i]);
        let up = sorted
            .get(above)
            .map_or(f64::INFINITY, |value| value - middle);
        previous = distance;
        if down <= up {
            below -= 1;
            distance = down;
        } else {
            above += 1;
            distance = up;
        }
    }
    match n % 2 {
        1 => distance,
        _ => f64::midpoint(previous, distance),
    }
}

impl Algorithm for Robust {
    fn add(&mut self, _: i64, value: f64) -> f64 {
        // Compared with what was before; enough of it for a deviation.
        let mut score = 0.0;
        self.bounds = None;
        if self.sorted.len() * 2 >= self.window {
            let middle = median(&self.sorted);
            let distance = median_distance(&self.sorted, middle) / MAD_OF_NORMAL;
            let deviation = distance.max(self.floor * middle.abs());
            score = ratio(value - middle, deviation) / self.threshold;
            let room = self.threshold * deviation;
            self.bounds = Some([middle - room, middle + room]);
        }
        if let Some(gone) = self.values.push(value) {
            let place = self.place(gone);
            self.sorted.remove(place);
        }
        let place = self.place(value);
        self.sorted.insert(place, value);
        score
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        self.bounds
    }

    fn clear(&mut self) {
        self.bounds = None;
        self.values.clear();
        self.sorted.clear();
    }

    fn memory(&self) -> usize {
        self.values.memory() + 16 * self.window
    }

    fn cost(&self) -> usize {
        self.window
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.values.write(out);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.values.read(from)?;
        self.sorted = self.values.iter().collect();
        self.sorted.sort_by(f64::total_cmp);
        Some(())
    }
}
