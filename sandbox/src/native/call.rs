//! One call of a native function: its arguments, its results, its way back into Lua.

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use stdx::pattern::{Budget, Exceeded};

use super::{Error, Function};
use crate::ffi::{self, lua_Debug, lua_State};
use crate::heap::{self, Value, Word};
use crate::limits::{self, Ended, MAX_NATIVE_DEPTH};
use crate::number_text;
use crate::vm::{self, Shared, slot};

/// Stack slots taken from Lua at a time.
const SLOTS_PER_CHECK: c_int = 32;

/// Slots that pushing leaves free: one for a copy or an error object, and one because Lua tries to grow a stack, which can
/// fail, when its last slot is taken.
const KEPT_SLOTS: c_int = 2;

/// Table slots made ahead at most; tables grow by themselves.
const MAX_PRESIZE: usize = 1 << 16;

/// Numbers below fit into a light userdata: LuaJIT keeps the 39 lower bits as they are, and of what lies above them it allows
/// few different values.
pub const LIGHT_END: u64 = 1 << 39;

/// The kinds of Lua values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// No value: an argument that was not given.
    None,
    /// `nil`
    Nil,
    /// `true` or `false`
    Boolean,
    /// A bare address or number of the host's, such as a sequence id.
    LightUserdata,
    /// A number.
    Number,
    /// A string: any bytes.
    String,
    /// A table.
    Table,
    /// A function, Lua's or native.
    Function,
    /// An object of the host's.
    Userdata,
    /// A coroutine.
    Thread,
    /// What only LuaJIT has: 64-bit integer literals.
    Cdata,
}

impl Type {
    /// Lua's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Type::None => "no value",
            Type::Nil => "nil",
            Type::Boolean => "boolean",
            Type::LightUserdata | Type::Userdata => "userdata",
            Type::Number => "number",
            Type::String => "string",
            Type::Table => "table",
            Type::Function => "function",
            Type::Thread => "thread",
            Type::Cdata => "cdata",
        }
    }

    pub(crate) fn from_raw(raw: c_int) -> Type {
        match raw {
            ffi::LUA_TNIL => Type::Nil,
            ffi::LUA_TBOOLEAN => Type::Boolean,
            ffi::LUA_TLIGHTUSERDATA => Type::LightUserdata,
            ffi::LUA_TNUMBER => Type::Number,
            ffi::LUA_TSTRING => Type::String,
            ffi::LUA_TTABLE => Type::Table,
            ffi::LUA_TFUNCTION => Type::Function,
            ffi::LUA_TUSERDATA => Type::Userdata,
            ffi::LUA_TTHREAD => Type::Thread,
            ffi::LUA_TCDATA => Type::Cdata,
            _ => Type::None,
        }
    }
}

/// Libraries of LuaJIT itself; their functions can be compiled.
#[derive(Clone, Copy, Debug)]
pub enum Builtin {
    /// `math`
    Math,
    /// `string`; opening it gives strings their methods.
    String,
    /// `table`
    Table,
    /// `bit`, LuaJIT's own.
    Bit,
}

/// One call of a native function.
///
/// The arguments lie at positions `1..=arg_count()` and stay there. What is pushed lies above, the last at `-1`. The
/// results are the topmost values.
pub struct Call<'a> {
    l: *mut lua_State,
    shared: &'a Shared,
    n_args: c_int,
    /// The stack height up to which room was asked for.
    room_end: c_int,
    _not_send: PhantomData<*mut ()>,
}

impl<'a> Call<'a> {
    /// # Safety
    /// `l` runs a C function (or is the main thread, under the host's control) with LUA_MINSTACK free slots, and `shared`
    /// is its own. Rust has control: the memory is lenient.
    #[inline(always)]
    pub(crate) unsafe fn new(l: *mut lua_State, shared: &'a Shared) -> Call<'a> {
        // SAFETY: by the caller.
        let n_args = unsafe { height(l) };
        let room_end = n_args + ffi::LUA_MINSTACK - KEPT_SLOTS;
        Call {
            l,
            shared,
            n_args,
            room_end,
            _not_send: PhantomData,
        }
    }

    // ---- Arguments ----

    /// How many arguments were given.
    pub fn arg_count(&self) -> usize {
        self.n_args as usize
    }

    /// The kind of the value at `i`: an argument from 1, or from the top with -1, -2, ...
    #[inline]
    pub fn type_of(&self, i: i32) -> Type {
        if heap::is_proved() {
            // SAFETY: the layout was proved.
            return unsafe { heap::word_at(self.l, i) }.map_or(Type::None, heap::Word::kind);
        }
        // SAFETY: `at` gives valid indices, or ones above the top, for which Lua answers "none".
        Type::from_raw(unsafe { ffi::lua_type(self.l, self.at(i)) })
    }

    /// Lua's name of the kind of the value at `i`.
    pub fn type_name(&self, i: i32) -> &'static str {
        self.type_of(i).name()
    }

    /// Whether argument `i` was not given.
    pub fn is_none(&self, i: i32) -> bool {
        self.type_of(i) == Type::None
    }

    /// Whether the value at `i` is nil.
    #[inline]
    pub fn is_nil(&self, i: i32) -> bool {
        self.type_of(i) == Type::Nil
    }

    /// Whether argument `i` is nil or was not given.
    pub fn is_none_or_nil(&self, i: i32) -> bool {
        matches!(self.type_of(i), Type::None | Type::Nil)
    }

    /// Argument `i` as bytes; a number is turned into a string, as Lua does.
    ///
    /// # Errors
    /// `bad argument #i to '...' (string expected, got ...)`
    // Inlined, because an answer that is put together in memory and then read as a whole stalls the processor.
    #[inline(always)]
    pub fn check_bytes(&self, i: i32) -> Result<&'a [u8], Error> {
        if self.is_argument(i)
            && let Some(text) = self.look(i).and_then(Word::string)
        {
            // SAFETY: an argument stays on the stack for the whole call, and strings neither move nor change.
            return Ok(unsafe { text.bytes() });
        }
        self.check_other_bytes(i)
    }

    /// [`Call::check_bytes`] of what is not seen to be a string.
    #[inline(never)]
    fn check_other_bytes(&self, i: i32) -> Result<&'a [u8], Error> {
        if self.is_argument(i) && matches!(self.type_of(i), Type::String | Type::Number) {
            // SAFETY: an argument stays on the stack for the whole call, and strings neither move nor change.
            return Ok(unsafe { vm::bytes_of(self.l, i) });
        }
        Err(self.type_error(i, "string"))
    }

    /// As [`Call::check_bytes`]; `None` for nil and nothing.
    ///
    /// # Errors
    /// As [`Call::check_bytes`].
    pub fn opt_bytes(&self, i: i32) -> Result<Option<&'a [u8]>, Error> {
        if self.is_none_or_nil(i) {
            Ok(None)
        } else {
            self.check_bytes(i).map(Some)
        }
    }

    /// Argument `i` as a number; a string that holds one is turned into it, as Lua does.
    ///
    /// # Errors
    /// `bad argument #i to '...' (number expected, got ...)`
    pub fn check_number(&self, i: i32) -> Result<f64, Error> {
        self.to_number(i)
            .ok_or_else(|| self.type_error(i, "number"))
    }

    /// As [`Call::check_number`]; `None` for nil and nothing.
    ///
    /// # Errors
    /// As [`Call::check_number`].
    pub fn opt_number(&self, i: i32) -> Result<Option<f64>, Error> {
        if self.is_none_or_nil(i) {
            Ok(None)
        } else {
            self.check_number(i).map(Some)
        }
    }

    /// Argument `i` as a whole number: what follows the decimal point is cut, and the range ends at that of `i64`.
    ///
    /// # Errors
    /// As [`Call::check_number`].
    pub fn check_integer(&self, i: i32) -> Result<i64, Error> {
        self.check_number(i).map(|number| number as i64)
    }

    /// As [`Call::check_integer`]; `None` for nil and nothing.
    ///
    /// # Errors
    /// As [`Call::check_number`].
    pub fn opt_integer(&self, i: i32) -> Result<Option<i64>, Error> {
        Ok(self.opt_number(i)?.map(|number| number as i64))
    }

    /// Argument `i` must be a boolean.
    ///
    /// # Errors
    /// `bad argument #i to '...' (boolean expected, got ...)`
    pub fn check_bool(&self, i: i32) -> Result<bool, Error> {
        self.bool_at(i).ok_or_else(|| self.type_error(i, "boolean"))
    }

    /// Argument `i` must be a table.
    ///
    /// # Errors
    /// `bad argument #i to '...' (table expected, got ...)`
    pub fn check_table(&self, i: i32) -> Result<(), Error> {
        self.check_type(i, Type::Table)
    }

    /// Argument `i` must be a function.
    ///
    /// # Errors
    /// `bad argument #i to '...' (function expected, got ...)`
    pub fn check_function(&self, i: i32) -> Result<(), Error> {
        self.check_type(i, Type::Function)
    }

    /// Argument `i` must be of the given kind.
    ///
    /// # Errors
    /// `bad argument #i to '...' (... expected, got ...)`
    pub fn check_type(&self, i: i32, kind: Type) -> Result<(), Error> {
        if self.type_of(i) == kind {
            Ok(())
        } else {
            Err(self.type_error(i, kind.name()))
        }
    }

    /// Argument `i` must be given, be it nil.
    ///
    /// # Errors
    /// `bad argument #i to '...' (value expected)`
    pub fn check_any(&self, i: i32) -> Result<(), Error> {
        if self.is_none(i) {
            Err(Error::argument(i, "value expected"))
        } else {
            Ok(())
        }
    }

    /// `bad argument #i to '...' (expected expected, got ...)`, to be returned.
    pub fn type_error(&self, i: i32, expected: &str) -> Error {
        Error::argument(i, format!("{expected} expected, got {}", self.type_name(i)))
    }

    // ---- Values at any place ----

    /// The value at `i` as it lies on the stack; none if nothing is there, or the stack cannot be read.
    #[inline(always)]
    pub(super) fn look(&self, i: i32) -> Option<Word> {
        if !heap::is_proved() {
            return None;
        }
        // SAFETY: the layout was proved.
        unsafe { heap::word_at(self.l, i) }
    }

    /// The bytes of the value at `i`, if it is a string (not a number).
    #[inline(always)]
    pub fn bytes_at(&self, i: i32) -> Option<&[u8]> {
        if let Some(word) = self.look(i) {
            // SAFETY: the value stays on the stack while `self` is borrowed.
            return word.string().map(|text| unsafe { text.bytes() });
        }
        // SAFETY: the value stays on the stack while `self` is borrowed.
        (self.type_of(i) == Type::String).then(|| unsafe { vm::bytes_of(self.l, self.at(i)) })
    }

    /// The value at `i` as text, if it is a string or a number (as `tostring` writes it); the value itself stays as it is.
    pub fn text_at(&self, i: i32) -> Option<Vec<u8>> {
        match self.type_of(i) {
            Type::String => self.bytes_at(i).map(<[u8]>::to_vec),
            Type::Number => self.with_copy(i, |l| {
                // SAFETY: the copy on top is a number, which becomes a string there.
                unsafe { vm::bytes_of(l, -1) }.to_vec()
            }),
            _ => None,
        }
    }

    /// Appends the number at `i` as `tostring` writes it; nothing if there is none.
    pub(crate) fn write_number(&self, i: i32, out: &mut Vec<u8>) {
        let Some(number) = self.number_at(i) else {
            return;
        };
        if !number_text::push_whole(number, out) {
            out.extend_from_slice(&self.text_at(i).unwrap_or_default());
        }
    }

    /// Runs `read` with a copy of the value at `i` on top.
    fn with_copy<T>(&self, i: i32, read: impl FnOnce(*mut lua_State) -> T) -> Option<T> {
        // SAFETY: one slot above `room_end` is always kept; the copy is popped again.
        unsafe {
            ffi::lua_pushvalue(self.l, self.at(i));
            let result = read(self.l);
            ffi::lua_settop(self.l, -2);
            Some(result)
        }
    }

    /// The number at `i`, if it is one (not a string).
    #[inline]
    pub fn number_at(&self, i: i32) -> Option<f64> {
        if let Some(word) = self.look(i) {
            return word.number();
        }
        // SAFETY: the index is valid.
        (self.type_of(i) == Type::Number).then(|| unsafe { ffi::lua_tonumber(self.l, self.at(i)) })
    }

    /// The value at `i` as a number, if it is one or a string that holds one.
    #[inline]
    pub fn to_number(&self, i: i32) -> Option<f64> {
        if let Some(number) = self.look(i).and_then(Word::number) {
            return Some(number);
        }
        let i = self.at(i);
        // SAFETY: the index is valid, or above the top, which is no number; neither call changes the value.
        unsafe {
            match ffi::lua_type(self.l, i) {
                ffi::LUA_TNUMBER => Some(ffi::lua_tonumber(self.l, i)),
                ffi::LUA_TSTRING if ffi::lua_isnumber(self.l, i) != 0 => {
                    Some(ffi::lua_tonumber(self.l, i))
                }
                _ => None,
            }
        }
    }

    /// The boolean at `i`, if it is one.
    pub fn bool_at(&self, i: i32) -> Option<bool> {
        (self.type_of(i) == Type::Boolean).then(|| self.is_true(i))
    }

    /// Whether the value at `i` counts as true: anything but false, nil and nothing.
    #[inline]
    pub fn is_true(&self, i: i32) -> bool {
        // SAFETY: the index is valid, or above the top, which counts as false.
        unsafe { ffi::lua_toboolean(self.l, self.at(i)) != 0 }
    }

    /// The number that a light userdata at `i` stands for, if it is one.
    pub fn light_at(&self, i: i32) -> Option<u64> {
        // SAFETY: the index is valid.
        (self.type_of(i) == Type::LightUserdata)
            .then(|| unsafe { ffi::lua_touserdata(self.l, self.at(i)) } as usize as u64)
    }

    /// Length of the string or border of the table at `i`, without metamethods; 0 for anything else.
    #[inline]
    pub fn raw_len(&self, i: i32) -> usize {
        match self.type_of(i) {
            // SAFETY: the index is valid; strings and tables have a length.
            Type::String | Type::Table => unsafe { ffi::lua_objlen(self.l, self.at(i)) },
            _ => 0,
        }
    }

    /// Whether two values are the same, without metamethods.
    pub fn raw_equal(&self, a: i32, b: i32) -> bool {
        // SAFETY: the indices are valid or above the top.
        unsafe { ffi::lua_rawequal(self.l, self.at(a), self.at(b)) != 0 }
    }

    /// Whether the function at `i` is a native one.
    pub fn is_native_function(&self, i: i32) -> bool {
        // SAFETY: the index is valid or above the top.
        unsafe { ffi::lua_iscfunction(self.l, self.at(i)) != 0 }
    }

    /// The address of the table, function, object or coroutine at `i`; 0 for anything else. It tells values apart as long as
    /// they live, and must not be shown to plugins.
    pub fn address(&self, i: i32) -> usize {
        // SAFETY: the index is valid or above the top; the address is never followed.
        unsafe { ffi::lua_topointer(self.l, self.at(i)) as usize }
    }

    /// A text that names the object at `i` without giving away its address; equal objects give equal texts.
    ///
    /// # Errors
    /// At the memory limit.
    pub fn identity(&mut self, i: i32) -> Result<String, Error> {
        let i = self.at(i);
        let name = self.type_name(i);
        self.room(3)?;
        // SAFETY: there is room; the value is no nil and no NaN, so it can be a key.
        unsafe {
            if matches!(self.type_of(i), Type::None | Type::Nil | Type::Number) {
                return Ok(name.into());
            }
            ffi::lua_rawgeti_(self.l, ffi::LUA_REGISTRYINDEX, slot::IDS);
            ffi::lua_pushvalue(self.l, i);
            ffi::lua_rawget_(self.l, -2);
            let mut id = ffi::lua_tonumber(self.l, -1) as u64;
            if id == 0 {
                id = self.shared.next_id();
                ffi::lua_pushvalue(self.l, i);
                ffi::lua_pushnumber(self.l, id as f64);
                ffi::lua_rawset(self.l, -4);
            }
            ffi::lua_settop(self.l, -3);
            Ok(format!("{name}: 0x{id:08x}"))
        }
    }

    // ---- The stack ----

    /// Height of the stack: the position of the topmost value.
    #[inline]
    pub fn top(&self) -> i32 {
        // SAFETY: always allowed.
        unsafe { height(self.l) }
    }

    /// Removes the `n` topmost values; arguments stay.
    #[inline]
    pub fn pop(&mut self, n: usize) {
        let top = self.top() - n.min(self.top() as usize) as i32;
        self.truncate(top);
    }

    /// Removes everything above position `top`; arguments stay.
    #[inline]
    pub fn truncate(&mut self, top: i32) {
        let top = top.max(self.n_args);
        if top < self.top() {
            // SAFETY: it only shrinks, and not into the arguments.
            unsafe { ffi::lua_settop(self.l, top) };
        }
    }

    /// Moves the topmost value to position `i`, above the arguments.
    #[inline]
    pub fn insert(&mut self, i: i32) {
        let i = self.at(i);
        assert!(
            i > self.n_args && i <= self.top(),
            "insertion below the pushed values"
        );
        // SAFETY: the index is valid and is none of an argument.
        unsafe { ffi::lua_insert(self.l, i) };
    }

    /// Makes sure that `n` more values can be pushed.
    ///
    /// # Errors
    /// `stack overflow (what)`
    #[inline]
    pub fn reserve(&mut self, n: u8, what: &str) -> Result<(), Error> {
        self.room(c_int::from(n))
            .map_err(|_| Error::new(format!("stack overflow ({what})")))
    }

    /// Pushes a copy of the value at `i`.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn push_value(&mut self, i: i32) -> Result<(), Error> {
        let i = self.at(i);
        if i > self.top() {
            return self.push_nil();
        }
        self.room(1)?;
        // SAFETY: the index is valid, and there is room.
        unsafe { ffi::lua_pushvalue(self.l, i) };
        Ok(())
    }

    /// Pushes nil.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn push_nil(&mut self) -> Result<(), Error> {
        self.room(1)?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnil(self.l) };
        Ok(())
    }

    /// Pushes a boolean.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn push_bool(&mut self, truth: bool) -> Result<(), Error> {
        self.room(1)?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushboolean(self.l, c_int::from(truth)) };
        Ok(())
    }

    /// Pushes a number.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn push_number(&mut self, number: f64) -> Result<(), Error> {
        self.room(1)?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnumber(self.l, number) };
        Ok(())
    }

    /// Pushes a whole number; beyond 2^53 it is rounded, as Lua knows only doubles.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn push_integer(&mut self, number: i64) -> Result<(), Error> {
        self.push_number(number as f64)
    }

    /// Pushes a number below [`LIGHT_END`] as light userdata, which Lua code can keep and compare only.
    ///
    /// # Errors
    /// When the stack is full.
    ///
    /// # Panics
    /// When the number is too large.
    pub fn push_light(&mut self, number: u64) -> Result<(), Error> {
        assert!(number < LIGHT_END, "{number} is no light userdata");
        self.room(1)?;
        // SAFETY: there is room; the address is never followed.
        unsafe { ffi::lua_pushlightuserdata(self.l, number as usize as *mut _) };
        Ok(())
    }

    /// Pushes a string.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    #[inline]
    pub fn push_bytes(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
        let bytes = bytes.as_ref();
        self.check_memory(bytes.len())?;
        self.room(1)?;
        self.push_raw_bytes(bytes);
        Ok(())
    }

    /// Pushes a new table with room for `n_array` and `n_keys` values.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    #[inline]
    pub fn push_table(&mut self, n_array: usize, n_keys: usize) -> Result<(), Error> {
        self.check_memory(0)?;
        self.room(1)?;
        let (n_array, n_keys) = (n_array.min(MAX_PRESIZE), n_keys.min(MAX_PRESIZE));
        // SAFETY: there is room; the sizes are far from Lua's limits.
        unsafe { ffi::lua_createtable(self.l, n_array as c_int, n_keys as c_int) };
        Ok(())
    }

    /// Pushes a new empty table that is written as an empty array: `[]` in JSON, `{nil}` in state files.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_empty_array(&mut self) -> Result<(), Error> {
        self.push_table(0, 0)?;
        self.room(1)?;
        self.push_slot(slot::ARRAY);
        // SAFETY: table and metatable are on top.
        unsafe { ffi::lua_setmetatable(self.l, -2) };
        Ok(())
    }

    /// Whether the value at `i` is a table marked as an empty array; it may have been filled since.
    pub fn is_empty_array(&mut self, i: i32) -> bool {
        let i = self.at(i);
        if self.type_of(i) != Type::Table || self.room(2).is_err() {
            return false;
        }
        // SAFETY: the index is valid, there is room, and what was pushed is popped.
        unsafe {
            if ffi::lua_getmetatable(self.l, i) == 0 {
                return false;
            }
            self.push_slot(slot::ARRAY);
            let marked = ffi::lua_rawequal(self.l, -1, -2) != 0;
            ffi::lua_settop(self.l, -3);
            marked
        }
    }

    /// Whether the value at `i` is a table that was made with room for items, and none for keys: `{nil}` was, `{}` was not.
    pub(super) fn has_array_part(&self, i: i32) -> bool {
        match self.look(i).map(Word::value) {
            // SAFETY: the table is on the stack.
            Some(Value::Table(table)) => unsafe { table.array_len() > 0 },
            _ => false,
        }
    }

    /// Pushes a native function.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_function(&mut self, function: Function) -> Result<(), Error> {
        self.push_closure(function, 0)
    }

    /// Pushes a native function that keeps the `n` topmost values, which are popped; it reads them with
    /// [`Call::push_upvalue`] and changes them with [`Call::set_upvalue`].
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_closure(&mut self, function: Function, n: u8) -> Result<(), Error> {
        assert!(
            self.top() - self.n_args >= i32::from(n),
            "fewer values pushed than upvalues wanted"
        );
        self.check_memory(0)?;
        self.room(1)?;
        // SAFETY: the upvalues are there, and there is room.
        unsafe { ffi::lua_pushcclosure(self.l, function.0, c_int::from(n)) };
        Ok(())
    }

    /// Pushes upvalue `i` (from 1) of the running function; nil if it has none.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn push_upvalue(&mut self, i: u8) -> Result<(), Error> {
        self.room(1)?;
        // SAFETY: Lua answers nil for upvalues that the function does not have.
        unsafe { ffi::lua_pushvalue(self.l, ffi::lua_upvalueindex(c_int::from(i))) };
        Ok(())
    }

    /// Appends upvalue `i` of the running function to its arguments and returns its position there, so that an object which
    /// a closure keeps can be borrowed. Comes before anything is pushed.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn adopt_upvalue(&mut self, i: u8) -> Result<i32, Error> {
        assert!(self.top() == self.n_args, "values were pushed before");
        self.push_upvalue(i)?;
        self.n_args += 1;
        Ok(self.n_args)
    }

    /// Pops a value into upvalue `i` of the running function, which must have one.
    pub fn set_upvalue(&mut self, i: u8) {
        let i = ffi::lua_upvalueindex(c_int::from(i));
        assert!(self.top() > self.n_args, "no value to pop");
        // SAFETY: a missing upvalue has type none and is refused.
        unsafe {
            assert!(
                ffi::lua_type(self.l, i) != ffi::LUA_TNONE,
                "no such upvalue"
            );
            ffi::lua_replace(self.l, i);
        }
    }

    /// Pushes a library: a new table with the given functions.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_library(&mut self, functions: &[(&str, Function)]) -> Result<(), Error> {
        self.push_table(0, functions.len())?;
        self.set_functions(-1, functions)
    }

    /// Sets functions in the table at `table`.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn set_functions(
        &mut self,
        table: i32,
        functions: &[(&str, Function)],
    ) -> Result<(), Error> {
        let table = self.at(table);
        for (name, function) in functions {
            self.push_function(*function)?;
            self.raw_set_field(table, name)?;
        }
        Ok(())
    }

    /// Opens one of LuaJIT's own libraries and pushes its table. Its functions are not charged to the budget, so a module
    /// replaces those that can last.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_builtin(&mut self, library: Builtin) -> Result<(), Error> {
        self.room(3)?;
        let (open, name): (ffi::lua_CFunction, &str) = match library {
            Builtin::Math => (ffi::luaopen_math, "math"),
            Builtin::String => (ffi::luaopen_string, "string"),
            Builtin::Table => (ffi::luaopen_table, "table"),
            Builtin::Bit => (ffi::luaopen_bit, "bit"),
        };
        // The library sets a global of its name, which may be the plugin's own by now.
        self.push_global(name)?;
        // SAFETY: there is room; the opener takes the name and returns the table.
        unsafe {
            ffi::lua_pushcclosure(self.l, open, 0);
            self.push_raw_bytes(name.as_bytes());
        }
        self.call(1, 1)?;
        self.insert(-2);
        self.set_global(name)
    }

    // ---- Tables, always without metamethods ----

    /// Pushes `table[key]`, where `key` is on top and is popped; nil when there is none.
    pub fn raw_get(&mut self, table: i32) {
        let table = self.table(table);
        assert!(self.top() > self.n_args, "no key to pop");
        // SAFETY: the table is one, the key is on the stack.
        unsafe { ffi::lua_rawget_(self.l, table) };
    }

    /// Pushes `table[name]`.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn raw_get_field(&mut self, table: i32, name: &str) -> Result<(), Error> {
        let table = self.table(table);
        self.push_bytes(name)?;
        // SAFETY: the table is one, the key is on the stack.
        unsafe { ffi::lua_rawget_(self.l, table) };
        Ok(())
    }

    /// Pushes `table[i]`.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn raw_get_index(&mut self, table: i32, i: i64) -> Result<(), Error> {
        let table = self.table(table);
        self.room(1)?;
        // SAFETY: the table is one, and there is room.
        unsafe {
            match c_int::try_from(i) {
                Ok(i) => ffi::lua_rawgeti_(self.l, table, i),
                Err(_) => {
                    ffi::lua_pushnumber(self.l, i as f64);
                    ffi::lua_rawget_(self.l, table);
                }
            }
        }
        Ok(())
    }

    /// Does `table[key] = value`, where the key lies below the value on top; both are popped.
    ///
    /// # Errors
    /// When the key is nil or NaN, or at the memory limit.
    #[inline]
    pub fn raw_set(&mut self, table: i32) -> Result<(), Error> {
        let table = self.table(table);
        assert!(self.top() >= self.n_args + 2, "no key and value to pop");
        self.check_memory(0)?;
        match self.type_of(-2) {
            Type::Nil => return Err(Error::new("table index is nil")),
            Type::Number if self.number_at(-2).is_some_and(f64::is_nan) => {
                return Err(Error::new("table index is NaN"));
            }
            _ => {}
        }
        // SAFETY: the table is one, key and value are on the stack, and the key is allowed.
        unsafe { ffi::lua_rawset(self.l, table) };
        Ok(())
    }

    /// Does `table[name] = value` with the value on top, which is popped.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn raw_set_field(&mut self, table: i32, name: &str) -> Result<(), Error> {
        let table = self.table(table);
        assert!(self.top() > self.n_args, "no value to pop");
        self.push_bytes(name)?;
        // SAFETY: the table is one; key and value are on the stack.
        unsafe {
            ffi::lua_insert(self.l, -2);
            ffi::lua_rawset(self.l, table);
        }
        Ok(())
    }

    /// Does `table[keys[i]] = bytes`, where both are tables at positions from 1; the short way for those who make many
    /// tables with the same keys.
    ///
    /// # Errors
    /// When there is no such key or it is a NaN; at the memory limit, or when the stack is full.
    #[inline]
    pub fn raw_set_text(
        &mut self,
        table: i32,
        keys: i32,
        i: i32,
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.check_memory(bytes.len())?;
        self.room(2)?;
        let (table, keys) = (self.table(table), self.table(keys));
        // SAFETY: both are tables, there is room, and the key is neither nil nor a NaN.
        unsafe {
            ffi::lua_rawgeti_(self.l, keys, i);
            let is_key = match ffi::lua_type(self.l, -1) {
                ffi::LUA_TNIL => false,
                ffi::LUA_TNUMBER => !ffi::lua_tonumber(self.l, -1).is_nan(),
                _ => true,
            };
            if !is_key {
                ffi::lua_settop(self.l, -2);
                return Err(Error::new("table index is nil or NaN"));
            }
            self.push_raw_bytes(bytes);
            ffi::lua_rawset(self.l, table);
        }
        Ok(())
    }

    /// Does `table[i] = value` with the value on top, which is popped.
    ///
    /// # Errors
    /// At the memory limit.
    #[inline]
    pub fn raw_set_index(&mut self, table: i32, i: i64) -> Result<(), Error> {
        let table = self.table(table);
        assert!(self.top() > self.n_args, "no value to pop");
        self.check_memory(0)?;
        self.room(1)?;
        // SAFETY: the table is one; the value is on the stack.
        unsafe {
            match c_int::try_from(i) {
                Ok(i) => ffi::lua_rawseti_(self.l, table, i),
                Err(_) => {
                    ffi::lua_pushnumber(self.l, i as f64);
                    ffi::lua_insert(self.l, -2);
                    ffi::lua_rawset(self.l, table);
                }
            }
        }
        Ok(())
    }

    /// Calls `visit` for every entry of the table, with the key at -2 and the value at -1. What `visit` pushes beyond is
    /// removed; it may change the value of the key it sees, and must not touch key and value on the stack.
    ///
    /// # Errors
    /// What `visit` returns; or when `visit` added keys so that the place in the table is lost.
    pub fn for_each(
        &mut self,
        table: i32,
        mut visit: impl FnMut(&mut Call<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let table = self.table(table);
        self.push_nil()?;
        let key = self.top();
        loop {
            self.room(3)?;
            if !self.next(table, key)? {
                return Ok(());
            }
            visit(self)?;
            assert!(self.top() > key, "the visitor took what it did not push");
            self.truncate(key);
        }
    }

    /// Steps from the key at `key`, which is on top, to the next; false, with the key popped, at the end.
    fn next(&mut self, table: c_int, key: c_int) -> Result<bool, Error> {
        // SAFETY: the table is one; there is room. lua_next fails only for a key that is not in the table: one whose
        // value is not nil is, and nil is the beginning. For others it is asked under protection.
        unsafe {
            if ffi::lua_type(self.l, key) != ffi::LUA_TNIL {
                ffi::lua_pushvalue(self.l, key);
                ffi::lua_rawget_(self.l, table);
                let present = ffi::lua_type(self.l, -1) != ffi::LUA_TNIL;
                ffi::lua_settop(self.l, key);
                if !present {
                    return self.next_protected(table, key);
                }
            }
            Ok(ffi::lua_next(self.l, table) != 0)
        }
    }

    fn next_protected(&mut self, table: c_int, key: c_int) -> Result<bool, Error> {
        unsafe extern "C-unwind" fn next(l: *mut lua_State) -> c_int {
            // SAFETY: called with table and key; one result more than it takes fits into the stack of a C function.
            unsafe { if ffi::lua_next(l, 1) == 0 { 0 } else { 2 } }
        }
        self.room(3)?;
        // SAFETY: there is room.
        unsafe {
            ffi::lua_pushcclosure(self.l, next, 0);
            ffi::lua_pushvalue(self.l, table);
            ffi::lua_pushvalue(self.l, key);
        }
        self.call(2, ffi::LUA_MULTRET)?;
        let found = self.top() > key;
        // SAFETY: the old key lies below the new key and value, or is the topmost value.
        unsafe { ffi::lua_remove(self.l, key) };
        Ok(found)
    }

    /// Pushes the metatable of the value at `i` and returns true, or pushes nothing.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn push_metatable(&mut self, i: i32) -> Result<bool, Error> {
        let i = self.at(i);
        self.room(1)?;
        // SAFETY: there is room; a missing value has no metatable.
        Ok(i <= self.top() && unsafe { ffi::lua_getmetatable(self.l, i) != 0 })
    }

    /// Sets the table on top, which is popped, as metatable of the table at `table`.
    pub fn set_metatable(&mut self, table: i32) {
        let table = self.table(table);
        assert!(
            self.top() > self.n_args && self.type_of(-1) == Type::Table,
            "no metatable to pop"
        );
        // SAFETY: both are tables.
        unsafe { ffi::lua_setmetatable(self.l, table) };
    }

    /// Pushes the metatable of all strings, made if there is none yet. For the string library only.
    pub(crate) fn push_string_metatable(&mut self) -> Result<(), Error> {
        self.push_bytes("")?;
        if self.push_metatable(-1)? {
            self.insert(-2);
            self.pop(1);
            return Ok(());
        }
        self.push_table(0, 2)?;
        self.push_value(-1)?;
        // SAFETY: string, metatable, metatable lie on top; the string's type gets it, then the string goes.
        unsafe {
            ffi::lua_setmetatable(self.l, -3);
            ffi::lua_remove(self.l, -2);
        }
        Ok(())
    }

    /// Pushes the global `name` of the plugin, without metamethods.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_global(&mut self, name: &str) -> Result<(), Error> {
        self.push_bytes(name)?;
        // SAFETY: the key is on the stack.
        unsafe { ffi::lua_rawget_(self.l, ffi::LUA_GLOBALSINDEX) };
        Ok(())
    }

    /// Pops a value into the global `name`, without metamethods.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn set_global(&mut self, name: &str) -> Result<(), Error> {
        assert!(self.top() > self.n_args, "no value to pop");
        self.push_bytes(name)?;
        // SAFETY: key and value are on the stack.
        unsafe {
            ffi::lua_insert(self.l, -2);
            ffi::lua_rawset(self.l, ffi::LUA_GLOBALSINDEX);
        }
        Ok(())
    }

    /// Pushes the table of globals.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn push_globals(&mut self) -> Result<(), Error> {
        self.room(1)?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushvalue(self.l, ffi::LUA_GLOBALSINDEX) };
        Ok(())
    }

    /// Pushes what this state keeps out of the plugin's sight under `name`; nil if nothing.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_kept(&mut self, name: &'static str) -> Result<(), Error> {
        self.push_bytes(kept_key(name))?;
        // SAFETY: the key is on the stack.
        unsafe { ffi::lua_rawget_(self.l, ffi::LUA_REGISTRYINDEX) };
        Ok(())
    }

    /// Pops a value to keep it out of the plugin's sight under `name`, which should hold the module's name.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn keep(&mut self, name: &'static str) -> Result<(), Error> {
        assert!(self.top() > self.n_args, "no value to pop");
        self.push_bytes(kept_key(name))?;
        // SAFETY: key and value are on the stack.
        unsafe {
            ffi::lua_insert(self.l, -2);
            ffi::lua_rawset(self.l, ffi::LUA_REGISTRYINDEX);
        }
        Ok(())
    }

    // ---- Calling Lua ----

    /// Calls the function that lies below its `n_args` arguments on top; all are popped and the results pushed. The error
    /// of the callee is this function's error, to be passed on as it is.
    ///
    /// # Errors
    /// What the callee raises; when calls are nested too deeply.
    pub fn call(&mut self, n_args: usize, n_results: i32) -> Result<(), Error> {
        if self.call_protected(n_args, n_results)? {
            return Ok(());
        }
        // SAFETY: the error object is on the stack.
        unsafe { ffi::lua_rawseti_(self.l, ffi::LUA_REGISTRYINDEX, slot::ERROR) };
        Err(Error::raised())
    }

    /// As [`Call::call`], but false with the error object pushed when the callee fails. `n_results` -1 means all.
    ///
    /// # Errors
    /// When the callee was ended by the host or by its limits, which must be passed on; when calls are nested too deeply.
    pub fn call_protected(&mut self, n_args: usize, n_results: i32) -> Result<bool, Error> {
        let n_args = c_int::try_from(n_args).unwrap_or(c_int::MAX);
        assert!(
            self.top() - self.n_args > n_args,
            "no function and arguments to pop"
        );
        self.room(n_results.max(1))?;
        let shared = self.shared;
        let depth = shared.depth.get();
        if depth >= MAX_NATIVE_DEPTH {
            return Err(Error::new("C stack overflow"));
        }
        shared.depth.set(depth + 1);
        let lenient = shared.memory.lenient.replace(shared.memory.lifted.get());
        // SAFETY: function and arguments are on the stack, and the call is protected.
        let status = unsafe { ffi::lua_pcall(self.l, n_args, n_results, 0) };
        shared.memory.lenient.set(lenient);
        shared.depth.set(depth);
        if n_results < 0 {
            // Lua has made room for the results only.
            self.room_end = 0;
            self.room(0)?;
        }
        if status != 0 && shared.budget.ended() != Ended::No {
            // SAFETY: the error object is on the stack.
            unsafe { ffi::lua_rawseti_(self.l, ffi::LUA_REGISTRYINDEX, slot::ERROR) };
            return Err(Error::raised());
        }
        if status == ffi::LUA_ERRMEM {
            // Whoever catches this wants to go on, but Lua itself collects nothing when memory is refused.
            // SAFETY: Rust has control again.
            unsafe { vm::make_room(self.l, shared, 0) };
        }
        Ok(status == 0)
    }

    /// Whether the value at `a` is less than that at `b`, by `__lt` if it has to be.
    ///
    /// # Errors
    /// `attempt to compare ...`; what `__lt` raises.
    pub fn less_than(&mut self, a: i32, b: i32) -> Result<bool, Error> {
        unsafe extern "C-unwind" fn less(l: *mut lua_State) -> c_int {
            // SAFETY: called with two values.
            unsafe {
                let less = ffi::lua_lessthan(l, 1, 2);
                ffi::lua_pushboolean(l, less);
            }
            1
        }
        if let (Some(a), Some(b)) = (self.number_at(a), self.number_at(b)) {
            return Ok(a < b);
        }
        if let (Some(a), Some(b)) = (self.bytes_at(a), self.bytes_at(b)) {
            return Ok(a < b);
        }
        self.call_with(less, a, b)?;
        let less = self.is_true(-1);
        self.pop(1);
        Ok(less)
    }

    /// Pushes `container[key]` of the values at two positions, by `__index` if it has to be.
    ///
    /// # Errors
    /// `attempt to index ...`; what `__index` raises.
    pub fn get(&mut self, container: i32, key: i32) -> Result<(), Error> {
        unsafe extern "C-unwind" fn get(l: *mut lua_State) -> c_int {
            // SAFETY: called with two values.
            unsafe { ffi::lua_gettable_(l, 1) };
            1
        }
        if self.type_of(container) == Type::Table {
            let container = self.at(container);
            self.push_value(key)?;
            self.raw_get(container);
            if !self.is_nil(-1) {
                return Ok(());
            }
            self.pop(1);
            if !self.push_metatable(container)? {
                return self.push_nil();
            }
            self.pop(1);
        }
        self.call_with(get, container, key)
    }

    /// Calls a function of Lua's interface on two values under protection; pushes its result.
    fn call_with(&mut self, function: ffi::lua_CFunction, a: i32, b: i32) -> Result<(), Error> {
        let (a, b) = (self.at(a), self.at(b));
        self.room(3)?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushcclosure(self.l, function, 0) };
        self.push_value(a)?;
        self.push_value(b)?;
        self.call(2, 1)
    }

    /// Compiles a text to a function and pushes it, or returns the compiler's words. `name` stands before `:line:` in
    /// errors and begins with `@` (a file) or `=` (any name).
    ///
    /// # Errors
    /// When the text is no Lua.
    pub(crate) fn load(&mut self, text: &[u8], name: &str) -> Result<Result<(), Vec<u8>>, Error> {
        self.check_memory(text.len())?;
        self.room(1)?;
        // SAFETY: there is room.
        if unsafe { vm::load_text(self.l, text, name) } {
            return Ok(Ok(()));
        }
        let words = self.text_at(-1).unwrap_or_default();
        self.pop(1);
        Ok(Err(words))
    }

    /// Pushes the value at `i` as `tostring` shows it: by its `__tostring`, and without real addresses.
    ///
    /// # Errors
    /// What `__tostring` raises; `'tostring' must return a string` when it returns something else.
    pub fn push_tostring(&mut self, i: i32) -> Result<(), Error> {
        let i = self.at(i);
        if self.push_metafield(i, "__tostring")? {
            self.push_value(i)?;
            self.call(1, 1)?;
            return match self.type_of(-1) {
                Type::String | Type::Number => self.number_to_text(),
                _ => Err(Error::new("'tostring' must return a string")),
            };
        }
        match self.type_of(i) {
            Type::String => self.push_value(i),
            Type::Number => {
                self.push_value(i)?;
                self.number_to_text()
            }
            Type::Nil | Type::None => self.push_bytes("nil"),
            Type::Boolean => self.push_bytes(if self.is_true(i) { "true" } else { "false" }),
            Type::Cdata => self.push_bytes("cdata"),
            _ => {
                let identity = self.identity(i)?;
                self.push_bytes(identity)
            }
        }
    }

    /// Turns a number on top into its text.
    fn number_to_text(&mut self) -> Result<(), Error> {
        // SAFETY: the topmost value is a string or a number, which becomes one.
        unsafe { vm::bytes_of(self.l, -1) };
        self.check_memory(0)
    }

    /// Pushes a field of the metatable of the value at `i` and returns true, or pushes nothing.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn push_metafield(&mut self, i: i32, name: &str) -> Result<bool, Error> {
        if !self.push_metatable(i)? {
            return Ok(false);
        }
        self.raw_get_field(-1, name)?;
        if self.is_nil(-1) {
            self.pop(2);
            return Ok(false);
        }
        self.insert(-2);
        self.pop(1);
        Ok(true)
    }

    // ---- Limits and the host ----

    /// Charges `steps` of work (about as many as bytes looked at or values moved) to the call.
    ///
    /// # Errors
    /// When the call has to end; must be passed on.
    #[inline]
    pub fn charge(&self, steps: u32) -> Result<(), Error> {
        if limits::charge(self.shared, steps) {
            Ok(())
        } else {
            Err(Error::ended())
        }
    }

    /// Fails when `extra` more bytes are more than the plugin may have, even after its garbage was collected.
    ///
    /// # Errors
    /// `not enough memory`
    #[inline]
    pub fn check_memory(&self, extra: usize) -> Result<(), Error> {
        let shared = self.shared;
        if !shared.memory.exceeds(extra) {
            return Ok(());
        }
        if shared.memory.lifted.get() {
            return match shared.memory.exceeds_lifted(extra) {
                true => Err(Error::memory()),
                false => Ok(()),
            };
        }
        // SAFETY: Rust has control, and what it holds stands on the stack.
        if unsafe { vm::make_room(self.l, shared, extra) } {
            Ok(())
        } else {
            Err(Error::memory())
        }
    }

    /// Bytes that the plugin may still take, if it has a limit. Garbage that was not collected yet counts as taken.
    pub fn memory_left(&self) -> Option<usize> {
        self.shared.memory.left()
    }

    /// The longest piece in bytes that a library may read at once for this plugin.
    pub fn input_limit(&self) -> usize {
        self.shared.limits.input
    }

    /// The most bytes that a payload or message may have; `usize::MAX` for no limit.
    pub fn output_limit(&self) -> usize {
        match self.shared.limits.output {
            0 => usize::MAX,
            limit => limit,
        }
    }

    /// The longest message that the plugin may see, in bytes.
    pub fn max_message_size(&self) -> usize {
        self.shared.limits.max_message
    }

    /// Instructions that one call may run once they are counted; 0 for no limit.
    pub fn instruction_limit(&self) -> u64 {
        self.shared.limits.instructions
    }

    /// False once the plugin was asked to stop. A native function that waits returns soon after.
    pub fn running(&self) -> bool {
        !self.shared.control.stopped()
    }

    /// Which kind of plugin calls.
    pub fn kind(&self) -> crate::sandbox::Kind {
        self.shared.kind
    }

    /// The plugin's name, such as `analysis.errors`.
    pub fn plugin_name(&self) -> &'a str {
        &self.shared.name
    }

    /// A random number that no one can foresee.
    pub fn random_u64(&self) -> u64 {
        self.shared.random_u64()
    }

    /// Pushes the value of a key of the plugin's configuration, as `read_config` does.
    ///
    /// # Errors
    /// At the memory limit, or when the stack is full.
    pub fn push_config(&mut self, key: &str) -> Result<(), Error> {
        self.room(2)?;
        self.push_slot(slot::CONFIG);
        self.raw_get_field(-1, key)?;
        self.insert(-2);
        self.pop(1);
        Ok(())
    }

    /// Where in the queues the message lies that an output was given last; none for other plugins.
    pub fn message_place(&self) -> Option<crate::sandbox::MessagePlace> {
        self.shared.host.borrow().place()
    }

    /// Says that the message of this sequence id has arrived, or failed `n_failed` times: calls `update_checkpoint`, as the
    /// plugin has it. For native code that answers later; not while that very message is processed, since the engine does
    /// not know yet that it is under way.
    ///
    /// # Errors
    /// When the plugin has no such function; what it says.
    pub fn acknowledge(&mut self, sequence: u64, n_failed: u64) -> Result<(), Error> {
        self.push_global("update_checkpoint")?;
        if self.type_of(-1) != Type::Function {
            return Err(Error::new("update_checkpoint was not found"));
        }
        self.push_light(sequence)?;
        self.push_number(n_failed as f64)?;
        self.call(2, 0)
    }

    /// Whether the configuration says that what fails for good is kept.
    ///
    /// # Errors
    /// When memory is short.
    pub fn keeps_dead_letters(&mut self) -> Result<bool, Error> {
        self.push_config("dead_letter")?;
        let keeps = self.is_true(-1);
        self.pop(1);
        Ok(keeps)
    }

    /// Keeps what an output gave up after it had answered that it is under way.
    pub fn dead_letter(&self, letter: crate::sandbox::DeadLetter<'_>, reason: &str) {
        self.shared.host.borrow_mut().dead_letter(letter, reason);
    }

    /// What a native object looks at to see whether the plugin was asked to stop, while it waits.
    pub fn handle(&self) -> crate::watch::Handle {
        crate::watch::Handle {
            control: std::sync::Arc::clone(&self.shared.control),
        }
    }

    /// The way in for messages from other threads; only inputs have one.
    pub fn intake(&self) -> Option<std::sync::Arc<dyn crate::sandbox::Intake>> {
        self.shared.host.borrow_mut().intake()
    }

    /// Writes a line to the host's log. Severities are those of syslog.
    pub fn log(&self, severity: u8, text: &str) {
        self.shared.host.borrow_mut().log(severity, text);
    }

    // ---- For this crate ----

    #[inline(always)]
    pub(crate) fn raw(&self) -> *mut lua_State {
        self.l
    }

    #[inline(always)]
    pub(crate) fn shared(&self) -> &'a Shared {
        self.shared
    }

    /// Pushes what lies at one of our places in the registry; there is room.
    #[inline]
    pub(crate) fn push_slot(&mut self, slot: c_int) {
        // SAFETY: callers have asked for room, or use the slot that is kept.
        unsafe { ffi::lua_rawgeti_(self.l, ffi::LUA_REGISTRYINDEX, slot) };
    }

    /// Pops a value into one of our places in the registry.
    pub(crate) fn set_slot(&mut self, slot: c_int) {
        assert!(self.top() > self.n_args, "no value to pop");
        // SAFETY: there is a value.
        unsafe { ffi::lua_rawseti_(self.l, ffi::LUA_REGISTRYINDEX, slot) };
    }

    /// Pops a value into Lua's registry under a name as it is.
    pub(crate) fn set_registry(&mut self, name: &str) -> Result<(), Error> {
        assert!(self.top() > self.n_args, "no value to pop");
        self.push_bytes(name)?;
        // SAFETY: key and value are on the stack.
        unsafe {
            ffi::lua_insert(self.l, -2);
            ffi::lua_rawset(self.l, ffi::LUA_REGISTRYINDEX);
        }
        Ok(())
    }

    /// Gives up the arguments, so that all values on the stack can be taken as function and arguments of a call. Slices of
    /// arguments must not be in use.
    pub(crate) fn release_arguments(&mut self) {
        self.n_args = 0;
    }

    /// Makes sure that `n` more values can be pushed.
    #[inline]
    pub(crate) fn room(&mut self, n: c_int) -> Result<(), Error> {
        if self.top() + n <= self.room_end {
            return Ok(());
        }
        self.grow(n)
    }

    /// The stack height up to which there is room.
    #[inline]
    pub(super) fn room_end(&self) -> c_int {
        self.room_end
    }

    #[cold]
    fn grow(&mut self, n: c_int) -> Result<(), Error> {
        let n = n.saturating_add(SLOTS_PER_CHECK);
        // SAFETY: always allowed; Lua says whether it worked.
        if unsafe { ffi::lua_checkstack(self.l, n + KEPT_SLOTS) } == 0 {
            return Err(Error::new("stack overflow"));
        }
        self.room_end = self.top() + n;
        Ok(())
    }

    /// The absolute position of `i`.
    #[inline]
    pub(crate) fn at(&self, i: i32) -> c_int {
        if i > 0 {
            return i;
        }
        let i = self.top() + 1 + i;
        assert!(i > 0, "position below the stack");
        i
    }

    /// The absolute position of a table.
    #[inline]
    fn table(&self, i: i32) -> c_int {
        assert!(
            self.type_of(i) == Type::Table,
            "the value at {i} is no table"
        );
        self.at(i)
    }

    pub(super) fn is_argument(&self, i: i32) -> bool {
        i >= 1 && i <= self.n_args
    }

    /// The number of results for Lua, or -1 with an error object if the function promised more than it pushed.
    #[inline]
    pub(super) fn give(&mut self, n_results: usize) -> c_int {
        if n_results <= self.top() as usize {
            return n_results as c_int;
        }
        Error::new("internal error: results are missing").push(self);
        -1
    }

    /// Frees the slots that an error text needs.
    pub(super) fn make_room_for_error(&mut self) {
        if self.room(3).is_err() {
            self.truncate(self.n_args);
        }
    }

    #[inline]
    pub(crate) fn push_raw_bytes(&mut self, bytes: &[u8]) {
        // SAFETY: callers have asked for room.
        unsafe { ffi::lua_pushlstring_(self.l, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Pushes a text with the place of the calling Lua code in front.
    pub(super) fn push_with_place(&mut self, text: &[u8]) {
        let mut message = self.place();
        message.extend_from_slice(text);
        self.push_raw_bytes(&message);
    }

    /// `file:line: ` of the Lua code that called the running function; empty if it was not Lua code.
    pub fn place(&self) -> Vec<u8> {
        let Some(ar) = self.activation(1, c"Sl") else {
            return Vec::new();
        };
        if ar.currentline <= 0 {
            return Vec::new();
        }
        // SAFETY: Lua ends the text with a NUL.
        let source = unsafe { CStr::from_ptr(ar.short_src.as_ptr()) };
        let mut place = source.to_bytes().to_vec();
        place.extend_from_slice(format!(":{}: ", ar.currentline).as_bytes());
        place
    }

    /// What Lua knows of the activation `level` steps out.
    fn activation(&self, level: c_int, what: &CStr) -> Option<lua_Debug> {
        let mut ar = MaybeUninit::<lua_Debug>::zeroed();
        // SAFETY: zeroed is a valid value; Lua fills it in for a level that exists.
        unsafe {
            if ffi::lua_getstack(self.l, level, ar.as_mut_ptr()) == 0 {
                return None;
            }
            ffi::lua_getinfo(self.l, what.as_ptr(), ar.as_mut_ptr());
            Some(ar.assume_init())
        }
    }

    /// Lua's words for a wrong argument of the running function.
    pub(super) fn argument_text(&self, i: i32, text: &str) -> String {
        let text_of = |p: *const std::ffi::c_char| {
            // SAFETY: Lua gives null or a text that ends with a NUL.
            (!p.is_null()).then(|| unsafe { CStr::from_ptr(p) }.to_string_lossy().into_owned())
        };
        let Some(ar) = self.activation(0, c"n") else {
            return format!("bad argument #{i} ({text})");
        };
        let name = text_of(ar.name).unwrap_or_else(|| "?".into());
        let is_method = text_of(ar.namewhat).is_some_and(|what| what == "method");
        match (is_method, i) {
            (true, 1) => format!("calling '{name}' on bad self ({text})"),
            (true, _) => format!("bad argument #{} to '{name}' ({text})", i - 1),
            (false, _) => format!("bad argument #{i} to '{name}' ({text})"),
        }
    }
}

impl Budget for Call<'_> {
    #[inline]
    fn charge(&mut self, steps: u32) -> Result<(), Exceeded> {
        if limits::charge(self.shared, steps) {
            Ok(())
        } else {
            Err(Exceeded)
        }
    }
}

/// How many values the running function has on its stack.
///
/// # Safety
/// `l` is a state.
#[inline(always)]
unsafe fn height(l: *mut lua_State) -> c_int {
    // SAFETY: by the caller; the layout was proved, or Lua answers.
    unsafe {
        match heap::is_proved() {
            true => heap::height(l),
            false => ffi::lua_gettop(l),
        }
    }
}

/// Keeps the names of modules and the names of classes apart in the registry.
fn kept_key(name: &str) -> String {
    format!("kept:{name}")
}
