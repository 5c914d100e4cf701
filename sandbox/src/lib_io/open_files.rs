//! The files that one Lua state has open for writing, so that all of them can be handed to the kernel.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::io;
use std::rc::{Rc, Weak};

use super::{CallWaiter, append::AppendFile, file::Stream, reason, wait::Waiter};
use crate::native::{Call, Class, Error, Object, function};

/// Under which name the list is kept in a state.
const OPEN_FILES: &str = "io.open_files";

/// What can be handed to the kernel.
pub(super) trait Flush {
    /// Does it.
    fn flush_now(&self, waiter: &mut dyn Waiter) -> io::Result<()>;
}

impl Flush for RefCell<Stream> {
    fn flush_now(&self, waiter: &mut dyn Waiter) -> io::Result<()> {
        match self.try_borrow_mut() {
            Ok(mut stream) if !stream.is_closed() => stream.flush(waiter),
            _ => Ok(()),
        }
    }
}

impl Flush for RefCell<AppendFile> {
    fn flush_now(&self, _: &mut dyn Waiter) -> io::Result<()> {
        match self.try_borrow_mut() {
            Ok(mut file) if !file.is_closed() => file.flush(),
            _ => Ok(()),
        }
    }
}

/// A reference-counted value that belongs to one Lua state.
pub(super) struct Owned<T: ?Sized>(pub(super) Rc<T>);

// SAFETY: every clone of the `Rc` lives in userdata of the same state (its handle, and as `Weak` in the state's list),
// which moves between threads as a whole and is used by one at a time.
unsafe impl<T: ?Sized> Send for Owned<T> {}

/// The list.
#[derive(Default)]
struct OpenFiles {
    files: Vec<WeakFlush>,
}

struct WeakFlush(Weak<dyn Flush>);

// SAFETY: see `Owned`.
unsafe impl Send for WeakFlush {}

impl Object for OpenFiles {
    fn class() -> Class {
        Class {
            name: "foresight.open_files",
            methods: &[],
            metamethods: &[],
        }
    }
}

/// A file on its way from the function that opened it to the list.
struct Newcomer(WeakFlush);

impl Object for Newcomer {
    fn class() -> Class {
        Class {
            name: "foresight.newcomer",
            methods: &[],
            metamethods: &[],
        }
    }
}

/// Puts a file on the list of the calling state.
pub(super) fn add(call: &mut Call<'_>, file: Weak<dyn Flush>) -> Result<(), Error> {
    call.push_kept(OPEN_FILES)?;
    if call.is_nil(-1) {
        call.pop(1);
        call.push_object(OpenFiles::default())?;
        call.push_value(-1)?;
        call.keep(OPEN_FILES)?;
    }
    call.push_object(Newcomer(WeakFlush(file)))?;
    call.push_function(function(add_step))?;
    call.insert(-3);
    call.call(2, 0)
}

fn add_step(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut list = call.check_object_mut::<OpenFiles>(1)?;
    let newcomer = call.check_object::<Newcomer>(2)?;
    list.files.retain(|file| file.0.strong_count() > 0);
    list.files.push(WeakFlush(newcomer.0.0.clone()));
    Ok(0)
}

/// Hands everything that the state's files hold to the kernel.
///
/// # Errors
/// The first failure, with the system's words; the other files are flushed all the same.
pub(crate) fn flush_all(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_kept(OPEN_FILES)?;
    if call.is_nil(-1) {
        call.pop(1);
        return Ok(());
    }
    call.push_function(function(flush_step))?;
    call.insert(-2);
    call.call(1, 0)
}

fn flush_step(call: &mut Call<'_>) -> Result<usize, Error> {
    let list = call.check_object::<OpenFiles>(1)?;
    let mut waiter = CallWaiter::new(call);
    let mut result = Ok(());
    for file in &list.files {
        let flushed = file
            .0
            .upgrade()
            .map_or(Ok(()), |file| file.flush_now(&mut waiter));
        result = result.and(flushed);
    }
    result.map_err(|error| Error::bare(reason(&error)))?;
    Ok(0)
}
