//! The `openssl` module: the part of lua-openssl that plugins use, on Rust's own implementations: digests, HMAC, random bytes,
//! hex and Base64, and reading of certificates.

mod hash;
mod x509;

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sandbox::native::{Call, Error, Function, Registry, function};

use crate::work::{PIECE, charge, make_room, push_output};

/// Random bytes take some nanoseconds each.
const RANDOM_STEPS_PER_KIB: usize = 4096;
/// Coding a byte takes about a nanosecond.
const CODING_STEPS_PER_KIB: usize = 1024;
/// Characters of a line of Base64, when lines are wanted.
const BASE64_LINE: usize = 64;

/// Base64 that is read with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const FUNCTIONS: &[(&str, Function)] = &[
    ("base64", function(base64)),
    ("hex", function(hex)),
    ("random", function(random)),
];

/// Offers `openssl`.
pub fn register(registry: &mut Registry) {
    registry.add("openssl", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_library(hash::DIGEST)?;
    call.raw_set_field(-2, "digest")?;
    call.push_library(hash::HMAC)?;
    call.raw_set_field(-2, "hmac")?;
    call.push_library(x509::FUNCTIONS)?;
    // Programs take these along without using them.
    call.push_table(0, 0)?;
    call.raw_set_field(-2, "name")?;
    call.raw_set_field(-2, "x509")?;
    call.push_table(0, 0)?;
    call.raw_set_field(-2, "asn1")?;
    Ok(1)
}

/// Whether an argument that is true by default is true.
fn true_unless_given(call: &Call<'_>, i: i32) -> bool {
    call.is_none(i) || call.is_true(i)
}

/// `random(n)`: bytes nobody can foresee.
fn random(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.check_integer(1)?;
    if n <= 0 {
        return Err(Error::argument(1, "must greater than 0"));
    }
    let n = n as usize;
    let mut output = Vec::new();
    while output.len() < n {
        let piece = (n - output.len()).min(PIECE);
        charge(call, piece, RANDOM_STEPS_PER_KIB)?;
        make_room(call, &mut output, piece)?;
        let at = output.len();
        output.resize(at + piece, 0);
        getrandom::fill(&mut output[at..]).map_err(|error| Error::new(error.to_string()))?;
    }
    push_output(call, output)?;
    Ok(1)
}

/// Bytes as hexadecimal digits.
fn to_hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| DIGITS[usize::from(digit)]).collect()
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pairs = digits.chunks(2).map(|pair| match *pair {
        [high, low] => Some((value(high)? << 4 | value(low)?) as u8),
        _ => None,
    });
    pairs.collect()
}

/// `hex(text[, encode])`
fn hex(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    charge(call, text.len(), CODING_STEPS_PER_KIB)?;
    call.check_memory(text.len().saturating_mul(4))?;
    let coded = match true_unless_given(call, 2) {
        true => to_hex(text),
        false => from_hex(text).ok_or_else(|| Error::argument(1, "invalid hex string"))?,
    };
    push_output(call, coded)?;
    Ok(1)
}

/// `base64(text[, encode[, one_line]])`; nothing when it cannot be decoded.
fn base64(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    charge(call, text.len(), CODING_STEPS_PER_KIB)?;
    call.check_memory(text.len().saturating_mul(3))?;
    if !true_unless_given(call, 2) {
        let text: Vec<u8> = text
            .iter()
            .copied()
            .filter(|c| !c.is_ascii_whitespace())
            .collect();
        let Ok(decoded) = BASE64.decode(text) else {
            return Ok(0);
        };
        push_output(call, decoded)?;
        return Ok(1);
    }
    let mut coded = BASE64.encode(text).into_bytes();
    if !true_unless_given(call, 3) {
        let lines = coded.chunks(BASE64_LINE);
        coded = lines
            .flat_map(|line| line.iter().copied().chain([b'\n']))
            .collect();
    }
    push_output(call, coded)?;
    Ok(1)
}
