//! Builds one Lua value out of events, as a reader of JSON sends them: the fast way for values of any size.
//!
//! What makes it fast: keys seen before are copied from the stack and not hashed anew, tables get their size at once, and
//! nothing is asked of Lua that is known here.

use std::ffi::c_int;

use super::{Call, Error};
use crate::ffi::{self, lua_State};
use crate::vm::slot;

/// Keys that are remembered; a power of two. Each takes a slot of the stack.
const KEYS: usize = 64;

/// Items of one array that wait on the stack for the array's size to be known.
const PENDING_MAX: u32 = 128;

/// Slots that a container may take: the items of an array, or its table, a key, a value and a copy of the key.
const CONTAINER_SLOTS: c_int = PENDING_MAX as c_int + 8;

/// Height of the stack above which items no longer wait; a C function may use 8,000 slots.
const WAITING_TOP_MAX: c_int = 4_000;

/// Largest number of keys for which a table is made ahead, because the last one with the same first key had as many.
const PREDICTED_MAX: u32 = 64;

/// Bytes of a table's slot for a key, as far as memory is asked for ahead.
const BYTES_PER_KEY: usize = 32;

/// A key that lies in a slot of the stack.
#[derive(Clone, Copy, Default)]
struct Known<'t> {
    text: &'t [u8],
    words: (u64, u64),
    /// Keys of the last object that began with this one.
    n_keys: u32,
}

/// A container that is being filled.
#[derive(Clone, Copy)]
struct Frame {
    /// Where its table, or for an array without one its placeholder, lies.
    table: c_int,
    is_array: bool,
    /// The table exists.
    made: bool,
    /// An object's key waits for its value.
    has_key: bool,
    /// Array: items on the stack. Object: number of the first key among the known ones.
    waiting: u32,
    /// Array: items in the table. Object: keys so far.
    len: u32,
}

/// Builds one value on the stack of a [`Call`].
pub struct Builder<'c, 'a, 't> {
    call: &'c mut Call<'a>,
    l: *mut lua_State,
    /// Where the remembered keys begin.
    keys: c_int,
    known: [Known<'t>; KEYS],
    /// Height of the stack.
    top: c_int,
    frame: Frame,
    outer: Vec<Frame>,
}

impl<'c, 'a, 't> Builder<'c, 'a, 't> {
    /// Begins.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn new(call: &'c mut Call<'a>) -> Result<Builder<'c, 'a, 't>, Error> {
        call.room(KEYS as c_int + 8)?;
        let l = call.raw();
        let keys = call.top() + 1;
        let top = keys + KEYS as c_int - 1;
        // SAFETY: there is room; the new slots hold nil.
        unsafe { ffi::lua_settop(l, top) };
        let frame = Frame {
            table: top + 1,
            is_array: true,
            made: false,
            has_key: false,
            waiting: 0,
            len: 0,
        };
        Ok(Builder {
            call,
            l,
            keys,
            known: [Known::default(); KEYS],
            top,
            frame,
            outer: Vec::new(),
        })
    }

    /// Containers that are open.
    pub fn depth(&self) -> usize {
        self.outer.len()
    }

    /// Whether the innermost open container is an object.
    pub fn in_object(&self) -> bool {
        !self.frame.is_array
    }

    /// Whether the stack has room for one more container.
    #[inline]
    pub fn has_room(&mut self) -> bool {
        self.top + CONTAINER_SLOTS <= self.call.room_end()
            || self.call.room(CONTAINER_SLOTS).is_ok()
    }

    /// As [`Call::charge`].
    ///
    /// # Errors
    /// As [`Call::charge`].
    #[inline]
    pub fn charge(&mut self, steps: u32) -> Result<(), Error> {
        self.call.charge(steps)
    }

    /// A nil: as an object's value it takes the key away, in an array it leaves a hole.
    ///
    /// # Errors
    /// At the memory limit.
    #[inline]
    pub fn nil(&mut self) -> Result<(), Error> {
        // SAFETY: every open container has asked for the room of a value.
        unsafe { ffi::lua_pushnil(self.l) };
        self.value_is_on_top()
    }

    /// A light userdata that is NULL.
    ///
    /// # Errors
    /// At the memory limit.
    #[inline]
    pub fn null(&mut self) -> Result<(), Error> {
        // SAFETY: as in `nil`.
        unsafe { ffi::lua_pushlightuserdata(self.l, std::ptr::null_mut()) };
        self.value_is_on_top()
    }

    /// A boolean.
    ///
    /// # Errors
    /// At the memory limit.
    #[inline]
    pub fn boolean(&mut self, truth: bool) -> Result<(), Error> {
        // SAFETY: as in `nil`.
        unsafe { ffi::lua_pushboolean(self.l, c_int::from(truth)) };
        self.value_is_on_top()
    }

    /// A number.
    ///
    /// # Errors
    /// At the memory limit.
    #[inline]
    pub fn number(&mut self, number: f64) -> Result<(), Error> {
        // SAFETY: as in `nil`.
        unsafe { ffi::lua_pushnumber(self.l, number) };
        self.value_is_on_top()
    }

    /// A string.
    ///
    /// # Errors
    /// At the memory limit.
    #[inline]
    pub fn string(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.push_text(bytes)?;
        self.value_is_on_top()
    }

    /// The key of the next value of the open object; it is remembered.
    ///
    /// # Errors
    /// At the memory limit.
    ///
    /// # Panics
    /// When no object is open, or it has a key that waits already.
    #[inline]
    pub fn key(&mut self, key: &'t [u8]) -> Result<(), Error> {
        let words = words(key);
        let mixed = (words.0 ^ words.1.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let i = (mixed >> 58) as usize % KEYS;
        self.begin_key(i)?;
        let known = &mut self.known[i];
        let slot = self.keys + i as c_int;
        if known.words == words
            && known.text.len() == key.len()
            && (key.len() <= 16 || known.text == key)
            && !key.is_empty()
        {
            // SAFETY: the slot holds the key as a string; there is room for key and value.
            unsafe { ffi::lua_pushvalue(self.l, slot) };
            return Ok(());
        }
        *known = Known {
            text: key,
            words,
            n_keys: 0,
        };
        self.push_text(key)?;
        // SAFETY: there is room for a copy beside key and value; it moves into the slot.
        unsafe {
            ffi::lua_pushvalue(self.l, -1);
            ffi::lua_replace(self.l, slot);
        }
        Ok(())
    }

    /// As [`Builder::key`], for one that is not kept.
    ///
    /// # Errors
    /// At the memory limit.
    ///
    /// # Panics
    /// As [`Builder::key`].
    pub fn key_once(&mut self, key: &[u8]) -> Result<(), Error> {
        self.begin_key(0)?;
        self.push_text(key)
    }

    /// Opens an object.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn object_begin(&mut self) -> Result<(), Error> {
        self.open(false)
    }

    /// Opens an array.
    ///
    /// # Errors
    /// When the stack is full.
    #[inline]
    pub fn array_begin(&mut self) -> Result<(), Error> {
        self.open(true)?;
        // SAFETY: room was asked for; the table will take this place.
        unsafe { ffi::lua_pushnil(self.l) };
        self.top += 1;
        Ok(())
    }

    /// Closes the innermost container.
    ///
    /// # Errors
    /// At the memory limit.
    ///
    /// # Panics
    /// When none is open, or a key waits for its value.
    #[inline]
    pub fn end(&mut self) -> Result<(), Error> {
        assert!(!self.frame.has_key, "a key without a value");
        let outer = self.outer.pop().expect("a container is open");
        if self.frame.is_array {
            self.end_array()?;
        } else {
            self.end_object()?;
        }
        self.top = self.frame.table - 1;
        self.frame = outer;
        self.value_is_on_top()
    }

    /// Ends: the value is what [`Call`] has on top.
    ///
    /// # Panics
    /// When there is not exactly one value, or a container is open.
    pub fn finish(self) {
        assert!(
            self.outer.is_empty() && self.frame.waiting == 1,
            "exactly one whole value was built"
        );
        // SAFETY: the value lies above the keys; it takes the place of the first, and the others go.
        unsafe {
            ffi::lua_replace(self.l, self.keys);
            ffi::lua_settop(self.l, self.keys);
        }
    }

    #[inline]
    fn open(&mut self, is_array: bool) -> Result<(), Error> {
        assert!(self.may_take_value(), "a value without a key");
        if self.top + CONTAINER_SLOTS > self.call.room_end() {
            self.call.room(CONTAINER_SLOTS)?;
        }
        let frame = Frame {
            table: self.top + 1 + c_int::from(self.frame.has_key),
            is_array,
            made: false,
            has_key: false,
            waiting: 0,
            len: 0,
        };
        self.top = frame.table - 1;
        self.outer.push(std::mem::replace(&mut self.frame, frame));
        Ok(())
    }

    fn may_take_value(&self) -> bool {
        self.frame.is_array || self.frame.has_key
    }

    /// The value on top goes where it belongs.
    #[inline]
    fn value_is_on_top(&mut self) -> Result<(), Error> {
        if !self.frame.is_array {
            assert!(
                std::mem::take(&mut self.frame.has_key),
                "a value without a key"
            );
            // SAFETY: the object's table is made with its first key; key and value are on top, and the key is a string.
            unsafe { ffi::lua_rawset(self.l, self.frame.table) };
            self.top = self.frame.table;
            return Ok(());
        }
        self.top += 1;
        self.frame.waiting += 1;
        if self.frame.waiting < PENDING_MAX && self.top < WAITING_TOP_MAX {
            return Ok(());
        }
        self.flush()
    }

    #[inline]
    fn begin_key(&mut self, known: usize) -> Result<(), Error> {
        assert!(
            !self.frame.is_array && !self.frame.has_key,
            "a key where none may be"
        );
        if !self.frame.made {
            let n_keys = self.known[known].n_keys.min(PREDICTED_MAX);
            self.make_table(0, n_keys)?;
            self.frame.waiting = known as u32;
            self.frame.made = true;
            self.top = self.frame.table;
        }
        self.frame.len += 1;
        self.frame.has_key = true;
        Ok(())
    }

    #[inline]
    fn end_object(&mut self) -> Result<(), Error> {
        if !self.frame.made {
            return self.make_table(0, 0);
        }
        self.known[self.frame.waiting as usize].n_keys = self.frame.len;
        Ok(())
    }

    #[inline]
    fn end_array(&mut self) -> Result<(), Error> {
        if self.frame.len == 0 && self.frame.waiting == 0 {
            // SAFETY: the placeholder is on top and goes; then there is room for the table and its metatable.
            unsafe {
                ffi::lua_settop(self.l, self.frame.table - 1);
                self.make_table(0, 0)?;
                self.call.push_slot(slot::ARRAY);
                ffi::lua_setmetatable(self.l, -2);
            }
            return Ok(());
        }
        self.move_waiting(0)
    }

    /// Moves the waiting items of an array into its table, which will grow further.
    #[cold]
    fn flush(&mut self) -> Result<(), Error> {
        if self.outer.is_empty() {
            // The value itself waits for `finish`.
            return Ok(());
        }
        self.move_waiting(self.frame.waiting)?;
        self.call.charge(PENDING_MAX)
    }

    #[inline]
    fn move_waiting(&mut self, spare: u32) -> Result<(), Error> {
        let Frame { table, waiting, .. } = self.frame;
        if !self.frame.made {
            self.make_table(waiting + spare, 0)?;
            self.frame.made = true;
            // SAFETY: the table is on top, its placeholder below the items.
            unsafe { ffi::lua_replace(self.l, table) };
        } else {
            self.check_memory(0)?;
        }
        let first = self.frame.len;
        for i in (1..=waiting).rev() {
            // SAFETY: the table is one; the items lie above it, the last on top.
            unsafe { ffi::lua_rawseti_(self.l, table, (first + i) as c_int) };
        }
        self.frame.len += waiting;
        self.frame.waiting = 0;
        self.top = table;
        Ok(())
    }

    #[inline]
    fn make_table(&mut self, n_array: u32, n_keys: u32) -> Result<(), Error> {
        self.check_memory((n_array + n_keys) as usize * BYTES_PER_KEY)?;
        // SAFETY: room was asked for when the container was opened; the sizes are small.
        unsafe { ffi::lua_createtable(self.l, n_array as c_int, n_keys as c_int) };
        Ok(())
    }

    #[inline]
    fn push_text(&mut self, text: &[u8]) -> Result<(), Error> {
        self.check_memory(text.len())?;
        self.call.push_raw_bytes(text);
        Ok(())
    }

    #[inline]
    fn check_memory(&self, extra: usize) -> Result<(), Error> {
        self.call.check_memory(extra)
    }
}

/// The first and the last eight bytes of a key, shorter ones filled up: with the length, all of a key of up to 16 bytes.
#[inline]
fn words(key: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return (u64::from(first) | u64::from(last) << 32, key.len() as u64);
    }
    let word = key
        .iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));
    (word, key.len() as u64)
}
