//! Reads and makes files of framed Heka messages.

use std::path::Path;
use std::time::Duration;

use schemas::frame::{Scan, header, scan};
use schemas::message::{FieldValue, Message};

/// Larger than any message of these tests.
const MESSAGE_MAX: usize = 16 * 1024 * 1024;

/// While an engine writes, the last frame may be seen before all of it is there; then the file is looked at again, ...
const LOOKS_MAX: usize = 100;

/// ... so much later.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A message with its frame around it.
pub fn frame(message: &Message) -> Vec<u8> {
    let bytes = message.to_bytes();
    let (head, length) = header(bytes.len());
    [&head[..length], &bytes].concat()
}

/// All messages of a file of frames; none if it does not exist.
///
/// # Panics
/// When anything but whole, valid frames stands in the file.
pub fn messages(path: &Path) -> Vec<Message> {
    for _ in 0..LOOKS_MAX {
        if let (found, 0) = split(&std::fs::read(path).unwrap_or_default()) {
            return found;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    panic!("{} ends with bytes that are no whole frame", path.display());
}

/// The whole messages of `bytes`, and how many bytes belong to none.
pub fn split(bytes: &[u8]) -> (Vec<Message>, usize) {
    let (found, garbage, torn) = walk(bytes);
    (found, garbage + torn)
}

/// The whole messages of `bytes`, and how many bytes belong to none, but for a begun frame at the end.
pub fn split_before_torn(bytes: &[u8]) -> (Vec<Message>, usize) {
    let (found, garbage, _) = walk(bytes);
    (found, garbage)
}

fn walk(bytes: &[u8]) -> (Vec<Message>, usize, usize) {
    let (mut at, mut garbage, mut found) = (0, 0, Vec::new());
    while at < bytes.len() {
        match scan(&bytes[at..], MESSAGE_MAX) {
            Scan::Frame { header, message } => {
                let bytes = &bytes[at + header..at + header + message];
                found.push(Message::decode(bytes).expect("a frame holds a valid message"));
                at += header + message;
            }
            Scan::Skip(count) => {
                garbage += count;
                at += count;
            }
            Scan::Need(_) => return (found, garbage, bytes.len() - at),
        }
    }
    (found, garbage, 0)
}

/// The payloads of a file of frames, as texts.
pub fn payloads(path: &Path) -> Vec<String> {
    let text = |message: Message| {
        String::from_utf8_lossy(&message.payload.unwrap_or_default()).into_owned()
    };
    messages(path).into_iter().map(text).collect()
}

/// The first value of a text or bytes field.
pub fn field_text(message: &Message, name: &str) -> Option<String> {
    match &message.field(name.as_bytes())?.value {
        FieldValue::String(values) | FieldValue::Bytes(values) => values
            .first()
            .map(|value| String::from_utf8_lossy(value).into_owned()),
        _ => None,
    }
}

/// The dead letters of a file of frames: the reason, and the message that was given up.
///
/// # Panics
/// When one lacks either.
pub fn dead_letters(path: &Path) -> Vec<(String, Vec<u8>)> {
    let parts = |letter: Message| {
        let reason = field_text(&letter, "reason").expect("a reason");
        let original = letter.field(b"message").map(|field| &field.value);
        match original {
            Some(FieldValue::Bytes(values)) => (reason, values[0].clone()),
            other => panic!("no message: {other:?}"),
        }
    };
    messages(path).into_iter().map(parts).collect()
}

/// The first value of a number field.
pub fn field_number(message: &Message, name: &str) -> Option<f64> {
    match &message.field(name.as_bytes())?.value {
        FieldValue::Integer(values) => values.first().map(|value| *value as f64),
        FieldValue::Double(values) => values.first().copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_framed_is_read_back() {
        let message = Message::new([7; 16], 5);
        let mut bytes = frame(&message);
        bytes.extend(frame(&message));
        assert_eq!(split(&bytes), (vec![message.clone(), message.clone()], 0));
        let torn = &bytes[..bytes.len() - 3];
        assert_eq!(split(torn).0.len(), 1);
        assert!(split(torn).1 > 0);
        assert_eq!(split_before_torn(torn).1, 0);
    }
}
