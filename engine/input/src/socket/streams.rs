//! `socket.sink` and `socket.source`: sockets as the ends of LTN12's pumps.

use sandbox::native::{Call, Error, Function, function};

/// What a source receives at once, in bytes.
const BLOCK: i64 = 16 * 1024;

const SINKS: &[(&str, Function)] = &[
    ("close-when-done", function(sink_and_close)),
    ("default", function(sink_and_keep)),
    ("keep-open", function(sink_and_keep)),
];

const SOURCES: &[(&str, Function)] = &[
    ("by-length", function(source_by_length)),
    ("default", function(source_until_closed)),
    ("until-closed", function(source_until_closed)),
];

/// Sets `sink`, `source`, `choose` and the tables of makers in the library on top.
pub(super) fn set(call: &mut Call<'_>) -> Result<(), Error> {
    for (name, table, makers) in [("sink", "sinkt", SINKS), ("source", "sourcet", SOURCES)] {
        call.push_library(makers)?;
        call.push_value(-1)?;
        call.push_closure(function(chosen), 1)?;
        call.raw_set_field(-3, name)?;
        call.raw_set_field(-2, table)?;
    }
    call.push_function(function(choose))?;
    call.raw_set_field(-2, "choose")
}

/// `choose(makers)`: a function that calls the maker named by its first argument, or the one named `default`.
fn choose(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    call.push_value(1)?;
    call.push_closure(function(chosen), 1)?;
    Ok(1)
}

fn chosen(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.bytes_at(1).map(<[u8]>::to_vec);
    let first = if name.is_some() { 2 } else { 1 };
    let name = name.unwrap_or_else(|| b"default".to_vec());
    call.push_upvalue(1)?;
    call.push_bytes(&name)?;
    call.raw_get(-2);
    if call.is_nil(-1) {
        let name = String::from_utf8_lossy(&name);
        return Err(Error::new(format!("unknown key ({name})")));
    }
    call.push_value(first)?;
    call.push_value(first + 1)?;
    call.call(2, 1)?;
    Ok(1)
}

/// Pushes the socket that the running closure keeps, and what its method gives for the `n` values on top.
fn call_method(call: &mut Call<'_>, name: &str, n: usize, results: i32) -> Result<(), Error> {
    let below = call.top() - n as i32;
    call.push_upvalue(1)?;
    let socket = call.top();
    call.push_bytes(name)?;
    call.get(socket, socket + 1)?;
    call.push_value(socket)?;
    for i in 1..=n as i32 {
        call.push_value(below + i)?;
    }
    call.call(n + 1, results)
}

fn sink_and_close(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_value(1)?;
    call.push_closure(function(send_or_close), 1)?;
    Ok(1)
}

fn send_or_close(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.is_none_or_nil(1) {
        call_method(call, "close", 0, 0)?;
        call.push_integer(1)?;
        return Ok(1);
    }
    send(call)
}

fn sink_and_keep(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_value(1)?;
    call.push_closure(function(send_or_keep), 1)?;
    Ok(1)
}

fn send_or_keep(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.is_none_or_nil(1) {
        call.push_integer(1)?;
        return Ok(1);
    }
    send(call)
}

/// `send(chunk)` with all its results.
fn send(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_value(1)?;
    call_method(call, "send", 1, 3)?;
    Ok(3)
}

fn source_until_closed(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_value(1)?;
    call.push_bool(false)?;
    call.push_closure(function(receive_until_closed), 2)?;
    Ok(1)
}

/// The next block; the last one may be shorter, and the socket is closed then.
fn receive_until_closed(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_upvalue(2)?;
    if call.is_true(-1) {
        call.push_nil()?;
        return Ok(1);
    }
    call.push_integer(BLOCK)?;
    call_method(call, "receive", 1, 3)?;
    let top = call.top();
    if call.bytes_at(top - 1) == Some(b"closed") {
        call_method(call, "close", 0, 0)?;
        call.push_bool(true)?;
        call.set_upvalue(2);
        call.push_value(top)?;
        return Ok(1);
    }
    call.push_value(top - 2)?;
    call.push_value(top - 1)?;
    Ok(2)
}

/// `source("by-length", socket, length)`
fn source_by_length(call: &mut Call<'_>) -> Result<usize, Error> {
    let length = call.check_number(2)?;
    call.push_value(1)?;
    call.push_number(length)?;
    call.push_closure(function(receive_by_length), 2)?;
    Ok(1)
}

fn receive_by_length(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_upvalue(2)?;
    let left = call.number_at(-1).unwrap_or(0.0);
    if left <= 0.0 || left.is_nan() {
        call.push_nil()?;
        return Ok(1);
    }
    call.push_number(left.min(BLOCK as f64))?;
    call_method(call, "receive", 1, 2)?;
    let got = call.bytes_at(-2).map_or(0, <[u8]>::len);
    let top = call.top();
    call.push_number(left - got as f64)?;
    call.set_upvalue(2);
    call.push_value(top - 1)?;
    call.push_value(top)?;
    Ok(2)
}
