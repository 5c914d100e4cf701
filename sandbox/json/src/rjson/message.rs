//! `parse_message`: a document out of a field of a message, inflated if it is gzipped.

use std::io::Read;

use flate2::bufread::GzDecoder;
use sandbox::Kind;
use sandbox::native::{Call, Error, MessagePart};

use super::{Json, forget, read, replace};
use crate::document::{Document, Options};

/// How text that was compressed by gzip begins.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Bytes that are inflated between two looks at the limits.
const INFLATED_AT_ONCE: usize = 16 * 1024;

/// Steps of the budget for them.
const STEPS_PER_PIECE: u32 = 1024;

/// `parse_message([reader,] name [, field index [, array index [, validate_encoding]]])`
pub(super) fn parse_message(call: &mut Call<'_>) -> Result<usize, Error> {
    let document = read_message(call, 1)?;
    call.push_object(Json::new(document))?;
    Ok(1)
}

/// `document:parse_message(...)`: the document becomes another one; null if that fails.
pub(super) fn parse_message_again(call: &mut Call<'_>) -> Result<usize, Error> {
    forget(call)?;
    let document = read_message(call, 2)?;
    replace(call, document)
}

/// Reads the document that the arguments from `first` on speak of.
fn read_message(call: &mut Call<'_>, first: i32) -> Result<Document, Error> {
    let is_input = call.kind() == Kind::Input;
    let n_args = call.arg_count() as i32 - first + 1 - i32::from(is_input);
    if !(1..=4).contains(&n_args) {
        return Err(Error::argument(0, "invalid number of arguments"));
    }
    let name = first + i32::from(is_input);
    let reader = is_input.then_some(first);
    if let Some(reader) = reader {
        call.check_stream_reader(reader)?;
    } else if !call.has_message() {
        return Err(Error::new("parse_message() no active message"));
    }
    let part = MessagePart {
        name: call.check_bytes(name)?,
        field: index(call, name + 1, "field")?,
        array: index(call, name + 2, "array")?,
    };
    let options = Options {
        validate_utf8: call.is_true(name + 3),
        stop_when_done: true,
    };
    let is_text = part.name == b"Payload" || part.name.starts_with(b"Fields[");
    let bytes = if is_text {
        call.message_bytes(reader, part)?
    } else {
        None
    };
    let bytes = bytes.ok_or_else(|| Error::new("field not found"))?;
    if bytes.is_empty() {
        // Hindsight's words: it reads on behind the value, into what is no JSON.
        return Err(Error::new("failed to parse offset:0 Invalid value."));
    }
    let text = if bytes.len() > 2 && bytes.starts_with(GZIP_MAGIC) {
        inflate(call, &bytes)?
    } else {
        bytes
    };
    read(call, text, options)
}

fn index(call: &Call<'_>, i: i32, what: &str) -> Result<usize, Error> {
    match call.opt_integer(i)?.unwrap_or(0) {
        index @ 0.. => Ok(index as usize),
        _ => Err(Error::argument(i, format!("{what} index must be >= 0"))),
    }
}

/// Inflates at most as many bytes as a message may have.
fn inflate(call: &mut Call<'_>, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = || Error::new("ungzip failed");
    let max = call.max_message_size();
    if bytes.len() > max {
        return Err(failed());
    }
    let mut decoder = GzDecoder::new(bytes);
    let mut text = Vec::new();
    loop {
        call.check_memory(2 * text.len() + INFLATED_AT_ONCE)?;
        call.charge(STEPS_PER_PIECE)?;
        let piece = (&mut decoder)
            .take(INFLATED_AT_ONCE as u64)
            .read_to_end(&mut text);
        match piece {
            Ok(0) => return Ok(text),
            Ok(_) if text.len() <= max => {}
            _ => return Err(failed()),
        }
    }
}
