//! `input/plugins_tsv.lua` and `analysis/plugin_monitor.lua`: the engine's own statistics end in an alert.

use e2e::{Kind, Site, field_text, messages, wait_until};

#[test]
fn a_terminated_plugin_becomes_an_alert() {
    let monitor = "message_matcher = \"Type =~ '^hindsight%.plugin%.'\"\nprocess_message_inject_limit = 1\n\
                   alert = { modules = { email = { recipients = { 'ops@example.com' } } }, \
                   thresholds = { ['*'] = { terminated = true } } }";
    let site = Site::new()
        .with_load_directory()
        .ours("input/plugins_tsv.lua", "stats", "ticker_interval = 1")
        .ours("analysis/plugin_monitor.lua", "monitor", monitor)
        .analysis(
            "faulty",
            "message_matcher = \"Type == 'break'\"",
            "function process_message() error('broken on purpose') end function timer_event() end",
        )
        .collect(
            "stats",
            "Type == 'hindsight.plugin.stats' && Fields[name] == 'analysis.faulty'",
        )
        .collect("alerts", "Type == 'alert'");
    let engine = site.start();
    wait_until("the plugin is in the statistics", || {
        !messages(&site.path("stats.heka")).is_empty()
    });
    let breaker = "function process_message() inject_message{Type = 'break'} return 0 end";
    site.put_plugin("load", Kind::Input, "breaker", "", breaker);
    wait_until("the alert comes", || {
        !messages(&site.path("alerts.heka")).is_empty()
    });
    engine.stop();
    let alerts = messages(&site.path("alerts.heka"));
    assert_eq!(alerts.len(), 1);
    assert_eq!(
        field_text(&alerts[0], "id").as_deref(),
        Some("analysis.faulty")
    );
    assert_eq!(
        field_text(&alerts[0], "summary").as_deref(),
        Some("terminated")
    );
    assert_eq!(
        field_text(&alerts[0], "email.recipients").as_deref(),
        Some("<ops@example.com>")
    );
    let detail =
        String::from_utf8_lossy(alerts[0].payload.as_deref().unwrap_or_default()).into_owned();
    assert!(detail.contains("broken on purpose"), "{detail}");
}
