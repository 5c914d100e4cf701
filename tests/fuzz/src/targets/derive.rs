//! Fuzzes the derivation of Parquet schemas from JSON Schema.

use columnar::derive::from_json_schema;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "derive",
    about: "JSON Schema, from which a Parquet schema is derived",
    run,
    seeds,
    words: &[
        b"\"type\":\"object\"",
        b"\"type\":[\"null\",\"string\"]",
        b"\"properties\":{",
        b"\"additionalProperties\":{\"type\":\"integer\"}",
        b"\"items\":{\"type\":\"number\"}",
        b"\"required\":[\"a\"]",
        b"\"$ref\":\"#\"",
        b"\"$ref\":\"#/definitions/a\"",
        b"\"anyOf\":[",
        b"\"oneOf\":[",
        b"\"allOf\":[",
    ],
    n_smoke: 20_000,
};

fn run(bytes: &[u8]) {
    let Ok(derived) = from_json_schema(bytes, "m") else {
        return;
    };
    let text = derived.text;
    let mut depth = 0;
    for line in text.lines() {
        let line = line.trim();
        match line.chars().last() {
            Some('{') => depth += 1,
            Some('}') => depth -= 1,
            Some(';') => {
                assert!(depth > 0, "a column outside of the message: {text}");
                let is_field = ["required ", "optional ", "repeated "]
                    .iter()
                    .any(|word| line.starts_with(word));
                assert!(is_field, "no field: {line}");
            }
            _ => panic!("a name ends a line: {line:?}"),
        }
        assert!(depth >= 0, "{text}");
    }
    assert!(text.starts_with("message m {\n") && depth == 0, "{text}");
}

fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        r##"{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":["null","integer"]}}}"##,
        r##"{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"boolean"}}}}"##,
        r##"{"definitions":{"a":{"type":"array","items":{"$ref":"#/definitions/a"}}},"type":"object","properties":{"x":{"$ref":"#/definitions/a"}}}"##,
        r##"{"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{"n":{"type":"number"}}}}}}"##,
        r##"{"type":"object","properties":{"u":{"anyOf":[{"type":"null"},{"type":"string"}]}}}"##,
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
