//! How quick `cjson` and `rjson` are: `cargo run --release -p foresight-json --example json_speed [interpreter]`.
//!
//! Documents of 1 KB and 100 KB (records as logs have them, numbers alone, texts alone) and one of 30 KB for the validation
//! are made from a seed. Every figure is CPU time per call, the best of several rounds. Given an interpreter that can
//! `require "cjson"`, such as `luajit` with Debian's `lua-cjson`, its figures stand beside ours, measured in turns with them.
//! What it does not show: garbage that other work of a plugin leaves, and cold caches.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use sandbox::native::Registry;
use sandbox::{Answer, Host, InjectError, Kind, Limits, Sandbox, Spec};

/// Rounds of each measurement; the best counts.
const ROUNDS: usize = 7;

/// Bytes that one round works on: enough that it lasts many ticks of the clock, which are milliseconds.
const BYTES_PER_ROUND: usize = 30_000_000;

struct Nothing;

impl Host for Nothing {
    fn inject(
        &mut self,
        _: &[u8],
        _: &[u8],
        _: Option<&sandbox::Checkpoint>,
    ) -> Result<(), InjectError> {
        Ok(())
    }

    fn log(&mut self, _: u8, text: &str) {
        println!("log: {text}");
    }
}

/// A small generator of numbers that all documents come from.
struct Seed(u64);

impl Seed {
    fn next(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }

    fn word(&mut self) -> String {
        let len = 3 + self.next(9);
        (0..len)
            .map(|_| (b'a' + self.next(26) as u8) as char)
            .collect()
    }

    fn text(&mut self, n_words: u64) -> String {
        let words: Vec<String> = (0..n_words).map(|_| self.word()).collect();
        words.join(" ")
    }
}

/// An array of `item`s of about `len` bytes.
fn array(len: usize, mut item: impl FnMut(&mut Seed) -> String) -> String {
    let mut seed = Seed(7);
    let mut text = String::from("[");
    while text.len() < len {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item(&mut seed));
    }
    text.push(']');
    text
}

fn record(seed: &mut Seed) -> String {
    let mut text = String::from("{");
    let (host, path, agent) = (seed.word(), seed.word(), seed.text(6));
    write!(
        text,
        "\"timestamp\":{},\"hostname\":\"{host}\",\"severity\":{},\"pid\":{},\"request\":{{\"method\":\"GET\",\"path\":\"/{path}\",\
         \"status\":{},\"bytes\":{},\"duration\":{}.{:03}}},\"user_agent\":\"{agent}\",\"tags\":[\"{}\",\"{}\"],\"ok\":true,\"error\":null",
        1_700_000_000 + seed.next(1_000_000),
        seed.next(8),
        seed.next(65_536),
        200 + seed.next(300),
        seed.next(1_000_000),
        seed.next(10),
        seed.next(1_000),
        seed.word(),
        seed.word(),
    )
    .expect("writing to a string");
    text.push('}');
    text
}

fn number(seed: &mut Seed) -> String {
    match seed.next(2) {
        0 => seed.next(1_000_000).to_string(),
        _ => format!("{}.{}", seed.next(10_000), seed.next(100_000_000)),
    }
}

fn string(seed: &mut Seed) -> String {
    let n_words = 1 + seed.next(12);
    format!("\"{}\"", seed.text(n_words))
}

/// Measures `decode` and `encode`; also understood by the other interpreter, which prints the seconds of each round.
const PROGRAM: &str = r#"
local cjson = require "cjson"
local value = cjson.decode(text)
local work = {
    decode = function(n) local decode = cjson.decode for i = 1, n do decode(text) end end,
    encode = function(n) local encode = cjson.encode for i = 1, n do encode(value) end end,
}
"#;

const SCHEMA: &str = r#"{"type":"array","items":{"type":"object","required":["timestamp","hostname","request"],"properties":{
    "timestamp":{"type":"integer","minimum":0},"hostname":{"type":"string","maxLength":64},"severity":{"type":"integer","maximum":7},
    "pid":{"type":"integer"},"request":{"type":"object","required":["method","path"],"properties":{"method":{"enum":["GET","POST"]},
    "path":{"type":"string","pattern":"^/[a-z]+$"},"status":{"type":"integer","minimum":100,"maximum":599},"duration":{"type":"number"}}},
    "user_agent":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}},"ok":{"type":"boolean"},"error":{"type":["null","string"]}},
    "additionalProperties":false}}"#;

/// CPU time of this thread in nanoseconds.
fn cpu_time_ns() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux keeps this");
    let ns = stat.split(' ').next().and_then(|ns| ns.parse().ok());
    ns.expect("it begins with a number")
}

fn sandbox(folder: &Path, program: &str, document: &str) -> Sandbox {
    let path = folder.join("plugin.lua");
    std::fs::write(&path, program).expect("the folder is writable");
    let mut modules = Registry::default();
    json::register(&mut modules);
    let mut spec = Spec::new(Kind::Output, "speed", &path);
    spec.modules = std::sync::Arc::new(modules);
    spec.limits = Limits {
        memory: 0,
        instructions: 0,
        output: 0,
        ..Limits::default()
    };
    spec.config.set("document", document);
    Sandbox::new(spec, Box::new(Nothing)).expect("the program is right")
}

/// Nanoseconds of one call of `process_message`.
fn ours(sandbox: &mut Sandbox) -> f64 {
    let before = cpu_time_ns();
    let answer = sandbox.process_message(&[], &[], None);
    let after = cpu_time_ns();
    assert!(
        matches!(answer, Answer::Status { code: 0, .. }),
        "it failed: {answer:?}"
    );
    after - before
}

/// Nanoseconds of one round in the other interpreter, which takes the best itself.
fn theirs(interpreter: &str, folder: &Path, document: &str, what: &str, n: usize) -> f64 {
    let (program, text) = (folder.join("other.lua"), folder.join("document.json"));
    std::fs::write(&text, document).expect("the folder is writable");
    let source = format!(
        "local text = io.open({:?}):read('*a')\n{PROGRAM}\nlocal best = 1e9 for i = 1, 3 do local t = os.clock() \
         work.{what}({n}) best = math.min(best, os.clock() - t) end print(best * 1e9)",
        text.display().to_string()
    );
    std::fs::write(&program, source).expect("the folder is writable");
    let output = Command::new(interpreter)
        .arg(&program)
        .output()
        .expect("the interpreter runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let ns = printed.trim().parse();
    ns.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn line(name: &str, ns: f64, other: Option<f64>, len: usize) {
    let speed = len as f64 / ns * 1e3;
    print!("{name:<32} {:>12.0} ns {speed:>8.0} MB/s", ns);
    match other {
        Some(other) => println!(" {other:>12.0} ns  {:>6.2} times", other / ns),
        None => println!(),
    }
}

fn measure(folder: &Path, name: &str, document: &str, what: &str, interpreter: Option<&str>) {
    let n = (BYTES_PER_ROUND / document.len()).max(1);
    let program = format!(
        "local text = read_config('document')\n{PROGRAM}\nfunction process_message() work.{what}({n}) return 0 end\nfunction timer_event() end"
    );
    let mut sandbox = sandbox(folder, &program, document);
    let (mut best, mut other) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        best = best.min(ours(&mut sandbox));
        if let Some(interpreter) = interpreter {
            other = other.min(theirs(interpreter, folder, document, what, n));
        }
    }
    let other = interpreter.map(|_| other / n as f64);
    line(name, best / n as f64, other, document.len());
}

fn measure_validation(folder: &Path, document: &str) {
    let n = (BYTES_PER_ROUND / document.len()).max(1);
    for (name, work) in [
        ("rjson.parse 30 KB", "rjson.parse(text)"),
        ("validate 30 KB", "assert(document:validate(schema))"),
    ] {
        let program = format!(
            "require 'rjson' local text = read_config('document') local document = rjson.parse(text) \
             local schema = rjson.parse_schema([[{SCHEMA}]]) \
             function process_message() for i = 1, {n} do {work} end return 0 end function timer_event() end"
        );
        let mut sandbox = sandbox(folder, &program, document);
        let best = (0..ROUNDS)
            .map(|_| ours(&mut sandbox))
            .fold(f64::MAX, f64::min);
        line(name, best / n as f64, None, document.len());
    }
}

fn main() {
    let interpreter = std::env::args().nth(1);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for (size, len) in [("1 KB", 1_000), ("100 KB", 100_000)] {
        for (kind, document) in [
            ("records", array(len, record)),
            ("numbers", array(len, number)),
            ("texts", array(len, string)),
        ] {
            for what in ["decode", "encode"] {
                let name = format!("{what} {size} of {kind}");
                measure(
                    folder.path(),
                    &name,
                    &document,
                    what,
                    interpreter.as_deref(),
                );
            }
        }
    }
    measure_validation(folder.path(), &array(30_000, record));
}
