//! Lua's coroutine library for input and output plugins. A coroutine can neither keep a limit error nor nest without bound.
#![allow(unsafe_code)]

use crate::ffi;
use crate::limits::{Ended, MAX_NATIVE_DEPTH};
use crate::native::{Call, Error, Function, Type, function};

const FUNCTIONS: &[(&str, Function)] = &[
    ("create", function(create)),
    ("resume", function(resume)),
    ("running", function(running)),
    ("status", function(status)),
    ("wrap", function(wrap)),
];

/// Opens the library: LuaJIT's own `yield`, everything else ours.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    // SAFETY: there is room for one value.
    unsafe {
        call.room(1)?;
        ffi::lua_pushcclosure(call.raw(), raw_yield, 0);
    }
    call.raw_set_field(-2, "yield")?;
    Ok(1)
}

/// `yield` gives back control without a Rust frame in between.
unsafe extern "C-unwind" fn raw_yield(l: *mut ffi::lua_State) -> std::ffi::c_int {
    // SAFETY: Lua checks whether the coroutine can yield here.
    unsafe { ffi::lua_yield(l, ffi::lua_gettop(l)) }
}

fn create(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_function(1)?;
    if call.is_native_function(1) {
        return Err(Error::argument(1, "Lua function expected"));
    }
    call.check_memory(0)?;
    call.room(2)?;
    let l = call.raw();
    // SAFETY: there is room; the function moves to the new thread.
    unsafe {
        let thread = ffi::lua_newthread(l);
        ffi::lua_pushvalue(l, 1);
        ffi::lua_xmove(l, thread, 1);
    }
    Ok(1)
}

fn wrap(call: &mut Call<'_>) -> Result<usize, Error> {
    create(call)?;
    call.push_closure(function(resume_wrapped), 1)?;
    Ok(1)
}

fn resume(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_type(1, Type::Thread)
        .map_err(|_| Error::argument(1, "coroutine expected"))?;
    let n_args = call.arg_count() - 1;
    match run(call, 1, n_args)? {
        Ok(n_results) => {
            let first = call.top() - n_results as i32 + 1;
            call.push_bool(true)?;
            call.insert(first);
            Ok(n_results + 1)
        }
        Err(Broken) => {
            call.push_bool(false)?;
            call.insert(-2);
            Ok(2)
        }
    }
}

fn resume_wrapped(call: &mut Call<'_>) -> Result<usize, Error> {
    let n_args = call.arg_count();
    call.push_upvalue(1)?;
    let thread = call.top();
    match run(call, thread, n_args)? {
        Ok(n_results) => Ok(n_results),
        Err(Broken) => {
            call.set_slot(crate::vm::slot::ERROR);
            Err(Error::raised())
        }
    }
}

/// The coroutine failed; its error object is on the stack.
struct Broken;

/// Resumes the coroutine at `thread` with the last `n_args` arguments; its results or its error are pushed.
fn run(call: &mut Call<'_>, thread: i32, n_args: usize) -> Result<Result<usize, Broken>, Error> {
    let l = call.raw();
    let first = call.arg_count() as i32 - n_args as i32 + 1;
    // SAFETY: the value is a thread; the pointer is used while it stays on our stack.
    let co = unsafe { ffi::lua_tothread(l, thread) };
    let words = match state_of(l, co) {
        State::Suspended => None,
        State::Dead => Some("cannot resume dead coroutine"),
        State::Running | State::Normal => Some("cannot resume non-suspended coroutine"),
    };
    if let Some(words) = words {
        call.push_bytes(words)?;
        return Ok(Err(Broken));
    }
    let shared = call.shared();
    let depth = shared.depth.get();
    // SAFETY: asked of the other thread's own stack.
    if depth >= MAX_NATIVE_DEPTH || unsafe { ffi::lua_checkstack(co, n_args as i32 + 1) } == 0 {
        return Err(Error::new("C stack overflow"));
    }
    for i in 0..n_args {
        call.push_value(first + i as i32)?;
    }
    shared.depth.set(depth + 1);
    let lenient = shared.memory.lenient.replace(shared.memory.lifted.get());
    // SAFETY: the arguments are on our stack, and there is room on the other.
    let (status, n_results) = unsafe {
        ffi::lua_xmove(l, co, n_args as i32);
        let status = ffi::resume(co, n_args as i32);
        (
            status,
            if status <= ffi::LUA_YIELD {
                ffi::lua_gettop(co)
            } else {
                1
            },
        )
    };
    shared.memory.lenient.set(lenient);
    shared.depth.set(depth);
    call.room(n_results)?;
    // SAFETY: there is room, and that many values lie on the other stack.
    unsafe { ffi::lua_xmove(co, l, n_results) };
    if shared.budget.ended() != Ended::No {
        if status > ffi::LUA_YIELD {
            call.set_slot(crate::vm::slot::ERROR);
            return Err(Error::raised());
        }
        return Err(Error::ended());
    }
    Ok(if status <= ffi::LUA_YIELD {
        Ok(n_results as usize)
    } else {
        Err(Broken)
    })
}

fn running(call: &mut Call<'_>) -> Result<usize, Error> {
    call.room(1)?;
    // SAFETY: there is room.
    if unsafe { ffi::lua_pushthread(call.raw()) } != 0 {
        // The main thread is no coroutine.
        call.push_nil()?;
    }
    Ok(1)
}

/// What a coroutine is doing.
enum State {
    Suspended,
    Running,
    Normal,
    Dead,
}

fn status(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_type(1, Type::Thread)
        .map_err(|_| Error::argument(1, "coroutine expected"))?;
    // SAFETY: the value is a thread.
    let co = unsafe { ffi::lua_tothread(call.raw(), 1) };
    call.push_bytes(match state_of(call.raw(), co) {
        State::Suspended => "suspended",
        State::Running => "running",
        State::Normal => "normal",
        State::Dead => "dead",
    })?;
    Ok(1)
}

fn state_of(l: *mut ffi::lua_State, co: *mut ffi::lua_State) -> State {
    if l == co {
        return State::Running;
    }
    // SAFETY: both threads are alive; they stand on the stack of `l`.
    unsafe {
        let mut ar = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed();
        match ffi::lua_status(co) {
            ffi::LUA_YIELD => State::Suspended,
            ffi::LUA_OK if ffi::lua_getstack(co, 0, ar.as_mut_ptr()) != 0 => State::Normal,
            ffi::LUA_OK if ffi::lua_gettop(co) == 0 => State::Dead,
            ffi::LUA_OK => State::Suspended,
            _ => State::Dead,
        }
    }
}
