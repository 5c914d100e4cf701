//! `input/http_edge.lua` with real sockets: what is taken, what is refused and how, crashes, floods, and the graceful end.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use e2e::http::{Answer, Client};
use e2e::{Engine, Site, field_text, free_port, messages, program};
use rustix::process::{Resource, Rlimit, Signal};
use schemas::message::{FieldValue, Message};

struct Setup {
    site: Site,
    engine: Engine,
    port: u16,
}

const PATH: &str =
    "/submit/telemetry/8b2d7b1e-5a5d-4b7a-9a5e-000000000001/main/Firefox/61.0/release/20180101";

fn site(port: u16, cfg: &str) -> Site {
    let cfg = format!("instruction_limit = 0\nport = {port}\n{cfg}");
    Site::new()
        .set("max_message_size", "8388608")
        .ours("input/http_edge.lua", "edge", &cfg)
        .collect("all", "TRUE")
}

impl Setup {
    fn new(cfg: &str) -> Setup {
        let port = free_port();
        Setup::of(site(port, cfg), port)
    }

    fn of(site: Site, port: u16) -> Setup {
        let engine = site.start();
        let mut setup = Setup { site, engine, port };
        setup.connect();
        setup
    }

    fn connect(&mut self) -> Client {
        let (port, mut client) = (self.port, None);
        self.engine.until("the edge listens", || {
            client = Client::connect(port);
            client.is_some()
        });
        client.expect("it was waited for")
    }

    /// Sends a whole request on a new connection.
    fn ask(&mut self, request: &str) -> Answer {
        let mut client = self.connect();
        client.send(request.as_bytes());
        client
            .answer()
            .unwrap_or_else(|| panic!("no answer to {request}"))
    }

    fn status(&mut self, request: &str) -> u16 {
        self.ask(request).status
    }
}

fn post(path: &str, body: &str) -> String {
    let n = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {n}\r\n\r\n{body}")
}

#[test]
fn a_submission_becomes_one_message() {
    let mut setup = Setup::new("type = 'raw'");
    let mut client = setup.connect();
    let headers = "user-agent: Mozilla/5.0\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n\
                   DNT: 1\r\nCookie: secret\r\n";
    let path = format!("{PATH}%20x?v=4&a=%41");
    // Two on one connection: the second with PUT, an empty body and nothing kept but its length.
    let answer = client
        .post(&path, headers, b"\x00\xffbody")
        .expect("an answer");
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    client.send(format!("PUT {PATH} HTTP/1.0\r\nContent-Length: 0\r\n\r\n").as_bytes());
    assert_eq!(client.answer().expect("an answer").status, 200);
    let heka = setup.site.path("all.heka");
    setup
        .engine
        .until("both messages", || messages(&heka).len() == 2);
    let all = messages(&heka);
    let first = &all[0];
    let text = |name| field_text(first, name);
    assert_eq!(first.type_.as_deref(), Some(&b"raw"[..]));
    assert_eq!(first.logger.as_deref(), Some(&b"moz_ingest"[..]));
    assert_eq!(text("remote_addr").as_deref(), Some("127.0.0.1"));
    assert_eq!(text("uri"), Some(format!("{PATH} x")));
    assert_eq!(text("args").as_deref(), Some("v=4&a=%41"));
    assert_eq!(text("protocol").as_deref(), Some("HTTP/1.1"));
    assert_eq!(text("User-Agent").as_deref(), Some("Mozilla/5.0"));
    assert_eq!(text("X-Forwarded-For").as_deref(), Some("1.1.1.1, 2.2.2.2"));
    assert_eq!(text("Cookie"), None);
    let content = first.fields.last().expect("fields");
    assert_eq!(content.name, b"content");
    assert_eq!(
        content.value,
        FieldValue::Bytes(vec![b"\x00\xffbody".to_vec()])
    );
    let second = &all[1];
    assert_eq!(field_text(second, "protocol").as_deref(), Some("HTTP/1.0"));
    assert_eq!(field_text(second, "args"), None);
    assert_ne!(first.uuid, second.uuid);
}

#[test]
fn refusals_come_in_order_with_their_status() {
    let mut setup = Setup::new(
        "max_content_size = 1000\nnamespaces = {'telemetry', 'other'}\nrequire_v4 = true",
    );
    let long = format!("/submit/telemetry/{}", "x".repeat(300));
    let big = "x".repeat(1001);
    for (request, status) in [
        ("GET /status HTTP/1.1\r\nHost: h\r\n\r\n".into(), 200),
        ("GET /__heartbeat__ HTTP/1.1\r\nHost: h\r\n\r\n".into(), 200),
        (
            "HEAD /__lbheartbeat__ HTTP/1.1\r\nHost: h\r\n\r\n".into(),
            200,
        ),
        ("GET /__version__ HTTP/1.1\r\nHost: h\r\n\r\n".into(), 200),
        (format!("GET {PATH} HTTP/1.1\r\nHost: h\r\n\r\n"), 404),
        (format!("DELETE {long} HTTP/1.1\r\nHost: h\r\n\r\n"), 405),
        (format!("POST {long} HTTP/1.1\r\nHost: h\r\n\r\n"), 411),
        (
            format!(
                "POST {long} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            411,
        ),
        (post(&long, &big), 414),
        (post("/nowhere", &big), 413),
        (post("/nowhere", "x"), 404),
        (post("/submit/telemetry", "x"), 404),
        (post("/submit/unknown/a/1/b", "x"), 404),
        (post("/submit/telemetry/%zz", "x"), 400),
        (post("/submit/telemetry/%00", "x"), 400),
        (post("/submit/telemetry/a b", "x"), 400),
        (post(PATH, "x"), 400),
        (post(&format!("{PATH}?v=4"), "x"), 200),
        (post("/submit/other/a/1/b", "x"), 200),
        ("nonsense\r\n\r\n".into(), 400),
        (
            format!("POST {PATH}?v=4 HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"),
            400,
        ),
    ] {
        assert_eq!(setup.status(&request), status, "{request}");
    }
    let version = setup.ask("GET /__version__ HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(
        version.body.starts_with("{\"name\":\"foresight\""),
        "{version:?}"
    );
    let finished = setup.engine.stop();
    assert!(
        finished.log.contains("taken 2, method 1, no_length 2"),
        "{}",
        finished.log
    );
}

#[test]
fn clients_that_would_send_again_get_202() {
    let mut setup = Setup::new("max_content_size = 10\naccept_too_long = true");
    assert_eq!(setup.status(&post("/submit/a/b/1/c", &"x".repeat(11))), 202);
    assert_eq!(
        setup.status(&post(&format!("/submit/{}", "x".repeat(300)), "x")),
        202
    );
}

#[test]
fn listeners_have_settings_of_their_own() {
    let (a, b) = (free_port(), free_port());
    let cfg = format!(
        "max_content_size = 5\nlisteners = {{ {{port = {a}, type = 'a'}}, {{port = {b}, type = 'b', max_content_size = 50}} }}"
    );
    let mut setup = Setup::of(site(a, &cfg), a);
    assert_eq!(setup.status(&post(PATH, "123456")), 413);
    assert_eq!(setup.status(&post(PATH, "1")), 200);
    setup.port = b;
    assert_eq!(setup.status(&post(PATH, "123456")), 200);
    let heka = setup.site.path("all.heka");
    setup
        .engine
        .until("two messages", || messages(&heka).len() == 2);
    let types: Vec<_> = messages(&heka)
        .into_iter()
        .filter_map(|m| m.type_)
        .collect();
    assert_eq!(types, [b"a".to_vec(), b"b".to_vec()]);
}

#[test]
fn wrong_settings_are_named() {
    for (cfg, expected) in [
        (
            "max_uri_size = 'x'",
            "listener 1.max_uri_size must be a whole number from 16 to 65534, found 'x'",
        ),
        (
            "address = 'localhost'",
            "listener 1.address must be an IP address, found 'localhost'",
        ),
        (
            "listeners = {{prot = 1}}",
            "listener 1.prot is no setting; there are address, port",
        ),
        (
            "max_content_size = 1073741824",
            "set max_message_size, now 8388608",
        ),
        (
            "tls_key = 'k'",
            "listener 1.tls_certificate is missing beside tls_key",
        ),
        (
            "tee = {{url = 'ftp://x'}}",
            "listener 1.tee[1].url must be http://host:port",
        ),
        (
            "namespaces_path = '/nowhere'",
            "listener 1.namespaces_path cannot be read",
        ),
    ] {
        let site = site(free_port(), cfg);
        let mut engine = site.start();
        engine.until("the reason is written down", || {
            site.exists("run/input/edge.err")
        });
        let reason = site.read("run/input/edge.err");
        assert!(reason.contains(expected), "{cfg}: {reason}");
    }
}

#[test]
fn too_many_are_told_to_wait() {
    let mut setup =
        Setup::new("client_rate_limit = 1\nclient_rate_burst = 3\nclient_ip_from = 'forwarded'");
    let mut client = setup.connect();
    let mut ask = |from: &str| {
        let header = format!("X-Forwarded-For: 9.9.9.9, {from}\r\n");
        client.post(PATH, &header, b"x").expect("an answer")
    };
    let statuses: Vec<u16> = (0..5).map(|_| ask("1.2.3.4").status).collect();
    assert_eq!(statuses[..3], [200; 3]);
    assert!(statuses[3..].contains(&429), "{statuses:?}");
    assert_eq!(ask("1.2.3.5").status, 200);
    assert!((0..9).any(|_| ask("1.2.3.4").head.contains("retry-after: 1")));
}

#[test]
fn slow_clients_are_let_go() {
    let mut setup = Setup::new("header_timeout = 1\nbody_timeout = 1");
    let mut idle = setup.connect();
    let mut head = setup.connect();
    head.send(b"POST /submit/a/b HTTP/1.1\r\nHost: ");
    let mut body = setup.connect();
    body.send(b"POST /submit/a/b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12");
    assert_eq!(body.answer().expect("an answer").status, 408);
    assert!(idle.is_closed());
    // hyper may tell a client that was in the middle of its head.
    assert!(head.answer().is_none_or(|answer| answer.status == 408));
    assert_eq!(setup.status(&post("/submit/a/b", "x")), 200);
}

#[test]
fn floods_of_headers_and_garbage_do_no_harm() {
    let mut setup = Setup::new("max_headers = 20");
    let many = "X-A: b\r\n".repeat(30);
    let request = format!("POST {PATH} HTTP/1.1\r\nHost: h\r\n{many}Content-Length: 0\r\n\r\n");
    assert_eq!(setup.status(&request), 431);
    let mut client = setup.connect();
    client.send(b"POST /submit/a/b HTTP/1.1\r\nHost: h\r\nX: ");
    while client.send(&[b'a'; 4096]) {}
    let mut client = setup.connect();
    client.send(&[0xff; 1000]);
    assert!(client.answer().is_none_or(|answer| answer.status == 400));
    // The body breaks off.
    let mut client = setup.connect();
    client.send(b"POST /submit/a/b HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n12");
    drop(client);
    assert_eq!(setup.status(&post(PATH, "last")), 200);
    let heka = setup.site.path("all.heka");
    setup
        .engine
        .until("only the whole one", || messages(&heka).len() == 1);
}

#[test]
fn what_was_answered_by_200_survives_kill_9() {
    let port = free_port();
    let mut setup = Setup::of(site(port, ""), port);
    let mut acknowledged = 0;
    for round in 0..3 {
        let mut threads = Vec::new();
        for thread in 0..8 {
            let mut client = setup.connect();
            threads.push(std::thread::spawn(move || {
                let mut n = 0;
                loop {
                    let body = format!("{round} {thread} {n}");
                    match client.post(PATH, "", body.as_bytes()) {
                        Some(answer) if answer.status == 200 => n += 1,
                        _ => return n,
                    }
                }
            }));
        }
        std::thread::sleep(Duration::from_millis(300));
        setup.engine.kill();
        acknowledged += threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum::<usize>();
        setup.engine = setup.site.start();
        setup.connect();
    }
    assert!(acknowledged > 0);
    let heka = setup.site.path("all.heka");
    let bodies = || {
        let content = |message: Message| match message.fields.into_iter().next_back()?.value {
            FieldValue::Bytes(values) => values.into_iter().next(),
            _ => None,
        };
        let all: BTreeSet<_> = messages(&heka).into_iter().filter_map(content).collect();
        all.len()
    };
    setup
        .engine
        .until("all acknowledged submissions", || bodies() >= acknowledged);
    assert!(
        bodies() <= acknowledged + 3 * 8,
        "one may be under way per client and crash"
    );
}

/// Starts the engine where its queues lie on a file system of 12 MiB of its own, a third of it taken by a file.
fn start_on_small_disk(site: &Site) -> Engine {
    site.write("output/.keep", "");
    let user = if rustix::process::geteuid().is_root() {
        ""
    } else {
        "--user --map-root-user "
    };
    let script = format!(
        "exec unshare {user}--mount sh -ec 'mount -t tmpfs -o size=12m none output; \
         head -c 4194304 /dev/zero > output/ballast; exec \"$0\" run hindsight.cfg --log-level 7' \"$0\""
    );
    let program = program::path().to_string_lossy().into_owned();
    site.start_with("sh", &["-c", &script, &program])
}

#[test]
fn a_full_disk_refuses_and_loses_no_200() {
    const BODY: usize = 50_000;
    let port = free_port();
    let site = site(port, "commit_timeout = 2");
    let engine = start_on_small_disk(&site);
    let mut setup = Setup { site, engine, port };
    setup.connect();
    let mut client = None;
    let mut n_asked = 0;
    let mut post = |setup: &mut Setup| {
        n_asked += 1;
        let body = format!("{n_asked:0BODY$}");
        let mut one = client.take().unwrap_or_else(|| setup.connect());
        let answer = one.post(PATH, "", body.as_bytes());
        let status = answer.map(|answer| answer.status);
        // After a refusal the connection may be closed.
        client = (status == Some(200)).then_some(one);
        (n_asked, status)
    };
    let mut acknowledged = BTreeSet::new();
    let refused = loop {
        match post(&mut setup) {
            (n, Some(200)) => acknowledged.insert(n),
            (_, refused) => break refused,
        };
        assert!(acknowledged.len() * BODY < 12 << 20, "the disk is full");
    };
    assert_eq!(refused, Some(503));
    assert!(!acknowledged.is_empty());

    // There is room again, and nobody restarts anything.
    let ballast = format!(
        "/proc/{}/root{}",
        setup.engine.pid(),
        setup.site.path("output/ballast").display()
    );
    std::fs::remove_file(ballast).expect("the file system of the engine is seen");
    let mut status = None;
    while status != Some(200) {
        let (n, answer) = post(&mut setup);
        status = answer;
        if status == Some(200) {
            acknowledged.insert(n);
        }
    }
    let heka = setup.site.path("all.heka");
    let delivered = || {
        let number = |message: Message| match message.fields.into_iter().next_back()?.value {
            FieldValue::Bytes(values) => String::from_utf8_lossy(&values[0]).parse::<usize>().ok(),
            _ => None,
        };
        let all: BTreeSet<_> = messages(&heka).into_iter().filter_map(number).collect();
        all
    };
    setup.engine.until("all that was answered by 200", || {
        acknowledged.is_subset(&delivered())
    });
    setup.engine.stop();
}

#[test]
fn a_stop_lets_submissions_under_way_end() {
    let mut setup = Setup::new("");
    let mut client = setup.connect();
    client
        .send(format!("POST {PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo").as_bytes());
    std::thread::sleep(Duration::from_millis(200));
    setup.engine.signal(Signal::TERM);
    setup.engine.until("nobody listens any more", || {
        Client::connect(setup.port).is_none()
    });
    client.send(b"dy");
    let answer = client.answer().expect("an answer");
    assert_eq!(answer.status, 200);
    setup.engine.wait().expect(0);
    setup.engine = setup.site.start();
    let heka = setup.site.path("all.heka");
    setup
        .engine
        .until("the message that was answered last", || {
            messages(&heka).len() == 1
        });
}

#[test]
fn the_tee_mirrors_and_a_backend_that_is_waited_for_counts() {
    let (front, back) = (free_port(), free_port());
    let mut behind = Setup::of(site(back, "type = 'mirrored'"), back);
    let mut setup = Setup::of(
        site(
            front,
            &format!("tee = {{ {{url = 'http://127.0.0.1:{back}', wait = true}} }}"),
        ),
        front,
    );
    assert_eq!(setup.status(&post(&format!("{PATH}?v=4"), "body")), 200);
    let heka = behind.site.path("all.heka");
    behind
        .engine
        .until("the mirrored one", || messages(&heka).len() == 1);
    let mirrored = &messages(&heka)[0];
    assert_eq!(field_text(mirrored, "args").as_deref(), Some("v=4"));
    assert!(field_text(mirrored, "X-Pipeline-Proxy").is_some());
    behind.engine.stop().expect(0);
    assert_eq!(setup.status(&post(PATH, "body")), 502);
}

#[test]
fn tls_is_spoken_with_the_certificate_of_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args([
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .expect("openssl is there: install the package openssl");
    assert!(made.status.success(), "{made:?}");
    let cfg = format!(
        "tls_certificate = '{}'\ntls_key = '{}'",
        cert.display(),
        key.display()
    );
    let mut setup = Setup::new(&cfg);
    let url = format!("https://127.0.0.1:{}{PATH}", setup.port);
    let posted = Command::new("curl")
        .args([
            "-sS",
            "--max-time",
            "60",
            "--data-binary",
            "over TLS",
            "--cacert",
        ])
        .arg(&cert)
        .arg(url)
        .output()
        .expect("curl is there: install the package curl");
    assert_eq!(String::from_utf8_lossy(&posted.stdout), "OK", "{posted:?}");
    // One that speaks no TLS is let go, and is no harm to others.
    let mut plain = setup.connect();
    plain.send(b"GET /status HTTP/1.1\r\n\r\n");
    assert_eq!(plain.answer(), None);
    let heka = setup.site.path("all.heka");
    setup
        .engine
        .until("the message", || messages(&heka).len() == 1);
}

#[test]
fn ten_thousand_idle_connections_are_held_and_others_served() {
    // Both ends of each connection are files; where the limit is lower, fewer are made.
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let _as_it_is = rustix::process::setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    let allowed = rustix::process::getrlimit(Resource::Nofile)
        .current
        .unwrap_or(u64::MAX);
    let n = allowed.saturating_sub(500).min(10_000) as usize;
    let mut setup = Setup::new("header_timeout = 600");
    let idle: Vec<_> = (0..n)
        .map(|i| Client::connect(setup.port).unwrap_or_else(|| panic!("connection {i} of {n}")))
        .collect();
    let mut client = setup.connect();
    assert_eq!(client.post(PATH, "", b"x").expect("an answer").status, 200);
    drop(idle);
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", setup.engine.pid())).expect("it runs");
    let peak_kb: u64 = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .expect("Linux tells the peak");
    assert!(peak_kb < 40 * 10_000, "{peak_kb} kB for {n} connections");
}

#[test]
fn send_posts_files_and_lines() {
    let mut setup = Setup::new("");
    let lines = setup
        .site
        .write("lines.ndjson", "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}");
    let url = format!("http://127.0.0.1:{}/submit/test/doc/1/{{id}}", setup.port);
    let send = |more: &[&str]| {
        let mut args = vec!["send", &url, lines.to_str().expect("text")];
        args.extend(more);
        let done = Command::new(program::path())
            .args(args)
            .output()
            .expect("it runs");
        (
            done.status.code(),
            String::from_utf8_lossy(&done.stdout).into_owned(),
        )
    };
    let (code, text) = send(&[
        "--lines", "-z", "--rate", "1000", "-H", "DNT: 1", "--repeat", "2",
    ]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("6 submissions") && text.contains("200: 6"),
        "{text}"
    );
    let (code, text) = send(&[]);
    assert!(code == Some(0) && text.contains("200: 1"), "{text}");
    let heka = setup.site.path("all.heka");
    setup
        .engine
        .until("all seven", || messages(&heka).len() == 7);
    let all = messages(&heka);
    let uris: BTreeSet<_> = all
        .iter()
        .filter_map(|message| field_text(message, "uri"))
        .collect();
    assert_eq!(uris.len(), 7, "each has an id of its own");
    assert!(
        all.iter()
            .filter(|m| field_text(m, "DNT").is_some())
            .count()
            == 6
    );
    setup.engine.stop().expect(0);
    let (code, text) = send(&["--attempts", "1"]);
    assert!(code == Some(1) && text.contains("no answer: 1"), "{text}");
}

#[test]
fn the_inspector_shows_what_was_posted() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let port_text = port.to_string();
    let mut command = Command::new(program::path());
    command
        .args(["inspect", "--port", &port_text, "-H", "--save"])
        .arg(folder.path());
    let mut inspector = Engine::start(folder.path().join("log"), command);
    let mut client = None;
    inspector.until("the inspector listens", || {
        client = Client::connect(port);
        client.is_some()
    });
    let mut client = client.expect("it was waited for");
    let answer = client
        .post("/submit/x", "X-A: 1\r\n", b"{\"a\":[1]}")
        .expect("an answer");
    assert_eq!(answer.status, 200);
    let report = std::fs::read_to_string(folder.path().join("report1.json")).expect("saved");
    assert_eq!(report, "{\n  \"a\": [\n    1\n  ]\n}");
    inspector.kill();
}
