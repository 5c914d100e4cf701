//! Tests of `stream.rs`: every message is found, whatever stands between and however the bytes arrive.

use proptest::prelude::*;

use super::*;
use crate::frame::{FrameBuf, header};
use crate::message::{Field, Message};

const MESSAGE_SIZE_MAX: usize = 2000;

/// A valid message with a payload of so many bytes.
fn message(number: i64, payload: Vec<u8>) -> Vec<u8> {
    let mut message = Message::new([7; 16], number);
    message.payload = Some(payload);
    message.fields = vec![Field::integer("number", number)];
    message.to_bytes()
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = FrameBuf::new();
    frame.message().extend_from_slice(message);
    frame.finish().to_vec()
}

/// Feeds pieces of the stream, as long as the reader asks for them, and collects what it finds.
fn find_all(
    reader: &mut StreamReader,
    stream: &[u8],
    mut piece_len: impl FnMut() -> usize,
) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let result = reader.find(true);
        if result.found {
            found.push(reader.message().expect("one was found").to_vec());
            continue;
        }
        assert!(result.need > 0);
        assert_eq!(reader.message(), None);
        if at == stream.len() {
            return found;
        }
        let len = piece_len().min(result.need).min(stream.len() - at);
        reader
            .push(&stream[at..at + len])
            .expect("no more than it asked for");
        at += len;
    }
}

/// Garbage between frames: arbitrary bytes, with many that occur in frame headers.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(0x1e), Just(0x1f), Just(0x08), Just(0x02)];
    prop::collection::vec(byte, 0..30).prop_map(without_open_headers)
}

/// Makes harmless what looks like a header. Its frame could reach over the real one and, as unknown parts are allowed,
/// even be a valid message: nobody could tell them apart.
fn without_open_headers(mut garbage: Vec<u8>) -> Vec<u8> {
    for at in 0..garbage.len() {
        if let [0x1e, _, 0x08, ..] = garbage[at..] {
            garbage[at] = 0;
        }
    }
    garbage
}

proptest! {
    #[test]
    fn every_message_is_found_in_garbage_and_in_pieces(
        parts in prop::collection::vec((garbage(), prop::collection::vec(any::<u8>(), 0..600)), 1..12),
        piece_lens in prop::collection::vec(1usize..900, 1..8),
    ) {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (number, (garbage, payload)) in parts.into_iter().enumerate() {
            let message = message(number as i64, payload);
            stream.extend_from_slice(&garbage);
            stream.extend_from_slice(&framed(&message));
            expected.push(message);
        }
        // So that a false header at the end of the garbage gets the bytes it waits for.
        stream.extend_from_slice(&[0; MESSAGE_SIZE_MAX + HEADER_LEN_READ_MAX]);
        let mut piece_lens = piece_lens.iter().cycle();
        let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
        let found = find_all(&mut reader, &stream, || *piece_lens.next().expect("it is endless"));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn arbitrary_bytes_are_used_up_and_nothing_is_found_twice(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1e), Just(0x1f), Just(0x08)], 0..2000),
        decode in any::<bool>(),
    ) {
        let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
        reader.push(&bytes).expect("it fits");
        let mut consumed = 0;
        loop {
            let result = reader.find(decode);
            consumed += result.consumed;
            prop_assert!(result.skipped <= result.consumed && consumed <= bytes.len());
            if !result.found {
                break;
            }
            let message = reader.message().expect("one was found");
            let (_, header_len) = header(message.len());
            prop_assert!(result.consumed - result.skipped >= header_len + message.len());
        }
    }
}

#[test]
fn a_message_can_be_read_until_the_next_search() {
    let first = message(1, b"first".to_vec());
    let stream = [framed(&first), framed(&message(2, b"second".to_vec()))].concat();
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    reader.push(&stream).expect("it fits");
    let consumed = framed(&first).len();
    assert_eq!(
        reader.find(true),
        Found {
            found: true,
            consumed,
            skipped: 0,
            need: 0
        }
    );
    assert_eq!(reader.message(), Some(&first[..]));
    let view = reader.view().expect("it was decoded");
    assert_eq!((view.timestamp(), view.payload()), (1, Some(&b"first"[..])));

    assert!(reader.find(true).found);
    assert_eq!(
        reader.view().expect("it was decoded").payload(),
        Some(&b"second"[..])
    );
    reader.push(b"x").expect("it fits");
    assert_eq!((reader.message(), reader.view().is_some()), (None, false));
    assert!(!reader.find(true).found);
}

#[test]
fn without_decoding_whatever_stands_in_a_frame_will_do() {
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    reader.push(&framed(b"no message")).expect("it fits");
    assert!(!reader.clone().find(true).found);
    assert!(reader.find(false).found);
    assert_eq!(reader.message(), Some(&b"no message"[..]));
    assert!(reader.view().is_none());
}

#[test]
fn it_says_how_much_it_skipped_and_needs() {
    let frame = framed(&message(1, vec![b'x'; 500]));
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    let free = MESSAGE_SIZE_MAX + HEADER_LEN_READ_MAX;
    assert_eq!(
        reader.find(true),
        Found {
            found: false,
            consumed: 0,
            skipped: 0,
            need: free
        }
    );

    reader.push(b"garbage").expect("it fits");
    assert_eq!(
        reader.find(true),
        Found {
            found: false,
            consumed: 7,
            skipped: 7,
            need: free
        }
    );

    // Of the header only one byte: as much as there is room for. The whole header: the rest of the message.
    reader
        .push(&[b"abc", &frame[..1]].concat())
        .expect("it fits");
    assert_eq!(
        reader.find(true),
        Found {
            found: false,
            consumed: 3,
            skipped: 3,
            need: free - 1
        }
    );
    reader.push(&frame[1..100]).expect("it fits");
    let need = frame.len() - 100;
    assert_eq!(
        reader.find(true),
        Found {
            found: false,
            consumed: 0,
            skipped: 0,
            need
        }
    );

    reader.push(&frame[100..]).expect("it fits");
    let consumed = frame.len();
    assert_eq!(
        reader.find(true),
        Found {
            found: true,
            consumed,
            skipped: 0,
            need: free
        }
    );
}

#[test]
fn a_message_behind_a_torn_one_is_found() {
    let (torn, whole) = (framed(&message(1, vec![b'x'; 500])), message(2, Vec::new()));
    let stream = [
        &torn[..300],
        &framed(&whole),
        &framed(&message(3, vec![b'y'; 900])),
    ]
    .concat();
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    reader.push(&stream).expect("it fits");
    assert_eq!(reader.find(true).skipped, 300);
    assert_eq!(reader.message(), Some(&whole[..]));
    assert!(reader.find(true).found);
}

#[test]
fn the_buffer_is_bounded() {
    let limit = MESSAGE_SIZE_MAX + HEADER_LEN_READ_MAX;
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    assert_eq!(
        reader.push(&vec![0; limit + 1]),
        Err(Full {
            len: limit + 1,
            limit
        })
    );
    let error = reader
        .space(usize::MAX)
        .expect_err("nobody has so much memory")
        .to_string();
    assert_eq!(
        error,
        format!("stream buffer is full: {} bytes, limit {limit}", usize::MAX)
    );

    // The greatest message in the longest frame fits exactly.
    let payload_len = MESSAGE_SIZE_MAX - message(1, vec![0; 1000]).len() + 1000;
    let greatest = message(1, vec![b'x'; payload_len]);
    assert_eq!(greatest.len(), MESSAGE_SIZE_MAX);
    let (varint, n) = crate::wire::varint_bytes(greatest.len() as u64);
    let header = [
        &[0x1e, 255, 0x08][..],
        &varint[..n],
        &vec![0; 254 - n],
        &[0x1f],
    ]
    .concat();
    let frame = [&header[..], &greatest].concat();
    assert_eq!(frame.len(), limit);
    for round in 0..3 {
        reader.push(&frame).expect("it fits exactly");
        assert!(reader.find(true).found, "round {round}");
    }
    assert_eq!(reader.buf.len(), limit);
}

#[test]
fn a_buffer_grows_with_what_it_is_given() {
    let mut reader = StreamReader::new(1 << 20);
    assert_eq!(reader.buf.len(), SIZE_FIRST);
    reader.push(&vec![0x1e; SIZE_FIRST + 1]).expect("it fits");
    assert_eq!(reader.buf.len(), 2 * SIZE_FIRST);
}

#[test]
fn space_can_be_filled_directly() {
    let frame = framed(&message(1, b"direct".to_vec()));
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    let need = reader.find(true).need;
    let space = reader.space(need).expect("it asked for it");
    assert!(space.len() >= need);
    space[..frame.len()].copy_from_slice(&frame);
    reader.commit(frame.len());
    assert!(reader.find(true).found);
}

#[test]
fn a_message_can_be_set_without_a_stream() {
    let bytes = message(1, b"set".to_vec());
    let mut reader = StreamReader::new(MESSAGE_SIZE_MAX);
    reader.push(b"forgotten").expect("it fits");
    assert_eq!(reader.set_message(&bytes), Ok(true));
    assert_eq!(reader.message(), Some(&bytes[..]));
    assert_eq!(
        reader.view().expect("it is valid").payload(),
        Some(&b"set"[..])
    );
    assert_eq!(reader.find(true).consumed, 0);

    assert_eq!(reader.set_message(b"no message"), Ok(false));
    assert_eq!(reader.message(), None);
    assert!(reader.set_message(&vec![0; 3000]).is_err());
}

#[test]
fn separators_alone_are_skipped_to_the_last() {
    let garbage = vec![0x1e; 128 << 10];
    let mut reader = StreamReader::new(1 << 20);
    reader.push(&garbage).expect("it fits");
    // The last two may begin a header.
    assert_eq!(reader.find(true).skipped, garbage.len() - 2);
    let whole = framed(&message(1, Vec::new()));
    reader.push(&whole).expect("it fits");
    assert!(reader.find(true).found);
}

#[test]
fn false_frames_inside_each_other_do_not_cost_the_square_of_their_length() {
    // Each frame reaches to the end of the stream, and looks like a message up to there: one long unknown text.
    let mut stream = Vec::new();
    for _ in 0..20_000 {
        let rest = (20_000 * 14 - stream.len() - 14) as u64 + 6;
        let (message_len, n) = crate::wire::varint_bytes(rest);
        assert!(n <= 3);
        stream.extend_from_slice(&[0x1e, 4, 0x08, message_len[0] | 0x80, message_len[1] | 0x80]);
        stream.extend_from_slice(&[message_len[2], 0x1f]);
        stream.extend_from_slice(&[0x5a, 0x80, 0x80, 0x00, 0x5a, 0x80, 0x00]);
    }
    let stream_len = stream.len();
    let whole = message(1, Vec::new());
    stream.extend_from_slice(&framed(&whole));
    let mut reader = StreamReader::new(1 << 20);
    reader.push(&stream).expect("it fits");
    let credit = reader.credit;
    assert!(reader.find(true).found);
    assert_eq!(reader.message(), Some(&whole[..]));
    // The credit goes down by each byte decoded in vain, and by one message at most below nothing.
    assert!(credit - reader.credit <= credit_max(1 << 20) + stream_len as i64);
}
