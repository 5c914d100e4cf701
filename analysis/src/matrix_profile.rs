//! Where a time series is least like itself: its matrix profile, computed by SCRIMP.
//!
//! Y. Zhu, C. M. Yeh, Z. Zimmerman, K. Kamgar, E. Keogh, "Matrix Profile XI: SCRIMP++: time series motif discovery at
//! interactive speeds" (2018). For each window of the series the distance to the window most like it is found; those of one
//! diagonal follow from each other, and a share of the diagonals gives an approximation.

use crate::p2::Quantile;
use crate::random::Random;
use crate::running_stats::RunningStats;

/// Values that are compared for one charge.
const CHARGE: usize = 1 << 14;
/// The quantiles that a discord is compared with.
const HIGH: f32 = 0.95;
const MIDDLE: f32 = 0.5;

/// The profile: for each window its distance to the most similar one, and which that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Distances; infinite when nothing could be compared, as when a window has no deviation.
    pub distances: Vec<f64>,
    /// The start of the most similar window.
    pub nearest: Vec<usize>,
}

/// The window least like all others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discord {
    /// Its start.
    pub start: usize,
    /// What the distance has above the 95th percentile, in percent of what it has above the median.
    pub percent: f64,
    /// What the distance has above the median.
    pub above_median: f64,
}

/// Bytes that [`Profile::compute`] needs for `n` values.
pub fn memory(n: usize) -> usize {
    n.saturating_mul(7 * 8)
}

/// Mean and deviation of each window of `m` values.
fn window_stats(values: &[f64], m: usize) -> Vec<(f64, f64)> {
    let mut stats = RunningStats::default();
    values[..m].iter().for_each(|&value| stats.add(value));
    let mut windows = Vec::with_capacity(values.len() - m + 1);
    windows.push((stats.mean, stats.usd()));
    for i in m..values.len() {
        let (new, old, before) = (values[i], values[i - m], stats.mean);
        stats.mean += (new - old) / stats.count;
        stats.squares += (new - before) * (new - stats.mean) - (old - before) * (old - stats.mean);
        windows.push((stats.mean, stats.usd()));
    }
    windows
}

impl Profile {
    /// The profile of windows of `m` values (at least 4, at most a quarter of all), from so many percent of the diagonals in
    /// random order. `charge` is told how much work was done.
    ///
    /// # Errors
    /// That of `charge`.
    pub fn compute<E>(
        values: &[f64],
        m: usize,
        percent: f64,
        mut charge: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Profile, E> {
        let n_windows = values.len() - m + 1;
        let stats = window_stats(values, m);
        let mut profile = Profile {
            distances: vec![f64::INFINITY; n_windows],
            nearest: vec![0; n_windows],
        };
        // Windows that overlap by more than three quarters are alike anyway.
        let mut diagonals: Vec<usize> = (m / 4 + 1..n_windows).collect();
        shuffle(&mut diagonals);
        let n_diagonals = (percent / 100.0 * n_windows as f64 + 1.0) as usize + 1;
        let mut uncharged = 0;
        for &diagonal in diagonals.iter().take(n_diagonals) {
            uncharged += values.len();
            if uncharged >= CHARGE {
                charge(std::mem::take(&mut uncharged))?;
            }
            profile.look_at(diagonal, values, m, &stats);
        }
        for distance in &mut profile.distances {
            *distance = distance.abs().sqrt();
        }
        Ok(profile)
    }

    /// Compares each window with the one `diagonal` later.
    fn look_at(&mut self, diagonal: usize, values: &[f64], m: usize, stats: &[(f64, f64)]) {
        let length = m as f64;
        let product = |i: usize| values[i] * values[i + diagonal];
        let mut products: f64 = (0..m).map(product).sum();
        for i in 0..stats.len() - diagonal {
            if i > 0 {
                products = products + product(i + m - 1) - product(i - 1);
            }
            let j = i + diagonal;
            let ((mean_i, sd_i), (mean_j, sd_j)) = (stats[i], stats[j]);
            let squared = 2.0 * (length - (products - length * mean_j * mean_i) / (sd_j * sd_i));
            for (at, other) in [(j, i), (i, j)] {
                if squared < self.distances[at] {
                    self.distances[at] = squared;
                    self.nearest[at] = other;
                }
            }
        }
    }

    /// The window with the largest distance, among those from `first` on; `None` when one could not be compared.
    pub fn discord(&self, first: usize) -> Option<Discord> {
        let (mut high, mut middle) = (Quantile::new(HIGH), Quantile::new(MIDDLE));
        let (mut largest, mut start) = (f64::NEG_INFINITY, 0);
        let (mut e_high, mut e_middle) = (0.0, 0.0);
        for (i, &distance) in self.distances.iter().enumerate().skip(first) {
            e_high = high.add(distance);
            e_middle = middle.add(distance);
            if distance > largest {
                (largest, start) = (distance, i);
            }
        }
        largest.is_finite().then(|| Discord {
            start,
            percent: (largest - e_high) / (largest - e_middle) * 100.0,
            above_median: largest - e_middle,
        })
    }
}

fn shuffle(numbers: &mut [usize]) {
    let mut random = Random::new(1);
    for i in (1..numbers.len()).rev() {
        numbers.swap(i, random.below(i + 1));
    }
}
