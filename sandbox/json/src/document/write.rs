//! Writes values as RapidJSON's writer does: no space, exact numbers, no more escapes than JSON asks for.

use super::{Document, Node};
use crate::scan::plain_end;

/// A container that is being written: the next place and the end.
struct Frame {
    next: u32,
    end: u32,
    is_object: bool,
    first: bool,
}

pub(super) fn write(document: &Document, place: u32, limit: usize, out: &mut Vec<u8>) {
    let mut frames: Vec<Frame> = Vec::new();
    value(document, place, &mut frames, out);
    while let Some(frame) = frames.last_mut() {
        if out.len() > limit {
            return;
        }
        if frame.next == frame.end {
            out.push(if frame.is_object { b'}' } else { b']' });
            frames.pop();
            continue;
        }
        let place = frame.next;
        let value_place = if frame.is_object { place + 1 } else { place };
        frame.next = value_place + 1;
        if document.is_hole(value_place) {
            continue;
        }
        if !std::mem::take(&mut frame.first) {
            out.push(b',');
        }
        if frame.is_object {
            string(document.key(place), out);
            out.push(b':');
        }
        value(document, value_place, &mut frames, out);
    }
}

fn value(document: &Document, place: u32, frames: &mut Vec<Frame>, out: &mut Vec<u8>) {
    let mut open = |first: u32, n_places: u32, is_object| {
        out.push(if is_object { b'{' } else { b'[' });
        frames.push(Frame {
            next: first,
            end: first + n_places,
            is_object,
            first: true,
        });
    };
    match document.node(place) {
        Node::Array(first, len) => open(first, len, false),
        Node::Object(first, len) => open(first, 2 * len, true),
        Node::Null | Node::Removed => out.extend_from_slice(b"null"),
        Node::Boolean(true) => out.extend_from_slice(b"true"),
        Node::Boolean(false) => out.extend_from_slice(b"false"),
        Node::Integer(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
        Node::Unsigned(number) => {
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
        Node::Double(number) => double(number, out),
        Node::String(at, len) => string(document.text(at, len), out),
    }
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push(b'"');
    let mut at = 0;
    loop {
        let end = plain_end(text, at);
        out.extend_from_slice(&text[at..end]);
        let Some(&byte) = text.get(end) else {
            break;
        };
        let letter = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            _ => b'u',
        };
        out.extend_from_slice(&[b'\\', letter]);
        if letter == b'u' {
            let digits = [
                b'0',
                b'0',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ];
            out.extend_from_slice(&digits);
        }
        at = end + 1;
    }
    out.push(b'"');
}

/// The shortest text that gives the number back, in RapidJSON's form: always with a point or an exponent.
fn double(number: f64, out: &mut Vec<u8>) {
    /// Longest whole part that is written without an exponent.
    const WHOLE_MAX: i32 = 21;
    /// Zeros behind the point that are written without an exponent.
    const ZEROS_MAX: i32 = 5;
    if number == 0.0 {
        let text: &[u8] = if number.is_sign_negative() {
            b"-0.0"
        } else {
            b"0.0"
        };
        out.extend_from_slice(text);
        return;
    }
    let shortest = format!("{:e}", number.abs());
    let (digits, exponent) = shortest.split_once('e').expect("an exponent was asked for");
    let digits = digits.replace('.', "");
    let len = digits.len() as i32;
    // Digits before the point.
    let point = exponent.parse::<i32>().expect("an exponent is a number") + 1;
    let zeros = |n: i32| "0".repeat(n.max(0) as usize);
    let text = if len <= point && point <= WHOLE_MAX {
        format!("{digits}{}.0", zeros(point - len))
    } else if 0 < point && point <= WHOLE_MAX {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{whole}.{fraction}")
    } else if (-ZEROS_MAX..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else if len == 1 {
        format!("{digits}e{}", point - 1)
    } else {
        let (first, rest) = digits.split_at(1);
        format!("{first}.{rest}e{}", point - 1)
    };
    if number < 0.0 {
        out.push(b'-');
    }
    out.extend_from_slice(text.as_bytes());
}
