//! From a Lua table to the bytes of a message. The table is read raw, so no code of the plugin runs in between.
//!
//! This is the long way, which takes every table and words every error; most tables go the short one of `encode_direct`.

use std::ffi::{CStr, c_int};

use schemas::ValueType;
use schemas::encode::Encoder;
use stdx::clock::system_time_ns;

use super::encode_direct;
use crate::ffi::{self, lua_State};
use crate::native::{Call, Error};
use crate::vm::{self, Shared, slot};

/// Positions in [`slot::KEYS`].
pub(super) mod key {
    pub(in crate::api) const UUID: i32 = 0;
    pub(in crate::api) const TIMESTAMP: i32 = 1;
    pub(in crate::api) const TYPE: i32 = 2;
    pub(in crate::api) const LOGGER: i32 = 3;
    pub(in crate::api) const SEVERITY: i32 = 4;
    pub(in crate::api) const PAYLOAD: i32 = 5;
    pub(in crate::api) const ENV_VERSION: i32 = 6;
    pub(in crate::api) const PID: i32 = 7;
    pub(in crate::api) const HOSTNAME: i32 = 8;
    pub(in crate::api) const FIELDS: i32 = 9;
    pub(in crate::api) const NAME: i32 = 10;
    pub(in crate::api) const VALUE: i32 = 11;
    pub(in crate::api) const VALUE_TYPE: i32 = 12;
    pub(in crate::api) const REPRESENTATION: i32 = 13;
    pub(in crate::api) const USERDATA: i32 = 14;
}

/// Stack slots that encoding uses: ten headers, a field's key and value, its parts, an array's item, and spare ones.
const SLOTS: c_int = 32;

/// Stack slots that the short way uses.
const DIRECT_SLOTS: c_int = 4;

/// Why a table makes no message; without a place in front.
type Failure = String;

/// Encodes the table at argument `i` into `out`, at most as long as the output limit; headers that are missing, or
/// restricted, are written into the table too.
pub(super) fn encode_table(
    call: &mut Call<'_>,
    i: i32,
    out: &mut Vec<u8>,
) -> Result<Result<(), Failure>, Error> {
    call.check_memory(0)?;
    let start = out.len();
    let mut encoder = Encoder::with_limit(out, call.output_limit());
    call.room(DIRECT_SLOTS)?;
    // SAFETY: the argument is a table, there is room for all that is pushed, and Rust has control, so nothing raises.
    let direct = unsafe { encode_direct::encode(call.raw(), call.shared(), i, &mut encoder) };
    if direct.is_ok() && !encoder.exceeded() {
        return Ok(Ok(()));
    }
    out.truncate(start);
    encode_any_table(call, i, out)
}

/// As [`encode_table`], by Lua's own interface only.
pub(super) fn encode_any_table(
    call: &mut Call<'_>,
    i: i32,
    out: &mut Vec<u8>,
) -> Result<Result<(), Failure>, Error> {
    call.room(SLOTS)?;
    let (l, shared) = (call.raw(), call.shared());
    let mut encoder = Encoder::with_limit(out, call.output_limit());
    // SAFETY: the argument is a table, there is room for all that is pushed, and Rust has control, so nothing raises.
    unsafe {
        let top = ffi::lua_gettop(l);
        let encoded = encode(l, shared, i, call, &mut encoder);
        ffi::lua_settop(l, top);
        Ok(encoded.and_then(|()| {
            if encoder.exceeded() {
                Err("exceeded output_limit".into())
            } else {
                Ok(())
            }
        }))
    }
}

/// The current time in nanoseconds.
pub(super) fn now_ns() -> i64 {
    system_time_ns(std::time::SystemTime::now())
}

/// Pushes `table[key]`, raw.
#[inline(always)]
unsafe fn get(l: *mut lua_State, table: c_int, key: i32) {
    // SAFETY: as the caller's: a table, and room for one value.
    unsafe {
        ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, slot::KEY + key);
        ffi::lua_rawget_(l, table);
    }
}

/// Sets `table[key]` to what lies in a slot of the registry, or to a number, and leaves the value on the stack.
pub(super) unsafe fn put(l: *mut lua_State, table: c_int, key: i32, push: impl FnOnce()) {
    // SAFETY: as the caller's: a table, and room for three values.
    unsafe {
        push();
        ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, slot::KEY + key);
        ffi::lua_pushvalue(l, -2);
        ffi::lua_rawset(l, table);
    }
}

/// The bytes of a value that is a string or number; none otherwise.
#[inline(always)]
unsafe fn text<'a>(l: *mut lua_State, i: c_int) -> Option<&'a [u8]> {
    let mut len = 0;
    // SAFETY: as the caller's: the value stays on the stack. A number becomes a string in its own slot only.
    unsafe {
        let text = ffi::lua_tolstring(l, i, &raw mut len);
        if text.is_null() {
            None
        } else {
            Some(std::slice::from_raw_parts(text.cast(), len))
        }
    }
}

/// The value as a number, if it is one or a string that holds one.
#[inline(always)]
unsafe fn number(l: *mut lua_State, i: c_int) -> Option<f64> {
    // SAFETY: as the caller's.
    unsafe {
        match ffi::lua_type(l, i) {
            ffi::LUA_TNUMBER => Some(ffi::lua_tonumber(l, i)),
            ffi::LUA_TSTRING if ffi::lua_isnumber(l, i) != 0 => Some(ffi::lua_tonumber(l, i)),
            _ => None,
        }
    }
}

unsafe fn encode(
    l: *mut lua_State,
    shared: &Shared,
    table: c_int,
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    // SAFETY: as the caller's. All values stay on the stack until the caller resets it, so that their bytes stay valid.
    unsafe {
        encode_headers(l, shared, table, encoder);
        get(l, table, key::FIELDS);
        if ffi::lua_type(l, -1) == ffi::LUA_TTABLE {
            encode_fields(l, call, encoder)?;
        }
    }
    Ok(())
}

unsafe fn encode_headers(
    l: *mut lua_State,
    shared: &Shared,
    table: c_int,
    encoder: &mut Encoder<'_>,
) {
    let restricted = shared.restricted_headers;
    // SAFETY: as the caller's.
    unsafe {
        get(l, table, key::UUID);
        let given = if restricted {
            None
        } else {
            text(l, -1).and_then(schemas::uuid::parse)
        };
        encoder.uuid(&given.unwrap_or_else(|| shared.uuid()));
        get(l, table, key::TIMESTAMP);
        let given = if restricted { None } else { number(l, -1) };
        encoder.timestamp(given.map_or_else(now_ns, |ns| ns as i64));
        get(l, table, key::TYPE);
        if let Some(type_) = text(l, -1) {
            encoder.type_(type_);
        }
        if let Some(logger) = text_or_ours(l, restricted, table, key::LOGGER, slot::LOGGER) {
            encoder.logger(logger);
        }
        get(l, table, key::SEVERITY);
        if let Some(severity) = number(l, -1) {
            encoder.severity(severity as i32);
        }
        get(l, table, key::PAYLOAD);
        if let Some(payload) = text(l, -1) {
            encoder.payload(payload);
        }
        get(l, table, key::ENV_VERSION);
        if let Some(env_version) = text(l, -1) {
            encoder.env_version(env_version);
        }
        encode_pid_and_hostname(l, shared, table, encoder);
    }
}

/// A header that is ours when it is missing or restricted; ours lies in a slot of the registry.
#[inline(always)]
unsafe fn text_or_ours<'a>(
    l: *mut lua_State,
    restricted: bool,
    table: c_int,
    key: i32,
    ours: c_int,
) -> Option<&'a [u8]> {
    // SAFETY: as the caller's.
    unsafe {
        get(l, table, key);
        let given = if restricted { None } else { text(l, -1) };
        if given.is_none() && (restricted || ffi::lua_type(l, -1) == ffi::LUA_TNIL) {
            put(l, table, key, || {
                ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, ours)
            });
            return text(l, -1);
        }
        given
    }
}

unsafe fn encode_pid_and_hostname(
    l: *mut lua_State,
    shared: &Shared,
    table: c_int,
    encoder: &mut Encoder<'_>,
) {
    let restricted = shared.restricted_headers;
    // SAFETY: as the caller's.
    unsafe {
        get(l, table, key::PID);
        let mut pid = if restricted { None } else { number(l, -1) };
        if pid.is_none() && (restricted || ffi::lua_type(l, -1) == ffi::LUA_TNIL) {
            pid = Some(f64::from(shared.pid));
            put(l, table, key::PID, || {
                ffi::lua_pushnumber(l, f64::from(shared.pid))
            });
        }
        if let Some(pid) = pid {
            encoder.pid(pid as i32);
        }
        if let Some(hostname) = text_or_ours(l, restricted, table, key::HOSTNAME, slot::HOSTNAME) {
            encoder.hostname(hostname);
        }
    }
}

/// Encodes the table on top, in either of its two forms.
unsafe fn encode_fields(
    l: *mut lua_State,
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    // SAFETY: as the caller's. A key is turned into text only when it is a string already, so that the walk is not lost;
    // the walk changes nothing in the table, so the next key is always found.
    unsafe {
        let fields = ffi::lua_gettop(l);
        ffi::lua_rawgeti_(l, fields, 1);
        if ffi::lua_type(l, -1) == ffi::LUA_TTABLE {
            return encode_field_list(l, fields, call, encoder);
        }
        ffi::lua_settop(l, fields);
        ffi::lua_pushnil(l);
        while ffi::lua_next(l, fields) != 0 {
            if ffi::lua_type(l, -2) != ffi::LUA_TSTRING {
                return Err("field name must be a string".into());
            }
            let name = vm::bytes_of(l, -2);
            match ffi::lua_type(l, -1) {
                ffi::LUA_TSTRING => encoder.string_field(name, vm::bytes_of(l, -1)),
                ffi::LUA_TNUMBER => encoder.double_field(name, ffi::lua_tonumber(l, -1)),
                ffi::LUA_TBOOLEAN => encoder.bool_field(name, ffi::lua_toboolean(l, -1) != 0),
                _ => encode_rich_field(l, name, call, encoder)?,
            }
            if encoder.exceeded() {
                return Ok(());
            }
            ffi::lua_settop(l, fields + 1);
        }
        ffi::lua_settop(l, fields);
    }
    Ok(())
}

/// Encodes `{{name=, value=, ...}, ...}`; the first item is on top.
unsafe fn encode_field_list(
    l: *mut lua_State,
    fields: c_int,
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    let mut i = 1;
    // SAFETY: as the caller's.
    unsafe {
        while ffi::lua_type(l, -1) == ffi::LUA_TTABLE && !encoder.exceeded() {
            let item = ffi::lua_gettop(l);
            get(l, item, key::NAME);
            if ffi::lua_type(l, -1) != ffi::LUA_TSTRING {
                return Err("field name must be a string".into());
            }
            let name = vm::bytes_of(l, -1);
            encode_object(l, item, name, call, encoder)?;
            ffi::lua_settop(l, fields);
            i += 1;
            ffi::lua_rawgeti_(l, fields, i);
        }
        match ffi::lua_type(l, -1) {
            ffi::LUA_TNIL | ffi::LUA_TTABLE => Ok(()),
            kind => Err(format!("unsupported type: {}", type_name(l, kind))),
        }
    }
}

/// Encodes a field whose value, on top, is neither string, number nor boolean.
unsafe fn encode_rich_field(
    l: *mut lua_State,
    name: &[u8],
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    // SAFETY: as the caller's.
    unsafe {
        let value = ffi::lua_gettop(l);
        if ffi::lua_type(l, value) == ffi::LUA_TTABLE {
            ffi::lua_rawgeti_(l, value, 1);
            let is_object = ffi::lua_type(l, -1) == ffi::LUA_TNIL;
            ffi::lua_settop(l, value);
            if is_object {
                return encode_object(l, value, name, call, encoder);
            }
        }
        let mark = encoder.field_begin(name);
        let plain = Parts {
            value_type: None,
            representation: None,
            userdata: 0,
        };
        encode_value(l, value, &plain, call, encoder)?;
        encoder.field_end(mark);
    }
    Ok(())
}

/// What stands beside a value.
struct Parts<'a> {
    value_type: Option<i64>,
    representation: Option<&'a [u8]>,
    /// Position of the object that belongs to a light userdata; 0 for none.
    userdata: c_int,
}

/// Encodes the field that the table at `object` describes.
unsafe fn encode_object(
    l: *mut lua_State,
    object: c_int,
    name: &[u8],
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    // SAFETY: as the caller's. The pushed values stay until the field is written.
    unsafe {
        get(l, object, key::VALUE_TYPE);
        let value_type = number(l, -1).map(|number| number as i64);
        get(l, object, key::REPRESENTATION);
        let representation = text(l, -1);
        get(l, object, key::USERDATA);
        let userdata = match ffi::lua_type(l, -1) {
            ffi::LUA_TUSERDATA => ffi::lua_gettop(l),
            _ => 0,
        };
        get(l, object, key::VALUE);
        let value = ffi::lua_gettop(l);
        let mark = encoder.field_begin(name);
        let parts = Parts {
            value_type,
            representation,
            userdata,
        };
        encode_value(l, value, &parts, call, encoder)?;
        encoder.field_end(mark);
    }
    Ok(())
}

unsafe fn encode_value(
    l: *mut lua_State,
    value: c_int,
    parts: &Parts<'_>,
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    // SAFETY: as the caller's.
    unsafe {
        match ffi::lua_type(l, value) {
            ffi::LUA_TTABLE => encode_array(l, value, parts, encoder),
            ffi::LUA_TUSERDATA => encode_userdata(value, None, parts, call, encoder),
            ffi::LUA_TLIGHTUSERDATA if parts.userdata == 0 => {
                Err("a lightuserdata output must also specify a userdata value".into())
            }
            ffi::LUA_TLIGHTUSERDATA => {
                let part = ffi::lua_touserdata(l, value) as usize as u64;
                encode_userdata(parts.userdata, Some(part), parts, call, encoder)
            }
            kind => {
                let value_type = scalar_type(l, kind, parts)
                    .unwrap_or_else(|| Err(format!("unsupported type: {}", type_name(l, kind))))?;
                begin_value(value_type, parts, encoder);
                match value_type {
                    ValueType::String => encoder.string_value(vm::bytes_of(l, value)),
                    ValueType::Bytes => encoder.bytes_value(vm::bytes_of(l, value)),
                    ValueType::Integer => encoder.integer_value(ffi::lua_tonumber(l, value) as i64),
                    ValueType::Double => encoder.double_value(ffi::lua_tonumber(l, value)),
                    ValueType::Bool => encoder.bool_value(ffi::lua_toboolean(l, value) != 0),
                }
                Ok(())
            }
        }
    }
}

fn begin_value(value_type: ValueType, parts: &Parts<'_>, encoder: &mut Encoder<'_>) {
    encoder.value_type(value_type);
    if let Some(representation) = parts.representation {
        encoder.representation(representation);
    }
}

/// The value type of a scalar of Lua's type `kind` and the type asked for; none if it is no scalar.
fn scalar_type(
    _: *mut lua_State,
    kind: c_int,
    parts: &Parts<'_>,
) -> Option<Result<ValueType, Failure>> {
    let refused = |what: &str| {
        Err(format!(
            "invalid {what} value_type: {}",
            parts.value_type.unwrap_or(-1)
        ))
    };
    Some(match (kind, parts.value_type) {
        (ffi::LUA_TSTRING, None | Some(0)) => Ok(ValueType::String),
        (ffi::LUA_TSTRING, Some(1)) => Ok(ValueType::Bytes),
        (ffi::LUA_TSTRING, _) => refused("string"),
        (ffi::LUA_TNUMBER, None | Some(3)) => Ok(ValueType::Double),
        (ffi::LUA_TNUMBER, Some(2)) => Ok(ValueType::Integer),
        (ffi::LUA_TNUMBER, _) => refused("numeric"),
        (ffi::LUA_TBOOLEAN, None | Some(4)) => Ok(ValueType::Bool),
        (ffi::LUA_TBOOLEAN, _) => refused("boolean"),
        _ => return None,
    })
}

/// Encodes an array; the type of its first item is that of all.
unsafe fn encode_array(
    l: *mut lua_State,
    array: c_int,
    parts: &Parts<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    // SAFETY: as the caller's; one slot is used for the items.
    unsafe {
        ffi::lua_rawgeti_(l, array, 1);
        let kind = ffi::lua_type(l, -1);
        let value_type = scalar_type(l, kind, parts)
            .unwrap_or_else(|| Err(format!("unsupported array type: {}", type_name(l, kind))))?;
        begin_value(value_type, parts, encoder);
        let packed = !matches!(value_type, ValueType::String | ValueType::Bytes);
        let mark = packed.then(|| encoder.packed_begin(value_type));
        let mut i = 1;
        while ffi::lua_type(l, -1) != ffi::LUA_TNIL && !encoder.exceeded() {
            if ffi::lua_type(l, -1) != kind {
                return Err("array has mixed types".into());
            }
            match value_type {
                ValueType::String => encoder.string_value(vm::bytes_of(l, -1)),
                ValueType::Bytes => encoder.bytes_value(vm::bytes_of(l, -1)),
                ValueType::Integer => encoder.packed_integer(ffi::lua_tonumber(l, -1) as i64),
                ValueType::Double => encoder.packed_double(ffi::lua_tonumber(l, -1)),
                ValueType::Bool => encoder.packed_bool(ffi::lua_toboolean(l, -1) != 0),
            }
            i += 1;
            ffi::lua_settop(l, -2);
            ffi::lua_rawgeti_(l, array, i);
        }
        ffi::lua_settop(l, -2);
        if let Some(mark) = mark {
            encoder.packed_end(mark);
        }
    }
    Ok(())
}

/// Encodes what an object, or the part of it that a light userdata stands for, writes as bytes.
fn encode_userdata(
    object: c_int,
    part: Option<u64>,
    parts: &Parts<'_>,
    call: &Call<'_>,
    encoder: &mut Encoder<'_>,
) -> Result<(), Failure> {
    begin_value(ValueType::Bytes, parts, encoder);
    let mark = encoder.bytes_value_begin();
    let written = match part {
        Some(part) => call.write_object_part(object, part, encoder.buffer()),
        None => call.write_object(object, encoder.buffer()),
    };
    match written {
        Some(Ok(())) => {}
        Some(Err(text)) => return Err(format!("userdata output callback failed: {text}")),
        None => return Err("userdata object does not implement lsb_output".into()),
    }
    encoder.bytes_value_end(mark);
    Ok(())
}

unsafe fn type_name(l: *mut lua_State, kind: c_int) -> String {
    // SAFETY: Lua gives a static text for every type.
    unsafe { CStr::from_ptr(ffi::lua_typename(l, kind)) }
        .to_string_lossy()
        .into_owned()
}
