//! The `zlib` module: deflate streams in their three wrappers, and checksums, with the functions of lua-zlib.
//!
//! A stream is a closure that keeps its state in an object. Whatever a stream expands to is gathered piece by piece, so that
//! a small input which stands for gigabytes ends at the plugin's memory limit.

mod checksum;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use sandbox::native::{Call, Class, Error, Function, Object, Registry, Type, function};

use crate::work::{PIECE, charge, make_room, opt_int, push_output};

/// Expanding takes one to three nanoseconds for each byte.
const INFLATE_STEPS_PER_KIB: usize = 1024;
/// Compressing takes ten to a hundred.
const DEFLATE_STEPS_PER_KIB: usize = 16 * 1024;
/// What a state of each direction keeps on the heap, in bytes.
const INFLATE_MEMORY: usize = 48 * 1024;
const DEFLATE_MEMORY: usize = 320 * 1024;

/// The largest window as a power of two, which is also the default.
const MAX_WINDOW: i32 = 15;
/// What is added to the window's size to ask for the gzip wrapper.
const GZIP: i32 = 16;
/// What is added to the window's size to accept both wrappers.
const ANY_WRAPPER: i32 = 32;
/// The first byte of a gzip stream; no zlib stream begins with it.
const GZIP_MAGIC: u8 = 0x1f;

const FUNCTIONS: &[(&str, Function)] = &[
    ("adler32", function(checksum::adler32)),
    ("crc32", function(checksum::crc32)),
    ("deflate", function(deflate)),
    ("inflate", function(inflate)),
    ("version", function(version)),
];

/// Offers `zlib`.
pub fn register(registry: &mut Registry) {
    registry.add("zlib", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    for (name, number) in [("BEST_SPEED", 1), ("BEST_COMPRESSION", 9)] {
        call.push_integer(number)?;
        call.raw_set_field(-2, name)?;
    }
    for (name, text) in [
        (
            "_DESCRIPTION",
            "Simple streaming interface to the zlib library",
        ),
        ("_VERSION", "lua-zlib 1.2"),
    ] {
        call.push_bytes(text)?;
        call.raw_set_field(-2, name)?;
    }
    Ok(1)
}

/// The version of zlib whose streams these are.
fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    for part in [1, 3, 1] {
        call.push_integer(part)?;
    }
    Ok(3)
}

/// The wrapper around a deflate stream, and its window as a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapper {
    Raw(u8),
    Zlib(u8),
    Gzip(u8),
    /// zlib or gzip, as the first byte says.
    Any(u8),
}

impl Wrapper {
    /// Reads zlib's `windowBits`.
    fn of(bits: i32) -> Option<Wrapper> {
        // Windows of 256 bytes are made as such of 512, as zlib itself does.
        let window = |bits: i32| match bits {
            8..=MAX_WINDOW => Some(bits.max(9) as u8),
            _ => None,
        };
        match bits {
            ..0 => window(bits.checked_neg()?).map(Wrapper::Raw),
            0..GZIP => window(bits).map(Wrapper::Zlib),
            GZIP..ANY_WRAPPER => window(bits - GZIP).map(Wrapper::Gzip),
            _ => window(bits - ANY_WRAPPER).map(Wrapper::Any),
        }
    }
}

/// One direction of one stream; none once it has ended.
enum State {
    Deflate(Compress),
    /// Nothing was read yet.
    Unopened(Wrapper),
    Inflate(Decompress),
    Ended,
}

impl Object for State {
    fn class() -> Class {
        Class {
            name: "zlib.stream",
            methods: &[],
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        match self {
            State::Deflate(_) => DEFLATE_MEMORY,
            State::Unopened(_) | State::Inflate(_) => INFLATE_MEMORY,
            State::Ended => 0,
        }
    }
}

fn bad_stream(words: &str) -> Error {
    Error::bare(format!(
        "InternalError: inconsistent internal zlib stream ({words})"
    ))
}

/// `deflate([level[, window_bits]])`: a function that compresses.
fn deflate(call: &mut Call<'_>) -> Result<usize, Error> {
    let level = match opt_int(call, 1, -1)? {
        -1 => Compression::default(),
        level @ 0..=9 => Compression::new(level as u32),
        _ => return Err(bad_stream("invalid level")),
    };
    let bits = opt_int(call, 2, MAX_WINDOW)?;
    call.check_memory(DEFLATE_MEMORY)?;
    let state = match Wrapper::of(bits) {
        Some(Wrapper::Raw(window)) => Compress::new_with_window_bits(level, false, window),
        Some(Wrapper::Zlib(window)) => Compress::new_with_window_bits(level, true, window),
        Some(Wrapper::Gzip(window)) => Compress::new_gzip(level, window),
        Some(Wrapper::Any(_)) | None => return Err(bad_stream("invalid window bits")),
    };
    call.push_object(State::Deflate(state))?;
    call.push_closure(function(deflate_stream), 1)?;
    Ok(1)
}

/// `inflate([window_bits])`: a function that expands.
fn inflate(call: &mut Call<'_>) -> Result<usize, Error> {
    // Anything but a number stands for the default.
    let bits = call
        .to_number(1)
        .map_or(MAX_WINDOW + ANY_WRAPPER, |bits| bits as i32);
    // A window of 0 bits stands for the one that the stream names.
    let bits = if bits & 15 == 0 && bits >= 0 {
        bits | MAX_WINDOW
    } else {
        bits
    };
    let Some(wrapper) = Wrapper::of(bits) else {
        return Err(bad_stream("invalid window bits"));
    };
    call.push_object(State::Unopened(wrapper))?;
    call.push_closure(function(inflate_stream), 1)?;
    Ok(1)
}

/// What comes in with one call of a stream.
fn input<'a>(call: &Call<'a>) -> Result<&'a [u8], Error> {
    match call.type_of(1) {
        Type::String | Type::Number => call.check_bytes(1),
        _ => Ok(&[]),
    }
}

/// Answers a call of a stream that has ended: nothing is taken any more.
fn answer_ended(call: &mut Call<'_>, name: &str) -> Result<usize, Error> {
    if matches!(call.type_of(1), Type::String | Type::Number) {
        return Err(Error::bare(format!(
            "IllegalState: calling {name} function when stream was previously closed"
        )));
    }
    call.push_bytes("")?;
    call.push_bool(true)?;
    Ok(2)
}

/// Pushes what a stream gave, whether it has ended, and how many bytes went in and out so far.
fn answer(
    call: &mut Call<'_>,
    output: Vec<u8>,
    ended: bool,
    totals: (u64, u64),
) -> Result<usize, Error> {
    push_output(call, output)?;
    call.push_bool(ended)?;
    call.push_number(totals.0 as f64)?;
    call.push_number(totals.1 as f64)?;
    Ok(4)
}

/// `stream([text[, flush]])` of a compressor
fn deflate_stream(call: &mut Call<'_>) -> Result<usize, Error> {
    let flush = match call.opt_bytes(2)?.unwrap_or(b"none") {
        // Without text the stream is to end.
        _ if call.is_none_or_nil(1) => FlushCompress::Finish,
        b"none" => FlushCompress::None,
        b"sync" => FlushCompress::Sync,
        b"full" => FlushCompress::Full,
        b"finish" => FlushCompress::Finish,
        other => {
            let words = format!("invalid option '{}'", String::from_utf8_lossy(other));
            return Err(Error::argument(2, words));
        }
    };
    let text = input(call)?;
    let stream = call.adopt_upvalue(1)?;
    let mut state = call.check_object_mut::<State>(stream)?;
    let State::Deflate(compress) = &mut *state else {
        return answer_ended(call, "deflate");
    };
    let mut output = Vec::new();
    let mut ended = false;
    if !text.is_empty() || !matches!(flush, FlushCompress::None) {
        ended = deflate_pieces(call, compress, text, flush, &mut output)?;
    }
    let totals = (compress.total_in(), compress.total_out());
    finish(call, stream, state, ended)?;
    answer(call, output, ended, totals)
}

/// Forgets the state of a stream that has ended.
fn finish(
    call: &mut Call<'_>,
    stream: i32,
    mut state: sandbox::native::ObjectMut<'_, State>,
    ended: bool,
) -> Result<(), Error> {
    if ended {
        *state = State::Ended;
    }
    drop(state);
    call.recount(stream)
}

/// Compresses all of `text`; true when the stream has ended.
fn deflate_pieces(
    call: &mut Call<'_>,
    compress: &mut Compress,
    text: &[u8],
    flush: FlushCompress,
    output: &mut Vec<u8>,
) -> Result<bool, Error> {
    let mut rest = text;
    loop {
        let (piece, after) = rest.split_at(rest.len().min(PIECE));
        let flush_now = if after.is_empty() {
            flush
        } else {
            FlushCompress::None
        };
        make_room(call, output, PIECE)?;
        let before = compress.total_in();
        let status = compress.compress_vec(piece, output, flush_now);
        let status = status.map_err(|error| bad_stream(&error.to_string()))?;
        let taken = (compress.total_in() - before) as usize;
        charge(call, taken, DEFLATE_STEPS_PER_KIB)?;
        rest = &rest[taken..];
        match status {
            Status::StreamEnd => return Ok(true),
            // Room that is left says that nothing waits any more.
            _ if rest.is_empty() && output.len() < output.capacity() => return Ok(false),
            _ => {}
        }
    }
}

/// `stream([bytes])` of an expander
fn inflate_stream(call: &mut Call<'_>) -> Result<usize, Error> {
    let bytes = input(call)?;
    let stream = call.adopt_upvalue(1)?;
    let mut state = call.check_object_mut::<State>(stream)?;
    if let State::Unopened(wrapper) = *state {
        let Some(&first) = bytes.first() else {
            return answer(call, Vec::new(), false, (0, 0));
        };
        *state = State::Inflate(open_wrapper(wrapper, first));
    }
    let State::Inflate(decompress) = &mut *state else {
        return answer_ended(call, "inflate");
    };
    let mut output = Vec::new();
    let ended = inflate_pieces(call, decompress, bytes, &mut output)?;
    let totals = (decompress.total_in(), decompress.total_out());
    finish(call, stream, state, ended)?;
    answer(call, output, ended, totals)
}

fn open_wrapper(wrapper: Wrapper, first: u8) -> Decompress {
    match wrapper {
        Wrapper::Raw(window) => Decompress::new_with_window_bits(false, window),
        Wrapper::Gzip(window) => Decompress::new_gzip(window),
        Wrapper::Any(window) if first == GZIP_MAGIC => Decompress::new_gzip(window),
        Wrapper::Zlib(window) | Wrapper::Any(window) => {
            Decompress::new_with_window_bits(true, window)
        }
    }
}

/// Expands all of `bytes`; true when the stream has ended.
fn inflate_pieces(
    call: &mut Call<'_>,
    decompress: &mut Decompress,
    bytes: &[u8],
    output: &mut Vec<u8>,
) -> Result<bool, Error> {
    let mut rest = bytes;
    loop {
        make_room(call, output, PIECE)?;
        let (taken, made) = (decompress.total_in(), decompress.total_out());
        let status = decompress.decompress_vec(rest, output, FlushDecompress::None);
        let status = status.map_err(|error| match error.needs_dictionary() {
            None => Error::bare(
                "InvalidInput: input string does not conform to zlib format or checksum failed",
            ),
            Some(_) => {
                Error::bare("RequiresDictionary: input stream requires a dictionary to be deflated")
            }
        })?;
        let taken = (decompress.total_in() - taken) as usize;
        let made = (decompress.total_out() - made) as usize;
        charge(call, taken + made, INFLATE_STEPS_PER_KIB)?;
        rest = &rest[taken..];
        match status {
            Status::StreamEnd => return Ok(true),
            _ if output.len() < output.capacity() => return Ok(false),
            _ => {}
        }
    }
}
