//! Fuzzes both readers of JSON, against each other and against `serde_json`, and the compiling of schemas.

use std::cell::RefCell;
use std::sync::Arc;

use json::document::{Document, Options, Unlimited};
use json::schema::Schema;
use sandbox::native::Registry;
use sandbox::{Answer, Checkpoint, Host, InjectError, Kind, Sandbox, Spec};
use schemas::encode::Encoder;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "json",
    about: "JSON text as cjson and rjson read it, and JSON Schemas",
    run,
    seeds,
    words: &[
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\\u0041",
        b"\\ud83d\\ude00",
        b"true",
        b"false",
        b"null",
        b"NaN",
        b"-Infinity",
        b"0x1F",
        b"1e5",
        b"-0.5",
        b"1e400",
        b"18446744073709551615",
        b"{\"a\":1}",
        b"[[[[[[[[",
        b"{\"a\":{\"a\":",
        b" ",
        b"\n",
        b"\0",
        b"\xff",
        b"\"type\":",
        b"\"$ref\":\"#\"",
        b"\"pattern\":",
        b"\"anyOf\":[",
        b"\"items\":",
        b"\"properties\":{",
        b"\"definitions\":{",
    ],
    n_smoke: 3_000,
};

/// Answers -1 when the text is no JSON to `cjson`; fails when what it writes is not what it reads.
const PLUGIN: &str = r#"
require "cjson"
cjson.encode_number_precision(17)
function process_message()
    local ok, value = pcall(cjson.decode, read_message("Payload"))
    if not ok then return -1 end
    local written, text = pcall(cjson.encode, value)
    if written then
        local again = cjson.encode(cjson.decode(text))
        assert(#again == #text, again)
    end
    return 0
end
function timer_event() end
"#;

/// Instructions that bound the validation of an input.
const INSTRUCTIONS: u64 = 1_000;

struct Nothing;

impl Host for Nothing {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Ok(())
    }
}

thread_local! {
    static SANDBOX: RefCell<Sandbox> = RefCell::new(sandbox());
}

fn sandbox() -> Sandbox {
    let path = std::env::temp_dir().join(format!("fuzz-json-{}.lua", std::process::id()));
    std::fs::write(&path, PLUGIN).expect("the temporary folder is writable");
    let mut modules = Registry::default();
    json::register(&mut modules);
    let mut spec = Spec::new(Kind::Output, "fuzz", &path);
    spec.modules = Arc::new(modules);
    spec.limits.memory = 64 << 20;
    let sandbox = Sandbox::new(spec, Box::new(Nothing)).expect("the plugin is right");
    let _ = std::fs::remove_file(&path);
    sandbox
}

/// Whether `cjson` takes the text.
fn decodes(text: &[u8]) -> bool {
    let mut message = Vec::new();
    let mut encoder = Encoder::with_limit(&mut message, usize::MAX);
    encoder.uuid(&[0; 16]);
    encoder.timestamp(1);
    encoder.payload(text);
    let answer = SANDBOX.with_borrow_mut(|sandbox| sandbox.process_message(&message, &[], None));
    match answer {
        Answer::Status { code, .. } => code == 0,
        other => panic!("{other:?}"),
    }
}

fn parse(text: &[u8], validate_utf8: bool) -> Option<Document> {
    let options = Options {
        validate_utf8,
        stop_when_done: false,
    };
    Document::parse(text.to_vec(), options, &mut Unlimited).ok()
}

fn run(bytes: &[u8]) {
    let document = parse(bytes, false);
    let strict = parse(bytes, true);
    let decoded = decodes(bytes);
    let oracle = serde_json::from_slice::<serde_json::Value>(bytes);
    assert!(
        document.is_some() || strict.is_none(),
        "checking the encoding lets more through"
    );
    if oracle.is_ok() {
        assert!(strict.is_some(), "JSON that rjson does not take");
        assert!(decoded, "JSON that cjson does not take");
    }
    if let Some(strict) = &strict {
        let mut text = Vec::new();
        strict.write(strict.root(), usize::MAX, &mut text);
        compare(&text, oracle.ok());
    }
    let Some(document) = document else { return };
    let mut text = Vec::new();
    document.write(document.root(), usize::MAX, &mut text);
    let again = parse(&text, false).expect("what was written can be read");
    let mut second = Vec::new();
    again.write(again.root(), usize::MAX, &mut second);
    assert_eq!(text, second, "a document changes when it is written");
    let copy = document.copy(document.root());
    second.clear();
    copy.write(copy.root(), usize::MAX, &mut second);
    assert_eq!(text, second, "a copy is not the same");
    if let Ok(schema) = Schema::compile(&document) {
        let _ = schema.validate(&document, INSTRUCTIONS);
    }
}

/// What was written must be what the oracle has read.
fn compare(text: &[u8], oracle: Option<serde_json::Value>) {
    let Some(oracle) = oracle else { return };
    let written: serde_json::Value =
        serde_json::from_slice(text).expect("what was written can be read");
    assert!(is_like(&written, &oracle), "{oracle} was read as {written}");
}

/// Equal but for the last digits of numbers, which the oracle does not always round right.
fn is_like(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else {
                return false;
            };
            (a - b).abs() <= a.abs() * 1e-14
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_like(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| is_like(a, b)))
        }
        _ => a == b,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"a":[1,-2.5,1e10,"x\n\u00e9\ud83d\ude00",true,false,null,{},[]],"b":{"c":{"d":""}}}"#,
        r#"[0,-0,18446744073709551615,-9223372036854775808,0.1,1e-7,123456789012345678901234567890]"#,
        "[NaN,-inf,0x1F,+1,007,1.]",
        r#"{"type":"object","properties":{"a":{"type":["string","null"],"pattern":"^(?=a)a+$"}},"required":["a"]}"#,
        r##"{"definitions":{"a":{"anyOf":[{"items":{"$ref":"#/definitions/a"}},{"type":"string"}]}},"$ref":"#/definitions/a"}"##,
        r##"{"$schema":"http://json-schema.org/draft-07/schema#","if":{"$ref":"#"},"then":{"uniqueItems":true},"enum":[1]}"##,
        "[[[[[[[[[[[[]]]]]]]]]]]] ",
        "\"\\ud800\"",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
