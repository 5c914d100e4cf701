//! The string library against LuaJIT's own on the same arguments, and where it differs on purpose.

use proptest::prelude::*;

use super::test_state::{error_of, run, state, try_in};
use crate::limits::Limits;
use crate::sandbox::Kind;
use crate::vm::State;

fn roomy() -> State {
    state(
        Kind::Output,
        Limits {
            memory: 64 << 20,
            instructions: 0,
            ..Limits::default()
        },
    )
}

/// A Lua string constant with these bytes.
fn constant(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|b| format!("\\{b:03}")).collect();
    format!("\"{}\"", digits.concat())
}

/// Every result with its type, as one text; errors without the place.
const SHOW: &str = "
    local function show(ok, ...)
        if not ok then return 'error: ' .. ((...):gsub('^[^:]*:%d+: ', '')) end
        local out = {}
        for i = 1, select('#', ...) do
            local value = select(i, ...)
            out[i] = type(value) .. ' ' .. tostring(value)
        end
        return table.concat(out, ' | ')
    end
    local function all(iterator)
        local out = {}
        for a, b, c in iterator do
            out[#out + 1] = tostring(a) .. ',' .. tostring(b) .. ',' .. tostring(c)
            if #out > 40 then break end
        end
        return table.concat(out, ';')
    end
";

/// What ours and LuaJIT's answer.
fn both(ours: &State, theirs: &mlua::Lua, code: &str) -> (String, String) {
    let code = format!("{SHOW} return show(pcall(function() {code} end))");
    let mine = try_in(ours, &code).unwrap_or_else(|error| error.into_bytes());
    let original: mlua::LuaString = theirs.load(&code).set_name("=test").eval().expect("a text");
    let original = original.as_bytes().to_vec();
    (
        String::from_utf8_lossy(&mine).into_owned(),
        String::from_utf8_lossy(&original).into_owned(),
    )
}

fn same(codes: &[&str]) {
    let (ours, theirs) = (roomy(), mlua::Lua::new());
    for code in codes {
        let (mine, original) = both(&ours, &theirs, code);
        assert_eq!(mine, original, "{code}");
    }
}

#[test]
fn find_and_match() {
    same(&[
        "return string.find('hello world', 'o w')",
        "return string.find('hello', 'l', -2)",
        "return string.find('hello', '', 10)",
        "return string.find('', '')",
        "return string.find('a.b', '.', 2, true)",
        "return string.find('a.b', '%.', 1)",
        "return string.find('key=val', '(%w+)=(%w+)')",
        "return string.find('abc', 'b()', -100)",
        "return string.find('a\\0b', '\\0')",
        "return string.find('a\\0b', '%z')",
        "return string.match('2024-01-02', '(%d+)-(%d+)-(%d+)')",
        "return string.match('abc', '^b')",
        "return string.match('abc', '()b()')",
        "return string.match('  x  ', '^%s*(.-)%s*$')",
        "return string.match('x', 'y')",
        "return string.match('[[x]]', '%b[]')",
        "return string.match('THE (quick) fox', '%f[%a]%a+', 5)",
        "return string.match(12345, '3')",
        "return ('x'):find('x')",
    ]);
}

#[test]
fn gsub_in_all_its_forms() {
    same(&[
        "return string.gsub('abc', '', '-')",
        "return string.gsub('abc', 'b*', 'x')",
        "return string.gsub('hello world', 'o', '0', 1)",
        "return string.gsub('hello', 'l', '%0%0')",
        "return string.gsub('hello', '(l)(l)', '%2-%1')",
        "return string.gsub('hello', 'l', '%1')",
        "return string.gsub('abc', '%w', '%%%0')",
        "return string.gsub('abc', '^a', 'x')",
        "return string.gsub('aaa', '^a', 'x')",
        "return string.gsub('abc', '()', '%1')",
        "return string.gsub('abc', 'b', {b = 'B'})",
        "return string.gsub('abc', '%w', {a = 1, b = false})",
        "return string.gsub('abc', '%w', setmetatable({}, {__index = function(_, k) return k .. k end}))",
        "return string.gsub('abc', '%w', setmetatable({}, {__index = {a = 'A'}}))",
        "return string.gsub('abc', '(a)(b)', function(a, b) return b .. a end)",
        "return string.gsub('abc', '%w', function() end)",
        "return string.gsub('abc', '%w', function(c) return c == 'b' and 5.5 end)",
        "return string.gsub('abc', 'x', 'y')",
        "return string.gsub('abc', 'b', 'y', 0)",
        "return string.gsub('abc', 'b', 'y', -1)",
        "return string.gsub('abc', 'b', 5)",
    ]);
}

#[test]
fn gmatch_and_rep() {
    same(&[
        "return all(string.gmatch('one two  three', '%a+'))",
        "return all(string.gmatch('k=v, a=b', '(%w+)=(%w+)'))",
        "return all(string.gmatch('abc', ''))",
        "return all(string.gmatch('abc', '()'))",
        "return all(string.gmatch('', '%a*'))",
        "return all(string.gmatch('aab', 'a*'))",
        "return all(string.gmatch(1234, 3))",
        "local it = string.gmatch('ab', '.') return it(), it(), it(), it()",
        "return string.gmatch('x')",
        "local _ = string.gmatch(nil, 'x')",
        "for _ in string.gmatch('x', '%') do end",
        "return string.rep('ab', 3)",
        "return string.rep('', 1e9), string.rep('x', 0), string.rep('x', -5)",
        "return string.rep('ab', 3, ',')",
        "return string.rep('x', 2.9)",
    ]);
}

#[test]
fn format_agrees_where_51_and_luajit_agree() {
    same(&[
        "return string.format('%d %i %5d|%-5d|%05d|%+d', 1, 2.9, 3, 4, 5, 6)",
        "return string.format('%x %X %#x %o %u', 255, 255, 255, 8, 7)",
        "return string.format('%5.2f|%-8.3f|%e|%g|%G', 3.14159, 2.5, 1e10, 1e20, 1e-10)",
        "return string.format('%s %10s|%-10s|%.2s', 'a', 'b', 'c', 'def')",
        "return string.format('%s %s', 1, 2.5)",
        "return string.format('%c%c%c', 76, 117, 97)",
        "return string.format('%%')",
        "return string.format('%g %g %g', 1/0, -1/0, 0/0)",
        "return string.format('%.14g', 2^53)",
        "return string.format('%d', '10')",
        "return string.format('%5c|%-5c|', 65, 66)",
        "return string.format('%a', 1)",
    ]);
}

#[test]
fn errors_of_lua_51() {
    same(&[
        "local _ = string.find()",
        "local _ = string.find(nil, 'x')",
        "local _ = string.find('x', {})",
        "local _ = string.match('x')",
        "local _ = string.rep('x')",
        "local _ = string.format()",
        "local _ = string.format('%d', 'x')",
        "local _ = string.format('%y', 1)",
        "local _ = string.gsub('x', 'x')",
        "local _ = string.gsub('x', 'x', true)",
        "local _ = string.gsub('x', 'x', function() return {} end)",
        "local _ = string.gsub('x', 'x', '%2')",
        "local _ = string.gsub('x', 'x', function() error('own', 0) end)",
        "local _ = string.find('x', '[a')",
        "local _ = string.find('x', '%')",
        "local _ = string.find('x', '(x')",
        "local _ = string.find('x', 'x)')",
        "local _ = string.find('x', '%1')",
        "local _ = string.find('x', '%f')",
        "local _ = string.find('x', '%bx')",
    ]);
}

#[test]
fn where_51_differs_from_luajit_we_follow_51() {
    assert_eq!(
        error_of("local s = string.format('%s', nil)"),
        "test:1: bad argument #2 to 'format' (string expected, got nil)"
    );
    assert_eq!(
        error_of("local s = string.format('%s')"),
        "test:1: bad argument #2 to 'format' (string expected, got no value)"
    );
    assert_eq!(
        error_of("local s = string.format('%d')"),
        "test:1: bad argument #2 to 'format' (number expected, got no value)"
    );
    assert_eq!(
        error_of("local s = string.format('%10000d', 1)"),
        "test:1: invalid format (width or precision too long)"
    );
    assert_eq!(
        error_of("local s = 'x' s = s:find(nil)"),
        "test:1: bad argument #1 to 'find' (string expected, got nil)"
    );
    run(
        "assert(string.format('%q', 'a\\0b\\r\\n\"\\\\') == '\"a\\\\000b\\\\r\\\\\\n\\\\\"\\\\\\\\\"')",
    );
    run("assert(string.gfind == string.gmatch and string.dump == nil)");
}

#[test]
fn memory_is_bounded_before_anything_is_built() {
    let limits = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    let small = state(Kind::Output, limits);
    for code in [
        "return string.rep('x', 1e10)",
        "return string.rep('x', 8e6)",
        "return string.rep('ab', 1e300)",
        "local s = string.rep('x', 1e6) return string.format('%s%s%s%s', s, s, s, s)",
        "local s = string.rep('x', 1e6) return (string.gsub(s, 'x', 'xxxxxxxxxxxx'))",
        "local s = string.rep('x', 1e6) return table.concat({s, s, s, s})",
        "local s = string.rep('\\0', 1e6) return string.format('%q', s)",
    ] {
        let error = try_in(&small, code).expect_err(code);
        assert!(error.ends_with("not enough memory"), "{code}: {error}");
    }
}

#[test]
fn pattern_bombs_are_ended() {
    let limits = Limits {
        instructions: 100_000,
        memory: 64 << 20,
        ..Limits::default()
    };
    for code in [
        "return string.find(string.rep('a', 1e5), '.-.-.-.-b')",
        "return string.match(string.rep('a', 1e5), 'a*a*a*a*b')",
        "return string.gsub(string.rep('a', 1e5), '.-.-.-b', '')",
        "for _ in string.gmatch(string.rep('a', 1e5), '.-.-.-b') do end",
        "while true do pcall(string.find, string.rep('a', 1e5), '.-.-.-b') end",
    ] {
        let error = try_in(&state(Kind::Output, limits.clone()), code).expect_err(code);
        assert!(
            error.contains("instruction_limit exceeded"),
            "{code}: {error}"
        );
    }
}

#[test]
fn callbacks_cannot_recurse_without_end() {
    let error = error_of("local function f(s) return (s:gsub('.', f)) end return f('x')");
    assert!(error.contains("stack overflow"), "{error}");
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "b", ".", "%a", "%d", "%w", "[ab]", "[^a]", "[a-c]", "(a)", "()", "(.)", "*", "+",
        "-", "?", "%1", "%b()", "%f[a]", "^", "$", "%z", "x", "%%", "(", ")", "[", "]", "%s",
        "(.-)", "(%a*)",
    ]);
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn subject() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop::sample::select(b"aabbc1 ()x\0\xff".to_vec()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn random_patterns(pattern in pattern(), subject in subject(), init in -5i32..8) {
        let (ours, theirs) = (roomy(), mlua::Lua::new());
        let (subject, pattern) = (constant(&subject), constant(pattern.as_bytes()));
        for code in [
            format!("return string.find({subject}, {pattern}, {init})"),
            format!("return string.match({subject}, {pattern}, {init})"),
            format!("return string.gsub({subject}, {pattern}, '<%0>')"),
            format!("return string.gsub({subject}, {pattern}, '%1', 2)"),
            format!("return all(string.gmatch({subject}, {pattern}))"),
        ] {
            let (mine, original) = both(&ours, &theirs, &code);
            // Patterns too complex for one of the two are left to the tests of the pattern module.
            // And an open parenthesis is told even where LuaJIT does not come to look at the capture.
            let differs = ["too complex", "unfinished capture"];
            prop_assume!(!differs.iter().any(|text| mine.contains(text) || original.contains(text)));
            prop_assert_eq!(mine, original, "{}", code);
        }
    }

    #[test]
    fn random_formats(flags in "[-+ #0]{0,3}", width in "[0-9]{0,2}", precision in "(\\.[0-9]{0,2})?",
        letter in prop::sample::select(vec!["d", "i", "x", "X", "o", "e", "f", "g"]), number in any::<i32>(),
        scale in prop::sample::select(vec![1.0, 0.001, 1e10])) {
        let (ours, theirs) = (roomy(), mlua::Lua::new());
        // No exact halves: C rounds them to the even digit, as ours does, and LuaJIT rounds them up.
        let number = match letter { "e" | "f" | "g" => (f64::from(number) + 0.0123) * scale, _ => f64::from(number) };
        let code = format!("return string.format('%{flags}{width}{precision}{letter}', {number:e})");
        let (mine, original) = both(&ours, &theirs, &code);
        prop_assert_eq!(mine, original, "{}", code);
    }
}
