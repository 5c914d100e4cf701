//! What the JSON modules may use of memory and time, and how they see and make messages.

use std::io::Write as _;

use modules::{Plugin, Setup};
use sandbox::{Answer, Kind};
use schemas::encode::Encoder;

/// A plugin with these limits on memory in bytes and on instructions, whose main chunk is `source`.
fn plugin(kind: Kind, memory: usize, instructions: u64, source: &str) -> Plugin {
    let mut setup = Setup::new(kind);
    setup.limits.memory = memory;
    setup.limits.instructions = instructions;
    setup.run(source).expect("the main chunk is right")
}

fn message(payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut encoder = Encoder::with_limit(&mut message, usize::MAX);
    encoder.uuid(&[0; 16]);
    encoder.timestamp(1);
    encoder.payload(payload);
    message
}

fn status(answer: &Answer) -> i32 {
    match answer {
        Answer::Status { code, .. } => *code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn documents_end_at_the_memory_limit() {
    // Every value of the text takes many times its length.
    let text = format!("[{}0]", "{},".repeat(100_000));
    for work in [
        "cjson.decode(text)",
        "rjson.parse(text)",
        "cjson.encode(t)",
        "rjson.parse('1'):parse(text)",
    ] {
        let source = format!(
            "require 'cjson' require 'rjson' require 'string' local t = {{}} for i = 1, 20000 do t[i] = i end t = {{t, t, t, t, t, t, t, t, t}}
            function process_message()
                local text = read_message('Payload')
                local ok, err = pcall(function() {work} end)
                if ok then return -2, 'it fitted' end
                return err:find('not enough memory', 1, true) and 0 or -1, err
            end
            function timer_event() end"
        );
        let mut plugin = plugin(Kind::Output, 2 << 20, 0, &source);
        for _ in 0..3 {
            let answer = plugin.process(&message(text.as_bytes()));
            assert_eq!(status(&answer), 0, "{work}: {answer:?}");
        }
    }
}

#[test]
fn documents_of_many_kinds_are_decoded_within_a_small_memory() {
    let source = "require 'cjson'
        function process_message()
            for i = 1, 200 do local v = cjson.decode(read_message('Payload')) assert(#v == 1000) end
            return 0
        end
        function timer_event() end";
    let mut plugin = plugin(Kind::Output, 1 << 20, 0, source);
    let text = format!("[{}0]", "{\"a\":1},".repeat(999));
    assert_eq!(status(&plugin.process(&message(text.as_bytes()))), 0);
}

/// Runs `work` again and again with an instruction limit; it has to end by it, or by an error of its own.
fn ends(work: &str, payload: &str) {
    let source = format!(
        "require 'cjson' require 'rjson' require 'string' require 'table'
        function process_message()
            local text = read_message('Payload')
            while true do local ok, err = pcall(function() {work} end) end
        end
        function timer_event() end"
    );
    let mut plugin = plugin(Kind::Output, 64 << 20, 100_000, &source);
    match plugin.process(&message(payload.as_bytes())) {
        Answer::Terminated(text) => {
            assert!(text.contains("instruction_limit"), "{work}: {text}");
        }
        other => panic!("{work}: {other:?}"),
    }
}

#[test]
fn every_work_ends_by_the_instruction_limit() {
    let long = format!("[{}0]", "1,".repeat(200_000));
    ends("cjson.decode(text)", &long);
    ends("cjson.encode(cjson.decode(text))", &long);
    ends("rjson.parse(text)", &long);
    ends(
        "local t = {1} for i = 1, 500 do t = {t, x = t} end cjson.encode(t)",
        "",
    );
    ends(
        "local d = rjson.parse(text) for i, v in d:iter() do d:find(i) end",
        &long,
    );
    ends(
        "rjson.parse_schema('{\"pattern\":\"((a{50}){50}){50}\"}')",
        "",
    );
}

#[test]
fn validations_end_whatever_the_schema() {
    // Every level doubles the work.
    let doubling = r##"{"anyOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}],"type":"array","uniqueItems":true,"not":{"items":{"$ref":"#"}}}"##;
    let nested = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let deep = format!("{}1{}", "[".repeat(9_000), "]".repeat(9_000));
    let recursive = r##"{"items":{"$ref":"#"}}"##;
    let chain: Vec<String> = (0..40)
        .map(|i| {
            let next = i + 1;
            format!(r##""a{i}":{{"anyOf":[{{"$ref":"#/definitions/a{next}"}},{{"$ref":"#/definitions/a{next}"}}]}}"##)
        })
        .collect();
    let chain = format!(
        r##"{{"definitions":{{{},"a40":{{"type":"null"}}}},"$ref":"#/definitions/a0"}}"##,
        chain.join(",")
    );
    let backtracking = r#"{"items":{"pattern":"^(?=(a+)+$)(a+)+\\1b$"}}"#;
    let texts = format!("[{}1]", format!("\"{}\",", "a".repeat(40)).repeat(2_000));
    let unique = r#"{"uniqueItems":true}"#;
    let numbers: Vec<String> = (0..50_000).map(|i| i.to_string()).collect();
    let numbers = format!("[{}]", numbers.join(","));
    for (schema, document) in [
        (doubling, nested.as_str()),
        (recursive, &deep),
        (doubling, &deep),
        (&chain, "1"),
        (backtracking, &texts),
        (unique, &numbers),
        (r##"{"$ref":"#"}"##, "1"),
        (r##"{"allOf":[{"$ref":"#"}]}"##, "1"),
        (r##"{"not":{"$ref":"#"}}"##, "1"),
    ] {
        let work = format!(
            "local s = rjson.parse_schema([=[{schema}]=]) for i = 1, 100 do rjson.parse(text):validate(s) end"
        );
        ends(&work, document);
    }
}

#[test]
fn an_empty_text_in_a_message_is_no_value() {
    let source = "require 'rjson'
        function process_message()
            local ok, err = pcall(rjson.parse_message, 'Payload')
            assert(not ok and err == 'failed to parse offset:0 Invalid value.', err)
            return 0
        end
        function timer_event() end";
    let mut plugin = plugin(Kind::Output, 8 << 20, 0, source);
    assert_eq!(status(&plugin.process(&message(b""))), 0);
}

#[test]
fn an_output_parses_the_current_message() {
    let source = "require 'rjson'
        local doc = rjson.parse('null')
        function process_message()
            local new = rjson.parse_message('Payload', nil, nil, true)
            assert(doc:parse_message('Payload') == doc)
            assert(new:value(new:find('a', 1)) == doc:value(doc:find('a', 1)))
            inject_message({Type = 'x', Fields = {json = doc:make_field(doc:find('a'))}})
            return 0
        end
        function timer_event()
            local ok, err = pcall(rjson.parse_message, 'Payload')
            assert(err == 'parse_message() no active message', err)
        end";
    let mut plugin = plugin(Kind::Output, 8 << 20, 0, source);
    let text = br#"{"a":[1,18446744073709551615]}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).expect("writing to memory");
    let gzip = gzip.finish().expect("writing to memory");
    for payload in [&text[..], &gzip] {
        assert_eq!(status(&plugin.process(&message(payload))), 0);
        let injected = plugin.seen().injected;
        let wanted = br"[1,18446744073709551615]";
        assert!(injected[0].windows(wanted.len()).any(|part| part == wanted));
    }
    // 1 MB of zeros is more than a message may have.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![b' '; 1 << 20])
        .expect("writing to memory");
    let bomb = bomb.finish().expect("writing to memory");
    match plugin.process(&message(&bomb)) {
        Answer::Terminated(text) => assert!(text.contains("ungzip failed"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_mark_of_an_empty_array_is_preserved() {
    let source = |t: &str| {
        format!(
            "require 'cjson' t = {t}
            function process_message()
                assert(cjson.encode(t.a) == '[]' and cjson.encode(t.b) == '{{}}')
                return 0
            end
            function timer_event() end"
        )
    };
    let made = source(r#"cjson.decode('{"a":[],"b":{}}')"#);
    let mut first = Setup::new(Kind::Analysis)
        .run(&made)
        .expect("the main chunk is right");
    let mut setup = Setup::new(Kind::Analysis);
    setup.state = Some(first.preserve());
    let mut second = setup.run(&source("{}")).expect("the state can be restored");
    assert_eq!(status(&second.process(&message(b""))), 0);
}
