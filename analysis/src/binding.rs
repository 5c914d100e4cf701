//! What the Lua sides share: checks of arguments, room for data, tables of modules, and the statements of state files.

use sandbox::native::{Call, Error, Function, Type};

/// Bytes that are hashed, written or read for one step of the plugin's budget.
const BYTES_PER_STEP: usize = 16;

/// What is counted or looked for: a string's bytes, or the eight bytes of a number.
pub enum Key<'a> {
    /// A string.
    Text(&'a [u8]),
    /// A number, its least significant byte first.
    Number([u8; 8]),
}

impl Key<'_> {
    /// What is hashed.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Key::Text(bytes) => bytes,
            Key::Number(bytes) => bytes,
        }
    }
}

/// Argument `i` as a key.
///
/// # Errors
/// `must be a string or number`, as an argument's error.
pub fn check_key<'a>(call: &Call<'a>, i: i32) -> Result<Key<'a>, Error> {
    match call.type_of(i) {
        Type::String => Ok(Key::Text(call.check_bytes(i)?)),
        Type::Number => Ok(Key::Number(call.check_number(i)?.to_le_bytes())),
        _ => Err(Error::argument(i, "must be a string or number")),
    }
}

/// Charges the hashing of a key; short ones cost less than the call.
///
/// # Errors
/// When the call has to end.
pub fn charge_hash(call: &mut Call<'_>, key: &[u8]) -> Result<(), Error> {
    charge_bytes(call, key.len())
}

/// Charges the work on `n` bytes.
///
/// # Errors
/// When the call has to end.
pub fn charge_bytes(call: &mut Call<'_>, n: usize) -> Result<(), Error> {
    charge(call, n / BYTES_PER_STEP)
}

/// Charges `steps` of work.
///
/// # Errors
/// When the call has to end.
pub fn charge(call: &mut Call<'_>, steps: usize) -> Result<(), Error> {
    call.charge(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// There must be exactly `n` arguments.
///
/// # Errors
/// `incorrect number of arguments`, of argument 0 as upstream.
pub fn check_count(call: &Call<'_>, n: usize) -> Result<(), Error> {
    check(call.arg_count() == n, 0, "incorrect number of arguments")
}

/// There must be so many arguments.
///
/// # Errors
/// As [`check_count`].
pub fn check_counts(call: &Call<'_>, range: std::ops::RangeInclusive<usize>) -> Result<(), Error> {
    let right = range.contains(&call.arg_count());
    check(right, 0, "incorrect number of arguments")
}

/// `text` is the error of argument `i` unless `right`.
///
/// # Errors
/// That one.
pub fn check(right: bool, i: i32, text: &'static str) -> Result<(), Error> {
    match right {
        true => Ok(()),
        false => Err(Error::argument(i, text)),
    }
}

/// Argument `i` as a C `int`: without what follows the point, cut to the range, and 0 for no number.
///
/// # Errors
/// When it is no number.
pub fn check_int(call: &Call<'_>, i: i32) -> Result<i32, Error> {
    Ok(call.check_number(i)? as i32)
}

/// Argument `i` as one of some words; its place in the list.
///
/// # Errors
/// When it is no string, or none of them.
pub fn check_option(
    call: &Call<'_>,
    i: i32,
    default: Option<usize>,
    options: &[&str],
) -> Result<usize, Error> {
    let given = match default {
        Some(_) => call.opt_bytes(i)?,
        None => Some(call.check_bytes(i)?),
    };
    let Some(given) = given else {
        return Ok(default.unwrap_or(0));
    };
    let place = options.iter().position(|option| option.as_bytes() == given);
    place.ok_or_else(|| {
        let given = String::from_utf8_lossy(given);
        Error::argument(i, format!("invalid option '{given}'"))
    })
}

/// `n` times the value, if the plugin's memory has room for them.
///
/// # Errors
/// `not enough memory`
pub fn filled<T: Clone>(call: &Call<'_>, n: usize, value: T) -> Result<Vec<T>, Error> {
    call.check_memory(n.saturating_mul(size_of::<T>()))?;
    let mut values = Vec::new();
    values.try_reserve_exact(n).map_err(|_| Error::memory())?;
    values.resize(n, value);
    Ok(values)
}

/// Pushes what `write` appends: `len` bytes.
///
/// # Errors
/// At the memory limit.
pub fn push_written(
    call: &mut Call<'_>,
    len: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<usize, Error> {
    // Once while it is written, once in Lua.
    call.check_memory(len.saturating_mul(2))?;
    charge_bytes(call, len)?;
    let mut bytes = Vec::with_capacity(len);
    write(&mut bytes);
    call.push_bytes(&bytes)?;
    Ok(1)
}

/// Pushes a module and puts it into the global table of its family, such as `streaming_algorithms`, which is made when it is
/// missing. State files name constructors by that way.
///
/// # Errors
/// At the memory limit; when the global is something else.
pub fn push_member(
    call: &mut Call<'_>,
    family: &str,
    name: &str,
    functions: &[(&str, Function)],
) -> Result<usize, Error> {
    call.push_global(family)?;
    if call.is_nil(-1) {
        call.pop(1);
        call.push_table(0, 4)?;
        // A table with a metatable is not taken for the plugin's data.
        call.push_table(0, 0)?;
        call.set_metatable(-2);
        call.push_value(-1)?;
        call.set_global(family)?;
    }
    if call.type_of(-1) != Type::Table {
        return Err(Error::new(format!(
            "name conflict for module '{family}.{name}'"
        )));
    }
    call.push_library(functions)?;
    call.push_value(-1)?;
    call.raw_set_field(-3, name)?;
    Ok(1)
}

/// Appends `if KEY == nil then KEY = constructor end`.
pub fn write_new(key: &[u8], constructor: &str, out: &mut Vec<u8>) {
    let parts: [&[u8]; 7] = [
        b"if ",
        key,
        b" == nil then ",
        key,
        b" = ",
        constructor.as_bytes(),
        b" end\n",
    ];
    out.extend_from_slice(&parts.concat());
}

/// Appends `KEY:fromstring(before"bytes"after)`.
pub fn write_fromstring(key: &[u8], before: &str, bytes: &[u8], after: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    out.extend_from_slice(b":fromstring(");
    out.extend_from_slice(before.as_bytes());
    write_quoted(bytes, out);
    out.extend_from_slice(after.as_bytes());
    out.extend_from_slice(b")\n");
}

/// Appends a Lua string as Hindsight writes binary data: only what would end a line or the string is escaped.
pub fn write_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Reads a little-endian number of `N` bytes off the front; `None` at the end.
pub fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}
