//! Puts the statements of a state file into effect: data only, and calls of nothing but native constructors and methods.
#![allow(unsafe_code)]

use std::os::raw::c_int;

use super::parse::{CallOf, Literal, MAX_DEPTH, Parser, Path, Statement, Value};
use super::write::lines_of;
use super::{EMPTY_ARRAY, VERSION};
use crate::ffi;

/// Stack slots one statement needs beside its path: arguments, a function, a few values in between.
const SLOTS: c_int = 64;
/// Constructors that are not called `new`.
const CONSTRUCTORS: &[&str] = &[
    "detector.histogram",
    "streaming_algorithms.p2.histogram",
    "streaming_algorithms.p2.quantile",
];

/// One pass over a file. The tables on the way to the last statement's value stay on the stack, because the next
/// statement usually goes the same way.
pub(super) struct Restorer<'f> {
    state: *mut ffi::lua_State,
    /// The stack slot of the globals; the table of the n-th key of `way` lies n above.
    base: c_int,
    way: Path<'f>,
    /// The last userdata that was found to be one that is preserved.
    known: usize,
}

/// Applies all statements of `text`. The stack is as before at the end.
///
/// # Safety
/// The state is not in use by anybody else during the call, and may raise errors (it is called protected).
pub(super) unsafe fn run(state: *mut ffi::lua_State, text: &[u8]) -> Result<(), String> {
    // SAFETY: the caller lends us the state.
    unsafe {
        let top = ffi::lua_gettop(state);
        if ffi::lua_checkstack(state, MAX_DEPTH as c_int + SLOTS) == 0 {
            return Err("restore_global_data no stack left".into());
        }
        ffi::lua_pushvalue(state, ffi::LUA_GLOBALSINDEX);
        let restorer = Restorer {
            state,
            base: top + 1,
            way: Path::new(),
            known: 0,
        };
        let result = restorer.all(text);
        ffi::lua_settop(state, top);
        result
    }
}

impl<'f> Restorer<'f> {
    unsafe fn all(mut self, text: &'f [u8]) -> Result<(), String> {
        let mut parser = Parser::new(text);
        loop {
            let statement = parser.statement();
            let line = parser.line();
            let statement = statement.map_err(|error| format!("restore_global_data {error}"))?;
            let Some(statement) = statement else {
                return Ok(());
            };
            // SAFETY: see `run`.
            let applied = unsafe { self.apply(statement) };
            match applied {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(what) => return Err(format!("restore_global_data line {line}: {what}")),
            }
        }
    }

    /// False when the rest of the file does not count.
    unsafe fn apply(&mut self, statement: Statement<'f>) -> Result<bool, String> {
        // SAFETY: each arm pushes one value and stores it or takes it off.
        unsafe {
            match statement {
                Statement::Version(version) => return Ok(self.version_fits(version)),
                Statement::Assign(path, value) => {
                    self.push_value(value)?;
                    self.store(path)?;
                }
                Statement::Create(path, call) => self.create(path, call)?,
                Statement::Method(path, call) => self.method(&path, &call)?,
            }
        }
        Ok(true)
    }

    /// No version among the globals fits every file.
    unsafe fn version_fits(&self, version: f64) -> bool {
        let state = self.state;
        // SAFETY: a raw read of one global.
        unsafe {
            ffi::lua_pushstring_(state, VERSION.as_ptr());
            ffi::lua_rawget_(state, self.base);
            let absent = ffi::lua_toboolean(state, -1) == 0;
            let same = ffi::lua_type(state, -1) == ffi::LUA_TNUMBER
                && ffi::lua_tonumber(state, -1) == version;
            ffi::lua_pop(state, 1);
            absent || same
        }
    }

    unsafe fn push_value(&mut self, value: Value<'f>) -> Result<(), String> {
        let state = self.state;
        // SAFETY: pushes exactly one value, or fails with the stack's rest to be cut by `run`.
        unsafe {
            match value {
                Value::Literal(literal) => push_literal(state, &literal),
                Value::Table => ffi::lua_createtable(state, 0, 0),
                Value::Array => {
                    ffi::lua_createtable(state, 0, 0);
                    ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, EMPTY_ARRAY.as_ptr());
                    match ffi::lua_type(state, -1) {
                        ffi::LUA_TTABLE => drop(ffi::lua_setmetatable(state, -2)),
                        _ => ffi::lua_pop(state, 1),
                    }
                }
                Value::Reference(path) => self.push_at(&path)?,
                Value::New(call) => self.construct(&call)?,
            }
        }
        Ok(())
    }

    /// Puts the value on top where `path` says, and takes it off.
    unsafe fn store(&mut self, mut path: Path<'f>) -> Result<(), String> {
        let state = self.state;
        let last = path.pop().expect("a path has at least one key");
        // SAFETY: the value is moved above the way, stored and taken off.
        unsafe {
            // The way is rebuilt below the value: keep the value aside in the registry-free manner, on the very base.
            ffi::lua_insert(state, self.base);
            self.base += 1;
            let found = self.go(path);
            let result = found.and_then(|()| self.set(&last));
            self.base -= 1;
            ffi::lua_remove(state, self.base);
            result
        }
    }

    /// Stores the value under the globals' slot in the table on top. Functions are never overwritten: a state file
    /// holds data, and the name may have changed its meaning since it was written.
    unsafe fn set(&mut self, key: &Literal<'f>) -> Result<(), String> {
        let state = self.state;
        // SAFETY: raw reads and writes of the table on top.
        unsafe {
            push_literal(state, key);
            ffi::lua_rawget_(state, -2);
            let keep = ffi::lua_type(state, -1) == ffi::LUA_TFUNCTION
                || (ffi::lua_type(state, -1) == ffi::LUA_TTABLE && self.is_library());
            ffi::lua_pop(state, 1);
            if !keep {
                push_literal(state, key);
                ffi::lua_pushvalue(state, self.base - 1);
                ffi::lua_rawset(state, -3);
            }
        }
        Ok(())
    }

    /// Whether the table on top has a metatable that is not ours: a module, or an object with behaviour.
    unsafe fn is_library(&self) -> bool {
        let state = self.state;
        // SAFETY: pushes up to two metatables and takes them off.
        unsafe {
            if ffi::lua_getmetatable(state, -1) == 0 {
                return false;
            }
            ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, EMPTY_ARRAY.as_ptr());
            let ours = ffi::lua_rawequal(state, -1, -2) != 0;
            ffi::lua_pop(state, 2);
            !ours
        }
    }

    /// Makes the table at `path` the top of the stack.
    unsafe fn go(&mut self, path: Path<'f>) -> Result<(), String> {
        let shared = self.way.iter().zip(&path).take_while(|(a, b)| a == b);
        let shared = shared.count();
        // SAFETY: cuts the way back to what both have in common, then goes on key by key.
        unsafe {
            ffi::lua_settop(self.state, self.base + shared as c_int);
            self.way.truncate(shared);
            for key in path.into_iter().skip(shared) {
                push_literal(self.state, &key);
                ffi::lua_rawget_(self.state, -2);
                let is_data =
                    ffi::lua_type(self.state, -1) == ffi::LUA_TTABLE && !self.is_library();
                if !is_data {
                    ffi::lua_pop(self.state, 1);
                    return Err(format!("{} is no table of data", self.name(&key)));
                }
                self.way.push(key);
            }
        }
        Ok(())
    }

    fn name(&self, last: &Literal<'_>) -> String {
        let mut text = b"_G".to_vec();
        for key in self.way.iter().chain([last]) {
            text.push(b'[');
            match key {
                Literal::String(s) => crate::lib_string::format::quoted(s, &mut text),
                Literal::Number(n) => super::write::number(*n, &mut text),
                Literal::Bool(b) => text.extend_from_slice(b.to_string().as_bytes()),
                Literal::Nil => text.extend_from_slice(b"nil"),
                Literal::List(_) => text.extend_from_slice(b"{}"),
            }
            text.push(b']');
            if text.len() > 200 {
                text.extend_from_slice(b"...");
                break;
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Pushes the value at `path`, nil when it is not there.
    unsafe fn push_at(&mut self, path: &Path<'f>) -> Result<(), String> {
        let state = self.state;
        // SAFETY: raw reads; one value is on the stack at the end.
        unsafe {
            ffi::lua_pushvalue(state, self.base);
            for key in path {
                if ffi::lua_type(state, -1) != ffi::LUA_TTABLE || self.is_foreign() {
                    return Err(format!("a reference to {} leads nowhere", self.name(key)));
                }
                push_literal(state, key);
                ffi::lua_rawget_(state, -2);
                ffi::lua_remove(state, -2);
            }
        }
        Ok(())
    }

    /// As [`Restorer::is_library`], but the globals themselves may have a metatable.
    unsafe fn is_foreign(&self) -> bool {
        // SAFETY: compares the top with the globals.
        unsafe { ffi::lua_rawequal(self.state, -1, self.base) == 0 && self.is_library() }
    }

    /// `if path == nil then path = constructor(...) end`
    unsafe fn create(&mut self, path: Path<'f>, call: CallOf<'f>) -> Result<(), String> {
        let state = self.state;
        // SAFETY: one value is pushed and taken off or stored.
        unsafe {
            let mut parent = path.clone();
            let last = parent.pop().expect("a path has at least one key");
            self.go(parent)?;
            push_literal(state, &last);
            ffi::lua_rawget_(state, -2);
            let absent = ffi::lua_type(state, -1) == ffi::LUA_TNIL;
            ffi::lua_pop(state, 1);
            if absent {
                self.construct(&call)?;
                self.store(path)?;
            }
        }
        Ok(())
    }

    /// Pushes a new userdata. Only native functions named `new` (or known to be such) are called, and only what can preserve itself is
    /// accepted from them.
    unsafe fn construct(&mut self, call: &CallOf<'f>) -> Result<(), String> {
        // SAFETY: raw reads of tables; the call is protected.
        unsafe {
            self.push_constructor(call.name)?;
            self.call(call, 0)?;
            if !self.is_preserved() {
                return Err(format!("{} makes nothing that is preserved", call.name));
            }
        }
        Ok(())
    }

    /// Whether the value on top is a userdata that writes itself into state files: nothing else may be touched by one.
    unsafe fn is_preserved(&mut self) -> bool {
        // SAFETY: looks at the value on top.
        unsafe {
            let identity = ffi::lua_topointer(self.state, -1) as usize;
            let found = ffi::lua_type(self.state, -1) == ffi::LUA_TUSERDATA
                && (identity == self.known || lines_of(self.state, b"_G").is_some());
            if found {
                self.known = identity;
            }
            found
        }
    }

    /// Pushes the function `name`; a module stands for its `new`, since some of Hindsight's write themselves so.
    unsafe fn push_constructor(&mut self, name: &str) -> Result<(), String> {
        let state = self.state;
        // SAFETY: raw reads, one value is left.
        unsafe {
            self.push_dotted(name);
            let is_module = ffi::lua_type(state, -1) == ffi::LUA_TTABLE;
            if is_module {
                ffi::lua_pushstring_(state, c"new".as_ptr());
                ffi::lua_rawget_(state, -2);
                ffi::lua_remove(state, -2);
            }
            let is_new = is_module || name.ends_with(".new") || CONSTRUCTORS.contains(&name);
            if !is_new || ffi::lua_iscfunction(state, -1) == 0 {
                return Err(format!("{name} is no constructor of a loaded module"));
            }
        }
        Ok(())
    }

    unsafe fn push_dotted(&mut self, name: &str) {
        let state = self.state;
        // SAFETY: raw reads that end at the first value that is no table.
        unsafe {
            ffi::lua_pushvalue(state, self.base);
            for part in name.split('.') {
                if ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
                    ffi::lua_pop(state, 1);
                    ffi::lua_pushnil(state);
                    return;
                }
                ffi::lua_pushlstring_(state, part.as_ptr().cast(), part.len());
                ffi::lua_rawget_(state, -2);
                ffi::lua_remove(state, -2);
            }
        }
    }

    /// `path:method(...)`, for userdata that can preserve itself.
    unsafe fn method(&mut self, path: &Path<'f>, call: &CallOf<'f>) -> Result<(), String> {
        let state = self.state;
        // SAFETY: the userdata's metatable is native, so reading `__index` raw finds its table of methods.
        unsafe {
            let top = ffi::lua_gettop(state);
            self.push_at(path)?;
            if !self.is_preserved() {
                return Err(format!(
                    "{} is called on something that is not preserved",
                    call.name
                ));
            }
            ffi::lua_getmetatable(state, -1);
            ffi::lua_pushstring_(state, c"__index".as_ptr());
            ffi::lua_rawget_(state, -2);
            if ffi::lua_type(state, -1) != ffi::LUA_TTABLE {
                return Err(format!("no method {}", call.name));
            }
            ffi::lua_pushlstring_(state, call.name.as_ptr().cast(), call.name.len());
            ffi::lua_rawget_(state, -2);
            if ffi::lua_iscfunction(state, -1) == 0 {
                return Err(format!("no method {}", call.name));
            }
            ffi::lua_pushvalue(state, top + 1);
            self.call(call, 1)?;
            ffi::lua_settop(state, top);
        }
        Ok(())
    }

    /// Calls the function below `pushed` arguments with the literal ones behind them, and leaves one result.
    unsafe fn call(&mut self, call: &CallOf<'f>, pushed: c_int) -> Result<(), String> {
        let state = self.state;
        // SAFETY: the number of arguments is bounded by the parser, the slots were checked for.
        unsafe {
            for arg in &call.args {
                push_literal(state, arg);
            }
            let count = pushed + call.args.len() as c_int;
            if ffi::lua_pcall(state, count, 1, 0) == 0 {
                return Ok(());
            }
            let text = ffi::lua_tostring(state, -1);
            let text = match text.is_null() {
                true => "no message".into(),
                false => std::ffi::CStr::from_ptr(text).to_string_lossy(),
            };
            Err(format!("{}: {text}", call.name))
        }
    }
}

unsafe fn push_literal(state: *mut ffi::lua_State, literal: &Literal<'_>) {
    // SAFETY: pushes one value.
    unsafe {
        match literal {
            Literal::Nil => ffi::lua_pushnil(state),
            Literal::Bool(b) => ffi::lua_pushboolean(state, c_int::from(*b)),
            Literal::Number(n) => ffi::lua_pushnumber(state, *n),
            Literal::String(s) => ffi::lua_pushlstring_(state, s.as_ptr().cast(), s.len()),
            Literal::List(numbers) => {
                // The parser bounds the length.
                ffi::lua_createtable(state, numbers.len() as c_int, 0);
                for (i, number) in (1..).zip(numbers) {
                    ffi::lua_pushnumber(state, *number);
                    ffi::lua_rawseti_(state, -2, i);
                }
            }
        }
    }
}
