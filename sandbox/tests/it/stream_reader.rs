//! `create_stream_reader`: messages out of a stream of bytes.

use sandbox::Kind::Input;
use sandbox::{Answer, Checkpoint};

use crate::common::*;

/// Runs a plugin whose `process_message(bytes)` gets two framed messages with garbage between them.
#[track_caller]
fn with_stream(body: &str) -> Notes {
    let frame = framed(&sample());
    let stream = [&frame[..], b"garbage", &frame].concat();
    let source = format!(
        "require 'string' local r = create_stream_reader('test') function process_message(bytes) {body}\nreturn 0 end"
    );
    let (mut sandbox, notes) = make(spec(Input, &source));
    let answer = sandbox.process_input(&Checkpoint::Text(stream));
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
    notes
}

#[test]
fn messages_are_found_and_injected() {
    let notes = with_stream(
        "local found, used, need = r:find_message(bytes) assert(found)
        assert(r:read_message('Type') == 'test.type' and r:read_message('Fields[text]', 1) == 'two')
        assert(r:read_message('Fields[list]', 0, 1) == 2 and r:read_message('size') > 20)
        inject_message(r, 'cp')
        local found, more = r:find_message(nil) assert(found and more == used + 7) inject_message(r)
        local found, more, need = r:find_message(nil) assert(not found and more == 0 and need > 0)",
    );
    let seen = notes.lock().expect("held");
    assert_eq!(seen.injected.len(), 2);
    assert!(
        seen.injected
            .iter()
            .all(|(message, _)| *message == sample())
    );
}

#[test]
fn a_message_may_come_in_pieces() {
    with_stream(
        "local n, found = 0
        for i = 1, #bytes do
            if r:find_message(bytes:sub(i, i)) then n = n + 1 end
        end
        assert(n == 2)",
    );
}

#[test]
fn frames_can_be_found_without_decoding() {
    with_stream(
        "local found = r:find_message('\\30\\2\\8\\3\\31abc', false) assert(found)
        assert(not r:find_message('\\30\\2\\8\\3\\31abc', true))",
    );
}

#[test]
fn a_single_message_can_be_decoded() {
    with_stream(
        "assert(r:find_message(bytes))
        local one = r:read_message('raw') r:decode_message(one)
        assert(r:read_message('Type') == 'test.type')
        local function fails(text, ...) local ok, e = pcall(...) assert(not ok and e:find(text, 1, true), e) end
        fails('empty protobuf string', r.decode_message, r, '')
        fails('buffer must be string', r.decode_message, r, 5)
        fails('invalid protobuf string', r.decode_message, r, 'nonsense')
        assert(r:read_message('Type') == nil)",
    );
}

#[test]
fn wrong_arguments_are_refused() {
    with_stream(
        "local function fails(text, ...) local ok, e = pcall(...) assert(not ok and e:find(text, 1, true), e) end
        fails('buffer must be a nil, string, userdata (FILE*)', r.find_message, r, {})
        fails('boolean expected', r.find_message, r, 'x', 1)
        fails('buffer reallocation failed\\tname:test', r.find_message, r, string.rep('x', 1e6))
        fails('read_message() incorrect number of arguments', r.read_message, r)
        fails('field index must be >= 0', r.read_message, r, 'Type', -1)
        fails('not supported/recognized', r.read_message, r, 'x')
        fails('lsb.heka_stream_reader expected, got table', r.find_message, {})
        fails('name is too long', create_stream_reader, string.rep('x', 255))",
    );
}

#[test]
fn a_file_can_be_read_through() {
    let frame = framed(&sample());
    let data = file("").with_extension("bin");
    std::fs::write(&data, [&frame[..], b"xx", &frame, &frame].concat()).expect("writable");
    let source = format!(
        "require 'io' local fh = assert(io.open('{}', 'rb')) local r = create_stream_reader('file')
        function process_message()
            local n, found, used, read = 0
            repeat
                repeat found, used, read = r:find_message(fh) if found then n = n + 1 inject_message(r) end until not found
            until read == 0
            fh:close()
            local ok, e = pcall(r.find_message, r, fh) assert(not ok, 'closed')
            return 0, n .. ' ' .. e
        end",
        data.display()
    );
    let (mut sandbox, notes) = make(spec(Input, &source));
    let Answer::Status { message, .. } = sandbox.process_input(&Checkpoint::None) else {
        panic!()
    };
    let message = String::from_utf8(message.expect("it says how many")).expect("text");
    assert!(
        message.starts_with("3 ") && message.contains("attempt to use a closed file"),
        "{message}"
    );
    assert_eq!(notes.lock().expect("held").injected.len(), 3);
}
