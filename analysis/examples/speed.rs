//! How quick the calls of this crate's modules are, from Lua: `cargo run --release -p foresight-analysis --example speed [part of a name]`.
//!
//! Every line is run in short calls in a sandbox; the figures are nanoseconds of wall time per call, the quickest tenth of many.
//! Caches are warm and keys few: real traffic is slower. An empty loop is measured too, to be taken off.

use std::sync::Arc;
use std::time::Instant;

use sandbox::native::Registry;
use sandbox::{Answer, Checkpoint, Host, InjectError, Kind, Sandbox, Spec};

/// Name and Lua statement; `i` is the number of the call.
const CASES: &[(&str, &str)] = &[
    ("empty loop", "local x = i"),
    ("circular_buffer.add", "cb:add(i * 1e9, 1, 1)"),
    ("circular_buffer.set", "cb:set(i * 1e9, 2, i)"),
    ("circular_buffer.get", "cb:get(i * 1e9, 1)"),
    ("hyperloglog.add string", "hll:add(keys[i % 64])"),
    ("hyperloglog.add number", "hll:add(i)"),
    ("bloom_filter.add", "bf:add(keys[i % 64])"),
    ("bloom_filter.query", "bf:query(keys[i % 64])"),
    ("cuckoo_filter.add", "cf:add(keys[i % 64])"),
    ("cuckoo_filter.query", "cf:query(keys[i % 64])"),
    (
        "cuckoo_filter_expire.add",
        "ce:add(keys[i % 64], 1e18 + i * 1e9)",
    ),
    ("cm_sketch.update", "cms:update(keys[i % 64])"),
    ("p2.quantile.add", "q:add(i % 97)"),
    ("matrix.add", "m:add(i % 24 + 1, i % 60 + 1, 1)"),
    ("time_series.add", "ts:add(i * 1e9, 1)"),
    ("running_stats.add", "rs:add(i)"),
    ("sax.window.add, 60 values", "w:add(i % 97)"),
];

const PREPARE: &str = r#"
    require "string"
    require "circular_buffer" require "hyperloglog" require "bloom_filter" require "cuckoo_filter"
    require "cuckoo_filter_expire" require "sax"
    local sa = {}
    for _, name in ipairs{"cm_sketch", "matrix", "p2", "running_stats", "time_series"} do
        sa[name] = require("streaming_algorithms." .. name)
    end
    local keys = {} for i = 0, 63 do keys[i] = "client " .. i * 7919 end
    local cb = circular_buffer.new(1440, 3, 60)
    local hll, bf, cf = hyperloglog.new(), bloom_filter.new(1e5, 0.01), cuckoo_filter.new(1e5)
    local ce, cms = cuckoo_filter_expire.new(1e5, 60), sa.cm_sketch.new(0.001, 0.01)
    local q, m, ts, rs = sa.p2.quantile(0.95), sa.matrix.new(24, 60), sa.time_series.new(1440, 60e9), sa.running_stats.new()
    local w = sax.window.new(60, 6, 8)
"#;

/// Iterations of one call: short enough that a call ends before its instructions are counted, as in real life.
const PER_CALL: u32 = 100;
/// Calls of one case.
const CALLS: usize = 5_000;

struct Nothing;

impl Host for Nothing {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Ok(())
    }

    fn log(&mut self, _: u8, text: &str) {
        println!("log: {text}");
    }
}

/// A plugin whose `process_message` runs a case [`PER_CALL`] times.
fn plugin(statement: &str) -> Sandbox {
    let path = std::env::temp_dir().join(format!("foresight-speed-{}.lua", std::process::id()));
    let source = format!(
        "{PREPARE}
        local n = 0
        function process_message()
            for i = n, n + {PER_CALL} - 1 do {statement} end
            n = n + {PER_CALL}
            return 0
        end
        function timer_event() end"
    );
    std::fs::write(&path, source).expect("the folder for temporary files is writable");
    let mut registry = Registry::new();
    analysis::register(&mut registry);
    let mut spec = Spec::new(Kind::Analysis, "analysis.speed", &path);
    spec.limits.memory = 64 << 20;
    spec.modules = Arc::new(registry);
    let sandbox = Sandbox::new(spec, Box::new(Nothing)).expect("the plugin is right");
    std::fs::remove_file(&path).expect("it was made");
    sandbox
}

/// Nanoseconds of one iteration.
fn measure(sandbox: &mut Sandbox) -> f64 {
    let mut times: Vec<f64> = (0..CALLS)
        .map(|_| {
            let start = Instant::now();
            let answer = sandbox.process_message(b"", b"", None);
            let elapsed = start.elapsed();
            if let Answer::Terminated(error) = answer {
                panic!("{error}");
            }
            elapsed.as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[CALLS / 10] / f64::from(PER_CALL)
}

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (name, statement) in CASES.iter().filter(|(name, _)| name.contains(&wanted)) {
        println!("{name:26} {:7.1} ns", measure(&mut plugin(statement)));
    }
}
