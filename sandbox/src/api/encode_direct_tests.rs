//! The short way against the long one, on tables of every shape.
#![allow(unsafe_code)]

use proptest::prelude::*;

use super::*;
use crate::api::encode::encode_any_table;
use crate::lib_string::test_state;
use crate::limits::Limits;
use crate::sandbox::Kind;

/// So that neither way makes up what cannot be compared.
const GIVEN: &str = "Uuid = '0123456789abcdef', Timestamp = 1.5e18,";

/// Runs both ways on the table that `code` returns: the short one, and then, with the headers that it may have written, the
/// long one. Where the short way goes it must give the same bytes; says whether it goes.
fn agree(code: &str) -> bool {
    let state = test_state::state(Kind::Input, Limits::default());
    let loaded = state.load(code.as_bytes(), "=table");
    loaded.unwrap_or_else(|text| panic!("{code}: {}", text.escape_ascii()));
    assert!(state.call(0, 1).is_ok(), "{code}");
    let (l, shared) = (state.raw(), state.shared());
    let mut short = Vec::new();
    let mut encoder = Encoder::with_limit(&mut short, shared.limits.output);
    // SAFETY: the table is the only value on the stack, which has room, and nothing runs.
    let (done, top) = unsafe { (encode(l, shared, 1, &mut encoder), ffi::lua_gettop(l)) };
    assert_eq!(top, 1, "{code}");
    let goes = done.is_ok() && !encoder.exceeded();
    let long = state.with_call(|call| {
        let mut out = Vec::new();
        Ok(encode_any_table(call, 1, &mut out)?.map(|()| out))
    });
    let long = long.expect("only memory errors come out here");
    assert!(!goes || long == Ok(short), "{code}");
    goes
}

#[test]
fn what_most_plugins_make_goes_the_short_way() {
    for table in [
        "",
        "Type = 'access', Logger = 'x', Severity = 3, Payload = 'text', EnvVersion = '1', Pid = 7, Hostname = 'h'",
        "Fields = {}",
        "Fields = {host = 'web', status = 200, ratio = 0.25, cached = true, fresh = false, empty = ''}",
        "Fields = {size = {value = 5, value_type = 2, representation = 'B'}}",
        "Fields = {raw = {value = 'bytes', value_type = 1}, flag = {value = true}, text = {value = 'a'}}",
        "Fields = {list = {1, 2, 3}, words = {'a', 'b'}, truths = {true, false}}",
        "Fields = {list = {value = {1, 2, 3}, value_type = 2, representation = 'B'}}",
        "Fields = {a = {1, nil, 3}, b = {true, nil}}",
        "Fields = {a = 1e300, b = -0.0, c = 0/0, d = 1/0, e = -1}",
        "Payload = string.rep('x', 1000), Fields = {[string.rep('n', 200)] = string.rep('v', 300)}",
        "Fields = {[string.rep('n', 130)] = 1.5, [string.rep('m', 200)] = true, [''] = 'unnamed'}",
        "Fields = setmetatable({a = 1}, {__index = {b = 2}, __pairs = error})",
        "Type = nil, Logger = false, Hostname = true, Pid = {}, Severity = print, Payload = {}",
        "1, 2, 3, [0] = 4, Type = 'array beside'",
    ] {
        assert!(agree(&format!("return {{{GIVEN} {table}}}")), "{table}");
    }
}

#[test]
fn what_is_unusual_goes_the_long_way() {
    for table in [
        "Type = 5",
        "Payload = 1.5",
        "Pid = '12'",
        "Severity = '3'",
        "Fields = {'a'}",
        "Fields = {[0] = 'a'}",
        "Fields = {[5e9] = 'a'}",
        "Fields = {[true] = 'a'}",
        "Fields = {{name = 'a', value = 1}, {name = 'b', value = 'c'}}",
        "Fields = {a = print}",
        "Fields = {a = {}}",
        "Fields = {a = {1, 'b'}}",
        "Fields = {a = {value = {}}}",
        "Fields = {a = {value = 1, value_type = 0}}",
        "Fields = {a = {value = 1, value_type = '2'}}",
        "Fields = {a = {value = 1, representation = 7}}",
        "Fields = {a = {[1e6] = 1, value = 2}}",
        "Fields = {a = string.rep('x', 70000)}",
    ] {
        let code = format!("return {{{GIVEN} {table}}}");
        assert!(!agree(&code), "{table}");
    }
}

#[test]
fn tables_that_grew_and_shrank_are_read_as_they_are() {
    for code in [
        "for i = 1, 5000 do f['k' .. i] = i end for i = 1, 4999 do f['k' .. i] = nil end",
        "for i = 1, 300 do f['k' .. i] = i end",
        "for i = 1, 40 do f[i] = i end for i = 1, 40 do f[i] = nil end f.a = 1",
        "f.a = {} for i = 1, 40 do f.a['k' .. i] = i end f.a.value = 3",
        "f.a = {} for i = 1, 3000 do f.a[i] = i end",
        "f.a = {} for i = 3000, 1, -1 do f.a[i] = i end",
    ] {
        agree(&format!(
            "local f = {{}} {code} return {{{GIVEN} Fields = f}}"
        ));
    }
}

#[test]
fn a_missing_header_is_written_into_the_table() {
    let state = test_state::state(Kind::Input, Limits::default());
    let code = "t = {Payload = 'x'} return t";
    assert!(state.load(code.as_bytes(), "=table").is_ok() && state.call(0, 1).is_ok());
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out);
    // SAFETY: the table is the only value on the stack, which has room, and nothing runs.
    let done = unsafe { encode(state.raw(), state.shared(), 1, &mut encoder) };
    assert!(done.is_ok());
    state.with_call(|_| Ok(())).expect("it clears the stack");
    let read = test_state::try_in(
        &state,
        "return t.Logger .. ' ' .. t.Hostname .. ' ' .. t.Pid",
    );
    assert_eq!(read, Ok(b"test host 1".to_vec()));
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,6}".prop_map(|text| format!("'{text}'")),
        (100usize..300).prop_map(|len| format!("('x'):rep({len})")),
        any::<i32>().prop_map(|number| format!("{number}")),
        any::<f64>()
            .prop_filter("it has a literal", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        any::<bool>().prop_map(|truth| truth.to_string()),
        Just("nil".to_owned()),
        Just("print".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-f]{1,2}".prop_map(|name| format!("['{name}']")),
        4 => prop::sample::select(vec!["value", "value_type", "representation", "name", "userdata"])
            .prop_map(|name| format!("['{name}']")),
        1 => (-1i32..6).prop_map(|index| format!("[{index}]")),
    ]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 16, 6, |inner| {
        let entry = prop_oneof![
            (key(), inner.clone()).prop_map(|(key, value)| format!("{key} = {value}")),
            inner,
        ];
        prop::collection::vec(entry, 0..6).prop_map(|entries| format!("{{{}}}", entries.join(", ")))
    })
}

fn header() -> impl Strategy<Value = String> {
    let names = vec![
        "Type",
        "Logger",
        "Severity",
        "Payload",
        "EnvVersion",
        "Pid",
        "Hostname",
    ];
    (prop::sample::select(names), scalar()).prop_map(|(name, value)| format!("{name} = {value}"))
}

proptest! {
    #[test]
    fn any_table_gives_the_same_bytes(
        headers in prop::collection::vec(header(), 0..6),
        fields in prop::collection::vec((key(), value()), 0..8),
    ) {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let (headers, fields) = (headers.join(", "), fields.join(", "));
        agree(&format!("return {{{GIVEN} Fields = {{{fields}}}, {headers}}}"));
    }
}
