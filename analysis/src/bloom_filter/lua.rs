//! The `bloom_filter` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::{BloomFilter, Shape};
use crate::binding::{
    Key, charge_hash, check, check_count, check_int, check_key, filled, write_fromstring, write_new,
};
use crate::filter::{Filter, clear, count};

const METHODS: &[(&str, Function)] = &[
    ("add", function(add)),
    ("clear", function(clear::<BloomFilter>)),
    ("count", function(count::<BloomFilter>)),
    ("fromstring", function(fromstring)),
    ("query", function(query)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[("new", function(new)), ("version", function(version))])?;
    Ok(1)
}

impl Object for BloomFilter {
    fn class() -> Class {
        Class {
            name: "mozsvc.bloom_filter",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.shape().byte_len()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let Shape {
            items, probability, ..
        } = self.shape();
        // All digits: with fewer, another size would come out.
        let constructor = format!("bloom_filter.new({items}, {probability:?})");
        write_new(key, &constructor, out);
        let before = format!("{}, ", self.count());
        write_fromstring(key, &before, self.as_bytes(), "", out);
        Some(Ok(()))
    }
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let items = check_int(call, 1)?;
    check(items > 1, 1, "items must be > 1")?;
    let probability = call.check_number(2)?;
    let between = 0.0 < probability && probability < 1.0;
    check(between, 2, "probability must be between 0 and 1")?;
    let shape = Shape::new(items.unsigned_abs(), probability);
    let bits = filled(call, shape.byte_len(), 0)?;
    call.push_object(BloomFilter::new(shape, bits))?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("1.0.0")?;
    Ok(1)
}

/// Argument 2, whose hashes are charged: a long key is hashed for each of its bits.
fn check_charged_key<'a>(call: &mut Call<'a>, hashes: u32) -> Result<Key<'a>, Error> {
    let key = check_key(call, 2)?;
    for _ in 0..hashes {
        charge_hash(call, key.bytes())?;
    }
    Ok(key)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<BloomFilter>(1)?;
    check_count(call, 2)?;
    let key = check_charged_key(call, filter.shape().hashes)?;
    let added = filter.add(key.bytes());
    call.push_bool(added)?;
    Ok(1)
}

fn query(call: &mut Call<'_>) -> Result<usize, Error> {
    let filter = call.check_object::<BloomFilter>(1)?;
    check_count(call, 2)?;
    let key = check_charged_key(call, filter.shape().hashes)?;
    call.push_bool(filter.query(key.bytes()))?;
    Ok(1)
}

/// `fromstring(count, bits)`, or the older `fromstring(bits)`.
fn fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut filter = call.check_object_mut::<BloomFilter>(1)?;
    let (count, bits) = match call.arg_count() {
        2 => (None, call.check_bytes(2)?),
        _ => {
            check_count(call, 3)?;
            (Some(call.check_number(2)? as u64), call.check_bytes(3)?)
        }
    };
    filter.read(count, bits).map_err(Error::new)?;
    Ok(0)
}
