//! The `xxhash` module: fast hashes of strings and numbers that are the same everywhere.

use sandbox::native::{Call, Error, Function, Registry, Type, function};
use xxhash_rust::{xxh32::xxh32, xxh64::xxh64};

use crate::work::charge;

/// One byte takes a tenth of a nanosecond, an instruction of Lua some.
const STEPS_PER_KIB: usize = 64;

const FUNCTIONS: &[(&str, Function)] = &[
    ("h32", function(h32)),
    ("h64", function(h64)),
    ("version", function(version)),
];

/// Offers `xxhash`.
pub fn register(registry: &mut Registry) {
    registry.add("xxhash", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

/// Hashes argument 1: a string's bytes, or the eight bytes of a number.
fn hash<T>(call: &mut Call<'_>, hash: impl FnOnce(&[u8]) -> T) -> Result<T, Error> {
    match call.type_of(1) {
        Type::String => {
            let bytes = call.check_bytes(1)?;
            charge(call, bytes.len(), STEPS_PER_KIB)?;
            Ok(hash(bytes))
        }
        Type::Number => Ok(hash(&call.check_number(1)?.to_ne_bytes())),
        _ => Err(call.type_error(1, "string or number")),
    }
}

/// The seed in argument 2, from 0 to `max`; 0 if not given.
fn seed(call: &Call<'_>, max: f64, words: &'static str) -> Result<f64, Error> {
    let seed = call.opt_number(2)?.unwrap_or(0.0);
    match (0.0..=max).contains(&seed) {
        true => Ok(seed),
        false => Err(Error::argument(2, words)),
    }
}

/// `h32(item[, seed])`
fn h32(call: &mut Call<'_>) -> Result<usize, Error> {
    // The kind of the item is looked at first, as its error comes first.
    hash(call, |_| ())?;
    let seed = seed(call, u32::MAX.into(), "seed must be an unsigned int")? as u32;
    let hash = hash(call, |bytes| xxh32(bytes, seed))?;
    call.push_number(hash.into())?;
    Ok(1)
}

/// `h64(item[, seed])`; the hash is rounded to a double.
fn h64(call: &mut Call<'_>) -> Result<usize, Error> {
    hash(call, |_| ())?;
    let seed = seed(call, u64::MAX as f64, "seed must be an unsigned long long")? as u64;
    let hash = hash(call, |bytes| xxh64(bytes, seed))?;
    call.push_number(hash as f64)?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("0.0.1")?;
    Ok(1)
}
