//! Walks a plugin's globals and writes the state file.
#![allow(unsafe_code)]

use std::cmp::Ordering;
use std::io::Write as _;
use std::os::raw::c_int;

use rustc_hash::FxHashMap;

use super::parse::MAX_DEPTH;
use super::{EMPTY_ARRAY, VERSION};
use crate::ffi;
use crate::lib_string::format::quoted;
use crate::native::Call;
use crate::vm;

/// Stack slots one level of tables takes, with room for what a userdata's method needs.
const SLOTS: c_int = 12;

/// A key that can be preserved, apart from Lua's heap so that keys can be sorted.
#[derive(Debug)]
enum Key {
    Number(f64),
    String(Vec<u8>),
    Bool(bool),
}

impl Key {
    /// Numbers, then strings, then booleans, each in their own order: the same state gives the same file.
    fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
            (Key::String(a), Key::String(b)) => a.cmp(b),
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::Number(_) => 0,
            Key::String(_) => 1,
            Key::Bool(_) => 2,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Key::Number(n) => number(*n, out),
            Key::String(s) => quoted(s, out),
            Key::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        }
    }
}

/// What one pass over the globals needs.
pub(super) struct Writer {
    state: *mut ffi::lua_State,
    out: Vec<u8>,
    /// The path of the value at hand, as text.
    path: Vec<u8>,
    /// Under which path a table or userdata was written first.
    seen: FxHashMap<usize, Box<[u8]>>,
    depth: usize,
}

impl Writer {
    /// A writer that goes on behind `out`.
    pub(super) fn new(state: *mut ffi::lua_State, out: Vec<u8>) -> Writer {
        Writer {
            state,
            out,
            path: b"_G".to_vec(),
            seen: FxHashMap::default(),
            depth: 0,
        }
    }

    /// Writes everything that can be preserved.
    ///
    /// # Safety
    /// The state is not in use by anybody else during the call.
    pub(super) unsafe fn globals(mut self) -> Result<Vec<u8>, String> {
        let state = self.state;
        // SAFETY: the caller lends us the state; the stack is as it was at the end.
        unsafe {
            if ffi::lua_checkstack(state, SLOTS) == 0 {
                return Err("no stack left".into());
            }
            let top = ffi::lua_gettop(state);
            ffi::lua_pushvalue(state, ffi::LUA_GLOBALSINDEX);
            let globals = ffi::lua_topointer(state, -1) as usize;
            self.seen.insert(globals, Box::default());
            let result = self.table();
            ffi::lua_settop(state, top);
            result?;
        }
        Ok(self.out)
    }

    /// Writes what the table on top of the stack holds.
    unsafe fn table(&mut self) -> Result<(), String> {
        // SAFETY: see `globals`; every level checks its stack slots.
        unsafe {
            if self.depth == MAX_DEPTH || ffi::lua_checkstack(self.state, SLOTS) == 0 {
                let path = String::from_utf8_lossy(&self.path[..self.path.len().min(120)]);
                return Err(format!("{path}... nests deeper than {MAX_DEPTH} tables"));
            }
            let mut keys = self.keys()?;
            keys.sort_unstable_by(Key::order);
            self.depth += 1;
            for key in &keys {
                self.entry(key)?;
            }
            self.depth -= 1;
        }
        Ok(())
    }

    /// The keys of those values that can be preserved.
    unsafe fn keys(&self) -> Result<Vec<Key>, String> {
        let state = self.state;
        let mut keys = Vec::new();
        // SAFETY: the table is on top; `lua_next` replaces the key by the next one and its value.
        unsafe {
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, -2) != 0 {
                if self.is_kept() {
                    match self.key() {
                        Some(key) => keys.push(key),
                        None => return Err(self.bad_key()),
                    }
                }
                ffi::lua_pop(state, 1);
            }
        }
        Ok(keys)
    }

    /// The key below the value on top.
    unsafe fn key(&self) -> Option<Key> {
        // SAFETY: the slot holds a key of `lua_next`; strings are read, never converted.
        unsafe {
            match ffi::lua_type(self.state, -2) {
                ffi::LUA_TNUMBER => Some(Key::Number(ffi::lua_tonumber(self.state, -2))),
                ffi::LUA_TBOOLEAN => Some(Key::Bool(ffi::lua_toboolean(self.state, -2) != 0)),
                ffi::LUA_TSTRING => Some(Key::String(bytes(self.state, -2).to_vec())),
                _ => None,
            }
        }
    }

    unsafe fn bad_key(&self) -> String {
        // SAFETY: the name of a type is a static C string.
        let name = unsafe {
            let name = ffi::lua_typename(self.state, ffi::lua_type(self.state, -2));
            std::ffi::CStr::from_ptr(name).to_string_lossy()
        };
        let path = String::from_utf8_lossy(&self.path);
        format!("serialize_data cannot preserve type '{name}' (a key of {path})")
    }

    /// Whether the value on top belongs into the file.
    unsafe fn is_kept(&self) -> bool {
        let state = self.state;
        // SAFETY: looks at the value and leaves the stack as it was.
        unsafe {
            match ffi::lua_type(state, -1) {
                ffi::LUA_TNUMBER | ffi::LUA_TSTRING | ffi::LUA_TBOOLEAN => true,
                ffi::LUA_TTABLE => {
                    let is_globals = ffi::lua_topointer(state, -1)
                        == ffi::lua_topointer(state, ffi::LUA_GLOBALSINDEX);
                    !is_globals && (!has_metatable(state) || is_marked_array(state))
                }
                // Whether it can be preserved, it says when it is asked for its lines.
                ffi::LUA_TUSERDATA => true,
                _ => false,
            }
        }
    }

    /// Writes the value under `key` of the table on top.
    unsafe fn entry(&mut self, key: &Key) -> Result<(), String> {
        let state = self.state;
        if self.depth == 1 && matches!(key, Key::String(name) if name == VERSION.to_bytes()) {
            return Ok(());
        }
        let parent = self.path.len();
        self.path.push(b'[');
        key.write(&mut self.path);
        self.path.push(b']');
        // SAFETY: pushes the key, which is in the table, and takes the value off again.
        let written = unsafe {
            push_key(state, key);
            ffi::lua_rawget_(state, -2);
            let written = self.value();
            ffi::lua_pop(state, 1);
            written
        };
        self.path.truncate(parent);
        written
    }

    /// Writes the value on top under the path at hand.
    unsafe fn value(&mut self) -> Result<(), String> {
        let state = self.state;
        // SAFETY: reads the value on top.
        unsafe {
            match ffi::lua_type(state, -1) {
                ffi::LUA_TTABLE | ffi::LUA_TUSERDATA => return self.object(),
                ffi::LUA_TNUMBER => {
                    self.assign();
                    number(ffi::lua_tonumber(state, -1), &mut self.out);
                }
                ffi::LUA_TSTRING => {
                    self.assign();
                    quoted(bytes(state, -1), &mut self.out);
                }
                _ => {
                    self.assign();
                    let text = ffi::lua_toboolean(state, -1) != 0;
                    write!(self.out, "{text}").expect("memory");
                }
            }
        }
        self.out.push(b'\n');
        Ok(())
    }

    fn assign(&mut self) {
        self.out.extend_from_slice(&self.path);
        self.out.extend_from_slice(b" = ");
    }

    /// Writes a table or userdata, or where it was written before.
    unsafe fn object(&mut self) -> Result<(), String> {
        let state = self.state;
        // SAFETY: the value on top is a table or a userdata with our method.
        unsafe {
            let identity = ffi::lua_topointer(state, -1) as usize;
            if let Some(earlier) = self.seen.get(&identity) {
                self.out.extend_from_slice(&self.path);
                self.out.extend_from_slice(b" = ");
                self.out.extend_from_slice(earlier);
                self.out.push(b'\n');
                return Ok(());
            }
            if ffi::lua_type(state, -1) == ffi::LUA_TUSERDATA {
                return self.userdata(identity);
            }
            self.seen.insert(identity, self.path.as_slice().into());
            self.assign();
            if is_marked_array(state) && is_empty(state) {
                self.out.extend_from_slice(b"{nil}\n");
                return Ok(());
            }
            self.out.extend_from_slice(b"{}\n");
            self.table()
        }
    }

    /// Asks the userdata on top for its lines; one that has none is left out.
    unsafe fn userdata(&mut self, identity: usize) -> Result<(), String> {
        // SAFETY: the value on top is a userdata.
        let Some(lines) = (unsafe { lines_of(self.state, &self.path) }) else {
            return Ok(());
        };
        let lines = lines.map_err(|error| {
            let path = String::from_utf8_lossy(&self.path);
            format!("lsb_serialize failed {path}: {error}")
        })?;
        self.seen.insert(identity, self.path.as_slice().into());
        self.out.extend_from_slice(&lines);
        if !lines.ends_with(b"\n") {
            self.out.push(b'\n');
        }
        Ok(())
    }
}

/// The statements that restore the userdata on top under `path`; `None` when it has no such form.
pub(super) unsafe fn lines_of(
    state: *mut ffi::lua_State,
    path: &[u8],
) -> Option<Result<Vec<u8>, String>> {
    let mut lines = Vec::new();
    // SAFETY: the host has control of the state, which is one of ours.
    let call = unsafe { Call::new(state, vm::shared(state)) };
    let written = call.preserve_object(-1, path, &mut lines)?;
    Some(written.map(|()| lines))
}

/// Writes a number such that reading it back gives exactly the same one.
pub(super) fn number(n: f64, out: &mut Vec<u8>) {
    let written = if n.is_nan() {
        write!(out, "0/0")
    } else if n.is_infinite() {
        write!(out, "{}1/0", if n < 0.0 { "-" } else { "" })
    } else if n.fract() == 0.0 && n.abs() < 1e15 {
        write!(out, "{n:.0}")
    } else {
        // The shortest digits that are exact.
        write!(out, "{n:?}")
    };
    written.expect("writing to memory cannot fail");
}

unsafe fn push_key(state: *mut ffi::lua_State, key: &Key) {
    // SAFETY: pushes one value; its slot was checked for by the caller's level.
    unsafe {
        match key {
            Key::Number(n) => ffi::lua_pushnumber(state, *n),
            Key::Bool(b) => ffi::lua_pushboolean(state, c_int::from(*b)),
            Key::String(s) => ffi::lua_pushlstring_(state, s.as_ptr().cast(), s.len()),
        }
    }
}

/// The bytes of a string, valid as long as it stays on the stack.
unsafe fn bytes<'s>(state: *mut ffi::lua_State, at: c_int) -> &'s [u8] {
    let mut len = 0;
    // SAFETY: the caller has checked that the slot holds a string.
    unsafe {
        let start = ffi::lua_tolstring(state, at, &mut len);
        std::slice::from_raw_parts(start.cast(), len)
    }
}

unsafe fn has_metatable(state: *mut ffi::lua_State) -> bool {
    // SAFETY: pushes the metatable, if there is one, and takes it off.
    unsafe {
        let has = ffi::lua_getmetatable(state, -1) != 0;
        if has {
            ffi::lua_pop(state, 1);
        }
        has
    }
}

/// Whether the table on top bears the mark of an empty array.
unsafe fn is_marked_array(state: *mut ffi::lua_State) -> bool {
    // SAFETY: pushes two metatables, compares them and takes them off.
    unsafe {
        if ffi::lua_getmetatable(state, -1) == 0 {
            return false;
        }
        ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, EMPTY_ARRAY.as_ptr());
        let marked = ffi::lua_rawequal(state, -1, -2) != 0;
        ffi::lua_pop(state, 2);
        marked
    }
}

unsafe fn is_empty(state: *mut ffi::lua_State) -> bool {
    // SAFETY: `lua_next` pushes a key and a value, or nothing.
    unsafe {
        ffi::lua_pushnil(state);
        let empty = ffi::lua_next(state, -2) == 0;
        if !empty {
            ffi::lua_pop(state, 2);
        }
        empty
    }
}
