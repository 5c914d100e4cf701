//! `monitor.watch` and `monitor.alerts` at their limits: keys, late and early rows, silence, alerts that wait; and keys of odd values.

use modules::{Plugin, Setup};
use sandbox::Kind;
use schemas::message::{Field, FieldValue, Message};

const ALERT: &str = "Logger = 'analysis.watch'\nHostname = 'host.example.com'\n\
    alert = { modules = { email = { recipients = { 'ops@example.com' } } } }";

fn load(config: &str, source: &str) -> Result<Plugin, String> {
    let mut setup = Setup::new(Kind::Analysis).configured(&format!("{ALERT}\n{config}"));
    setup.limits.timer_event_injects = 1000;
    setup.run(source)
}

/// Runs a program whose asserts are in `timer_event`.
fn run(config: &str, source: &str) -> Plugin {
    let mut plugin = load(config, source).expect("it loads");
    plugin
        .sandbox
        .timer_event(0, false)
        .expect("all asserts hold");
    plugin
}

#[test]
fn an_alert_of_a_subject_comes_once_in_its_refractory_period() {
    let source = r#"
        local alerts = require "monitor.alerts"
        local sender = alerts.new { refractory = 100, payloads = 4 }
        state = sender:state()
        local S = 1e9
        assert(alerts.date(1.6e18) == "2020-09-13T12:26:40Z")
        function timer_event()
            assert(sender:raise(state, 0, "a", "a.x", "first", "detail"))
            assert(not sender:raise(state, 99 * S, "a", "a.y", "second", "detail"))
            assert(sender:raise(state, 100 * S, "a", "a.y", "third", "detail"))
            sender:hold(state, 100 * S, "b")
            assert(not sender:rested(state, 150 * S, "b") and sender:rested(state, 200 * S, "b"))
            -- What waits is bounded.
            for i = 1, 200 do sender:raise(state, 1000 * S, "c" .. i, "c", "summary", "detail") end
            assert(#state.waiting == 100 and state.dropped == 102)
            sender:send(state)
            assert(#state.waiting == 94, "as many as the limit allows")
            -- So are the subjects that are remembered.
            for i = 1, 30000 do sender:hold(state, 1e9 * S, "d" .. i) end
            local n = 0
            for _ in pairs(state.last) do n = n + 1 end
            assert(n == state.n_last and n <= 10000, n)
        end
        function process_message() return 0 end
    "#;
    let plugin = run("timer_event_inject_limit = 10", source);
    assert_eq!(plugin.seen().injected.len(), 6);
    let error = load("timer_event_inject_limit = 4", source).err();
    assert!(error.is_some_and(|text| text.contains("timer_event_inject_limit must be at least 5")));
}

const WATCH: &str = r#"
    local watch = require "monitor.watch"
    local w = watch.new {
        title = "test", rows = 20, keys_max = 3,
        measures = {
            { name = "count", kind = "count", checks = { { kind = "limit", high = 10, name = "busy" } } },
            { name = "average", kind = "average", unit = "ms", minimum = 2 },
            { name = "errors", kind = "share", unit = "%", window = 3, minimum = 4, graph = false },
            { name = "largest", kind = "max", graph = false },
            { name = "level", kind = "last", graph = false },
            { name = "items", kind = "unique", window = 2, graph = false },
        },
    }
    state = w:state()
    local M = 60e9
    local T = 1e6 * M
    local function add(minute, key, value, item)
        local k = w:at(state, T + minute * M, key)
        if not k then return false end
        for i = 1, 3 do k.n[i] = k.n[i] + 1 end
        k.sum[2], k.sum[3] = k.sum[2] + value, k.sum[3] + (value > 5 and 1 or 0)
        if value > k.sum[4] then k.sum[4] = value end
        k.sum[5] = value
        w:unique(k, 6, item or value)
        return true
    end
    function process_message() return 0 end
"#;

fn watch(body: &str) -> Plugin {
    run("", &format!("{WATCH}\nfunction timer_event()\n{body}\nend"))
}

#[test]
fn measures_give_the_values_of_their_rows() {
    watch(
        r#"
        add(0, "a", 4) add(0, "a", 8) add(0.5, "a", 3)
        add(1, "a", 9)
        local k = state.keys.a
        assert(k.last[1] == 3 and k.last[2] == 5 and k.last[3] == nil and k.last[4] == 8 and k.last[5] == 3 and k.last[6] == 3)
        add(2, "a", 1) add(2, "a", 9)
        assert(k.last[1] == 1 and k.last[2] == nil and k.last[3] == 50 and k.last[4] == 9 and k.last[6] == 4)
        add(4, "a", 1)
        assert(k.last[1] == 0 and k.last[5] == 9, "a silent row was closed, too")
        assert(state.graphs[1]:get(T, 1) == 3 and state.graphs[1]:get(T + 3 * M, 1) == 0 and state.graphs[3] == nil)
        "#,
    );
}

#[test]
fn graphs_have_the_bands_of_normal_when_they_shall() {
    let source = r#"
        require "circular_buffer"
        local watch = require "monitor.watch"
        local function make(keys_max)
            return watch.new {
                title = "test", rows = 20, keys_max = keys_max or 3,
                measures = {
                    { name = "count", kind = "count", checks = { { kind = "gap" }, { kind = "robust", window = 8, threshold = 2, floor = 0.5 } } },
                    { name = "level", kind = "last", checks = { { kind = "limit", high = 10 } } },
                },
            }
        end
        local w = make()
        state = w:state()
        function process_message() return 0 end
        function timer_event()
            local bounds = read_config("bounds")
            for minute = 0, 9 do
                local k = w:at(state, minute * 60e9, "a")
                k.n[1] = 10
            end
            local _, columns = state.graphs[1]:get_configuration()
            assert(columns == (bounds and 9 or 3), columns)
            assert(select(2, state.graphs[2]:get_configuration()) == 3, "a limit is no band")
            if not bounds then return end
            assert(select(2, state.graphs[1]:get_header(4)) == "low" and select(2, state.graphs[1]:get_header(5)) == "high")
            assert(state.graphs[1]:get(8 * 60e9, 4) == 0 and state.graphs[1]:get(8 * 60e9, 5) == 20)
            local early = state.graphs[1]:get(60e9, 4)
            assert(early ~= early, "nothing is known yet")
            assert(not pcall(make, 86), "too many columns")
        end
    "#;
    run("bounds = true", source);
    run("", source);
}

#[test]
fn keys_and_rows_are_bounded() {
    watch(
        r#"
        add(0, "a", 1) add(0, "b", 1) add(0, "c", 1)
        assert(not add(0, "d", 1) and state.more == 1 and state.n_keys == 3)
        -- A row late counts, more does not.
        assert(add(10, "a", 1) and add(9, "a", 1) and not add(8, "a", 1) and state.late == 1)
        assert(state.keys.a.n[1] == 2)
        -- Silent keys make room.
        for minute = 11, 25 do add(minute, "a", 1) end
        assert(state.n_keys == 1 and state.keys.b == nil and add(25, "d", 1) and state.keys.d.column == 2)
        -- One that is far ahead is not believed, three are.
        assert(not add(1000, "a", 1) and state.ahead == 1 and add(26, "a", 1))
        assert(not add(1000, "a", 1) and not add(1000, "a", 1) and add(1000, "a", 1))
        assert(state.row == 1e6 + 1000 and state.ahead == 3)
        "#,
    );
}

#[test]
fn one_alert_tells_everything_and_time_goes_on_without_messages() {
    let plugin = watch(
        r#"
        for i = 1, 12 do add(0, "a", i) end
        w:timer(state, T + 90e9, false)
        assert(state.row == 1e6, "messages came, so they say what time it is")
        w:timer(state, T + 90e9 + 3 * M, false)
        assert(state.row == 1e6 + 3, "as far behind as before")
        assert(state.keys.a.usual[1] == 0, "what is strange is not usual")
        for i = 1, 12 do add(5, "a", i) end
        add(6, "a", 1)
        w:timer(state, T + 7 * M, true)
        "#,
    );
    let injected = plugin.seen().injected;
    let all: Vec<Message> = injected
        .iter()
        .map(|bytes| Message::decode(bytes).expect("a message"))
        .collect();
    let alerts: Vec<&Message> = all
        .iter()
        .filter(|m| m.type_.as_deref() == Some(b"alert"))
        .collect();
    assert_eq!(
        alerts.len(),
        1,
        "the second row lies in the refractory period"
    );
    let detail = String::from_utf8_lossy(alerts[0].payload.as_deref().unwrap_or_default());
    assert!(
        detail.starts_with("busy is high (12) in the 60 seconds from "),
        "{detail}"
    );
}

#[test]
fn graphs_that_are_too_large_are_counted_and_alerts_go_on() {
    let mut setup = Setup::new(Kind::Analysis).configured(&format!("{ALERT}\nrows = 1000"));
    setup.limits.output = 2000;
    let source = format!(
        "{WATCH}\nfunction timer_event() for i = 1, 12 do add(0, 'a', i) end add(1, 'a', 1) w:timer(state, T, false) assert(state.unshown == 2) end"
    );
    let mut plugin = setup.run(&source).expect("it loads");
    plugin.sandbox.timer_event(0, false).expect("it goes on");
    let injected = plugin.seen().injected;
    assert_eq!(injected.len(), 2, "an alert and the table");
    let table = String::from_utf8_lossy(&injected[1]).into_owned();
    assert!(table.contains("(unshown)\tpayloads\t2\t"), "{table}");
}

const GOOD: &str = "{ name = 'count', kind = 'count' }";

/// Configurations, measures, and what is said of them.
const WRONG: &[(&str, &str, &str)] = &[
    ("keys_max = 257", GOOD, "keys_max must be 1 to 256"),
    (
        "sec_per_row = 0",
        GOOD,
        "sec_per_row must be greater than 0",
    ),
    ("confirm = 'x'", GOOD, "confirm must be a number"),
    ("refractory = -1", GOOD, "refractory must be a number >= 0"),
    (
        "",
        "{ name = 'x', kind = 'x' }",
        "unknown kind of measure 'x'",
    ),
    (
        "",
        "{ name = 'x', kind = 'max', window = 2 }",
        "this kind of measure has no window",
    ),
    (
        "",
        "{ name = 'x', kind = 'count', window = 2000 }",
        "window must be 1 to 1440",
    ),
    (
        "",
        "{ name = 'x', kind = 'histogram', bins = 1 }",
        "bins must be 2 to 256",
    ),
    (
        "",
        "{ name = 'x', kind = 'count', checks = { { kind = 'x' } } }",
        "unknown kind 'x'",
    ),
    (
        "",
        "{ name = 'x', kind = 'count', checks = { { kind = 'limit' } } }",
        "a limit needs high or low",
    ),
    (
        "",
        "{ name = 'x', kind = 'count', checks = { { kind = 'shares' } } }",
        "shares cannot be a check of x",
    ),
    (
        "",
        "{ name = 'x', kind = 'count', checks = { { kind = 'cusum', refractory = 1 } } }",
        "refractory is one of the monitor",
    ),
    (
        "",
        "{ name = 'x', kind = 'count', checks = { { kind = 'consensus' } } }",
        "a consensus needs detectors",
    ),
    (
        "alert.thresholds = { a = { x = {} } }",
        GOOD,
        "a: there is no measure 'x'",
    ),
    (
        "alert.thresholds = { a = { count = 5 } }",
        GOOD,
        "a: count must be a list of checks or false",
    ),
    (
        "alert.thresholds = { a = 5 }",
        GOOD,
        "thresholds of a must be a table",
    ),
];

#[test]
fn wrong_settings_are_said_at_the_start() {
    let source = |measure: &str| {
        format!(
            "local watch = require 'monitor.watch'\nwatch.new {{ measures = {{ {measure} }} }}\n\
             function process_message() return 0 end\nfunction timer_event() end"
        )
    };
    for &(config, measure, text) in WRONG {
        let error = load(config, &source(measure)).err().unwrap_or_default();
        assert!(
            error.contains(text),
            "{measure} {config}: {error:?} instead of {text:?}"
        );
    }
    let consensus = "{ name = 'x', kind = 'count', checks = { { kind = 'consensus', detectors = { { kind = 'robust' }, { kind = 'cusum' } } } } }";
    assert!(load("", &source(consensus)).is_ok());
}

#[test]
fn keys_of_odd_values_fit_into_tables() {
    let source = r#"
        require "string"
        local key = require "monitor.key"
        local one = key.new("Fields[x]")
        local seen = {}
        function process_message()
            local found = one()
            assert(not string.find(found, "[%c/]") and #found <= 64, found)
            seen[#seen + 1] = found
            return 0
        end
        function timer_event()
            assert(seen[1] == "a b c" and seen[2] == string.rep("x", 64) and #seen == 12002)
        end
    "#;
    let mut plugin = load("", source).expect("it loads");
    let mut send = |text: String| {
        let field = Field {
            name: b"x".to_vec(),
            representation: None,
            value: FieldValue::String(vec![text.into_bytes()]),
        };
        let message = Message {
            fields: vec![field],
            ..Message::default()
        };
        assert!(
            matches!(
                plugin.process(&message.to_bytes()),
                sandbox::Answer::Status { code: 0, .. }
            ),
            "{message:?}"
        );
    };
    send("a/b\nc".into());
    send("x".repeat(1000));
    // More than are remembered.
    (0..12_000).for_each(|i| send(format!("value {i}")));
    plugin
        .sandbox
        .timer_event(0, false)
        .expect("all asserts hold");
}
