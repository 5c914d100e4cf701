//! The `maxminddb` module: what a MaxMind database says of an address, with the functions of lua-maxminddb.
//!
//! Databases are larger than a plugin may be, so each is held once for all plugins of the program, outside of their memory
//! limits: [`shared`] keeps count.

pub mod shared;

use std::ffi::OsStr;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use maxminddb::{MaxMindDbError, PathElement};
use sandbox::native::{Call, Class, Error, Function, Object, Registry, function};
use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};

use shared::Database;

/// Steps for one walk through the search tree.
const LOOKUP_STEPS: u32 = 100;
/// The longest path to a value, as upstream has it.
const MAX_PATH: usize = 13;
/// What upstream says of an address that is none.
const NO_ADDRESS: &str = "Name or service not known";
/// What upstream says of a value that is not there.
const NO_VALUE: &str = "The lookup path does not match the data (key that doesn't exist, array index bigger than the array, expected array or map where none exists)";
/// What upstream says of values that are maps or arrays.
const NO_SCALAR: &str = "Unsupported maxmind data type";

const FUNCTIONS: &[(&str, Function)] = &[("open", function(open_database))];
const DATABASE_METHODS: &[(&str, Function)] = &[("lookup", function(lookup))];
const RESULT_METHODS: &[(&str, Function)] = &[("get", function(get))];

/// Offers `maxminddb` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("maxminddb", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

struct Handle(Arc<Database>);

impl Object for Handle {
    fn class() -> Class {
        Class {
            name: "MMDB_s",
            methods: DATABASE_METHODS,
            metamethods: &[],
        }
    }
}

/// An address that the database knows.
struct Found {
    database: Arc<Database>,
    address: IpAddr,
}

impl Object for Found {
    fn class() -> Class {
        Class {
            name: "MMDB_lookup_result_s",
            methods: RESULT_METHODS,
            metamethods: &[],
        }
    }
}

/// `open(file)`
fn open_database(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = Path::new(OsStr::from_bytes(call.check_bytes(1)?));
    let database = shared::open(path).map_err(|error| Error::bare(error.to_string()))?;
    call.push_object(Handle(database))?;
    Ok(1)
}

/// An IPv4 or IPv6 address in the usual writing.
pub(crate) fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `database:lookup(address)`
fn lookup(call: &mut Call<'_>) -> Result<usize, Error> {
    let database = Arc::clone(&call.check_object::<Handle>(1)?.0);
    let Some(address) = address(call.check_bytes(2)?) else {
        return Err(Error::bare(NO_ADDRESS));
    };
    call.charge(LOOKUP_STEPS)?;
    match database.lookup(address) {
        Ok(found) if found.has_data() => {}
        Ok(_) => return Err(Error::bare("no entry for the address")),
        Err(error) => return Err(failed(&error)),
    }
    call.push_object(Found { database, address })?;
    Ok(1)
}

fn failed(error: &MaxMindDbError) -> Error {
    Error::bare(error.to_string())
}

/// A value that Lua can hold.
pub(crate) enum Scalar<'d> {
    Bool(bool),
    Number(f64),
    Bytes(&'d [u8]),
    /// A map or an array.
    Other,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value of a MaxMind database")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i32<E: de::Error>(self, value: i32) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value.into()))
    }

    fn visit_u16<E: de::Error>(self, value: u16) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value.into()))
    }

    fn visit_u32<E: de::Error>(self, value: u32) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_f32<E: de::Error>(self, value: f32) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bytes(value.as_bytes()))
    }

    fn visit_borrowed_bytes<E: de::Error>(self, value: &'de [u8]) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bytes(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Scalar<'de>, A::Error> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Scalar<'de>, A::Error> {
        Ok(Scalar::Other)
    }
}

/// The value at the end of a path of keys; a number also counts into an array, from 0.
pub(crate) fn value<'d>(
    database: &'d Database,
    address: IpAddr,
    path: &[&str],
) -> Result<Option<Scalar<'d>>, MaxMindDbError> {
    let found = database.lookup(address)?;
    let keys: Vec<PathElement<'_>> = path.iter().map(|key| PathElement::Key(key)).collect();
    match found.decode_path(&keys) {
        Ok(Some(value)) => return Ok(Some(value)),
        Ok(None) if path.iter().all(|key| key.parse::<usize>().is_err()) => return Ok(None),
        Err(error) if path.iter().all(|key| key.parse::<usize>().is_err()) => return Err(error),
        _ => {}
    }
    let elements = path.iter().map(|key| match key.parse() {
        Ok(index) => PathElement::Index(index),
        Err(_) => PathElement::Key(key),
    });
    found.decode_path(&elements.collect::<Vec<_>>())
}

/// Pushes a value; false if Lua has none for it.
pub(crate) fn push_scalar(call: &mut Call<'_>, value: &Scalar<'_>) -> Result<bool, Error> {
    match value {
        Scalar::Bool(value) => call.push_bool(*value)?,
        Scalar::Number(value) => call.push_number(*value)?,
        Scalar::Bytes(value) => call.push_bytes(value)?,
        Scalar::Other => return Ok(false),
    }
    Ok(true)
}

/// `result:get(key, ...)`
fn get(call: &mut Call<'_>) -> Result<usize, Error> {
    let found = call.check_object::<Found>(1)?;
    let last = call.arg_count().min(MAX_PATH + 1) as i32;
    let mut path = Vec::with_capacity(MAX_PATH);
    for i in 2..=last {
        let key = std::str::from_utf8(call.check_bytes(i)?);
        path.push(key.map_err(|_| Error::bare(NO_VALUE))?);
    }
    call.charge(LOOKUP_STEPS)?;
    match value(&found.database, found.address, &path) {
        Ok(Some(value)) if push_scalar(call, &value)? => Ok(1),
        Ok(Some(_)) => Err(Error::bare(NO_SCALAR)),
        Ok(None) => Err(Error::bare(NO_VALUE)),
        // A path through something that is neither map nor array is a path that leads nowhere.
        Err(MaxMindDbError::Decoding { .. }) => Err(Error::bare(NO_VALUE)),
        Err(error) => Err(failed(&error)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
