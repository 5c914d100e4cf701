//! `inject_message`, `inject_payload`, `encode_message`, `decode_message`: messages that plugins make.

use sandbox::Kind::{Analysis, Input, Output};
use sandbox::{Answer, Checkpoint, InjectError};
use schemas::message::FieldValue;

use crate::common::*;

const FULL: &str = "inject_message {
    Uuid = 'ABCDEFGHIJKLMNOP', Timestamp = 5e9, Type = 'a.type', Logger = 'my.logger', Severity = 3,
    Payload = 'load', EnvVersion = '2', Pid = 17, Hostname = 'other',
    Fields = {text = 'x'}}";

#[test]
fn given_headers_are_kept_without_restriction() {
    let message = the_message(&run_ok(Input, FULL));
    assert_eq!(message.uuid, Some(*b"ABCDEFGHIJKLMNOP"));
    assert_eq!(message.timestamp, 5_000_000_000);
    assert_eq!(message.type_.as_deref(), Some(&b"a.type"[..]));
    assert_eq!(message.logger.as_deref(), Some(&b"my.logger"[..]));
    assert_eq!(message.severity, Some(3));
    assert_eq!(message.payload.as_deref(), Some(&b"load"[..]));
    assert_eq!(message.env_version.as_deref(), Some(&b"2"[..]));
    assert_eq!(message.pid, Some(17));
    assert_eq!(message.hostname.as_deref(), Some(&b"other"[..]));
    assert_eq!(message.fields.len(), 1);
}

#[test]
fn restricted_headers_are_always_ours() {
    let message = the_message(&run_ok(Analysis, FULL));
    assert_ne!(message.uuid, Some(*b"ABCDEFGHIJKLMNOP"));
    assert_ne!(message.timestamp, 5_000_000_000);
    assert_eq!(message.logger.as_deref(), Some(&b"analysis.test"[..]));
    assert_eq!(message.pid, Some(4321));
    assert_eq!(message.hostname.as_deref(), Some(&b"host.test"[..]));
    assert_eq!(message.severity, Some(3));
}

#[test]
fn defaults_are_written_into_the_table() {
    for kind in [Input, Output] {
        run_ok(
            kind,
            &format!(
                "local m = {{Type = 'x'}} inject_message(m)
                assert(m.Logger == '{}.test' and m.Hostname == 'host.test' and m.Pid == 4321)
                assert(m.Uuid == nil and m.Timestamp == nil)",
                kind.name()
            ),
        );
    }
    run_ok(
        Analysis,
        "local m = {Logger = 'no'} inject_message(m) assert(m.Logger == 'analysis.test')",
    );
}

#[test]
fn a_uuid_is_random_unless_it_is_one() {
    let notes = run_ok(
        Input,
        "inject_message {Uuid = '41424344-4546-4748-494a-4b4c4d4e4f50'}
        inject_message {Uuid = 'too short'} inject_message {} inject_message {}",
    );
    let seen = notes.lock().expect("held");
    let uuids: Vec<[u8; 16]> = seen
        .injected
        .iter()
        .map(|(bytes, _)| {
            schemas::message::Message::decode(bytes)
                .expect("valid")
                .uuid
                .expect("it has one")
        })
        .collect();
    assert_eq!(uuids[0], *b"ABCDEFGHIJKLMNOP");
    for uuid in &uuids[1..] {
        assert_eq!(
            (uuid[6] >> 4, uuid[8] >> 6),
            (4, 2),
            "version 4, the variant of RFC 9562"
        );
    }
    assert!(uuids[1] != uuids[2] && uuids[2] != uuids[3]);
}

#[test]
fn odd_headers_are_converted_or_ignored() {
    let message = the_message(&run_ok(
        Input,
        "inject_message {Timestamp = '77', Type = 12, Severity = '5', Payload = {}, EnvVersion = true, Pid = '8', Logger = {}}",
    ));
    assert_eq!(message.timestamp, 77);
    assert_eq!(message.type_.as_deref(), Some(&b"12"[..]));
    assert_eq!((message.severity, message.pid), (Some(5), Some(8)));
    assert_eq!(
        (message.payload, message.env_version, message.logger),
        (None, None, None)
    );
}

/// The only field that a plugin with these Fields makes.
#[track_caller]
fn field(fields: &str) -> schemas::message::Field {
    let message = the_message(&run_ok(
        Input,
        &format!("inject_message {{Fields = {fields}}}"),
    ));
    assert_eq!(message.fields.len(), 1);
    message.fields[0].clone()
}

#[test]
fn every_form_of_a_field_is_encoded() {
    let cases: [(&str, FieldValue); 15] = [
        ("{f = 'x'}", FieldValue::String(vec![b"x".to_vec()])),
        ("{f = 1.5}", FieldValue::Double(vec![1.5])),
        ("{f = false}", FieldValue::Bool(vec![false])),
        (
            "{f = {'a', 'b'}}",
            FieldValue::String(vec![b"a".to_vec(), b"b".to_vec()]),
        ),
        ("{f = {1, 2}}", FieldValue::Double(vec![1.0, 2.0])),
        ("{f = {true, false}}", FieldValue::Bool(vec![true, false])),
        (
            "{f = {value = 7.9, value_type = 2}}",
            FieldValue::Integer(vec![7]),
        ),
        (
            "{f = {value = -1, value_type = 2}}",
            FieldValue::Integer(vec![-1]),
        ),
        (
            "{f = {value = {1, 2}, value_type = 2}}",
            FieldValue::Integer(vec![1, 2]),
        ),
        (
            "{f = {value = 'x', value_type = 1}}",
            FieldValue::Bytes(vec![b"x".to_vec()]),
        ),
        (
            "{f = {value = {'x', 'y'}, value_type = 1}}",
            FieldValue::Bytes(vec![b"x".to_vec(), b"y".to_vec()]),
        ),
        (
            "{{name = 'f', value = 'x'}}",
            FieldValue::String(vec![b"x".to_vec()]),
        ),
        (
            "{{name = 'f', value = 3, value_type = 3}}",
            FieldValue::Double(vec![3.0]),
        ),
        (
            "{{name = 'f', value = true, value_type = 4}}",
            FieldValue::Bool(vec![true]),
        ),
        (
            "{{name = 'f', value = {1, 2}, value_type = 2}}",
            FieldValue::Integer(vec![1, 2]),
        ),
    ];
    for (fields, value) in cases {
        let field = field(fields);
        assert_eq!(field.name, b"f", "{fields}");
        assert_eq!(field.value, value, "{fields}");
    }
    let field = field("{f = {value = 1, representation = 'ms'}}");
    assert_eq!(field.representation.as_deref(), Some(&b"ms"[..]));
}

#[test]
fn a_list_of_fields_keeps_its_order_and_may_repeat_names() {
    let message = the_message(&run_ok(
        Input,
        "inject_message {Fields = {{name = 'b', value = 1}, {name = 'a', value = 2}, {name = 'b', value = 3}}}",
    ));
    let names: Vec<&[u8]> = message.fields.iter().map(|field| &field.name[..]).collect();
    assert_eq!(names, [b"b", b"a", b"b"]);
}

#[test]
fn wrong_fields_are_refused_in_hindsights_words() {
    let cases = [
        ("{[5] = 'x'}", "field name must be a string"),
        ("{[true] = 'x'}", "field name must be a string"),
        ("{{value = 'x'}}", "field name must be a string"),
        ("{f = {}}", "unsupported type: nil"),
        ("{f = print}", "unsupported type: function"),
        ("{f = {value = print}}", "unsupported type: function"),
        ("{f = {'a', 1}}", "array has mixed types"),
        ("{f = {{}}}", "unsupported array type: table"),
        ("{f = {value = {}}}", "unsupported array type: nil"),
        (
            "{f = {value = 's', value_type = 2}}",
            "invalid string value_type: 2",
        ),
        (
            "{f = {value = 1, value_type = 0}}",
            "invalid numeric value_type: 0",
        ),
        (
            "{f = {value = true, value_type = 3}}",
            "invalid boolean value_type: 3",
        ),
        (
            "{f = create_stream_reader('x')}",
            "userdata object does not implement lsb_output",
        ),
    ];
    for (fields, expected) in cases {
        let error = run_error(Input, &format!("inject_message {{Fields = {fields}}}"));
        assert_eq!(
            error,
            format!("inject_message() failed: {expected}"),
            "{fields}"
        );
    }
    let error = run_error(
        Output,
        "update_checkpoint(...) local light = ... inject_message {Fields = {f = {value = light}}}",
    );
    assert_eq!(
        error,
        "inject_message() failed: a lightuserdata output must also specify a userdata value"
    );
}

#[test]
fn strange_tables_do_no_harm() {
    let bodies = [
        "local m = {} m.Fields = m inject_message(m)",
        "local f = {} f.f = f pcall(inject_message, {Fields = f})",
        "inject_message(setmetatable({}, {__index = function() error('called') end, __newindex = error}))",
        "inject_message {Fields = setmetatable({}, {__index = function() inject_message {} end})}",
        "inject_message {Timestamp = 0/0, Severity = 1/0, Pid = -1/0}",
        "inject_message {Timestamp = 1e300}",
        "inject_message {Fields = {['\\0\\n'] = '\\0', [''] = ''}}",
        "inject_message {Fields = {n = 0/0, i = {value = 0/0, value_type = 2}}}",
    ];
    for body in bodies {
        let (answer, notes) = run(Input, &format!("{body} return 0"));
        let harmless = match answer {
            Answer::Status { code: 0, .. } => true,
            Answer::Terminated(text) => text.contains("inject_message() failed: "),
            _ => false,
        };
        assert!(harmless, "{body}");
        for (message, _) in &notes.lock().expect("held").injected {
            schemas::validate(message).expect("whatever is injected is a message");
        }
    }
}

#[test]
fn the_output_limit_bounds_a_message() {
    let error = run_error(Input, "inject_message {Payload = string.rep('x', 70000)}");
    assert_eq!(error, "inject_message() failed: exceeded output_limit");
    let error = run_error(
        Analysis,
        "local f = {} for i = 1, 1e4 do f['n' .. i] = i end inject_message {Fields = f}",
    );
    assert_eq!(error, "inject_message() failed: exceeded output_limit");
}

#[test]
fn an_input_injects_with_checkpoints() {
    let notes = run_ok(
        Input,
        "inject_message({}, 12) inject_message({}, 'place') inject_message({}) inject_message({}, nil)
        inject_message({}, 0/0) inject_message({}, 'cut\\0here')
        inject_message(nil, 'alone') inject_message(nil, 3)",
    );
    let seen = notes.lock().expect("held");
    let text = |text: &str| Checkpoint::Text(text.as_bytes().to_vec());
    let given: Vec<Option<Checkpoint>> = seen
        .injected
        .iter()
        .map(|(_, given)| given.clone())
        .collect();
    let number = Checkpoint::Number(12.0);
    assert_eq!(
        given,
        [
            Some(number),
            Some(text("place")),
            None,
            None,
            None,
            Some(text("cut"))
        ]
    );
    assert_eq!(seen.checkpoints, [text("alone"), Checkpoint::Number(3.0)]);
}

#[test]
fn an_input_is_told_what_it_cannot_inject() {
    let cases = [
        (
            "inject_message(nil)",
            "inject_message() message cannot be nil without a checkpoint update",
        ),
        (
            "inject_message()",
            "inject_message() message cannot be nil without a checkpoint update",
        ),
        (
            "inject_message({}, true)",
            "inject_message() unsupported checkpoint type: boolean",
        ),
        (
            "inject_message({}, string.rep('x', 8192))",
            "inject_message() failed: checkpoint update",
        ),
        (
            "inject_message(true)",
            "inject_message() unsupported message type: boolean",
        ),
        (
            "inject_message('no protobuf')",
            "inject_message() attempted to inject a invalid protobuf string",
        ),
        (
            "inject_message(create_stream_reader('x'))",
            "inject_message() attempted to inject a nil message",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(run_error(Input, body), expected, "{body}");
    }
    run_ok(Input, "inject_message({}, string.rep('x', 8191))");
}

#[test]
fn an_input_injects_ready_bytes() {
    let (mut sandbox, notes) = make(spec(
        Input,
        "function process_message(bytes) inject_message(bytes) return 0 end",
    ));
    let answer = sandbox.process_input(&Checkpoint::Text(sample()));
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
    assert_eq!(notes.lock().expect("held").injected[0].0, sample());
    let stats = sandbox.stats();
    assert_eq!(
        (stats.injects, stats.inject_bytes),
        (1, sample().len() as u64)
    );
}

#[test]
fn what_the_host_refuses_is_an_error() {
    let (mut sandbox, notes) = make(spec(
        Input,
        "function process_message() local ok, e = pcall(inject_message, {}) return -1, e end",
    ));
    notes.lock().expect("held").answers = vec![Err(InjectError::Rejected(3))];
    let Answer::Status { code, message } = sandbox.process_input(&Checkpoint::None) else {
        panic!()
    };
    assert_eq!(code, -1);
    assert_eq!(
        message.as_deref(),
        Some(&b"inject_message() failed: rejected by the callback rv: 3"[..])
    );
    notes.lock().expect("held").answers = vec![Err(InjectError::Stopped)];
    assert_eq!(
        sandbox.process_input(&Checkpoint::None),
        Answer::Stopped,
        "not even pcall keeps it"
    );
}

#[test]
fn analysis_plugins_have_inject_limits() {
    let mut spec = spec(
        Analysis,
        "function process_message() inject_message {} inject_message {} inject_message {} return 0 end
        function timer_event() for i = 1, 11 do inject_message {} end end",
    );
    spec.limits.process_message_injects = 2;
    let (mut sandbox, notes) = make(spec);
    let message = sample();
    let Answer::Terminated(text) = sandbox.process_message(&message, &message, None) else {
        panic!()
    };
    assert!(
        text.ends_with("inject_message() failed: injection limit exceeded"),
        "{text}"
    );
    assert_eq!(notes.lock().expect("held").injected.len(), 2);
    let text = sandbox.timer_event(0, false).expect_err("ten are allowed");
    assert!(
        text.starts_with("timer_event() ") && text.ends_with("injection limit exceeded"),
        "{text}"
    );
    assert_eq!(notes.lock().expect("held").injected.len(), 12);
    assert!(main_chunk_error(Analysis, "inject_message {}").ends_with("injection limit exceeded"));
}

#[test]
fn payloads_are_gathered_and_injected() {
    let message = the_message(&run_ok(
        Analysis,
        "add_to_payload('a', 1.5, nil, true) add_to_payload(1/3) inject_payload('tsv', 'a name', '|', 2) inject_payload()",
    ));
    assert_eq!(message.type_.as_deref(), Some(&b"inject_payload"[..]));
    assert_eq!(
        message.payload.as_deref(),
        Some(&b"a1.5niltrue0.33333333|2"[..])
    );
    let fields: Vec<(&[u8], &FieldValue)> = message
        .fields
        .iter()
        .map(|f| (&f.name[..], &f.value))
        .collect();
    let text = |text: &str| FieldValue::String(vec![text.as_bytes().to_vec()]);
    assert_eq!(
        fields,
        [
            (&b"payload_type"[..], &text("tsv")),
            (b"payload_name", &text("a name"))
        ]
    );
    assert_eq!(message.logger.as_deref(), Some(&b"analysis.test"[..]));

    let message = the_message(&run_ok(Analysis, "add_to_payload('x') inject_payload()"));
    assert_eq!(message.fields.len(), 1);
    assert_eq!(message.fields[0].value, text("txt"));
}

#[test]
fn an_empty_payload_makes_no_message() {
    let notes = run_ok(Analysis, "inject_payload() inject_payload('txt', 'name')");
    assert!(notes.lock().expect("held").injected.is_empty());
}

#[test]
fn wrong_payloads_are_refused() {
    let cases = [
        (
            "inject_payload(1)",
            "inject_payload() payload_type argument must be a string",
        ),
        (
            "inject_payload('txt', {})",
            "inject_payload() payload_name argument must be a string",
        ),
        (
            "add_to_payload()",
            "bad argument #0 to 'add_to_payload' (must have at least one argument)",
        ),
        (
            "add_to_payload(1, {})",
            "bad argument #2 to 'add_to_payload' (unsupported type)",
        ),
        (
            "add_to_payload(string.rep('x', 70000))",
            "output_limit exceeded",
        ),
        (
            "for i = 1, 1e5 do add_to_payload('xx') end",
            "output_limit exceeded",
        ),
        (
            "inject_payload('txt', 'n', string.rep('x', 70000))",
            "output_limit exceeded",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(run_error(Analysis, body), expected, "{body}");
    }
}

#[test]
fn print_speaks_at_level_seven_only() {
    let source = "function process_message() print('a\\tb', 1, nil, {}) print() return 0 end";
    for (level, lines) in [(6, 0), (7, 1)] {
        let mut spec = spec(Analysis, source);
        spec.log_level = level;
        let (_, notes) = run_spec(spec);
        let seen = notes.lock().expect("held");
        assert_eq!(seen.log.len(), lines);
        for (severity, text) in &seen.log {
            assert_eq!(
                (*severity, text.as_str()),
                (7, "a b 1 nil table: 0x00000001")
            );
        }
    }
    let notes = run_ok(Analysis, "add_to_payload('x') print() inject_payload()");
    assert!(
        notes.lock().expect("held").injected.is_empty(),
        "print forgets the payload"
    );
}

#[test]
fn messages_go_to_bytes_and_back() {
    run_ok(
        Output,
        "local bytes = encode_message {Timestamp = 7, Type = 't', Severity = 2, Fields = {
            {name = 'a', value = 'x'}, {name = 'b', value = {1, 2}, value_type = 2, representation = 'ms'},
            {name = 'c', value = true}, {name = 'd', value = 1.5}, {name = 'e', value = 'y', value_type = 1}}}
        local m = decode_message(bytes)
        assert(#m.Uuid == 16 and m.Timestamp == 7 and m.Type == 't' and m.Severity == 2 and m.Pid == 4321)
        assert(m.Logger == 'output.test' and m.Hostname == 'host.test' and m.Payload == nil)
        local f = m.Fields assert(#f == 5)
        assert(f[1].name == 'a' and f[1].value[1] == 'x' and f[1].value_type == nil)
        assert(f[2].value[2] == 2 and f[2].value_type == 2 and f[2].representation == 'ms')
        assert(f[3].value[1] == true and f[3].value_type == 4 and f[4].value[1] == 1.5 and f[5].value_type == 1)
        local framed = encode_message({Uuid = m.Uuid, Timestamp = 7}, true)
        assert(framed:byte(1) == 30)
        assert(decode_message(encode_message {}).Fields == nil)",
    );
}

#[test]
fn decode_message_says_what_is_wrong() {
    let cases = [
        (
            "decode_message()",
            "bad argument #0 to 'decode_message' (incorrect number of arguments)",
        ),
        ("decode_message('x')", "invalid message, too short"),
        (
            "decode_message(string.rep('\\7', 30))",
            "error in tag: 0 wiretype: 7 offset: 0",
        ),
        (
            "decode_message({})",
            "bad argument #1 to 'decode_message' (string expected, got table)",
        ),
        (
            "encode_message(1)",
            "bad argument #1 to 'encode_message' (table expected, got number)",
        ),
        (
            "encode_message {Fields = {f = {}}}",
            "encode_message() failed: unsupported type: nil",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(run_error(Output, body), expected, "{body}");
    }
}

#[test]
fn outputs_tell_what_was_delivered() {
    let notes = run_ok(
        Output,
        "local id = ... update_checkpoint() update_checkpoint(id) update_checkpoint(id, 2)",
    );
    assert_eq!(
        notes.lock().expect("held").updates,
        [(None, 0), (Some(7), 0), (Some(7), 2)]
    );
    assert_eq!(
        run_error(Output, "update_checkpoint(1, 2, 3)"),
        "update_checkpoint() invalid number of args: 3"
    );
    let error = run_error(Output, "update_checkpoint('x')");
    assert_eq!(
        error,
        "bad argument #1 to 'update_checkpoint' (lightuserdata expected, got string)"
    );
}

#[test]
fn outputs_have_matchers_of_their_own() {
    let (mut sandbox, _) = make(spec(
        Output,
        "local m = create_message_matcher('Type == test.type') local n = create_message_matcher('Type == other')
        assert(select(2, pcall(m.eval, m)) == 'no active message')
        local ok, e = pcall(create_message_matcher, 'nonsense') assert(e == 'invalid message matcher expression', e)
        function process_message() assert(m:eval() and not n:eval()) return 0 end",
    ));
    let answer = sandbox.process_message(&sample(), &sample(), None);
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
}

#[test]
fn is_running_asks_host_and_handle() {
    let (mut sandbox, notes) = make(spec(
        Input,
        "function process_message() return is_running() and 0 or -1 end",
    ));
    let mut code = || match sandbox.process_input(&Checkpoint::None) {
        Answer::Status { code, .. } => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(), 0);
    notes.lock().expect("held").running = false;
    assert_eq!(code(), -1);
    notes.lock().expect("held").running = true;
    sandbox.handle().stop();
    let Answer::Status { code, .. } = sandbox.process_input(&Checkpoint::None) else {
        panic!()
    };
    assert_eq!(code, -1);
}
