//! The destinations, each with what it takes to look into it and to break it.

use std::path::Path;

use e2e::kafka::Broker;
use e2e::{Site, files, payloads};
use s3server::{ACCESS_KEY, Faults, Proxy, Refusal, SECRET_KEY, Server};

use e2e::receiver::{OK, Receiver};

/// What is a secret, everywhere.
pub const SECRET: &str = SECRET_KEY;

/// What a server of HTTP says when it has troubles.
const HTTP_ERRORS: &[Refusal] = &[
    ("500 Internal Server Error", "a"),
    ("503 Service Unavailable", "b"),
    ("429 Too Many Requests", "c"),
    ("401 Unauthorized", "d"),
    ("403 Forbidden", "e"),
];

/// A destination under test.
pub trait Target {
    /// The plugin that delivers to it.
    fn plugin(&self) -> &'static str;
    /// The plugin's configuration.
    fn cfg(&self, site: &Site) -> String;
    /// The network before it.
    fn faults(&self) -> Option<&Faults> {
        None
    }
    /// Lets the credentials expire, or renews them.
    fn expire(&self, _: &Site, _is_expired: bool) {}
    /// Keeps what the end of an engine would otherwise take away.
    fn harvest(&mut self, _: &Site) {}
    /// Whether nothing is left to be delivered.
    fn is_done(&self, _: &Site) -> bool {
        true
    }
    /// The payloads of all messages that have arrived.
    fn received(&self) -> Vec<String>;
    /// Whether none may have arrived twice.
    fn is_exact(&self) -> bool;
}

fn payloads_below(folder: &Path) -> Vec<String> {
    files(folder)
        .iter()
        .flat_map(|path| payloads(path))
        .collect()
}

fn landfill(site: &Site, store: &str) -> String {
    format!(
        "batch_dir = \"{}\"\nlandfill_name = \"in\"\nsync_every = 0\nroll_size = 100000\nstore = \"{store}\"",
        site.path("batch").display()
    )
}

/// A folder, by way of a spool.
pub struct Directory(tempfile::TempDir);

impl Directory {
    pub fn new() -> Directory {
        Directory(tempfile::tempdir().expect("a folder"))
    }
}

impl Target for Directory {
    fn plugin(&self) -> &'static str {
        "output/landfill.lua"
    }

    fn cfg(&self, site: &Site) -> String {
        landfill(site, &self.0.path().display().to_string())
    }

    fn is_done(&self, site: &Site) -> bool {
        files(&site.path("batch")).is_empty()
    }

    fn received(&self) -> Vec<String> {
        payloads_below(self.0.path())
    }

    fn is_exact(&self) -> bool {
        true
    }
}

/// A bucket, by way of a spool, behind a bad network.
pub struct S3 {
    folder: tempfile::TempDir,
    proxy: Proxy,
    _server: Server,
}

impl S3 {
    pub fn new() -> S3 {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("lake")).expect("made");
        let server = Server::start(folder.path(), 0).expect("it listens");
        S3 {
            proxy: Proxy::start(server.address(), 41).expect("it listens"),
            folder,
            _server: server,
        }
    }
}

impl Target for S3 {
    fn plugin(&self) -> &'static str {
        "output/landfill.lua"
    }

    fn cfg(&self, site: &Site) -> String {
        format!(
            "{}\nstore_options = {{ endpoint = 'http://{}', credentials = 'file:{}', retry_ms = 5, retry_max_ms = 200, timeout = 5 }}",
            landfill(site, "s3://lake/x"),
            self.proxy.address(),
            site.path("keys").display()
        )
    }

    fn faults(&self) -> Option<&Faults> {
        Some(&self.proxy.faults)
    }

    fn expire(&self, site: &Site, is_expired: bool) {
        let id = if is_expired { "expired" } else { ACCESS_KEY };
        let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = {SECRET_KEY}\n");
        site.write("keys", keys);
    }

    fn is_done(&self, site: &Site) -> bool {
        files(&site.path("batch")).is_empty()
    }

    fn received(&self) -> Vec<String> {
        payloads_below(&self.folder.path().join("lake"))
    }

    fn is_exact(&self) -> bool {
        true
    }
}

/// A server of HTTP that leaves out keys it has seen, behind a bad network.
pub struct Http {
    receiver: Receiver,
    proxy: Proxy,
}

impl Http {
    pub fn new() -> Http {
        let receiver = Receiver::start(|request, _| {
            match request.header("authorization") == Some(&format!("bearer {SECRET}")) {
                true => OK,
                false => "403 Forbidden\r\n",
            }
        });
        Http {
            proxy: Proxy::with_errors(receiver.address, 42, HTTP_ERRORS).expect("it listens"),
            receiver,
        }
    }
}

impl Target for Http {
    fn plugin(&self) -> &'static str {
        "output/http.lua"
    }

    fn cfg(&self, site: &Site) -> String {
        format!(
            "async_buffer_size = 20000\nurl = 'http://{}/submit?q=1'\nencoder_module = 'encoders.lines'\n\
             options = {{ token = 'file:{}', retry_ms = 5, retry_max_ms = 100, timeout = 5, batch_count = 100 }}",
            self.proxy.address(),
            site.path("token").display()
        )
    }

    fn faults(&self) -> Option<&Faults> {
        Some(&self.proxy.faults)
    }

    fn expire(&self, site: &Site, is_expired: bool) {
        site.write("token", if is_expired { "expired" } else { SECRET });
    }

    fn received(&self) -> Vec<String> {
        self.receiver.look(|seen| {
            let bodies = seen
                .taken
                .values()
                .map(|body| String::from_utf8_lossy(body));
            bodies
                .flat_map(|body| body.lines().map(str::to_owned).collect::<Vec<_>>())
                .collect()
        })
    }

    fn is_exact(&self) -> bool {
        true
    }
}

/// The standard output, which goes to a file.
#[derive(Default)]
pub struct Stdout(Vec<String>);

impl Target for Stdout {
    fn plugin(&self) -> &'static str {
        "output/stdout.lua"
    }

    fn cfg(&self, _: &Site) -> String {
        "async_buffer_size = 20000\nencoder_module = 'encoders.lines'\n\
         options = { batch_count = 100, retry_ms = 5, retry_max_ms = 100, bytes_per_second = 100000 }"
            .into()
    }

    fn harvest(&mut self, site: &Site) {
        let text = site.read("stdout");
        // A line that a kill tore apart comes again.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        self.0.extend(whole.lines().map(str::to_owned));
        site.write("stdout", "");
    }

    fn received(&self) -> Vec<String> {
        self.0.clone()
    }

    fn is_exact(&self) -> bool {
        false
    }
}

/// A topic of Kafka, behind a bad network.
pub struct Kafka {
    broker: Broker,
    proxy: Proxy,
}

impl Kafka {
    pub fn new() -> Kafka {
        let mut proxy = None;
        let broker = Broker::behind(|port| {
            let made = Proxy::with_errors(([127, 0, 0, 1], port).into(), 43, &[]);
            proxy.insert(made.expect("it listens")).address().port()
        });
        Kafka {
            broker,
            proxy: proxy.expect("the broker has asked for it"),
        }
    }
}

impl Target for Kafka {
    fn plugin(&self) -> &'static str {
        "output/kafka.lua"
    }

    fn cfg(&self, _: &Site) -> String {
        format!(
            "async_buffer_size = 20000\nbrokerlist = '{}'\ntopic_constant = 'numbers'\nencoder_module = 'encoders.payload'\n\
             producer_conf = {{ ['queue.buffering.max.messages'] = 2000, ['reconnect.backoff.max.ms'] = 100, \
             ['retry.backoff.ms'] = 10, ['socket.timeout.ms'] = 2000 }}",
            self.broker.address()
        )
    }

    fn faults(&self) -> Option<&Faults> {
        Some(&self.proxy.faults)
    }

    fn received(&self) -> Vec<String> {
        self.proxy.faults.set_one_in(0);
        let values = self.broker.everything("numbers");
        let text = |value: Vec<u8>| String::from_utf8(value).expect("a number");
        values.into_iter().map(text).collect()
    }

    fn is_exact(&self) -> bool {
        false
    }
}
