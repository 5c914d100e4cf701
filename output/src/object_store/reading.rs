//! `store:list` and `store:open`: what there is, and what is in it.

use std::io::{self, BufRead, Read};

use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, function};

use super::{StoreHandle, patience, text};
use crate::object::{self, Compression, Listing, Opening, STOPPED};
use crate::options::Table;

/// Bytes that one call to `read` returns at most.
const READ_MAX: usize = 64 << 20;

/// The smallest and the largest piece that is fetched at once, in bytes.
const PIECES: [f64; 2] = [4096.0, 67_108_864.0];

/// Windows of zstd that are taken, as powers of two; the format's smallest is 1 KiB, and larger than 128 MiB is not usual.
const WINDOW_LOGS: std::ops::RangeInclusive<u32> = 10..=27;

/// What ends the leaving out of bytes at the plugin's limit.
const LIMIT: &str = "limit";

struct ListingHandle(Listing);

impl Object for ListingHandle {
    fn class() -> Class {
        Class {
            name: "foresight.object_store.listing",
            methods: &[],
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

/// `list([prefix[, after]])`: an iterator over key, size and time, for a `for` loop.
pub(super) fn list(call: &mut Call<'_>) -> Result<usize, Error> {
    let access = call.check_object::<StoreHandle>(1)?.access.clone();
    let words = [2, 3].map(|i| match call.is_none_or_nil(i) {
        true => Ok(""),
        false => text(call, i),
    });
    let [prefix, after] = words;
    let listing = Listing::new(access, prefix?, after?);
    call.push_function(function(next))?;
    call.push_object(ListingHandle(listing))?;
    Ok(2)
}

fn next(call: &mut Call<'_>) -> Result<usize, Error> {
    let patience = patience(call);
    let mut listing = call.check_object_mut::<ListingHandle>(1)?;
    let entry = listing.0.next(&patience);
    drop(listing);
    call.recount(1)?;
    match entry {
        Ok(Some(entry)) => {
            call.charge(100)?;
            call.push_bytes(entry.key)?;
            call.push_number(entry.size as f64)?;
            call.push_number(entry.modified_s as f64)?;
            Ok(3)
        }
        Ok(None) => {
            call.push_nil()?;
            Ok(1)
        }
        Err(failure) if failure.reason == STOPPED => {
            call.push_nil()?;
            Ok(1)
        }
        Err(failure) => Err(Error::new(failure.reason)),
    }
}

const METHODS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("line", function(line)),
    ("read", function(read)),
];

/// An object being read; none once it is closed.
struct ObjectHandle(Option<object::Object>);

impl Object for ObjectHandle {
    fn class() -> Class {
        Class {
            name: "foresight.object_store.object",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, object::Object::memory)
    }
}

/// `open(key[, options])`: the object, or nil and the reason.
pub(super) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    let access = call.check_object::<StoreHandle>(1)?.access.clone();
    let mut opening = Opening::new(text(call, 2)?);
    let mut table = Table::argument(call, 3)?;
    opening.from = table.number("from", 0.0, 9e15)?.unwrap_or(0.0) as u64;
    if let Some(size) = table.number("piece_size", PIECES[0], PIECES[1])? {
        opening.piece_size = size as usize;
    }
    if let Some(name) = table.text("compression")? {
        let known = Compression::from_name(name.as_bytes());
        let known =
            known.ok_or_else(|| Error::argument(3, format!("invalid compression '{name}'")))?;
        opening.compression = Some(known);
    }
    table.done()?;
    call.check_memory(opening.piece_size)?;
    opening.window_log = window_log(call, opening.piece_size);
    let mut ended = None;
    let patience = patience(call);
    let opened = object::Object::open(&access, &patience, &opening, &mut |n| {
        call.charge(steps(n)).map_err(|error| {
            ended = Some(error);
            io::Error::other(LIMIT)
        })
    });
    if let Some(error) = ended {
        return Err(error);
    }
    match opened {
        Ok(object) => {
            call.push_object(ObjectHandle(Some(object)))?;
            Ok(1)
        }
        Err(error) => {
            call.push_nil()?;
            call.push_bytes(error.to_string())?;
            Ok(2)
        }
    }
}

/// The largest window of zstd, as a power of two, that leaves the plugin as much memory as it takes.
fn window_log(call: &Call<'_>, piece_size: usize) -> u32 {
    let others = piece_size + object::DECODER_MEMORY;
    let fits = |log: &u32| call.check_memory(others + (2 << log)).is_ok();
    WINDOW_LOGS.rev().find(fits).unwrap_or(*WINDOW_LOGS.start())
}

/// What so many decompressed bytes cost.
fn steps(n: usize) -> u32 {
    u32::try_from(n / 8 + 1).unwrap_or(u32::MAX)
}

fn handle<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, ObjectHandle>, Error> {
    let handle = call.check_object_mut::<ObjectHandle>(1)?;
    match handle.0.is_some() {
        true => Ok(handle),
        false => Err(Error::argument(1, "closed object")),
    }
}

/// `read(n)`: up to so many bytes; nil at the end, or when the plugin has to stop. A failure is an error, since whoever
/// reads would otherwise take it for the end.
fn read(call: &mut Call<'_>) -> Result<usize, Error> {
    let wanted = call.check_number(2)?;
    let wanted = if wanted >= 1.0 {
        (wanted as usize).min(READ_MAX)
    } else {
        0
    };
    // A decompressor gives less than it is asked for; what is asked for is little more than what comes.
    let wanted = wanted.min(object::PIECE);
    call.check_memory(wanted)?;
    call.charge(steps(wanted))?;
    let mut bytes = Vec::new();
    let mut handle = handle(call)?;
    let stream = handle.0.as_mut().expect("it was looked at");
    let outcome = stream.take(wanted as u64).read_to_end(&mut bytes);
    drop(handle);
    push_bytes(
        call,
        outcome.map(|n| (n > 0 || wanted == 0).then_some(bytes)),
    )
}

/// `line()`: the next line without its end; nil after the last.
fn line(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut bytes = Vec::new();
    let outcome = loop {
        let mut handle = handle(call)?;
        let stream = handle.0.as_mut().expect("it was looked at");
        // A piece of a line at a time, so that none is longer than the plugin may have.
        let outcome = stream
            .take(object::PIECE as u64)
            .read_until(b'\n', &mut bytes);
        drop(handle);
        let n = match outcome {
            Ok(n) => n,
            Err(error) => break Err(error),
        };
        call.charge(steps(n))?;
        call.check_memory(2 * bytes.len())?;
        if n < object::PIECE || bytes.ends_with(b"\n") {
            break Ok(());
        }
    };
    let is_end = bytes.is_empty();
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    push_bytes(call, outcome.map(|()| (!is_end).then_some(bytes)))
}

fn push_bytes(call: &mut Call<'_>, outcome: io::Result<Option<Vec<u8>>>) -> Result<usize, Error> {
    match outcome {
        Ok(Some(bytes)) => call.push_bytes(bytes)?,
        Ok(None) => call.push_nil()?,
        Err(error) if error.to_string() == STOPPED => call.push_nil()?,
        Err(error) => return Err(Error::new(error.to_string())),
    }
    Ok(1)
}

fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<ObjectHandle>(1)?.0 = None;
    call.recount(1)?;
    Ok(0)
}
