//! Likelihood: whether the newest errors of a simple forecast are larger than its errors were so far.
//!
//! S. Ahmad, A. Lavin, S. Purdy, Z. Agha, "Unsupervised real-time anomaly detection for streaming data" (2017): the mean of
//! the last `short` errors against mean and deviation of the last `long`, as a probability on a logarithmic scale. The
//! forecast is a moving average. The score is the number of zeros of the probability against `zeros`. Cost: constant.

use super::mann_whitney::tail;
use super::rate::ratio;
use super::ring::{Ring, mean};
use super::{Algorithm, Param, Reader, WINDOW_MAX, Writer};

pub const PARAMS: &[Param] = &[
    Param::whole("forecast", 5.0, 1.0, 1e6),
    Param::whole("short", 10.0, 1.0, 1024.0),
    Param::whole("long", 2000.0, 8.0, 1e6),
    Param::real("zeros", 5.0, 0.1, 15.0),
    Param::whole("warmup", 288.0, 2.0, 1e6),
];

/// What is wrong with the parameters.
pub fn check(params: &[f64]) -> Option<&'static str> {
    (params[1] > WINDOW_MAX || params[1] >= params[2]).then_some("short must be less than long")
}

/// The detector.
pub struct Likelihood {
    params: [f64; 5],
    errors: Ring,
    level: f64,
    n: f64,
    mean: f64,
    variance: f64,
}

impl Likelihood {
    pub fn new(params: &[f64]) -> Likelihood {
        Likelihood {
            params: [params[0], params[1], params[2], params[3], params[4]],
            errors: Ring::new(params[1] as usize),
            level: 0.0,
            n: 0.0,
            mean: 0.0,
            variance: 0.0,
        }
    }
}

impl Algorithm for Likelihood {
    fn add(&mut self, _: i64, value: f64) -> f64 {
        let [forecast, _, long, zeros, warmup] = self.params;
        if self.n == 0.0 {
            self.level = value;
        }
        let change = value - self.level;
        let error = change.abs();
        self.level += change * 2.0 / (forecast + 1.0);
        self.errors.push(error);
        let recent = mean(self.errors.as_slice());
        let z = ratio(recent - self.mean, self.variance.sqrt());
        self.n += 1.0;
        let weight = 1.0 / self.n.min(long);
        let distance = error - self.mean;
        self.mean += weight * distance;
        self.variance = (1.0 - weight) * (self.variance + weight * distance * distance);
        if self.n <= warmup || z <= 0.0 {
            return 0.0;
        }
        let sign = if change < 0.0 { -1.0 } else { 1.0 };
        sign * -(tail(z).max(1e-300).log10()) / zeros
    }

    fn clear(&mut self) {
        self.errors.clear();
        (self.level, self.n, self.mean, self.variance) = (0.0, 0.0, 0.0, 0.0);
    }

    fn memory(&self) -> usize {
        self.errors.memory()
    }

    fn cost(&self) -> usize {
        1 + self.errors.memory() / 16
    }

    fn write(&self, out: &mut Writer<'_>) {
        for number in [self.level, self.n, self.mean, self.variance] {
            out.number(number);
        }
        self.errors.write(out);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.level = from.finite()?;
        self.n = from.finite()?;
        self.mean = from.finite()?;
        self.variance = from.finite().filter(|variance| *variance >= 0.0)?;
        self.errors.read(from)
    }
}
