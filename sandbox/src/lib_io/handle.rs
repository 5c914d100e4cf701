//! File handles as Lua sees them: `file:read`, `file:write` and their kin.

use std::cell::{RefCell, RefMut};
use std::io::{self, SeekFrom};
use std::rc::Rc;

use super::file::{Buffering, Span, Stream};
use super::open_files::{self, Owned};
use super::{CallWaiter, push_failure, push_outcome};
use crate::lib_string::{Scratch, is_text};
use crate::native::{Call, Class, Error, Function, Object, Type, function};

/// A handle.
pub(super) struct FileHandle(Owned<RefCell<Stream>>);

const METHODS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("flush", function(flush)),
    ("lines", function(lines)),
    ("read", function(read)),
    ("seek", function(seek)),
    ("setvbuf", function(setvbuf)),
    ("write", function(write)),
];

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring))];

impl Object for FileHandle {
    fn class() -> Class {
        Class {
            name: "FILE*",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.0.0.try_borrow().map_or(0, |stream| stream.memory())
    }

    fn descriptors(&self) -> usize {
        let holds =
            |stream: std::cell::Ref<'_, Stream>| !stream.is_closed() && !stream.is_standard();
        usize::from(self.0.0.try_borrow().is_ok_and(holds))
    }
}

impl FileHandle {
    pub(super) fn is_closed(&self) -> bool {
        self.0.0.try_borrow().is_ok_and(|stream| stream.is_closed())
    }
}

/// Pushes a handle of an open stream.
pub(super) fn push(call: &mut Call<'_>, stream: Stream) -> Result<(), Error> {
    let stream = Rc::new(RefCell::new(stream));
    let weak = Rc::downgrade(&stream);
    open_files::add(call, weak)?;
    call.push_object(FileHandle(Owned(stream)))
}

/// Borrows the open stream of argument 1.
fn stream<'c>(handle: &'c FileHandle) -> Result<RefMut<'c, Stream>, Error> {
    let stream = handle.0.0.try_borrow_mut();
    let stream = stream.map_err(|_| Error::argument(1, "object is in use"))?;
    match stream.is_closed() {
        true => Err(Error::new("attempt to use a closed file")),
        false => Ok(stream),
    }
}

/// Runs `work` on the stream of argument 1 and counts it again if its memory has changed, or it was closed.
fn with_stream<T>(
    call: &mut Call<'_>,
    work: impl FnOnce(&mut Call<'_>, &mut Stream) -> Result<T, Error>,
) -> Result<T, Error> {
    let handle = call.check_object::<FileHandle>(1)?;
    let mut stream = stream(&handle)?;
    let before = (stream.memory(), stream.is_closed());
    let result = work(call, &mut stream);
    let after = (stream.memory(), stream.is_closed());
    drop(stream);
    drop(handle);
    if before != after {
        call.recount(1)?;
    }
    result
}

fn tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    let closed = call.check_object::<FileHandle>(1)?.is_closed();
    if closed {
        call.push_bytes("file (closed)")?;
    } else {
        let identity = call.identity(1)?;
        let number = identity.rsplit(' ').next().unwrap_or("").to_owned();
        call.push_bytes(format!("file ({number})"))?;
    }
    Ok(1)
}

pub(super) fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let outcome = with_stream(call, |call, stream| {
        if stream.is_standard() {
            return Ok(None);
        }
        Ok(Some(stream.close(&mut CallWaiter::new(call)).map(|_| ())))
    })?;
    match outcome {
        Some(outcome) => push_outcome(call, outcome, None),
        None => {
            call.push_nil()?;
            call.push_bytes("cannot close standard file")?;
            Ok(2)
        }
    }
}

pub(super) fn flush(call: &mut Call<'_>) -> Result<usize, Error> {
    let flushed = with_stream(call, |call, stream| {
        Ok(stream.flush(&mut CallWaiter::new(call)))
    })?;
    push_outcome(call, flushed, None)
}

fn seek(call: &mut Call<'_>) -> Result<usize, Error> {
    let offset = call.opt_number(3)?.unwrap_or(0.0) as i64;
    let to = match call.opt_bytes(2)?.unwrap_or(b"cur") {
        b"set" => match u64::try_from(offset) {
            Ok(offset) => SeekFrom::Start(offset),
            Err(_) => return push_failure(call, &invalid(), None),
        },
        b"cur" => SeekFrom::Current(offset),
        b"end" => SeekFrom::End(offset),
        other => return Err(invalid_option(2, other)),
    };
    let sought = with_stream(call, |call, stream| {
        Ok(stream.seek(to, &mut CallWaiter::new(call)))
    })?;
    match sought {
        Ok(at) => call.push_number(at as f64)?,
        Err(error) => return push_failure(call, &error, None),
    }
    Ok(1)
}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

fn invalid_option(i: i32, option: &[u8]) -> Error {
    Error::argument(
        i,
        format!("invalid option '{}'", String::from_utf8_lossy(option)),
    )
}

fn setvbuf(call: &mut Call<'_>) -> Result<usize, Error> {
    let buffering = match call.check_bytes(2)? {
        b"no" => Buffering::No,
        b"line" => Buffering::Line,
        b"full" => Buffering::Full,
        other => return Err(invalid_option(2, other)),
    };
    let size = call
        .opt_integer(3)?
        .and_then(|size| usize::try_from(size).ok());
    let flushed = with_stream(call, |call, stream| {
        stream.set_buffering(buffering, size);
        Ok(stream.flush(&mut CallWaiter::new(call)))
    })?;
    push_outcome(call, flushed, None)
}

fn write(call: &mut Call<'_>) -> Result<usize, Error> {
    write_values(call, 0)
}

/// As `write`, called with the default file in front of the plugin's own arguments.
pub(super) fn write_default(call: &mut Call<'_>) -> Result<usize, Error> {
    write_values(call, 1)
}

/// Writes all arguments but the first. `hidden` arguments are not the plugin's when an error counts them.
fn write_values(call: &mut Call<'_>, hidden: i32) -> Result<usize, Error> {
    let last = call.arg_count() as i32;
    let written = if let Some(line) = join_short(call, last) {
        write_piece(call, &line)?
    } else if (2..=last).all(|i| is_text(call, i)) {
        with_stream(call, |call, stream| {
            let mut waiter = CallWaiter::new(call);
            let parts = (2..=last).map(|i| call.check_bytes(i).unwrap_or(b""));
            Ok(stream.write(parts, &mut waiter))
        })?
    } else {
        let gathered = gather(call, last, hidden)?;
        write_piece(call, &gathered)?
    };
    push_outcome(call, written, None)
}

fn write_piece(call: &mut Call<'_>, piece: &Scratch) -> Result<io::Result<()>, Error> {
    with_stream(call, |call, stream| {
        let mut waiter = CallWaiter::new(call);
        Ok(stream.write(std::iter::once(piece.bytes()), &mut waiter))
    })
}

/// Texts up to this size are joined, in bytes: together, as the arguments of one call are few, far less than a megabyte.
const SHORT: usize = 1024;

/// The arguments from 2 to `last` in one piece if all are numbers and short strings: numbers then need not become strings of
/// Lua, which would be garbage at once.
fn join_short(call: &Call<'_>, last: i32) -> Option<Scratch> {
    let mut line = Scratch::take();
    let buffer = line.reserve(call, 0).ok()?;
    for i in 2..=last {
        match call.bytes_at(i) {
            Some(text) if text.len() <= SHORT => buffer.extend_from_slice(text),
            None if call.number_at(i).is_some() => call.write_number(i, buffer),
            _ => return None,
        }
    }
    Some(line)
}

/// The arguments from 2 on in one piece, with zero-copy values written out.
fn gather(call: &mut Call<'_>, last: i32, hidden: i32) -> Result<Scratch, Error> {
    let mut out = Scratch::take();
    for i in 2..=last {
        if is_text(call, i) {
            out.add(call, call.check_bytes(i)?)?;
            continue;
        }
        let buffer = out.reserve(call, 0)?;
        match call.write_zero_copy(i, buffer) {
            Some(Ok(())) => {}
            Some(Err(text)) => return Err(Error::new(text)),
            None => {
                return Err(Error::argument(
                    i - hidden,
                    "number, string or userdata expected",
                ));
            }
        }
    }
    Ok(out)
}

fn read(call: &mut Call<'_>) -> Result<usize, Error> {
    read_values(call, 0)
}

/// As `read`, called with the default file in front of the plugin's own arguments.
pub(super) fn read_default(call: &mut Call<'_>) -> Result<usize, Error> {
    read_values(call, 1)
}

/// What is to be read.
#[derive(Clone, Copy)]
enum Format {
    Line,
    All,
    Number,
    Count(usize),
}

fn format_at(call: &Call<'_>, i: i32, hidden: i32) -> Result<Format, Error> {
    if call.type_of(i) == Type::Number {
        let count = call.check_integer(i)?;
        return Ok(Format::Count(usize::try_from(count).unwrap_or(0)));
    }
    match call.check_bytes(i)? {
        [b'*', b'l', ..] => Ok(Format::Line),
        [b'*', b'a', ..] => Ok(Format::All),
        [b'*', b'n', ..] => Ok(Format::Number),
        [b'*', ..] => Err(Error::argument(i - hidden, "invalid format")),
        _ => Err(Error::argument(i - hidden, "invalid option")),
    }
}

fn read_values(call: &mut Call<'_>, hidden: i32) -> Result<usize, Error> {
    let last = call.arg_count() as i32;
    let outcome = with_stream(call, |call, stream| {
        if last < 2 {
            return read_one(call, stream, Format::Line).map(|outcome| outcome.map(|_| 1));
        }
        for i in 2..=last {
            let format = format_at(call, i, hidden)?;
            match read_one(call, stream, format)? {
                Ok(true) => {}
                Ok(false) => return Ok(Ok(i as usize - 1)),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(last as usize - 1))
    })?;
    match outcome {
        Ok(count) => Ok(count),
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => Err(Error::memory()),
        Err(error) => push_failure(call, &error, None),
    }
}

/// Pushes one value, nil when there is none, which is told by false.
fn read_one(
    call: &mut Call<'_>,
    stream: &mut Stream,
    format: Format,
) -> Result<io::Result<bool>, Error> {
    let most = memory_limit(call);
    let mut waiter = CallWaiter::new(call);
    let span = match format {
        Format::Line => stream.read_line(most, &mut waiter),
        Format::All => stream.read_all(most, &mut waiter).map(Some),
        Format::Count(count) => stream.read_count(count, most, &mut waiter),
        Format::Number => return push_number(call, stream.read_number(&mut waiter)),
    };
    push_span(call, stream, span)
}

fn push_number(
    call: &mut Call<'_>,
    number: io::Result<Option<f64>>,
) -> Result<io::Result<bool>, Error> {
    Ok(match number {
        Err(error) => Err(error),
        Ok(Some(number)) => {
            call.push_number(number)?;
            Ok(true)
        }
        Ok(None) => {
            call.push_nil()?;
            Ok(false)
        }
    })
}

fn push_span(
    call: &mut Call<'_>,
    stream: &Stream,
    span: io::Result<Option<Span>>,
) -> Result<io::Result<bool>, Error> {
    Ok(match span {
        Err(error) => Err(error),
        Ok(Some(span)) => {
            call.push_bytes(stream.bytes(span))?;
            Ok(true)
        }
        Ok(None) => {
            call.push_nil()?;
            Ok(false)
        }
    })
}

/// No string can be longer than the plugin's memory.
fn memory_limit(call: &Call<'_>) -> usize {
    match call.shared().limits.memory {
        0 => usize::MAX,
        limit => limit,
    }
}

fn lines(call: &mut Call<'_>) -> Result<usize, Error> {
    let handle = call.check_object::<FileHandle>(1)?;
    drop(stream(&handle)?);
    drop(handle);
    call.push_value(1)?;
    push_lines(call, false)?;
    Ok(1)
}

/// Replaces the handle on top by an iterator over its lines, which may close the file at its end.
pub(super) fn push_lines(call: &mut Call<'_>, closes: bool) -> Result<(), Error> {
    call.push_bool(closes)?;
    call.push_closure(function(next_line), 2)
}

fn next_line(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_function(function(read_next))?;
    call.push_upvalue(1)?;
    call.push_upvalue(2)?;
    call.call(2, 1)?;
    Ok(1)
}

fn read_next(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.check_object::<FileHandle>(1)?.is_closed() {
        return Err(Error::new("file is already closed"));
    }
    let closes = call.is_true(2);
    let outcome = with_stream(call, |call, stream| {
        let outcome = read_one(call, stream, Format::Line)?;
        if closes && matches!(outcome, Ok(false)) {
            // The end was reached; that closing fails changes nothing for the reader.
            let _ = stream.close(&mut CallWaiter::new(call));
        }
        Ok(outcome)
    })?;
    match outcome {
        Ok(_) => Ok(1),
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => Err(Error::memory()),
        Err(error) => Err(Error::new(super::reason(&error))),
    }
}
