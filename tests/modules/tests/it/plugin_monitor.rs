//! `input/plugins_tsv.lua` and `analysis/plugin_monitor.lua`: from the engine's statistics to messages, from messages to alerts.

use std::path::Path;

use modules::{Plugin, Setup, root};
use sandbox::{Answer, Checkpoint, Kind};
use schemas::message::{Field, FieldValue, Message};

const HEADER: &str = "Plugin\tInject Message Count\tand so on\n";

fn injected(plugin: &Plugin) -> Vec<Message> {
    let decode = |bytes: Vec<u8>| Message::decode(&bytes).expect("it was just encoded");
    plugin.seen().injected.into_iter().map(decode).collect()
}

fn doubles(message: &Message, name: &str) -> Vec<f64> {
    match message.field(name.as_bytes()).map(|field| &field.value) {
        Some(FieldValue::Double(numbers)) => numbers.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

fn name(message: &Message) -> String {
    match message.field(b"name").map(|field| &field.value) {
        Some(FieldValue::String(texts)) => String::from_utf8_lossy(&texts[0]).into_owned(),
        other => panic!("the name is {other:?}"),
    }
}

/// The input with its paths in `folder`.
fn reader(folder: &Path) -> Plugin {
    let at = folder.display();
    let setup = Setup::new(Kind::Input).configured(&format!(
        "output_path = \"{at}\"\nsandbox_run_path = \"{at}/run\""
    ));
    setup
        .load(&root().join("plugins/input/plugins_tsv.lua"))
        .expect("it loads")
}

/// Writes the table, lets the input look, and returns what it says, in the order of the names.
fn look(reader: &mut Plugin, folder: &Path, rows: &str) -> Vec<Message> {
    std::fs::write(folder.join("plugins.tsv"), format!("{HEADER}{rows}")).expect("writable");
    let answer = reader.sandbox.process_input(&Checkpoint::None);
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
    let mut found = injected(reader);
    found.sort_by_key(name);
    found
}

#[test]
fn numbers_are_told_as_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plugin = reader(folder.path());
    let nothing = plugin.sandbox.process_input(&Checkpoint::None);
    assert_eq!(
        nothing,
        Answer::Status {
            code: 0,
            message: None
        },
        "the file comes later"
    );

    let found = look(
        &mut plugin,
        folder.path(),
        "input.a\t5\t100\t1\t0\t900\noutput.b.c\t0\t0\t7\t2\t80\n",
    );
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].type_.as_deref(),
        Some(&b"hindsight.plugin.stats"[..])
    );
    assert_eq!(name(&found[1]), "output.b.c");
    assert_eq!(doubles(&found[0], "deltas"), [5.0, 100.0, 1.0, 0.0, 900.0]);

    let rows = "input.a\t8\t160\t1\t0\t850\t4\noutput.b.c\t0\t0\t3\t1\t70\n";
    let found = look(&mut plugin, folder.path(), rows);
    assert_eq!(
        doubles(&found[0], "deltas"),
        [3.0, 60.0, 0.0, 0.0, -50.0, 4.0]
    );
    assert_eq!(
        doubles(&found[1], "deltas"),
        [0.0, 0.0, 3.0, 1.0, 70.0],
        "it was started anew"
    );
}

#[test]
fn a_plugin_that_left_an_error_was_terminated() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("run/output")).expect("made");
    std::fs::write(folder.path().join("run/output/b.c.err"), "why it ended\n").expect("written");
    let mut plugin = reader(folder.path());
    look(&mut plugin, folder.path(), "input.a\t1\noutput.b.c\t1\n");
    let found = look(&mut plugin, folder.path(), "");
    assert_eq!(found.len(), 1, "the other one was only stopped");
    assert_eq!(
        found[0].type_.as_deref(),
        Some(&b"hindsight.plugin.terminated"[..])
    );
    assert_eq!(found[0].payload.as_deref(), Some(&b"why it ended\n"[..]));
    assert_eq!(name(&found[0]), "output.b.c");
    assert!(look(&mut plugin, folder.path(), "").is_empty(), "told once");
}

#[test]
fn a_damaged_table_is_a_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plugin = reader(folder.path());
    for rows in ["input.a\tx\n", "input.a\n", "\t1\n", "\n", "input.a\t1\t\n"] {
        std::fs::write(folder.path().join("plugins.tsv"), format!("{HEADER}{rows}"))
            .expect("writable");
        let answer = plugin.sandbox.process_input(&Checkpoint::None);
        assert!(
            matches!(answer, Answer::Status { code: -1, .. }),
            "{rows:?}: {answer:?}"
        );
    }
}

/// The monitor with these thresholds.
fn monitor(thresholds: &str) -> Result<Plugin, String> {
    let cfg = format!(
        "Logger = 'analysis.monitor'\nHostname = 'h'\nPid = 1\nalert = {{ modules = {{ email = {{ \
         recipients = {{ 'ops@example.com' }} }} }}, thresholds = {thresholds} }}"
    );
    Setup::new(Kind::Analysis)
        .configured(&cfg)
        .load(&root().join("plugins/analysis/plugin_monitor.lua"))
}

fn stats(plugin: &str, processed: f64, failed: f64) -> Message {
    let mut message = Message::new([1; 16], 1);
    message.type_ = Some("hindsight.plugin.stats".into());
    message.fields = vec![
        Field::string("name", plugin),
        Field::with(
            "deltas",
            FieldValue::Double(vec![0.0, 0.0, processed, failed, 1.0]),
        ),
    ];
    message
}

fn terminated(plugin: &str) -> Message {
    let mut message = Message::new([1; 16], 1);
    message.type_ = Some("hindsight.plugin.terminated".into());
    message.payload = Some("the reason".into());
    message.fields = vec![Field::string("name", plugin)];
    message
}

/// The detail of each alert that these messages make.
fn alerts(plugin: &mut Plugin, messages: &[Message]) -> Vec<String> {
    for message in messages {
        let answer = plugin.process(&message.to_bytes());
        assert_eq!(
            answer,
            Answer::Status {
                code: 0,
                message: None
            }
        );
    }
    let detail = |message: Message| {
        String::from_utf8_lossy(&message.payload.unwrap_or_default()).into_owned()
    };
    injected(plugin).into_iter().map(detail).collect()
}

#[test]
fn failures_beyond_the_percentage_are_told() {
    let thresholds =
        "{ ['output.a'] = { process_message_failures = { percent = 5, minimum_sample = 50 } } }";
    let mut plugin = monitor(thresholds).expect("it loads");
    let quiet = [
        stats("output.a", 100.0, 5.0),
        stats("output.a", 49.0, 49.0),
        stats("output.a", 0.0, 0.0),
        stats("output.b", 100.0, 100.0),
        terminated("output.a"),
    ];
    assert_eq!(alerts(&mut plugin, &quiet), [""; 0]);
    let loud = [stats("output.a", 80.0, 5.0), stats("output.a", 80.0, 80.0)];
    assert_eq!(
        alerts(&mut plugin, &loud),
        ["6.25% of recent messages failed"],
        "the second is throttled"
    );
}

#[test]
fn every_termination_is_told() {
    let mut plugin =
        monitor("{ ['*'] = { terminated = true }, ['input.b'] = { terminated = false } }")
            .expect("it loads");
    let messages = [
        terminated("input.a"),
        terminated("input.a"),
        terminated("input.b"),
    ];
    assert_eq!(alerts(&mut plugin, &messages), ["the reason", "the reason"]);
    let mut nameless = terminated("input.a");
    nameless.fields.clear();
    assert_eq!(
        alerts(&mut plugin, &[nameless, stats("input.a", 1.0, 1.0)]),
        [""; 0]
    );
}

#[test]
fn wrong_thresholds_are_named() {
    let refused = |thresholds: &str, error: &str| {
        let found = monitor(thresholds).err().expect(thresholds);
        assert!(found.contains(error), "{found}");
    };
    refused(
        "{ x = { terminated = 1 } }",
        "x#terminated terminated must be a boolean",
    );
    refused("{ x = { other = 1 } }", "x#other invalid alert type");
    refused("{ x = 5 }", "x must be a table");
    let failures = |setting: &str| format!("{{ x = {{ process_message_failures = {setting} }} }}");
    refused(&failures("1"), "x#process_message_failures must be a table");
    refused(
        &failures("{ percent = 5 }"),
        "'minimum_sample' must be a non-negative number",
    );
    refused(
        &failures("{ percent = 0, minimum_sample = 1 }"),
        "'percent' must contain a percentage",
    );
    refused(
        &failures("{ percent = 101, minimum_sample = 1 }"),
        "'percent' must contain a percentage",
    );
}

#[test]
fn utilization_and_lag_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write(
        "utilization.tsv",
        "Plugin\tMessages\t%\t%\t%\t%\ninput.a\t5\t-1\t-1\t-1\t-1\nanalysis0\t70\t90\t10\t60\t30\n",
    );
    // The reader is one whole file and parts of two others behind.
    write(
        "hindsight.cp",
        "_G['input'] = '7:50'\n_G['input->output.b'] = '5:30'\n_G['input.x'] = '9'\n_G['other->output.c'] = '1:1'\n",
    );
    write("input/5.log", &"x".repeat(100));
    write("input/6.log", &"x".repeat(1000));
    let mut plugin = reader(folder.path());
    let found = look(&mut plugin, folder.path(), "");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(name(&found[0]), "analysis0");
    assert_eq!(doubles(&found[0], "utilization"), [90.0]);
    assert_eq!(doubles(&found[0], "timing"), [30.0]);
    assert_eq!(name(&found[1]), "output.b");
    let bytes = found[1].field(b"bytes").map(|field| &field.value);
    assert_eq!(bytes, Some(&FieldValue::Integer(vec![70 + 1000 + 50])));
}

#[test]
fn plugins_that_are_behind_or_busy_for_long_are_told() {
    let number = |kind: &str, plugin: &str, field: &str, value: f64| {
        let mut message = Message::new([1; 16], 1);
        message.type_ = Some(format!("hindsight.plugin.{kind}").into());
        message.fields = vec![
            Field::string("name", plugin),
            Field::string("queue", "input"),
            Field::with(field, FieldValue::Double(vec![value])),
        ];
        message
    };
    let lag = |bytes: f64| number("lag", "output.a", "bytes", bytes);
    let busy = |percent: f64| number("utilization", "output.a", "utilization", percent);
    let thresholds = "{ ['*'] = { lag = { bytes = 100, looks = 3 }, utilization = { percent = 95, looks = 2 } } }";
    let mut plugin = monitor(thresholds).expect("it loads");
    let quiet = [
        lag(200.0),
        lag(200.0),
        lag(100.0),
        lag(200.0),
        busy(95.0),
        busy(94.0),
        busy(99.0),
    ];
    assert_eq!(alerts(&mut plugin, &quiet), [""; 0]);
    let found = alerts(
        &mut plugin,
        &[lag(200.0), busy(99.0), lag(200.0), lag(200.0)],
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("At least 95 % at 2 looks"),
        "{found:?}"
    );
    assert_eq!(found[1], "More than 100 bytes at 3 looks in succession.");
    for (thresholds, text) in [
        (
            "{ x = { lag = { bytes = -1 } } }",
            "x#lag 'bytes' must be a number from 0 to inf",
        ),
        (
            "{ x = { lag = { bytes = 1, looks = 0 } } }",
            "'looks' must be at least 1",
        ),
        (
            "{ x = { utilization = { percent = 101 } } }",
            "'percent' must be a number from 1 to 100",
        ),
        (
            "{ x = { utilization = 5 } }",
            "x#utilization must be a table",
        ),
    ] {
        let error = monitor(thresholds).err().unwrap_or_default();
        assert!(error.contains(text), "{error}");
    }
}
