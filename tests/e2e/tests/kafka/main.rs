//! `input/kafka.lua` and `output/kafka.lua` with a real Apache Kafka: whole messages from engine to engine, a group that
//! shares its partitions, and the deaths of engines and of the broker.

mod group;
mod platform;
mod records;
mod refused;
mod restart;
mod secured;

use std::collections::BTreeMap;

/// How often each number stands in the payloads.
fn counts<'a>(payloads: impl IntoIterator<Item = &'a String>) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for payload in payloads {
        let number = payload.parse().expect("payloads are numbers");
        *counts.entry(number).or_default() += 1;
    }
    counts
}

/// Panics unless all numbers up to `n` are there; how many are there more than once.
fn repeated(counts: &BTreeMap<u64, u64>, n: u64) -> u64 {
    let missing: Vec<u64> = (1..=n).filter(|i| !counts.contains_key(i)).collect();
    assert!(
        missing.is_empty(),
        "{} of {n} are lost: {missing:?}",
        missing.len()
    );
    counts.values().map(|count| count - 1).sum()
}
