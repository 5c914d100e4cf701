//! `try`, `newtry` and `protect`: LuaSocket's way to turn failures into errors and errors into failures.

use sandbox::native::{Call, Error, Type, function};

/// Under which name Lua's own `error` is kept.
const RAISE: &str = "socket.error";

/// Pushes `try` without a finalizer.
pub(super) fn push_try(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_global("error")?;
    call.keep(RAISE)?;
    call.push_nil()?;
    call.push_closure(function(try_), 1)
}

/// `newtry(finalizer)`: a `try` that calls the finalizer before it fails.
pub(super) fn newtry(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_function(1)?;
    call.push_value(1)?;
    call.push_closure(function(try_), 1)?;
    Ok(1)
}

/// Gives its arguments back, or, when the first is false or nil, raises the second in a table that `protect` knows.
fn try_(call: &mut Call<'_>) -> Result<usize, Error> {
    let count = call.arg_count();
    if count > 0 && call.is_true(1) {
        for i in 1..=count as i32 {
            call.push_value(i)?;
        }
        return Ok(count);
    }
    call.push_upvalue(1)?;
    if call.type_of(-1) == Type::Function && !call.call_protected(0, 0)? {
        call.pop(1);
    }
    call.push_table(1, 0)?;
    call.push_value(2)?;
    call.raw_set_index(-2, 1)?;
    raise(call)
}

/// Raises the value on top as it is.
fn raise(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_kept(RAISE)?;
    call.insert(-2);
    call.push_integer(0)?;
    call.call(2, 0)?;
    Ok(0)
}

/// `protect(f)`: a function like `f` that returns nil and the reason for what `try` raised.
pub(super) fn protect(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_function(1)?;
    call.push_value(1)?;
    call.push_closure(function(protected), 1)?;
    Ok(1)
}

fn protected(call: &mut Call<'_>) -> Result<usize, Error> {
    let count = call.arg_count();
    call.push_upvalue(1)?;
    for i in 1..=count as i32 {
        call.push_value(i)?;
    }
    if call.call_protected(count, -1)? {
        return Ok(call.top() as usize - count);
    }
    if call.type_of(-1) != Type::Table {
        return raise(call);
    }
    call.push_nil()?;
    call.raw_get_index(-2, 1)?;
    Ok(2)
}
