//! Filters never miss a key, are seldom wrong, and lie in memory as Hindsight's do.

use std::collections::BTreeMap;

use analysis::bloom_filter::{BloomFilter, Shape};
use analysis::cuckoo;
use analysis::cuckoo_filter::CuckooFilter;
use analysis::cuckoo_filter_expire::{Added, Clock, CuckooFilterExpire};
use analysis::filter::{Deletes, Filter};
use proptest::prelude::*;

fn bloom(items: u32, probability: f64) -> BloomFilter {
    let shape = Shape::new(items, probability);
    BloomFilter::new(shape, vec![0; shape.byte_len()])
}

fn cuckoo_filter(items: u32) -> CuckooFilter {
    CuckooFilter::new(vec![Default::default(); cuckoo::bucket_count(items)])
}

fn expiring(items: u32, minutes: u16) -> CuckooFilterExpire {
    CuckooFilterExpire::new(
        vec![Default::default(); cuckoo::bucket_count(items)],
        minutes,
    )
}

#[test]
fn bloom_filters_have_the_sizes_of_the_formula() {
    // m = -n ln p / (ln 2)^2, k = m / n ln 2
    for (items, probability, bits, hashes) in [
        (1000, 0.01, 9586, 7),
        (20, 0.01, 192, 7),
        (2_000_000, 0.01, 19_170_117, 7),
        (1000, 0.5, 1443, 1),
    ] {
        let shape = Shape::new(items, probability);
        assert_eq!(
            (shape.bits, shape.hashes),
            (bits, hashes),
            "{items} {probability}"
        );
    }
}

#[test]
fn bloom_filters_are_seldom_wrong() {
    let mut filter = bloom(10_000, 0.01);
    for i in 0..10_000u32 {
        filter.add(&i.to_le_bytes());
    }
    assert!((0..10_000u32).all(|i| filter.query(&i.to_le_bytes())));
    let wrong = (10_000..110_000u32)
        .filter(|i| filter.query(&i.to_le_bytes()))
        .count();
    assert!((500..1_500).contains(&wrong), "{wrong} of 100000");
}

#[test]
fn the_bits_of_a_key_are_xxh32_by_seed() {
    let mut filter = bloom(20, 0.01);
    filter.add(b"a");
    let mut expected = vec![0u8; 24];
    for seed in 0..7 {
        let bit = xxhash_rust::xxh32::xxh32(b"a", seed) as usize % 192;
        expected[bit / 8] |= 1 << (bit % 8);
    }
    assert_eq!(filter.as_bytes(), expected);
    // A value of the reference implementation.
    assert_eq!(xxhash_rust::xxh32::xxh32(b"a", 0), 0x550d_7456);
    assert_eq!(xxhash_rust::xxh64::xxh64(b"a", 0), 0xd24e_c4f1_a98c_6e5b);
}

#[test]
fn a_cuckoo_key_lies_where_its_hash_says() {
    let mut filter = cuckoo_filter(64);
    filter.add(b"key").expect("room");
    let hash = cuckoo::hash(b"key");
    let mut expected = vec![0; 16 * 8];
    let at = (hash % 16) as usize * 8;
    let fingerprint = ((hash >> 48) as u16).max(1);
    expected[at..at + 2].copy_from_slice(&fingerprint.to_le_bytes());
    let mut bytes = Vec::new();
    filter.write(&mut bytes);
    assert_eq!(bytes, expected);
}

#[test]
fn cuckoo_filters_are_seldom_wrong() {
    let mut filter = cuckoo_filter(100_000);
    let mut added = 0;
    for i in 0..90_000u32 {
        added += u64::from(filter.add(&i.to_le_bytes()).expect("room"));
    }
    assert_eq!(filter.count(), added);
    assert!(added > 89_950, "{added} of 90000 are different");
    let wrong = (100_000..1_100_000u32)
        .filter(|i| filter.query(&i.to_le_bytes()))
        .count();
    assert!(wrong < 200, "{wrong} of a million");
}

proptest! {
    #[test]
    fn cuckoo_filters_are_sets(
        steps in proptest::collection::vec((any::<bool>(), 0u16..300), 0..600), items in 5u32..300
    ) {
        let mut filter = cuckoo_filter(items);
        // Keys that collide share a count.
        let mut keys: BTreeMap<u16, bool> = BTreeMap::new();
        for (add, key) in steps {
            let bytes = key.to_le_bytes();
            if add {
                let before = filter.count();
                match filter.add(&bytes) {
                    Ok(new) => {
                        prop_assert_eq!(filter.count(), before + u64::from(new));
                        keys.insert(key, new);
                    }
                    Err(error) => {
                        prop_assert_eq!(error, cuckoo::FULL);
                        prop_assert_eq!(filter.count(), before);
                    }
                }
            } else if keys.get(&key) == Some(&true) && filter.delete(&bytes) {
                keys.remove(&key);
                // What was taken for the deleted key is gone with it.
                keys.retain(|key, new| *new || filter.query(&key.to_le_bytes()));
            }
            for (key, new) in &keys {
                prop_assert!(!new || filter.query(&key.to_le_bytes()), "key {} is lost", key);
            }
        }
        let mut bytes = Vec::new();
        filter.write(&mut bytes);
        let mut copy = cuckoo_filter(items);
        copy.read(&bytes).expect("read");
        prop_assert_eq!(copy.count(), filter.count());
    }

    #[test]
    fn expiring_filters_know_the_last_window(
        steps in proptest::collection::vec((0u8..40, 0i64..40), 0..300)
    ) {
        let mut filter = expiring(4096, 1);
        let mut seen: BTreeMap<u8, i64> = BTreeMap::new();
        let mut newest = 255;
        let mut minute = 300;
        for (key, step) in steps {
            minute += step - 12;
            if minute < newest - 255 {
                let (added, _) = filter.add(&[key], minute as f64 * 60e9).expect("room");
                prop_assert_eq!(added, Added::TooOld);
                continue;
            }
            newest = newest.max(minute);
            seen.retain(|_, &mut last| last >= newest - 255);
            let expected = match seen.get(&key) {
                None => Added::New,
                Some(last) => Added::Known(last.abs_diff(minute) as u8),
            };
            let (added, _) = filter.add(&[key], minute as f64 * 60e9).expect("room");
            prop_assert_eq!(added, expected);
            let last = seen.entry(key).or_insert(minute);
            *last = minute.max(*last);
            prop_assert_eq!(filter.count(), seen.len() as u64);
            for (key, last) in &seen {
                prop_assert_eq!(filter.query(&[*key]), Some((last % 256) as u8));
            }
        }
        let mut bytes = Vec::new();
        filter.write(&mut bytes);
        let mut copy = expiring(4096, 1);
        copy.read(&bytes, Some(filter.clock())).expect("read");
        let both = [filter.add(b"x", newest as f64 * 60e9), copy.add(b"x", newest as f64 * 60e9)];
        prop_assert_eq!(both[0], both[1]);
        prop_assert_eq!(copy.clock(), filter.clock());
    }

    #[test]
    fn any_filter_can_be_used(bytes in proptest::collection::vec(any::<u8>(), 20 * 128), time in any::<i64>(), ns in any::<f64>()) {
        let mut filter = expiring(512, 7);
        filter.read(&bytes, Some(Clock { time, least_recent: None })).expect("read");
        let _ = filter.add(b"key", ns);
        let _ = filter.add(b"key", ns + 1e18);
        filter.delete(b"key");
        prop_assert!(filter.count() <= 512);
    }
}
