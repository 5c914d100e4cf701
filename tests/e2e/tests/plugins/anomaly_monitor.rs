//! `analysis/anomaly_monitor.lua`: planted faults become alerts, and only they.

use e2e::{Site, field_text, messages};

/// Hours of a month with a daily season; then two faults of kind "a", hours apart, while "b" goes on.
const SOURCE: &str = r#"
    require "math"
    local HOURS = 24 * 30
    function process_message()
        for hour = 0, HOURS + 48 do
            for _, kind in ipairs{ "a", "b" } do
                local n = math.floor(20 + 10 * math.sin(hour * math.pi / 12) + hour * 7919 % 5)
                if kind == "a" and hour >= HOURS and hour < HOURS + 3 then n = n * 3 end
                if kind == "a" and hour >= HOURS + 24 then n = 0 end
                for i = 1, n do
                    inject_message{ Timestamp = (1.6e9 + hour * 3600 + i) * 1e9, Type = kind, Fields = { size = i } }
                end
            end
        end
        return 0
    end
"#;

fn site(cfg: &str) -> Site {
    let cfg = format!(
        "message_matcher = \"Type == 'a' || Type == 'b'\"\nmessage_variable = \"Type\"\nsec_per_row = 3600\nrows = 800\n\
         ticker_interval = 60\nmemory_limit = 0\nkeys_max = 4\npreserve_data = true\n\
         alert = {{ modules = {{ email = {{ recipients = {{ 'ops@example.com' }} }} }} }}\n{cfg}"
    );
    Site::new()
        .input("source", "", SOURCE)
        .ours("analysis/anomaly_monitor.lua", "monitor", &cfg)
        .collect("alerts", "Type == 'alert'")
        .collect("graphs", "Type == 'inject_payload'")
}

#[test]
fn planted_faults_become_alerts_and_only_they() {
    let site = site(
        "refractory = 86400\ndetectors = { { kind = 'seasonal', season = 86400 }, { kind = 'gap', resolution = 3600, longest = 86400 } }",
    );
    site.replay().expect(0);
    let alerts = messages(&site.path("alerts.heka"));
    let ids: Vec<String> = alerts.iter().filter_map(|m| field_text(m, "id")).collect();
    let count = |id: &str| ids.iter().filter(|found| *found == id).count();
    // The rise once, the silence of a day once: the gap belongs to it.
    assert_eq!((count("a.seasonal"), ids.len()), (2, 2), "{ids:?}");
    let summary = field_text(&alerts[0], "summary").expect("a summary");
    assert!(summary.starts_with("a: count is high ("), "{summary}");
    let detail =
        String::from_utf8_lossy(alerts[0].payload.as_deref().unwrap_or_default()).into_owned();
    assert!(detail.contains("by 'seasonal'"), "{detail}");
    let graphs = messages(&site.path("graphs.heka"));
    let is_graph = |m: &&schemas::message::Message| {
        field_text(m, "payload_name").as_deref() == Some("anomalies_count")
    };
    let last = graphs.iter().rfind(is_graph).expect("a graph");
    let text = String::from_utf8_lossy(last.payload.as_deref().unwrap_or_default()).into_owned();
    assert!(
        text.contains("\"annotations\":[{") && text.contains("count is high ("),
        "{}",
        &text[..200]
    );
}

#[test]
fn wrong_detectors_are_said_at_the_start() {
    for (cfg, text) in [
        ("detectors = { { kind = 'x' } }", "unknown kind 'x'"),
        ("detectors = {}", "detectors must not be empty"),
        (
            "detectors = { { kind = 'robust', refractory = 5 } }",
            "refractory is one of the monitor, not of a check",
        ),
        (
            "detectors = { { kind = 'gap', x = 1 } }",
            "unknown parameter 'x'",
        ),
        ("sec_per_row = 0", "sec_per_row must be greater than 0"),
    ] {
        let site = site(cfg);
        let log = site.replay().log;
        assert!(log.contains(text), "{log}");
    }
}
