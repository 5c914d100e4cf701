//! The table library: against what Lua 5.1 says, and under attack.

use crate::lib_string::test_state::{error_of, run, state, try_in};
use crate::limits::Limits;
use crate::sandbox::Kind;

#[test]
fn sorting() {
    run("local t = {5, 2, 8, 1, 9, 3} table.sort(t) assert(table.concat(t, ',') == '1,2,3,5,8,9')
        table.sort(t, function(a, b) return a > b end) assert(table.concat(t, ',') == '9,8,5,3,2,1')
        local s = {'b', 'a', 'c\\0b', 'c\\0a', ''} table.sort(s)
        assert(table.concat(s, ',') == ',a,b,c\\0a,c\\0b')
        local m = {} for i = 1, 3 do m[i] = setmetatable({4 - i}, {__lt = function(a, b) return a[1] < b[1] end}) end
        local lt = getmetatable(m[1]).__lt for i = 1, 3 do getmetatable(m[i]).__lt = lt end
        table.sort(m) assert(m[1][1] == 1 and m[3][1] == 3)
        table.sort({}) table.sort({1})
        local n = {} for i = 1, 1000 do n[i] = math.random(100) end
        table.sort(n) for i = 2, 1000 do assert(n[i - 1] <= n[i]) end
        local nan = {3, 0/0, 1} table.sort(nan) assert(nan[1] == 1 and nan[2] == 3)
        local shaky = {} for i = 1, 100 do shaky[i] = i end
        table.sort(shaky, function() return true end) assert(#shaky == 100)
        local seen = {} for _, v in ipairs(shaky) do assert(not seen[v]) seen[v] = true end");
}

#[test]
fn sorting_errors() {
    assert!(error_of("table.sort({1, 'x'})").ends_with("attempt to compare string with number"));
    assert!(error_of("table.sort({{}, {}})").ends_with("attempt to compare two table values"));
    assert_eq!(
        error_of("table.sort({3, 2, 1}, function() error('own', 0) end)"),
        "own"
    );
    assert_eq!(
        error_of("table.sort(5)"),
        "test:1: bad argument #1 to 'sort' (table expected, got number)"
    );
    let text = error_of("table.sort({}, 5)");
    assert_eq!(
        text,
        "test:1: bad argument #2 to 'sort' (function expected, got number)"
    );
}

#[test]
fn joining() {
    run("assert(table.concat({1, 2.5, 'x'}, ', ') == '1, 2.5, x')
        assert(table.concat({}) == '' and table.concat({1, 2, 3}, '-', 2) == '2-3')
        assert(table.concat({1, 2, 3}, '-', 2, 2) == '2' and table.concat({1}, '-', 3, 2) == '')");
    let text = error_of("table.concat({1, {}, 3})");
    assert_eq!(
        text,
        "test:1: invalid value (table) at index 2 in table for 'concat'"
    );
    let text = error_of("table.concat({}, '', 1, 1e15)");
    assert_eq!(
        text,
        "test:1: invalid value (nil) at index 1 in table for 'concat'"
    );
}

#[test]
fn moving() {
    run("local t = {1, 2, 3} table.insert(t, 4) table.insert(t, 1, 0) table.insert(t, 3, 'x')
        assert(table.concat(t, ',') == '0,1,x,2,3,4')
        assert(table.remove(t) == 4 and table.remove(t, 1) == 0 and table.remove({}) == nil)
        assert(table.concat(t, ',') == '1,x,2,3' and table.getn(t) == 4 and table.maxn({[5] = 1}) == 5)
        local n = 0 table.foreach({1, 2, x = 3}, function() n = n + 1 end) assert(n == 3)");
    assert_eq!(
        error_of("table.insert({})"),
        "test:1: wrong number of arguments to 'insert'"
    );
    assert_eq!(error_of("table.setn({}, 1)"), "test:1: 'setn' is obsolete");
    assert!(run("return tostring(table.move)") == b"nil");
}

#[test]
fn what_lasts_is_ended() {
    let limits = Limits {
        instructions: 100_000,
        memory: 64 << 20,
        ..Limits::default()
    };
    for code in [
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = '' end while true do table.concat(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.sort(t) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do pcall(table.sort, t, function(a, b) return a > b end) end",
    ] {
        let error = try_in(&state(Kind::Output, limits.clone()), code).expect_err(code);
        assert!(
            error.contains("instruction_limit exceeded"),
            "{code}: {error}"
        );
    }
}
