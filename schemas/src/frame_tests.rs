//! Tests of `frame.rs`: the header, what a scan says, the buffer, and the frames of a block.

use proptest::prelude::*;

use super::*;

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = FrameBuf::new();
    frame.message().extend_from_slice(message);
    frame.finish().to_vec()
}

/// A frame as others may write it: with more in its header than the length.
fn framed_with_extra(message: &[u8], extra: &[u8]) -> Vec<u8> {
    let (varint, n) = varint_bytes(message.len() as u64);
    let header = [&[0x08], &varint[..n], extra].concat();
    let header_len = u8::try_from(header.len()).expect("the test gives few bytes");
    [&[0x1e, header_len], &header[..], &[0x1f], message].concat()
}

#[test]
fn headers_are_laid_out_as_heka_does() {
    let bytes = |len| {
        let (bytes, n) = header(len);
        bytes[..n].to_vec()
    };
    assert_eq!(bytes(1), [0x1e, 2, 0x08, 1, 0x1f]);
    assert_eq!(bytes(300), [0x1e, 3, 0x08, 0xac, 0x02, 0x1f]);
    assert_eq!(bytes(usize::MAX).len(), HEADER_LEN_MAX);
}

#[test]
fn a_scan_asks_for_what_is_missing() {
    let frame = framed(&[b'm'; 200]);
    assert_eq!(scan(b"", 1000), Scan::Need(1));
    assert_eq!(scan(&frame[..1], 1000), Scan::Need(1));
    // From the second byte on, it knows how long the header is; behind it, how long the message is.
    assert_eq!(scan(&frame[..2], 1000), Scan::Need(4));
    assert_eq!(scan(&frame[..5], 1000), Scan::Need(1));
    assert_eq!(scan(&frame[..6], 1000), Scan::Need(200));
    assert_eq!(scan(&frame[..205], 1000), Scan::Need(1));
    assert_eq!(
        scan(&frame, 1000),
        Scan::Frame {
            header: 6,
            message: 200
        }
    );
    let more = [&frame[..], b"more"].concat();
    assert_eq!(
        scan(&more, 1000),
        Scan::Frame {
            header: 6,
            message: 200
        }
    );
}

#[test]
fn a_message_must_have_a_size_and_not_too_great_a_one() {
    let frame = framed(&[b'm'; 200]);
    assert_eq!(
        scan(&frame, 200),
        Scan::Frame {
            header: 6,
            message: 200
        }
    );
    assert_eq!(scan(&frame, 199), Scan::Skip(frame.len()));
    assert_eq!(scan(&framed(b""), 199), Scan::Skip(5));
    // Longer than any memory.
    let huge = [&[0x1e, 11, 0x08][..], &[0xff; 9], &[0x01, 0x1f]].concat();
    assert_eq!(scan(&huge, usize::MAX), Scan::Need(usize::MAX));
    assert_eq!(scan(&huge, usize::MAX - 1), Scan::Skip(huge.len()));
}

#[test]
fn what_is_no_header_is_skipped_up_to_the_next_that_may_be_one() {
    assert_eq!(scan(b"abc", 10), Scan::Skip(3));
    assert_eq!(scan(b"abc\x1e", 10), Scan::Skip(3));
    assert_eq!(scan(b"\x1e\x00\x1f", 10), Scan::Skip(3));
    // Seen at the third byte, without waiting for 255 more.
    assert_eq!(scan(b"\x1e\xffx", 10), Scan::Skip(3));
    assert_eq!(scan(b"\x1e\x1e\x1e", 10), Scan::Skip(1));
    assert_eq!(scan(b"\x1e\x02\x08\x01x\x1e", 10), Scan::Skip(5));
    // A header whose length does not end, and one that has none.
    assert_eq!(scan(b"\x1e\x02\x08\x81\x1fm", 10), Scan::Skip(6));
    assert_eq!(scan(b"\x1e\x01\x08\x1fm", 10), Scan::Skip(5));
}

#[test]
fn more_in_the_header_than_the_length_is_ignored() {
    let frame = framed_with_extra(b"message", &[0x1e; 100]);
    assert_eq!(
        scan(&frame, 10),
        Scan::Frame {
            header: 105,
            message: 7
        }
    );
    let longest = framed_with_extra(b"message", &[0; 253]);
    let header = HEADER_LEN_READ_MAX;
    assert_eq!(scan(&longest, 10), Scan::Frame { header, message: 7 });
}

#[test]
fn a_buffer_frames_one_message_after_another() {
    let mut frame = FrameBuf::default();
    for len in [1, 127, 128, 20_000, 3, 0] {
        let message = vec![b'm'; len];
        frame.clear();
        frame.message().extend_from_slice(&message);
        assert_eq!(
            (frame.message_bytes(), frame.message_len()),
            (&message[..], len)
        );
        let (expected, n) = header(len);
        assert_eq!(frame.finish(), [&expected[..n], &message[..]].concat());
        assert_eq!(frame.message_bytes(), message);
    }
}

#[test]
fn a_message_can_grow_after_it_was_framed() {
    let mut frame = FrameBuf::new();
    frame.message().extend_from_slice(b"one");
    assert_eq!(frame.finish(), b"\x1e\x02\x08\x03\x1fone");
    frame.message().extend_from_slice(&[b'x'; 200]);
    assert_eq!(&frame.finish()[..10], b"\x1e\x03\x08\xcb\x01\x1fonex");
}

#[test]
fn a_buffer_whose_room_was_taken_away_is_an_empty_message() {
    let mut frame = FrameBuf::new();
    frame.message().clear();
    assert_eq!(frame.message_bytes(), b"");
    assert_eq!(frame.finish(), b"\x1e\x02\x08\x00\x1f");
    frame.shrink_to(0);
    frame.clear();
    frame.message().push(b'm');
    assert_eq!(frame.finish(), b"\x1e\x02\x08\x01\x1fm");
}

#[test]
fn records_of_a_block_with_garbage_are_those_that_are_whole() {
    let (one, two) = (framed(b"one"), framed(b"two"));
    // Its message would reach beyond the block.
    let torn = &framed(&[b'm'; 100])[..12];
    let block = [b"garbage", &one[..], torn, &two[..], b"\x1e", torn].concat();
    let records: Vec<_> = records(&block).collect();
    assert_eq!(records.len(), 2);
    assert_eq!((records[0].offset, records[0].message), (7, &b"one"[..]));
    assert_eq!(
        (records[1].framed, records[1].message),
        (&two[..], &b"two"[..])
    );
    assert_eq!(records[1].offset, 7 + one.len() + torn.len());
}

#[test]
fn a_torn_frame_within_a_block_takes_bytes_of_the_next() {
    // Nothing but decoding could tell, and records are not decoded here.
    let block = [&framed(b"a torn message")[..12], &framed(b"two")].concat();
    let records: Vec<_> = records(&block)
        .map(|record| record.message.to_vec())
        .collect();
    assert_eq!(records, [b"a torn \x1e\x02\x08\x03\x1ftw"]);
}

#[test]
fn garbage_that_looks_like_headers_costs_one_look_each() {
    // A scan of each position would be linear, too, if none of them looked further than its header.
    let block = b"\x1e\xff\x08".repeat(40_000);
    assert_eq!(records(&block).count(), 0);
    assert_eq!(records(&vec![0x1e; 128 << 10]).count(), 0);
}

proptest! {
    #[test]
    fn records_of_a_block_are_its_messages(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20),
    ) {
        let block: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
        let mut offset = 0;
        let mut expected = messages.iter();
        for record in records(&block) {
            prop_assert_eq!(record.offset, offset);
            prop_assert_eq!(Some(&record.message.to_vec()), expected.next());
            prop_assert_eq!(record.framed, &framed(record.message)[..]);
            offset += record.framed.len();
        }
        prop_assert_eq!(offset, block.len());
        prop_assert!(expected.next().is_none());
    }

    #[test]
    fn a_scan_of_anything_answers_something_possible(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1e), Just(0x08), Just(0x1f)], 0..400),
        max_message_size in 0usize..300,
    ) {
        match scan(&bytes, max_message_size) {
            Scan::Frame { header, message } => {
                prop_assert!(header + message <= bytes.len());
                prop_assert!(message > 0 && message <= max_message_size);
            }
            Scan::Need(more) => prop_assert!(more > 0),
            Scan::Skip(garbage) => {
                prop_assert!(garbage > 0 && garbage <= bytes.len());
                prop_assert!(bytes.get(garbage).is_none_or(|&byte| byte == 0x1e));
            }
        }
    }

    #[test]
    fn a_frame_cut_anywhere_needs_more_and_never_too_much(
        message in prop::collection::vec(any::<u8>(), 1..300),
        extra in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let frame = framed_with_extra(&message, &extra);
        for len in 0..frame.len() {
            match scan(&frame[..len], 300) {
                Scan::Need(more) => prop_assert!(more > 0 && len + more <= frame.len()),
                other => prop_assert!(false, "cut at {}: {:?}", len, other),
            }
        }
    }
}
