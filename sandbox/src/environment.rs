//! What a plugin finds in its globals: Hindsight's, and nothing more.

use std::ffi::c_int;

use crate::native::{Call, Error, Function};
use crate::sandbox::Kind;
use crate::value::{Key, Table, Value};
use crate::vm::{NO_MEMORY, slot};
use crate::{api, base, lib_io, require};

/// Globals of LuaJIT that no plugin may have.
const REMOVED: &[&str] = &[
    "dofile",
    "load",
    "loadfile",
    "loadstring",
    "newproxy",
    "jit",
    "coroutine",
    "bit",
    "debug",
    "ffi",
];

/// Further globals that analysis plugins may not have.
const REMOVED_FROM_ANALYSIS: &[&str] = &["collectgarbage"];

/// Deepest nesting of configuration tables; what the reader of configurations allows.
const MAX_CONFIG_DEPTH: usize = 128;

/// Fills the globals and our places in the registry.
pub(crate) fn fill(call: &mut Call<'_>, config: &Table) -> Result<(), Error> {
    fill_registry(call, config)?;
    let kind = call.kind();
    for name in REMOVED {
        remove(call, name)?;
    }
    if kind == Kind::Analysis {
        for name in REMOVED_FROM_ANALYSIS {
            remove(call, name)?;
        }
    }
    set_globals(call, base::FUNCTIONS)?;
    set_globals(call, require::FUNCTIONS)?;
    set_globals(call, api::COMMON)?;
    set_globals(
        call,
        match kind {
            Kind::Input => api::INPUT,
            Kind::Analysis => api::ANALYSIS,
            Kind::Output => api::OUTPUT,
        },
    )?;
    call.push_library(require::PACKAGE)?;
    call.set_global("package")
}

/// Takes away what only the main chunk may use.
pub(crate) fn close(call: &mut Call<'_>) -> Result<(), Error> {
    if call.kind() != Kind::Analysis {
        remove(call, "output")?;
    }
    Ok(())
}

/// Writes out what file handles of the plugin still hold.
pub(crate) fn flush_files(call: &mut Call<'_>) -> Result<(), Error> {
    lib_io::flush_all(call)
}

fn remove(call: &mut Call<'_>, name: &str) -> Result<(), Error> {
    call.push_nil()?;
    call.set_global(name)
}

fn set_globals(call: &mut Call<'_>, functions: &[(&str, Function)]) -> Result<(), Error> {
    for (name, function) in functions {
        call.push_function(*function)?;
        call.set_global(name)?;
    }
    Ok(())
}

fn fill_registry(call: &mut Call<'_>, config: &Table) -> Result<(), Error> {
    let shared = call.shared();
    // Set in the order of their numbers, so that they form the registry's array.
    call.push_bool(false)?;
    call.set_slot(slot::ERROR);
    call.push_table(0, 4)?;
    call.set_slot(slot::LOADED);
    push_config(call, config, 0)?;
    call.set_slot(slot::CONFIG);
    push_weak_table(call)?;
    call.set_slot(slot::IDS);
    call.push_table(0, 0)?;
    call.set_slot(slot::ANCHORS);
    push_array_marker(call)?;
    call.set_slot(slot::ARRAY);
    let texts: [(c_int, &str); 5] = [
        (slot::PROCESS_MESSAGE, "process_message"),
        (slot::TIMER_EVENT, "timer_event"),
        (slot::NO_MEMORY, NO_MEMORY),
        (slot::LOGGER, &shared.name),
        (slot::HOSTNAME, &shared.hostname),
    ];
    for (slot, text) in texts {
        call.push_bytes(text)?;
        call.set_slot(slot);
    }
    for (i, key) in slot::KEYS.iter().enumerate() {
        call.push_bytes(key)?;
        call.set_slot(slot::KEY + i as c_int);
    }
    Ok(())
}

/// Pushes a table whose keys do not keep objects alive.
fn push_weak_table(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_table(0, 0)?;
    call.push_table(0, 1)?;
    call.push_bytes("k")?;
    call.raw_set_field(-2, "__mode")?;
    call.set_metatable(-2);
    Ok(())
}

/// Pushes the metatable that marks empty arrays, and makes it known to `preserve`.
fn push_array_marker(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_table(0, 1)?;
    call.push_bool(false)?;
    call.raw_set_field(-2, "__metatable")?;
    call.push_value(-1)?;
    call.set_registry(&crate::preserve::EMPTY_ARRAY.to_string_lossy())
}

fn push_config(call: &mut Call<'_>, table: &Table, depth: usize) -> Result<(), Error> {
    if depth > MAX_CONFIG_DEPTH {
        return Err(Error::new("configuration tables nest too deeply"));
    }
    call.push_table(0, table.len())?;
    for entry in table {
        match &entry.key {
            Key::Integer(number) => call.push_integer(*number)?,
            Key::Name(name) => call.push_bytes(name)?,
        }
        match &entry.value {
            Value::Bool(truth) => call.push_bool(*truth)?,
            Value::Number(number) => call.push_number(*number)?,
            Value::String(text) => call.push_bytes(text)?,
            Value::Table(inner) => push_config(call, inner, depth + 1)?,
        }
        call.raw_set(-3)?;
    }
    Ok(())
}
