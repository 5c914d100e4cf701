//! The `mime.core` module of input and output plugins: the low-level filters of LuaSocket's `mime`.
//!
//! Each function takes what an earlier call left over, and the next chunk or nil for the end; it gives what can be told so
//! far, and what is left over.

use sandbox::native::{Call, Error, Function, Registry, function};

const CRLF: &[u8] = b"\r\n";
const SOFT_BREAK: &[u8] = b"=\r\n";
/// Length of a line of text, without its end.
const LINE: i64 = 76;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

const FUNCTIONS: &[(&str, Function)] = &[
    ("b64", function(b64)),
    ("dot", function(dot)),
    ("eol", function(eol)),
    ("qp", function(qp)),
    ("qpwrp", function(qpwrp)),
    ("unb64", function(unb64)),
    ("unqp", function(unqp)),
    ("wrp", function(wrp)),
];

/// Offers `mime.core` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("mime.core", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_bytes("MIME 1.0.3")?;
    call.raw_set_field(-2, "_VERSION")?;
    Ok(1)
}

/// Charges a call for its input, and makes sure that the output has room.
fn begin(call: &mut Call<'_>, len: usize, growth: usize) -> Result<Vec<u8>, Error> {
    call.charge(u32::try_from(len).unwrap_or(u32::MAX))?;
    call.check_memory(len.saturating_mul(growth))?;
    Ok(Vec::with_capacity(len))
}

/// Bytes that wait for those behind them; never more than fit.
#[derive(Default)]
struct Atom {
    bytes: [u8; 4],
    len: usize,
}

impl Atom {
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn shift(&mut self) {
        self.bytes.copy_within(1.., 0);
        self.len -= 1;
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Runs a filter over arguments 1 and 2. `step` takes a byte; `finish` writes what is left at the end.
fn filter(
    call: &mut Call<'_>,
    growth: usize,
    mut step: impl FnMut(u8, &mut Atom, &mut Vec<u8>),
    finish: impl FnOnce(&Atom, &mut Vec<u8>),
) -> Result<usize, Error> {
    let (first, second) = (call.opt_bytes(1)?, call.opt_bytes(2)?);
    let Some(first) = first else {
        call.push_nil()?;
        call.push_nil()?;
        return Ok(2);
    };
    let len = first.len() + second.map_or(0, <[u8]>::len);
    let mut out = begin(call, len, growth)?;
    let mut atom = Atom::default();
    for &byte in first.iter().chain(second.unwrap_or(b"")) {
        step(byte, &mut atom, &mut out);
    }
    if second.is_none() {
        finish(&atom, &mut out);
        match out.is_empty() {
            true => call.push_nil()?,
            false => call.push_bytes(out)?,
        }
        call.push_nil()?;
    } else {
        call.push_bytes(out)?;
        call.push_bytes(atom.as_slice())?;
    }
    Ok(2)
}

/// `b64(rest[, chunk])`
fn b64(call: &mut Call<'_>) -> Result<usize, Error> {
    let step = |byte, atom: &mut Atom, out: &mut Vec<u8>| {
        atom.push(byte);
        if atom.len == 3 {
            out.extend(quartet(atom.as_slice()));
            atom.len = 0;
        }
    };
    let finish = |atom: &Atom, out: &mut Vec<u8>| {
        if atom.len > 0 {
            let mut last = quartet(atom.as_slice());
            last[atom.len + 1..].fill(b'=');
            out.extend(last);
        }
    };
    filter(call, 2, step, finish)
}

fn quartet(bytes: &[u8]) -> [u8; 4] {
    let at = |i: usize| u32::from(bytes.get(i).copied().unwrap_or(0));
    let bits = at(0) << 16 | at(1) << 8 | at(2);
    [18, 12, 6, 0].map(|shift| BASE64[(bits >> shift) as usize & 63])
}

/// `unb64(rest[, chunk])`: what is no base64 is passed over.
fn unb64(call: &mut Call<'_>) -> Result<usize, Error> {
    let step = |byte, atom: &mut Atom, out: &mut Vec<u8>| {
        if byte != b'=' && sextet(byte).is_none() {
            return;
        }
        atom.push(byte);
        if atom.len < 4 {
            return;
        }
        let bits = atom
            .bytes
            .iter()
            .fold(0u32, |bits, &c| bits << 6 | sextet(c).unwrap_or(0));
        let count = match (atom.bytes[2], atom.bytes[3]) {
            (b'=', _) => 1,
            (_, b'=') => 2,
            _ => 3,
        };
        out.extend_from_slice(&bits.to_be_bytes()[1..1 + count]);
        atom.len = 0;
    };
    filter(call, 1, step, |_, _| {})
}

fn sextet(byte: u8) -> Option<u32> {
    let base = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(base.into())
}

/// `qp(rest[, chunk[, marker]])`: what a line end becomes is the marker.
fn qp(call: &mut Call<'_>) -> Result<usize, Error> {
    let marker = call.opt_bytes(3)?.unwrap_or(CRLF);
    call.check_memory(line_ends(call)?.saturating_mul(marker.len()))?;
    let step = |byte, atom: &mut Atom, out: &mut Vec<u8>| {
        atom.push(byte);
        settle(atom, marker, out);
    };
    let finish = |atom: &Atom, out: &mut Vec<u8>| {
        for &byte in atom.as_slice() {
            quote_unless_plain(byte, out);
        }
        if atom.len > 0 {
            out.extend_from_slice(SOFT_BREAK);
        }
    };
    filter(call, 3, step, finish)
}

/// How many line ends the arguments may have.
fn line_ends(call: &Call<'_>) -> Result<usize, Error> {
    let count = |bytes: Option<&[u8]>| memchr::memchr_iter(b'\n', bytes.unwrap_or(b"")).count();
    Ok(count(call.opt_bytes(1)?) + count(call.opt_bytes(2)?))
}

/// Writes as much of the atom as is certain: a space may have to be quoted when a line end follows.
fn settle(atom: &mut Atom, marker: &[u8], out: &mut Vec<u8>) {
    while let Some(&first) = atom.as_slice().first() {
        match (first, &atom.as_slice()[1..]) {
            (b'\r', []) | (b' ' | b'\t', [] | [_]) => return,
            (b'\r', [b'\n', ..]) => {
                out.extend_from_slice(marker);
                atom.len = 0;
                return;
            }
            (b' ' | b'\t', [b'\r', b'\n', ..]) => {
                quote(first, out);
                out.extend_from_slice(marker);
                atom.len = 0;
                return;
            }
            (b' ' | b'\t', _) => out.push(first),
            _ => quote_unless_plain(first, out),
        }
        atom.shift();
    }
}

fn quote_unless_plain(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'!'..=b'<' | b'>'..=b'~' => out.push(byte),
        _ => quote(byte, out),
    }
}

fn quote(byte: u8, out: &mut Vec<u8>) {
    let digit = |nibble: u8| HEX[usize::from(nibble)];
    out.extend([b'=', digit(byte >> 4), digit(byte & 15)]);
}

/// `unqp(rest[, chunk])`
fn unqp(call: &mut Call<'_>) -> Result<usize, Error> {
    let step = |byte, atom: &mut Atom, out: &mut Vec<u8>| {
        atom.push(byte);
        match *atom.as_slice() {
            [b'='] | [b'=', _] | [b'\r'] => return,
            [b'=', b'\r', b'\n'] => {}
            [b'=', high, low] => match (nibble(high), nibble(low)) {
                (Some(high), Some(low)) => out.push(high << 4 | low),
                _ => out.extend_from_slice(atom.as_slice()),
            },
            [b'\r', b'\n'] => out.extend_from_slice(CRLF),
            [b'\t' | b' '..=b'~'] => out.push(byte),
            _ => {}
        }
        atom.len = 0;
    };
    filter(call, 1, step, |_, _| {})
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// `wrp(left[, chunk[, length]])`: breaks lines; gives the room that is left in the last one.
fn wrp(call: &mut Call<'_>) -> Result<usize, Error> {
    wrap(call, CRLF, |_| 0)
}

/// `qpwrp(left[, chunk[, length]])`: as `wrp`, with soft line breaks that tear no quoted byte apart.
fn qpwrp(call: &mut Call<'_>) -> Result<usize, Error> {
    wrap(call, SOFT_BREAK, |byte| if byte == b'=' { 3 } else { 1 })
}

/// Breaks a line before a byte for which no more than `needed` is left.
fn wrap(
    call: &mut Call<'_>,
    line_break: &[u8],
    needed: impl Fn(u8) -> i64,
) -> Result<usize, Error> {
    let mut left = call.check_integer(1)?;
    let chunk = call.opt_bytes(2)?;
    let length = call.opt_integer(3)?.unwrap_or(LINE);
    let Some(chunk) = chunk else {
        match left < length {
            true => call.push_bytes(line_break)?,
            false => call.push_nil()?,
        }
        call.push_integer(length)?;
        return Ok(2);
    };
    let mut out = begin(call, chunk.len(), 1 + line_break.len())?;
    for &byte in chunk {
        match byte {
            b'\r' => {}
            b'\n' => {
                out.extend_from_slice(CRLF);
                left = length;
            }
            _ => {
                if left <= needed(byte) {
                    out.extend_from_slice(line_break);
                    left = length;
                }
                out.push(byte);
                left = left.saturating_sub(1);
            }
        }
    }
    call.push_bytes(out)?;
    call.push_integer(left)?;
    Ok(2)
}

/// `eol(last[, chunk[, marker]])`: each line end becomes the marker, whatever it was: CR, LF, or both.
fn eol(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut last = call.check_integer(1)?;
    let chunk = call.opt_bytes(2)?;
    let marker = call.opt_bytes(3)?.unwrap_or(CRLF);
    let Some(chunk) = chunk else {
        call.push_nil()?;
        call.push_integer(0)?;
        return Ok(2);
    };
    let is_end = |byte: i64| byte == i64::from(b'\r') || byte == i64::from(b'\n');
    let ends = chunk.iter().filter(|&&byte| is_end(byte.into())).count();
    call.check_memory(ends.saturating_mul(marker.len()))?;
    let mut out = begin(call, chunk.len(), 1)?;
    for &byte in chunk {
        if !is_end(byte.into()) {
            out.push(byte);
            last = 0;
        } else if !is_end(last) {
            out.extend_from_slice(marker);
            last = byte.into();
        } else {
            // The second of a pair, or the same again: another line.
            if last == i64::from(byte) {
                out.extend_from_slice(marker);
            }
            last = 0;
        }
    }
    call.push_bytes(out)?;
    call.push_integer(last)?;
    Ok(2)
}

/// `dot(state[, chunk])`: doubles a dot at the head of a line. State 2 is the head of a line, 1 is behind a CR.
fn dot(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut state = call.check_integer(1)?;
    let Some(chunk) = call.opt_bytes(2)? else {
        call.push_nil()?;
        call.push_integer(2)?;
        return Ok(2);
    };
    let mut out = begin(call, chunk.len(), 2)?;
    for &byte in chunk {
        if byte == b'.' && state == 2 {
            out.push(b'.');
        }
        out.push(byte);
        state = match (byte, state) {
            (b'\r', _) => 1,
            (b'\n', 1) => 2,
            _ => 0,
        };
    }
    call.push_bytes(out)?;
    call.push_integer(state)?;
    Ok(2)
}
