//! The `zstd` module: Zstandard, as whole strings.

use ::zstd::stream::raw::{
    CParameter, DParameter, Decoder, Encoder, InBuffer, Operation, OutBuffer,
};
use sandbox::native::{Call, Error, Function, Registry, function};

use crate::work::{PIECE, charge, make_room, push_output};

/// Levels beyond need hundreds of megabytes.
const MAX_LEVEL: i32 = 19;
/// Level when none is given: zstd's own.
const DEFAULT_LEVEL: i32 = 3;
/// Lowest and highest size of a window as a power of two: what the format knows, and what zstd expands without being asked.
const WINDOW_LOGS: std::ops::RangeInclusive<u32> = 10..=27;
/// What a codec needs beside its window and tables, in bytes.
const OVERHEAD: usize = 512 * 1024;
/// Expanding takes about a nanosecond for each byte of output.
const EXPAND_STEPS_PER_KIB: usize = 512;

const FUNCTIONS: &[(&str, Function)] = &[
    ("compress", function(compress)),
    ("decompress", function(decompress)),
    ("version", function(version)),
];

/// Offers `zstd`.
pub fn register(registry: &mut Registry) {
    registry.add("zstd", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes(::zstd::zstd_safe::version_string())?;
    Ok(1)
}

fn failed(error: &std::io::Error) -> Error {
    Error::new(format!("zstd: {}", error.to_string().to_lowercase()))
}

/// `compress(text[, level])`
fn compress(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    let level = call.opt_integer(2)?.unwrap_or(DEFAULT_LEVEL.into());
    if !(1..=MAX_LEVEL.into()).contains(&level) {
        let words = format!("level must be between 1 and {MAX_LEVEL}");
        return Err(Error::argument(2, words));
    }
    // The tables grow with the text, up to sizes that the level gives; high levels have more of them.
    let tables = text.len().saturating_mul(if level > 9 { 16 } else { 8 });
    call.check_memory(tables.saturating_add(OVERHEAD))?;
    let output = compress_pieces(call, text, level as i32)?;
    push_output(call, output)?;
    Ok(1)
}

fn compress_pieces(call: &mut Call<'_>, text: &[u8], level: i32) -> Result<Vec<u8>, Error> {
    // From 2 to 500 ns for each byte.
    let steps_per_kib = match level {
        1..=4 => 1024,
        5..=12 => 8 * 1024,
        _ => 128 * 1024,
    };
    let mut encoder = Encoder::new(level).map_err(|error| failed(&error))?;
    let sized = encoder.set_pledged_src_size(Some(text.len() as u64));
    sized.map_err(|error| failed(&error))?;
    let checked = encoder.set_parameter(CParameter::ChecksumFlag(true));
    checked.map_err(|error| failed(&error))?;
    let mut output = Vec::new();
    for piece in text.chunks(PIECE) {
        charge(call, piece.len(), steps_per_kib)?;
        let mut input = InBuffer::around(piece);
        while input.pos() < piece.len() {
            make_room(call, &mut output, PIECE)?;
            let at = output.len();
            let mut room = OutBuffer::around_pos(&mut output, at);
            encoder
                .run(&mut input, &mut room)
                .map_err(|error| failed(&error))?;
        }
    }
    loop {
        make_room(call, &mut output, PIECE)?;
        let at = output.len();
        let mut room = OutBuffer::around_pos(&mut output, at);
        let left = encoder
            .finish(&mut room, true)
            .map_err(|error| failed(&error))?;
        if left == 0 {
            return Ok(output);
        }
    }
}

/// `decompress(bytes[, max])`: all frames of `bytes`, at most `max` bytes.
fn decompress(call: &mut Call<'_>) -> Result<usize, Error> {
    let bytes = call.check_bytes(1)?;
    let max = match call.opt_number(2)? {
        None => usize::MAX,
        Some(max) if max >= 0.0 => max as usize,
        Some(_) => return Err(Error::argument(2, "max must not be negative")),
    };
    let text = expand(call, bytes, max)?;
    push_output(call, text)?;
    Ok(1)
}

/// The largest window whose memory the plugin may still have.
fn window_log(call: &Call<'_>) -> Result<u32, Error> {
    let fits = |log: &u32| call.check_memory((1 << log) + OVERHEAD).is_ok();
    WINDOW_LOGS.rev().find(fits).ok_or_else(Error::memory)
}

fn expand(call: &mut Call<'_>, bytes: &[u8], max: usize) -> Result<Vec<u8>, Error> {
    let mut decoder = Decoder::new().map_err(|error| failed(&error))?;
    let limited = decoder.set_parameter(DParameter::WindowLogMax(window_log(call)?));
    limited.map_err(|error| failed(&error))?;
    let mut input = InBuffer::around(bytes);
    let mut output = Vec::new();
    let mut hint = 0;
    while input.pos() < bytes.len() || hint != 0 {
        make_room(call, &mut output, PIECE)?;
        let (at, taken) = (output.len(), input.pos());
        let mut room = OutBuffer::around_pos(&mut output, at);
        hint = decoder
            .run(&mut input, &mut room)
            .map_err(|error| failed(&error))?;
        let made = output.len() - at;
        charge(call, made + input.pos() - taken, EXPAND_STEPS_PER_KIB)?;
        if output.len() > max {
            return Err(Error::new("zstd: max exceeded"));
        }
        if made == 0 && input.pos() == taken {
            return Err(Error::new("zstd: unexpected end of input"));
        }
    }
    Ok(output)
}
