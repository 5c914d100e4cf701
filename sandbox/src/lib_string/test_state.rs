//! For tests of the libraries: a Lua state that has them all, as a plugin would after requiring them.

use std::sync::Arc;

use crate::limits::Limits;
use crate::native::{Call, Error, Function, function};
use crate::sandbox::{Kind, NoHost};
use crate::vm::{Failure, Parts, State};
use crate::{environment, lib_io, lib_math, lib_os, lib_string, lib_table};

const LIBRARIES: &[(&str, Function)] = &[
    ("string", function(lib_string::open)),
    ("table", function(lib_table::open)),
    ("math", function(lib_math::open)),
    ("os", function(lib_os::open)),
    ("io", function(lib_io::open)),
    ("append_file", function(lib_io::append_module::open)),
];

/// A state of a plugin of this kind within these limits.
pub(crate) fn state(kind: Kind, limits: Limits) -> State {
    let parts = Parts {
        kind,
        limits,
        name: "test".into(),
        hostname: "host".into(),
        pid: 1,
        log_level: 7,
        restricted_headers: false,
        lua_path: None,
        lua_cpath: None,
        modules: Arc::default(),
        host: Box::new(NoHost),
    };
    let state = State::new(parts, true).expect("memory for a state");
    state
        .with_call(open_all)
        .unwrap_or_else(|text| panic!("{}", String::from_utf8_lossy(&text)));
    state.lift_limits(false);
    state
}

fn open_all(call: &mut Call<'_>) -> Result<(), Error> {
    environment::fill(call, &crate::value::Table::new())?;
    for (name, open) in LIBRARIES {
        call.push_function(*open)?;
        call.call(0, 1)?;
        call.push_table(0, 0)?;
        call.set_metatable(-2);
        call.set_global(name)?;
    }
    Ok(())
}

/// Runs a chunk; its first result as text, or its error.
pub(crate) fn try_in(state: &State, code: &str) -> Result<Vec<u8>, String> {
    let words = |text: Vec<u8>| String::from_utf8_lossy(&text).into_owned();
    state.load(code.as_bytes(), "=test").map_err(words)?;
    match state.call(0, 1) {
        Ok(()) => Ok(state.take_text()),
        Err(Failure::Error(text)) => Err(words(text)),
        Err(Failure::Stopped) => Err("stopped".into()),
    }
}

/// Runs a chunk of an output plugin, which must not fail.
pub(crate) fn run(code: &str) -> Vec<u8> {
    run_as(Kind::Output, code)
}

/// Runs a chunk of a plugin of this kind, which must not fail.
pub(crate) fn run_as(kind: Kind, code: &str) -> Vec<u8> {
    let limits = Limits {
        memory: 64 << 20,
        ..Limits::default()
    };
    let result = try_in(&state(kind, limits), code);
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a chunk that must fail; its error.
pub(crate) fn error_of(code: &str) -> String {
    let limits = Limits {
        memory: 64 << 20,
        ..Limits::default()
    };
    try_in(&state(Kind::Output, limits), code).expect_err("it should fail")
}
