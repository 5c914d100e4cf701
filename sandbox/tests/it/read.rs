//! `read_message`, the answers of `process_message`, and timers.

use sandbox::Answer;
use sandbox::Kind::{Analysis, Input, Output};

use crate::common::*;

#[test]
fn every_part_of_a_message_can_be_read() {
    for kind in [Analysis, Output] {
        run_ok(
            kind,
            "local r = read_message
            assert(r('Uuid') == '0123456789abcdef' and r('Timestamp') == 1e9 and r('Type') == 'test.type')
            assert(r('Logger') == 'input.logger' and r('Severity') == 4 and r('Payload') == 'the payload')
            assert(r('EnvVersion') == '1.2' and r('Pid') == 99 and r('Hostname') == 'sender')
            assert(#r('raw') == r('size') and #r('framed') > #r('raw'))
            assert(r('Fields[text]') == 'one' and r('Fields[text]', 1) == 'two' and r('Fields[text]', 2) == nil)
            assert(r('Fields[number]') == 42 and r('Fields[double]') == 1.5 and r('Fields[flag]') == true)
            assert(r('Fields[raw bytes]') == '\\0\\255')
            assert(r('Fields[list]', 0, 2) == 3 and r('Fields[list]', nil, 1) == 2 and r('Fields[list]', 0, 3) == nil)
            assert(r('Fields[none]') == nil and r('Fields[]') == nil)
            assert(r('Fields[text]', 1, 0, false) == 'two')",
        );
    }
}

#[test]
fn the_cache_of_names_never_mixes_them_up() {
    run_ok(
        Analysis,
        "for round = 1, 50 do
            for i = 1, 200 do assert(read_message('Fields[n' .. i .. ']') == nil) end
            assert(read_message('Fields[number]') == 42 and read_message('Type') == 'test.type')
            assert(read_message('Fields[' .. 'text' .. ']', 1) == 'two')
        end",
    );
}

#[test]
fn wrong_reads_are_refused() {
    let cases = [
        (
            "read_message()",
            "heka_read_message() incorrect number of arguments",
        ),
        (
            "read_message(1, 2, 3, 4, 5)",
            "heka_read_message() incorrect number of arguments",
        ),
        (
            "read_message('type')",
            "heka_read_message() field: 'type' not supported/recognized",
        ),
        (
            "read_message('Fields')",
            "heka_read_message() field: 'Fields' not supported/recognized",
        ),
        (
            "read_message('Fields[x')",
            "heka_read_message() field: 'Fields[x' not supported/recognized",
        ),
        (
            "read_message('Type', -1)",
            "bad argument #2 to 'read_message' (field index must be >= 0)",
        ),
        (
            "read_message('Type', 0, -1)",
            "bad argument #3 to 'read_message' (array index must be >= 0)",
        ),
        (
            "read_message('Type', 'x')",
            "bad argument #2 to 'read_message' (number expected, got string)",
        ),
        (
            "read_message('Type', 0, 0, 1)",
            "bad argument #4 to 'read_message' (boolean expected, got number)",
        ),
        (
            "read_message({})",
            "bad argument #1 to 'read_message' (string expected, got table)",
        ),
        (
            "read_message('Pid', 0, 0, true)",
            "heka_read_message() field: 'Pid' not supported/recognized",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(run_error(Analysis, body), expected, "{body}");
    }
    run_ok(
        Analysis,
        "assert(read_message('Fields[x]', 1e300, 1e300) == nil and read_message('Type', 0/0) == 'test.type')",
    );
}

#[test]
fn outside_of_process_message_there_is_no_message() {
    let (mut sandbox, _) = make(spec(
        Analysis,
        "assert(read_message('Type') == nil and read_message('raw') == nil)
        function process_message() return 0 end
        function timer_event() assert(read_message('Type') == nil) end",
    ));
    let message = sample();
    sandbox.process_message(&message, &message, None);
    sandbox.timer_event(0, false).expect("its asserts hold");
}

#[test]
fn zero_copy_values_follow_the_message() {
    let (mut sandbox, _) = make(spec(
        Output,
        "require 'string' require 'io'
        local payload = read_message('Payload', nil, nil, true)
        local framed = read_message('framed', nil, nil, true)
        local raw = read_message('raw', nil, nil, true)
        local second = read_message('Fields[text]', 1, 0, true)
        local none = read_message('Fields[none]', 0, 0, true)
        local number = read_message('Fields[number]', 0, 0, true)
        assert(not pcall(tostring, payload))
        function process_message()
            assert(tostring(payload) == 'the payload' and tostring(second) == 'two')
            assert(tostring(framed) == read_message('framed') and tostring(raw) == read_message('raw'))
            assert(decode_message(raw).Type == 'test.type')
            assert(not pcall(tostring, none))
            local ok, e = pcall(tostring, number) assert(e:find('contains an unsupported type'), e)
            local ok, e = pcall(decode_message, number) assert(e == 'invalid zero copy return', e)
            local file = io.tmpfile() assert(file:write(payload, 1, 'x')) file:seek('set')
            assert(file:read('*a') == 'the payload1x')
            return 0
        end",
    ));
    let message = sample();
    let answer = sandbox.process_message(&message, &framed(&message), None);
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
}

#[test]
fn the_answers_of_process_message() {
    let cases: [(&str, Answer); 9] = [
        (
            "return 0",
            Answer::Status {
                code: 0,
                message: None,
            },
        ),
        (
            "return -1, 'why'",
            Answer::Status {
                code: -1,
                message: Some(b"why".to_vec()),
            },
        ),
        (
            "return -2, nil",
            Answer::Status {
                code: -2,
                message: None,
            },
        ),
        (
            "return -5, ''",
            Answer::Status {
                code: -5,
                message: Some(Vec::new()),
            },
        ),
        (
            "return 1, 'x'",
            Answer::Terminated("process_message() received a termination status code".into()),
        ),
        (
            "return",
            Answer::Terminated("process_message() must return a numeric status code".into()),
        ),
        (
            "return '0'",
            Answer::Terminated("process_message() must return a numeric status code".into()),
        ),
        (
            "return 0, {}",
            Answer::Terminated(
                "process_message() must return a nil or string error message".into(),
            ),
        ),
        (
            "error('x', 0)",
            Answer::Terminated("process_message() x".into()),
        ),
    ];
    for kind in [Input, Analysis, Output] {
        for (body, expected) in &cases {
            assert_eq!(run(kind, body).0, *expected, "{body}");
        }
    }
    let (mut sandbox, _) = make(spec(Analysis, ""));
    let answer = sandbox.process_message(&sample(), &sample(), None);
    assert_eq!(
        answer,
        Answer::Terminated("process_message() function was not found".into())
    );
    assert_eq!(
        sandbox.timer_event(1, true),
        Err("timer_event() function was not found".into())
    );
    assert!(!sandbox.has_timer_event());
}

#[test]
fn functions_are_looked_up_at_each_call() {
    let (mut sandbox, _) = make(spec(
        Analysis,
        "function process_message() process_message = function() return -1 end return 0 end
        function timer_event(ns, shutdown) assert(ns == 5e9 and shutdown == true) error('late', 0) end",
    ));
    let message = sample();
    for code in [0, -1, -1] {
        let answer = sandbox.process_message(&message, &message, None);
        assert_eq!(
            answer,
            Answer::Status {
                code,
                message: None
            }
        );
    }
    assert_eq!(sandbox.stats().failures, 2);
    assert_eq!(sandbox.stats().process_messages, 3);
    assert_eq!(
        sandbox.timer_event(5_000_000_000, true),
        Err("timer_event() late".into())
    );
}

#[test]
fn broken_bytes_read_as_an_empty_message() {
    let (mut sandbox, _) = make(spec(
        Analysis,
        "function process_message() assert(read_message('Type') == nil and read_message('size') == 0) return 0 end",
    ));
    let answer = sandbox.process_message(b"\x0a\xff\xff", b"", None);
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
}

#[test]
fn an_input_gets_its_checkpoint() {
    let (mut sandbox, _) = make(spec(
        Input,
        "function process_message(cp) return 0, type(cp) .. tostring(cp) end",
    ));
    use sandbox::Checkpoint::{None as Nothing, Number, Text};
    for (checkpoint, text) in [
        (Nothing, "nilnil"),
        (Number(7.5), "number7.5"),
        (Text(b"a'b\n".to_vec()), "stringa'b\n"),
    ] {
        let Answer::Status { message, .. } = sandbox.process_input(&checkpoint) else {
            panic!()
        };
        assert_eq!(message.as_deref(), Some(text.as_bytes()));
    }
}

#[test]
fn state_is_preserved_and_restored() {
    let source = "require 'string' data = {n = 1, list = {1, 2, {x = true}}, text = 'a\\0b'} count = 0
        function process_message() count = count + 1 data.n = data.n * 3 return 0, count .. ' ' .. data.n end";
    let (mut sandbox, _) = make(spec(Analysis, source));
    let message = sample();
    for _ in 0..2 {
        sandbox.process_message(&message, &message, None);
    }
    let saved = sandbox.preserve("12:34").expect("plain data");
    assert_eq!(
        sandbox::preserve::position(&saved).as_deref(),
        Some("12:34")
    );
    let mut again = spec(Analysis, source);
    again.state = Some(saved);
    let (mut sandbox, _) = make(again);
    let Answer::Status { message, .. } = sandbox.process_message(&message, &message, None) else {
        panic!()
    };
    assert_eq!(message.as_deref(), Some(&b"3 27"[..]));

    let mut broken = spec(Analysis, source);
    broken.state = Some(b"_G[\"count\"] = = 3".to_vec());
    let error = try_make(broken).0.expect_err("it is broken");
    assert!(matches!(error, sandbox::CreateError::Restore(_)), "{error}");
}
