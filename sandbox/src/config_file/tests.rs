//! Tests of configuration texts: what they may set, on which line, and how bad ones end.

use super::*;
use proptest::prelude::*;

fn table(text: &str) -> Table {
    evaluate(text.as_bytes()).expect("the text is good").table
}

fn error(text: &str) -> (u32, String) {
    let error = evaluate(text.as_bytes()).expect_err("the text is bad");
    (error.line(), error.to_string())
}

/// Each entry as `path line value`, to any depth.
fn list(text: &str) -> Vec<String> {
    fn walk(table: &Table, prefix: &str, out: &mut Vec<String>) {
        for entry in table {
            let path = format!("{prefix}{}", entry.key);
            match &entry.value {
                Value::Table(inner) => {
                    out.push(format!("{path} {} table", entry.line));
                    walk(inner, &format!("{path}."), out);
                }
                Value::String(text) => {
                    out.push(format!("{path} {} '{}'", entry.line, text.escape_ascii()));
                }
                Value::Number(number) => out.push(format!("{path} {} {number}", entry.line)),
                Value::Bool(truth) => out.push(format!("{path} {} {truth}", entry.line)),
            }
        }
    }
    let mut out = Vec::new();
    walk(&table(text), "", &mut out);
    out
}

#[test]
fn globals_keep_their_order_and_the_line_of_the_last_assignment() {
    let found = list("b = 1\na = 'x\\0y'\n\nb = b + 1\nc = true\nd = nil c = nil\n");
    assert_eq!(found, ["b 4 2", "a 2 'x\\x00y'"]);
}

#[test]
fn nested_keys_have_their_lines_in_the_order_of_the_text() {
    let text = "-- a comment { x = 1\nt = {\n  z = 1, -- }\n  ['y y'] = { deep =\n 2 };\n  'first',\n  [7] = [[\n\n]],\n  'second' }\nt.w = 5\nt['v'] = { 1,\n 2 }\n";
    let expected = [
        "t 2 table",
        "t.z 3 1",
        "t.y y 4 table",
        "t.y y.deep 4 2",
        "t.1 6 'first'",
        "t.7 7 '\\n'",
        "t.2 10 'second'",
        "t.w 11 5",
        "t.v 12 table",
        "t.v.1 12 1",
        "t.v.2 13 2",
    ];
    assert_eq!(list(text), expected);
}

#[test]
fn keys_the_text_does_not_show_have_the_line_of_their_table() {
    let text = "local n = 'k'\nt = {[n .. '2'] = 1,\n [n .. '1'] = 2}\nu = t\n";
    assert_eq!(
        list(text),
        [
            "t 2 table",
            "t.k1 2 2",
            "t.k2 2 1",
            "u 4 table",
            "u.k1 4 2",
            "u.k2 4 1"
        ]
    );
}

#[test]
fn equality_and_calls_are_not_taken_for_assignments() {
    let text = "if a == nil then b = {x = (1 == 2), y = {1, 2},\n z = 3} end\nf = {a = ({1, 2})[1],\n b = 2}\n";
    let lines = list(text);
    assert!(lines.contains(&"b.z 2 3".to_string()), "{lines:?}");
    assert!(lines.contains(&"f.b 4 2".to_string()), "{lines:?}");
}

#[test]
fn there_is_no_library() {
    for name in [
        "tostring",
        "print",
        "require",
        "pcall",
        "_G",
        "string",
        "getfenv",
        "setmetatable",
    ] {
        assert!(
            table(&format!("x = {name} == nil")).get("x") == Some(&Value::Bool(true)),
            "{name}"
        );
    }
    assert_eq!(
        error("x = 1\ny = ('a'):upper()").0,
        2,
        "strings have no methods"
    );
}

#[test]
fn functions_are_left_out_and_reported() {
    let file = evaluate(b"a = 1\nf = function() end\nt = {g = function() end, [true] = 1, 5}")
        .expect("functions are no error");
    let skipped: Vec<String> = file
        .skipped
        .iter()
        .map(|skip| {
            format!(
                "{} {} {} {}",
                skip.path, skip.type_name, skip.is_key, skip.line
            )
        })
        .collect();
    assert_eq!(
        skipped,
        [
            "f function false 2",
            "t.g function false 3",
            "t boolean true 3"
        ]
    );
    assert_eq!(file.table.len(), 2);
}

#[test]
fn numeric_keys_are_cut_to_whole_numbers() {
    assert_eq!(
        list("t = {[1.5] = 'a', [-2.5] = 'b'}"),
        ["t 1 table", "t.-2 1 'b'", "t.1 1 'a'"]
    );
}

#[test]
fn errors_name_the_line() {
    assert_eq!(
        error("a = 1\nb = = 2\n"),
        (2, "unexpected symbol near '='".to_string())
    );
    assert_eq!(error("a = 1\n\nb = c.d\n").0, 3);
    assert!(error("a = 'x").1.contains("unfinished string"));
}

#[test]
fn endless_and_greedy_texts_end_with_an_error() {
    let cases = [
        ("while true do end", "instructions"),
        ("repeat until false", "instructions"),
        ("for i = 1, 1e12 do a = i end", "instructions"),
        ("local function f() return f() end f()", "instructions"),
        ("local function f() return 1 + f() end f()", "overflow"),
        (
            "a = 'xxxxxxxxxxxxxxxx' while true do a = a .. a end",
            "memory",
        ),
        (
            "t = {} while true do t = {t, {}, {}, {}, {}, {}, {}, {}, {}} end",
            "memory",
        ),
        ("t = {} t.t = t", "nested deeper"),
        (
            "t = {1} for i = 1, 40 do t = {t, t} end",
            "more than 500000 values",
        ),
        (
            "s = 'x' for i = 1, 20 do s = s .. s end t = {} for i = 1, 99 do t[i] = s end",
            "strings take",
        ),
    ];
    for (text, expected) in cases {
        let (_, message) = error(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn deep_source_is_an_error() {
    for (open, close) in [("{", "}"), ("(", ")"), ("{{1},", "}")] {
        let text = format!("t = {}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(evaluate(text.as_bytes()).is_err());
    }
}

#[test]
fn compiled_lua_is_refused() {
    assert!(error("\x1bLJ\x02").1.contains("compiled Lua"));
    assert_eq!(compile(b"\x1bLua").expect_err("no bytecode").line(), 0);
}

#[test]
fn an_oversized_text_is_refused() {
    let text = vec![b' '; MAX_TEXT + 1];
    assert!(matches!(
        evaluate(&text),
        Err(ConfigFileError::Limit { .. })
    ));
}

#[test]
fn compile_runs_nothing() {
    assert_eq!(compile(b"while true do end"), Ok(()));
    assert_eq!(
        compile(b"#!/usr/bin/lua\nlocal a = 1").map_err(|e| e.to_string()),
        Ok(())
    );
    assert_eq!(compile(b"local a\nlocal = 2").map_err(|e| e.line()), Err(2));
}

proptest! {
    #[test]
    fn any_text_gives_a_table_or_an_error(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = evaluate(&text);
    }

    #[test]
    fn any_tokens_give_a_table_or_an_error(
        words in proptest::collection::vec(
            prop_oneof!["a", "b", "t", "=", "==", "\\{", "\\}", "\\[", "\\]", ",", ";", "\"x\"", "'",
                        "\\[\\[", "\\]\\]", "--", "\n", "1", "2.5", "\\(", "\\)", "\\.", "\\\\"],
            0..60,
        )
    ) {
        let text = words.join(" ");
        let _ = Outline::read(text.as_bytes());
        let _ = evaluate(text.as_bytes());
    }

    #[test]
    fn numbers_and_strings_survive(number in any::<f64>(), text in proptest::collection::vec(any::<u8>(), 0..50)) {
        prop_assume!(number.is_finite());
        let escaped: String = text.iter().map(|byte| format!("\\{byte:03}")).collect();
        let file = table(&format!("n = {number:e}\ns = '{escaped}'"));
        prop_assert_eq!(file.get("n"), Some(&Value::Number(number)));
        prop_assert_eq!(file.get("s").and_then(Value::as_bytes), Some(text.as_slice()));
    }
}

#[test]
fn texts_on_one_thread_know_nothing_of_each_other() {
    assert_eq!(list("a = 1 t = {x = 2}"), ["a 1 1", "t 1 table", "t.x 1 2"]);
    assert_eq!(list("b = a c = t == nil"), ["c 1 true"]);
    // Not after a fault either, nor after a text that took much memory.
    error("a = 1 error()");
    assert_eq!(list("c = a == nil"), ["c 1 true"]);
    list("a = 'x' for i = 1, 20 do a = a .. a end");
    assert_eq!(list("c = a == nil"), ["c 1 true"]);
}

#[test]
fn each_text_has_the_whole_budget() {
    let most = MAX_INSTRUCTIONS / 4;
    for _ in 0..8 {
        assert_eq!(list(&format!("for i = 1, {most} do end a = 1")), ["a 1 1"]);
    }
}
