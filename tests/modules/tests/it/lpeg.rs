//! Patterns at the limits of a plugin: bombs end within the budget, and what patterns hold is counted.

use modules::Setup;
use sandbox::Kind;

/// Bytes of a small plugin.
const MEMORY: usize = 8 << 20;

fn run(instructions: u64, memory: usize, source: &str) -> Result<(), String> {
    let mut setup = Setup::new(Kind::Input);
    setup.limits.instructions = instructions;
    setup.limits.memory = memory;
    setup.run(source).map(drop)
}

/// Programs that would run for minutes.
const BOMBS: &[&str] = &[
    // Goes back exponentially.
    "local p = l.P{ l.P'a' * l.V(1) * 'b' + l.P'a' * l.V(1) * 'c' + 'a' * l.V(1) + -1 * l.P(false) } p:match(('a'):rep(60))",
    // Searches quadratically.
    "(l.P{ l.P'a'^0 * 'b' + 1 * l.V(1) }):match(('a'):rep(3e5))",
    // Searches quadratically for a text.
    "((1 * #((1 - l.P'zz')^0 * 'zz' + true))^0):match(('a'):rep(1e6))",
    // Copies what it has over and over.
    "local p = l.Cg('x', 'n') for i = 1, 2e4 do p = p * l.Cb'n' end for i = 1, 1e5 do p:match'x' end",
    "while true do pcall(l.match, l.P(1)^0, ('a'):rep(1e6)) end",
    "for i = 1, 1e9 do l.match(l.P'a' + 'b', 'b') end",
    // Compiles without end.
    "local p = l.P'ab' for i = 1, 18 do p = p * l.C(p) end for i = 1, 1e6 do (p * i):match'x' end",
];

#[test]
fn bombs_end_within_the_budget() {
    for bomb in BOMBS {
        let source = format!("local l = require 'lpeg' require 'string';\n{bomb}");
        let error = run(1_000_000, 0, &source).expect_err(bomb);
        assert!(
            error.contains("instruction_limit exceeded"),
            "{bomb}: {error}"
        );
    }
}

/// Programs that would hold more than the plugin may have.
const HOARDS: &[&str] = &[
    "local p = l.P(1) for i = 1, 1e6 do p = p * ('x' .. i) end",
    "local t = {} for i = 1, 1e6 do t[i] = l.S(tostring(i)) end",
    "local p = l.P(false) for i = 1, 1e6 do p = p + ('x' .. i) end p:match'y'",
    "l.Ct(l.C(1)^0):match(('a'):rep(4e6))",
    "l.setmaxstack(2^31 - 1) l.P{ 'a' * l.V(1) * 'b' + -1 }:match(('a'):rep(4e6))",
    "l.Cs((l.P'a' / ('b'):rep(1e5))^0):match(('a'):rep(1e4))",
    "l.match(l.Cmt(1, function() return true, 1, 2, 3, 4, 5, 6 end)^0, ('a'):rep(4e6))",
    "l.match((l.C(1) / 0)^0, ('a'):rep(4e6))",
    "l.match(l.P'abc'^5e5, 'x')",
];

#[test]
fn what_patterns_hold_is_counted() {
    for hoard in HOARDS {
        let source = format!("local l = require 'lpeg' require 'string';\n{hoard}");
        let error = run(0, MEMORY, &source).expect_err(hoard);
        assert!(error.contains("not enough memory"), "{hoard}: {error}");
    }
}

#[test]
fn patterns_that_are_let_go_are_not_counted() {
    let source = "local l = require 'lpeg'
        for i = 1, 2e5 do local p = l.Ct(l.Cg(l.P('x' .. i)^1 / print, 'name')) if i % 100 == 0 then p:match'y' end end";
    run(0, MEMORY, source).expect("old patterns are collected");
}
