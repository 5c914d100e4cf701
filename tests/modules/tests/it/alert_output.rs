//! `output/alert.lua` and its channels `alert.email`, `alert.slack`, `alert.webhook`, `alert.pagerduty` and `alert.file`, by
//! `alerting.outbox`, `alerting.post`, `alerting.secret`, `alerting.silences` and `alerting.wording`, against real servers.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use e2e::Certificates;
use modules::{Plugin, Setup, root};
use sandbox::{Answer, Kind};
use schemas::message::{Field, FieldValue, Message};
use tempfile::TempDir;

use super::net::peers::{Heard, serve_http};
use super::net::smtp;

/// Puts the clock into the test's hand: a message of Type "clock" moves it.
const CLOCK: &str = "
    require 'os'
    clock = 1.7e9
    local real = os.time
    os.time = function(t) if t then return real(t) end return clock end
";
const MOVED: &str = "
    local of_plugin = process_message
    function process_message(sequence)
        if read_message('Type') ~= 'clock' then return of_plugin(sequence) end
        clock = clock + read_message('Fields[by]')
        return 0
    end
";

struct Outputs {
    dir: TempDir,
    plugin: Option<Plugin>,
    cfg: String,
    sequence: u64,
}

impl Outputs {
    fn new(alert: &str) -> Outputs {
        Outputs::with("ticker_interval = 1\npreserve_data = true\n", alert)
    }

    fn with(more: &str, alert: &str) -> Outputs {
        let dir = tempfile::tempdir().expect("a folder");
        let at = dir.path().display().to_string();
        let alert = alert.replace("DIR", &at);
        let cfg =
            format!("{more}output_path = '{at}'\nLogger = 'output.alerts'\nalert = {{ {alert} }}");
        let mut outputs = Outputs {
            dir,
            plugin: None,
            cfg,
            sequence: 0,
        };
        outputs.plugin = Some(outputs.load(None).unwrap_or_else(|error| panic!("{error}")));
        outputs
    }

    fn load(&self, state: Option<Vec<u8>>) -> Result<Plugin, String> {
        let source = std::fs::read_to_string(root().join("plugins/output/alert.lua"));
        let source = source.expect("the plugin is there");
        let mut setup = Setup::new(Kind::Output).configured(&self.cfg);
        setup.state = state;
        setup.run(&format!("{CLOCK}{source}{MOVED}"))
    }

    fn plugin(&mut self) -> &mut Plugin {
        self.plugin.as_mut().expect("it is loaded")
    }

    /// A restart, with what is preserved.
    fn restart(&mut self) {
        let state = self.plugin().preserve();
        self.plugin = None;
        self.plugin = Some(
            self.load(Some(state))
                .unwrap_or_else(|error| panic!("{error}")),
        );
    }

    fn process(&mut self, message: &Message) -> i32 {
        self.sequence += 1;
        let (bytes, sequence) = (message.to_bytes(), self.sequence);
        match self.plugin().process_as(&bytes, sequence) {
            Answer::Status { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, plugin: &str, id: &str) -> i32 {
        self.process(&alert(plugin, id, &[]))
    }

    /// Time passes, then the timer is called.
    fn wait(&mut self, seconds: i64) {
        let mut message = Message::new([1; 16], 1);
        message.type_ = Some(b"clock".to_vec());
        message.fields = vec![Field::with("by", FieldValue::Double(vec![seconds as f64]))];
        assert_eq!(self.process(&message), 0);
        let ticked = self.plugin().sandbox.timer_event(0, false);
        ticked.unwrap_or_else(|error| panic!("{error}"));
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// What the file channel has written: `title|state of each alert`, a line each.
    fn told(&self) -> Vec<String> {
        let lines = std::fs::read_to_string(self.dir.path().join("told")).unwrap_or_default();
        lines.lines().map(summary).collect()
    }

    fn status(&self) -> serde_json::Value {
        let path = self.dir.path().join("admin/alerting/output.alerts.json");
        serde_json::from_slice(&std::fs::read(path).expect("a state")).expect("JSON")
    }
}

fn summary(line: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let mut text = document["title"].as_str().expect("a title").to_owned();
    for alert in document["alerts"].as_array().expect("alerts") {
        let (id, state) = (&alert["id"], &alert["state"]);
        write!(
            text,
            "|{} {}",
            id.as_str().unwrap_or("?"),
            state.as_str().unwrap_or("?")
        )
        .expect("a String takes any text");
    }
    text
}

fn alert(plugin: &str, id: &str, more: &[Field]) -> Message {
    let mut message = Message::new([1; 16], 1_700_000_000_000_000_000);
    message.type_ = Some(b"alert".to_vec());
    message.severity = Some(1);
    message.logger = Some(plugin.as_bytes().to_vec());
    message.hostname = Some(b"host.example.com".to_vec());
    message.payload = Some(format!("detail of {id}\n").into_bytes());
    message.fields = vec![
        Field::string("id", id),
        Field::string("summary", format!("{id} is <high>")),
    ];
    message.fields.extend_from_slice(more);
    message
}

fn state(state: &str) -> Field {
    Field::string("alert.state", state)
}

const FILE: &str = "file = { kind = 'file', path = 'DIR/told' }";

/// An HTTP server that answers with this status, which can be changed.
fn receiver(status: u16) -> (u16, Heard, Arc<AtomicU16>) {
    let answer = Arc::new(AtomicU16::new(status));
    let at = Arc::clone(&answer);
    let (port, heard) = serve_http(move |_| {
        let status = at.load(Ordering::Relaxed);
        format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .into_bytes()
    });
    (port, heard, answer)
}

fn count(heard: &Heard) -> usize {
    heard.lock().expect("no panic").len()
}

fn last(heard: &Heard) -> String {
    heard
        .lock()
        .expect("no panic")
        .last()
        .cloned()
        .unwrap_or_default()
}

#[test]
fn alerts_of_a_plugin_within_the_wait_are_one_notification() {
    let mut outputs = Outputs::new(&format!("channels = {{ {FILE} }}"));
    for id in ["a", "b"] {
        assert_eq!(outputs.send("analysis.x", id), 0);
    }
    outputs.send("analysis.y", "c");
    outputs.wait(9);
    assert_eq!(outputs.told(), [""; 0]);
    outputs.wait(1);
    assert_eq!(
        outputs.told(),
        [
            "2 alerts of analysis.x|a firing|b firing",
            "c is <high>|c firing"
        ]
    );
    assert_eq!(outputs.status()["channels"][0]["sent"], 2);
}

#[test]
fn the_throttle_outlives_a_restart() {
    let mut outputs = Outputs::new(&format!("channels = {{ {FILE} }}"));
    outputs.send("p", "a");
    outputs.wait(10);
    outputs.restart();
    outputs.send("p", "a");
    outputs.wait(600);
    assert_eq!(outputs.told().len(), 1);
    outputs.wait(300);
    outputs.send("p", "a");
    outputs.restart();
    outputs.wait(10);
    assert_eq!(
        outputs.told().len(),
        2,
        "what was gathered outlives it, too"
    );
    assert_eq!(outputs.status()["alerts"][0]["count"], 3);
}

#[test]
fn what_ends_is_told_once_by_word_or_by_silence() {
    let mut outputs = Outputs::new(&format!("recover_after = 60, channels = {{ {FILE} }}"));
    outputs.send("p", "a");
    outputs.send("p", "b");
    outputs.wait(10);
    for _ in 0..2 {
        outputs.process(&alert("p", "a", &[state("recovered")]));
        outputs.wait(10);
    }
    outputs.process(&alert("p", "unknown", &[state("recovered")]));
    outputs.wait(3600);
    outputs.wait(10);
    assert_eq!(
        outputs.told()[1..],
        [
            "Recovered: a is <high>|a recovered",
            "Recovered: b is <high>|b recovered"
        ]
    );
    outputs.send("p", "a");
    outputs.wait(10);
    assert_eq!(outputs.told().len(), 4, "a new one is told");
    // One that comes and goes is told again when its throttle is over, and then only if it is there.
    outputs.process(&alert("p", "a", &[state("recovered")]));
    outputs.send("p", "a");
    outputs.wait(10);
    outputs.wait(900);
    outputs.wait(10);
    assert_eq!(
        outputs.told().last().map(String::as_str),
        Some("a is <high>|a firing")
    );
}

#[test]
fn a_silence_holds_alerts_back_until_it_ends() {
    let mut outputs = Outputs::new(&format!("recover_after = 0, channels = {{ {FILE} }}"));
    let silences = |end: i64| {
        format!(
            r#"{{"silences":[{{"id":"s1","start":1699999999,"end":{end},"plugin":"p","alert":"a"}},
            {{"id":"s2","start":0,"end":2000000000,"expression":"Fields[summary] =~ 'noisy'"}},
            {{"id":"bad","start":0,"end":2000000000,"expression":"Fields["}}, {{"id":"all","start":0,"end":2000000000}}, 7]}}"#
        )
    };
    outputs.write("admin/silences.json", &silences(1_700_000_100));
    for id in ["a", "b", "noisy"] {
        outputs.send("p", id);
    }
    outputs.wait(10);
    assert_eq!(outputs.told(), ["b is <high>|b firing"]);
    assert_eq!(outputs.status()["alerts"][0]["silence"], "s1");
    outputs.wait(90);
    outputs.wait(10);
    assert_eq!(outputs.told()[1..], ["a is <high>|a firing"]);
    // What has ended meanwhile is told to nobody.
    outputs.process(&alert("p", "noisy", &[state("recovered")]));
    outputs.write("admin/silences.json", "no JSON");
    outputs.wait(10);
    outputs.send("q", "noisy");
    outputs.wait(10);
    assert_eq!(outputs.told().len(), 2, "the old silences hold");
}

#[test]
fn a_channel_that_does_not_work_holds_up_nobody_and_loses_nothing() {
    let (port, heard, answer) = receiver(503);
    let hook =
        format!("hook = {{ kind = 'webhook', url = 'http://127.0.0.1:{port}/h', group_wait = 0 }}");
    let mut outputs = Outputs::new(&format!("channels = {{ {hook}, {FILE} }}"));
    for n in 0..130 {
        assert_eq!(outputs.send("p", &format!("id{n}")), 0);
    }
    assert_eq!(count(&heard), 1, "it waits after a failure");
    outputs.wait(10);
    assert_eq!(outputs.told().len(), 1);
    assert_eq!(
        outputs.status()["channels"][1]["error"],
        "the server answered 503"
    );
    assert_eq!(outputs.status()["channels"][1]["waiting"], 100);
    outputs.restart();
    answer.store(200, Ordering::Relaxed);
    let failed = count(&heard);
    for _ in 0..3 {
        outputs.wait(400);
    }
    let heard = heard.lock().expect("no panic");
    assert_eq!(heard.len() - failed, 100);
    for n in 0..130 {
        let id = format!("\"id\":\"id{n}\"");
        assert!(
            heard[failed..].iter().any(|said| said.contains(&id)),
            "{id} was lost"
        );
    }
}

#[test]
fn what_a_receiver_refuses_is_given_up_and_told() {
    let (port, heard, _) = receiver(400);
    let hook =
        format!("hook = {{ kind = 'webhook', url = 'http://127.0.0.1:{port}/h', group_wait = 0 }}");
    let mut outputs = Outputs::new(&format!("channels = {{ {hook} }}"));
    outputs.send("p", "a");
    for _ in 0..5 {
        outputs.wait(10);
    }
    assert_eq!(count(&heard), 3);
    let injected = outputs.plugin().seen().injected;
    let failed = Message::decode(&injected[0]).expect("a message");
    assert_eq!(failed.type_.as_deref(), Some(&b"alert.failed"[..]));
    assert_eq!(injected.len(), 1);
}

#[test]
fn webhooks_are_signed_and_slack_and_pagerduty_get_their_own_form() {
    let (hook, hooked, _) = receiver(200);
    let (slack, chatted, _) = receiver(200);
    let (pager, paged, _) = receiver(202);
    let mut outputs = Outputs::new("channels = { file = { kind = 'file', path = 'DIR/told' } }");
    outputs.write("key", "sesame\n");
    let at = outputs.dir.path().display().to_string();
    outputs.cfg = format!(
        "ticker_interval = 1\noutput_path = '{at}'\nLogger = 'output.alerts'\nalert = {{ link = 'https://ui/', channels = {{
            hook = {{ kind = 'webhook', url = 'http://127.0.0.1:{hook}/h', secret = 'file:{at}/key', group_wait = 0 }},
            chat = {{ kind = 'slack', url = 'http://127.0.0.1:{slack}/s', group_wait = 0, matcher = 'Severity < 5' }},
            pager = {{ kind = 'pagerduty', routing_key = 'env:PATH', url = 'http://127.0.0.1:{pager}/p' }},
        }} }}"
    );
    outputs.plugin = Some(outputs.load(None).expect("it loads"));
    outputs.send("p", "a");
    let said = last(&hooked);
    let header = |name: &str| {
        let lines = said
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix(name).map(str::to_owned));
        lines.unwrap_or_default().trim().to_owned()
    };
    let body = said.split("\r\n\r\n").nth(1).expect("a body");
    let signed = format!("{}.{body}", header("x-foresight-timestamp:"));
    let check = format!(
        "local openssl = require 'openssl'\nassert('sha256=' .. openssl.hmac.hmac('sha256', [==[{signed}]==], 'sesame') == '{}')",
        header("x-foresight-signature:")
    );
    Setup::new(Kind::Input)
        .run(&check)
        .map(drop)
        .expect("the signature fits");
    assert!(
        body.contains("\"summary\":\"a is <high>\"") || body.contains("a is <high>"),
        "{body}"
    );
    assert!(
        last(&chatted).contains("*a is &lt;high&gt;*"),
        "{}",
        last(&chatted)
    );
    assert!(
        last(&paged).contains("\"event_action\":\"trigger\"")
            && last(&paged).contains("\"dedup_key\":\"p#a\"")
    );
    assert!(last(&paged).contains("\"severity\":\"critical\""));
    outputs.process(&alert("p", "a", &[state("recovered")]));
    assert!(
        last(&paged).contains("\"event_action\":\"resolve\"")
            && last(&paged).contains("\"dedup_key\":\"p#a\"")
    );
    let mut quiet = alert("p", "b", &[]);
    quiet.severity = Some(6);
    let before = count(&chatted);
    outputs.process(&quiet);
    assert_eq!(
        (count(&chatted), count(&paged)),
        (before, 3),
        "the matcher decides"
    );
    // A test goes everywhere, at once, and whatever holds back others.
    outputs.process(&alert("admin", "test", &[state("test")]));
    assert_eq!((count(&chatted), count(&paged)), (before + 1, 4));
    let state = String::from_utf8(outputs.plugin().preserve()).expect("text");
    assert!(
        !state.contains("sesame") && !state.contains("127.0.0.1"),
        "{state}"
    );
}

#[test]
fn alerts_of_plugins_written_for_hindsight_go_to_their_recipients() {
    let (port, heard) = smtp::server("250-me\r\n250 SIZE\r\n", "");
    let modules =
        format!("modules = {{ email = {{ from = 'me@x', server = '127.0.0.1', port = {port} }} }}");
    // As such configurations are: no ticker, nothing preserved.
    let mut outputs = Outputs::with("", &modules);
    let to = |who: &str| {
        Field::with(
            "email.recipients",
            FieldValue::String(vec![who.as_bytes().to_vec()]),
        )
    };
    assert_eq!(outputs.process(&alert("p", "a", &[to("<ann@x>")])), 0);
    let said = heard.lock().expect("no panic").join("\n");
    for line in [
        "MAIL FROM:<me@x>\\r",
        "RCPT TO:<ann@x>\\r",
        "Subject: a is <high>\\r",
        "detail of a\\r",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    let nobody = alert("p", "a", &[Field::string("irc.target", "x")]);
    assert_eq!(outputs.process(&nobody), -1);
    assert_eq!(
        outputs.process(&alert("p", "a", &[to("<bob@x>")])),
        0,
        "the plugin throttles"
    );
    assert_eq!(
        heard
            .lock()
            .expect("no panic")
            .iter()
            .filter(|line| line.starts_with("RCPT"))
            .count(),
        2
    );
}

#[test]
fn without_a_ticker_a_message_waits_for_its_channel() {
    let (port, heard, answer) = receiver(500);
    let hook =
        format!("hook = {{ kind = 'webhook', url = 'http://127.0.0.1:{port}/h', retry_min = 0 }}");
    let mut outputs = Outputs::with("", &format!("channels = {{ {hook} }}"));
    let message = alert("p", "a", &[]).to_bytes();
    for code in [-3, -3, 0] {
        if code == 0 {
            answer.store(200, Ordering::Relaxed);
        }
        let answer = outputs.plugin().process_as(&message, 7);
        assert!(
            matches!(answer, Answer::Status { code: c, .. } if c == code),
            "{answer:?}"
        );
    }
    assert_eq!(count(&heard), 3);
    // With one, and nothing preserved, it counts as delivered when all have it.
    answer.store(500, Ordering::Relaxed);
    let hook = format!("hook = {{ kind = 'webhook', url = 'http://127.0.0.1:{port}/h' }}");
    let mut outputs = Outputs::with("ticker_interval = 1\n", &format!("channels = {{ {hook} }}"));
    assert_eq!(outputs.send("p", "a"), -4);
    outputs.wait(10);
    assert!(outputs.plugin().seen().acknowledged.is_empty());
    answer.store(200, Ordering::Relaxed);
    outputs.wait(10);
    assert_eq!(outputs.plugin().seen().acknowledged, [(None, 0)]);
}

/// A server of SMTP over STARTTLS, in Lua: what it was told goes to a file.
fn starttls_server(certificates: &Certificates, dir: &Path) -> u16 {
    let port = e2e::free_port();
    let source = format!(
        r#"
        require "io"; require "string"
        local socket, ssl = require "socket", require "ssl"
        local server = assert(socket.bind("127.0.0.1", {port}))
        io.open("{dir}/ready", "w"):close()
        local c = server:accept()
        local log = io.open("{dir}/heard", "w")
        local function say(text) c:send(text .. "\r\n") end
        say "220 hello"
        local in_data = false
        while true do
            local line = c:receive()
            if not line then break end
            log:write(line, "\n")
            if in_data then
                if line == "." then in_data = false say "250 taken" end
            elseif line:find "^EHLO" then say "250-me" say "250-AUTH PLAIN" say "250 STARTTLS"
            elseif line == "STARTTLS" then
                say "220 go"
                c = assert(ssl.wrap(c, {params}))
                assert(c:dohandshake())
            elseif line:find "^AUTH" then say "235 known"
            elseif line == "DATA" then in_data = true say "354 go on"
            elseif line == "QUIT" then say "221 bye" break
            else say "250 ok" end
        end
        log:close()
        c:close()
        os = require "os"
        os.rename("{dir}/heard", "{dir}/done")
    "#,
        dir = dir.display(),
        params = format_args!(
            "{{ mode = 'server', protocol = 'any', certificate = '{}', key = '{}' }}",
            certificates.path("leaf.pem").display(),
            certificates.path("leaf.key").display()
        ),
    );
    std::thread::spawn(move || Setup::new(Kind::Input).run(&source).map(drop));
    e2e::wait_until("the server listens", || dir.join("ready").exists());
    port
}

#[test]
fn mails_of_a_channel_are_safe_and_say_everything() {
    let certificates = Certificates::new();
    let dir = tempfile::tempdir().expect("a folder");
    let port = starttls_server(&certificates, dir.path());
    let mail = format!(
        "mail = {{ kind = 'email', server = 'localhost', port = {port}, from = 'me@x', recipients = {{ 'ops@x' }}, group_wait = 0,
           user = 'u', _password = 'file:DIR/password', starttls = {{ cafile = '{}' }} }}",
        certificates.path("ca.pem").display()
    );
    let mut outputs = Outputs::new(&format!("channels = {{ {mail} }}"));
    outputs.write("password", "secret");
    let mut message = alert("p", "ümlaut", &[]);
    message.payload = Some("Größe\n".repeat(3).into_bytes());
    assert_eq!(outputs.process(&message), 0);
    assert_eq!(
        outputs.status()["channels"][0]["error"],
        serde_json::Value::Null
    );
    let done = dir.path().join("done");
    e2e::wait_until("the mail", || done.exists());
    let said = std::fs::read_to_string(done).expect("text");
    assert!(said.find("STARTTLS") < said.find("AUTH PLAIN"), "{said}");
    for line in [
        "RCPT TO:<ops@x>",
        "To: <ops@x>",
        "Content-Transfer-Encoding: base64",
        "Subject: =?UTF-8?B?",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

#[test]
fn a_wrong_configuration_is_named() {
    let refused = |alert: &str, reason: &str| {
        let mut outputs = Outputs::new(&format!("channels = {{ {FILE} }}"));
        outputs.cfg = format!("output_path = '/tmp'\nLogger = 'x'\nalert = {alert}");
        let error = outputs.load(None).map(drop).expect_err(alert);
        assert!(error.contains(reason), "{error}");
    };
    refused("nil", "alert configuration must be a table");
    refused("{}", "alert.modules configuration must be a table");
    refused("{ modules = {} }", "alert has no channels and no modules");
    refused("{ modules = { irc = {} } }", "module 'alert.irc' not found");
    refused(
        "{ channels = { a = {} } }",
        "alert.channels.a must be a table with a kind",
    );
    refused(
        "{ channels = { a = { kind = 'slack' } } }",
        "alert.channels.a: url must be a string",
    );
    refused(
        "{ channels = { a = { kind = 'file' } } }",
        "path must be a string",
    );
    refused(
        "{ channels = { a = { kind = 'pagerduty' } } }",
        "routing_key must be a string",
    );
    refused(
        "{ channels = { a = { kind = 'email', from = 'x', recipients = {} } } }",
        "recipients must be an array",
    );
    refused(
        "{ channels = { a = { kind = 'email', from = 'x', recipients = { 'y' }, _password = 'z' } } }",
        "_password needs starttls or ssl_params",
    );
    refused(
        "{ channels = { a = { kind = 'file', path = '/tmp/x', matcher = 'Type =' } } }",
        "invalid message matcher",
    );
}

#[test]
fn alerts_beyond_the_limit_are_forgotten_oldest_first() {
    let (port, _, _) = receiver(503);
    let hook = format!("hook = {{ kind = 'webhook', url = 'http://127.0.0.1:{port}/h' }}");
    let mut outputs = Outputs::new(&format!("channels = {{ {hook} }}"));
    for n in 0..2500 {
        outputs.send(&format!("analysis.{n}"), &"long ".repeat(100));
    }
    outputs.wait(60);
    let state = outputs.plugin().preserve();
    assert!(state.len() < 16 << 20, "{} bytes", state.len());
    let status = outputs.status();
    assert_eq!(status["channels"][0]["waiting"], 100);
    assert_eq!(status["alerts"].as_array().expect("a list").len(), 500);
}
