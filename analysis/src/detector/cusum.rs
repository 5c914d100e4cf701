//! Cumulative sums: small changes of the level that last.
//!
//! E. S. Page, "Continuous inspection schemes" (1954). Values are standardised by a mean and a deviation that follow slowly;
//! what exceeds `drift` adds up on each side, and the score is the larger sum against `threshold`. A sum begins anew once it
//! has reached the threshold, and the slow mean takes the new level over. Cost: constant.

use super::{Algorithm, Param, Reader, Writer};

pub const PARAMS: &[Param] = &[
    Param::real("drift", 0.5, 0.0, 100.0),
    Param::real("threshold", 12.0, 0.1, 1e6),
    Param::whole("memory", 288.0, 8.0, 1e6),
    Param::whole("warmup", 60.0, 2.0, 1e6),
];

/// A standardised value counts for no more than so many deviations, so that one outlier is no change of the level.
const CLIP: f64 = 4.0;

/// The detector.
pub struct Cusum {
    drift: f64,
    threshold: f64,
    memory: f64,
    warmup: f64,
    n: f64,
    mean: f64,
    variance: f64,
    up: f64,
    down: f64,
}

impl Cusum {
    pub fn new(params: &[f64]) -> Cusum {
        Cusum {
            drift: params[0],
            threshold: params[1],
            memory: params[2],
            warmup: params[3],
            n: 0.0,
            mean: 0.0,
            variance: 0.0,
            up: 0.0,
            down: 0.0,
        }
    }

    /// Mean and deviation follow as a mean of all at first, then of about the last `memory` values.
    fn follow(&mut self, value: f64) {
        self.n = (self.n + 1.0).min(self.memory);
        let distance = value - self.mean;
        let weight = 1.0 / self.n;
        self.mean += weight * distance;
        self.variance = (1.0 - weight) * (self.variance + weight * distance * distance);
    }
}

impl Algorithm for Cusum {
    fn add(&mut self, _: i64, value: f64) -> f64 {
        let deviation = self.variance.sqrt();
        let known = self.n >= self.warmup.min(self.memory) && deviation > 0.0;
        if !known {
            self.follow(value);
            return 0.0;
        }
        let z = ((value - self.mean) / deviation).clamp(-CLIP, CLIP);
        self.up = (self.up + z - self.drift).max(0.0);
        self.down = (self.down - z - self.drift).max(0.0);
        self.follow(self.mean + z * deviation);
        let score = match self.up >= self.down {
            true => self.up / self.threshold,
            false => -self.down / self.threshold,
        };
        if score.abs() >= 1.0 {
            (self.up, self.down) = (0.0, 0.0);
            // The new level is learned as at the begin.
            (self.n, self.mean) = (1.0, value);
        }
        score
    }

    fn clear(&mut self) {
        (self.n, self.mean, self.variance, self.up, self.down) = (0.0, 0.0, 0.0, 0.0, 0.0);
    }

    fn memory(&self) -> usize {
        0
    }

    fn cost(&self) -> usize {
        1
    }

    fn write(&self, out: &mut Writer<'_>) {
        for number in [self.n, self.mean, self.variance, self.up, self.down] {
            out.number(number);
        }
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        for number in [
            &mut self.n,
            &mut self.mean,
            &mut self.variance,
            &mut self.up,
            &mut self.down,
        ] {
            *number = from.finite()?;
        }
        (self.variance >= 0.0).then_some(())
    }
}
