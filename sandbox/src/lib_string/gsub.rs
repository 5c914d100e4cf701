//! `string.gsub`: replaces matches by a text, by what a table holds, or by what a function returns.
#![allow(unsafe_code)]

use stdx::pattern::{self, Capture, Captures};

use super::{Meter, Scratch, is_text, push_capture, push_captures};
use crate::native::{Call, Error, Type};
use crate::vm;

/// What the matches are replaced by.
enum Replacement<'a> {
    /// A text, with `%1` for the first capture.
    Text(&'a [u8]),
    /// A text without any `%`.
    Plain(&'a [u8]),
    /// What the table at argument 3 has under the first capture.
    Table,
    /// What the function at argument 3 returns for the captures.
    Function,
}

pub(super) fn gsub(call: &mut Call<'_>) -> Result<usize, Error> {
    let (subject, pattern) = (call.check_bytes(1)?, call.check_bytes(2)?);
    let replacement = replacement(call)?;
    let most = match call.opt_integer(4)? {
        Some(most) => usize::try_from(most).unwrap_or(0),
        None => subject.len() + 1,
    };
    let (anchored, pattern) = match pattern.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut out = Scratch::take();
    let (mut at, mut copied, mut count) = (0, 0, 0);
    while count < most && at <= subject.len() {
        let mut meter = Meter(call.shared());
        let found = match anchored {
            true => pattern::match_here(subject, pattern, at, &mut meter)?,
            false => pattern::scan(subject, pattern, at, &mut meter)?,
        };
        let Some(found) = found else { break };
        count += 1;
        out.add(call, &subject[copied..found.start])?;
        replace(call, subject, &found, &replacement, &mut out)?;
        copied = found.end;
        at = found.end + usize::from(found.end == found.start);
        if anchored {
            break;
        }
    }
    if count == 0 {
        call.push_value(1)?;
    } else {
        out.add(call, &subject[copied..])?;
        out.push(call)?;
    }
    call.push_integer(count as i64)?;
    Ok(2)
}

fn replacement<'a>(call: &Call<'a>) -> Result<Replacement<'a>, Error> {
    match call.type_of(3) {
        Type::Table => Ok(Replacement::Table),
        Type::Function => Ok(Replacement::Function),
        Type::String | Type::Number => {
            let text = call.check_bytes(3)?;
            Ok(match memchr::memchr(b'%', text) {
                Some(_) => Replacement::Text(text),
                None => Replacement::Plain(text),
            })
        }
        _ => Err(Error::argument(3, "string/function/table expected")),
    }
}

fn replace(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Captures,
    replacement: &Replacement<'_>,
    out: &mut Scratch,
) -> Result<(), Error> {
    match replacement {
        Replacement::Plain(text) => return out.add(call, text),
        Replacement::Text(text) => return add_text(call, subject, found, text, out),
        Replacement::Table => {
            push_capture(call, subject, found, 0)?;
            look_up(call)?;
        }
        Replacement::Function => {
            call.push_value(3)?;
            let count = push_captures(call, subject, found)?;
            call.call(count, 1)?;
        }
    }
    add_value(call, &subject[found.start..found.end], out)?;
    call.pop(1);
    Ok(())
}

/// Replaces the key on top by what the table at argument 3 has for it, `__index` included.
fn look_up(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_value(-1)?;
    call.raw_get(3);
    if call.is_nil(-1) && call.push_metatable(3)? {
        call.pop(2);
        call.get(3, -1)?;
    }
    call.insert(-2);
    call.pop(1);
    Ok(())
}

/// Adds the value on top, or the match itself for false and nil.
fn add_value(call: &mut Call<'_>, whole: &[u8], out: &mut Scratch) -> Result<(), Error> {
    if !call.is_true(-1) {
        return out.add(call, whole);
    }
    if !is_text(call, -1) {
        let kind = call.type_name(-1);
        return Err(Error::new(format!("invalid replacement value (a {kind})")));
    }
    let top = call.at(-1);
    // SAFETY: the value is a string or a number and stays on top while its bytes are copied.
    let text = unsafe { vm::bytes_of(call.raw(), top) };
    out.add(call, text)
}

/// Adds `text`, with `%0` to `%9` replaced by captures; any other character after `%` stands for itself.
fn add_text(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Captures,
    text: &[u8],
    out: &mut Scratch,
) -> Result<(), Error> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.add(call, &rest[..at])?;
        match rest.get(at + 1) {
            Some(b'0') => out.add(call, &subject[found.start..found.end])?,
            Some(digit) if digit.is_ascii_digit() => {
                add_capture(call, subject, found, usize::from(digit - b'1'), out)?;
            }
            Some(other) => out.add(call, &[*other])?,
            // Lua 5.1 copies the zero byte behind a string that ends here.
            None => out.add(call, &[0])?,
        }
        rest = rest.get(at + 2..).unwrap_or(b"");
    }
    out.add(call, rest)
}

fn add_capture(
    call: &mut Call<'_>,
    subject: &[u8],
    found: &Captures,
    i: usize,
    out: &mut Scratch,
) -> Result<(), Error> {
    match found.get(i) {
        Some(Capture::Span(start, end)) => out.add(call, &subject[start..end]),
        Some(Capture::Position(at)) => out.add(call, (at + 1).to_string().as_bytes()),
        None if i == 0 => out.add(call, &subject[found.start..found.end]),
        None => Err(Error::new("invalid capture index")),
    }
}
