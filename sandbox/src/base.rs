//! Functions of Lua's base library that are not LuaJIT's own: those that could keep a limit error or show an address.

use crate::native::{Call, Error, Function, function};

/// The functions, as globals.
pub(crate) const FUNCTIONS: &[(&str, Function)] = &[
    ("pcall", function(pcall)),
    ("xpcall", function(xpcall)),
    ("tostring", function(tostring)),
];

/// `pcall(f, ...)`. An error that ends the call from outside passes through.
fn pcall(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_any(1)?;
    let n_args = call.arg_count() - 1;
    call.release_arguments();
    finish(call, n_args, None)
}

/// `xpcall(f, handler, ...)`. The handler runs after the failed function was left, so it can be ended like everything else.
fn xpcall(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.arg_count() < 2 {
        return Err(Error::argument(2, "value expected"));
    }
    let n_args = call.arg_count() - 2;
    // The handler stays an argument; the function is copied above it, and the other arguments after it.
    call.push_value(1)?;
    for i in 0..n_args {
        call.push_value(3 + i as i32)?;
    }
    finish(call, n_args, Some(2))
}

/// Calls the function on the stack and returns true with its results, or false with the error, first seen by the handler.
fn finish(call: &mut Call<'_>, n_args: usize, handler: Option<i32>) -> Result<usize, Error> {
    let below = call.top() - n_args as i32 - 1;
    if call.call_protected(n_args, -1)? {
        let n_results = (call.top() - below) as usize;
        call.push_bool(true)?;
        call.insert(below + 1);
        return Ok(n_results + 1);
    }
    if let Some(handler) = handler {
        call.push_value(handler)?;
        call.insert(-2);
        // An error in the handler takes the place of the first one.
        call.call_protected(1, 1)?;
    }
    call.push_bool(false)?;
    call.insert(-2);
    Ok(2)
}

/// `tostring(value)`, without real addresses.
fn tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_any(1)?;
    call.push_tostring(1)?;
    Ok(1)
}
