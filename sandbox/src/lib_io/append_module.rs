//! The module `foresight.append_file`: files that only grow, for output plugins that must survive a crash in the middle
//! of a record.
//!
//! ```lua
//! local append_file = require "foresight.append_file"
//! local file = assert(append_file.open("/var/log/out.log", {frames = "lines"}))  -- or "heka", or "none"
//! assert(file:write(read_message("framed", nil, nil, true)))
//! if file:size() > 64 * 2^20 then assert(file:rotate("/var/log/out.log.1")) end
//! assert(file:sync())
//! ```

use std::cell::{RefCell, RefMut};
use std::io;
use std::rc::Rc;

use super::append::{self, AppendFile, Frames};
use super::open_files::{self, Owned};
use super::{path_of, push_failure, push_outcome};
use crate::lib_string::{Scratch, is_text};
use crate::native::{Call, Class, Error, Function, Object, function};

const FUNCTIONS: &[(&str, Function)] = &[
    ("open", function(open_file)),
    ("write_whole", function(write_whole)),
];

const METHODS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("flush", function(flush)),
    ("rotate", function(rotate)),
    ("size", function(size)),
    ("sync", function(sync)),
    ("write", function(write)),
];

/// A handle.
struct AppendHandle(Owned<RefCell<AppendFile>>);

impl Object for AppendHandle {
    fn class() -> Class {
        Class {
            name: "foresight.append_file",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        append::BUFFER_SIZE
    }

    fn descriptors(&self) -> usize {
        usize::from(self.0.0.try_borrow().is_ok_and(|file| !file.is_closed()))
    }
}

/// Pushes the module.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

/// `open(path[, {frames = "lines"|"heka"|"none"}])`
fn open_file(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = call.check_bytes(1)?;
    let frames = frames(call)?;
    let file = match AppendFile::open(path_of(path), frames) {
        Ok(file) => Rc::new(RefCell::new(file)),
        Err(error) => return push_failure(call, &error, Some(path)),
    };
    let weak = Rc::downgrade(&file);
    open_files::add(call, weak)?;
    call.push_object(AppendHandle(Owned(file)))?;
    Ok(1)
}

fn frames(call: &mut Call<'_>) -> Result<Frames, Error> {
    if call.is_none_or_nil(2) {
        return Ok(Frames::None);
    }
    call.check_table(2)?;
    call.raw_get_field(2, "frames")?;
    let frames = match call.bytes_at(-1) {
        Some(b"lines") => Some(Frames::Lines),
        Some(b"heka") => Some(Frames::Heka),
        Some(b"none") => Some(Frames::None),
        None if call.is_nil(-1) => Some(Frames::None),
        _ => None,
    };
    call.pop(1);
    frames.ok_or_else(|| Error::argument(2, "frames must be 'lines', 'heka' or 'none'"))
}

fn file<'c>(handle: &'c AppendHandle) -> Result<RefMut<'c, AppendFile>, Error> {
    let file = handle.0.0.try_borrow_mut();
    let file = file.map_err(|_| Error::argument(1, "object is in use"))?;
    match file.is_closed() {
        true => Err(Error::new("attempt to use a closed file")),
        false => Ok(file),
    }
}

/// Runs `work` on the file of argument 1 and pushes how it went.
fn outcome_of(
    call: &mut Call<'_>,
    work: impl FnOnce(&Call<'_>, &mut AppendFile) -> io::Result<()>,
) -> Result<usize, Error> {
    let handle = call.check_object::<AppendHandle>(1)?;
    let mut file = file(&handle)?;
    let outcome = work(call, &mut file);
    drop(file);
    drop(handle);
    push_outcome(call, outcome, None)
}

/// `file:write(...)`: all arguments make one record.
fn write(call: &mut Call<'_>) -> Result<usize, Error> {
    let last = call.arg_count() as i32;
    if (2..=last).all(|i| is_text(call, i)) {
        return outcome_of(call, |call, file| {
            file.write((2..=last).map(|i| call.check_bytes(i).unwrap_or(b"")))
        });
    }
    let mut record = Scratch::take();
    for i in 2..=last {
        if is_text(call, i) {
            record.add(call, call.check_bytes(i)?)?;
            continue;
        }
        let buffer = record.reserve(call, 0)?;
        match call.write_zero_copy(i, buffer) {
            Some(Ok(())) => {}
            Some(Err(text)) => return Err(Error::new(text)),
            None => return Err(Error::argument(i, "number, string or userdata expected")),
        }
    }
    outcome_of(call, |_, file| file.write(std::iter::once(record.bytes())))
}

fn flush(call: &mut Call<'_>) -> Result<usize, Error> {
    outcome_of(call, |_, file| file.flush())
}

fn sync(call: &mut Call<'_>) -> Result<usize, Error> {
    outcome_of(call, |_, file| file.sync())
}

fn rotate(call: &mut Call<'_>) -> Result<usize, Error> {
    let to = call.check_bytes(2)?;
    outcome_of(call, |_, file| file.rotate(path_of(to)))
}

fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let n_results = outcome_of(call, |_, file| file.close())?;
    call.recount(1)?;
    Ok(n_results)
}

fn size(call: &mut Call<'_>) -> Result<usize, Error> {
    let handle = call.check_object::<AppendHandle>(1)?;
    let size = file(&handle)?.size();
    drop(handle);
    call.push_number(size as f64)?;
    Ok(1)
}

/// `write_whole(path, text)`: the file appears at once and wholly, also after a crash.
fn write_whole(call: &mut Call<'_>) -> Result<usize, Error> {
    let (path, text) = (call.check_bytes(1)?, call.check_bytes(2)?);
    let written = append::write_whole(path_of(path), text);
    push_outcome(call, written, Some(path))
}
