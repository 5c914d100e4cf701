//! `heka.iprepd`, `heka.secmetrics` and `heka.selprinc`: the helpers of security plugins.

use modules::Setup;
use sandbox::{Answer, Kind};
use schemas::message::{Field, FieldValue, Message};

/// Runs `process_message` with this body on a message; what it injected, or its error.
fn run(cfg: &str, head: &str, body: &str) -> Result<Vec<Message>, String> {
    let mut message = Message::new([1; 16], 1);
    message.hostname = Some("server".into());
    message.fields = vec![
        Field::string("programname", "sshd"),
        Field::string("user", "root"),
        Field::string("ip", "192.0.2.1"),
    ];
    let source = format!("{head}\nfunction process_message()\n{body}\nreturn 0\nend");
    let mut plugin = Setup::new(Kind::Analysis).configured(cfg);
    plugin.limits.process_message_injects = 10;
    let mut plugin = plugin.run(&source)?;
    match plugin.process(&message.to_bytes()) {
        Answer::Status { .. } => {}
        other => return Err(format!("{other:?}")),
    }
    let decode = |bytes: Vec<u8>| Message::decode(&bytes).expect("it was just encoded");
    Ok(plugin.seen().injected.into_iter().map(decode).collect())
}

#[test]
fn violations_are_sent_as_json() {
    let body = "
        local send = require 'heka.iprepd'.send
        assert(send() == false and send('x') == false and send({}) == false and send({ 1 }) == false)
        assert(send({ { ip = '192.0.2.1' } }) == false)
        assert(send({ { ip = '192.0.2.1', violation = 'v' }, { violation = 'v' } }) == false)
        assert(send({ { ip = '192.0.2.1', violation = 'v' } }) == true)";
    let sent = run("", "", body).expect("it runs");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].type_.as_deref(), Some(&b"iprepd"[..]));
    let FieldValue::String(texts) = &sent[0].fields[0].value else {
        panic!("a text")
    };
    let json = String::from_utf8_lossy(&texts[0]);
    assert!(
        json.contains("\"ip\":\"192.0.2.1\"") && json.starts_with("[{"),
        "{json}"
    );
}

#[test]
fn metrics_are_gathered_and_sent_once() {
    let body = "
        local metrics = require 'heka.secmetrics'.new()
        metrics:send()
        metrics:inc_accumulator('n')
        metrics:inc_accumulator('n', 2)
        metrics:add_uniqitem('users', 'ann')
        metrics:add_uniqitem('users', 'ann')
        metrics:send()
        metrics:send()";
    let cfg = "heka_secmetrics = { identifier = 'id' }";
    let sent = run(cfg, "", body).expect("it runs");
    assert_eq!(sent.len(), 1);
    let json = String::from_utf8_lossy(sent[0].payload.as_deref().unwrap_or_default()).into_owned();
    for part in [
        "\"identifier\":\"id\"",
        "\"accumulators\":{\"n\":3}",
        "\"uniqitems\":{\"users\":{\"ann\":true}}",
    ] {
        assert!(json.contains(part), "{json}");
    }
    let refused = |cfg: &str| run(cfg, "require 'heka.secmetrics'", "").expect_err(cfg);
    assert!(refused("").contains("heka_secmetrics configuration not found"));
    assert!(refused("heka_secmetrics = {}").contains("identifier configuration must be set"));
}

const EVENT: &str = "select_field = 'Fields[programname]', select_match = '^sshd$', \
                     sourceip_field = 'Fields[ip]', subject_field = 'Fields[user]'";

#[test]
fn principals_are_found() {
    let cfg = format!(
        "heka_selprinc = {{ events = {{ ssh = {{ {EVENT}, object_field = 'Hostname', \
         subject_map = {{ root = 'operator' }}, aux = {{ {{ 'program', 'Fields[programname]' }} }} }}, \
         zzz = {{ {EVENT}, object_static = 'never' }} }} }}"
    );
    let body = "
        local found = require 'heka.selprinc'.match()
        assert(found.category == 'ssh' and found.subject == 'operator' and found.object == 'server')
        assert(found.sourceip == '192.0.2.1' and found.program == 'sshd')";
    run(&cfg, "", body).expect("it runs");
    let absent = format!(
        "heka_selprinc = {{ events = {{ ssh = {{ {EVENT}, object_field = 'EnvVersion' }} }} }}"
    );
    run(
        &absent,
        "",
        "assert(require 'heka.selprinc'.match() == nil)",
    )
    .expect("it runs");
    let other = absent.replace("^sshd$", "^su$");
    run(&other, "", "assert(require 'heka.selprinc'.match() == nil)").expect("it runs");
}

#[test]
fn wrong_events_are_named() {
    let refused = |cfg: &str, error: &str| {
        let found = run(cfg, "require 'heka.selprinc'", "").expect_err(cfg);
        assert!(found.contains(error), "{found}");
    };
    refused("", "heka_selprinc configuration not found");
    refused(
        "heka_selprinc = {}",
        "invalid selprinc events configuration",
    );
    refused(
        "heka_selprinc = { events = {} }",
        "selprinc configuration contained no events",
    );
    let event =
        |more: &str| format!("heka_selprinc = {{ events = {{ a = {{ {EVENT}, {more} }} }} }}");
    refused(
        &event(""),
        "selprinc configuration missing required parameters",
    );
    refused(
        &event("object_static = 'x', aux = { { 'a' } }"),
        "aux element has incorrect length",
    );
}
