//! The short way from a Lua table to the bytes of a message: reads the table where it lies in memory.
//!
//! It takes the tables that nearly every plugin makes. Whatever is unusual (objects as values, fields as a list, numbers
//! where texts belong, and everything that is an error) is refused, and goes the long way of `encode`, which knows all
//! cases and all texts of errors. Both write the same bytes.
#![allow(unsafe_code)]

use std::ffi::c_int;

use schemas::ValueType;
use schemas::encode::Encoder;

use super::encode::{key, now_ns, put};
use crate::ffi::{self, lua_State};
use crate::heap::{self, Place, Str, Table, Value};
use crate::vm::{Shared, slot};

/// The table has to go the long way; what is in the buffer is of no use.
pub(super) struct Unusual;

/// Where the strings lie that are looked for in every message; the registry keeps them alive.
pub(crate) struct Keys {
    keys: [Str; slot::KEYS.len()],
    logger: Str,
    hostname: Str,
}

impl Keys {
    /// # Safety
    /// The registry has its strings, and there is room for one value.
    unsafe fn find(l: *mut lua_State) -> Keys {
        // SAFETY: by the caller; the strings stay in the registry as long as the state lives.
        let find = |slot: c_int| unsafe {
            ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, slot);
            let text = Str::of_text(ffi::lua_tolstring(l, -1, std::ptr::null_mut()));
            ffi::lua_settop(l, -2);
            text
        };
        Keys {
            keys: std::array::from_fn(|i| find(slot::KEY + i as c_int)),
            logger: find(slot::LOGGER),
            hostname: find(slot::HOSTNAME),
        }
    }

    #[inline(always)]
    fn of(&self, key: i32) -> Str {
        self.keys[key as usize]
    }
}

/// One message being encoded.
struct Work<'w, 'b> {
    l: *mut lua_State,
    shared: &'w Shared,
    keys: &'w Keys,
    /// Its place on the stack.
    table_at: c_int,
    table: Table,
    encoder: &'w mut Encoder<'b>,
}

/// Encodes the table at `table` of the stack; headers that are missing, or restricted, are written into it too.
///
/// # Safety
/// There is a table at `table`, which is above 0, and room for four values; Rust has control, so nothing raises.
pub(super) unsafe fn encode(
    l: *mut lua_State,
    shared: &Shared,
    table: c_int,
    encoder: &mut Encoder<'_>,
) -> Result<(), Unusual> {
    if !heap::is_proved() {
        return Err(Unusual);
    }
    // SAFETY: by the caller; the layout was proved above.
    unsafe {
        let keys = shared.keys.get_or_init(|| Box::new(Keys::find(l)));
        let mut work = Work {
            l,
            shared,
            keys,
            table_at: table,
            table: Table::at(l, table),
            encoder,
        };
        work.headers()?;
        match work.header(key::FIELDS) {
            Value::Table(fields) => work.fields(fields),
            _ => Ok(()),
        }
    }
}

// All methods are unsafe for the same reason as `encode`: the table and all that hangs on it must be alive, which they are
// while it is on the stack and Rust has control.
impl Work<'_, '_> {
    #[inline(always)]
    unsafe fn header(&self, key: i32) -> Value {
        // SAFETY: as the caller's; the keys live as long as the state.
        unsafe { self.table.get(self.keys.of(key)) }
    }

    /// A header that is a text; other kinds than strings and numbers count as none.
    #[inline(always)]
    unsafe fn text<'t>(&self, key: i32) -> Result<Option<&'t [u8]>, Unusual> {
        // SAFETY: as the caller's.
        unsafe {
            match self.header(key) {
                Value::String(text) => Ok(Some(text.bytes())),
                Value::Number(_) => Err(Unusual),
                _ => Ok(None),
            }
        }
    }

    #[inline(always)]
    unsafe fn headers(&mut self) -> Result<(), Unusual> {
        let restricted = self.shared.restricted_headers;
        // SAFETY: as the caller's.
        unsafe {
            let uuid = match restricted {
                true => None,
                false => self.text(key::UUID)?.and_then(schemas::uuid::parse),
            };
            self.encoder
                .uuid(&uuid.unwrap_or_else(|| self.shared.uuid()));
            let timestamp = match self.header(key::TIMESTAMP) {
                _ if restricted => now_ns(),
                Value::Number(ns) => ns as i64,
                Value::String(_) => return Err(Unusual),
                _ => now_ns(),
            };
            self.encoder.timestamp(timestamp);
            if let Some(type_) = self.text(key::TYPE)? {
                self.encoder.type_(type_);
            }
            if let Some(logger) = self.text_or_ours(key::LOGGER, slot::LOGGER, self.keys.logger)? {
                self.encoder.logger(logger);
            }
            match self.header(key::SEVERITY) {
                Value::Number(severity) => self.encoder.severity(severity as i32),
                Value::String(_) => return Err(Unusual),
                _ => {}
            }
            if let Some(payload) = self.text(key::PAYLOAD)? {
                self.encoder.payload(payload);
            }
            if let Some(env_version) = self.text(key::ENV_VERSION)? {
                self.encoder.env_version(env_version);
            }
            self.pid()?;
            if let Some(hostname) =
                self.text_or_ours(key::HOSTNAME, slot::HOSTNAME, self.keys.hostname)?
            {
                self.encoder.hostname(hostname);
            }
        }
        Ok(())
    }

    /// A header that is ours when it is missing or restricted; ours lies in a slot of the registry too.
    #[inline(always)]
    unsafe fn text_or_ours<'t>(
        &mut self,
        key: i32,
        slot: c_int,
        ours: Str,
    ) -> Result<Option<&'t [u8]>, Unusual> {
        let restricted = self.shared.restricted_headers;
        // SAFETY: as the caller's; `put` pushes three values at most.
        unsafe {
            match self.header(key) {
                Value::String(text) if !restricted || text == ours => Ok(Some(text.bytes())),
                Value::Number(_) if !restricted => Err(Unusual),
                given if restricted || given == Value::Nil => {
                    let l = self.l;
                    put(l, self.table_at, key, || {
                        ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, slot);
                    });
                    ffi::lua_settop(l, -2);
                    Ok(Some(ours.bytes()))
                }
                _ => Ok(None),
            }
        }
    }

    #[inline(always)]
    unsafe fn pid(&mut self) -> Result<(), Unusual> {
        let restricted = self.shared.restricted_headers;
        let ours = f64::from(self.shared.pid);
        // SAFETY: as the caller's; `put` pushes three values at most.
        unsafe {
            match self.header(key::PID) {
                Value::Number(pid) if !restricted || pid == ours => self.encoder.pid(pid as i32),
                Value::String(_) if !restricted => return Err(Unusual),
                given if restricted || given == Value::Nil => {
                    let l = self.l;
                    put(l, self.table_at, key::PID, || ffi::lua_pushnumber(l, ours));
                    ffi::lua_settop(l, -2);
                    self.encoder.pid(self.shared.pid);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The fields of a table whose keys are their names.
    unsafe fn fields(&mut self, fields: Table) -> Result<(), Unusual> {
        let mut place = Place::default();
        // SAFETY: as the caller's; nothing is written to the fields.
        unsafe {
            // Whatever is in the array part is a list of fields or an error.
            let mut i = 0;
            while let Some(value) = fields.array_get(i) {
                if value != Value::Nil {
                    return Err(Unusual);
                }
                i += 1;
            }
            while let Some((name, value)) = fields.next(&mut place) {
                let Value::String(name) = name else {
                    return Err(Unusual);
                };
                let name = name.bytes();
                match value {
                    Value::String(text) => self.encoder.string_field(name, text.bytes()),
                    Value::Number(number) => self.encoder.double_field(name, number),
                    Value::Bool(truth) => self.encoder.bool_field(name, truth),
                    Value::Table(table) => self.rich_field(name, table)?,
                    Value::Nil | Value::Other => return Err(Unusual),
                }
                if self.encoder.exceeded() {
                    return Err(Unusual);
                }
            }
        }
        Ok(())
    }

    /// A field whose value is a table: a list of values, or one with what stands beside it.
    unsafe fn rich_field(&mut self, name: &[u8], table: Table) -> Result<(), Unusual> {
        // SAFETY: as the caller's.
        unsafe {
            if table.may_have_other_keys() {
                return Err(Unusual);
            }
            if table.array_get(1).is_some_and(|first| first != Value::Nil) {
                let mark = self.encoder.field_begin(name);
                self.list(table, None, None)?;
                self.encoder.field_end(mark);
                return Ok(());
            }
            let part = |key| table.get(self.keys.of(key));
            let value_type = match part(key::VALUE_TYPE) {
                Value::Nil => None,
                Value::Number(number) => Some(number as i64),
                _ => return Err(Unusual),
            };
            let representation = match part(key::REPRESENTATION) {
                Value::Nil => None,
                Value::String(text) => Some(text.bytes()),
                _ => return Err(Unusual),
            };
            let value = part(key::VALUE);
            let mark = self.encoder.field_begin(name);
            match value {
                Value::Table(list) => {
                    if list.may_have_other_keys() {
                        return Err(Unusual);
                    }
                    self.list(list, value_type, representation)?;
                }
                _ => {
                    let value_type = scalar_type(value, value_type)?;
                    self.begin_value(value_type, representation);
                    self.single(value_type, value)?;
                }
            }
            self.encoder.field_end(mark);
        }
        Ok(())
    }

    /// The values of a list, which is wholly in the array part; the type of the first is that of all.
    unsafe fn list(
        &mut self,
        list: Table,
        value_type: Option<i64>,
        representation: Option<&[u8]>,
    ) -> Result<(), Unusual> {
        // SAFETY: as the caller's.
        unsafe {
            let item = |i| list.array_get(i).unwrap_or(Value::Nil);
            let value_type = scalar_type(item(1), value_type)?;
            self.begin_value(value_type, representation);
            let packed = !matches!(value_type, ValueType::String | ValueType::Bytes);
            let mark = packed.then(|| self.encoder.packed_begin(value_type));
            let mut i = 1;
            loop {
                match (item(i), value_type) {
                    (Value::Nil, _) => break,
                    (Value::Number(number), ValueType::Integer) => {
                        self.encoder.packed_integer(number as i64);
                    }
                    (Value::Number(number), ValueType::Double) => {
                        self.encoder.packed_double(number);
                    }
                    (Value::Bool(truth), ValueType::Bool) => self.encoder.packed_bool(truth),
                    (value @ Value::String(_), ValueType::String | ValueType::Bytes) => {
                        self.single(value_type, value)?;
                    }
                    _ => return Err(Unusual),
                }
                if self.encoder.exceeded() {
                    return Err(Unusual);
                }
                i += 1;
            }
            if let Some(mark) = mark {
                self.encoder.packed_end(mark);
            }
        }
        Ok(())
    }

    fn begin_value(&mut self, value_type: ValueType, representation: Option<&[u8]>) {
        self.encoder.value_type(value_type);
        if let Some(representation) = representation {
            self.encoder.representation(representation);
        }
    }

    unsafe fn single(&mut self, value_type: ValueType, value: Value) -> Result<(), Unusual> {
        match (value, value_type) {
            // SAFETY: as the caller's.
            (Value::String(text), ValueType::Bytes) => unsafe {
                self.encoder.bytes_value(text.bytes());
            },
            // SAFETY: as the caller's.
            (Value::String(text), _) => unsafe { self.encoder.string_value(text.bytes()) },
            (Value::Number(number), ValueType::Integer) => {
                self.encoder.integer_value(number as i64);
            }
            (Value::Number(number), _) => self.encoder.double_value(number),
            (Value::Bool(truth), _) => self.encoder.bool_value(truth),
            _ => return Err(Unusual),
        }
        Ok(())
    }
}

/// The type on the wire of a value, if it is a scalar and the type asked for, if any, is one it can have.
#[inline(always)]
fn scalar_type(value: Value, asked: Option<i64>) -> Result<ValueType, Unusual> {
    match (value, asked) {
        (Value::String(_), None | Some(0)) => Ok(ValueType::String),
        (Value::String(_), Some(1)) => Ok(ValueType::Bytes),
        (Value::Number(_), None | Some(3)) => Ok(ValueType::Double),
        (Value::Number(_), Some(2)) => Ok(ValueType::Integer),
        (Value::Bool(_), None | Some(4)) => Ok(ValueType::Bool),
        _ => Err(Unusual),
    }
}

#[cfg(test)]
#[path = "encode_direct_tests.rs"]
mod tests;
