//! `read_message`: a plugin looks at the message.

use crate::ffi;
use crate::message::{Part, Read, read};
use crate::native::{Call, Class, Error, Function, Object, Scope, function};
use crate::vm::{self, slot};

/// `read_message(name [, fieldIndex [, arrayIndex [, zeroCopy]]])`
#[inline]
pub(super) fn read_message(call: &mut Call<'_>) -> Result<usize, Error> {
    let n_args = call.arg_count();
    if !(1..=4).contains(&n_args) {
        return Err(Error::new(
            "heka_read_message() incorrect number of arguments",
        ));
    }
    let name = call.check_bytes(1)?;
    let mut at = (0, 0);
    if n_args > 1 {
        at = (index(call, 2, "field")?, index(call, 3, "array")?);
        if n_args == 4 && call.check_bool(4)? {
            return push_zero_copy(call, name, at);
        }
    }
    let shared = call.shared();
    if !shared.message.is_some() {
        call.push_nil()?;
        return Ok(1);
    }
    let part = resolve(call, name)?;
    let l = call.raw();
    // The arguments leave room for the result. Large values are checked before they are copied.
    let too_large = shared.message.with(|view, framed| {
        let value = read(&view, Some(framed), part, name, at);
        if let Read::Bytes(bytes) = value
            && bytes.len() > SMALL
            && call.check_memory(bytes.len()).is_err()
        {
            return true;
        }
        // SAFETY: a C function has room for some values; the bytes are copied by Lua.
        unsafe {
            match value {
                Read::Nil => ffi::lua_pushnil(l),
                Read::Bytes(bytes) => ffi::lua_pushlstring_(l, bytes.as_ptr().cast(), bytes.len()),
                Read::Number(number) => ffi::lua_pushnumber(l, number),
                Read::Bool(truth) => ffi::lua_pushboolean(l, i32::from(truth)),
            }
        }
        false
    });
    if too_large == Some(true) {
        Err(Error::memory())
    } else {
        Ok(1)
    }
}

/// Values up to this size are copied to Lua before the memory limit is asked, in bytes.
const SMALL: usize = 4096;

fn index(call: &Call<'_>, i: i32, what: &str) -> Result<usize, Error> {
    match call.opt_number(i)? {
        None => Ok(0),
        Some(number) if (number as i64) >= 0 => Ok(number as usize),
        Some(_) => Err(Error::argument(i, format!("{what} index must be >= 0"))),
    }
}

/// What the name, argument 1, stands for. Names are remembered by the addresses of their strings, which are kept alive.
#[inline(always)]
fn resolve(call: &mut Call<'_>, name: &[u8]) -> Result<Part, Error> {
    match call.shared().message.known(name.as_ptr() as usize) {
        Some(part) => Ok(part),
        None => learn(call, name),
    }
}

#[cold]
fn learn(call: &mut Call<'_>, name: &[u8]) -> Result<Part, Error> {
    let part = Part::parse(name).ok_or_else(|| not_supported(name))?;
    call.room(3)?;
    let address = name.as_ptr() as usize;
    let place = call.shared().message.place_for(address);
    call.push_slot(slot::ANCHORS);
    call.push_value(1)?;
    call.raw_set_index(-2, place as i64 + 1)?;
    call.pop(1);
    call.shared().message.learn(place, address, part);
    Ok(part)
}

fn not_supported(name: &[u8]) -> Error {
    let name = String::from_utf8_lossy(name);
    Error::new(format!(
        "heka_read_message() field: '{name}' not supported/recognized"
    ))
}

/// A part of the current message, whichever that is, copied only when it is used.
struct ZeroCopy {
    name: Vec<u8>,
    part: Part,
    at: (usize, usize),
}

impl ZeroCopy {
    /// Appends the part to `out`; false if the message does not have it, or there is no message.
    fn write(&self, shared: &vm::Shared, out: &mut Vec<u8>) -> Result<bool, String> {
        let written = shared.message.with(|view, framed| {
            match read(&view, Some(framed), self.part, &self.name, self.at) {
                Read::Nil => Ok(false),
                Read::Bytes(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(true)
                }
                Read::Number(_) | Read::Bool(_) => Err(()),
            }
        });
        written.unwrap_or(Ok(false)).map_err(|()| {
            format!(
                "field: '{}' contains an unsupported type",
                String::from_utf8_lossy(&self.name)
            )
        })
    }
}

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(zero_copy_to_string))];

impl Object for ZeroCopy {
    fn class() -> Class {
        Class {
            name: "lsb.read_message_zc",
            methods: &[],
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.name.capacity()
    }

    fn output(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        Some(self.write(scope.shared, out).map(|_| ()))
    }

    fn zero_copy(&self) -> bool {
        true
    }
}

fn push_zero_copy(call: &mut Call<'_>, name: &[u8], at: (usize, usize)) -> Result<usize, Error> {
    let part = Part::parse(name).ok_or_else(|| not_supported(name))?;
    if matches!(
        part,
        Part::Uuid | Part::Timestamp | Part::Severity | Part::Pid | Part::Size
    ) {
        return Err(not_supported(name));
    }
    call.push_object(ZeroCopy {
        name: name.to_vec(),
        part,
        at,
    })?;
    Ok(1)
}

fn zero_copy_to_string(call: &mut Call<'_>) -> Result<usize, Error> {
    let part = call.check_object::<ZeroCopy>(1)?;
    let mut out = Vec::new();
    if part.write(call.shared(), &mut out)? {
        call.push_bytes(&out)?
    } else {
        call.push_nil()?
    }
    Ok(1)
}
