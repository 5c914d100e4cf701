//! State files there and back: every kind of value, Hindsight's own files, hostile files, random data.

use proptest::prelude::*;

use super::*;
use crate::lib_string::test_state;
use crate::limits::Limits;
use crate::native::{Call, Class, Error, Function, Object, function};
use crate::sandbox::Kind;
use crate::vm::State;

fn save_of(state: &State) -> Result<Vec<u8>, String> {
    // SAFETY: the state is only used here.
    unsafe { save(state.raw(), "1:2") }
}

fn restore_to(state: &State, file: &[u8]) -> Result<(), String> {
    // SAFETY: the state is only used here.
    unsafe { restore(state.raw(), file) }
}

/// A state with the mark of empty arrays, Lua's libraries as modules, and the module `counter`.
fn fresh() -> State {
    let state = test_state::state(
        Kind::Output,
        Limits {
            memory: 64 << 20,
            ..Limits::default()
        },
    );
    let opened = state.with_call(|call| {
        call.push_library(&[("new", function(new_counter))])?;
        call.push_table(0, 0)?;
        call.set_metatable(-2);
        call.set_global("counter")
    });
    assert!(opened.is_ok());
    state
}

fn exec(state: &State, code: &str) {
    test_state::try_in(state, code).unwrap_or_else(|error| panic!("{error}"));
}

/// A userdata that can preserve itself: it holds one number.
struct Counter(f64);

const METHODS: &[(&str, Function)] = &[("get", function(get)), ("set", function(set))];

impl Object for Counter {
    fn class() -> Class {
        Class {
            name: "counter",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let key = String::from_utf8_lossy(key);
        let lines = format!(
            "if {key} == nil then {key} = counter.new(0) end\n{key}:set({})\n",
            self.0
        );
        out.extend_from_slice(lines.as_bytes());
        Some(Ok(()))
    }
}

fn new_counter(call: &mut Call<'_>) -> Result<usize, Error> {
    let start = call.check_number(1)?;
    call.push_object(Counter(start))?;
    Ok(1)
}

fn set(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<Counter>(1)?.0 = call.check_number(2)?;
    Ok(0)
}

fn get(call: &mut Call<'_>) -> Result<usize, Error> {
    let value = call.check_object::<Counter>(1)?.0;
    call.push_number(value)?;
    Ok(1)
}

/// Runs `before` in one state, takes its globals over into another and runs `after` there.
fn carry(before: &str, after: &str) -> String {
    let old = fresh();
    exec(&old, before);
    let file = save_of(&old).expect("saved");
    let new = fresh();
    restore_to(&new, &file).expect("restored");
    exec(&new, after);
    String::from_utf8_lossy(&file).into_owned()
}

#[test]
fn plain_values_are_exact() {
    let file = carry(
        "a = 0.123456789012; b = 1e300; c = -5e-324; d = 9007199254740993; e = 1/0; f = -1/0; g = 0/0
         h = 'text'; i = true; j = false; k = 1/3; l = 1428523950000000000",
        "assert(a == 0.123456789012 and b == 1e300 and c == -5e-324 and d == 9007199254740992)
         assert(e == 1/0 and f == -1/0 and g ~= g and h == 'text' and i == true and j == false)
         assert(k == 1/3 and l == 1428523950000000000)",
    );
    assert!(file.contains("_G[\"a\"] = 0.123456789012\n"));
    assert!(file.contains("_G[\"g\"] = 0/0\n"));
}

#[test]
fn tables_cycles_and_shared_parts() {
    let file = carry(
        "t = {1, 'two', {3, x = {}}, [true] = 1, [false] = 2, [0.5] = 3, [-1] = 4, ['key with \"\\n'] = 5}
         cycle = {}; cycle.a = {cycle}; shared = t[3]",
        "assert(t[1] == 1 and t[2] == 'two' and t[3][1] == 3 and next(t[3].x) == nil)
         assert(t[true] == 1 and t[false] == 2 and t[0.5] == 3 and t[-1] == 4 and t['key with \"\\n'] == 5)
         assert(cycle.a[1] == cycle and shared == t[3])",
    );
    assert!(file.contains("_G[\"cycle\"][\"a\"][1] = _G[\"cycle\"]\n"));
    assert!(file.contains("_G[\"t\"][3] = _G[\"shared\"]\n"));
}

#[test]
fn the_same_state_gives_the_same_file() {
    let first = carry("t = {} for i = 1, 50 do t['k' .. i] = i end", "");
    let second = carry("t = {} for i = 50, 1, -1 do t['k' .. i] = i end", "");
    assert_eq!(first, second);
}

#[test]
fn functions_modules_and_objects_are_skipped() {
    let file = carry(
        "f = print; m = setmetatable({1}, {}); t = {f = print, m = m, n = 1}; u = io.stdout; v = u",
        "assert(m == nil and t.f == nil and t.m == nil and t.n == 1 and u == nil and v == nil)",
    );
    assert!(!file.contains("_G[\"string\"]"));
}

#[test]
fn the_first_lines() {
    let lua = fresh();
    exec(&lua, "_PRESERVATION_VERSION = 3");
    let file = save_of(&lua).expect("saved");
    let expected = "-- position: 1:2\nif _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 3 then return end\n";
    assert!(file.starts_with(expected.as_bytes()));
    assert!(!String::from_utf8_lossy(&file[expected.len()..]).contains("_PRESERVATION_VERSION"));
    assert_eq!(position(&file), Some("1:2".into()));
    assert_eq!(position(b"_G[\"a\"] = 1\n"), None);
}

#[test]
fn another_version_is_another_state() {
    let file =
        b"if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 1 then return end\n_G[\"a\"] = 1\n";
    for (own, restored) in [("nil", "1"), ("1", "1"), ("2", "nil"), ("'x'", "nil")] {
        let lua = fresh();
        exec(&lua, &format!("_PRESERVATION_VERSION = {own}"));
        restore_to(&lua, file).expect("restored");
        exec(&lua, &format!("assert(a == {restored})"));
    }
}

#[test]
fn userdata_preserve_themselves() {
    let file = carry(
        "c = counter.new(7); t = {c, counter.new(8)}; d = c",
        "assert(c:get() == 7 and t[1] == c and t[2]:get() == 8 and d == c)",
    );
    assert!(file.contains("if _G[\"c\"] == nil then _G[\"c\"] = counter.new(0) end\n"));
}

#[test]
fn a_userdata_of_the_main_chunk_is_filled_not_replaced() {
    let lua = fresh();
    exec(&lua, "c = counter.new(1); same = c");
    let file = b"if _G[\"c\"] == nil then _G[\"c\"] = counter.new(0) end\n_G[\"c\"]:set(5)\n";
    restore_to(&lua, file).expect("restored");
    exec(&lua, "assert(c == same and c:get() == 5)");
}

#[test]
fn empty_arrays_keep_their_mark() {
    let lua = fresh();
    restore_to(&lua, b"_G[\"a\"] = {nil}\n_G[\"b\"] = {}\n").expect("restored");
    let file = save_of(&lua).expect("saved");
    let text = String::from_utf8_lossy(&file);
    assert!(
        text.contains("_G[\"a\"] = {nil}\n_G[\"b\"] = {}\n"),
        "{text}"
    );
    exec(&lua, "a[1] = 5");
    let text = String::from_utf8(save_of(&lua).expect("saved")).expect("text");
    assert!(
        text.contains("_G[\"a\"] = {}\n_G[\"a\"][1] = 5\n"),
        "{text}"
    );
}

#[test]
fn hostile_files_run_nothing() {
    let refused = [
        (
            "_G[\"x\"] = os.execute(\"touch /tmp/x\")",
            "line 1: os.execute is no constructor",
        ),
        (
            "_G[\"x\"] = evil.new(1)",
            "line 1: evil.new is no constructor",
        ),
        (
            "_G[\"x\"] = string.rep(\"x\", 1e9)",
            "line 1: string.rep is no constructor",
        ),
        (
            "_G[\"x\"] = fake.new(1)",
            "fake.new makes nothing that is preserved",
        ),
        (
            "_G[\"string\"][\"format\"] = 1",
            "_G[\"string\"] is no table of data",
        ),
        ("_G[\"s\"] = _G[\"string\"][\"format\"]", "leads nowhere"),
        ("_G[\"t\"][\"u\"] = 1", "_G[\"t\"] is no table of data"),
        (
            "_G[\"nobody\"]:close()",
            "close is called on something that is not preserved",
        ),
        ("_G[\"c\"]:explode(1)", "no method explode"),
        ("_G[\"c\"]:set(\"x\")", "set: bad argument"),
        (
            "\n\n_G[\"c\"]:set(",
            "restore_global_data line 3: expected a value near the end of the file",
        ),
    ];
    for (file, expected) in refused {
        let lua = fresh();
        exec(
            &lua,
            "evil = {new = function() error('ran') end}; fake = {new = type}; c = counter.new(1); t = 5",
        );
        let error = restore_to(&lua, file.as_bytes()).expect_err(file);
        assert!(
            error.starts_with("restore_global_data ") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn functions_are_not_overwritten_by_data() {
    let lua = fresh();
    exec(&lua, "function process_message() return 0 end");
    restore_to(&lua, b"_G[\"process_message\"] = 5\n_G[\"string\"] = {}\n").expect("restored");
    exec(&lua, "assert(process_message() == 0 and string.format)");
}

#[test]
fn keys_that_cannot_be_written() {
    let lua = fresh();
    exec(&lua, "t = {[{}] = 1}");
    let error = save_of(&lua).expect_err("a table as key");
    assert!(
        error.starts_with("serialize_data cannot preserve type 'table'"),
        "{error}"
    );
}

#[test]
fn deep_tables_are_carried_up_to_the_limit() {
    carry(
        "t = {} local at = t for i = 1, 900 do at.n = {} at = at.n end at.v = 1",
        "local at = t for i = 1, 900 do at = at.n end assert(at.v == 1)",
    );
    let lua = fresh();
    exec(
        &lua,
        "t = {} local at = t for i = 1, 2000 do at.n = {} at = at.n end",
    );
    let error = save_of(&lua).expect_err("too deep");
    assert!(error.contains("nests deeper than 1000 tables"), "{error}");
}

#[test]
fn what_plain_lua_reads_we_wrote() {
    let lua = fresh();
    exec(&lua, "a = {1.5, 'x\\0y\\r\\n\\\\', {true}}; b = -1/0");
    let file = save_of(&lua).expect("saved");
    let plain = mlua::Lua::new();
    plain.load(&file[..]).exec().expect("Lua reads it");
    plain
        .load("assert(a[1] == 1.5 and a[2] == 'x\\0y\\r\\n\\\\' and a[3][1] and b == -1/0)")
        .exec()
        .expect("the same data");
}

/// Random Lua data, as an expression.
fn expression() -> impl Strategy<Value = String> {
    let string = proptest::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| {
        let digits: Vec<String> = bytes.iter().map(|b| format!("\\{b:03}")).collect();
        format!("\"{}\"", digits.concat())
    });
    let number = prop_oneof![
        any::<f64>()
            .prop_filter("has digits", |n| n.is_finite())
            .prop_map(|n| format!("{n:e}")),
        any::<i32>().prop_map(|n| n.to_string()),
    ];
    let key = prop_oneof![string.clone(), number.clone(), Just("true".to_owned())];
    let leaf = prop_oneof![
        string,
        number,
        Just("true".to_owned()),
        Just("false".to_owned())
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|entries| {
            let entries: Vec<String> = entries.iter().map(|(k, v)| format!("[{k}]={v}")).collect();
            format!("{{{}}}", entries.join(","))
        })
    })
}

const SAME: &str = "
    local function same(a, b)
        if type(a) ~= 'table' then return a == b end
        for k, v in pairs(a) do if not same(v, b[k]) then return false end end
        for k in pairs(b) do if a[k] == nil then return false end end
        return true
    end
    assert(same(value, ";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_data_comes_back(text in expression()) {
        let old = fresh();
        exec(&old, &format!("value = {text}"));
        let file = save_of(&old).expect("saved");
        let new = fresh();
        restore_to(&new, &file).expect("restored");
        exec(&new, &format!("{SAME}{text}))"));
        prop_assert_eq!(save_of(&new).expect("saved"), file);
    }

    #[test]
    fn damaged_files_end_without_panic(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let lua = fresh();
        exec(&lua, "t = {1, {2, 'x'}, k = {}}; t.k.t = t; c = counter.new(3)");
        let mut file = save_of(&lua).expect("saved");
        let at = at.index(file.len());
        file[at] = byte;
        if cut {
            file.truncate(at);
        }
        let _ = restore_to(&fresh(), &file);
    }
}
