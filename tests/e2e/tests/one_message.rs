//! One message on its whole way, step by step: the tutorial that cannot go stale.
//!
//! Each step says in which file it happens; read them in this order.

use e2e::{Engine, Site, field_text, frames, messages};
use schemas::message::Message;

/// Gets every message of Type "login" and makes a greeting of it.
const GREETER: &str = r#"
    require "string"
    function process_message()
        inject_message{
            Type = "greeting",
            Payload = string.format("hello %s", read_message("Fields[user]")),
        }
        return 0
    end
    function timer_event(ns, shutdown) end
"#;

/// Must never be called: no message has the Type its matcher asks for.
const BYSTANDER: &str = r#"
    function process_message() error("called with a message it does not want") end
    function timer_event(ns, shutdown) end
"#;

fn site() -> Site {
    let site = Site::new();
    let log = site.write("people.log", "");
    let file = format!(
        "input_filename = \"{}\"\nticker_interval = 1\ndecoder_module = \"decoders.json\"",
        log.display()
    );
    site.ours("input/file.lua", "people", &file)
        .analysis(
            "greeter",
            "message_matcher = \"Type == 'login'\"\nprocess_message_inject_limit = 1",
            GREETER,
        )
        .analysis(
            "bystander",
            "message_matcher = \"Type == 'logout'\"",
            BYSTANDER,
        )
        .collect("all", "TRUE")
}

/// The messages of a queue, as they lie in its first segment.
fn queue(site: &Site, name: &str) -> Vec<Message> {
    let segment = site.path("output").join(name).join("0.log");
    frames::split(&std::fs::read(segment).unwrap_or_default()).0
}

#[test]
fn one_message_walks_through_the_engine() {
    let site = site();

    // `engine/host/src/run.rs :: run` reads the configuration, opens both queues and starts the three stages:
    // `engine/host/src/engine.rs :: start`.
    let mut engine = site.start();
    engine.until_log("started");

    let login = into_the_engine(&site, &mut engine);
    let greeting = through_analysis(&site, &mut engine);
    assert_ne!(greeting.uuid, login.uuid);
    out_of_the_engine(&site, &mut engine, [login, greeting]);

    // A clean stop: each plugin gets its last timer_event, everything is flushed, the exit code is 0.
    let finished = engine.stop();
    assert!(
        !site.exists("run/analysis/bystander.err"),
        "{}",
        finished.log
    );
}

fn into_the_engine(site: &Site, engine: &mut Engine) -> Message {
    // 1. A source has something for us: here a line appears in a file. It is bytes and nothing else.
    const LINE: &str = "{\"Type\":\"login\",\"Severity\":5,\"user\":\"ann\"}\n";
    site.append("people.log", LINE);

    // 2. `plugins/input/file.lua :: process_message` reads it, and `plugins/decoders/json.lua :: decode` gives it a
    //    shape: a Lua table with headers and Fields.
    // 3. `inject_message` in the sandbox checks the limits and encodes the table: one Heka message.
    // 4. `engine/host/src/input_plugin.rs :: inject` appends it to the input queue. It has a place now: segment 0,
    //    byte 0.
    engine.until("the message is in the input queue", || {
        queue(site, "input").len() == 1
    });
    let login = queue(site, "input").remove(0);
    assert_eq!(login.type_.as_deref(), Some(&b"login"[..]));
    assert_eq!(
        login.logger.as_deref(),
        Some(&b"input.people"[..]),
        "the host says who made it"
    );
    assert_eq!(login.hostname.as_deref(), Some(&b"e2e.host"[..]));
    assert_eq!(login.severity, Some(5));
    assert_eq!(field_text(&login, "user").as_deref(), Some("ann"));

    // 5. Only when the message is in the kernel's hands may the source's checkpoint move: `engine/host/src/
    //    checkpoints.rs :: record` flushes the queue, then writes that the file is read up to the end of the line.
    let read_up_to = LINE.len().to_string();
    engine.until("the input's checkpoint moves", || {
        site.checkpoint("input.people").as_ref() == Some(&read_up_to)
    });
    login
}

fn through_analysis(site: &Site, engine: &mut Engine) -> Message {
    // 6. The analysis stage reads the queue in blocks and looks at each message without copying it.
    // 7. `engine/host/src/router.rs` asks all matchers at once who wants it: the greeter does, the bystander does not.
    // 8. `engine/host/src/analysis_plugin.rs :: process` calls the greeter's process_message on a worker thread.
    // 9. What it injects is a message of its own, appended to the analysis queue.
    engine.until("the greeting is in the analysis queue", || {
        queue(site, "analysis").len() == 1
    });
    let greeting = queue(site, "analysis").remove(0);
    assert_eq!(greeting.payload.as_deref(), Some(&b"hello ann"[..]));
    assert_eq!(greeting.logger.as_deref(), Some(&b"analysis.greeter"[..]));
    greeting
}

fn out_of_the_engine(site: &Site, engine: &mut Engine, both: [Message; 2]) {
    // 10. `engine/host/src/output_plugin.rs :: next_message` reads both queues and takes the older message first.
    // 11. `plugins/output/heka_file.lua :: process_message` writes it as it is, with its frame.
    // 12. Its answer 0 says that the message is delivered; `publish` flushes the file before that counts.
    engine.until("both messages are delivered", || {
        messages(&site.path("all.heka")).len() == 2
    });
    assert_eq!(
        messages(&site.path("all.heka")),
        both,
        "byte for byte what was injected, oldest first"
    );

    // 13. Only now do the output's places move behind both messages, so that the queues may forget them.
    let place = |key: &str| site.checkpoint(key);
    engine.until("the places are at the ends of the queues", || {
        place("input->output.all").is_some()
            && place("input->output.all") == place("input")
            && place("analysis->output.all") == place("analysis")
            && place("input->analysis0") == place("input")
    });
}
