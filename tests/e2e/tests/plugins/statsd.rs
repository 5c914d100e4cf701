//! `input/statsd.lua` with the module `statsd`, over both transports, with the clients of Python and of a shell.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};

use e2e::{Engine, Site, field_number, field_text, free_port, messages};
use schemas::message::Message;

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
            .ours("input/statsd.lua", "statsd", &cfg)
            .collect("all", "Type =~ '^statsd'");
        let mut engine = site.start();
        engine.until("the plugin listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Setup { site, engine, port }
    }

    fn udp(&self, bytes: &str) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let sent = socket.send_to(bytes.as_bytes(), ("127.0.0.1", self.port));
        sent.expect("sent");
    }

    fn tcp(&self, bytes: &str) -> TcpStream {
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        client.write_all(bytes.as_bytes()).expect("sent");
        client
    }

    /// Stops the engine, and starts it again so that the output delivers what the stop has left in the queue.
    fn stop(self) -> Site {
        let Setup { site, engine, .. } = self;
        engine.stop().expect(0);
        let mut engine = site.start();
        engine.until("the last series of a flush", || {
            ["bad_lines_seen", "packets_received", "keys_dropped"]
                .iter()
                .all(|own| !series(&site, "counter", &format!("statsd.{own}")).is_empty())
        });
        engine.stop().expect(0);
        site
    }
}

/// The messages of a series.
fn series(site: &Site, kind: &str, name: &str) -> Vec<Message> {
    let is_it = |message: &Message| {
        message.type_.as_deref() == Some(format!("statsd.{kind}").as_bytes())
            && field_text(message, "name").as_deref() == Some(name)
    };
    let mut found = messages(&site.path("all.heka"));
    found.retain(is_it);
    found
}

fn sum(site: &Site, kind: &str, name: &str, field: &str) -> f64 {
    let found = series(site, kind, name);
    found.iter().filter_map(|m| field_number(m, field)).sum()
}

#[test]
fn what_came_since_the_last_flush_is_there_after_a_stop() {
    let setup = Setup::new("flush_interval = 3600");
    setup.udp("hits:1|c\nhits:2|c|@0.5\nbroken");
    setup.udp("load:0.5|g\ntime:10|ms\ntime:30|ms");
    let whole = setup.tcp("hits:10|c\nhits:100|c\nusers:ann|s\n");
    let open = setup.tcp("hits:1000|c");
    let site = setup.stop();
    drop((whole, open));
    assert_eq!(sum(&site, "counter", "hits", "count"), 1115.0);
    assert_eq!(sum(&site, "counter", "statsd.bad_lines_seen", "count"), 1.0);
    assert_eq!(sum(&site, "gauge", "load", "value"), 0.5);
    assert_eq!(sum(&site, "timer", "time", "mean"), 20.0);
    assert_eq!(sum(&site, "timer", "time", "upper_90"), 30.0);
    assert_eq!(sum(&site, "set", "users", "count"), 1.0);
}

#[test]
fn every_flush_tells_what_came_since_the_last() {
    let mut setup = Setup::new("flush_interval = 1\npreserve_data = true");
    setup.udp("hits:5|c|#env:prod\nload:7|g");
    let all = setup.site.path("all.heka");
    let is_load = |m: &Message| field_text(m, "name").as_deref() == Some("load");
    setup.engine.until("the gauge again", || {
        messages(&all).iter().filter(|m| is_load(m)).count() >= 2
    });
    assert_eq!(sum(&setup.site, "counter", "hits", "count"), 5.0);
    let hits = &series(&setup.site, "counter", "hits")[0];
    assert_eq!(field_text(hits, "tag.env").as_deref(), Some("prod"));
    let rate = field_number(hits, "rate").expect("a rate");
    assert!(rate > 0.0 && rate <= 5.0, "{rate}");
    // The gauge is known after a restart.
    let Setup { site, engine, port } = setup;
    engine.stop().expect(0);
    let mut engine = site.start();
    engine.until("the plugin listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let mut setup = Setup { site, engine, port };
    setup.udp("load:+1|g");
    setup.engine.until("the changed gauge", || {
        let found = messages(&all);
        let loads = found.iter().filter(|m| is_load(m));
        loads
            .filter_map(|m| field_number(m, "value"))
            .any(|value| value == 8.0)
    });
    setup.engine.stop().expect(0);
}

#[test]
fn clients_of_others_are_understood() {
    let setup = Setup::new("flush_interval = 3600\npercentiles = { 50 }");
    let script = format!(
        "import statsd\n\
         for make in (statsd.StatsClient, statsd.TCPStatsClient):\n\
         \x20   c = make('127.0.0.1', {}, prefix='app')\n\
         \x20   c.incr('hits'); c.incr('hits', 4); c.decr('hits', 2)\n\
         \x20   c.gauge('depth', 12); c.gauge('depth', -2, delta=True)\n\
         \x20   c.timing('query', 320); c.set('users', 'ann')\n\
         \x20   with c.pipeline() as p:\n\
         \x20       p.incr('piped'); p.timing('query', 80)\n\
         \x20   if make is statsd.TCPStatsClient: c.close()\n",
        setup.port
    );
    let status = std::process::Command::new("/usr/bin/python3")
        .args(["-c", &script])
        .status();
    let status = status.expect("python3 is installed: .ci/needs");
    assert!(status.success(), "python3-statsd is installed: .ci/needs");
    let shell = format!("echo -n 'shell:1|c' > /dev/udp/127.0.0.1/{}", setup.port);
    let status = std::process::Command::new("bash")
        .args(["-c", &shell])
        .status();
    assert!(status.expect("bash is there").success());
    let site = setup.stop();
    assert_eq!(sum(&site, "counter", "app.hits", "count"), 6.0);
    assert_eq!(sum(&site, "counter", "app.piped", "count"), 2.0);
    assert_eq!(sum(&site, "gauge", "app.depth", "value"), 10.0);
    assert_eq!(sum(&site, "set", "app.users", "count"), 1.0);
    assert_eq!(sum(&site, "timer", "app.query", "sum"), 800.0);
    assert_eq!(sum(&site, "timer", "app.query", "upper_50"), 80.0);
    assert_eq!(sum(&site, "counter", "shell", "count"), 1.0);
    assert_eq!(sum(&site, "counter", "statsd.bad_lines_seen", "count"), 0.0);
}
