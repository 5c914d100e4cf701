//! Time series and matrices against plain tables, and the matrix profile against all distances.

use std::collections::BTreeMap;

use analysis::matrix::{Match, Matrix, Merge as MatrixMerge};
use analysis::matrix_profile::Profile;
use analysis::serialized::Serialized;
use analysis::time_series::{Merge, Statistic, TimeSeries};
use proptest::prelude::*;

const ROWS: usize = 6;

proptest! {
    #[test]
    fn values_are_those_of_a_map(steps in proptest::collection::vec((0u64..300, -5i32..5, any::<bool>()), 0..80)) {
        let mut series = TimeSeries::new(10, vec![0; ROWS]);
        let mut values: BTreeMap<u64, i32> = BTreeMap::new();
        let mut newest = 5;
        for (ns, value, add) in steps {
            let row = ns / 10;
            newest = newest.max(row);
            let inside = row + ROWS as u64 > newest;
            let expected = inside.then(|| {
                let entry = values.entry(row).or_insert(0);
                *entry = if add { *entry + value } else { value };
                *entry
            });
            let found = if add { series.add(ns, value) } else { series.set(ns, value) };
            prop_assert_eq!(found, expected);
            let start = newest + 1 - ROWS as u64;
            let all: Vec<i32> = (start..=newest).map(|row| values.get(&row).copied().unwrap_or(0)).collect();
            prop_assert_eq!(series.range(None, ROWS).map(Iterator::collect), Some(all.clone()));
            let tail = series.range(Some((newest - 2) * 10 + 7), 3).map(|tail| tail.collect::<Vec<_>>());
            prop_assert_eq!(tail, Some(all[ROWS - 3..].to_vec()));
            prop_assert!(series.range(Some((newest - 2) * 10), 4).is_none());
            let (sum, n) = TimeSeries::statistic(all.iter().copied(), Statistic::Sum, false);
            prop_assert_eq!(sum, f64::from(all.iter().sum::<i32>()));
            prop_assert_eq!(n, all.iter().filter(|&&value| value != 0).count());
        }
        let mut bytes = Vec::new();
        series.write(&mut bytes);
        let mut copy = TimeSeries::new(10, vec![0; ROWS]);
        prop_assert_eq!(copy.read(&bytes), Some(()));
        copy.merge(&series, Merge::Add);
        series.merge_self(Merge::Add);
        let all = |series: &TimeSeries| series.range(None, ROWS).map(Iterator::collect::<Vec<_>>);
        prop_assert_eq!(all(&copy), all(&series));
    }

    #[test]
    fn any_series_can_be_used(time in any::<u64>(), ns_per_row in 1u64.., ns in any::<u64>()) {
        let mut series = TimeSeries::new(ns_per_row, vec![0; ROWS]);
        let mut bytes = Vec::new();
        series.write(&mut bytes);
        bytes[..8].copy_from_slice(&time.to_le_bytes());
        prop_assert_eq!(series.read(&bytes), Some(()));
        let mut other = TimeSeries::new(1, vec![1; ROWS]);
        other.merge(&series, Merge::Set);
        series.add(ns, 1);
        prop_assert!(series.range(None, 1).is_some());
        series.merge(&series.clone(), Merge::Add);
    }

    #[test]
    fn profiles_are_the_nearest_distances(values in proptest::collection::vec(-100i32..100, 16..60)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let m = 4;
        let profile = Profile::compute(&values, m, 100.0, |_| Ok::<(), ()>(())).expect("no budget");
        let n = values.len() - m + 1;
        for i in 0..n {
            let others = (0..n).filter(|&j| i.abs_diff(j) > m / 4);
            let nearest = others.filter_map(|j| distance(&values[i..i + m], &values[j..j + m]));
            let nearest = nearest.fold(f64::INFINITY, f64::min);
            // A window without deviation has no distance, and rounding leaves it one.
            if deviates(&values[i..i + m]) && nearest.is_finite() && (0..n).all(|j| deviates(&values[j..j + m])) {
                prop_assert!((profile.distances[i] - nearest).abs() < 1e-4, "{}: {} {}", i, profile.distances[i], nearest);
            }
        }
    }

    #[test]
    fn correlation_is_that_of_the_definition(rows in proptest::collection::vec(proptest::collection::vec(-1000i32..1000, 6), 2..6)) {
        let numbers: Vec<i32> = rows.concat();
        let matrix = Matrix::new(rows.len(), numbers);
        let row = |i: usize| rows[i].iter().map(|&n| f64::from(n)).collect::<Vec<f64>>();
        let all: Vec<f64> = (1..rows.len()).filter_map(|i| pearson(&row(0), &row(i))).collect();
        let max = matrix.most_alike(0, Match::Max);
        let min = matrix.most_alike(0, Match::Min);
        prop_assert_eq!(max.is_some(), !all.is_empty());
        if let (Some((max, _)), Some((min, _))) = (max, min) {
            let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let low = all.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!((max - high).abs() < 1e-6 && (min - low).abs() < 1e-6, "{max} {high} {min} {low}");
        }
        let mut bytes = Vec::new();
        matrix.write(&mut bytes);
        let mut copy = Matrix::new(rows.len(), vec![0i32; rows.len() * 6]);
        prop_assert_eq!(copy.read(&bytes), Some(()));
        copy.merge(&matrix, MatrixMerge::Add);
        prop_assert_eq!(copy.sum(1), 2.0 * matrix.sum(1));
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / n).sqrt())
}

fn deviates(values: &[f64]) -> bool {
    mean_and_deviation(values).1 > 0.0
}

/// The Euclidean distance of both after normalisation.
fn distance(a: &[f64], b: &[f64]) -> Option<f64> {
    let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_and_deviation(a), mean_and_deviation(b));
    if sd_a == 0.0 || sd_b == 0.0 {
        return None;
    }
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| ((a - mean_a) / sd_a - (b - mean_b) / sd_b).powi(2));
    Some(squares.sum::<f64>().sqrt())
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_and_deviation(a), mean_and_deviation(b));
    if sd_a == 0.0 || sd_b == 0.0 {
        return None;
    }
    let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    Some(products.sum::<f64>() / (a.len() as f64 * sd_a * sd_b))
}

#[test]
fn an_odd_beat_is_the_discord() {
    let mut values: Vec<f64> = (0..400)
        .map(|i| (f64::from(i) / 5.0).sin() * 100.0)
        .collect();
    for (i, value) in values[200..210].iter_mut().enumerate() {
        *value = 80.0 - i as f64;
    }
    let mut charged = 0;
    let profile = Profile::compute(&values, 32, 100.0, |steps| {
        charged += steps;
        Ok::<(), ()>(())
    });
    let discord = profile
        .expect("no budget")
        .discord(0)
        .expect("windows differ");
    assert!((160..=215).contains(&discord.start), "{discord:?}");
    assert!(
        discord.percent > 20.0 && discord.above_median > 0.5,
        "{discord:?}"
    );
    assert!(charged > 100_000, "{charged}");
    assert_eq!(
        Profile::compute(&values, 32, 100.0, |_| Err("over")),
        Err("over")
    );
}
