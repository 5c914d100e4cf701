//! The `streaming_algorithms.cm_sketch` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::{CountMinSketch, Shape};
use crate::binding::{
    charge_hash, check, check_count, check_counts, check_key, filled, push_member,
};
use crate::serialized::{self, Serialized, fromstring, tostring};

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring::<CountMinSketch>))];

const METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring::<CountMinSketch>)),
    ("clear", function(clear)),
    ("fromstring", function(fromstring::<CountMinSketch>)),
    ("item_count", function(item_count)),
    ("point_query", function(point_query)),
    ("unique_count", function(unique_count)),
    ("update", function(update)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    push_member(
        call,
        "streaming_algorithms",
        "cm_sketch",
        &[("new", function(new))],
    )
}

impl Object for CountMinSketch {
    fn class() -> Class {
        Class {
            name: "trink.streaming_algorithms.cm_sketch",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.byte_len()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let (epsilon, delta) = self.shape().arguments();
        let constructor = format!("streaming_algorithms.cm_sketch.new({epsilon:?}, {delta:?})");
        serialized::preserve(self, key, &constructor, out);
        Some(Ok(()))
    }
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let epsilon = call.check_number(1)?;
    check(0.0 < epsilon && epsilon < 1.0, 1, "0 < epsilon < 1")?;
    let delta = call.check_number(2)?;
    check(0.0 < delta && delta < 1.0, 2, "0 < delta < 1")?;
    let shape = Shape::new(epsilon, delta).ok_or("invalid size")?;
    let counters = filled(call, shape.counters(), 0)?;
    call.push_object(CountMinSketch::new(shape, counters))?;
    Ok(1)
}

/// `update(key[, n])`
fn update(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut sketch = call.check_object_mut::<CountMinSketch>(1)?;
    check_counts(call, 2..=3)?;
    let key = check_key(call, 2)?;
    let n = call.opt_number(3)?.unwrap_or(1.0) as i32;
    charge_hash(call, key.bytes())?;
    let estimate = sketch.update(key.bytes(), n);
    call.push_number(estimate.into())?;
    Ok(1)
}

fn point_query(call: &mut Call<'_>) -> Result<usize, Error> {
    let sketch = call.check_object::<CountMinSketch>(1)?;
    check_count(call, 2)?;
    let key = check_key(call, 2)?;
    charge_hash(call, key.bytes())?;
    call.push_number(sketch.point_query(key.bytes()).into())?;
    Ok(1)
}

fn item_count(call: &mut Call<'_>) -> Result<usize, Error> {
    let sketch = call.check_object::<CountMinSketch>(1)?;
    check_count(call, 1)?;
    call.push_number(sketch.item_count() as f64)?;
    Ok(1)
}

fn unique_count(call: &mut Call<'_>) -> Result<usize, Error> {
    let sketch = call.check_object::<CountMinSketch>(1)?;
    check_count(call, 1)?;
    call.push_number(sketch.unique_count() as f64)?;
    Ok(1)
}

fn clear(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut sketch = call.check_object_mut::<CountMinSketch>(1)?;
    check_count(call, 1)?;
    sketch.clear();
    Ok(0)
}
