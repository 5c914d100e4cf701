//! The `hyperloglog` module.

use sandbox::native::{Call, Class, Error, Function, Object, Scope, function};

use super::{HyperLogLog, LEN};
use crate::binding::{charge, charge_hash, check, check_key, write_fromstring, write_new};

/// Steps of the plugin's budget that a look at all registers costs.
const ALL_REGISTERS: usize = 4096;

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring))];

const METHODS: &[(&str, Function)] = &[
    ("add", function(add)),
    ("clear", function(clear)),
    ("count", function(count)),
    ("fromstring", function(fromstring)),
    ("merge", function(merge)),
    ("__tostring", function(tostring)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[
        ("new", function(new)),
        ("count", function(count_union)),
        ("version", function(version)),
    ])?;
    Ok(1)
}

impl Object for HyperLogLog {
    fn class() -> Class {
        Class {
            name: "mozsvc.hyperloglog",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        LEN + 1
    }

    fn output(&self, _: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        out.extend_from_slice(self.as_bytes());
        Some(Ok(()))
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        write_new(key, "hyperloglog.new()", out);
        write_fromstring(key, "", self.as_bytes(), "", out);
        Some(Ok(()))
    }
}

/// Here the error of a wrong count is that of the last argument.
fn check_count(call: &Call<'_>, n: usize) -> Result<(), Error> {
    let given = call.arg_count();
    check(given == n, given as i32, "incorrect number of arguments")
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 0)?;
    call.check_memory(LEN)?;
    call.push_object(HyperLogLog::default())?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("1.0.1")?;
    Ok(1)
}

fn count_union(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.arg_count();
    check(n > 1, n as i32, "incorrect number of arguments")?;
    let mut sketches = Vec::with_capacity(n);
    for i in 1..=n as i32 {
        charge(call, ALL_REGISTERS)?;
        sketches.push(call.check_object::<HyperLogLog>(i)?);
    }
    let count = HyperLogLog::count_union(sketches.iter().map(|sketch| &**sketch));
    call.push_number(count as f64)?;
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let mut sketch = call.check_object_mut::<HyperLogLog>(1)?;
    let key = check_key(call, 2)?;
    charge_hash(call, key.bytes())?;
    let altered = sketch.add(key.bytes());
    call.push_bool(altered)?;
    Ok(1)
}

fn count(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1)?;
    let mut sketch = call.check_object_mut::<HyperLogLog>(1)?;
    charge(call, ALL_REGISTERS)?;
    call.push_number(sketch.count() as f64)?;
    Ok(1)
}

fn clear(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1)?;
    call.check_object_mut::<HyperLogLog>(1)?.clear();
    Ok(0)
}

fn merge(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    if !(call.is_object::<HyperLogLog>(1) && call.raw_equal(1, 2)) {
        let mut sketch = call.check_object_mut::<HyperLogLog>(1)?;
        let other = call.check_object::<HyperLogLog>(2)?;
        charge(call, ALL_REGISTERS)?;
        sketch.merge(&other);
    }
    call.push_value(1)?;
    Ok(1)
}

fn fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let mut sketch = call.check_object_mut::<HyperLogLog>(1)?;
    let bytes = call.check_bytes(2)?;
    sketch
        .read(bytes)
        .map_err(|error| Error::new(error.to_string()))?;
    Ok(0)
}

fn tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1)?;
    let sketch = call.check_object::<HyperLogLog>(1)?;
    call.push_bytes(sketch.as_bytes())?;
    Ok(1)
}
