//! Sketches within their error bounds, and HyperLogLog as Redis has it.

use std::collections::HashMap;

use analysis::cm_sketch::{CountMinSketch, Shape};
use analysis::hyperloglog::{HyperLogLog, LEN, Malformed};
use analysis::serialized::Serialized;
use proptest::prelude::*;

#[test]
fn estimates_of_redis() {
    let mut sketch = HyperLogLog::default();
    for i in 1..=110_000 {
        sketch.add(format!("{i:08}").as_bytes());
        if i == 50_000 {
            assert_eq!(sketch.count(), 49_932);
        }
    }
    assert_eq!(sketch.count(), 110_505);
}

#[test]
fn estimates_are_within_three_standard_errors() {
    let mut sketch = HyperLogLog::default();
    for i in 1..=1_000_000u64 {
        sketch.add(&i.to_le_bytes());
        if [
            10, 1_000, 20_000, 40_000, 70_000, 75_000, 300_000, 1_000_000,
        ]
        .contains(&i)
        {
            let error = sketch.count() as f64 / i as f64 - 1.0;
            assert!(error.abs() < 3.0 * 0.0081, "{i}: {error}");
        }
    }
}

#[test]
fn a_key_sets_one_register_of_six_bits() {
    let mut sketch = HyperLogLog::default();
    assert!(sketch.add(b"a"));
    let set: u32 = sketch.as_bytes()[16..]
        .iter()
        .map(|byte| byte.count_ones())
        .sum();
    assert!((1..=6).contains(&set));
    assert_eq!(&sketch.as_bytes()[..4], b"HYLL");
    assert_eq!(sketch.as_bytes()[15], 0x80, "the estimate is out of date");
    assert_eq!(sketch.count(), 1);
    assert_eq!(sketch.as_bytes()[8..16], 1u64.to_le_bytes());
}

#[test]
fn what_is_no_sketch_is_refused() {
    let mut sketch = HyperLogLog::default();
    sketch.add(b"a");
    let before = sketch.as_bytes().to_vec();
    assert_eq!(sketch.read(b""), Err(Malformed::Length(0)));
    assert_eq!(sketch.read(&[0; LEN]), Err(Malformed::Magic));
    let mut sparse = before.clone();
    sparse[4] = 1;
    assert_eq!(sketch.read(&sparse), Err(Malformed::Encoding));
    assert_eq!(sketch.as_bytes(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn merged_is_the_sketch_of_both(a in proptest::collection::vec(any::<u32>(), 0..500), b in proptest::collection::vec(any::<u32>(), 0..500)) {
        let of = |keys: &[&[u32]]| {
            let mut sketch = HyperLogLog::default();
            for key in keys.iter().copied().flatten() {
                sketch.add(&key.to_le_bytes());
            }
            sketch
        };
        let (mut merged, other, both) = (of(&[&a]), of(&[&b]), of(&[&a, &b]));
        let union = HyperLogLog::count_union([&merged, &other]);
        merged.merge(&other);
        prop_assert_eq!(&merged.as_bytes()[16..], &both.as_bytes()[16..]);
        let count = merged.count();
        prop_assert!(union.abs_diff(count) <= 2 + count / 500, "{} {}", union, count);
    }

    #[test]
    fn any_registers_can_be_counted(bytes in proptest::collection::vec(any::<u8>(), LEN - 16)) {
        let mut sketch = HyperLogLog::default();
        let mut all = sketch.as_bytes().to_vec();
        all[16..].copy_from_slice(&bytes);
        sketch.read(&all).expect("a sketch");
        sketch.count();
        sketch.add(b"key");
        HyperLogLog::count_union([&sketch, &sketch]);
    }

    #[test]
    fn counts_are_never_too_low_and_seldom_too_high(keys in proptest::collection::vec(0u16..2000, 1..3000)) {
        let shape = Shape::new(0.01, 0.01).expect("it exists");
        prop_assert_eq!((shape.width, shape.depth), (272, 5));
        let mut sketch = CountMinSketch::new(shape, vec![0; shape.counters()]);
        let mut counts: HashMap<u16, u32> = HashMap::new();
        for key in &keys {
            let estimate = sketch.update(&key.to_le_bytes(), 1);
            let count = counts.entry(*key).or_insert(0);
            *count += 1;
            prop_assert!(estimate >= *count);
        }
        prop_assert_eq!(sketch.item_count(), keys.len() as u64);
        prop_assert!(sketch.unique_count() <= counts.len() as u64);
        let bound = 0.01 * keys.len() as f64;
        let too_high = counts.iter().filter(|&(key, &count)| {
            f64::from(sketch.point_query(&key.to_le_bytes()) - count) > bound
        });
        let allowed = 1 + counts.len() / 50;
        prop_assert!(too_high.count() <= allowed);
        let (epsilon, delta) = shape.arguments();
        prop_assert_eq!(Shape::new(epsilon, delta), Some(shape));
        let mut bytes = Vec::new();
        sketch.write(&mut bytes);
        let mut copy = CountMinSketch::new(shape, vec![0; shape.counters()]);
        prop_assert_eq!(copy.read(&bytes), Some(()));
        prop_assert_eq!(copy.point_query(&keys[0].to_le_bytes()), sketch.point_query(&keys[0].to_le_bytes()));
    }

    #[test]
    fn shapes_come_back_from_their_arguments(width in 3u32..u32::MAX, depth in 1u32..600) {
        let shape = Shape { width, depth };
        let (epsilon, delta) = shape.arguments();
        prop_assert_eq!(Shape::new(epsilon, delta), Some(shape));
    }

    #[test]
    fn any_counters_can_be_used(bytes in proptest::collection::vec(any::<u8>(), 16 + 4 * 28 * 3), n in any::<i32>()) {
        let shape = Shape { width: 28, depth: 3 };
        let mut sketch = CountMinSketch::new(shape, vec![0; shape.counters()]);
        prop_assert_eq!(sketch.read(&bytes), Some(()));
        sketch.update(b"key", n);
        sketch.update(b"key", i32::MAX);
        sketch.update(b"key", i32::MIN);
    }
}
