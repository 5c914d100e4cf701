//! Fuzzes the search for frames in a stream, in pieces of any size.

use schemas::frame::{Scan, StreamReader, header, scan};
use schemas::message::{Field, Message};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "frame",
    about: "the search for frames in a stream",
    run,
    seeds,
    words: &[
        b"\x1e",
        b"\x1e\x02\x08",
        b"\x1e\x03\x08\x80\x01\x1f",
        b"\x1f",
        b"\x08",
        b"\xff\xff\xff\xff\x0f",
    ],
    n_smoke: 20_000,
};

/// Longest message; small, so that streams of a few kilobytes reach every limit.
const MESSAGE_MAX: usize = 1024;

/// The first byte says how large the pieces are, the others are the stream.
fn run(bytes: &[u8]) {
    let Some((&piece, stream)) = bytes.split_first() else {
        return;
    };
    walk(stream);
    for decode in [true, false] {
        read(stream, usize::from(piece) + 1, decode);
    }
}

/// `scan` must lead through any bytes without standing still and without leaving them.
fn walk(stream: &[u8]) {
    let mut rest = stream;
    while !rest.is_empty() {
        let step = match scan(rest, MESSAGE_MAX) {
            Scan::Frame { header, message } => {
                assert!(
                    (1..=MESSAGE_MAX).contains(&message),
                    "a frame of a length that is not allowed"
                );
                header + message
            }
            Scan::Skip(garbage) => garbage,
            Scan::Need(need) => {
                assert!(need > 0, "needs nothing, yet does not go on");
                return;
            }
        };
        assert!(
            step > 0 && step <= rest.len(),
            "stands still or leaves the bytes"
        );
        rest = &rest[step..];
    }
}

/// A reader consumes each byte once, whatever the pieces, and gives out valid messages only.
fn read(stream: &[u8], piece: usize, decode: bool) {
    let mut reader = StreamReader::new(MESSAGE_MAX);
    let mut consumed = 0;
    for bytes in stream.chunks(piece) {
        reader
            .push(bytes)
            .expect("a reader that has been searched to its end takes a small piece");
        loop {
            let found = reader.find(decode);
            consumed += found.consumed;
            assert!(
                found.skipped <= found.consumed,
                "skipped more than it consumed"
            );
            if !found.found {
                break;
            }
            let message = reader.message().expect("a message was found");
            assert!(found.consumed > found.skipped, "a message without bytes");
            assert!(
                !decode || schemas::validate(message).is_ok(),
                "found what is no message"
            );
        }
    }
    assert!(consumed <= stream.len(), "consumed more than there was");
}

fn seeds() -> Vec<Vec<u8>> {
    let mut message = Message::new([1; 16], 1);
    let small = framed(&message.to_bytes());
    message.payload = Some(b"\x1e\x02\x08\x05\x1fpayload".to_vec());
    message.fields.push(Field::integer("n", -1));
    let nested = framed(&message.to_bytes());
    let pieces = [
        small.clone(),
        [&small[..], &nested, &small].concat(),
        [
            b"garbage",
            &small[..],
            b"\x1e\x1e\x1e",
            &nested,
            &small[..10],
        ]
        .concat(),
        b"\x1e\x02\x08\x00\x1f\x1e\x02\x08\x05\x1fabcde\x1e\xff\x08".to_vec(),
        vec![0x1e; 300],
    ];
    let sizes = [0, 6, 255];
    pieces
        .iter()
        .flat_map(|stream| sizes.map(|size| [&[size], &stream[..]].concat()))
        .collect()
}

pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let (bytes, len) = header(message.len());
    [&bytes[..len], message].concat()
}
