//! Mean and deviation of a running measurement.

/// Count, mean and deviation of numbers that come one by one (Welford's method: no number is kept, and large
/// means do not eat the deviation).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stats {
    count: u64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Stats {
    /// Nothing measured yet.
    pub const fn new() -> Stats {
        Stats {
            count: 0,
            mean: 0.0,
            squares: 0.0,
        }
    }

    /// Takes one measurement in.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// Takes in all measurements of `other`, as if each had been added here.
    pub fn merge(&mut self, other: &Stats) {
        if other.count == 0 {
            return;
        }
        let (n_here, n_there) = (self.count as f64, other.count as f64);
        let distance = other.mean - self.mean;
        self.count += other.count;
        self.mean += distance * n_there / (n_here + n_there);
        self.squares += other.squares + distance * distance * n_here * n_there / (n_here + n_there);
    }

    /// How many measurements were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; 0 when there are none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their standard deviation (of a sample, with n - 1); 0 for fewer than two.
    pub fn sd(&self) -> f64 {
        if self.count < 2 {
            0.0
        } else {
            (self.squares / (self.count - 1) as f64).sqrt()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stats(values: &[f64]) -> Stats {
        let mut stats = Stats::new();
        values.iter().for_each(|value| stats.add(*value));
        stats
    }

    fn near(one: f64, two: f64) -> bool {
        (one - two).abs() <= 1e-6 * (1.0 + one.abs().max(two.abs()))
    }

    #[test]
    fn mean_and_deviation_of_known_numbers() {
        let stats = stats(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((stats.count(), stats.mean()), (8, 5.0));
        assert!(near(stats.sd(), (32.0f64 / 7.0).sqrt()));
    }

    #[test]
    fn nothing_and_one_have_no_deviation() {
        assert_eq!((stats(&[]).mean(), stats(&[]).sd()), (0.0, 0.0));
        assert_eq!((stats(&[3.0]).mean(), stats(&[3.0]).sd()), (3.0, 0.0));
    }

    #[test]
    fn a_large_mean_keeps_a_small_deviation() {
        assert!(near(stats(&[1e12, 1e12 + 1.0, 1e12 + 2.0]).sd(), 1.0));
    }

    proptest! {
        #[test]
        fn merging_equals_adding(values in proptest::collection::vec(-1e6f64..1e6, 0..50), cut in 0usize..50) {
            let cut = cut.min(values.len());
            let mut merged = stats(&values[..cut]);
            merged.merge(&stats(&values[cut..]));
            let whole = stats(&values);
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert!(near(merged.mean(), whole.mean()));
            prop_assert!(near(merged.sd(), whole.sd()));
        }
    }
}
