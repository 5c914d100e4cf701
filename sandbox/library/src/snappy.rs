//! The `snappy` module: Google's fast codec, as whole strings.

use sandbox::native::{Call, Error, Function, Registry, function};
use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use crate::work::{charge, push_output};

/// Both ways take about a nanosecond for each byte of the expanded text.
const STEPS_PER_KIB: usize = 512;
/// A copy of three bytes in the stream stands for at most 64 bytes of text, so no honest text is longer by more than this.
const MAX_EXPANSION: usize = 64;

const FUNCTIONS: &[(&str, Function)] = &[
    ("compress", function(compress)),
    ("decompress", function(uncompress)),
    ("uncompress", function(uncompress)),
    ("validate_compressed_buffer", function(validate)),
];

/// Offers `snappy`.
pub fn register(registry: &mut Registry) {
    registry.add("snappy", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_bytes("0.1.0")?;
    call.raw_set_field(-2, "_VERSION")?;
    Ok(1)
}

/// Makes a buffer for the output, if the plugin may have it twice: here and as a string.
fn buffer(call: &mut Call<'_>, len: usize) -> Result<Vec<u8>, Error> {
    call.check_memory(len.saturating_mul(2))?;
    charge(call, len, STEPS_PER_KIB)?;
    Ok(vec![0; len])
}

fn failed(error: &snap::Error) -> Error {
    Error::new(format!(
        "snappy: {}",
        error.to_string().trim_start_matches("snappy: ")
    ))
}

/// `compress(text)`
fn compress(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    let mut output = buffer(call, max_compress_len(text.len()))?;
    let compressed = Encoder::new().compress(text, &mut output);
    let len = compressed.map_err(|error| failed(&error))?;
    output.truncate(len);
    push_output(call, output)?;
    Ok(1)
}

/// Expands argument 1.
fn expand(call: &mut Call<'_>) -> Result<Result<Vec<u8>, snap::Error>, Error> {
    let bytes = call.check_bytes(1)?;
    let len = match decompress_len(bytes) {
        Ok(len) => len,
        Err(error) => return Ok(Err(error)),
    };
    // A length that the bytes cannot hold is not worth its memory: the codec finds the fault without it.
    let possible = len.min(bytes.len().saturating_mul(MAX_EXPANSION));
    let mut output = buffer(call, possible)?;
    let expanded = Decoder::new().decompress(bytes, &mut output);
    Ok(expanded.map(|len| {
        output.truncate(len);
        output
    }))
}

/// `uncompress(bytes)`
fn uncompress(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = expand(call)?.map_err(|error| failed(&error))?;
    push_output(call, text)?;
    Ok(1)
}

/// `validate_compressed_buffer(bytes)`: whether they can be expanded.
fn validate(call: &mut Call<'_>) -> Result<usize, Error> {
    let valid = expand(call)?.is_ok();
    call.push_bool(valid)?;
    Ok(1)
}
