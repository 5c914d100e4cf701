//! `heka.alert`, `heka.alert.email`, `heka.alert.irc`, `heka.alert.channels` and `heka.alert.idrouter`: what is sent, to whom, and how often.

use modules::Setup;
use sandbox::Kind;
use schemas::message::{FieldValue, Message};

const HOST: &str = "Logger = 'analysis.some-test'\nHostname = 'host.example.com'\nPid = 42\n";
const TO_ANN: &str =
    "modules = { email = { recipients = { 'ann@example.com', 'bob@example.com' } } }";

/// Runs the text with `alert` configured as given; what it injected, or its error.
fn run(alert: &str, source: &str) -> Result<Vec<Message>, String> {
    let setup = Setup::new(Kind::Analysis).configured(&format!("{HOST}alert = {alert}"));
    let plugin = setup.run(&format!(
        "require 'string'\nfunction timer_event()\nlocal alert = require 'heka.alert'\n{source}\nend"
    ));
    let mut plugin = plugin.map_err(|error| error.to_string())?;
    plugin
        .sandbox
        .timer_event(0, false)
        .map_err(|error| error.to_string())?;
    let decode = |bytes: Vec<u8>| Message::decode(&bytes).expect("it was just encoded");
    Ok(plugin.seen().injected.into_iter().map(decode).collect())
}

fn run_static(more: &str, source: &str) -> Result<Vec<Message>, String> {
    run(&format!("{{ {TO_ANN}, {more} }}"), source)
}

/// Summary, Payload, and the Fields after the summary as `name=value,value`.
fn text(message: &Message) -> String {
    assert_eq!(message.type_.as_deref(), Some(&b"alert"[..]));
    assert_eq!(message.severity, Some(1));
    let values = |value: &FieldValue| match value {
        FieldValue::String(texts) => texts
            .iter()
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect::<Vec<_>>()
            .join(","),
        other => format!("{other:?}"),
    };
    let fields = message.fields.iter().map(|field| {
        let name = String::from_utf8_lossy(&field.name);
        format!("{name}={}", values(&field.value))
    });
    let payload = String::from_utf8_lossy(message.payload.as_deref().unwrap_or_default());
    format!("{}|{payload}", fields.collect::<Vec<_>>().join(" "))
}

fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(text).collect()
}

#[test]
fn an_alert_names_its_recipients() {
    let sent =
        run_static("", "assert(alert.send('id', 'sum', 'detail') == true)").expect("it runs");
    assert_eq!(
        texts(&sent),
        ["id=id summary=sum email.recipients=<ann@example.com>,<bob@example.com>|detail"]
    );
    let irc = "{ modules = { irc = { target = 'irc.example.com#ops' } } }";
    let sent = run(irc, "alert.send('id', 'sum', 'detail')").expect("it runs");
    assert_eq!(
        texts(&sent),
        ["id=id summary=sum irc.target=irc.example.com#ops|detail"]
    );
}

#[test]
fn a_prefix_says_where_it_comes_from() {
    let sent = run_static("prefix = true", "alert.send('x', 'sum', 'detail')").expect("it runs");
    assert_eq!(
        texts(&sent),
        ["id=x summary=Hindsight [analysis.some-test#x] - sum \
          email.recipients=<ann@example.com>,<bob@example.com>|Hostname: host.example.com\nPid: 42\n\ndetail\n"]
    );
}

#[test]
fn the_same_alert_is_throttled() {
    let source = "
        assert(alert.throttled('a') == false)
        assert(alert.send('a', 'one', 'd') == true)
        assert(alert.throttled('a') == true and alert.throttled('b') == false)
        assert(alert.send('a', 'two', 'd') == false)
        assert(alert.throttled('a', 0) == false and alert.send('a', 'three', 'd', 0) == true)
        assert(alert.send('b', '', 'd') == false and alert.send('b', nil, 'd') == false)
        assert(alert.send('b', 'four', 'd') == true)
    ";
    let sent = run_static("", source).expect("it runs");
    assert_eq!(sent.len(), 3);
    let sent = run_static(
        "throttle = 0",
        "for i = 1, 3 do alert.send('a', 's', 'd') end",
    );
    assert_eq!(sent.expect("it runs").len(), 3);
    let sent = run_static(
        "disabled = true",
        "assert(alert.send('a', 's', 'd') == false)",
    );
    assert_eq!(sent.expect("it runs").len(), 0);
}

#[test]
fn what_has_ended_is_told_once_and_may_come_again() {
    let source = "
        assert(alert.recover('a', 'it was nothing') == false)
        assert(alert.send('a', 'one', 'd') == true)
        assert(alert.recover('a', 'back', 'as usual') == true and alert.recover('a') == false)
        assert(alert.send('a', 'two', 'd') == true)
    ";
    let sent = run("{ modules = { channels = {} } }", source).expect("it runs");
    assert_eq!(sent.len(), 3);
    assert_eq!(text(&sent[0]), "id=a summary=one|d");
    assert_eq!(text(&sent[2]), "id=a summary=two|d");
    assert_eq!(sent[1].severity, Some(6));
    let fields: Vec<_> = sent[1]
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    assert_eq!(fields, [&b"id"[..], b"summary", b"alert.state"]);
    let routed = run(
        ROUTES,
        "alert.send('i', 's', 'd', 0, { subject = 'bob', senduser = true })
        assert(alert.recover('i', 's', 'd', { subject = 'bob', senduser = true }))",
    );
    assert_eq!(routed.expect("it runs")[1].fields.len(), 4);
}

#[test]
fn what_was_sent_long_ago_does_not_fill_the_memory() {
    // The clock stands in for `os.time`, captured when the module is loaded.
    let source = "
        require 'os'
        local now = 1e9
        os.time = function() return now end
        inject_message = function() end
        function timer_event()
            local alert = require 'heka.alert'
            for i = 1, 300000 do
                now = now + 1
                assert(alert.send('an alert with a long name ' .. i, 's', 'd'))
                if i % 1000 == 0 then
                    assert(alert.throttled('an alert with a long name ' .. i - 59))
                    assert(not alert.throttled('an alert with a long name ' .. i - 61))
                end
            end
        end";
    let cfg = format!("{HOST}alert = {{ {TO_ANN}, throttle = 1 }}");
    let mut setup = Setup::new(Kind::Analysis).configured(&cfg);
    setup.limits.memory = 2 << 20;
    let mut plugin = setup.run(source).expect("it loads");
    plugin
        .sandbox
        .timer_event(0, false)
        .expect("old alerts are forgotten");
}

#[test]
fn thresholds_are_found_by_id() {
    let thresholds = "thresholds = { a = { x = 1 }, ['*'] = { x = 2 } }";
    let source = "
        assert(alert.get_threshold('a').x == 1 and alert.get_threshold('b').x == 2)
        assert(alert.thresholds.a.x == 1 and alert.has_lookup() == false)";
    run_static(thresholds, source).expect("it runs");
    let source = "assert(alert.get_threshold('b') == 3)";
    run_static("thresholds = { _default_ = 3 }", source).expect("it runs");
    let source = "assert(alert.get_threshold('b') == nil and next(alert.thresholds) == nil)";
    run_static("", source).expect("it runs");
}

#[test]
fn dashboards_have_addresses() {
    let source = "
        local at = 'https://host.example.com/dashboard_output/'
        assert(alert.get_dashboard_uri('a b.c') == at .. 'graphs/analysis.some_test.a_b.c.html')
        assert(alert.get_dashboard_uri('a', 'cbuf') == at .. 'graphs/analysis.some_test.a.html')
        assert(alert.get_dashboard_uri('a', 't/sv') == at .. 'analysis.some_test.a.t_sv')";
    run_static("", source).expect("it runs");
    let cfg = format!("{HOST}admin_url = 'http://127.0.0.1:5580'\nalert = {{ {TO_ANN} }}");
    let setup = Setup::new(Kind::Analysis).configured(&cfg);
    let source = "
        local alert = require 'heka.alert'
        local at = 'http://127.0.0.1:5580/dashboard_output/'
        assert(alert.get_dashboard_uri('a', 'cbuf') == at .. 'graphs/analysis.some_test.a.html')
        assert(alert.get_dashboard_uri('a', 'tsv') == at .. 'analysis.some_test.a.tsv')
        function process_message() return 0 end
        function timer_event() end";
    setup.run(source).expect("it runs");
}

#[test]
fn a_wrong_configuration_is_named() {
    let refused = |alert: &str, error: &str| {
        let found = run(alert, "").expect_err(alert);
        assert!(found.contains(error), "{found}");
    };
    refused("nil", "alert configuration must be a table");
    refused("{}", "alert.modules configuration must be a table");
    refused("{ modules = {} }", "No alert modules were specified");
    refused(
        "{ modules = { nothing = {} } }",
        "module 'heka.alert.nothing' not found",
    );
    refused(
        "{ modules = { email = true } }",
        "alert.modules.email configuration must be a table",
    );
    refused(
        "{ modules = { email = {} } }",
        "recipients must be an array",
    );
    refused(
        "{ modules = { email = { recipients = {} } } }",
        "recipients must be an array",
    );
    refused(
        "{ modules = { email = { recipients = { 1 } } } }",
        "recipients must be strings",
    );
    refused("{ modules = { irc = {} } }", "target must be string");
    refused(
        "{ modules = { irc = 1 } }",
        "alert.modules.irc configuration must be a table",
    );
    refused(
        "{ modules = { idrouter = {} } }",
        "cannot use lookup module without lookup configuration",
    );
    let with = |more: &str| format!("{{ {TO_ANN}, {more} }}");
    refused(
        &with("throttle = -1"),
        "alert.throttle configuration must be a number >= 0",
    );
    refused(
        &with("throttle = '5'"),
        "alert.throttle configuration must be a number >= 0",
    );
    refused(
        &with("thresholds = 1"),
        "alert.thresholds configuration must be nil or a table",
    );
    refused(
        &with("lookup = 1"),
        "alert.lookup configuration must be a string",
    );
    refused(
        &with("lookup = 'nothing'"),
        "module 'heka.alert.nothing' not found",
    );
    refused(
        &with("lookup = 'email'"),
        "invalid alert lookup module specified",
    );
}

const ROUTES: &str = "{ lookup = 'idrouter', modules = { idrouter = {
    subjects = {
        ann = { mapfrom = { 'ann', 'a@x' }, email = { direct = 'own@x', error = 'err-%s@x' }, irc = { direct = 'i#ann' } },
        bob = { mapfrom = { 'bob', 'a@x' } },
        odd = { mapfrom = { '100%d' } },
    },
    email = { direct = '%s@y', global = 'all@y' },
    irc = { global = 'i#all', error = 'i#%s' },
} } }";

fn route(ldata: &str) -> Vec<String> {
    let source = format!(
        "assert(alert.has_lookup())\nassert(alert.send('i', 's', 'd', 0, {ldata}) == true)"
    );
    texts(&run(ROUTES, &source).expect("it runs"))
}

#[test]
fn the_identity_decides_who_is_told() {
    assert_eq!(
        route("{ subject = 'a@x', senduser = true }"),
        ["id=i summary=s email.recipients=<own@x> irc.target=i#ann|d"]
    );
    assert_eq!(
        route("{ subject = 'bob', senduser = true }"),
        ["id=i summary=s email.recipients=<bob@y>|d"]
    );
    assert_eq!(
        route("{ subject = 'ann', senduser = true, sendglobal = true, senderror = true }"),
        ["id=i summary=s email.recipients=<err-ann@x>,<all@y>,<own@x> irc.target=i#ann|d"]
    );
    assert_eq!(
        route("{ subject = 'bob', sendglobal = true, senderror = true }"),
        ["id=i summary=s email.recipients=<all@y> irc.target=i#bob|d"]
    );
    assert_eq!(
        route("{ sendglobal = true, senduser = true, senderror = true }"),
        ["id=i summary=s email.recipients=<all@y> irc.target=i#all|d"]
    );
    assert_eq!(
        route("{ subject = '100%d', senduser = true }"),
        ["id=i summary=s email.recipients=<odd@y>|d"]
    );
    assert_eq!(
        route("{ subject = 'eve', senduser = true, senderror = true }"),
        [""; 0]
    );
    assert_eq!(route("{}"), [""; 0]);
}

#[test]
fn a_lookup_needs_its_data_and_its_names() {
    let found = run(ROUTES, "alert.send('i', 's', 'd')").expect_err("no ldata");
    assert!(
        found.contains("cannot call lookup function with no lookup data"),
        "{found}"
    );
    let bad = "{ lookup = 'idrouter', modules = { idrouter = { subjects = { ann = {} } } } }";
    let found = run(bad, "").expect_err("no mapfrom");
    assert!(found.contains("subjects entry missing mapfrom"), "{found}");
    let none = "{ lookup = 'idrouter', modules = { } }";
    let found = run(none, "").expect_err("no idrouter");
    assert!(
        found.contains("alert.modules.idrouter configuration must be a table"),
        "{found}"
    );
}
