//! Programs that try to run for ever, keep the limit's error, or break the host. Every one has to end.

use sandbox::Kind::{Analysis, Output};
use sandbox::{Answer, Kind};

use crate::common::*;

/// Runs a program under tight limits; true if it was ended by its instruction limit.
fn attack(kind: Kind, body: &str) -> Answer {
    let libraries = if kind == Analysis {
        ""
    } else {
        "require 'coroutine' "
    };
    let source = format!(
        "require 'string' require 'table' require 'math' {libraries}function process_message() {body} end"
    );
    watched(move || {
        let mut spec = spec(kind, &source);
        spec.limits.instructions = 100_000;
        spec.limits.memory = 8 * 1024 * 1024;
        let (mut sandbox, _) = make(spec);
        let message = sample();
        let answer = sandbox.process_message(&message, &message, None);
        // The state must still be sound enough to be looked at and closed.
        let _ = sandbox.timer_event(0, true);
        let _ = sandbox.preserve("");
        answer
    })
}

#[track_caller]
fn ends_at_the_limit(kind: Kind, body: &str) {
    match attack(kind, body) {
        Answer::Terminated(text) => assert!(
            text.ends_with("instruction_limit exceeded"),
            "{body}: {text}"
        ),
        other => panic!("{body}: {other:?}"),
    }
}

/// It ends, with whatever answer.
fn ends(kind: Kind, body: &str) {
    let _ = attack(kind, body);
}

#[test]
fn the_limit_cannot_be_caught() {
    for body in [
        "while true do pcall(function() while true do end end) end",
        "local function f() while true do pcall(f) end end f()",
        "while true do xpcall(function() while true do end end, function() end) end",
        "xpcall(function() while true do end end, function() while true do end end) return 0",
        "xpcall(function() error('x') end, function() while true do end end) return 0",
        "pcall(pcall, pcall, function() while true do end end) return 0",
        "pcall(function() while true do end end) return 0",
        "pcall(string.gsub, string.rep('x', 1e4), 'x', function() while true do end end) return 0",
        "pcall(table.sort, {1, 2, 3, 4}, function() while true do end end) return 0",
        "pcall(tostring, setmetatable({}, {__tostring = function() while true do end end})) return 0",
        "local t = setmetatable({}, {__index = function() while true do end end}) pcall(function() return t.x end) return 0",
        "local t = setmetatable({}, {__lt = function() while true do end end}) pcall(function() return t < t end) return 0",
        "local t = setmetatable({}, {__concat = function() while true do end end}) pcall(function() return t .. t end) return 0",
        "local t = setmetatable({}, {__call = function() while true do end end}) pcall(t) return 0",
    ] {
        ends_at_the_limit(Analysis, body);
    }
}

#[test]
fn coroutines_cannot_swallow_it() {
    for body in [
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "coroutine.resume(coroutine.create(function() while true do end end)) return 0",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local co = coroutine.create(function() while true do coroutine.yield() end end) while true do coroutine.resume(co) end",
        "local function f() local co = coroutine.wrap(f) while true do pcall(co) end end f()",
    ] {
        ends_at_the_limit(Output, body);
    }
}

#[test]
fn native_functions_pay_too() {
    for body in [
        "string.find(string.rep('a', 30000), string.rep('a?', 30000) .. 'b')",
        "string.find(string.rep('a', 50000), '.-.-.-.-b')",
        "string.match(string.rep('a', 50000), 'a*a*a*a*b')",
        "for _ in string.gmatch(string.rep('a', 50000), 'a*a*a*b') do end",
        "string.gsub(string.rep('a', 50000), 'a*a*a*b', '')",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end",
        "local t = {} for i = 1, 20000 do t[i] = 'x' end while true do table.concat(t) end",
        "local t = {} while true do table.insert(t, 1, 1) end",
        "while true do string.rep('ab', 1e5) end",
        "while true do string.format('%s', string.rep('x', 1e5)) end",
        "local s = string.rep('a', 1e6) while true do string.find(s, 'b', 1, true) end",
        "local s = string.rep('a', 2e6) string.find(s, string.rep('a', 1e5) .. 'b', 1, true) while true do end",
        "local m = {} while true do pcall(inject_message, m) end",
        "while true do pcall(decode_message, string.rep('x', 1e4)) end",
        "while true do pcall(require, 'x.y') end",
        "while true do pcall(read_message, 'Fields[x]', 1e9) end",
    ] {
        match attack(Analysis, body) {
            Answer::Terminated(text) => {
                let ended = text.ends_with("instruction_limit exceeded")
                    || text.ends_with("not enough memory")
                    || text.contains("too complex")
                    || text.contains("too long");
                assert!(ended, "{body}: {text}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn native_recursion_is_bounded() {
    for body in [
        "local function f() string.gsub('x', 'x', f) end f()",
        "local function f() table.sort({1, 2}, f) end f()",
        "local function f() pcall(f) end f() return 0",
        "local function f() xpcall(f, f) end f() return 0",
        "local t = {} setmetatable(t, {__tostring = function() return tostring(t) end}) tostring(t)",
        "local function f() return f() + 1 end f()",
        "local t = {} for i = 1, 1000 do t = setmetatable({}, {__index = t}) end return t.x",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]",
        "local s = string.rep('(', 5000) string.find('x', s)",
        "string.find('x', string.rep('%b()', 5000)) return 0",
        "unpack({}, 0, 2^31 - 1)",
        "unpack({}, 1, 1e8)",
        "string.char(unpack({}, 1, 7000))",
        "print(string.format(string.rep('%d', 1000)))",
        "select(-1e9, 1)",
        "setmetatable(_G, {__index = function() error('x') end, __newindex = error}) return 0",
        "setfenv(0, setmetatable({}, {__index = function() error('x') end})) return 0",
        "process_message = setmetatable({}, {__call = error}) timer_event = 1 return 0",
        "error(setmetatable({}, {__tostring = function() while true do end end}))",
        "return 0, setmetatable({}, {__tostring = function() while true do end end})",
        "_G.x = {} _G.x.x = _G.x _G[_G] = 1 return 0",
        "local t = {} for i = 1, 1e5 do t = {t} end deep = t return 0",
        "local m = {} while true do m = {Fields = m} end",
        "tostring = function() while true do end end print(1) return 0",
        "local t = {} for k in pairs(_G) do _G[k] = nil end return 0",
        "local x = 1LL local ok = pcall(function() return x.y end) return 0",
        "inject_message {Fields = {f = 1LL}} return 0",
        "for i = 1, 300 do package.seeall(setmetatable({}, {__index = error})) end return 0",
    ] {
        ends(Analysis, body);
    }
    for body in [
        "local function f() coroutine.wrap(f)() end f()",
        "local function f() return coroutine.resume(coroutine.create(f)) end f() return 0",
        "local t = {} for i = 1, 1e6 do t[i] = coroutine.create(function() end) end",
        "local co co = coroutine.wrap(function() co() end) co()",
        "coroutine.wrap(function() pcall(coroutine.yield) end)() return 0",
        "coroutine.wrap(function() string.gsub('x', 'x', coroutine.yield) end)() return 0",
        "coroutine.wrap(function() table.sort({1, 2, 3}, coroutine.yield) end)() return 0",
    ] {
        ends(Output, body);
    }
}

#[test]
fn deep_source_text_is_refused_not_followed() {
    let nested = [
        format!("return {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("return {}{}", "{".repeat(100_000), "}".repeat(100_000)),
        format!("x = {}1", "-".to_string() + &"not ".repeat(100_000)),
        "if x then ".repeat(100_000),
        "function f() ".repeat(100_000),
        format!("x = {}", "a..".repeat(100_000)),
    ];
    for source in nested {
        watched(move || {
            let mut spec = spec(Analysis, &source);
            spec.limits.memory = 64 * 1024 * 1024;
            assert!(try_make(spec).0.is_err());
        });
    }
}

/// One instruction may work for a millisecond; a million of them would run for minutes.
#[test]
fn slow_instructions_count_for_their_time() {
    for body in [
        "local t = {} for i = 1, 1e5 do t[i] = i end for i = 1, 99999 do t[i] = nil end while true do next(t) end",
        "local s = string.rep('x', 1e6) local a, b = s .. 'a', s .. 'b' while true do local x = a < b end",
        "local s = string.rep('1', 1e6) while true do tonumber(s) end",
        "local s = string.rep('x', 1e6) while true do pcall(read_config, s) string.upper(s) end",
    ] {
        ends_at_the_limit(Analysis, body);
    }
}

/// LuaJIT frees such a closure with a wrong size.
#[test]
fn memory_may_end_while_a_closure_is_made() {
    for _ in 0..20 {
        let body = "local t = {} while true do local a, b, c = 1, 2, 3 t[#t + 1] = function() a = b + c return a end end";
        ends(Analysis, body);
    }
}

#[test]
fn a_status_that_is_no_number_is_not_success() {
    match attack(Output, "return 0 / 0") {
        Answer::Terminated(text) => assert!(text.ends_with("must return a numeric status code")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_injected_payload_is_no_longer_than_the_output_limit() {
    let source = "require 'string' local s = string.rep('x', 60000) function timer_event() inject_payload(s, s, s) end";
    let (mut sandbox, notes) = make(spec(Analysis, source));
    let error = sandbox.timer_event(0, false).expect_err("180,000 bytes");
    assert!(error.ends_with("exceeded output_limit"), "{error}");
    assert!(notes.lock().expect("nobody panicked").injected.is_empty());
}

#[test]
fn matchers_count_to_the_memory() {
    let body = "local t = {} local e = 'Type == ' .. string.rep('x', 10000) while true do t[#t + 1] = create_message_matcher(e) end";
    match attack(Output, body) {
        Answer::Terminated(text) => assert!(text.contains("not enough memory"), "{text}"),
        other => panic!("{other:?}"),
    }
}
