//! Syslog from the programs that send it: `logger` and `rsyslogd`, over UDP and TCP, in both framings and both formats.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use e2e::{Engine, Site, field_text, free_port, messages};
use schemas::message::Message;

struct Setup {
    site: Site,
    engine: Engine,
    tcp: u16,
    udp: u16,
}

impl Setup {
    fn new() -> Setup {
        let (tcp, udp) = (free_port(), free_port());
        let cfg = |port| {
            format!(
                "instruction_limit = 0\nport = {port}\ndecoder_module = \"decoders.syslog\"\n\
                 send_decode_failures = true"
            )
        };
        let site = Site::new()
            .ours("input/tcp.lua", "tcp", &cfg(tcp))
            .ours("input/udp.lua", "udp", &cfg(udp))
            .collect("all", "TRUE");
        let mut engine = site.start();
        engine.until("the plugins listen", || {
            TcpStream::connect(("127.0.0.1", tcp)).is_ok()
        });
        Setup {
            site,
            engine,
            tcp,
            udp,
        }
    }

    /// Waits for the message whose text contains `text`.
    fn until(&mut self, text: &str) -> Message {
        let path = self.site.path("all.heka");
        let is_it = |m: &Message| {
            let payload = m.payload.as_deref().unwrap_or_default();
            String::from_utf8_lossy(payload).contains(text)
        };
        let mut found = None;
        self.engine.until(text, || {
            found = messages(&path).into_iter().find(is_it);
            found.is_some()
        });
        let found = found.expect("it was waited for");
        assert_ne!(found.type_.as_deref(), Some(&b"error.decode"[..]), "{text}");
        found
    }
}

fn logger(port: u16, arguments: &[&str], text: &str) {
    let port = port.to_string();
    let status = Command::new("logger")
        .args([
            "-n",
            "127.0.0.1",
            "-P",
            &port,
            "-t",
            "app",
            "-p",
            "daemon.warning",
        ])
        .args(arguments)
        .arg(text)
        .status();
    let status = status.expect("logger is installed: .ci/needs");
    assert!(status.success(), "{arguments:?}");
}

#[test]
fn logger_is_understood_in_all_its_forms() {
    let mut setup = Setup::new();
    let (tcp, udp) = (setup.tcp, setup.udp);
    for (port, form) in [
        (tcp, vec!["-T", "--rfc3164"]),
        (tcp, vec!["-T", "--rfc5424"]),
        (tcp, vec!["-T", "--rfc5424", "--octet-count"]),
        (tcp, vec!["-T", "--rfc3164", "--octet-count"]),
        (udp, vec!["-d", "--rfc3164"]),
        (udp, vec!["-d", "--rfc5424", "--msgid", "ID7"]),
    ] {
        let text = format!("text of {} é", form.join(" "));
        logger(port, &form, &text);
        let found = setup.until(&text);
        assert_eq!(found.payload.as_deref(), Some(text.as_bytes()));
        assert_eq!(found.severity, Some(4));
        let program = field_text(&found, "programname");
        assert_eq!(program.as_deref(), Some("app"), "{form:?}");
        let msgid = form.contains(&"--msgid").then_some("ID7");
        assert_eq!(field_text(&found, "msgid").as_deref(), msgid);
        assert!(found.hostname.is_some());
    }
    setup.engine.stop();
}

/// A running rsyslogd; it ends with the value.
struct Rsyslog(Child);

impl Drop for Rsyslog {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn rsyslog_forwards_in_both_framings() {
    let mut setup = Setup::new();
    let port = free_port();
    let action = |framing: &str, template: &str| {
        format!(
            "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{}\" protocol=\"tcp\" TCP_Framing=\"{framing}\" \
             template=\"{template}\")\n",
            setup.tcp
        )
    };
    let conf = format!(
        "module(load=\"imudp\")\ninput(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         template(name=\"old\" type=\"string\" string=\"<%PRI%>%TIMESTAMP% %HOSTNAME% %syslogtag%old %msg%\")\n{}{}",
        action("traditional", "old"),
        action("octet-counted", "RSYSLOG_SyslogProtocol23Format"),
    );
    let conf = setup.site.write("rsyslog.conf", conf);
    let pid = setup.site.path("rsyslog.pid");
    let child = Command::new("rsyslogd")
        .args(["-n", "-C", "-f"])
        .arg(&conf)
        .arg("-i")
        .arg(&pid)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _rsyslog = Rsyslog(child.expect("rsyslogd is installed: .ci/needs"));
    // Datagrams before it listens vanish.
    let path = setup.site.path("all.heka");
    setup.engine.until("rsyslog forwards", || {
        logger(port, &["-d", "--rfc3164"], "forwarded");
        messages(&path).len() >= 2
    });
    let old = setup.until("old ");
    assert_eq!(field_text(&old, "programname").as_deref(), Some("app"));
    assert_eq!(old.severity, Some(4));
    let is_new = |m: &Message| {
        let payload = m.payload.as_deref().unwrap_or_default();
        payload.trim_ascii() == b"forwarded"
    };
    setup.engine.until("the new format", || {
        messages(&path)
            .iter()
            .any(|m| is_new(m) && m.severity == Some(4))
    });
    let failures = messages(&path);
    let failures = failures
        .iter()
        .filter(|m| m.type_.as_deref() == Some(b"error.decode"));
    assert_eq!(failures.count(), 0);
    setup.engine.stop();
}
