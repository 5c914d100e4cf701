//! Circular buffers in payloads, states of every object there and back, Hindsight's own states, and limits.

use modules::{Plugin, Setup};
use sandbox::{Answer, Kind};
use schemas::Index;

fn run(source: &str) -> Plugin {
    try_run(source).unwrap_or_else(|error| panic!("{error}"))
}

fn try_run(source: &str) -> Result<Plugin, String> {
    Setup::new(Kind::Analysis).run(source)
}

fn restore(source: &str, state: &[u8]) -> Result<Plugin, String> {
    let setup = Setup {
        state: Some(state.to_vec()),
        ..Setup::new(Kind::Analysis)
    };
    setup.run(source)
}

/// Runs `process_message` and gives the payloads that it injected.
fn payloads(plugin: &mut Plugin) -> Vec<String> {
    match plugin.process(b"") {
        Answer::Status { .. } => {}
        other => panic!("{other:?}"),
    }
    let payload = |message: &Vec<u8>| {
        let mut index = Index::default();
        index.parse(message).expect("a good message");
        let payload = index.view(message).payload().expect("a payload");
        String::from_utf8_lossy(payload).into_owned()
    };
    plugin.seen().injected.iter().map(payload).collect()
}

const REQUIRE_ALL: &str = r#"
require "string"
require "circular_buffer"
require "hyperloglog"
require "bloom_filter"
require "cuckoo_filter"
require "cuckoo_filter_expire"
require "sax"
local p2 = require "streaming_algorithms.p2"
local matrix = require "streaming_algorithms.matrix"
local cm_sketch = require "streaming_algorithms.cm_sketch"
local time_series = require "streaming_algorithms.time_series"
local running_stats = require "streaming_algorithms.running_stats"
function timer_event() end
"#;

const HEADER: &str = r#""column_info":[{"name":"Sum_column","unit":"count","aggregation":"sum"},{"name":"Min","unit":"count","aggregation":"min"}],"#;

#[test]
fn circular_buffers_in_payloads() {
    let source = r#"
        require "circular_buffer"
        local cb = circular_buffer.new(2, 2, 1)
        cb:set_header(1, "Sum column")
        cb:set_header(2, "Min", "count", "min")
        function process_message()
            local function out(format) inject_payload("cbuf", "test", cb:format(format)) end
            out("cbuf")
            cb:set(0, 1, 3) cb:set(0, 2, 6)
            out("cbufd")
            cb:set(0, 1, 5.125) cb:set(0, 2, 1/3) cb:add(1e9, 1, -1/0)
            out("cbufd")
            out("cbufd")
            cb:annotate(1e9, 1, "info", "a\"\\/\t\b\r\n\f\240\0 end")
            cb:annotate(0, 2, "alert", "quiet", false)
            out("cbufd")
            out("cbufd")
            out("cbuf")
            add_to_payload("kept")
            out("cbufd")
            cb:set(2e9, 1, 5000000000)
            out("cbuf")
            return 0
        end
        function timer_event() end"#;
    let head = |time: i64, annotations: &str| {
        format!(
            "{{\"time\":{time},\"rows\":2,\"columns\":2,\"seconds_per_row\":1,{HEADER}\"annotations\":[{annotations}]}}\n"
        )
    };
    let info = r#"{"x":1000,"col":1,"shortText":"i","text":"a\"\\\/\t\b\r\n\f   end"}"#;
    let alert = r#"{"x":0,"col":2,"shortText":"a","text":"quiet"}"#;
    let expected = vec![
        head(0, "") + "nan\tnan\nnan\tnan\n",
        head(0, "") + "0\t3\t6\n",
        head(0, "") + "0\t2.125\t0.33333333\n1\t-inf\tnan\n",
        // Nothing changed: no message. Then an annotation alone.
        head(0, info),
        head(0, &format!("{alert},{info}")) + "5.125\t0.33333333\n-inf\tnan\n",
        "kept".into(),
        head(1, info) + "-inf\tnan\n5000000000\tnan\n",
    ];
    assert_eq!(payloads(&mut run(source)), expected);
}

#[test]
fn sketches_in_payloads() {
    let source = format!(
        r#"{REQUIRE_ALL}
        function process_message()
            inject_payload("sax", "word", sax.word.new({{1, 2, 3, 10.1}}, 2, 4))
            local h = hyperloglog.new()
            inject_payload("hll", "h", h)
            local ok, err = pcall(inject_payload, "bloom", "b", bloom_filter.new(2, 0.5))
            inject_payload("txt", "error", err)
            return 0
        end"#
    );
    let found = payloads(&mut run(&source));
    assert_eq!(found[0], "AD");
    assert!(found[1].starts_with("HYLL"), "{}", found[1]);
    assert!(found[2].contains("unknown userdata type"), "{}", found[2]);
}

/// Fills one object of each kind with what is hard to write.
const FILL: &str = r#"
cb = circular_buffer.new(3, 2, 60)
cb:set_header(1, "a", "KiB", "max")
cb:set(1e9 * 1700000000, 1, 1/3) cb:set(1e9 * 1699999940, 2, -1/0) cb:add(1e9 * 1700000000, 2, 0.1)
cb:annotate(1e9 * 1700000000, 2, "alert", "a/b \"c\" \\ \n\t", false)
cb:annotate(1e9 * 1699999940, 1, "info", "i")
cb:format("cbufd")
hll = hyperloglog.new()
bf = bloom_filter.new(1000, 0.0123456789)
cf = cuckoo_filter.new(1000)
ce = cuckoo_filter_expire.new(1000, 60)
cms = cm_sketch.new(0.0123456, 0.000123456)
quantile, histogram = p2.quantile(0.95), p2.histogram(7)
int, float = matrix.new(3, 3), matrix.new(3, 3, "float")
series = time_series.new(10, 60e9)
stats = running_stats.new()
window, empty_window = sax.window.new(12, 3, 7), sax.window.new(4, 2, 3)
word, text_word = sax.word.new({1, 2, 3, 4}, 2, 5), sax.word.new("A#C", 4)
nested = {list = {}}
for i = 1, 500 do
    local key = i % 2 == 0 and i or "key" .. i
    hll:add(key) bf:add(key) cf:add(key) ce:add(key, 1e18 + i * 600e9) cms:update(key, i % 7)
    quantile:add(i * 0.1) histogram:add(i * i) stats:add(i / 7)
    series:add(i * 1e9, i) window:add(i % 11 / 3)
    nested.list[i % 5 + 1] = running_stats.new()
end
window:add(0/0) window:add(1/0) window:add(-1/0)
int:set(2, 2, -2^31) float:set(1, 3, 0.1) float:set(3, 3, 1/0)
same = cb
"#;

#[test]
fn states_come_back_without_loss() {
    let mut first = run(&format!("{REQUIRE_ALL}{FILL}"));
    let state = first.preserve();
    let check = format!(
        r#"{REQUIRE_ALL}
        function process_message()
            assert(same == cb and #nested.list == 5)
            assert(cb:get(1e9 * 1700000000, 1) == 1/3)
            assert(sax.mindist(word, sax.word.new({{1, 2}}, 2, 5)) == nil, "n of a word")
            local ns = ce:current_interval()
            assert(ns > 1e18, "the clock")
            assert(ce:query(500) and bf:query(500) and cf:query("key1") and cms:point_query("key1") >= 1)
            inject_payload("cbuf", "", cb)
            return 0
        end"#
    );
    let mut second = restore(&check, &state).expect("restored");
    let again = second.preserve();
    assert_eq!(
        String::from_utf8_lossy(&again),
        String::from_utf8_lossy(&state),
        "the same state"
    );
    let annotation = r#""annotations":[{"x":1699999920000,"col":1,"shortText":"i","text":"i"}]}"#;
    let payload = payloads(&mut second).remove(0);
    assert!(payload.contains(annotation), "{payload}");
    assert!(
        payload.contains("1699999980\t0.33333333\t0.1\n"),
        "{payload}"
    );
}

/// The statements as Hindsight's modules write them: eight decimals, binary strings with few escapes, short forms.
fn hindsight_state() -> Vec<u8> {
    let mut state =
        b"if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 0 then return end\n".to_vec();
    let mut add = |text: &[u8]| state.extend_from_slice(text);
    add(b"if _G[\"cb\"] == nil then _G[\"cb\"] = circular_buffer.new(2, 2, 60) end\n\
        _G[\"cb\"]:set_header(1, \"Requests\", \"count\", \"sum\")\n\
        _G[\"cb\"]:set_header(2, \"Column_2\", \"count\", \"none\")\n\
        _G[\"cb\"]:fromstring(\"1700000040 0 0.33333333 nan 1.42852395e+18 -inf 1700000040 0.33333333 nan\")\n\
        _G[\"cb\"]:annotate(1.7e+18, 1, \"alert\", \"a\\/b \\\"c\\\"\", true)\n");
    add(b"if _G[\"hll\"] == nil then _G[\"hll\"] = hyperloglog.new() end\n_G[\"hll\"]:fromstring(\"HYLL");
    add(&[0; 11]);
    add(&[0x80, 0x05]);
    add(&[0; 12287]);
    add(b"\")\n");
    add(b"if _G[\"bf\"] == nil then _G[\"bf\"] = bloom_filter.new(20, 0.01) end\n_G[\"bf\"]:fromstring(3, \"");
    add(&[0xff; 20]);
    add(b"\\n\\r\\\"\\\\\")\n");
    add(b"if _G[\"cf\"] == nil then _G[\"cf\"] = cuckoo_filter.new(16) end\n_G[\"cf\"]:fromstring(2, \"\x01\x02\x00\x00");
    add(&[0; 26]);
    add(b"\x03\x04\", 1)\n");
    add(b"if _G[\"ce\"] == nil then _G[\"ce\"] = cuckoo_filter_expire.new(512, 1) end\n_G[\"ce\"]:fromstring(1, \"");
    add(&[0; 2559]);
    add(b"\x00\")\n_G[\"ce\"]:fromstring(1, 60, \"");
    add(b"\x01\x02\x03\x04");
    add(&[0; 2556]);
    add(b"\")\n");
    add(b"if _G[\"cms\"] == nil then _G[\"cms\"] = streaming_algorithms.cm_sketch(0.0988483, 0.082085) end\n_G[\"cms\"]:fromstring(\"\x07");
    add(&[0; 7]);
    add(b"\x02");
    add(&[0; 7 + 4 * 28 * 3]);
    add(b"\")\nif _G[\"q\"] == nil then _G[\"q\"] = streaming_algorithms.p2.quantile(0.5) end\n_G[\"q\"]:fromstring(\"\x05\x00\x00\x00\x00?");
    add(&[0; 120]);
    add(b"\")\nif _G[\"h\"] == nil then _G[\"h\"] = streaming_algorithms.p2.histogram(4) end\n_G[\"h\"]:fromstring(\"\x05\x00");
    add(&[0; 80]);
    add(b"\")\nif _G[\"m\"] == nil then _G[\"m\"] = streaming_algorithms.matrix.new(1, 1, \"float\") end\n\
        _G[\"m\"]:fromstring(\"\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x80?\")\n\
        if _G[\"ts\"] == nil then _G[\"ts\"] = streaming_algorithms.time_series.new(2, 1) end\n\
        _G[\"ts\"]:fromstring(\"\x04\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00,\x00\x00\x00!\x00\x00\x00junk\")\n\
        if _G[\"rs\"] == nil then _G[\"rs\"] = streaming_algorithms.running_stats.new() end\n\
        _G[\"rs\"]:fromstring(\"\x00\x00\x00\x00\x00\x00\xf0?");
    add(&[0; 16]);
    add(b"\")\nif _G[\"w\"] == nil then _G[\"w\"] = sax.window.new(4, 2, 4) end\n_G[\"w\"]:clear()\n_G[\"w\"]:add({0/0,1,-1/0,2.5})\n\
        if _G[\"word\"] == nil then _G[\"word\"] = sax.word.new(\"A#D\", 4) end\n");
    state
}

#[test]
fn states_of_hindsight_are_read() {
    let check = format!(
        r#"{REQUIRE_ALL}
        function process_message()
            local t = 1700000040 * 1e9
            assert(cb:get(t, 1) == 0.33333333 and cb:get(t - 60e9, 1) == 1.42852395e18 and cb:get(t - 60e9, 2) == -1/0)
            assert(cb:get_delta(t, 1) == 0.33333333 and cb:get_header(1) == "Requests")
            assert(hll:count() == 1)
            assert(bf:count() == 3 and cf:count() == 2)
            assert(ce:count() == 1 and ce:current_interval() == 15300e9)
            assert(cms:item_count() == 7 and cms:unique_count() == 2)
            assert(q:count(2) == 0 and h:count(2) == 0 and m:get(1, 1) == 1)
            assert(ts:current_time() == 4 and ts:get(4) == 44 and ts:get(3) == 33)
            assert(rs:count() == 1 and tostring(word) == "A#D" and tostring(w) == "AA")
            return 0
        end"#
    );
    let mut plugin = restore(&check, &hindsight_state()).expect("restored");
    assert_eq!(payloads(&mut plugin), Vec::<String>::new());
    let again = plugin.preserve();
    restore(&check, &again).expect("ours");
}

#[test]
fn detectors_go_on_after_a_restart() {
    const MAIN: &str = r#"
        require "detector"
        alone = detector.new("robust", {window = 60})
        both = detector.new("consensus", {
            detectors = {detector.new("cusum"), detector.new("seasonal", {season = 7200, part = 600})}, need = 1})
        sizes = detector.histogram(4, {rows = 3, count = 10})
        local function feed(from, to)
            local scores = {}
            for i = from, to do
                scores[#scores + 1] = alone:add(i * 60e9, i * 7919 % 13)
                scores[#scores + 1] = both:add(i * 60e9, i * 7919 % 13)
                scores[#scores + 1] = sizes:add(i * 60e9, {i % 5, 10, i % 3, 4})
            end
            return scores
        end
        "#;
    let mut first = run(&format!("{MAIN} feed(1, 500)"));
    let state = first.preserve();
    let check = format!(
        r#"{MAIN}
        local copies = {{detector.new("cusum"), detector.new("cusum"), detector.histogram(2)}}
        feed(1, 500)
        for i, d in ipairs({{alone, both, sizes}}) do copies[i]:fromstring(tostring(d)) end
        function process_message()
            for i, d in ipairs({{alone, both, sizes}}) do assert(tostring(d) == tostring(copies[i]), i) end
            assert(#feed(501, 600) == 300)
            return 0
        end"#
    );
    let mut second = restore(&check, &state).expect("restored");
    let again = second.preserve();
    assert_eq!(again, state);
    assert_eq!(payloads(&mut second), Vec::<String>::new());
}

#[test]
fn damaged_states_are_errors() {
    let refused = [
        (
            "circular_buffer.new(2, 1, 60)",
            "fromstring(\"1 1 1\")",
            "too few values",
        ),
        (
            "circular_buffer.new(1e18, 256, 60)",
            "fromstring(\"\")",
            "not enough memory",
        ),
        (
            "hyperloglog.new()",
            "fromstring(\"HYLL\")",
            "bytes found: 4",
        ),
        (
            "bloom_filter.new(20, 0.01)",
            "fromstring(1, \"\")",
            "bytes found: 0",
        ),
        ("cuckoo_filter.new(20)", "explode(1)", "no method explode"),
        (
            "streaming_algorithms.matrix.new(2, 2)",
            "fromstring(\"x\")",
            "invalid serialization",
        ),
        (
            "sax.window.new(4, 2, 4)",
            "add({1, \"x\"})",
            "expected a value",
        ),
        ("sax.mindist(1)", "add(1)", "no constructor"),
    ];
    for (constructor, method, expected) in refused {
        let state =
            format!("if _G[\"o\"] == nil then _G[\"o\"] = {constructor} end\n_G[\"o\"]:{method}\n");
        let error = match restore(REQUIRE_ALL, state.as_bytes()) {
            Ok(_) => panic!("{state} was restored"),
            Err(error) => error,
        };
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
}

#[test]
fn a_state_cannot_take_the_machines_memory() {
    let one = "_G[\"o\"] = streaming_algorithms.matrix.new(1e5, 1e5)\n".to_owned();
    let many: String = (0..1000)
        .map(|i| format!("_G[{i}] = streaming_algorithms.time_series.new(1e6, 1)\n"))
        .collect();
    for state in [one, many] {
        let mut setup = Setup::new(Kind::Analysis);
        setup.limits.memory = 8 << 20;
        setup.state = Some(state.into_bytes());
        let error = setup.run(REQUIRE_ALL).err().expect("too large");
        assert!(error.contains("not enough memory"), "{error}");
    }
}

#[test]
fn a_global_of_the_familys_name_is_a_conflict() {
    let error = try_run("streaming_algorithms = 1 require 'streaming_algorithms.p2'");
    let error = error.err().expect("no room for the module");
    let expected = "name conflict for module 'streaming_algorithms.p2'";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn memory_is_counted_and_given_back() {
    let mut setup = Setup::new(Kind::Analysis);
    setup.limits.memory = 8 << 20;
    let source = format!(
        r#"{REQUIRE_ALL}
        for i = 1, 100 do
            local one = circular_buffer.new(1000, 100, 1)
            one = bloom_filter.new(1e6, 0.01)
            one = cuckoo_filter.new(4e5)
            one = cuckoo_filter_expire.new(1e5, 1)
            one = cm_sketch.new(1e-5, 0.01)
            one = matrix.new(1000, 500)
            one = time_series.new(5e5, 1)
            one = p2.histogram(60000)
        end
        for _, new in ipairs{{
            function() return circular_buffer.new(1000, 100, 1) end, function() return cuckoo_filter.new(4e5) end,
            function() return hyperloglog.new() end, function() return sax.window.new(4096, 2, 2) end,
        }} do
            local kept = {{}}
            local ok, err = pcall(function() for i = 1, 1e6 do kept[i] = new() end end)
            assert(not ok and err == "not enough memory" and #kept > 2, tostring(err))
            kept = nil
        end
        local cb = circular_buffer.new(10000, 2, 1)
        local text = string.rep("x", 1e5)
        local ok, err = pcall(function() for i = 0, 9999 do cb:annotate(i * 1e9, 1, "info", text) end end)
        assert(not ok and err == "not enough memory", tostring(err))
        cb:set(1e6 * 1e9, 1, 1)
        cb = nil
        cb = circular_buffer.new(1000, 100, 1)"#
    );
    if let Err(error) = setup.run(&source) {
        panic!("{error}");
    }
}

#[test]
fn long_work_ends_at_the_limit() {
    let bodies = [
        "local cb = circular_buffer.new(10000, 100, 1) local t = 0 while true do t = t + 1e14 cb:set(t, 1, 1) end",
        "local cb = circular_buffer.new(10000, 100, 1) while true do cb:get_range(1) end",
        "local h = hyperloglog.new() while true do h:add(1) h:count() h:merge(h) end",
        "local m = matrix.new(1000, 1000) for i = 1, 1000 do m:set(i, i, i) end while true do m:pcc(1) end",
        "local s = time_series.new(100000, 1) for i = 1, 100000 do s:add(i, i % 17) end s:matrix_profile(nil, 100000, 50, 100)",
        "local b = bloom_filter.new(2, 1e-300) b:add(string.rep('x', 4e7))",
        "local c = cuckoo_filter_expire.new(1e6, 1) local t = 0 while true do t = t + 60e9 c:add(1, t) end",
        "local h = p2.histogram(60000) while true do h:add(1) end",
        "local w = sax.window.new(4096, 2, 2) while true do w:add(1) end",
    ];
    for body in bodies {
        let mut setup = Setup::new(Kind::Analysis);
        setup.limits.instructions = 1_000_000;
        let source = format!("{REQUIRE_ALL}function process_message() {body} return 0 end");
        let mut plugin = setup.run(&source).expect("loaded");
        match plugin.process(b"") {
            Answer::Terminated(error) => assert!(error.contains("limit"), "{body}: {error}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}
