//! How quick the string and table functions are, against LuaJIT's own: `cargo run --release --example strings [part of a name]`.
//!
//! Every line is run in short calls in a sandbox and in a plain LuaJIT state; the figures are nanoseconds per call, and what
//! part of LuaJIT's time ours takes.

use sandbox::{Answer, Host, InjectError, Kind, Limits, Sandbox, Spec};

/// Name and Lua expression; `s` is a log line, `i` the number of the call.
const CASES: &[(&str, &str)] = &[
    ("find plain", "string.find(s, 'status=', 1, true)"),
    ("find literal pattern", "string.find(s, 'status=')"),
    ("find pattern", "string.find(s, 'status=(%d+)')"),
    ("match words", "string.match(s, '^(%S+) (%S+) (%S+)')"),
    ("match lazy", "string.match(s, 'path=(.-) ')"),
    ("match anchored, no match", "string.match(s, '^%d+$')"),
    ("match no match", "string.match(s, 'nowhere%d')"),
    ("gsub text", "string.gsub(s, '%d+', 'N')"),
    ("gsub function", "string.gsub(s, '%w+=', upper)"),
    ("gsub table", "string.gsub(s, '%w+', names)"),
    ("gsub no match", "string.gsub(s, '%$', '')"),
    ("gmatch all words", "words(s)"),
    ("format %d %s", "string.format('%d %s', i, 'text')"),
    ("format %.2f", "string.format('%.2f', i / 7)"),
    ("format %g", "string.format('%g', i / 7)"),
    ("format %05d %x", "string.format('%05d %x', i, i)"),
    ("format %q", "string.format('%q', s)"),
    ("rep 100", "string.rep('ab', 90 + i % 16)"),
    ("byte", "string.byte(s, 5)"),
    ("sub", "string.sub(s, 5, 20)"),
    ("lower", "string.lower(s)"),
    ("concat 20", "table.concat(list, ',')"),
    (
        "insert and remove",
        "(table.insert(list, i) or table.remove(list))",
    ),
    ("sort 100 numbers", "sorted()"),
    ("sort 100 strings", "sorted_names()"),
    (
        "sort 100 by function",
        "sorted_by(function(a, b) return a > b end)",
    ),
];

const PREPARE: &str = r#"
    local line = "2024-06-01T12:00:00 host-17 app[1234]: method=GET path=/api/v1/things status=200 bytes=5120 time=0.034"
    local lines = {} for i = 1, 16 do lines[i] = line .. " request=" .. i end
    local names = {GET = "get", status = "code", host = "machine"}
    local upper = string.upper
    local list = {} for i = 1, 20 do list[i] = "item" .. i end
    local function words(s) local n = 0 for w in string.gmatch(s, "%w+") do n = n + 1 end return n end
    local numbers, texts = {}, {}
    for i = 1, 100 do numbers[i] = (i * 7919) % 1009 texts[i] = "name" .. (i * 7919) % 1009 end
    local function copy(from) local t = {} for i = 1, #from do t[i] = from[i] end return t end
    local function sorted() local t = copy(numbers) table.sort(t) return t[1] end
    local function sorted_names() local t = copy(texts) table.sort(t) return t[1] end
    local function sorted_by(f) local t = copy(numbers) table.sort(t, f) return t[1] end
"#;

/// Iterations of one call: short enough that a call ends before its instructions are counted, as in real life.
const PER_CALL: u32 = 100;
/// Calls of one case; the quickest tenth tells what the case costs on an undisturbed machine.
const CALLS: usize = 5_000;

/// A global function `process_message` that runs a case [`PER_CALL`] times.
fn code_of(expression: &str) -> String {
    format!(
        "{PREPARE}
        function process_message()
            for i = 1, {PER_CALL} do local s = lines[i % 16 + 1] kept = {expression} end
            return 0
        end"
    )
}

/// Nanoseconds of one iteration.
fn measure(mut call: impl FnMut()) -> f64 {
    let timed = (0..CALLS).map(|_| {
        let start = std::time::Instant::now();
        call();
        start.elapsed()
    });
    let mut times: Vec<_> = timed.collect();
    times.sort_unstable();
    times[CALLS / 10].as_nanos() as f64 / f64::from(PER_CALL)
}

/// A host that nobody needs.
struct Nobody;

impl Host for Nobody {
    fn inject(
        &mut self,
        _: &[u8],
        _: &[u8],
        _: Option<&sandbox::Checkpoint>,
    ) -> Result<(), InjectError> {
        Ok(())
    }
}

fn ours(expression: &str) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bench.lua");
    let code = format!("require 'string' require 'table' {}", code_of(expression));
    std::fs::write(&path, code).expect("written");
    let mut spec = Spec::new(Kind::Output, "output.bench", path);
    spec.limits = Limits {
        memory: 64 << 20,
        ..Limits::default()
    };
    let mut plugin = Sandbox::new(spec, Box::new(Nobody)).expect("it loads");
    measure(|| {
        let answer = plugin.process_message(b"", b"", None);
        assert_eq!(
            answer,
            Answer::Status {
                code: 0,
                message: None
            }
        );
    })
}

fn theirs(expression: &str) -> f64 {
    let lua = mlua::Lua::new();
    lua.load(code_of(expression)).exec().expect("it loads");
    let function: mlua::Function = lua.globals().get("process_message").expect("it is there");
    measure(|| {
        let code: i32 = function.call(()).expect("it runs");
        assert_eq!(code, 0);
    })
}

fn main() {
    println!(
        "{:<26} {:>10} {:>10} {:>7}",
        "", "ours ns", "LuaJIT ns", "ratio"
    );
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, expression) in CASES.iter().filter(|(name, _)| name.contains(&only)) {
        let (ours, theirs) = (ours(expression), theirs(expression));
        println!(
            "{name:<26} {ours:>10.1} {theirs:>10.1} {:>7.2}",
            ours / theirs
        );
    }
}
