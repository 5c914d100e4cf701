//! `input/udp.lua`: datagrams over the loopback and over a Unix socket.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use e2e::{Site, field_text, free_port, messages, payloads};

#[test]
fn every_datagram_is_a_record() {
    let port = free_port();
    let cfg = format!("instruction_limit = 0\nport = {port}\nremote_field = \"from\"");
    let site = Site::new()
        .ours("input/udp.lua", "udp", &cfg)
        .collect("all", "TRUE");
    let mut engine = site.start();
    let path = site.path("all.heka");
    let [a, b] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a free port"));
    // Before the plugin listens datagrams vanish, so the first is sent until one arrives.
    engine.until("a first datagram", || {
        let _ = a.send_to(b"first", ("127.0.0.1", port));
        !payloads(&path).is_empty()
    });
    let large = "x".repeat(20_000);
    for (socket, bytes) in [(&a, "one"), (&b, "two\nlines"), (&a, large.as_str())] {
        socket
            .send_to(bytes.as_bytes(), ("127.0.0.1", port))
            .expect("sent");
    }
    let rest = || {
        payloads(&path)
            .into_iter()
            .filter(|payload| payload != "first")
            .collect::<Vec<_>>()
    };
    engine.until("all datagrams", || rest().len() == 3);
    assert_eq!(rest(), ["one", "two\nlines", &large]);
    assert_eq!(
        field_text(&messages(&path)[0], "from").as_deref(),
        Some("127.0.0.1")
    );
    engine.stop();
}

#[test]
fn a_unix_socket_takes_datagrams() {
    let site = Site::new();
    let socket = site.path("in.sock");
    let cfg = format!("instruction_limit = 0\naddress = \"{}\"", socket.display());
    let site = site
        .ours("input/udp.lua", "udp", &cfg)
        .collect("all", "TRUE");
    let mut engine = site.start();
    let client = UnixDatagram::unbound().expect("a socket");
    engine.until("the plugin listens", || {
        client.send_to(b"one", &socket).is_ok()
    });
    client.send_to(b"two", &socket).expect("sent");
    engine.until("both", || {
        payloads(&site.path("all.heka")) == ["one", "two"]
    });
    engine.stop();
}
