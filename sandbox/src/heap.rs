//! Reads LuaJIT's stack, strings and tables where they lie in memory, without a call for every value.
//!
//! The layout is that of LuaJIT 2.1 with 64-bit references, which is what our build makes on every 64-bit machine.
//! [`prove`] proves it on a state of its own before the first use. Where the proof fails, nothing here is used, and
//! everything goes through Lua's own interface, which is slower and does the same.
//!
//! Nothing is written here, and nothing is kept: a value is looked at while Rust has control and it hangs on something that
//! the collector sees. Compiled code never runs meanwhile, so all that it changed is in memory.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ffi::{self, lua_State};
use crate::native::Type;

/// Kinds of values, as they stand in the upper 17 bits of a word; those of numbers are smaller than all of them.
mod kind {
    pub(super) const NIL: u32 = !0;
    pub(super) const FALSE: u32 = !1;
    pub(super) const TRUE: u32 = !2;
    pub(super) const LIGHT_USERDATA: u32 = !3;
    pub(super) const STRING: u32 = !4;
    pub(super) const THREAD: u32 = !6;
    pub(super) const FUNCTION: u32 = !8;
    pub(super) const CDATA: u32 = !10;
    pub(super) const TABLE: u32 = !11;
    pub(super) const USERDATA: u32 = !12;
    /// A 32-bit integer, on machines where LuaJIT keeps such; doubles are smaller.
    pub(super) const INTEGER: u32 = !13;
}

/// The bits of a word that are an address.
const ADDRESS: u64 = (1 << 47) - 1;

/// A table whose hash part has more slots is not searched for numbers among its keys.
const SEARCHED_SLOTS: u32 = 32;

#[repr(C)]
struct StateHead {
    next: u64,
    marked: u8,
    kind: u8,
    function_id: u8,
    status: u8,
    global: *const GlobalHead,
    gc_list: u64,
    /// The first value of the running function.
    base: *const u64,
    /// The first free place above its last value.
    top: *const u64,
}

#[repr(C)]
struct GlobalHead {
    allocator: *const c_void,
    allocator_data: *mut c_void,
}

#[repr(C)]
struct StringHead {
    next: u64,
    marked: u8,
    kind: u8,
    reserved: u8,
    algorithm: u8,
    /// Where the string lies in the hash part of tables.
    id: u32,
    hash: u32,
    len: u32,
}

#[repr(C)]
struct TableHead {
    next: u64,
    marked: u8,
    kind: u8,
    no_metamethods: u8,
    colocated: i8,
    /// Values of the keys from 0 on.
    array: *const u64,
    gc_list: u64,
    metatable: u64,
    nodes: *const Node,
    array_len: u32,
    node_mask: u32,
}

#[repr(C)]
struct Node {
    value: u64,
    key: u64,
    next: *const Node,
}

/// A string; equal strings of a state have one address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Str(*const StringHead);

impl Str {
    /// The string whose bytes begin at `text`.
    ///
    /// # Safety
    /// Lua gave `text` out for a string.
    pub(crate) unsafe fn of_text(text: *const c_char) -> Str {
        // SAFETY: by the caller; the bytes follow their head.
        Str(unsafe { text.cast::<StringHead>().sub(1) })
    }

    /// Its bytes.
    ///
    /// # Safety
    /// The string is alive while the bytes are used.
    #[inline(always)]
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: by the caller; strings do not move or change, and their bytes follow their head.
        unsafe { std::slice::from_raw_parts(self.0.add(1).cast(), (*self.0).len as usize) }
    }

    /// As the key of a table.
    #[inline(always)]
    fn word(self) -> u64 {
        (u64::from(kind::STRING) << 47) | self.0 as u64
    }
}

/// A value in a table.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Number(f64),
    String(Str),
    Table(Table),
    /// Something else.
    Other,
}

/// A value of the stack as the word that stands for it.
#[derive(Clone, Copy)]
pub(crate) struct Word(u64);

impl Word {
    /// What it is.
    #[inline(always)]
    pub(crate) fn value(self) -> Value {
        Value::of(self.0)
    }

    /// The string, if it is one.
    #[inline(always)]
    pub(crate) fn string(self) -> Option<Str> {
        (self.upper() == kind::STRING).then_some(Str((self.0 & ADDRESS) as *const StringHead))
    }

    /// The number, if it is one.
    #[inline(always)]
    pub(crate) fn number(self) -> Option<f64> {
        match self.upper() {
            kind::INTEGER => Some(f64::from(self.0 as u32 as i32)),
            other => (other < kind::INTEGER).then_some(f64::from_bits(self.0)),
        }
    }

    /// The bits that tell the kind; the shift keeps the sign, as LuaJIT's does.
    #[inline(always)]
    fn upper(self) -> u32 {
        ((self.0 as i64) >> 47) as u32
    }

    /// Its kind, as Lua's interface tells it.
    #[inline(always)]
    pub(crate) fn kind(self) -> Type {
        match self.upper() {
            kind::NIL => Type::Nil,
            kind::FALSE | kind::TRUE => Type::Boolean,
            kind::STRING => Type::String,
            kind::TABLE => Type::Table,
            kind::USERDATA => Type::Userdata,
            kind::FUNCTION => Type::Function,
            kind::LIGHT_USERDATA => Type::LightUserdata,
            kind::THREAD => Type::Thread,
            kind::CDATA => Type::Cdata,
            other if other <= kind::INTEGER => Type::Number,
            _ => Type::None,
        }
    }
}

/// How many values the running function has on its stack.
///
/// # Safety
/// `l` is a state, and [`is_proved`].
#[inline(always)]
pub(crate) unsafe fn height(l: *mut lua_State) -> c_int {
    // SAFETY: by the caller; both point into the same stack.
    unsafe {
        let head = &*l.cast::<StateHead>();
        head.top.offset_from(head.base) as c_int
    }
}

/// The value at `i` of the running function, from 1, or from the top with -1, -2, ...; none if there is none.
///
/// # Safety
/// As [`height`].
#[inline(always)]
pub(crate) unsafe fn word_at(l: *mut lua_State, i: c_int) -> Option<Word> {
    // SAFETY: by the caller; what lies between base and top are values.
    unsafe {
        let head = &*l.cast::<StateHead>();
        let height = head.top.offset_from(head.base);
        let at = if i > 0 {
            i as isize - 1
        } else {
            height + i as isize
        };
        (0..height)
            .contains(&at)
            .then(|| Word(*head.base.offset(at)))
    }
}

/// What the state's allocator was given to know itself by.
///
/// # Safety
/// As [`height`].
#[inline(always)]
pub(crate) unsafe fn allocator_data(l: *mut lua_State) -> *mut c_void {
    // SAFETY: by the caller.
    unsafe { (*(*l.cast::<StateHead>()).global).allocator_data }
}

impl Value {
    #[inline(always)]
    fn of(word: u64) -> Value {
        match Word(word).upper() {
            kind::NIL => Value::Nil,
            kind::FALSE => Value::Bool(false),
            kind::TRUE => Value::Bool(true),
            kind::STRING => Value::String(Str((word & ADDRESS) as *const StringHead)),
            kind::TABLE => Value::Table(Table((word & ADDRESS) as *const TableHead)),
            kind::INTEGER => Value::Number(f64::from(word as u32 as i32)),
            other if other < kind::INTEGER => Value::Number(f64::from_bits(word)),
            _ => Value::Other,
        }
    }
}

/// A table, always seen without its metatable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table(*const TableHead);

/// A place in the walk over a table's hash part.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place(u32);

impl Table {
    /// The table at `i` of the stack.
    ///
    /// # Safety
    /// There is a table at `i`, and [`is_proved`].
    #[inline(always)]
    pub(crate) unsafe fn at(l: *mut lua_State, i: c_int) -> Table {
        // SAFETY: by the caller; for a table Lua answers where it lies.
        Table(unsafe { ffi::lua_topointer(l, i) }.cast())
    }

    /// The value of a key that is a string.
    ///
    /// # Safety
    /// Table and string are alive and of one state.
    #[inline(always)]
    pub(crate) unsafe fn get(self, key: Str) -> Value {
        // SAFETY: by the caller; a table always has at least one node, and the mask never leads beyond the last.
        unsafe {
            let head = &*self.0;
            let mut node = head.nodes.add(((*key.0).id & head.node_mask) as usize);
            while !node.is_null() {
                if (*node).key == key.word() {
                    return Value::of((*node).value);
                }
                node = (*node).next;
            }
        }
        Value::Nil
    }

    /// The value of key `i`, as far as it lies in the array part; `None` where the array part ends.
    ///
    /// # Safety
    /// The table is alive.
    #[inline(always)]
    pub(crate) unsafe fn array_get(self, i: u32) -> Option<Value> {
        // SAFETY: by the caller; the array part has `array_len` values.
        unsafe {
            let head = &*self.0;
            (i < head.array_len).then(|| Value::of(*head.array.add(i as usize)))
        }
    }

    /// Whether it has a metatable.
    ///
    /// # Safety
    /// The table is alive.
    #[inline(always)]
    pub(crate) unsafe fn has_metatable(self) -> bool {
        // SAFETY: by the caller.
        unsafe { (*self.0).metatable != 0 }
    }

    /// How many keys from 0 on it has room for in its array part; Lua's interface does not tell it.
    ///
    /// # Safety
    /// The table is alive.
    pub(crate) unsafe fn array_len(self) -> u32 {
        // SAFETY: by the caller.
        unsafe { (*self.0).array_len }
    }

    /// Whether any key of the hash part may be something else than a string: a number, above all.
    ///
    /// # Safety
    /// The table is alive.
    pub(crate) unsafe fn may_have_other_keys(self) -> bool {
        // SAFETY: by the caller; there are as many nodes as the mask says, and one more.
        unsafe {
            let head = &*self.0;
            head.node_mask >= SEARCHED_SLOTS
                || (0..=head.node_mask).any(|i| {
                    let node = &*head.nodes.add(i as usize);
                    !matches!(Value::of(node.value), Value::Nil)
                        && !matches!(Value::of(node.key), Value::String(_))
                })
        }
    }

    /// The next key and value of the hash part behind `place`, which moves on; in the order of Lua's `next`.
    ///
    /// # Safety
    /// The table is alive, and nothing was added to it since the walk began.
    #[inline(always)]
    pub(crate) unsafe fn next(self, place: &mut Place) -> Option<(Value, Value)> {
        // SAFETY: by the caller; there are as many nodes as the mask says, and one more.
        unsafe {
            let head = &*self.0;
            while place.0 <= head.node_mask {
                let node = &*head.nodes.add(place.0 as usize);
                place.0 += 1;
                let value = Value::of(node.value);
                if value != Value::Nil {
                    return Some((Value::of(node.key), value));
                }
            }
        }
        None
    }
}

/// Whether this LuaJIT keeps its stack, strings and tables as this file says, as [`prove`] has found.
#[inline(always)]
pub(crate) fn is_proved() -> bool {
    PROVED.load(Ordering::Relaxed)
}

static PROVED: AtomicBool = AtomicBool::new(false);

/// Tries the layout on a state of its own, once in the life of a process. Whoever makes a state calls it first.
pub(crate) fn prove() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let has_layout = cfg!(all(target_pointer_width = "64", target_endian = "little"));
        // SAFETY: the state is made and closed here, and nothing else uses it.
        let passed = has_layout
            && unsafe {
                let l = ffi::luaL_newstate();
                let passed = !l.is_null() && try_to_read(l) && reads_the_stack(l);
                if !l.is_null() {
                    ffi::lua_close(l);
                }
                passed
            };
        PROVED.store(passed, Ordering::Relaxed);
    });
}

/// Runs a function with values of all kinds on its stack and looks whether they are seen as Lua's interface sees them.
///
/// # Safety
/// As [`try_to_read`], which has passed.
unsafe fn reads_the_stack(l: *mut lua_State) -> bool {
    const N_VALUES: c_int = 9;
    unsafe extern "C-unwind" fn look(l: *mut lua_State) -> c_int {
        // SAFETY: Lua calls it with a state, and with room for what is pushed.
        unsafe {
            let same =
                height_is(l, N_VALUES) && (1..=N_VALUES).all(|i| is_seen(l, i) && is_seen(l, -i));
            let none = word_at(l, N_VALUES + 1).is_none() && word_at(l, -N_VALUES - 1).is_none();
            ffi::lua_pushboolean(l, c_int::from(same && none && height_is(l, N_VALUES)));
        }
        1
    }
    // SAFETY: by the caller; the state is fresh, so its stack has room, and `look` raises no error.
    unsafe {
        ffi::lua_settop(l, 0);
        ffi::lua_pushcclosure(l, look, 0);
        ffi::lua_pushnil(l);
        ffi::lua_pushboolean(l, 1);
        ffi::lua_pushlightuserdata(l, 8 as *mut _);
        ffi::lua_pushnumber(l, -0.5);
        ffi::lua_pushlstring_(l, c"text".as_ptr(), 4);
        ffi::lua_createtable(l, 1, 1);
        ffi::lua_pushcclosure(l, look, 0);
        ffi::lua_newuserdata(l, 8);
        ffi::lua_pushthread(l);
        let status = ffi::lua_pcall(l, N_VALUES, 1, 0);
        let seen = status == 0 && ffi::lua_toboolean(l, -1) != 0;
        ffi::lua_settop(l, 0);
        let mut data = std::ptr::null_mut();
        ffi::lua_getallocf(l, &raw mut data);
        seen && allocator_data(l) == data
    }
}

/// # Safety
/// As [`try_to_read`]. The two places are looked at as numbers before either is followed.
unsafe fn height_is(l: *mut lua_State, expected: c_int) -> bool {
    // SAFETY: by the caller; a state is larger than its head as it is known here.
    unsafe {
        let head = &*l.cast::<StateHead>();
        let bytes = (head.top as usize).wrapping_sub(head.base as usize);
        bytes == expected as usize * size_of::<u64>() && ffi::lua_gettop(l) == expected
    }
}

/// # Safety
/// As [`try_to_read`]; there is a value at `i`.
unsafe fn is_seen(l: *mut lua_State, i: c_int) -> bool {
    // SAFETY: by the caller.
    unsafe {
        let Some(word) = word_at(l, i) else {
            return false;
        };
        let content = match word.value() {
            Value::Nil => ffi::lua_type(l, i) == ffi::LUA_TNIL,
            Value::Bool(truth) => truth == (ffi::lua_toboolean(l, i) != 0),
            Value::Number(number) => {
                number == ffi::lua_tonumber(l, i) && word.number() == Some(number)
            }
            Value::String(text) => {
                text == Str::of_text(ffi::lua_tolstring(l, i, std::ptr::null_mut()))
                    && word.string() == Some(text)
            }
            Value::Table(table) => table == Table::at(l, i),
            Value::Other => true,
        };
        let kind = word.kind();
        let is_text = word.string().is_some() == (kind == Type::String);
        let is_number = word.number().is_some() == (kind == Type::Number);
        content && is_text && is_number && kind == Type::from_raw(ffi::lua_type(l, i))
    }
}

/// Looks at objects whose content is known; the sizes in their heads first, so that no address is followed before it is
/// likely to be one.
///
/// # Safety
/// `l` is a fresh state. A string's bytes have at least 24 bytes of the same block in front of them: LuaJIT's heads are no
/// smaller on any machine with 64 bits.
unsafe fn try_to_read(l: *mut lua_State) -> bool {
    const TEXT: &[u8] = b"a text of twenty-seven bytes";
    // SAFETY: by the caller; there is room for all that is pushed.
    unsafe {
        ffi::lua_createtable(l, 5, 8);
        let (table, head) = (Table::at(l, 1), Table::at(l, 1).0);
        let sizes = ((*head).kind, (*head).array_len, (*head).node_mask);
        if sizes != (!kind::TABLE as u8, 6, 7) {
            return false;
        }
        ffi::lua_pushlstring_(l, TEXT.as_ptr().cast(), TEXT.len());
        let text = Str::of_text(ffi::lua_tolstring(l, 2, std::ptr::null_mut()));
        let head = &*text.0;
        if (head.kind, head.len) != (!kind::STRING as u8, TEXT.len() as u32) {
            return false;
        }
        let is_plain = !table.has_metatable();
        ffi::lua_pushvalue(l, 1);
        ffi::lua_setmetatable(l, 1);
        if !is_plain || !table.has_metatable() {
            return false;
        }
        let is_empty = table.get(text) == Value::Nil
            && table.array_get(1) == Some(Value::Nil)
            && table.next(&mut Place::default()).is_none();
        is_empty && text.bytes() == TEXT && reads_all_kinds(l, table, text)
    }
}

/// Puts a value of each kind under the string at 2 of the stack into the table at 1, and looks whether it is found there.
///
/// # Safety
/// As [`try_to_read`].
unsafe fn reads_all_kinds(l: *mut lua_State, table: Table, key: Str) -> bool {
    // SAFETY: as the caller's.
    let finds = |expected: Value| unsafe {
        ffi::lua_pushvalue(l, 2);
        ffi::lua_pushvalue(l, -2);
        ffi::lua_rawset(l, 1);
        ffi::lua_rawseti_(l, 1, 3);
        let walked = table.next(&mut Place::default());
        table.get(key) == expected
            && table.array_get(3) == Some(expected)
            && walked == Some((Value::String(key), expected))
            && !table.may_have_other_keys()
    };
    // SAFETY: as the caller's.
    unsafe {
        for number in [0.0, -1.0, 1.0, 0.5, -1e308, f64::INFINITY, 2_147_483_648.0] {
            ffi::lua_pushnumber(l, number);
            if !finds(Value::Number(number)) {
                return false;
            }
        }
        for truth in [true, false] {
            ffi::lua_pushboolean(l, c_int::from(truth));
            if !finds(Value::Bool(truth)) {
                return false;
            }
        }
        ffi::lua_pushvalue(l, 2);
        let string = finds(Value::String(key));
        ffi::lua_pushvalue(l, 1);
        let itself = finds(Value::Table(table));
        ffi::lua_pushlightuserdata(l, 8 as *mut _);
        let other = finds(Value::Other);
        ffi::lua_pushboolean(l, 1);
        ffi::lua_rawseti_(l, 1, 1_000_000);
        string && itself && other && table.may_have_other_keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_the_luajit_we_build() {
        prove();
        assert!(is_proved());
    }
}
