//! What process_message may answer, for inputs, analysis plugins and outputs, and what follows.

use e2e::{Kind, Site, field_text, messages};

use crate::payloads_input;

/// A body of process_message, and what it is terminated with.
const TERMINATED: &[(&str, &str)] = &[
    (
        "return 1",
        "process_message() received a termination status code",
    ),
    (
        "return 1, 'unheard'",
        "process_message() received a termination status code",
    ),
    (
        "return 'x'",
        "process_message() must return a numeric status code",
    ),
    (
        "return",
        "process_message() must return a numeric status code",
    ),
    (
        "return -1, {}",
        "process_message() must return a nil or string error message",
    ),
    ("error('boom')", "process_message() run/KIND/pN.lua:2: boom"),
    ("error('plain', 0)", "process_message() plain"),
    (
        "local x = nil; return x.y",
        "process_message() run/KIND/pN.lua:2: attempt to index local 'x' (a nil value)",
    ),
    ("while true do end", "instruction_limit exceeded"),
    (
        "local t = {} for n = 1, 1e7 do t[n] = n .. 'x' end return 0",
        "not enough memory",
    ),
];

/// One engine with a plugin for each case; each must end with its own reason and leave the others alone.
fn check_terminated(kind: Kind, cfg: &str, exit_code: i32) {
    let mut site = Site::new()
        .input("source", "", &payloads_input(&["one", "two"]))
        .collect("all", "TRUE");
    for (n, (body, _)) in TERMINATED.iter().enumerate() {
        let lua = format!("function process_message()\n{body} end function timer_event() end");
        // Enough memory that a loop ends by its instructions, little enough that a table does not fit.
        let limits = if body.contains("1e7") {
            "instruction_limit = 0\nmemory_limit = 1000000"
        } else {
            ""
        };
        site = site.plugin(kind, &format!("p{n}"), &format!("{cfg}\n{limits}"), &lua);
    }
    let missing = "function timer_event() end";
    site = site.plugin(kind, "missing", cfg, missing);
    let finished = site.replay().expect(exit_code);
    let err = |name: &str| site.read(format!("run/{}/{name}.err", kind.name()));
    for (n, (body, expected)) in TERMINATED.iter().enumerate() {
        let expected = expected
            .replace("KIND", kind.name())
            .replace('N', &n.to_string());
        let found = err(&format!("p{n}"));
        assert!(
            found.contains(&expected),
            "{kind:?} {body:?}: {found:?} has no {expected:?}\n{}",
            finished.log
        );
    }
    assert!(
        err("missing").contains("process_message() function was not found"),
        "{}",
        err("missing")
    );
    assert_eq!(
        messages(&site.path("all.heka")).len(),
        2,
        "the others go on"
    );
}

#[test]
fn an_input_ends_with_its_reason() {
    check_terminated(Kind::Input, "", 2);
}

#[test]
fn an_analysis_plugin_ends_with_its_reason() {
    check_terminated(Kind::Analysis, "message_matcher = \"TRUE\"", 4);
}

#[test]
fn an_output_ends_with_its_reason() {
    check_terminated(Kind::Output, "message_matcher = \"TRUE\"", 8);
}

#[test]
fn a_polled_input_goes_on_after_failures() {
    let lua = r#"
        calls = 0
        function process_message()
            calls = calls + 1
            inject_message{ Payload = tostring(calls) }
            return -calls, "try " .. calls
        end
    "#;
    let site = Site::new()
        .input("poll", "ticker_interval = 1", lua)
        .collect("all", "TRUE");
    let mut engine = site.start();
    engine.until("two calls", || {
        e2e::payloads(&site.path("all.heka")) == ["1", "2"]
    });
    assert!(
        engine
            .stop()
            .log
            .contains("process_message returned: -1 try 1")
    );
}

#[test]
fn an_input_that_ends_says_so() {
    let site = Site::new().input(
        "once",
        "",
        "function process_message() return 0, 'all done' end",
    );
    assert!(
        site.replay()
            .expect(0)
            .log
            .contains("detaching received: 0 msg: all done")
    );
}

#[test]
fn failures_of_analysis_plugins_are_logged_and_passed() {
    let lua = r#"
        function process_message()
            if read_message("Payload") == "bad" then return -1, "does not please" end
            if read_message("Payload") == "other" then return -2 end
            inject_message{ Payload = read_message("Payload") }
            return 0
        end
        function timer_event() end
    "#;
    let cfg = "message_matcher = \"Type == 'line'\"\nprocess_message_inject_limit = 1";
    let site = Site::new()
        .input("source", "", &payloads_input(&["a", "bad", "other", "b"]))
        .analysis("picky", cfg, lua)
        .collect("derived", "Logger == 'analysis.picky'");
    let finished = site.replay().expect(0);
    assert!(
        finished.log.contains("received: -1 msg: does not please"),
        "{}",
        finished.log
    );
    assert_eq!(e2e::payloads(&site.path("derived.heka")), ["a", "b"]);
}

/// Writes what it gets, and answers as the payload says.
const OBEDIENT: &str = r#"
    require "io"
    require "string"
    local seen = assert(io.open(read_config("seen"), "a"))
    seen:setvbuf("no")
    local tries = {}
    function process_message(sequence)
        local payload = read_message("Payload")
        seen:write(payload, "\n")
        local answer, times = string.match(payload, "^(-?%d+) ?(%d*)$")
        tries[payload] = (tries[payload] or 0) + 1
        if times and times ~= "" and tries[payload] > tonumber(times) then return 0 end
        return tonumber(answer) or 0, "told so"
    end
    function timer_event() seen:write("tick\n") end
"#;

fn obedient(payloads: &[&str], cfg: &str) -> Site {
    let site = Site::new();
    let cfg = format!(
        "message_matcher = \"Type == 'line'\"\nseen = \"{}\"\n{cfg}",
        site.path("seen").display()
    );
    site.input("source", "", &payloads_input(payloads))
        .output("obedient", &cfg, OBEDIENT)
        .collect("letters", "Type == 'foresight.dead_letter'")
}

fn seen(site: &Site) -> Vec<String> {
    site.read("seen")
        .lines()
        .filter(|line| *line != "tick")
        .map(str::to_string)
        .collect()
}

#[test]
fn failed_and_skipped_messages_are_passed() {
    let site = obedient(&["0", "-1", "-2", "0"], "");
    let finished = site.replay().expect(0);
    assert_eq!(seen(&site), ["0", "-1", "-2", "0"]);
    assert!(
        finished.log.contains("received: -1 msg: told so"),
        "{}",
        finished.log
    );
    assert_eq!(
        site.checkpoint("input->output.obedient"),
        site.checkpoint("input")
    );
}

#[test]
fn a_retried_message_comes_again_until_it_is_taken() {
    let site = obedient(&["0", "-3 4", "-2", "0"], "retry_delay_ms = 5");
    site.replay().expect(0);
    assert_eq!(
        seen(&site),
        ["0", "-3 4", "-3 4", "-3 4", "-3 4", "-3 4", "-2", "0"]
    );
}

#[test]
fn timers_fire_between_retries() {
    let site = obedient(
        &["-3 1000"],
        "retry_delay_ms = 50\nretry_delay_max_ms = 100\nticker_interval = 1",
    );
    let mut engine = site.start();
    engine.until("ticks between retries", || {
        let text = site.read("seen");
        let first_tick = text.find("tick");
        first_tick.is_some_and(|at| text[at..].contains("-3 1000"))
    });
    engine.stop();
}

#[test]
fn a_message_that_is_given_up_becomes_a_dead_letter() {
    let site = obedient(
        &["-3", "-1", "0"],
        "retry_delay_ms = 5\nretry_max_attempts = 2\ndead_letter = true",
    );
    site.replay().expect(0);
    assert_eq!(seen(&site), ["-3", "-3", "-3", "-1", "0"]);
    let letters = messages(&site.path("letters.heka"));
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| field_text(letter, "reason").expect("it has one"))
        .collect();
    assert_eq!(reasons, ["given up after 3 attempts: told so", "told so"]);
    let original = letters[0].field(b"message").expect("it has one");
    let schemas::message::FieldValue::Bytes(bytes) = &original.value else {
        panic!("bytes: {original:?}")
    };
    let message = schemas::message::Message::decode(&bytes[0]).expect("the original message");
    assert_eq!(message.payload.as_deref(), Some(&b"-3"[..]));
    assert_eq!(
        field_text(&letters[0], "plugin").as_deref(),
        Some("output.obedient")
    );
}

#[test]
fn without_a_buffer_an_output_cannot_answer_later() {
    let site = obedient(&["-5"], "");
    site.replay().expect(8);
    let err = site.read("run/output/obedient.err");
    assert!(
        err.contains("cannot use async checkpointing without a configured buffer"),
        "{err}"
    );
}

#[test]
fn limits_of_injection_are_kept() {
    let cfg = "message_matcher = \"Type == 'line'\"\nprocess_message_inject_limit = 2\ntimer_event_inject_limit = 1";
    let lua = r#"
        function process_message()
            for n = 1, tonumber(read_message("Payload")) do inject_message{ Payload = tostring(n) } end
            return 0
        end
        function timer_event(ns, shutdown) inject_payload("txt", "last", "x") end
    "#;
    let site = |payload| {
        Site::new()
            .input("source", "", &payloads_input(&[payload]))
            .analysis("many", cfg, lua)
            .collect("derived", "Logger == 'analysis.many'")
    };
    let enough = site("2");
    enough.replay().expect(0);
    assert_eq!(e2e::payloads(&enough.path("derived.heka")), ["1", "2", "x"]);
    let more = site("3");
    more.replay().expect(4);
    let err = more.read("run/analysis/many.err");
    assert!(
        err.contains("inject_message() failed: injection limit exceeded"),
        "{err}"
    );
}
