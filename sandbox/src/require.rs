//! `require`, `module` and `package.seeall`: Lua modules from the configured path, Lua's own libraries, native modules.
#![allow(unsafe_code)]

use std::path::Path;

use crate::ffi;
use crate::native::{Call, Error, Function, Type, function};
use crate::sandbox::Kind;
use crate::vm::slot;
use crate::{coroutine, lib_io, lib_math, lib_os, lib_string, lib_table, sandbox};

/// The functions, as globals.
pub(crate) const FUNCTIONS: &[(&str, Function)] =
    &[("require", function(require)), ("module", function(module))];

/// What `package` holds.
pub(crate) const PACKAGE: &[(&str, Function)] = &[("seeall", function(seeall))];

/// Lua's own libraries, and those of ours that every program has.
const LIBRARIES: &[(&str, Function)] = &[
    ("string", function(lib_string::open)),
    ("table", function(lib_table::open)),
    ("math", function(lib_math::open)),
    ("os", function(lib_os::open)),
    ("io", function(lib_io::open)),
    ("coroutine", function(coroutine::open)),
    (
        "foresight.append_file",
        function(lib_io::append_module::open),
    ),
];

/// Libraries that analysis plugins may not have.
const DISABLED_FOR_ANALYSIS: &[&str] = &["io", "coroutine", "foresight.append_file"];

/// `require(name)`
fn require(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    let shown = String::from_utf8_lossy(name);
    if !name
        .iter()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.'))
    {
        return Err(Error::new(format!("invalid module name '{shown}'")));
    }
    call.room(2)?;
    call.push_slot(slot::LOADED);
    let loaded = call.top();
    call.push_value(1)?;
    call.raw_get(loaded);
    if call.light_at(-1).is_some() {
        return Err(Error::new(format!(
            "loop or previous error loading module '{shown}'"
        )));
    }
    if call.is_true(-1) {
        return Ok(1);
    }
    call.pop(1);
    let disabled = call.kind() == Kind::Analysis
        && DISABLED_FOR_ANALYSIS
            .iter()
            .any(|library| library.as_bytes() == name);
    if disabled {
        return Err(Error::new(format!("module '{shown}' disabled")));
    }
    let is_native = push_loader(call, name)?;
    run_loader(call, loaded)?;
    set_empty_metatable(call)?;
    if is_native {
        set_global_once(call, name)?;
    }
    if name == b"string" {
        hide_string_metatable(call)?;
    }
    Ok(1)
}

/// Pushes the function that makes the module; true if it is a native one.
fn push_loader(call: &mut Call<'_>, name: &[u8]) -> Result<bool, Error> {
    let library = LIBRARIES
        .iter()
        .find(|(library, _)| library.as_bytes() == name);
    if let Some((_, open)) = library {
        call.push_function(*open)?;
        return Ok(true);
    }
    let module = call.shared().modules.get(name);
    match module.filter(|module| !module.io_only || call.kind() != Kind::Analysis) {
        Some(module) => call.push_function(module.open)?,
        None => load_file(call, name)?,
    }
    Ok(module.is_some())
}

/// Calls the loader on top with the module's name; the module is pushed, and noted as loaded.
fn run_loader(call: &mut Call<'_>, loaded: i32) -> Result<(), Error> {
    // While it loads, and if it fails, a mark stands in its place.
    call.push_value(1)?;
    call.push_light(1)?;
    call.raw_set(loaded)?;
    call.push_value(1)?;
    call.call(1, 1)?;
    if !call.is_nil(-1) {
        call.push_value(1)?;
        call.push_value(-2)?;
        call.raw_set(loaded)?;
        return Ok(());
    }
    call.pop(1);
    call.push_value(1)?;
    call.raw_get(loaded);
    if call.light_at(-1).is_some() {
        call.pop(1);
        call.push_bool(true)?;
        call.push_value(1)?;
        call.push_bool(true)?;
        call.raw_set(loaded)?;
    }
    Ok(())
}

/// Gives the module on top an empty metatable, so that it is not taken for the plugin's data when its state is preserved.
fn set_empty_metatable(call: &mut Call<'_>) -> Result<(), Error> {
    if call.type_of(-1) != Type::Table {
        return Ok(());
    }
    if call.push_metatable(-1)? {
        call.pop(1);
        return Ok(());
    }
    call.push_table(0, 0)?;
    call.set_metatable(-2);
    Ok(())
}

/// Makes `getmetatable("")` answer with a name instead of the metatable that all strings share.
fn hide_string_metatable(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_string_metatable()?;
    call.push_bytes("string")?;
    call.raw_set_field(-2, "__metatable")?;
    call.pop(1);
    Ok(())
}

/// Makes the native module on top a global of its name, as Lua 5.1's libraries do; one the plugin has is left alone.
fn set_global_once(call: &mut Call<'_>, name: &[u8]) -> Result<(), Error> {
    let Some(name) = std::str::from_utf8(name)
        .ok()
        .filter(|name| !name.contains('.'))
    else {
        return Ok(());
    };
    call.push_global(name)?;
    let free = call.is_nil(-1);
    call.pop(1);
    if free {
        call.push_value(-1)?;
        call.set_global(name)?;
    }
    Ok(())
}

/// Finds a Lua module on the path and pushes its chunk.
fn load_file(call: &mut Call<'_>, name: &[u8]) -> Result<(), Error> {
    let shared = call.shared();
    let name = String::from_utf8_lossy(name);
    let Some(path) = &shared.lua_path else {
        let why = "no 'path' configuration was specified for the sandbox; external modules have been disabled";
        return Err(Error::new(why));
    };
    let mut tried = String::new();
    for file in candidates(path, &name) {
        if Path::new(&file).is_file() {
            return load_chunk(call, &name, &file);
        }
        tried.push_str(&format!("\n\tno file '{file}'"));
    }
    for file in candidates(shared.lua_cpath.as_deref().unwrap_or_default(), &name) {
        if Path::new(&file).is_file() {
            tried.push_str(&format!(
                "\n\tfile '{file}' is a module in C, which is never loaded"
            ));
        }
    }
    Err(Error::new(format!("module '{name}' not found:{tried}")))
}

/// The files that a list of templates stands for.
fn candidates<'p>(templates: &'p str, name: &str) -> impl Iterator<Item = String> + use<'p> {
    let name = name.replace('.', "/");
    let templates = templates.split(';').filter(|template| !template.is_empty());
    templates.map(move |template| template.replace('?', &name))
}

fn load_chunk(call: &mut Call<'_>, name: &str, file: &str) -> Result<(), Error> {
    let failed = |words: &str| {
        Error::new(format!(
            "error loading module '{name}' from file '{file}':\n\t{words}"
        ))
    };
    let source =
        sandbox::read_source(Path::new(file)).map_err(|error| failed(&error.to_string()))?;
    match call.load(&source, &format!("@{file}"))? {
        Ok(()) => Ok(()),
        Err(words) => Err(failed(&String::from_utf8_lossy(&words))),
    }
}

/// `module(name, ...)`: makes a table of that name, global and in `require`'s list, and the environment of its caller.
fn module(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    let n_args = call.arg_count() as i32;
    call.room(2)?;
    call.push_slot(slot::LOADED);
    let loaded = call.top();
    call.push_value(1)?;
    call.raw_get(loaded);
    if call.type_of(-1) != Type::Table {
        call.pop(1);
        push_named_table(call, name)?;
        call.push_value(1)?;
        call.push_value(-2)?;
        call.raw_set(loaded)?;
    }
    let module = call.top();
    name_module(call, module, name)?;
    set_callers_environment(call, module)?;
    for i in 2..=n_args {
        if call.type_of(i) == Type::Function {
            call.push_value(i)?;
            call.push_value(module)?;
            call.call(1, 0)?;
        }
    }
    Ok(0)
}

/// Pushes the table that a dotted name leads to from the globals, making what is missing.
fn push_named_table(call: &mut Call<'_>, name: &[u8]) -> Result<(), Error> {
    call.push_globals()?;
    for part in name.split(|&c| c == b'.') {
        let table = call.top();
        call.push_bytes(part)?;
        call.push_value(-1)?;
        call.raw_get(table);
        if call.is_nil(-1) {
            call.pop(1);
            call.push_table(0, 1)?;
            call.push_value(-2)?;
            call.push_value(-2)?;
            call.raw_set(table)?;
        } else if call.type_of(-1) != Type::Table {
            let name = String::from_utf8_lossy(name);
            return Err(Error::new(format!("name conflict for module '{name}'")));
        }
        call.insert(table);
        call.truncate(table);
    }
    Ok(())
}

/// Sets `_M`, `_NAME` and `_PACKAGE` in a module that has no name yet.
fn name_module(call: &mut Call<'_>, module: i32, name: &[u8]) -> Result<(), Error> {
    call.raw_get_field(module, "_NAME")?;
    let named = !call.is_nil(-1);
    call.pop(1);
    if named {
        return Ok(());
    }
    call.push_value(module)?;
    call.raw_set_field(module, "_M")?;
    call.push_bytes(name)?;
    call.raw_set_field(module, "_NAME")?;
    let package = memchr::memrchr(b'.', name).map_or(&[][..], |dot| &name[..=dot]);
    call.push_bytes(package)?;
    call.raw_set_field(module, "_PACKAGE")
}

fn set_callers_environment(call: &mut Call<'_>, module: i32) -> Result<(), Error> {
    let l = call.raw();
    call.room(2)?;
    let mut ar = std::mem::MaybeUninit::<ffi::lua_Debug>::zeroed();
    // SAFETY: there is room for the caller's function and the table; zeroed is a valid value of `ar`.
    unsafe {
        let found = ffi::lua_getstack(l, 1, ar.as_mut_ptr()) != 0
            && ffi::lua_getinfo(l, c"f".as_ptr(), ar.as_mut_ptr()) != 0;
        if !found || ffi::lua_iscfunction(l, -1) != 0 {
            return Err(Error::new("'module' not called from a Lua function"));
        }
        ffi::lua_pushvalue(l, module);
        ffi::lua_setfenv(l, -2);
        ffi::lua_settop(l, -2);
    }
    Ok(())
}

/// `package.seeall(module)`: lets the module see the globals.
fn seeall(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    if !call.push_metatable(1)? {
        call.push_table(0, 1)?;
        call.push_value(-1)?;
        call.set_metatable(1);
    }
    call.push_globals()?;
    call.raw_set_field(-2, "__index")?;
    Ok(0)
}
