//! When timer_event is called: by the clock, by the data's own time in a replay, and once more at the end.

use e2e::{Site, payloads};

/// Tells of every call.
const TELLS: &str = r#"
    require "string"
    local messages = 0
    function process_message() messages = messages + 1 return 0 end
    function timer_event(ns, shutdown)
        inject_payload("txt", "tick", string.format("%.0f %s %d", ns, tostring(shutdown), messages))
    end
"#;

#[test]
fn in_a_run_the_clock_fires_them() {
    let site = Site::new()
        .analysis(
            "clock",
            "message_matcher = \"TRUE\"\nticker_interval = 1",
            TELLS,
        )
        .collect("ticks", "Type == 'inject_payload'");
    let mut engine = site.start();
    let ticks = || payloads(&site.path("ticks.heka"));
    engine.until("two ticks", || ticks().len() >= 2);
    engine.stop();
    let before = ticks();
    for tick in &before {
        let (ns, rest) = tick.split_once(' ').expect("three parts");
        assert_eq!(rest, "false 0");
        assert!(ns.ends_with("000000000"), "whole seconds: {ns}");
    }
    // What the last call injected waits in the queue for the next start.
    std::fs::remove_file(site.path("run/analysis/clock.cfg")).expect("it is there");
    site.replay().expect(0);
    let last = ticks().pop().expect("there are some");
    assert!(last.ends_with(" true 0"), "{last}");
}

#[test]
fn in_a_replay_the_messages_fire_them() {
    let input = r#"
        function process_message()
            for _, s in ipairs{ 1000, 1005, 1012, 1011, 1050 } do inject_message{ Timestamp = s * 1e9, Type = "t" } end
            return 0
        end
    "#;
    let site = Site::new()
        .input("source", "", input)
        .analysis(
            "clock",
            "message_matcher = \"Type == 't'\"\nticker_interval = 10",
            TELLS,
        )
        .collect("ticks", "Type == 'inject_payload'");
    site.replay().expect(0);
    let ticks = payloads(&site.path("ticks.heka"));
    let seconds: Vec<String> = ticks
        .iter()
        .map(|tick| tick.replace("000000000 ", " "))
        .collect();
    // As with Hindsight: once at time 0, then the first message fires it, then every ten seconds of the data's time, each
    // after the message.
    assert_eq!(
        seconds,
        [
            "0 false 0",
            "1000 false 1",
            "1012 false 3",
            "1050 false 5",
            "1050 true 5"
        ]
    );
}

#[test]
fn a_plugin_without_timer_event_is_terminated_at_the_end() {
    let lua = "function process_message() return 0 end";
    let site = Site::new()
        .analysis("a", "message_matcher = \"TRUE\"", lua)
        .output("o", "message_matcher = \"TRUE\"", lua);
    site.replay().expect(4 + 8);
    for err in ["run/analysis/a.err", "run/output/o.err"] {
        assert!(
            site.read(err)
                .contains("timer_event() function was not found"),
            "{err}: {}",
            site.read(err)
        );
    }
}

#[test]
fn a_fault_in_timer_event_terminates() {
    let lua = "function process_message() return 0 end function timer_event() error('late') end";
    let site = Site::new().analysis("a", "message_matcher = \"TRUE\"\nticker_interval = 1", lua);
    let mut engine = site.start();
    engine.until("the .err file", || {
        site.read("run/analysis/a.err")
            .contains("timer_event() run/analysis/a.lua:1: late")
    });
    engine.stop();
}
