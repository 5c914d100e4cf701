//! Mann-Whitney: whether the newest values are larger or smaller than those of earlier windows, whatever their distribution.
//!
//! H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other"
//! (1947); the normal approximation with corrections for ties and for continuity. The newest window is compared with each of
//! `windows` earlier ones; the score is the share of them that differ, against a quarter of them (the rule of Heka's `mww`).
//! Cost: all windows for each value, sorted in pairs.

use super::ring::{Ring, mean};
use super::{Algorithm, Param, Reader, WINDOW_MAX, Writer};

pub const PARAMS: &[Param] = &[
    Param::whole("window", 30.0, 4.0, 1024.0),
    Param::whole("windows", 10.0, 1.0, 256.0),
    Param::real("pvalue", 0.0001, 1e-12, 0.5),
];

/// What is wrong with the parameters.
pub fn check(params: &[f64]) -> Option<&'static str> {
    let total = params[0] * (params[1] + 1.0);
    (total > WINDOW_MAX).then_some("window * (windows + 1) must be at most 4096")
}

/// The outcome of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankSum {
    /// How many pairs have the value of the first sample above that of the second; a tie counts half.
    pub u: f64,
    /// How likely a difference like this or a larger one is by chance, in this direction.
    pub p: f64,
}

/// The test of two samples; `None` when one is empty or all values are the same.
pub fn rank_sum(first: &[f64], second: &[f64]) -> Option<RankSum> {
    let (n, m) = (first.len() as f64, second.len() as f64);
    let mut all: Vec<(f64, bool)> = first.iter().map(|&value| (value, true)).collect();
    all.extend(second.iter().map(|&value| (value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let n_equal = all[at..]
            .iter()
            .take_while(|(value, _)| *value == all[at].0);
        // One that is not equal to itself stands alone.
        let n_equal = n_equal.count().max(1);
        let rank = at as f64 + (n_equal as f64 + 1.0) / 2.0;
        let of_first = all[at..at + n_equal]
            .iter()
            .filter(|(_, is_first)| *is_first);
        ranks += rank * of_first.count() as f64;
        ties += (n_equal as f64).powi(3) - n_equal as f64;
        at += n_equal;
    }
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let u = ranks - n * (n + 1.0) / 2.0;
    let distance = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    Some(RankSum {
        u,
        p: tail(distance),
    })
}

/// How likely a standard normal value is above `z`, which is not negative; within 1e-7.
///
/// M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.2.17.
pub fn tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let polynomial = [
        1.330_274_429,
        -1.821_255_978,
        1.781_477_937,
        -0.356_563_782,
        0.319_381_530,
    ];
    let sum = polynomial.iter().fold(0.0, |sum, c| sum * t + c) * t;
    sum * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The detector.
pub struct MannWhitney {
    values: Ring,
    window: usize,
    n_windows: usize,
    pvalue: f64,
}

impl MannWhitney {
    pub fn new(params: &[f64]) -> MannWhitney {
        let (window, n_windows) = (params[0] as usize, params[1] as usize);
        MannWhitney {
            values: Ring::new(window * (n_windows + 1)),
            window,
            n_windows,
            pvalue: params[2],
        }
    }
}

impl Algorithm for MannWhitney {
    fn add(&mut self, _: i64, value: f64) -> f64 {
        self.values.push(value);
        if !self.values.is_full() {
            return 0.0;
        }
        let (window, pvalue) = (self.window, self.pvalue);
        let values = self.values.as_slice();
        let (earlier, newest) = values.split_at(values.len() - window);
        let mut balance = 0.0;
        for old in earlier.chunks_exact(window) {
            if rank_sum(newest, old).is_some_and(|outcome| outcome.p < pvalue) {
                balance += (mean(newest) - mean(old)).signum();
            }
        }
        // More than a quarter.
        let needed = (self.n_windows / 4 + 1) as f64;
        balance / needed
    }

    fn clear(&mut self) {
        self.values.clear();
    }

    fn memory(&self) -> usize {
        self.values.memory() + 64 * self.window
    }

    fn cost(&self) -> usize {
        16 * self.window * (self.n_windows + 1)
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.values.write(out);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.values.read(from)
    }
}
