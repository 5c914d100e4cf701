//! Lua's string library over byte strings, with every step that can run long charged to the plugin's budget.
//!
//! LuaJIT's own functions stay where they cannot run long (`byte char len lower reverse sub upper`): it compiles them
//! into its traces. What matches patterns or builds large strings is replaced. `string.dump` is gone.
#![allow(unsafe_code)]

mod cache;
pub(crate) mod format;
mod gsub;

use std::cell::Cell;

use stdx::pattern::{self, Budget, Capture, Captures, Exceeded};

use crate::ffi;
use crate::limits;
use crate::native::{Builtin, Call, Error, Function, Type, function};
use crate::vm::{self, Shared};
pub(crate) use cache::Patterns;
use format::Spec;

/// A result buffer that was larger than this is not kept for the next call.
const MAX_KEPT: usize = 64 * 1024;
/// Bytes copied per charged step: copying is that much cheaper than looking at a byte.
const BYTES_PER_STEP: usize = 64;

const REPLACED: &[(&str, Function)] = &[
    ("find", function(find)),
    ("format", function(format_)),
    ("gsub", function(gsub::gsub)),
    ("match", function(match_)),
    ("rep", function(rep)),
];

/// Pushes the library.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_builtin(Builtin::String)?;
    call.set_functions(-1, REPLACED)?;
    push_gmatch(call)?;
    call.push_value(-1)?;
    // The name that Lua 5.0 had; Hindsight's Lua was built to keep it.
    call.raw_set_field(-3, "gfind")?;
    call.raw_set_field(-2, "gmatch")?;
    for gone in ["dump", "buffer"] {
        call.push_nil()?;
        call.raw_set_field(-2, gone)?;
    }
    Ok(1)
}

/// The budget of a call, apart from its stack, so that both can be used at once.
pub(crate) struct Meter<'a>(pub(crate) &'a Shared);

impl Budget for Meter<'_> {
    #[inline]
    fn charge(&mut self, steps: u32) -> Result<(), Exceeded> {
        if limits::charge(self.0, steps) {
            Ok(())
        } else {
            Err(Exceeded)
        }
    }
}

thread_local! {
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer for a result: its memory is used again by the next call, and it never outgrows the plugin's limit.
pub(crate) struct Scratch(Vec<u8>);

impl Scratch {
    pub(crate) fn take() -> Scratch {
        Scratch(KEPT.take())
    }

    /// Makes sure that `extra` more bytes are within the limit.
    #[inline]
    pub(crate) fn reserve(&mut self, call: &Call<'_>, extra: usize) -> Result<&mut Vec<u8>, Error> {
        call.check_memory(self.0.len().saturating_add(extra))?;
        Ok(&mut self.0)
    }

    #[inline]
    pub(crate) fn add(&mut self, call: &Call<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.reserve(call, bytes.len())?.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Pushes what was gathered and gives the buffer back.
    pub(crate) fn push(self, call: &mut Call<'_>) -> Result<(), Error> {
        call.charge((self.0.len() / BYTES_PER_STEP) as u32)?;
        call.push_bytes(&self.0)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        if buffer.capacity() <= MAX_KEPT {
            buffer.clear();
            KEPT.set(buffer);
        }
    }
}

fn find(call: &mut Call<'_>) -> Result<usize, Error> {
    let (subject, pattern) = (call.check_bytes(1)?, call.check_bytes(2)?);
    let init = start_of(call, subject)?;
    if call.is_true(4) || pattern::is_plain(pattern) {
        let mut meter = Meter(call.shared());
        let Some(at) = pattern::find_plain(subject, pattern, init, &mut meter)? else {
            return nothing(call);
        };
        return push_range(call, at, at + pattern.len());
    }
    let mut found = Captures::default();
    if !cache::find_at(call, subject, pattern, init, &mut found)? {
        return nothing(call);
    }
    push_range(call, found.start, found.end)?;
    for i in 0..found.len() {
        push_capture(call, subject, &found, i)?;
    }
    Ok(2 + found.len())
}

fn match_(call: &mut Call<'_>) -> Result<usize, Error> {
    let (subject, pattern) = (call.check_bytes(1)?, call.check_bytes(2)?);
    let init = start_of(call, subject)?;
    let mut found = Captures::default();
    if cache::find_at(call, subject, pattern, init, &mut found)? {
        push_captures(call, subject, &found)
    } else {
        nothing(call)
    }
}

fn nothing(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_nil()?;
    Ok(1)
}

fn push_range(call: &mut Call<'_>, start: usize, end: usize) -> Result<usize, Error> {
    call.push_integer(start as i64 + 1)?;
    call.push_integer(end as i64)?;
    Ok(2)
}

/// Where argument 3 tells to begin, as an offset within `subject`; negative numbers count from the end.
fn start_of(call: &Call<'_>, subject: &[u8]) -> Result<usize, Error> {
    let init = call.opt_integer(3)?.unwrap_or(1);
    let len = subject.len() as i64;
    let offset = if init < 0 {
        len.saturating_add(init)
    } else {
        init - 1
    };
    Ok(offset.clamp(0, len) as usize)
}

/// Pushes all captures, or the whole match when the pattern has none.
pub(crate) fn push_captures(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Captures,
) -> Result<usize, Error> {
    let count = found.len().max(1);
    call.room(count as i32)?;
    // All of them together; no part is longer than the subject, which exists already.
    call.check_memory(0)?;
    for i in 0..count {
        match found.get(i) {
            Some(Capture::Span(start, end)) if end - start <= SMALL => {
                call.push_raw_bytes(&subject[start..end]);
            }
            _ => push_capture(call, subject, found, i)?,
        }
    }
    Ok(count)
}

/// Captures up to this size are copied to Lua before the memory limit is asked, in bytes: together less than 64 KiB.
const SMALL: usize = 1024;

/// Pushes capture `i`; 0 is the whole match when the pattern has no captures.
pub(crate) fn push_capture(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Captures,
    i: usize,
) -> Result<(), Error> {
    match found.get(i) {
        Some(Capture::Span(start, end)) => call.push_bytes(&subject[start..end]),
        Some(Capture::Position(at)) => call.push_integer(at as i64 + 1),
        None if i == 0 => call.push_bytes(&subject[found.start..found.end]),
        None => Err(Error::new("invalid capture index")),
    }
}

/// Makes an iterator out of its state. It is Lua, because LuaJIT's traces hold for all closures of one Lua function, but
/// for a native closure only as long as it is the very same one: a new one in each loop would end every trace.
const ITERATORS: &[u8] =
    b"local step = ... return function(state) return function() return step(state) end end";

/// Pushes `gmatch`, which keeps the maker of iterators.
fn push_gmatch(call: &mut Call<'_>) -> Result<(), Error> {
    call.load(ITERATORS, "=string")?.map_err(Error::bytes)?;
    call.push_function(function(gmatch_step))?;
    call.call(1, 1)?;
    call.push_closure(function(gmatch), 1)
}

/// The state of an iterator is a table of subject, pattern and the offset where it goes on.
fn gmatch(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_bytes(1)?;
    call.check_bytes(2)?;
    call.push_upvalue(1)?;
    call.push_table(3, 0)?;
    for i in [1, 2] {
        call.push_value(i)?;
        call.raw_set_index(-2, i.into())?;
    }
    call.push_integer(0)?;
    call.raw_set_index(-2, 3)?;
    call.call(1, 1)?;
    Ok(1)
}

fn gmatch_step(call: &mut Call<'_>) -> Result<usize, Error> {
    let l = call.raw();
    call.room(3)?;
    // SAFETY: the only argument is a table that `gmatch` has made of two strings and a number, and nobody else has it. It
    // keeps the strings alive during this call.
    let (subject, pattern, at) = unsafe {
        for i in 1..=3 {
            ffi::lua_rawgeti_(l, 1, i);
        }
        (
            vm::bytes_of(l, 2),
            vm::bytes_of(l, 3),
            ffi::lua_tonumber(l, 4) as usize,
        )
    };
    if at > subject.len() {
        return Ok(0);
    }
    let mut captures = Captures::default();
    let found = if pattern.first() == Some(&b'^') {
        // Here it is an ordinary character.
        pattern::scan(subject, pattern, at, &mut Meter(call.shared()))?
    } else {
        let matched = cache::find_at(call, subject, pattern, at, &mut captures)?;
        matched.then_some(captures)
    };
    // After an empty match the next one begins a byte later; after none there is no next one.
    let next = found.as_ref().map_or(usize::MAX, |found| {
        found.end + usize::from(found.end == found.start)
    });
    call.push_number(next as f64)?;
    call.raw_set_index(1, 3)?;
    found.map_or(Ok(0), |found| push_captures(call, subject, &found))
}

/// `string.rep(s, n [, separator])`; the separator is LuaJIT's extension.
fn rep(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    let times = usize::try_from(call.check_integer(2)?).unwrap_or(0);
    let separator = call.opt_bytes(3)?.unwrap_or(b"");
    let len = text
        .len()
        .saturating_add(separator.len())
        .saturating_mul(times);
    if len == 0 {
        call.push_bytes(b"")?;
        return Ok(1);
    }
    let mut out = Scratch::take();
    let buffer = out.reserve(call, len)?;
    buffer.reserve(len);
    if separator.is_empty() {
        fill(buffer, text, len);
    } else {
        for i in 0..times {
            buffer.extend_from_slice(text);
            if i + 1 < times {
                buffer.extend_from_slice(separator);
            }
        }
    }
    out.push(call)?;
    Ok(1)
}

/// Fills `buffer` with copies of `text` up to `len`, doubling what is there.
fn fill(buffer: &mut Vec<u8>, text: &[u8], len: usize) {
    buffer.extend_from_slice(text);
    while buffer.len() < len {
        let more = buffer.len().min(len - buffer.len());
        buffer.extend_from_within(..more);
    }
}

fn format_(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut rest = call.check_bytes(1)?;
    let mut out = Scratch::take();
    let mut arg = 1;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.add(call, &rest[..at])?;
        let after = &rest[at + 1..];
        if after.first() == Some(&b'%') {
            out.add(call, b"%")?;
            rest = &after[1..];
            continue;
        }
        let (spec, used) = Spec::parse(after)?;
        arg += 1;
        convert(call, &spec, arg, &mut out)?;
        rest = &after[used..];
    }
    out.add(call, rest)?;
    out.push(call)?;
    Ok(1)
}

fn convert(call: &mut Call<'_>, spec: &Spec, arg: i32, out: &mut Scratch) -> Result<(), Error> {
    /// More than any number or padding takes.
    const ROOM: usize = 512;
    match spec.conversion {
        b's' => {
            let text = call.check_bytes(arg)?;
            format::string(spec, text, out.reserve(call, text.len() + ROOM)?);
        }
        b'd' | b'i' => {
            let number = call.check_number(arg)?;
            format::integer(spec, number, out.reserve(call, ROOM)?);
        }
        b'u' | b'o' | b'x' | b'X' => {
            let number = call.check_number(arg)?;
            format::unsigned(spec, number, out.reserve(call, ROOM)?);
        }
        b'e' | b'E' | b'f' | b'g' | b'G' | b'a' | b'A' => {
            let number = call.check_number(arg)?;
            format::float(spec, number, out.reserve(call, ROOM)?);
        }
        b'c' => {
            let code = call.check_number(arg)? as i64 as u8;
            format::string(
                &Spec {
                    precision: None,
                    ..*spec
                },
                &[code],
                out.reserve(call, ROOM)?,
            );
        }
        b'q' => {
            let text = call.check_bytes(arg)?;
            format::quoted(text, out.reserve(call, format::quoted_len(text))?);
        }
        0 => return Err(Error::new("invalid option '%' to 'format'")),
        other => {
            let text = [b"invalid option '%", &[other][..], b"' to 'format'"].concat();
            return Err(Error::bytes(text));
        }
    }
    Ok(())
}

/// Whether the value at `i` is a string, or a number, which Lua takes for one.
pub(crate) fn is_text(call: &Call<'_>, i: i32) -> bool {
    matches!(call.type_of(i), Type::String | Type::Number)
}

#[cfg(test)]
pub(crate) mod test_state;
#[cfg(test)]
mod tests;
