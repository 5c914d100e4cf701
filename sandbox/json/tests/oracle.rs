//! Both readers of JSON against `serde_json`: what is JSON, what it means, and that writing gives it back.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use json::document::{Document, Options, Unlimited};
use proptest::prelude::*;
use sandbox::native::Registry;
use sandbox::{Answer, Checkpoint, Host, InjectError, Kind, Sandbox, Spec};
use serde_json::Value;

/// Gives back what `cjson` makes of the configuration's text, as the text of an error or as JSON.
const PLUGIN: &str = r#"
require "cjson"
cjson.encode_number_precision(17)
cjson.encode_sparse_array(false, 0)
cjson.decode_null(true)
function process_message()
    local ok, value = pcall(cjson.decode, read_message("Payload"))
    if not ok then return -1, value end
    local ok, text = pcall(cjson.encode, value)
    if not ok then return -1, text end
    inject_message({Payload = text})
    return 0
end
function timer_event() end
"#;

#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<u8>>>);

impl Host for Keep {
    fn inject(
        &mut self,
        _: &[u8],
        message: &[u8],
        _: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        *self.0.lock().expect("nothing panics with it") = message.to_vec();
        Ok(())
    }
}

thread_local! {
    static SANDBOX: RefCell<(Sandbox, Keep)> = RefCell::new(sandbox());
}

fn sandbox() -> (Sandbox, Keep) {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("plugin.lua");
    std::fs::write(&path, PLUGIN).expect("the folder is writable");
    let mut modules = Registry::default();
    json::register(&mut modules);
    let mut spec = Spec::new(Kind::Output, "oracle", &path);
    spec.modules = Arc::new(modules);
    spec.limits.output = 1 << 20;
    spec.limits.memory = 64 << 20;
    let keep = Keep::default();
    let sandbox = Sandbox::new(spec, Box::new(keep.clone())).expect("the plugin is right");
    (sandbox, keep)
}

/// What `cjson` reads and writes again, or its error.
fn cjson(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut message = Vec::new();
    let mut encoder = schemas::encode::Encoder::with_limit(&mut message, usize::MAX);
    encoder.uuid(&[0; 16]);
    encoder.timestamp(0);
    encoder.payload(text);
    SANDBOX.with_borrow_mut(
        |(sandbox, keep)| match sandbox.process_message(&message, &[], None) {
            Answer::Status { code: 0, .. } => {
                let injected = keep.0.lock().expect("nothing panics with it").clone();
                let mut index = schemas::Index::default();
                index.outline(&injected).expect("a message");
                let view = index.view(&injected);
                Ok(view.payload().expect("it has a payload").to_vec())
            }
            Answer::Status { message, .. } => {
                Err(String::from_utf8_lossy(&message.unwrap_or_default()).into_owned())
            }
            other => panic!("{other:?}"),
        },
    )
}

fn rjson(text: &[u8]) -> Option<Vec<u8>> {
    let options = Options {
        validate_utf8: true,
        stop_when_done: false,
    };
    let document = Document::parse(text.to_vec(), options, &mut Unlimited).ok()?;
    let mut out = Vec::new();
    document.write(document.root(), usize::MAX, &mut out);
    Some(out)
}

/// Equal, where numbers are doubles.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, a)| b.get(key).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => a == b,
    }
}

fn values() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i32>().prop_map(Value::from),
        (-(1_i64 << 53)..1 << 53).prop_map(Value::from),
        // Few digits, which every reader rounds alike.
        (any::<i32>(), 0..6).prop_map(|(n, e)| Value::from(f64::from(n) / 10_f64.powi(e))),
    ];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        any::<String>().prop_map(Value::from),
        "[a-z]{0,40}".prop_map(Value::from),
    ];
    scalar.prop_recursive(6, 200, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::from),
            prop::collection::vec(("[a-c]{0,20}|.*", inner), 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_read_is_written_again(value in values(), pretty in any::<bool>()) {
        let text = match pretty {
            true => serde_json::to_vec_pretty(&value),
            false => serde_json::to_vec(&value),
        };
        let text = text.expect("every value can be written");
        let written = cjson(&text).expect("JSON is decoded");
        let again: Value = serde_json::from_slice(&written).expect("JSON was encoded");
        prop_assert!(is_same(&again, &value), "cjson made {again} of {value}");
        let written = rjson(&text).expect("JSON is read");
        let again: Value = serde_json::from_slice(&written).expect("JSON was written");
        prop_assert!(is_same(&again, &value), "rjson made {again} of {value}");
    }

    #[test]
    fn readers_agree_on_what_is_json(value in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = serde_json::to_vec(&value).expect("every value can be written");
        let at = at.index(text.len());
        text[at] = byte;
        let oracle = serde_json::from_slice::<Value>(&text);
        let strict = rjson(&text);
        let decoded = cjson(&text);
        if oracle.is_ok() {
            prop_assert!(strict.is_some() && decoded.is_ok(), "JSON was refused: {decoded:?}");
        } else if !text.contains(&0) && !text.windows(2).any(|pair| pair == b"\\u") {
            // RapidJSON lets lone low surrogates through, and a NUL is the end to both.
            prop_assert!(strict.is_none(), "no JSON, but rjson takes it");
        }
        if let Err(error) = &decoded {
            // A number such as 1E999 is read as infinity, which cannot be written.
            let known = ["Expected ", "JSON parser", "Cannot serialise number: must not be NaN or Infinity"];
            prop_assert!(known.iter().any(|known| error.contains(known)), "{error}");
        }
    }
}
