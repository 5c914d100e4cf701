//! Files and programs for input and output plugins, buffered so that what was written is known to have reached the kernel.
//!
//! Lua's own library leaves lines in C's buffers, which are lost with the program. Here the host can hand everything that
//! a plugin has written to the kernel ([`flush_all`]) before it records a checkpoint. The functions, their results and
//! their words are those of Lua 5.1.

pub(crate) mod append;
pub(crate) mod append_module;
mod file;
mod handle;
mod open_files;
pub(crate) mod wait;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::native::{Call, Error, Function, Type, function};
use crate::sandbox::Kind;
use crate::vm::Shared;
use file::Stream;
use handle::FileHandle;
pub(crate) use open_files::flush_all;

const FUNCTIONS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("flush", function(flush)),
    ("input", function(input)),
    ("lines", function(lines)),
    ("open", function(open_)),
    ("output", function(output)),
    ("popen", function(popen)),
    ("read", function(read)),
    ("tmpfile", function(tmpfile)),
    ("type", function(type_)),
    ("write", function(write)),
];

/// Under which name the default files are kept.
const DEFAULTS: &str = "io";

/// Pushes the library.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_table(0, 2)?;
    for (descriptor, name, default) in [
        (0, "stdin", Some("input")),
        (1, "stdout", Some("output")),
        (2, "stderr", None),
    ] {
        let stream = Stream::standard(descriptor).map_err(|e| Error::new(reason(&e)))?;
        handle::push(call, stream)?;
        if let Some(default) = default {
            call.push_value(-1)?;
            call.raw_set_field(-3, default)?;
        }
        call.raw_set_field(-3, name)?;
    }
    call.keep(DEFAULTS)?;
    Ok(1)
}

/// Waits for files and programs as long as the calling plugin may go on: outputs finish their work after a stop and are
/// only interrupted, inputs end at once.
pub(crate) struct CallWaiter<'a>(&'a Shared);

impl<'a> CallWaiter<'a> {
    pub(crate) fn new(call: &Call<'a>) -> CallWaiter<'a> {
        CallWaiter(call.shared())
    }
}

impl wait::Waiter for CallWaiter<'_> {
    fn keep_waiting(&mut self) -> bool {
        let control = &self.0.control;
        !(control.interrupted() || self.0.kind == Kind::Input && control.stopped())
    }
}

/// A path from Lua: any bytes.
pub(crate) fn path_of(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

/// The system's words for an error, without the number that Rust adds.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::InvalidInput if error.raw_os_error().is_none() => {
            return "Invalid argument".into();
        }
        _ => error.to_string(),
    };
    match text.find(" (os error") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// Pushes true, or nil with the reason (after the name, if there is one) and the error's number.
pub(crate) fn push_outcome(
    call: &mut Call<'_>,
    outcome: io::Result<()>,
    name: Option<&[u8]>,
) -> Result<usize, Error> {
    match outcome {
        Ok(()) => {
            call.push_bool(true)?;
            Ok(1)
        }
        Err(error) => push_failure(call, &error, name),
    }
}

/// Pushes nil, the reason and the error's number.
pub(crate) fn push_failure(
    call: &mut Call<'_>,
    error: &io::Error,
    name: Option<&[u8]>,
) -> Result<usize, Error> {
    call.push_nil()?;
    call.push_bytes(with_name(error, name))?;
    call.push_integer(error.raw_os_error().unwrap_or(libc::EINVAL).into())?;
    Ok(3)
}

fn with_name(error: &io::Error, name: Option<&[u8]>) -> Vec<u8> {
    let reason = reason(error).into_bytes();
    match name {
        Some(name) => [name, b": ", &reason].concat(),
        None => reason,
    }
}

/// How often a name for a temporary file is tried before the folder counts as unusable.
const ATTEMPTS: u64 = 100;

/// Makes a new, empty file that only its owner can read.
///
/// # Errors
/// The system's.
pub(crate) fn temporary_file(random: u64) -> io::Result<(File, PathBuf)> {
    use std::os::unix::fs::OpenOptionsExt;
    for attempt in 0..ATTEMPTS {
        let number = random.wrapping_add(attempt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let path = std::env::temp_dir().join(format!("lua_{number:016x}"));
        let mut options = File::options();
        match options
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((file, path)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn open_(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    let mode = call.opt_bytes(2)?.unwrap_or(b"r");
    match Stream::open(path_of(name), mode, &mut CallWaiter::new(call)) {
        Ok(stream) => handle::push(call, stream)?,
        Err(error) => return push_failure(call, &error, Some(name)),
    }
    Ok(1)
}

fn popen(call: &mut Call<'_>) -> Result<usize, Error> {
    let command = call.check_bytes(1)?;
    let writes = match call.opt_bytes(2)?.unwrap_or(b"r") {
        b"r" => false,
        b"w" => true,
        _ => return push_failure(call, &io::ErrorKind::InvalidInput.into(), Some(command)),
    };
    call.check_descriptors(1)?;
    // What the plugin wrote so far is there for the program to read.
    flush_all(call)?;
    match Stream::program(OsStr::from_bytes(command), writes) {
        Ok(stream) => handle::push(call, stream)?,
        Err(error) => return push_failure(call, &error, Some(command)),
    }
    Ok(1)
}

fn tmpfile(call: &mut Call<'_>) -> Result<usize, Error> {
    match Stream::temporary(call.random_u64()) {
        Ok(stream) => handle::push(call, stream)?,
        Err(error) => return push_failure(call, &error, None),
    }
    Ok(1)
}

fn type_(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_any(1)?;
    if !call.is_object::<FileHandle>(1) {
        call.push_nil()?;
    } else if call.check_object::<FileHandle>(1)?.is_closed() {
        call.push_bytes("closed file")?;
    } else {
        call.push_bytes("file")?;
    }
    Ok(1)
}

/// Calls a function of handles with the default file `which` in front of this call's arguments.
fn with_default(call: &mut Call<'_>, which: &str, function: Function) -> Result<usize, Error> {
    let count = call.arg_count();
    call.push_function(function)?;
    push_default(call, which)?;
    for i in 1..=count as i32 {
        call.push_value(i)?;
    }
    call.call(count + 1, -1)?;
    Ok(call.top() as usize - count)
}

fn push_default(call: &mut Call<'_>, which: &str) -> Result<(), Error> {
    call.push_kept(DEFAULTS)?;
    call.raw_get_field(-1, which)?;
    call.insert(-2);
    call.pop(1);
    Ok(())
}

fn read(call: &mut Call<'_>) -> Result<usize, Error> {
    with_default(call, "input", function(handle::read_default))
}

fn write(call: &mut Call<'_>) -> Result<usize, Error> {
    with_default(call, "output", function(handle::write_default))
}

fn flush(call: &mut Call<'_>) -> Result<usize, Error> {
    with_default(call, "output", function(handle::flush))
}

fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    match call.is_none(1) {
        true => with_default(call, "output", function(handle::close)),
        false => handle::close(call),
    }
}

fn input(call: &mut Call<'_>) -> Result<usize, Error> {
    set_default(call, "input", b"r")
}

fn output(call: &mut Call<'_>) -> Result<usize, Error> {
    set_default(call, "output", b"w")
}

/// Sets the default file to a name or a handle, if one is given, and returns it.
fn set_default(call: &mut Call<'_>, which: &str, mode: &[u8]) -> Result<usize, Error> {
    if call.is_none_or_nil(1) {
        push_default(call, which)?;
        return Ok(1);
    }
    call.push_kept(DEFAULTS)?;
    if matches!(call.type_of(1), Type::String | Type::Number) {
        open_or_fail(call, mode)?;
    } else {
        call.check_object::<FileHandle>(1)?;
        call.push_value(1)?;
    }
    call.push_value(-1)?;
    call.raw_set_field(-3, which)?;
    Ok(1)
}

/// Pushes a handle of the file that argument 1 names; a failure is an error about that argument.
fn open_or_fail(call: &mut Call<'_>, mode: &[u8]) -> Result<(), Error> {
    let name = call.check_bytes(1)?;
    let opened = Stream::open(path_of(name), mode, &mut CallWaiter::new(call));
    let stream = opened.map_err(|error| {
        let text = with_name(&error, Some(name));
        Error::argument(1, String::from_utf8_lossy(&text).into_owned())
    })?;
    handle::push(call, stream)
}

/// `io.lines([name])`: an iterator that closes the file it opened at its end.
fn lines(call: &mut Call<'_>) -> Result<usize, Error> {
    let opens = !call.is_none_or_nil(1);
    if opens {
        open_or_fail(call, b"r")?;
    } else {
        push_default(call, "input")?;
    }
    handle::push_lines(call, opens)?;
    Ok(1)
}

#[cfg(test)]
mod tests;
