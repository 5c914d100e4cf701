//! Looks at a Lua value and everything in it, step by step, as a writer of JSON needs it.

use std::ffi::c_int;

use super::{Call, Error, Type};
use crate::ffi::{self, lua_State};
use crate::vm;

/// Slots above a table: the key and the value at hand, and those of a look ahead.
const TABLE_SLOTS: c_int = 6;

/// Tables are listed only below this height of the stack: however deep they lie in each other, there is room for more.
const LISTED_HEIGHT: c_int = 1000;

/// A value that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'v> {
    /// nil
    Nil,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(&'v [u8]),
    /// A table, which [`Walker::open`] enters.
    Table,
    /// A light userdata that is NULL.
    Null,
    /// Anything else.
    Other(Type),
}

impl Item<'_> {
    /// Its kind.
    pub fn kind(self) -> Type {
        match self {
            Item::Nil => Type::Nil,
            Item::Boolean(_) => Type::Boolean,
            Item::Number(_) => Type::Number,
            Item::String(_) => Type::String,
            Item::Table => Type::Table,
            Item::Null => Type::LightUserdata,
            Item::Other(kind) => kind,
        }
    }
}

/// Walks over the value on top of the stack. Tables are read without metamethods, so no code of the plugin runs in between
/// and no table changes.
pub struct Walker<'c, 'a> {
    call: &'c mut Call<'a>,
    l: *mut lua_State,
    /// Positions of the tables that are entered; the key lies above its table, and the value above its key.
    tables: Vec<c_int>,
}

impl<'c, 'a> Walker<'c, 'a> {
    /// Begins with the value on top, which must have been pushed.
    ///
    /// # Errors
    /// When the stack is full.
    pub fn new(call: &'c mut Call<'a>) -> Result<Walker<'c, 'a>, Error> {
        call.push_value(-1)?;
        let l = call.raw();
        Ok(Walker {
            call,
            l,
            tables: Vec::new(),
        })
    }

    /// What [`Call`] offers, but for the stack.
    pub fn call(&self) -> &Call<'a> {
        self.call
    }

    /// As [`Call::charge`].
    ///
    /// # Errors
    /// As [`Call::charge`].
    #[inline]
    pub fn charge(&mut self, steps: u32) -> Result<(), Error> {
        self.call.charge(steps)
    }

    /// Whether the stack has room for one more table.
    #[inline]
    pub fn has_room(&mut self) -> bool {
        self.call.room(TABLE_SLOTS).is_ok()
    }

    /// Tables that are entered.
    #[inline]
    pub fn depth(&self) -> usize {
        self.tables.len()
    }

    /// The value at hand.
    #[inline]
    pub fn value(&self) -> Item<'_> {
        self.item(-1)
    }

    /// The key of the value at hand.
    ///
    /// # Panics
    /// When no table is entered.
    #[inline]
    pub fn key(&self) -> Item<'_> {
        assert!(!self.tables.is_empty(), "no table is entered");
        self.item(-2)
    }

    /// Enters the table at hand, before its first entry.
    ///
    /// # Errors
    /// When the stack is full.
    ///
    /// # Panics
    /// When the value at hand is no table.
    #[inline]
    pub fn open(&mut self) -> Result<(), Error> {
        assert!(self.value() == Item::Table, "no table to enter");
        self.call.room(TABLE_SLOTS)?;
        // SAFETY: always allowed.
        self.tables.push(unsafe { ffi::lua_gettop(self.l) });
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnil(self.l) };
        Ok(())
    }

    /// Steps to the next entry of the entered table, right after [`Walker::open`] or when the last value was looked at; at
    /// the end the table is the value at hand again, and false the answer.
    ///
    /// # Panics
    /// When no table is entered.
    #[inline]
    pub fn step(&mut self) -> bool {
        let table = *self.tables.last().expect("a table is entered");
        // SAFETY: the key lies above its table; what is above the key goes. The table has not changed since the key was
        // found, so it is in it, and `lua_next` cannot fail.
        unsafe {
            ffi::lua_settop(self.l, table + 1);
            if ffi::lua_next(self.l, table) != 0 {
                return true;
            }
        }
        self.tables.pop();
        false
    }

    /// As [`Walker::step`], but the table stays entered at its end.
    ///
    /// # Panics
    /// When no table is entered.
    pub fn step_inside(&mut self) -> bool {
        let table = *self.tables.last().expect("a table is entered");
        let more = self.step();
        if !more {
            self.tables.push(table);
            self.restart();
        }
        more
    }

    /// Looks ahead, from the entry at hand: whether all keys that follow are the numbers `next`, `next + 1`, ... in this
    /// order; and how many were looked at.
    ///
    /// # Panics
    /// When no table is entered.
    pub fn keys_count_on(&mut self, mut next: u32) -> (bool, u32) {
        let table = *self.tables.last().expect("a table is entered");
        let first = next;
        // SAFETY: there is room for one more key and value, which are taken away again; as in `step`, the key is in the
        // table.
        let counts_on = unsafe {
            ffi::lua_pushvalue(self.l, table + 1);
            let key = ffi::lua_gettop(self.l);
            loop {
                if ffi::lua_next(self.l, table) == 0 {
                    break true;
                }
                if self.item(key) != Item::Number(f64::from(next)) {
                    ffi::lua_settop(self.l, key - 1);
                    break false;
                }
                ffi::lua_settop(self.l, key);
                next = next.saturating_add(1);
            }
        };
        (counts_on, next - first)
    }

    /// Back to before the first entry of the entered table.
    ///
    /// # Panics
    /// When no table is entered.
    pub fn restart(&mut self) {
        let table = *self.tables.last().expect("a table is entered");
        // SAFETY: there is room for the key.
        unsafe {
            ffi::lua_settop(self.l, table);
            ffi::lua_pushnil(self.l);
        }
    }

    /// Makes item `i` of the entered table the value at hand; [`Walker::restart`] must follow before the next
    /// [`Walker::step`].
    ///
    /// # Panics
    /// When no table is entered.
    pub fn look_at(&mut self, i: i32) {
        let table = *self.tables.last().expect("a table is entered");
        // SAFETY: there is room; the nil stands where the key would.
        unsafe {
            ffi::lua_settop(self.l, table);
            ffi::lua_pushnil(self.l);
            ffi::lua_rawgeti_(self.l, table, i);
        }
    }

    /// Lists the keys of the entered table if they are strings, and `max` at most: how many there are. Otherwise it begins
    /// again, before the first entry.
    ///
    /// # Panics
    /// When no table is entered.
    pub fn list_keys(&mut self, max: usize) -> Option<usize> {
        let table = *self.tables.last().expect("a table is entered");
        self.restart();
        let slots = c_int::try_from(max).ok()?.checked_add(TABLE_SLOTS)?;
        if table > LISTED_HEIGHT || self.call.room(slots).is_err() {
            return None;
        }
        let mut n = 0;
        // SAFETY: there is room for the keys, and a key and a value more. The nil and then the last key lie on top; as in
        // `step`, the key is in the table.
        unsafe {
            loop {
                ffi::lua_pushvalue(self.l, -1);
                if ffi::lua_next(self.l, table) == 0 {
                    return Some(n);
                }
                ffi::lua_settop(self.l, -2);
                n += 1;
                if n > max || ffi::lua_type(self.l, -1) != ffi::LUA_TSTRING {
                    self.restart();
                    return None;
                }
            }
        }
    }

    /// Key `i` of those that [`Walker::list_keys`] listed, counted from 0.
    ///
    /// # Panics
    /// When there is none.
    #[inline]
    pub fn listed_key(&self, i: usize) -> &[u8] {
        let table = *self.tables.last().expect("a table is entered");
        match self.item(table + 2 + i as c_int) {
            Item::String(key) => key,
            _ => panic!("no listed key"),
        }
    }

    /// Makes the entry of key `i` of `n` listed ones the one at hand; [`Walker::close`] must follow after the last.
    ///
    /// # Panics
    /// When there is no such key.
    #[inline]
    pub fn look_at_listed(&mut self, i: usize, n: usize) {
        assert!(i < n, "no listed key");
        let table = *self.tables.last().expect("a table is entered");
        // SAFETY: the keys lie above the table and the nil; there is room for a key and a value more.
        unsafe {
            ffi::lua_settop(self.l, table + 1 + n as c_int);
            ffi::lua_pushvalue(self.l, table + 2 + i as c_int);
            ffi::lua_pushvalue(self.l, -1);
            ffi::lua_rawget(self.l, table);
        }
    }

    /// Leaves the entered table, which is the value at hand again.
    ///
    /// # Panics
    /// When no table is entered.
    pub fn close(&mut self) {
        let table = self.tables.pop().expect("a table is entered");
        // SAFETY: what lies above the table goes.
        unsafe { ffi::lua_settop(self.l, table) };
    }

    /// Whether the table at hand, which has no entries, is an array: marked as one, or made with room for items only.
    ///
    /// # Panics
    /// When the value at hand is no table.
    pub fn is_empty_array(&mut self) -> bool {
        assert!(self.value() == Item::Table, "no table at hand");
        self.call.is_empty_array(-1) || self.call.has_array_part(-1)
    }

    #[inline]
    fn item(&self, i: c_int) -> Item<'_> {
        let l = self.l;
        // SAFETY: the value is there, and stays while it is looked at. Only strings are asked for their bytes, so no number
        // becomes one.
        unsafe {
            match ffi::lua_type(l, i) {
                ffi::LUA_TSTRING => Item::String(vm::bytes_of(l, i)),
                ffi::LUA_TNUMBER => Item::Number(ffi::lua_tonumber(l, i)),
                ffi::LUA_TTABLE => Item::Table,
                ffi::LUA_TBOOLEAN => Item::Boolean(ffi::lua_toboolean(l, i) != 0),
                ffi::LUA_TNIL => Item::Nil,
                ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(l, i).is_null() => Item::Null,
                _ => Item::Other(self.call.type_of(i)),
            }
        }
    }
}
