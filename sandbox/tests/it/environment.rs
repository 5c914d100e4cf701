//! What plugins find in their globals, and what they do not.

use sandbox::Kind::{Analysis, Input, Output};
use sandbox::value::Table;

use crate::common::*;

/// The globals that every kind of plugin has.
const BASE: &str = "_G _VERSION assert error gcinfo getfenv getmetatable ipairs module next package pairs pcall print \
    rawequal rawget rawset require select setfenv setmetatable tonumber tostring type unpack xpcall read_config \
    decode_message";

fn globals(kind: sandbox::Kind) -> Vec<String> {
    let (mut sandbox, notes) = make({
        let mut spec = spec(
            kind,
            "local t = {} for k in pairs(_G) do t[#t + 1] = k end \
             function process_message() for _, k in ipairs(t) do print(k) end return 0 end",
        );
        spec.log_level = 7;
        spec
    });
    let message = sample();
    match kind {
        Input => sandbox.process_input(&sandbox::Checkpoint::None),
        _ => sandbox.process_message(&message, &message, None),
    };
    let mut names: Vec<String> = notes
        .lock()
        .expect("held")
        .log
        .iter()
        .map(|(_, text)| text.clone())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn check_globals(kind: sandbox::Kind, more: &str) {
    let mut expected: Vec<String> = BASE
        .split_whitespace()
        .chain(more.split_whitespace())
        .map(String::from)
        .collect();
    expected.sort();
    assert_eq!(globals(kind), expected);
}

#[test]
fn an_analysis_plugin_finds_exactly_its_functions() {
    check_globals(
        Analysis,
        "inject_message inject_payload add_to_payload read_message",
    );
}

#[test]
fn an_input_plugin_finds_exactly_its_functions() {
    check_globals(
        Input,
        "inject_message create_stream_reader create_message_matcher is_running output collectgarbage",
    );
}

#[test]
fn an_output_plugin_finds_exactly_its_functions() {
    let own = "inject_message read_message encode_message update_checkpoint create_message_matcher output";
    check_globals(Output, &format!("{own} collectgarbage"));
}

#[test]
fn output_is_gone_after_the_main_chunk() {
    for kind in [Input, Output] {
        check(kind, "output('x', 1, nil, true)");
        run_ok(kind, "assert(output == nil)");
    }
}

#[test]
fn nothing_that_breaks_the_cage_is_within_reach() {
    check(
        Input,
        "for _, name in ipairs {'ffi', 'jit', 'debug', 'load', 'loadstring', 'loadfile', 'dofile', 'newproxy', 'bit'} do
            assert(_G[name] == nil, name)
            if name ~= 'load' then assert(not pcall(require, name), name) end
        end
        for k in pairs(package) do assert(k == 'seeall', k) end
        require 'string' assert(string.dump == nil)",
    );
}

#[test]
fn libraries_are_there_only_after_require() {
    check(
        Analysis,
        "assert(string == nil and table == nil and math == nil and os == nil)
        assert(not pcall(function() return ('x'):upper() end))
        local s = require 'string'
        assert(s == string and ('x'):upper() == 'X')
        assert(next(getmetatable(s)) == nil)
        assert(require 'string' == s)
        require 'table' require 'math' require 'os'
        assert(table.concat {1, 2} == '12' and math.floor(1.5) == 1 and os.time() > 0)
        assert(os.exit == nil and os.getenv == nil and os.execute == nil and os.remove == nil)",
    );
}

#[test]
fn some_libraries_are_disabled_for_analysis() {
    check(
        Analysis,
        "local ok, e = pcall(require, 'io') assert(not ok and e == \"module 'io' disabled\", e)
        local ok, e = pcall(require, 'coroutine') assert(e == \"module 'coroutine' disabled\", e)",
    );
    check(
        Output,
        "require 'io' require 'coroutine' assert(io.write and coroutine.wrap)",
    );
}

#[test]
fn require_explains_its_refusals() {
    check(
        Analysis,
        "local _, e = pcall(require, 'a/b') assert(e == \"invalid module name 'a/b'\", e)
        local _, e = pcall(require, 'x.y')
        assert(e == \"no 'path' configuration was specified for the sandbox; external modules have been disabled\", e)
        local _, e = pcall(require) assert(e == \"bad argument #1 to '?' (string expected, got no value)\", e)",
    );
}

/// A folder with modules, and a spec that finds them.
fn with_modules(modules: &[(&str, &str)], source: &str) -> sandbox::Spec {
    let mut spec = spec(Analysis, source);
    let folder = spec.source_path.with_extension("modules");
    for (name, text) in modules {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }
    let folder = folder.display();
    spec.lua_path = Some(format!("{folder}/none/?.lua;{folder}/?.lua"));
    spec.lua_cpath = Some(format!("{folder}/?.so"));
    spec
}

#[test]
fn lua_modules_are_found_and_named() {
    let modules = [
        (
            "a/b.lua",
            "local name = ... assert(select('#', ...) == 1) return {name = name}",
        ),
        (
            "old.lua",
            "local setmetatable, _G = setmetatable, _G module(..., package.seeall) function f() return 7, _NAME end",
        ),
        (
            "strict.lua",
            "local M = {} local assert = assert setfenv(1, M) function g() return 3 end assert(g() == 3) return M",
        ),
        ("nothing.lua", "x = 1"),
    ];
    make(with_modules(
        &modules,
        "local m = require 'a.b' assert(m.name == 'a.b' and next(getmetatable(m)) == nil)
        require 'old' local n, name = old.f() assert(n == 7 and name == 'old' and old._PACKAGE == '')
        assert(require 'old' == old)
        assert(require 'strict'.g() == 3 and g == nil)
        assert(require 'nothing' == true and x == 1)",
    ));
}

#[test]
fn broken_modules_say_where() {
    let modules = [
        ("syntax.lua", "local = 1"),
        ("loop.lua", "require 'loop'"),
        ("fails.lua", "error('no')"),
        ("c_module.so", "\x7fELF"),
        ("bytecode.lua", "\x1bLJ\x02\x08"),
    ];
    let spec = with_modules(
        &modules,
        "require 'string'
        local function fails(name, ...)
            local ok, e = pcall(require, name)
            assert(not ok)
            for _, part in ipairs {...} do assert(string.find(e, part, 1, true), e) end
        end
        fails('syntax', \"error loading module 'syntax' from file '\", \"syntax.lua':\\n\\t\", 'syntax.lua:1:')
        fails('loop', \"loop or previous error loading module 'loop'\")
        fails('fails', 'fails.lua:1: no')
        fails('fails', \"loop or previous error loading module 'fails'\")
        fails('gone', \"module 'gone' not found:\\n\\tno file '\", \"none/gone.lua'\\n\\tno file '\")
        fails('c_module', 'is a module in C, which is never loaded')
        fails('bytecode', \"error loading module 'bytecode'\")",
    );
    make(spec);
}

#[test]
fn read_config_serves_live_tables() {
    let mut spec = spec(
        Analysis,
        "assert(read_config('text') == 'x' and read_config('n') == 1.5 and read_config('flag') == false)
        assert(read_config('gone') == nil)
        local t = read_config('t') assert(t.a == 1 and t[3] == 'three')
        t.new = true assert(read_config('t').new)
        local ok, e = pcall(read_config) assert(e == \"bad argument #1 to '?' (string expected, got no value)\", e)
        local ok, e = pcall(read_config, 'a', 'b') assert(e == \"bad argument #0 to '?' (too many arguments)\", e)",
    );
    spec.config.set("text", "x");
    spec.config.set("n", 1.5);
    spec.config.set("flag", false);
    let mut table = Table::new();
    table.set("a", 1.0);
    table.set(3i64, "three");
    spec.config.set("t", table);
    make(spec);
}

#[test]
fn errors_are_plain_strings_with_places() {
    check(
        Analysis,
        "require 'string'
        local ok, e = pcall(function() inject_message(nil) end)
        assert(type(e) == 'string' and e:match(\"^.-%.lua:2: bad argument #1 to 'inject_message' %(table expected, got nil%)$\"), e)
        local ok, e = pcall(inject_message)
        assert(e == \"bad argument #1 to '?' (table expected, got no value)\", e)
        assert(select('#', pcall(error, nil)) == 2)
        local ok, e = pcall(error, {code = 3}) assert(e.code == 3)",
    );
    let error = main_chunk_error(Analysis, "\n\nerror('boom')");
    assert!(error.ends_with(".lua:3: boom"), "{error}");
    assert_eq!(
        main_chunk_error(Analysis, "error(nil)"),
        "<nil error message>"
    );
    assert_eq!(
        main_chunk_error(Analysis, "error({})"),
        "<error object is a table>"
    );
    assert!(main_chunk_error(Analysis, "x = = 1").contains(":1: "));
    assert!(
        !main_chunk_error(Analysis, "\x1bLJ\x02").is_empty(),
        "bytecode is refused"
    );
    check(Analysis, "#!/usr/bin/lua\nassert(true)");
}

#[test]
fn pcall_and_xpcall_behave_like_luas() {
    check(
        Analysis,
        "local function results(...) return select('#', ...), ... end
        local n, ok, a, b = results(pcall(function(...) return ... end, 1, nil)) assert(n == 3 and ok and a == 1 and b == nil)
        local n, ok, e = results(pcall(error, 'x', 0)) assert(n == 2 and not ok and e == 'x')
        assert(not pcall(pcall))
        local n, ok, e = results(xpcall(function() error('x', 0) end, function(e) return e .. '!' end))
        assert(n == 2 and ok == false and e == 'x!')
        local n, ok, a = results(xpcall(function(a) return a end, print, 5)) assert(n == 2 and ok and a == 5)
        local ok, e = xpcall(function() error('first', 0) end, function() error('second', 0) end)
        assert(not ok and e == 'second', e)
        assert(select(2, pcall(nil)) == 'attempt to call a nil value')",
    );
}

#[test]
fn tostring_shows_no_addresses() {
    check(
        Input,
        "require 'string' require 'coroutine'
        local t = {} local co = coroutine.create(function() end)
        for _, value in ipairs {t, print, co, create_stream_reader('x'), function() end} do
            local text = tostring(value)
            assert(text == tostring(value), 'it stays the same')
            local id = text:match('^%a+: 0x(%x+)$')
            assert(id and tonumber(id, 16) < 1000, text)
        end
        assert(tostring(t) ~= tostring({}))
        assert(tostring(nil) == 'nil' and tostring(true) == 'true' and tostring(1e15) == '1e+15')
        assert(tostring(setmetatable({}, {__tostring = function() return 'mine' end})) == 'mine')
        assert(not pcall(tostring, setmetatable({}, {__tostring = function() return {} end})))",
    );
}

#[test]
fn metatables_of_strings_and_objects_are_out_of_reach() {
    check(
        Input,
        "require 'string'
        local mt = getmetatable('')
        assert(type(mt) ~= 'table')
        assert(type(getmetatable(create_stream_reader('x'))) ~= 'table')
        assert(not pcall(setmetatable, '', {}))
        local reader = create_stream_reader('x')
        assert(reader.__gc == nil and not pcall(setmetatable, reader, {}))",
    );
}

#[test]
fn no_finalizer_of_a_plugin_runs() {
    check(
        Input,
        "for i = 1, 100 do setmetatable({}, {__gc = function() ran = true end}) end
        collectgarbage() collectgarbage() assert(ran == nil)",
    );
}

#[test]
fn a_missing_file_is_told() {
    let spec = sandbox::Spec::new(Analysis, "analysis.none", "/nonexistent/none.lua");
    let error = try_make(spec).0.expect_err("there is none").to_string();
    assert!(
        error.starts_with("cannot read /nonexistent/none.lua: "),
        "{error}"
    );
}

#[test]
fn coroutines_work_for_outputs() {
    check(
        Output,
        "require 'coroutine'
        local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
        assert(coroutine.status(co) == 'suspended')
        local ok, x = coroutine.resume(co, 1) assert(ok and x == 2)
        local ok, x = coroutine.resume(co, 5) assert(ok and x == 10 and coroutine.status(co) == 'dead')
        local ok, e = coroutine.resume(co) assert(not ok and e == 'cannot resume dead coroutine')
        local f = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) end end)
        assert(f() == 1 and f() == 2)
        local f = coroutine.wrap(function() error('x', 0) end)
        local ok, e = pcall(f) assert(not ok and e == 'x')
        assert(coroutine.running() == nil)
        coroutine.wrap(function() assert(coroutine.status(coroutine.running()) == 'running') end)()
        assert(not pcall(coroutine.yield, 1))
        local co co = coroutine.create(function() return coroutine.resume(co) end)
        local _, ok, e = coroutine.resume(co) assert(ok == false and e == 'cannot resume non-suspended coroutine')",
    );
}
