//! Fuzzes the restoring of state files, Hindsight's and ours.

use std::path::PathBuf;
use std::sync::Arc;

use sandbox::native::Registry;
use sandbox::value::Table;
use sandbox::{
    Answer, Checkpoint, CompiledMatcher, Host, InjectError, Kind, Limits, Sandbox, Spec,
};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "state",
    about: "preserved state of a plugin",
    run,
    seeds,
    words: &[
        b"_G[\"a\"]",
        b" = ",
        b"{}",
        b"{nil}",
        b"[\"k\"]",
        b"[1]",
        b"\n",
        b"\"",
        b"\\",
        b"\\\n",
        b"\\000",
        b"0/0",
        b"1/0",
        b"-1/0",
        b"nil",
        b"true",
        b"_PRESERVATION_VERSION",
        b"if ",
        b" then ",
        b" end\n",
        b"circular_buffer.new(1,1,1)",
        b":fromstring(\"\")",
        b":annotate(60000000000, 1, \"info\", \"a\\/b\", true)\n",
        b":add({1,0/0,-1/0})\n",
        b"sax.window.new(4, 2, 4)",
        b"streaming_algorithms.p2.quantile(0.5)",
        b"streaming_algorithms.cm_sketch(0.1, 0.1)",
        b"streaming_algorithms.time_series.new(3, 1)",
        b"--",
        b"1e308",
        b"_G[\"process_message\"] = ",
    ],
    n_smoke: 500,
};

fn run(bytes: &[u8]) {
    let Ok(mut sandbox) = restored(bytes) else {
        return;
    };
    // The state may have replaced what the plugin stands on, so it may fail, but not we.
    if let Answer::Terminated(_) = sandbox.process_message(b"", b"", None) {
        return;
    }
    let kept = sandbox
        .preserve("1:2")
        .expect("state that was restored can be preserved");
    assert_eq!(
        sandbox::preserve::position(&kept).as_deref(),
        Some("1:2"),
        "the position is lost"
    );
    restored(&kept).expect("state that we wrote can be restored");
}

fn restored(state: &[u8]) -> Result<Sandbox, String> {
    Sandbox::new(spec(state), Box::new(Nobody)).map_err(|error| error.to_string())
}

fn spec(state: &[u8]) -> Spec {
    Spec {
        kind: Kind::Analysis,
        name: "analysis.fuzzed".to_owned(),
        source_path: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzzed.lua"),
        config: Table::new(),
        limits: Limits {
            memory: 8 << 20,
            instructions: 1_000_000,
            output: 64 << 10,
            input: 64 << 10,
            max_message: 64 << 10,
            descriptors: 16,
            process_message_injects: 0,
            timer_event_injects: 10,
        },
        restricted_headers: true,
        hostname: "host".to_owned(),
        pid: 1,
        lua_path: None,
        lua_cpath: None,
        state: Some(state.to_vec()),
        jit: true,
        log_level: 3,
        modules: Arc::new(modules()),
    }
}

/// The objects that a state can hold.
fn modules() -> Registry {
    let mut registry = Registry::new();
    analysis::register(&mut registry);
    registry
}

/// A host that is asked for nothing.
struct Nobody;

impl Host for Nobody {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Ok(())
    }

    fn checkpoint_only(&mut self, _: &Checkpoint) -> Result<(), InjectError> {
        Ok(())
    }

    fn is_running(&mut self) -> bool {
        true
    }

    fn update_checkpoint(&mut self, _: Option<u64>, _: u64) -> Result<(), String> {
        Ok(())
    }

    fn compile_matcher(&mut self, _: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        Err("not here".to_owned())
    }

    fn log(&mut self, _: u8, _: &str) {}
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 0 then return end\n_G[\"count\"] = 3\n_G[\"_VERSION\"] = \"Lua 5.1\"\n",
        "_G[\"t\"] = {}\n_G[\"t\"][1] = 1\n_G[\"t\"][\"a\\\"b\\\n\\000\"] = \"x\"\n_G[\"t\"][true] = false\n_G[\"u\"] = _G[\"t\"]\n",
        "_G[\"n\"] = 0/0\n_G[\"i\"] = 1/0\n_G[\"j\"] = -1/0\n_G[\"f\"] = -1.5e-300\n_G[\"e\"] = {nil}\n",
        "_G[\"t\"] = {}\n_G[\"t\"][\"t\"] = _G[\"t\"]\n_G[\"t\"][\"v\"] = {}\n_G[\"t\"][\"v\"][0.5] = 2\n",
        "if _G[\"cb\"] == nil then _G[\"cb\"] = circular_buffer.new(2, 1, 60) end\n_G[\"cb\"]:set_header(1, \"n\", \"u\", \"sum\")\n_G[\"cb\"]:fromstring(\"0 0 nan nan\")\n",
        "if _G[\"w\"] == nil then _G[\"w\"] = sax.window.new(4, 2, 4) end\n_G[\"w\"]:clear()\n_G[\"w\"]:add({0/0,1,2,1/0})\n_G[\"s\"] = sax.word.new(\"AB#\", 4)\n",
        "_G[\"h\"] = hyperloglog.new()\n_G[\"b\"] = bloom_filter.new(20, 0.01)\n_G[\"c\"] = cuckoo_filter.new(16)\n_G[\"e\"] = cuckoo_filter_expire.new(300, 1)\n",
        "_G[\"m\"] = streaming_algorithms.matrix.new(2, 2, \"float\")\n_G[\"h\"] = streaming_algorithms.p2.histogram(4)\n_G[\"r\"] = streaming_algorithms.running_stats.new()\n_G[\"r\"]:clear()\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
