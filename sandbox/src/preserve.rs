//! A plugin's globals, to disk and back.
//!
//! The file is Hindsight's: Lua statements, one per line, that Hindsight itself can run. We write numbers exactly and
//! keys in order, and we never run a file: its statements are read as data (see `parse`). In front stands a comment
//! with the place in the queue that the state belongs to.
//!
//! Userdata takes part by [`Object::preserve`](crate::native::Object::preserve), which gives the statements that make an
//! equal one: usually `if PATH == nil then PATH = module.new(...) end` and some `PATH:method(...)` lines with literal
//! arguments.
#![allow(unsafe_code)]

mod parse;
mod restore;
mod write;

use std::ffi::CStr;
use std::io::Write as _;
use std::os::raw::c_int;

use crate::ffi;

/// The registry key of the metatable that marks a table as an empty array (`[]` in JSON, `{nil}` in a state file).
pub(crate) const EMPTY_ARRAY: &CStr = c"foresight.empty_array";
/// The global that says which version of its own state a plugin writes and accepts.
const VERSION: &CStr = c"_PRESERVATION_VERSION";
/// What opens the comment with the place in the queue.
const POSITION: &str = "-- position: ";
/// The largest state that is read back: more than any sandbox may hold in memory.
const MAX_SIZE: usize = 4 << 30;

/// The statements that bring back what the globals of `state` hold now, and `position` in front of them.
///
/// Skipped are functions, threads, tables with a metatable, and userdata that has no such form.
///
/// # Errors
/// A text for the operator: a key that cannot be preserved, tables that nest too deeply, an error of a userdata.
///
/// # Safety
/// `state` is a Lua state that nothing else uses during the call. Its memory limit should be lifted.
pub unsafe fn save(state: *mut ffi::lua_State, position: &str) -> Result<Vec<u8>, String> {
    let position = position.replace(char::is_control, " ");
    // SAFETY: the job runs in protected mode on the state the caller lends us.
    unsafe {
        protected(state, move |state| {
            let mut out = format!("{POSITION}{position}\n").into_bytes();
            let version = own_version(state);
            let guard = VERSION.to_string_lossy();
            writeln!(out, "if {guard} and {guard} ~= {version} then return end")
                .expect("writing to memory cannot fail");
            write::Writer::new(state, out).globals()
        })
    }
}

/// Puts a state file into effect. Nothing of it is run as code; a hostile file can at worst give wrong data.
///
/// # Errors
/// `restore_global_data line N: ...`; what came before that line has taken effect.
///
/// # Safety
/// As for [`save`].
pub unsafe fn restore(state: *mut ffi::lua_State, file: &[u8]) -> Result<(), String> {
    if file.len() > MAX_SIZE {
        return Err(format!(
            "restore_global_data the file is larger than {MAX_SIZE} bytes"
        ));
    }
    // SAFETY: the job runs in protected mode on the state the caller lends us.
    unsafe { protected(state, |state| restore::run(state, file)) }
}

/// The place in the queue that a state file belongs to; `None` in a file of Hindsight.
pub fn position(file: &[u8]) -> Option<String> {
    let rest = file.strip_prefix(POSITION.as_bytes())?;
    let line = rest.split(|&c| c == b'\n').next()?;
    String::from_utf8(line.to_vec()).ok()
}

/// The version among the globals, as Hindsight prints it: whole, and 0 when there is none.
unsafe fn own_version(state: *mut ffi::lua_State) -> i64 {
    // SAFETY: a raw read of one global.
    unsafe {
        ffi::lua_pushstring_(state, VERSION.as_ptr());
        ffi::lua_rawget_(state, ffi::LUA_GLOBALSINDEX);
        let version = match ffi::lua_type(state, -1) {
            ffi::LUA_TNUMBER => ffi::lua_tonumber(state, -1) as i64,
            _ => 0,
        };
        ffi::lua_pop(state, 1);
        version
    }
}

/// A function on its way through Lua's protected call, and its result on the way back.
struct Job<F, T> {
    work: Option<F>,
    result: Option<Result<T, String>>,
}

/// Runs `work` such that an error of Lua (there is only one left: no memory) comes back as text.
unsafe fn protected<F, T>(state: *mut ffi::lua_State, work: F) -> Result<T, String>
where
    F: FnOnce(*mut ffi::lua_State) -> Result<T, String>,
{
    let mut job = Job {
        work: Some(work),
        result: None,
    };
    // SAFETY: the job outlives the call; its address is only used inside.
    let status = unsafe { ffi::lua_cpcall(state, step::<F, T>, (&raw mut job).cast()) };
    if status != 0 {
        // SAFETY: a failed protected call leaves one error value.
        unsafe { ffi::lua_pop(state, 1) };
    }
    let lost = || Err("not enough memory".into());
    job.result.take().unwrap_or_else(lost)
}

unsafe extern "C-unwind" fn step<F, T>(state: *mut ffi::lua_State) -> c_int
where
    F: FnOnce(*mut ffi::lua_State) -> Result<T, String>,
{
    // SAFETY: the only argument is the job `protected` passed, which is alive and used by nobody else.
    let job = unsafe { &mut *ffi::lua_touserdata(state, 1).cast::<Job<F, T>>() };
    if let Some(work) = job.work.take() {
        job.result = Some(work(state));
    }
    0
}

#[cfg(test)]
mod tests;
