//! Where everyone goes on: places of outputs that batch or answer later, checkpoints of inputs, the file that keeps them.

use e2e::{Engine, Site, payloads};

use crate::lines_input;

/// Where an output stands that has delivered nothing.
const BEGIN: Option<&str> = Some("0:0");

/// Batches until it gets "commit"; with the ticker it commits by itself once a file is there.
const BATCHING: &str = r#"
    require "io"
    local seen = assert(io.open(read_config("seen"), "a"))
    seen:setvbuf("no")
    function process_message()
        seen:write(read_message("Payload"), "\n")
        return read_message("Payload") == "commit" and 0 or -4
    end
    function timer_event(ns, shutdown)
        if shutdown then return end
        local f = io.open(read_config("commit"))
        if f then
            f:close()
            update_checkpoint()
        end
    end
"#;

fn reader(lua: &str, cfg: &str) -> Site {
    let site = Site::new();
    let cfg = format!(
        "message_matcher = \"Type == 'line'\"\nread_queue = \"input\"\nseen = \"{}\"\ncommit = \"{}\"\n{cfg}",
        site.path("seen").display(),
        site.path("commit").display()
    );
    lines_input(site.output("reader", &cfg, lua))
}

fn until_seen(engine: &mut Engine, site: &Site, expected: &str) {
    engine.until(&format!("seen {expected:?}"), || {
        site.read("seen") == expected
    });
}

fn place(site: &Site) -> Option<String> {
    site.checkpoint("input->output.reader")
}

/// Everything in the queue is delivered.
fn until_at_end(engine: &mut Engine, site: &Site) {
    engine.until("the place is the end of the queue", || {
        site.checkpoint("input").is_some_and(|end| end != "0:0")
            && place(site) == site.checkpoint("input")
    });
}

#[test]
fn a_batch_counts_only_as_a_whole() {
    let site = reader(BATCHING, "");
    let mut engine = site.start();
    site.append("lines", "1\n2\n");
    until_seen(&mut engine, &site, "1\n2\n");
    engine.stop();
    assert_eq!(place(&site).as_deref(), BEGIN);
    let mut engine = site.start();
    until_seen(&mut engine, &site, "1\n2\n1\n2\n");
    site.append("lines", "commit\n");
    until_seen(&mut engine, &site, "1\n2\n1\n2\ncommit\n");
    until_at_end(&mut engine, &site);
    site.append("lines", "3\n");
    until_seen(&mut engine, &site, "1\n2\n1\n2\ncommit\n3\n");
    engine.stop();
    let mut engine = site.start();
    until_seen(&mut engine, &site, "1\n2\n1\n2\ncommit\n3\n3\n");
    engine.stop();
}

#[test]
fn a_batch_may_be_committed_by_a_timer() {
    let site = reader(BATCHING, "ticker_interval = 1");
    let mut engine = site.start();
    site.append("lines", "1\n2\n");
    until_seen(&mut engine, &site, "1\n2\n");
    engine.until("it stands at the begin", || {
        place(&site).as_deref() == BEGIN
    });
    site.write("commit", "");
    until_at_end(&mut engine, &site);
    engine.stop();
}

/// Answers later: "ack N" acknowledges the Nth message, everything else stays under way.
const ASYNC: &str = r#"
    require "io"
    require "string"
    local seen = assert(io.open(read_config("seen"), "a"))
    seen:setvbuf("no")
    local ids = {}
    function process_message(sequence)
        local payload = read_message("Payload")
        seen:write(payload, "\n")
        local n = string.match(payload, "^ack (%d+)$")
        if n then
            update_checkpoint(ids[tonumber(n)], 0)
            return -2
        end
        ids[#ids + 1] = sequence
        return -5
    end
    function timer_event() end
"#;

#[test]
fn late_answers_move_the_place_over_everything_acknowledged() {
    let site = reader(ASYNC, "async_buffer_size = 10");
    let mut engine = site.start();
    site.append("lines", "a\nb\nc\nack 2\nack 3\n");
    until_seen(&mut engine, &site, "a\nb\nc\nack 2\nack 3\n");
    engine.stop();
    assert_eq!(
        place(&site).as_deref(),
        BEGIN,
        "the first was not acknowledged"
    );
    std::fs::remove_file(site.path("seen")).expect("it is there");
    let mut engine = site.start();
    until_seen(&mut engine, &site, "a\nb\nc\nack 2\nack 3\n");
    site.append("lines", "ack 1\n");
    until_at_end(&mut engine, &site);
    engine.stop();
}

#[test]
fn more_messages_than_the_buffer_may_be_under_way() {
    let lua = ASYNC.replace(
        "function timer_event() end",
        "function timer_event(ns, shutdown)\n\
        for _, id in ipairs(ids) do update_checkpoint(id) end\nids = {} end",
    );
    let site = reader(&lua, "async_buffer_size = 2\nticker_interval = 1");
    site.append("lines", "a\nb\nc\nd\n");
    let mut engine = site.start();
    until_seen(&mut engine, &site, "a\nb\nc\nd\n");
    until_at_end(&mut engine, &site);
    engine.stop();
}

#[test]
fn inputs_get_back_any_string_and_any_number() {
    let texts =
        r#"{ "it's", 'say "hi"', "back\\slash", "line\nend\r", "", "'; _G = nil --", "\255\1" }"#;
    let lua = format!(
        r#"
        require "io"
        local texts = {texts}
        function process_message(cp)
            local at = 0
            for i, text in ipairs(texts) do if cp == text then at = i end end
            inject_message({{ Payload = tostring(at) }}, texts[at + 1])
            return 0
        end
    "#
    );
    let site = Site::new().input("texts", "", &lua).collect("all", "TRUE");
    for n in 0..7 {
        site.replay().expect(0);
        let expected: Vec<String> = (0..=n).map(|n| n.to_string()).collect();
        assert_eq!(
            payloads(&site.path("all.heka")),
            expected,
            "{}",
            site.read("output/hindsight.cp")
        );
    }
    let numbers = r#"
        function process_message(cp)
            inject_message({ Payload = tostring(cp) }, cp == nil and 0.1 or cp * 2^60)
            return 0
        end
    "#;
    let site = Site::new()
        .input("numbers", "", numbers)
        .collect("all", "TRUE");
    for _ in 0..3 {
        site.replay().expect(0);
    }
    assert_eq!(
        payloads(&site.path("all.heka")),
        ["nil", "0.1", "1.1529215046068e+17"]
    );
    let kept = site
        .checkpoint("input.numbers")
        .and_then(|text| text.parse().ok());
    assert_eq!(kept, Some(0.1 * 2f64.powi(120)));
}

#[test]
fn a_checkpoint_without_a_message_is_kept_too() {
    let lua = r#"
        function process_message(cp)
            inject_message(nil, (cp or 0) + 1)
            inject_message{ Payload = tostring(cp) }
            return 0
        end
    "#;
    let site = Site::new().input("counter", "", lua).collect("all", "TRUE");
    site.replay().expect(0);
    site.replay().expect(0);
    assert_eq!(payloads(&site.path("all.heka")), ["nil", "1"]);
}

#[test]
fn the_checkpoint_file_reads_like_hindsights() {
    let site = lines_input(Site::new()).collect("all", "TRUE");
    site.append("lines", "one\n");
    site.replay_once_by_stop();
    let text = site.read("output/hindsight.cp");
    for line in text.lines() {
        assert!(line.starts_with("_G['") && line.contains("'] = "), "{line}");
    }
    let (end, none) = (site.checkpoint("input").expect("there"), "0:0".to_string());
    assert!(end.starts_with("0:") && end != none);
    assert_eq!(site.checkpoint("analysis"), Some(none.clone()));
    assert_eq!(site.checkpoint("input->analysis0"), Some(end.clone()));
    assert_eq!(site.checkpoint("input->output.all"), Some(end));
    assert_eq!(site.checkpoint("analysis->output.all"), Some(none));
    assert!(
        text.contains("_G['input.lines'] = 4\n"),
        "a number stands without quotes: {text}"
    );
}

trait ByStop {
    fn replay_once_by_stop(&self);
}

impl ByStop for Site {
    /// Runs until the line is delivered, then stops cleanly.
    fn replay_once_by_stop(&self) {
        let mut engine = self.start();
        engine.until("the line is delivered", || {
            payloads(&self.path("all.heka")) == ["one"]
        });
        engine.stop();
    }
}

#[test]
fn plugins_that_are_gone_lose_their_places() {
    let site = lines_input(Site::new())
        .collect("all", "TRUE")
        .collect("gone", "TRUE");
    site.append("lines", "one\n");
    site.replay_once_by_stop();
    assert!(site.checkpoint("input->output.gone").is_some());
    std::fs::remove_file(site.path("run/output/gone.cfg")).expect("it is there");
    let mut engine = site.start();
    engine.until_log("checkpoint removed: input->output.gone");
    engine.until("the file without it", || {
        site.checkpoint("input->output.gone").is_none()
    });
    engine.stop();
    assert_eq!(site.checkpoint("input->output.gone"), None);
    assert!(site.checkpoint("input->output.all").is_some());
}

#[test]
fn a_damaged_checkpoint_file_costs_only_its_damaged_lines() {
    let site = lines_input(Site::new()).collect("all", "TRUE");
    site.append("lines", "one\n");
    site.replay_once_by_stop();
    let text = site.read("output/hindsight.cp");
    site.write(
        "output/hindsight.cp",
        format!("{text}this is no checkpoint\n_G['half"),
    );
    let mut engine = site.start();
    site.append("lines", "two\n");
    engine.until("only the new line", || {
        payloads(&site.path("all.heka")) == ["one", "two"]
    });
    engine.stop();
}

#[test]
fn an_empty_newest_segment_does_not_hold_a_replay() {
    let site = Site::new()
        .input("source", "", &crate::payloads_input(&["one"]))
        .analysis(
            "idle",
            "message_matcher = \"TRUE\"",
            "function process_message() return 0 end function timer_event() end",
        )
        .collect("all", "TRUE");
    site.replay().expect(0);
    std::fs::remove_file(site.path("run/input/source.cfg")).expect("it is there");
    // A kill just after the queue went on to the next segment leaves this.
    site.write("output/input/1.log", "");
    site.replay().expect(0);
    assert_eq!(payloads(&site.path("all.heka")), ["one"]);
}
