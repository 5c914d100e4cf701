//! Quantiles, histograms and running statistics against sorted data.

use analysis::p2::{Histogram, Quantile};
use analysis::running_stats::RunningStats;
use analysis::serialized::Serialized;
use proptest::prelude::*;

/// Numbers between 0 and 1, each time the same.
fn numbers(n: u32) -> impl Iterator<Item = f64> {
    (1..=n).map(|i| f64::from(i.wrapping_mul(2_654_435_769)) / f64::from(u32::MAX))
}

#[test]
fn quantiles_of_even_and_skewed_numbers() {
    let shapes: [fn(f64) -> f64; 3] = [|x| x, |x| x * x * x, |x| -(1.0 - x).ln()];
    for shape in shapes {
        for p in [0.05f32, 0.25, 0.5, 0.75, 0.95] {
            let mut sorted: Vec<f64> = numbers(20_000).map(shape).collect();
            let mut quantile = Quantile::new(p);
            for &number in &sorted {
                quantile.add(number);
            }
            sorted.sort_by(f64::total_cmp);
            let estimate = quantile.estimate(2);
            // Where the estimate would stand among the numbers.
            let rank = sorted.partition_point(|&number| number < estimate) as f64 / 20_000.0;
            assert!((rank - f64::from(p)).abs() < 0.01, "{p}: {rank}");
            assert_eq!(
                (quantile.estimate(0), quantile.estimate(4)),
                (sorted[0], sorted[19_999])
            );
            assert_eq!(quantile.count(4), 20_000);
        }
    }
}

#[test]
fn histograms_hold_equally_many() {
    let mut histogram = Histogram::new(vec![0.0; 21], vec![0.0; 21]);
    let numbers: Vec<f64> = numbers(20_000).map(|x| x * x).collect();
    numbers.iter().for_each(|&number| histogram.add(number));
    for marker in 0..=20 {
        let height = histogram.estimate(marker);
        let below = numbers.iter().filter(|&&number| number <= height).count() as f64;
        assert!(
            (below / 20_000.0 - marker as f64 / 20.0).abs() < 0.01,
            "{marker}: {below}"
        );
    }
    assert_eq!(histogram.count(20), 20_000);
}

proptest! {
    #[test]
    fn markers_stay_in_order(numbers in proptest::collection::vec(-1e6..1e6, 5..300), p in 0.01f32..0.99) {
        let mut quantile = Quantile::new(p);
        let mut histogram = Histogram::new(vec![0.0; 9], vec![0.0; 9]);
        for &number in &numbers {
            quantile.add(number);
            histogram.add(number);
        }
        for marker in 1..5 {
            prop_assert!(quantile.estimate(marker - 1) <= quantile.estimate(marker));
        }
        if numbers.len() >= 9 {
            for marker in 1..9 {
                prop_assert!(histogram.estimate(marker - 1) <= histogram.estimate(marker));
                prop_assert!(histogram.count(marker - 1) < histogram.count(marker));
            }
        }
        let mut bytes = Vec::new();
        quantile.write(&mut bytes);
        let mut copy = Quantile::new(p);
        prop_assert_eq!(copy.read(&bytes), Some(()));
        prop_assert_eq!(copy, quantile);
    }

    #[test]
    fn statistics_are_those_of_all_numbers(numbers in proptest::collection::vec(-1e6..1e6, 0..100)) {
        let mut stats = RunningStats::default();
        numbers.iter().for_each(|&number| stats.add(number));
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n.max(1.0);
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
        prop_assert!(stats.count == n && near(stats.mean, mean));
        let (variance, usd) = match numbers.len() {
            0 | 1 => (0.0, 0.0),
            _ => (squares / (n - 1.0), (squares / n).sqrt()),
        };
        prop_assert!(near(stats.variance(), variance) && near(stats.sd(), variance.sqrt()) && near(stats.usd(), usd));
        let mut bytes = Vec::new();
        stats.write(&mut bytes);
        let mut copy = RunningStats::default();
        prop_assert_eq!(copy.read(&bytes), Some(()));
        prop_assert_eq!(copy, stats);
    }

    #[test]
    fn any_markers_can_be_used(bytes in proptest::collection::vec(any::<u8>(), 126), number in any::<f64>()) {
        let mut bytes = bytes;
        let mut quantile = Quantile::new(0.5);
        bytes[2..6].copy_from_slice(&0.5f32.to_le_bytes());
        let _ = quantile.read(&bytes);
        quantile.add(number);
        bytes.truncate(2 + 16 * 5);
        let mut histogram = Histogram::new(vec![0.0; 5], vec![0.0; 5]);
        let _ = histogram.read(&bytes);
        histogram.add(number);
        let _ = (histogram.count(4), histogram.estimate(4), quantile.count(4));
        let _ = RunningStats::default().read(&bytes[..24]);
    }
}
