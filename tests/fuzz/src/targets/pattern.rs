//! Fuzzes Lua patterns with a budget, against LuaJIT's own where that can be trusted to end.

use std::cell::OnceCell;

use mlua::{Lua, LuaOptions, MultiValue, StdLib};
use stdx::pattern::{
    Capture, Captures, Compiled, PatternError, Steps, find_at, is_plain, match_here,
};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "pattern",
    about: "Lua patterns, their budget, and their likeness to LuaJIT's",
    run,
    seeds,
    words: &[
        b"%a", b"%D", b"%w+", b".-", b".*", b"[^", b"]", b"[a-z]", b"%b()", b"%f[%w]", b"%1",
        b"()", b"(", b")", b"^", b"$", b"?", b"%", b"aaaa",
    ],
    n_smoke: 20_000,
};

/// Steps of one match: enough for every honest one, over in a few milliseconds.
const STEPS: u64 = 1_000_000;
/// The oracle has no budget; it is only asked when we needed fewer steps than this, then it needs as few.
const STEPS_FOR_ORACLE: u64 = 20_000;

/// The first byte is the length of the pattern, which follows; the rest is the subject.
fn run(bytes: &[u8]) {
    let Some((&len, rest)) = bytes.split_first() else {
        return;
    };
    let (pattern, subject) = rest.split_at(rest.len().min(usize::from(len)));
    let mut budget = Steps(STEPS);
    let found = find_at(subject, pattern, 0, &mut budget);
    check(&found, subject);
    if let Ok(Some(captures)) = match_here(subject, pattern, subject.len() / 2, &mut Steps(STEPS)) {
        assert_eq!(captures.start, subject.len() / 2, "a match elsewhere");
    }
    let _ = match_here(subject, pattern, subject.len() + 1, &mut Steps(STEPS));
    let _ = Compiled::new(pattern).is_match(subject, &mut Steps(STEPS));
    let _ = find_at(subject, pattern, 0, &mut Steps(3));
    let cheap = STEPS - budget.0 < STEPS_FOR_ORACLE;
    if cheap
        && is_common_language(pattern)
        && !matches!(
            found,
            Err(PatternError::Exceeded | PatternError::TooComplex)
        )
    {
        compare(&found, subject, pattern);
    }
}

fn check(found: &Result<Option<Captures>, PatternError>, subject: &[u8]) {
    let Ok(Some(captures)) = found else { return };
    assert!(
        captures.start <= captures.end && captures.end <= subject.len(),
        "a match outside the subject"
    );
    for i in 0..captures.len() {
        match captures.get(i).expect("i is below len") {
            Capture::Span(start, end) => assert!(
                start <= end && end <= subject.len(),
                "a capture outside the subject"
            ),
            Capture::Position(at) => assert!(at <= subject.len(), "a position outside the subject"),
        }
    }
}

/// LuaJIT also knows zero bytes in patterns and the class %g, which Lua 5.1 does not; and its `string.find` takes
/// patterns without special characters for plain text, which is not our business here.
fn is_common_language(pattern: &[u8]) -> bool {
    !is_plain(pattern)
        && !pattern.contains(&0)
        && !pattern
            .windows(2)
            .any(|pair| pair == b"%g" || pair == b"%G")
}

fn compare(found: &Result<Option<Captures>, PatternError>, subject: &[u8], pattern: &[u8]) {
    let ours = found
        .as_ref()
        .map(|found| found.as_ref().map(|captures| plain(captures, subject)));
    match (ours, oracle(subject, pattern)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "another match than LuaJIT's"),
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("we say {ours:?}, LuaJIT says {theirs:?}"),
    }
}

/// A match as text: where it is, and what is captured.
type Plain = (usize, usize, Vec<String>);

fn plain(captures: &Captures, subject: &[u8]) -> Plain {
    let text = |i| match captures.get(i).expect("i is below len") {
        Capture::Span(start, end) => format!("{:?}", &subject[start..end]),
        Capture::Position(at) => (at + 1).to_string(),
    };
    (
        captures.start,
        captures.end,
        (0..captures.len()).map(text).collect(),
    )
}

fn oracle(subject: &[u8], pattern: &[u8]) -> Result<Option<Plain>, String> {
    thread_local! {
        static FIND: OnceCell<(Lua, mlua::Function)> = const { OnceCell::new() };
    }
    FIND.with(|find| {
        let (_lua, find) = find.get_or_init(string_find);
        let lua_values = find
            .call::<MultiValue>((bstr(subject), bstr(pattern)))
            .map_err(|error| error.to_string())?;
        Ok(read_oracle(lua_values))
    })
}

fn bstr(bytes: &[u8]) -> mlua::BString {
    mlua::BString::from(bytes)
}

/// LuaJIT's function, and the state that must live as long.
fn string_find() -> (Lua, mlua::Function) {
    let lua = Lua::new_with(StdLib::STRING, LuaOptions::default()).expect("LuaJIT starts");
    let string: mlua::Table = lua
        .globals()
        .get("string")
        .expect("the library was asked for");
    let find = string.get("find").expect("string.find is part of it");
    (lua, find)
}

fn read_oracle(values: MultiValue) -> Option<Plain> {
    let mut values = values.into_iter();
    let start = place(&values.next()?)? - 1;
    let end = place(&values.next()?)?;
    let text = |value: mlua::Value| match value {
        mlua::Value::String(bytes) => format!("{:?}", &bytes.as_bytes()[..]),
        other => place(&other)
            .expect("captures are strings or positions")
            .to_string(),
    };
    Some((start, end, values.map(text).collect()))
}

fn place(value: &mlua::Value) -> Option<usize> {
    match value {
        mlua::Value::Integer(place) => usize::try_from(*place).ok(),
        mlua::Value::Number(place) => Some(*place as usize),
        _ => None,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        ("abc", "xxabcxx"),
        ("^(%w+)%s*=%s*(%w+)$", "key = value"),
        ("%b()", "a(b(c)d)e"),
        ("%f[%w]%w+", "  word"),
        ("([\"'])(.-)%1", "say \"x'y\" now"),
        ("a-b*c+d?e", "aabccde"),
        ("()[^%s%-]+()", "some-thing"),
        ("[]%-a-z^]+", "]-^a"),
        ("a?a?a?a?aaaa", "aaaa"),
        (".-.-.-$", "aaaaaaaaaaaaaaaa"),
    ]
    .map(|(pattern, subject)| {
        [
            &[pattern.len() as u8],
            pattern.as_bytes(),
            subject.as_bytes(),
        ]
        .concat()
    })
    .to_vec()
}
