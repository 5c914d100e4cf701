//! Change of a histogram: the newest one against those before, by Pearson's correlation and Bhattacharyya's coefficient.
//!
//! K. Pearson (1895); A. Bhattacharyya, "On a measure of divergence between two statistical populations" (1943). As in
//! Mozilla's histogram monitor a histogram is strange when it is like none of the earlier ones: what counts is the best of
//! the comparisons. Cost: all kept histograms for each new one.

use std::collections::VecDeque;

use super::{Reader, Verdict, Writer};

/// The most bins of a histogram, and the most histograms that are kept.
pub const BINS_MAX: usize = 4096;
pub const ROWS_MAX: usize = 256;
/// The most numbers kept in all.
pub const CELLS_MAX: usize = 1 << 16;

/// Pearson's correlation of two histograms of the same length: 1 for the same shape, 0 for none in common; 0 when one is flat.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len()) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut covariance, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        covariance += (x - mean_a) * (y - mean_b);
        of_a += (x - mean_a).powi(2);
        of_b += (y - mean_b).powi(2);
    }
    match of_a * of_b > 0.0 {
        true => covariance / (of_a * of_b).sqrt(),
        false => f64::from(of_a == 0.0 && of_b == 0.0),
    }
}

/// Bhattacharyya's coefficient of two histograms of the same length: 1 for the same shares, 0 for none in common or an empty
/// one. Negative counts are taken as 0.
pub fn bhattacharyya(a: &[f64], b: &[f64]) -> f64 {
    let sum = |values: &[f64]| values.iter().map(|value| value.max(0.0)).sum::<f64>();
    let total = sum(a) * sum(b);
    if total.is_nan() || total <= 0.0 {
        return 0.0;
    }
    let pairs = a.iter().zip(b);
    let overlap: f64 = pairs.map(|(x, y)| (x.max(0.0) * y.max(0.0)).sqrt()).sum();
    overlap / total.sqrt()
}

/// The detector of changed histograms.
pub struct HistogramChange {
    n_bins: usize,
    n_rows: usize,
    /// Histograms with fewer counts say nothing.
    min_count: f64,
    max_pearson: f64,
    max_bhattacharyya: f64,
    refractory_ns: i64,
    /// `i64::MIN` for never.
    last_alert_ns: i64,
    rows: VecDeque<Vec<f64>>,
}

impl HistogramChange {
    /// A detector of histograms with `n_bins` bins, against the `n_rows` before. It is strange to have both coefficients at
    /// or below their limits with each of those.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    pub fn new(
        n_bins: usize,
        n_rows: usize,
        min_count: f64,
        limits: [f64; 2],
        refractory: f64,
    ) -> Result<HistogramChange, &'static str> {
        if !(2..=BINS_MAX).contains(&n_bins) {
            return Err("bins must be from 2 to 4096");
        }
        if !(1..=ROWS_MAX).contains(&n_rows) || n_bins * n_rows > CELLS_MAX {
            return Err("rows must be from 1 to 256, and at most 65536 bins in all");
        }
        let [max_pearson, max_bhattacharyya] = limits;
        if !limits.iter().all(|limit| (0.0..=1.0).contains(limit)) {
            return Err("pearson and bhattacharyya must be from 0 to 1");
        }
        if !(0.0..=1e15).contains(&min_count) || !(0.0..=1e9).contains(&refractory) {
            return Err("count must be from 0 to 1e15, refractory from 0 to 1e9");
        }
        Ok(HistogramChange {
            n_bins,
            n_rows,
            min_count,
            max_pearson,
            max_bhattacharyya,
            refractory_ns: (refractory * 1e9) as i64,
            last_alert_ns: i64::MIN,
            rows: VecDeque::new(),
        })
    }

    /// How many bins a histogram has.
    pub fn n_bins(&self) -> usize {
        self.n_bins
    }

    /// How many histograms are kept at most.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Takes a histogram of `n_bins` finite numbers. The score is how far the better coefficient is from 1, against its limit.
    pub fn add(&mut self, ns: i64, counts: &[f64]) -> Verdict {
        let quiet = Verdict {
            score: 0.0,
            alert: false,
        };
        let total: f64 = counts.iter().sum();
        if counts.len() != self.n_bins || total.is_nan() || total < self.min_count {
            return quiet;
        }
        let best = |of: fn(&[f64], &[f64]) -> f64| {
            let values = self.rows.iter().map(|row| of(counts, row));
            values.fold(f64::NEG_INFINITY, f64::max)
        };
        let (r, b) = (best(pearson), best(bhattacharyya));
        let score = |value: f64, limit: f64| (1.0 - value) / (1.0 - limit).max(f64::MIN_POSITIVE);
        let score = match self.rows.is_empty() {
            true => 0.0,
            false => score(r, self.max_pearson).min(score(b, self.max_bhattacharyya)),
        };
        if self.rows.len() == self.n_rows {
            self.rows.pop_front();
        }
        self.rows.push_back(counts.to_vec());
        let rested = self.last_alert_ns == i64::MIN
            || ns.saturating_sub(self.last_alert_ns) >= self.refractory_ns;
        let alert = score >= 1.0 && rested;
        if alert {
            self.last_alert_ns = ns;
        }
        Verdict { score, alert }
    }

    /// Forgets all histograms and the last alert.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.last_alert_ns = i64::MIN;
    }

    /// Bytes it holds when it is full.
    pub fn memory(&self) -> usize {
        self.n_rows * (8 * self.n_bins + size_of::<Vec<f64>>())
    }

    /// Appends all of it, parameters too.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut out = Writer(out);
        out.time(self.n_bins as i64);
        out.time(self.n_rows as i64);
        for number in [self.min_count, self.max_pearson, self.max_bhattacharyya] {
            out.number(number);
        }
        out.time(self.refractory_ns);
        out.time(self.last_alert_ns);
        out.time(self.rows.len() as i64);
        for row in &self.rows {
            out.numbers(row.iter().copied());
        }
    }

    /// Reads what was written; `None` when it is something else.
    pub fn read(bytes: &[u8]) -> Option<HistogramChange> {
        let mut from = Reader(bytes);
        let (n_bins, n_rows) = (from.count(BINS_MAX)?, from.count(ROWS_MAX)?);
        let min_count = from.number()?;
        let limits = [from.number()?, from.number()?];
        let refractory_ns = from.time().filter(|ns| *ns >= 0)?;
        let mut read = HistogramChange::new(n_bins, n_rows, min_count, limits, 0.0).ok()?;
        read.refractory_ns = refractory_ns;
        read.last_alert_ns = from.time()?;
        for _ in 0..from.count(n_rows)? {
            let row = from.numbers(n_bins)?;
            if row.len() != n_bins {
                return None;
            }
            read.rows.push_back(row);
        }
        from.0.is_empty().then_some(read)
    }
}
