//! `input/tcp.lua` with real sockets: several clients, both framings, limits. With them the module `tcp_server`, which serves the clients of both TCP inputs.

use std::io::{Read, Write};
use std::net::TcpStream;

use e2e::{Engine, Site, field_text, free_port, messages, payloads};

struct Setup {
    site: Site,
    engine: Engine,
    port: u16,
}

impl Setup {
    fn new(cfg: &str) -> Setup {
        let port = free_port();
        let cfg = format!("instruction_limit = 0\nport = {port}\n{cfg}");
        let site = Site::new()
            .ours("input/tcp.lua", "tcp", &cfg)
            .collect("all", "TRUE");
        let engine = site.start();
        Setup { site, engine, port }
    }

    fn connect(&mut self) -> TcpStream {
        let mut client = None;
        let port = self.port;
        self.engine.until("the plugin listens", || {
            client = TcpStream::connect(("127.0.0.1", port)).ok();
            client.is_some()
        });
        client.expect("it was waited for")
    }

    fn until(&mut self, expected: &[&str]) {
        let (site, engine) = (&self.site, &mut self.engine);
        let path = site.path("all.heka");
        engine.until(&format!("records {expected:?}"), || {
            payloads(&path).len() >= expected.len()
        });
        assert_eq!(payloads(&path), expected);
    }
}

fn send(mut client: &TcpStream, bytes: &str) {
    client
        .write_all(bytes.as_bytes())
        .expect("the engine reads");
}

#[test]
fn several_clients_send_lines_in_pieces() {
    let mut setup = Setup::new("");
    let (a, b) = (setup.connect(), setup.connect());
    send(&a, "a1\na");
    setup.until(&["a1"]);
    send(&b, "b1\r\n");
    setup.until(&["a1", "b1"]);
    send(&a, "2\n\n12 apples\n");
    setup.until(&["a1", "b1", "a2", "12 apples"]);
    send(&b, "without an end");
    drop(b);
    setup.until(&["a1", "b1", "a2", "12 apples", "without an end"]);
    let found = messages(&setup.site.path("all.heka"));
    assert!(
        found
            .iter()
            .all(|message| field_text(message, "remote").as_deref() == Some("127.0.0.1"))
    );
    setup.engine.stop();
}

#[test]
fn counted_records_may_hold_line_ends() {
    let mut setup = Setup::new("");
    let client = setup.connect();
    send(&client, "7 <13>a\nb5 <1>cd<1");
    setup.until(&["<13>a\nb", "<1>cd"]);
    send(&client, "4>line\n1");
    setup.until(&["<13>a\nb", "<1>cd", "<14>line"]);
    send(&client, "0 <2>8901234");
    setup.until(&["<13>a\nb", "<1>cd", "<14>line", "<2>8901234"]);
    setup.engine.stop();
}

#[test]
fn with_octets_everything_is_counted() {
    let mut setup = Setup::new("framing = \"octets\"");
    let client = setup.connect();
    send(&client, "3 abc");
    send(&client, "2 \n\n");
    setup.until(&["abc", "\n\n"]);
    send(&client, "no count");
    assert_eq!(
        (&client).read(&mut [0; 1]).ok(),
        Some(0),
        "the client is disconnected"
    );
    setup.engine.stop();
}

#[test]
fn a_record_that_is_too_long_is_kept_as_a_failure_in_pieces() {
    let mut setup = Setup::new("record_max = 10\nsend_decode_failures = true");
    let client = setup.connect();
    send(&client, "12345678901");
    setup.until(&["record longer than record_max"]);
    // The rest of the line belongs to it; then all is as before.
    send(&client, "2345\n1234567890\n14 <3456789012345<6>good\n");
    let long = "record longer than record_max";
    setup.until(&[long, long, "1234567890", long, "<6>good"]);
    let found = messages(&setup.site.path("all.heka"));
    let data = |i: usize| field_text(&found[i], "data").unwrap_or_default();
    assert_eq!(data(0) + &data(1), "123456789012345\n");
    assert_eq!(data(3), "<3456789012345");
    assert_eq!(found[3].type_.as_deref(), Some(&b"error.decode"[..]));
    setup.engine.stop();
}

#[test]
fn what_has_no_count_is_kept_and_its_client_disconnected() {
    let mut setup = Setup::new("framing = \"octets\"\nsend_decode_failures = true");
    let client = setup.connect();
    send(&client, "3 abcno count");
    setup.until(&["abc", "no octet count"]);
    let found = messages(&setup.site.path("all.heka"));
    assert_eq!(field_text(&found[1], "data").as_deref(), Some("no count"));
    setup.engine.stop();
}

#[test]
fn a_failure_that_is_longer_than_a_message_becomes_several() {
    let mut setup = Setup::new("decoder_module = \"decoders.json\"\nsend_decode_failures = true");
    let client = setup.connect();
    let line = format!("{{{}", "x".repeat(65_000));
    send(&client, &line);
    send(&client, "\n");
    let path = setup.site.path("all.heka");
    setup
        .engine
        .until("two pieces", || messages(&path).len() == 2);
    let found = messages(&path);
    let pieces = found
        .iter()
        .map(|m| field_text(m, "data").unwrap_or_default());
    assert_eq!(pieces.collect::<String>(), line);
    setup.engine.stop();
}

#[test]
fn a_client_without_room_waits_for_it() {
    let mut setup = Setup::new("connections_max = 1");
    let first = setup.connect();
    send(&first, "first\n");
    setup.until(&["first"]);
    let second = setup.connect();
    send(&second, "second\n");
    send(&first, "first again\n");
    setup.until(&["first", "first again"]);
    drop(first);
    setup.until(&["first", "first again", "second"]);
    setup.engine.stop();
}

#[test]
fn idle_clients_are_disconnected() {
    let mut setup = Setup::new("idle_timeout = 0.1");
    let client = setup.connect();
    send(&client, "one\n");
    setup.until(&["one"]);
    assert_eq!((&client).read(&mut [0; 1]).ok(), Some(0));
    setup.engine.stop();
}
