//! The `gzfile` module: reads files that gzip has compressed, and others as they are, by the line.

mod reader;

use std::ffi::OsStr;
use std::io::{self, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use sandbox::native::{Call, Class, Error, Function, Object, Registry, function};

use reader::{Fill, Reader};

/// Bytes read from the disk at a time when the plugin does not say.
const DEFAULT_BUFFER: i64 = 8 * 1024;
/// The most that is read at a time, whatever the plugin says.
const MAX_BUFFER: i64 = 1 << 20;
/// Longest line and longest whole text, when the plugin does not say.
const DEFAULT_MAX_BYTES: i64 = 1 << 20;
/// Expanded bytes between two looks at the limits.
const PIECE: usize = 32 * 1024;

const FUNCTIONS: &[(&str, Function)] = &[
    ("open", function(open_file)),
    ("string", function(string)),
    ("version", function(version)),
];

const METHODS: &[(&str, Function)] = &[
    ("close", function(close)),
    ("lines", function(lines)),
    ("lines_tail", function(lines_tail)),
    ("seek", function(seek)),
];

/// Offers `gzfile` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("gzfile", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("0.0.3")?;
    Ok(1)
}

/// An open file, and the beginning of a line whose end is not written yet.
struct GzFile {
    reader: Option<Reader>,
    partial: Vec<u8>,
}

impl Object for GzFile {
    fn class() -> Class {
        Class {
            name: "mozsvc.gzfile",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        let reader = self.reader.as_ref().map_or(0, Reader::memory);
        reader + self.partial.capacity()
    }

    fn descriptors(&self) -> usize {
        usize::from(self.reader.is_some())
    }
}

/// No more than `max` arguments may be given.
fn check_count(call: &Call<'_>, max: usize) -> Result<(), Error> {
    match call.arg_count() <= max {
        true => Ok(()),
        false => Err(Error::argument(0, "incorrect number of arguments")),
    }
}

/// Argument `i` as a number above 0.
fn check_positive(
    call: &Call<'_>,
    i: i32,
    default: i64,
    words: &'static str,
) -> Result<usize, Error> {
    match call.opt_integer(i)?.unwrap_or(default) {
        number @ 1.. => Ok(number as usize),
        _ => Err(Error::argument(i, words)),
    }
}

/// Opens the file that arguments 1 to 3 (name, mode, buffer size) describe; `None` when that does not work.
fn open_reader(call: &Call<'_>) -> Result<Option<Reader>, Error> {
    let path = Path::new(OsStr::from_bytes(call.check_bytes(1)?));
    let mode = call.opt_bytes(2)?.unwrap_or(b"rb");
    let size = check_positive(call, 3, DEFAULT_BUFFER, "buffer_size must be > 0")?;
    // The module has no way to write.
    let reads = mode.contains(&b'r') && !mode.iter().any(|c| b"wax+".contains(c));
    if !reads {
        return Ok(None);
    }
    let size = size.min(MAX_BUFFER as usize);
    call.check_memory(reader::MEMORY + size)?;
    Ok(Reader::open(path, size).ok())
}

/// `open(file[, mode[, buffer_size]])`
fn open_file(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 3)?;
    let Some(reader) = open_reader(call)? else {
        call.push_nil()?;
        call.push_bytes("open failed")?;
        return Ok(2);
    };
    call.push_object(GzFile {
        reader: Some(reader),
        partial: Vec::new(),
    })?;
    Ok(1)
}

/// `file:close()`
fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut file = call.check_object_mut::<GzFile>(1)?;
    check_count(call, 1)?;
    file.reader = None;
    file.partial = Vec::new();
    drop(file);
    call.recount(1)?;
    Ok(0)
}

/// `file:lines([max_bytes])`: an iterator.
fn lines(call: &mut Call<'_>) -> Result<usize, Error> {
    drop(call.check_object::<GzFile>(1)?);
    check_count(call, 2)?;
    let max = check_positive(call, 2, DEFAULT_MAX_BYTES, "max_bytes must be > 0")?;
    call.push_value(1)?;
    call.push_number(max as f64)?;
    call.push_closure(function(next_line), 2)?;
    Ok(1)
}

/// `file:lines_tail([strip])`: an iterator that leaves a line without its end for later.
fn lines_tail(call: &mut Call<'_>) -> Result<usize, Error> {
    drop(call.check_object::<GzFile>(1)?);
    check_count(call, 2)?;
    let strip = call.is_true(2);
    call.push_value(1)?;
    call.push_bool(strip)?;
    call.push_closure(function(next_line_tail), 2)?;
    Ok(1)
}

/// Why the loop over the bytes of a line ended.
enum End {
    Line,
    File,
}

fn failed(error: &io::Error) -> Error {
    Error::new(format!("gzfile error: {error}"))
}

/// Appends bytes to `line` up to a line end (which is taken too) or to the end of what there is. What is longer than `max`
/// is read and dropped.
fn read_line(
    call: &mut Call<'_>,
    reader: &mut Reader,
    line: &mut Vec<u8>,
    max: usize,
) -> Result<End, Error> {
    loop {
        call.check_memory(line.capacity().saturating_mul(2).saturating_add(PIECE))?;
        let piece = match reader.fill(PIECE).map_err(|error| failed(&error))? {
            Fill::Bytes(piece) => piece,
            Fill::NotYet => {
                charge(call, PIECE)?;
                continue;
            }
            Fill::End => return Ok(End::File),
        };
        let end = memchr::memchr(b'\n', piece);
        let taken = end.map_or(piece.len(), |end| end + 1);
        let kept = taken.min(max.saturating_sub(line.len()));
        line.extend_from_slice(&piece[..kept]);
        reader.consume(taken);
        charge(call, taken)?;
        if end.is_some() {
            return Ok(End::Line);
        }
    }
}

/// Expanding, copying and looking for the line's end take some nanoseconds for each byte.
fn charge(call: &mut Call<'_>, n_bytes: usize) -> Result<(), Error> {
    call.charge(u32::try_from(n_bytes + 1).unwrap_or(u32::MAX))
}

/// The iterator of `lines`.
fn next_line(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_upvalue(2)?;
    let max = call.number_at(-1).unwrap_or_default() as usize;
    call.pop(1);
    let i = call.adopt_upvalue(1)?;
    let mut file = call.check_object_mut::<GzFile>(i)?;
    let Some(reader) = &mut file.reader else {
        return Ok(0);
    };
    let mut line = Vec::new();
    read_line(call, reader, &mut line, max)?;
    if line.is_empty() {
        return Ok(0);
    }
    call.push_bytes(line)?;
    Ok(1)
}

/// The iterator of `lines_tail`.
fn next_line_tail(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_upvalue(2)?;
    let strip = call.is_true(-1);
    call.pop(1);
    let i = call.adopt_upvalue(1)?;
    let mut file = call.check_object_mut::<GzFile>(i)?;
    let GzFile {
        reader: Some(reader),
        partial,
    } = &mut *file
    else {
        return Ok(0);
    };
    let mut line = std::mem::take(partial);
    // A member that is still being written ends in the middle; the next call goes on there.
    reader.tolerate_open_end();
    if matches!(read_line(call, reader, &mut line, usize::MAX)?, End::File) {
        *partial = line;
        drop(file);
        call.recount(i)?;
        return Ok(0);
    }
    drop(file);
    call.recount(i)?;
    if strip {
        line.pop();
    }
    call.push_bytes(line)?;
    Ok(1)
}

/// `file:seek([whence[, offset]])`: the new position in the expanded text.
fn seek(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut file = call.check_object_mut::<GzFile>(1)?;
    check_count(call, 3)?;
    let offset = call.opt_number(3)?.unwrap_or(0.0);
    let target = match call.opt_bytes(2)?.unwrap_or(b"set") {
        b"set" if offset >= 0.0 => SeekFrom::Start(offset as u64),
        b"set" => SeekFrom::Current(i64::MIN),
        b"cur" => SeekFrom::Current(offset as i64),
        other => {
            let words = format!("invalid option '{}'", String::from_utf8_lossy(other));
            return Err(Error::argument(2, words));
        }
    };
    let Some(reader) = &mut file.reader else {
        call.push_nil()?;
        call.push_bytes("file is closed")?;
        return Ok(2);
    };
    match seek_to(call, reader, target)? {
        Ok(position) => {
            file.partial.clear();
            call.push_number(position as f64)?;
            Ok(1)
        }
        Err(error) => {
            call.push_nil()?;
            call.push_bytes(error.to_string())?;
            Ok(2)
        }
    }
}

/// Goes to a position by expanding all that lies before it, from the start of the file if it has to be.
fn seek_to(
    call: &mut Call<'_>,
    reader: &mut Reader,
    target: SeekFrom,
) -> Result<io::Result<u64>, Error> {
    let position = reader.position();
    let target = match target {
        SeekFrom::Start(target) => Some(target),
        SeekFrom::Current(by) => position.checked_add_signed(by),
        SeekFrom::End(_) => None,
    };
    let Some(target) = target else {
        return Ok(Err(io::ErrorKind::InvalidInput.into()));
    };
    if target < position
        && let Err(error) = reader.rewind()
    {
        return Ok(Err(error));
    }
    while reader.position() < target {
        let left = target - reader.position();
        let taken = match reader.fill(PIECE) {
            Ok(Fill::Bytes(piece)) => (piece.len() as u64).min(left) as usize,
            Ok(Fill::NotYet) => 0,
            Ok(Fill::End) => break,
            Err(error) => return Ok(Err(error)),
        };
        reader.consume(taken);
        charge(call, taken.max(1024))?;
    }
    Ok(Ok(reader.position()))
}

/// `string(file[, mode[, buffer_size[, max_bytes]]])`: the whole text.
fn string(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 4)?;
    let max = check_positive(call, 4, DEFAULT_MAX_BYTES, "max_bytes must be > 0")?;
    let Some(mut reader) = open_reader(call)? else {
        return Err(Error::new("open failed"));
    };
    let mut text = Vec::new();
    loop {
        call.check_memory(text.len().saturating_add(PIECE).saturating_mul(2))?;
        let filled = reader.fill(PIECE);
        let piece = match filled.map_err(|error| Error::bare(error.to_string()))? {
            Fill::Bytes(piece) => piece,
            Fill::NotYet => &[],
            Fill::End => {
                call.push_bytes(text)?;
                return Ok(1);
            }
        };
        let taken = piece.len();
        text.extend_from_slice(piece);
        reader.consume(taken);
        if text.len() > max {
            return Err(Error::bare("max_bytes exceeded"));
        }
        charge(call, taken.max(1024))?;
    }
}

#[cfg(test)]
mod tests;
