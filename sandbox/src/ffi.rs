//! The part of Lua's C interface that we use, under one name.
//!
//! `mlua` builds LuaJIT and declares its C interface. The states themselves are made here and not by `mlua`, because
//! every byte of a plugin is counted with its maximum, errors must be plain Lua strings, and ten thousand states have to
//! be small.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

pub(crate) use mlua::ffi::*;

// These belong to the same library; `mlua` has no declaration of them.
unsafe extern "C-unwind" {
    /// Switches LuaJIT's compiler; see [`JIT_ENGINE`], [`JIT_ON`].
    pub(crate) fn luaJIT_setmode(l: *mut lua_State, idx: c_int, mode: c_int) -> c_int;
    /// Compiles a text; `mode` "t" refuses bytecode.
    #[link_name = "luaL_loadbufferx"]
    pub(crate) fn load_buffer(
        l: *mut lua_State,
        text: *const c_char,
        len: usize,
        name: *const c_char,
        mode: *const c_char,
    ) -> c_int;
    /// The plain `lua_resume` of Lua 5.1.
    #[link_name = "lua_resume"]
    pub(crate) fn resume(l: *mut lua_State, n_args: c_int) -> c_int;
}

/// For [`luaJIT_setmode`]: the whole compiler of a state.
pub(crate) const JIT_ENGINE: c_int = 0;
/// For [`luaJIT_setmode`]: switch on.
pub(crate) const JIT_ON: c_int = 0x0100;
/// For [`luaJIT_setmode`]: switch off.
pub(crate) const JIT_OFF: c_int = 0;
