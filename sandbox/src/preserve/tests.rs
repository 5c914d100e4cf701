//! State files there and back: every kind of value, Hindsight's own files, hostile files, random data.

use mlua::Lua;
use proptest::prelude::*;

use super::*;

fn save_of(lua: &Lua) -> Result<Vec<u8>, String> {
    let mut result = None;
    // SAFETY: the state is only used here.
    let run = unsafe { lua.exec_raw::<()>((), |state| result = Some(save(state, "1:2"))) };
    run.expect("nothing is raised");
    result.expect("it ran")
}

fn restore_to(lua: &Lua, file: &[u8]) -> Result<(), String> {
    let mut result = None;
    // SAFETY: the state is only used here.
    let run = unsafe { lua.exec_raw::<()>((), |state| result = Some(restore(state, file))) };
    run.expect("nothing is raised");
    result.expect("it ran")
}

/// A state with the mark of empty arrays, with libraries that plugins see as modules, and `counter`.
fn fresh() -> Lua {
    let lua = Lua::new();
    // SAFETY: balanced pushes and pops.
    let made = unsafe {
        lua.exec_raw::<()>((), |state| {
            ffi::luaL_newmetatable(state, EMPTY_ARRAY.as_ptr());
            counter::open(state);
            ffi::lua_settop(state, 0);
        })
    };
    made.expect("nothing is raised");
    lua.load(
        "for name, value in pairs(_G) do if type(value) == 'table' and value ~= _G then setmetatable(value, {}) end end
         array_mark = nil",
    )
    .exec()
    .expect("good");
    lua
}

/// A userdata that can preserve itself: it holds one number.
mod counter {
    use super::*;

    unsafe extern "C-unwind" fn new(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: the userdata has room for one number.
        unsafe {
            let start = ffi::luaL_checknumber(state, 1);
            *ffi::lua_newuserdata(state, 8).cast::<f64>() = start;
            ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, c"counter".as_ptr());
            ffi::lua_setmetatable(state, -2);
        }
        1
    }

    unsafe extern "C-unwind" fn set(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: called on a counter.
        unsafe { *ffi::lua_touserdata(state, 1).cast::<f64>() = ffi::luaL_checknumber(state, 2) };
        0
    }

    unsafe extern "C-unwind" fn get(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: called on a counter.
        unsafe { ffi::lua_pushnumber(state, *ffi::lua_touserdata(state, 1).cast::<f64>()) };
        1
    }

    unsafe extern "C-unwind" fn preserve(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: called with a counter and its path.
        unsafe {
            let key = std::ffi::CStr::from_ptr(ffi::lua_tostring(state, 2)).to_string_lossy();
            let value = *ffi::lua_touserdata(state, 1).cast::<f64>();
            let text = format!("if {key} == nil then {key} = counter.new(0) end\n{key}:set({value})\n");
            ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
        }
        1
    }

    pub unsafe fn open(state: *mut ffi::lua_State) {
        // SAFETY: builds the metatable and the module table.
        unsafe {
            ffi::luaL_newmetatable(state, c"counter".as_ptr());
            ffi::lua_pushcfunction(state, preserve);
            ffi::lua_setfield(state, -2, METHOD.as_ptr());
            ffi::lua_newtable(state);
            ffi::lua_pushcfunction(state, set);
            ffi::lua_setfield(state, -2, c"set".as_ptr());
            ffi::lua_pushcfunction(state, get);
            ffi::lua_setfield(state, -2, c"get".as_ptr());
            ffi::lua_setfield(state, -2, c"__index".as_ptr());
            ffi::lua_newtable(state);
            ffi::lua_pushcfunction(state, new);
            ffi::lua_setfield(state, -2, c"new".as_ptr());
            ffi::lua_setglobal(state, c"counter".as_ptr());
        }
    }
}

/// Runs `before` in one state, takes its globals over into another and runs `after` there.
fn carry(before: &str, after: &str) -> String {
    let old = fresh();
    old.load(before).exec().expect("good");
    let file = save_of(&old).expect("saved");
    let new = fresh();
    restore_to(&new, &file).expect("restored");
    new.load(after).exec().expect("as before");
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
        "f = print; m = setmetatable({1}, {}); t = {f = print, m = m, n = 1}; co = coroutine.create(print)",
        "assert(m == nil and t.f == nil and t.m == nil and t.n == 1 and co == nil)",
    );
    assert!(!file.contains("_G[\"string\"]"));
}

#[test]
fn the_first_lines() {
    let lua = fresh();
    lua.load("_PRESERVATION_VERSION = 3").exec().expect("good");
    let file = save_of(&lua).expect("saved");
    let expected = "-- position: 1:2\nif _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 3 then return end\n";
    assert!(file.starts_with(expected.as_bytes()));
    assert!(!String::from_utf8_lossy(&file[expected.len()..]).contains("_PRESERVATION_VERSION"));
    assert_eq!(position(&file), Some("1:2".into()));
    assert_eq!(position(b"_G[\"a\"] = 1\n"), None);
}

#[test]
fn another_version_is_another_state() {
    let file = b"if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 1 then return end\n_G[\"a\"] = 1\n";
    for (own, restored) in [("nil", "1"), ("1", "1"), ("2", "nil"), ("'x'", "nil")] {
        let lua = fresh();
        lua.load(format!("_PRESERVATION_VERSION = {own}")).exec().expect("good");
        restore_to(&lua, file).expect("restored");
        lua.load(format!("assert(a == {restored})")).exec().expect(own);
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
    lua.load("c = counter.new(1); same = c").exec().expect("good");
    let file = b"if _G[\"c\"] == nil then _G[\"c\"] = counter.new(0) end\n_G[\"c\"]:set(5)\n";
    restore_to(&lua, file).expect("restored");
    lua.load("assert(c == same and c:get() == 5)").exec().expect("filled");
}

#[test]
fn empty_arrays_keep_their_mark() {
    let lua = fresh();
    restore_to(&lua, b"_G[\"a\"] = {nil}\n_G[\"b\"] = {}\n").expect("restored");
    let file = save_of(&lua).expect("saved");
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("_G[\"a\"] = {nil}\n_G[\"b\"] = {}\n"), "{text}");
    lua.load("a[1] = 5").exec().expect("good");
    let text = String::from_utf8(save_of(&lua).expect("saved")).expect("text");
    assert!(text.contains("_G[\"a\"] = {}\n_G[\"a\"][1] = 5\n"), "{text}");
}

#[test]
fn hostile_files_run_nothing() {
    let refused = [
        ("_G[\"x\"] = os.execute(\"touch /tmp/x\")", "line 1: os.execute is no constructor"),
        ("_G[\"x\"] = evil.new(1)", "line 1: evil.new is no constructor"),
        ("_G[\"x\"] = string.rep(\"x\", 1e9)", "line 1: string.rep is no constructor"),
        ("_G[\"x\"] = fake.new(1)", "fake.new makes nothing that is preserved"),
        ("_G[\"string\"][\"format\"] = 1", "_G[\"string\"] is no table of data"),
        ("_G[\"s\"] = _G[\"string\"][\"format\"]", "leads nowhere"),
        ("_G[\"t\"][\"u\"] = 1", "_G[\"t\"] is no table of data"),
        ("_G[\"nobody\"]:close()", "close is called on something that is not preserved"),
        ("_G[\"c\"]:explode(1)", "no method explode"),
        ("_G[\"c\"]:set(\"x\")", "set: bad argument"),
        ("\n\n_G[\"c\"]:set(", "restore_global_data line 3: expected a value near the end of the file"),
    ];
    for (file, expected) in refused {
        let lua = fresh();
        lua.load("evil = {new = function() error('ran') end}; fake = {new = type}; c = counter.new(1); t = 5")
            .exec()
            .expect("good");
        let error = restore_to(&lua, file.as_bytes()).expect_err(file);
        assert!(error.starts_with("restore_global_data ") && error.contains(expected), "{error}");
    }
}

#[test]
fn functions_are_not_overwritten_by_data() {
    let lua = fresh();
    lua.load("function process_message() return 0 end").exec().expect("good");
    restore_to(&lua, b"_G[\"process_message\"] = 5\n_G[\"string\"] = {}\n").expect("restored");
    lua.load("assert(process_message() == 0 and string.format)").exec().expect("kept");
}

#[test]
fn keys_that_cannot_be_written() {
    let lua = fresh();
    lua.load("t = {[{}] = 1}").exec().expect("good");
    let error = save_of(&lua).expect_err("a table as key");
    assert!(error.starts_with("serialize_data cannot preserve type 'table'"), "{error}");
}

#[test]
fn deep_tables_are_carried_up_to_the_limit() {
    carry(
        "t = {} local at = t for i = 1, 900 do at.n = {} at = at.n end at.v = 1",
        "local at = t for i = 1, 900 do at = at.n end assert(at.v == 1)",
    );
    let lua = fresh();
    lua.load("t = {} local at = t for i = 1, 2000 do at.n = {} at = at.n end").exec().expect("good");
    let error = save_of(&lua).expect_err("too deep");
    assert!(error.contains("nests deeper than 1000 tables"), "{error}");
}

#[test]
fn what_plain_lua_reads_we_wrote() {
    let lua = fresh();
    lua.load("a = {1.5, 'x\\0y\\r\\n\\\\', {true}}; b = -1/0").exec().expect("good");
    let file = save_of(&lua).expect("saved");
    let plain = Lua::new();
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
        any::<f64>().prop_filter("has digits", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        any::<i32>().prop_map(|n| n.to_string()),
    ];
    let key = prop_oneof![string.clone(), number.clone(), Just("true".to_owned())];
    let leaf = prop_oneof![string, number, Just("true".to_owned()), Just("false".to_owned())];
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
    assert(same(value, ...))";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_data_comes_back(text in expression()) {
        let old = fresh();
        old.load(format!("value = {text}")).exec().expect("good");
        let file = save_of(&old).expect("saved");
        let new = fresh();
        restore_to(&new, &file).expect("restored");
        let expected: mlua::Value = new.load(format!("return {text}")).eval().expect("good");
        new.load(SAME).call::<()>(expected).expect("the same");
        prop_assert_eq!(save_of(&new).expect("saved"), file);
    }

    #[test]
    fn damaged_files_end_without_panic(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let lua = fresh();
        lua.load("t = {1, {2, 'x'}, k = {}}; t.k.t = t; c = counter.new(3)").exec().expect("good");
        let mut file = save_of(&lua).expect("saved");
        let at = at.index(file.len());
        file[at] = byte;
        if cut {
            file.truncate(at);
        }
        let _ = restore_to(&fresh(), &file);
    }
}
