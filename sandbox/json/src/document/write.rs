//! Writes values as RapidJSON's writer does: no space, exact numbers, no more escapes than JSON asks for.

use super::{Document, Node};
use crate::scan::plain_end_before;

/// A container that is being written: where its items or members begin, which is next, and how many there are.
struct Frame {
    begin: u32,
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
        let key = match frame.is_object {
            true => document.key_place(frame.begin, frame.next),
            false => Some(frame.begin + frame.next),
        };
        let Some(place) = key else {
            frame.next = frame.end;
            continue;
        };
        frame.next += 1;
        let value_place = if frame.is_object { place + 1 } else { place };
        if document.is_hole(value_place) {
            continue;
        }
        if !std::mem::take(&mut frame.first) {
            out.push(b',');
        }
        if frame.is_object {
            if let Node::String(at, len) = document.node(place) {
                string(&document.text, at, len, out);
            }
            out.push(b':');
        }
        value(document, value_place, &mut frames, out);
    }
}

fn value(document: &Document, place: u32, frames: &mut Vec<Frame>, out: &mut Vec<u8>) {
    let mut open = |first: u32, len: u32, is_object| {
        out.push(if is_object { b'{' } else { b'[' });
        frames.push(Frame {
            begin: first,
            next: 0,
            end: len,
            is_object,
            first: true,
        });
    };
    match document.node(place) {
        Node::Array(first, len) => open(first, len, false),
        Node::Object(first, len) => open(first, len, true),
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
        Node::String(at, len) => string(&document.text, at, len, out),
    }
}

/// Writes `len` bytes of `text` from `at` on.
fn string(text: &[u8], at: u32, len: u32, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut at = at as usize;
    let last = at + len as usize;
    out.reserve(len as usize + 2);
    out.push(b'"');
    loop {
        let end = plain_end_before(text, last, at);
        out.extend_from_slice(&text[at..end]);
        if end == last {
            break;
        }
        let byte = text[end];
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

#[cfg(test)]
mod tests {
    use super::super::{Document, Options, Unlimited};

    fn text(document: &Document) -> String {
        let mut out = Vec::new();
        document.write(document.root(), usize::MAX, &mut out);
        String::from_utf8(out).expect("it was read from a text")
    }

    /// As RapidJSON's `RemoveMember` leaves it.
    #[test]
    fn the_last_member_takes_the_place_of_one_that_was_removed() {
        let json = br#"{"a":1,"b":{"x":1,"y":2,"z":3},"c":[1,2,3],"d":4}"#;
        let read = Document::parse(json.to_vec(), Options::default(), &mut Unlimited);
        let mut document = read.expect("it is JSON");
        let root = document.root();
        let inner = document.member(root, b"b").expect("it is there");
        let x = document.member(inner, b"x").expect("it is there");
        document.take(inner, x);
        let items = document.member(root, b"c").expect("it is there");
        let item = document.item(items, 0).expect("it is there");
        document.take(items, item);
        let a = document.member(root, b"a").expect("it is there");
        document.take(root, a);
        let expected = r#"{"d":4,"b":{"z":3,"y":2},"c":[2,3]}"#;
        assert_eq!(text(&document), expected);
        assert_eq!(text(&document.copy(root)), expected);

        let taken = document.take(root, inner);
        assert_eq!(text(&document.copy(taken)), r#"{"z":3,"y":2}"#);
        let d = document.member(root, b"d").expect("it is there");
        document.take(root, d);
        assert_eq!(text(&document), r#"{"c":[2,3]}"#);
    }
}
