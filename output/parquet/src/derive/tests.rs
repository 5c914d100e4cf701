//! Schemas that are hostile or describe little.

use super::*;

fn derived(schema: &str) -> Derived {
    from_json_schema(schema.as_bytes(), "t").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_may_be_null_is_optional_though_required() {
    let text = derived(r#"{"required":["a","b"],"properties":{"a":{"type":["null","string"]},"b":{"type":"integer"}}}"#).text;
    assert_eq!(
        text,
        "message t {\n  optional binary a (UTF8);\n  required int64 b;\n}\n"
    );
}

#[test]
fn one_alternative_beside_null_is_taken() {
    let out = derived(
        r#"{"properties":{"a":{"oneOf":[{"type":"null"},{"type":"number"}]},"b":{"anyOf":[{"type":"number"},{"type":"string"}]},
            "c":{"enum":["x","y"]},"d":{"type":["integer","number"]}}}"#,
    );
    let wanted =
        "message t {\n  optional double a;\n  optional binary c (UTF8);\n  optional double d;\n}\n";
    assert_eq!(
        (out.text.as_str(), out.left_out),
        (wanted, vec!["b".to_string()])
    );
}

#[test]
fn schemas_that_contain_themselves_end() {
    let tree =
        r##"{"properties":{"id":{"type":"string"},"left":{"$ref":"#"},"right":{"$ref":"#"}}}"##;
    assert!(matches!(
        from_json_schema(tree.as_bytes(), "t"),
        Err(DeriveError::TooLarge)
    ));
    let list = r##"{"properties":{"id":{"type":"string"},"next":{"$ref":"#"}}}"##;
    assert!(
        !derived(list).left_out.is_empty(),
        "it ends at the deepest level"
    );
}

#[test]
fn names_that_would_end_a_field_have_no_column() {
    let out = derived(
        r#"{"properties":{"a;b":{"type":"string"},"c d":{"type":"string"},"e":{"type":"string"}}}"#,
    );
    assert_eq!(out.left_out, ["a;b", "c d"]);
}
