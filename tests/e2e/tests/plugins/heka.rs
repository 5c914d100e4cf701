//! `input/heka_file.lua`, `input/heka_tcp.lua`, `output/heka_file.lua` and `output/heka_tcp.lua`: messages pass unchanged,
//! from file to file and from engine to engine.

use std::io::Write;
use std::net::TcpStream;

use e2e::{Certificates, Site, frame, free_port, messages, payloads};
use schemas::message::{Field, Message};

fn sample(n: usize, size: usize) -> Message {
    let mut message = Message::new([n as u8; 16], n as i64 + 1);
    message.type_ = Some(b"sample".to_vec());
    message.payload = Some(format!("{n} {}", "x".repeat(size)).into_bytes());
    message.fields.push(Field::integer("n", n as i64));
    message
}

fn file_to_file(bytes: &[u8]) -> Site {
    let site = Site::new();
    let input = site.write("in.heka", bytes);
    let cfg = format!(
        "instruction_limit = 0\ninput_filename = \"{}\"",
        input.display()
    );
    site.ours("input/heka_file.lua", "in", &cfg)
        .collect("all", "TRUE")
}

#[test]
fn files_are_read_between_garbage_and_from_the_checkpoint() {
    let all: Vec<Message> = (0..50).map(|n| sample(n, n * 900)).collect();
    let mut bytes = b"garbage \x1e in front".to_vec();
    for message in &all[..49] {
        bytes.extend(frame(message));
        bytes.extend(b"\x1e\x03?");
    }
    let last = frame(&all[49]);
    bytes.extend(&last[..30]);
    let site = file_to_file(&bytes);
    site.replay().expect(0);
    assert_eq!(messages(&site.path("all.heka")), all[..49]);
    // The torn end is read again when its rest has come.
    site.append("in.heka", &last[30..]);
    site.replay().expect(0);
    assert_eq!(messages(&site.path("all.heka")), all);
    site.replay().expect(0);
    assert_eq!(messages(&site.path("all.heka")).len(), 50);
}

#[test]
fn an_output_file_rolls_and_cuts_a_torn_end() {
    let all: Vec<Message> = (0..20).map(|n| sample(n, 1000)).collect();
    let site = Site::new();
    let input = site.write("in.heka", all.iter().flat_map(frame).collect::<Vec<u8>>());
    site.write("out.heka", &frame(&all[0])[..40]);
    let cfg = format!(
        "message_matcher = \"TRUE\"\noutput_file = \"{}\"\nroll_size = 5000\nsync = true",
        site.path("out.heka").display()
    );
    let site = site
        .ours(
            "input/heka_file.lua",
            "in",
            &format!(
                "instruction_limit = 0\ninput_filename = \"{}\"",
                input.display()
            ),
        )
        .ours("output/heka_file.lua", "out", &cfg);
    site.replay().expect(0);
    let mut found = Vec::new();
    for n in 1.. {
        let path = site.path(format!("out.heka.{n}"));
        if !path.exists() {
            break;
        }
        found.extend(messages(&path));
    }
    found.extend(messages(&site.path("out.heka")));
    assert_eq!(found, all);
    assert!(site.exists("out.heka.2"));
}

#[test]
fn one_engine_sends_to_another_that_comes_later() {
    let port = free_port();
    let all: Vec<Message> = (0..200)
        .map(|n| sample(n, if n % 50 == 7 { 60_000 } else { n * 10 }))
        .collect();
    let sender = Site::new();
    let input = sender.write("in.heka", all.iter().flat_map(frame).collect::<Vec<u8>>());
    let sender = sender
        .ours(
            "input/heka_file.lua",
            "in",
            &format!(
                "instruction_limit = 0\ninput_filename = \"{}\"",
                input.display()
            ),
        )
        .ours(
            "output/heka_tcp.lua",
            "out",
            &format!("message_matcher = \"TRUE\"\nport = {port}\nretry_delay_ms = 20"),
        );
    let mut sending = sender.start();
    sending.until_log("connecting: ");
    let receiver = Site::new()
        .ours(
            "input/heka_tcp.lua",
            "in",
            &format!("instruction_limit = 0\nport = {port}"),
        )
        .collect("all", "TRUE");
    let mut receiving = receiver.start();
    let path = receiver.path("all.heka");
    receiving.until("all messages", || messages(&path).len() >= all.len());
    assert_eq!(messages(&path), all);
    sending.stop();
    receiving.stop();
}

#[test]
fn several_clients_send_frames_in_pieces() {
    let port = free_port();
    let site = Site::new()
        .ours(
            "input/heka_tcp.lua",
            "in",
            &format!("instruction_limit = 0\nport = {port}\nconnections_max = 2"),
        )
        .collect("all", "TRUE");
    let mut engine = site.start();
    let mut connect = || {
        let mut client = None;
        engine.until("the plugin listens", || {
            client = TcpStream::connect(("127.0.0.1", port)).ok();
            client.is_some()
        });
        client.expect("it was waited for")
    };
    let (mut a, mut b, mut c) = (connect(), connect(), connect());
    let path = site.path("all.heka");
    let large = frame(&sample(1, 65_000));
    a.write_all(&large[..64_000]).expect("sent");
    b.write_all(&[&b"garbage"[..], &frame(&sample(2, 5))].concat())
        .expect("sent");
    engine.until("the message of b", || payloads(&path).len() == 1);
    a.write_all(&[&large[64_000..], &frame(&sample(3, 5))].concat())
        .expect("sent");
    engine.until("the messages of a", || payloads(&path).len() == 3);
    c.write_all(&frame(&sample(4, 5))).expect("sent");
    drop(b);
    engine.until("the message of c, for which there was no room", || {
        payloads(&path).len() == 4
    });
    let numbers: Vec<u8> = messages(&path)
        .iter()
        .filter_map(|message| message.uuid)
        .map(|uuid| uuid[0])
        .collect();
    assert_eq!(numbers, [2, 1, 3, 4]);
    engine.stop();
}

#[test]
fn messages_pass_over_tls_between_those_with_certificates_only() {
    let certificates = Certificates::new();
    let port = free_port();
    let receiver = Site::new()
        .ours(
            "input/heka_tcp.lua",
            "in",
            &format!(
                "instruction_limit = 0\nport = {port}\nssl_params = {}",
                certificates.params("server")
            ),
        )
        .collect("all", "TRUE");
    let mut receiving = receiver.start();
    let mut plain = None;
    receiving.until("the plugin listens", || {
        plain = TcpStream::connect(("127.0.0.1", port)).ok();
        plain.is_some()
    });
    let mut plain = plain.expect("it was waited for");
    plain.write_all(&frame(&sample(9, 5))).expect("sent");
    receiving.until_log("TLS: ");
    let all: Vec<Message> = (1..=3).map(|n| sample(n, 40_000)).collect();
    let sender = Site::new();
    let input = sender.write("in.heka", all.iter().flat_map(frame).collect::<Vec<u8>>());
    let sender = sender
        .ours(
            "input/heka_file.lua",
            "in",
            &format!(
                "instruction_limit = 0\ninput_filename = \"{}\"",
                input.display()
            ),
        )
        .ours(
            "output/heka_tcp.lua",
            "out",
            &format!(
                "message_matcher = \"TRUE\"\nport = {port}\nssl_params = {}",
                certificates.params("client")
            ),
        );
    let sending = sender.start();
    let path = receiver.path("all.heka");
    receiving.until("all messages", || messages(&path).len() >= all.len());
    assert_eq!(messages(&path), all);
    sending.stop();
    receiving.stop();
}
