//! A server with an engine that does nothing, and a client that speaks plain HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admin::access::owners::Owners;
use admin::alerts::Alerts;
use admin::engine::{
    Command, Deployment, Files, Listing, Queue, Refusal, Store, Trial, TrialReport,
};
use admin::snapshot::PluginState;
use admin::{Engine, Feed, Options, Role, Server, Snapshot};

/// An engine that notes what it is told.
#[derive(Default)]
pub struct Told {
    /// What it was told.
    pub told: Mutex<Vec<String>>,
}

impl Told {
    fn note(&self, text: String) {
        self.told.lock().expect("no test panics here").push(text);
    }
}

impl Engine for Told {
    fn files(&self, plugin: &str, private: bool) -> Result<Files, Refusal> {
        match plugin {
            "analysis.a" => Ok(Files {
                config: format!("private: {private}"),
                ..Files::default()
            }),
            _ => Err(Refusal::Missing("no such plugin".into())),
        }
    }

    fn command(&self, plugin: &str, command: Command) -> Result<(), Refusal> {
        self.note(format!("{command:?} {plugin}"));
        Ok(())
    }

    fn check(&self, deployment: &Deployment) -> Result<(), Refusal> {
        match deployment.config.as_str() {
            "wrong" => Err(Refusal::Wrong("wrong".into())),
            _ => Ok(()),
        }
    }

    fn deploy(&self, deployment: &Deployment) -> Result<(), Refusal> {
        let Deployment {
            name, unrestricted, ..
        } = deployment;
        self.note(format!("deploy {name} {unrestricted}"));
        Ok(())
    }

    fn trial(&self, trial: &Trial) -> Result<TrialReport, Refusal> {
        Ok(TrialReport {
            processed: trial.messages.len() as u64,
            messages: trial.messages.clone(),
            ..TrialReport::default()
        })
    }

    fn inject(&self, message: schemas::message::Message) -> Result<(), Refusal> {
        let kind = message.type_.unwrap_or_default();
        self.note(format!("inject {}", String::from_utf8_lossy(&kind)));
        Ok(())
    }

    fn stores(&self) -> Vec<Store> {
        let store = |plugin: &str, address: &str, owner: Option<&str>, is_public| Store {
            name: format!("{plugin} {address}"),
            plugin: plugin.into(),
            address: address.into(),
            owner: owner.map(str::to_owned),
            is_public,
        };
        vec![
            store("output.lake", "s3://b/", None, false),
            store("output.own", "s3://b/own/", Some("author"), false),
            store("output.public", "s3://b/public/", Some("author"), true),
        ]
    }

    fn store(&self, name: &str, path: &str, after: &str) -> Result<Listing, Refusal> {
        match name {
            "output.lake s3://b/" | "output.own s3://b/own/" => Ok(Listing {
                next: Some(format!("{path} behind {after}")),
                ..Listing::default()
            }),
            "down" => Err(Refusal::Elsewhere("no answer".into())),
            _ => Err(Refusal::Missing("no such store".into())),
        }
    }

    fn recorded(
        &self,
        _: Queue,
        _: u64,
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), Refusal> {
        visit(&message());
        Ok(())
    }
}

/// A message.
pub fn message() -> Vec<u8> {
    let mut message = schemas::message::Message::new([1; 16], 1_500_000_000_123_456_789);
    message.payload = Some(b"<script>alert(1)</script>".to_vec());
    message.to_bytes()
}

/// A running server.
pub struct Site {
    /// The directory of its files; deleted with this.
    _dir: tempfile::TempDir,
    /// What it shows.
    pub feed: Arc<Feed>,
    /// Its engine.
    pub engine: Arc<Told>,
    /// Whose plugin is whose.
    pub owners: Arc<Owners>,
    server: Server,
}

/// A password for all.
pub const PASSWORD: &str = "correct horse";

impl Site {
    /// With a user of each role, called like it.
    pub fn with_users() -> Site {
        Site::start(|options, dir| {
            let roles = [Role::Viewer, Role::Author, Role::Operator];
            let lines = roles.map(|role| admin::user_line(role.word(), role, PASSWORD));
            let text: Vec<String> = lines.map(|line| line.expect("good")).into();
            let file = dir.join("users");
            std::fs::write(&file, text.join("\n")).expect("written");
            options.users = Some(file);
        })
    }

    /// As `change` wants it.
    pub fn start(change: impl FnOnce(&mut Options, &std::path::Path)) -> Site {
        let dir = tempfile::tempdir().expect("a directory");
        let listen = "127.0.0.1:0".parse().expect("an address");
        let mut options = Options::new(listen, dir.path().into());
        change(&mut options, dir.path());
        let feed = Arc::new(Feed::new(Alerts::open(&dir.path().join("alerts.json"))));
        feed.publish(Snapshot {
            plugins: vec![PluginState {
                name: "analysis.a".into(),
                kind: "analysis",
                ..PluginState::default()
            }],
            ..Snapshot::default()
        });
        let engine = Arc::new(Told::default());
        let owners = Arc::new(Owners::open(&dir.path().join("owners.json")));
        let server = Server::start(options, feed.clone(), engine.clone(), owners.clone());
        Site {
            server: server.expect("started"),
            _dir: dir,
            feed,
            engine,
            owners,
        }
    }

    /// A client that is logged in as this user, or as nobody.
    pub fn client(&self, name: Option<&str>) -> Client {
        let mut client = Client {
            address: self.server.address(),
            cookie: String::new(),
            token: String::new(),
        };
        if let Some(name) = name {
            let body = format!("{{\"name\":\"{name}\",\"password\":\"{PASSWORD}\"}}");
            let answer = client.send("POST", "/api/v1/login", &[], &body);
            assert_eq!(answer.status, 200, "{}", answer.body);
            let cookie = answer.header("set-cookie").expect("a session");
            client.cookie = cookie.split(';').next().expect("a pair").into();
        }
        let me = client.send("GET", "/api/v1/me", &[], "").json();
        client.token = me["token"].as_str().unwrap_or_default().into();
        client
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    /// The session.
    pub cookie: String,
    /// The token against forged requests.
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    head: String,
    /// The body; of an answer without end its first part.
    pub body: String,
}

impl Answer {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Client {
    /// Asks for something.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// Changes something, with the token.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        let token = self.token.clone();
        self.send("POST", path, &[("x-foresight-token", &token)], body)
    }

    /// Sends a request and reads until the answer ends, or is an event.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let timeout = Some(Duration::from_secs(30));
        stream.set_read_timeout(timeout).expect("a timeout");
        let has = |name: &str| headers.iter().any(|(known, _)| *known == name);
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !has("host") {
            head += &format!("host: {}\r\n", self.address);
        }
        if !self.cookie.is_empty() {
            head += &format!("cookie: {}\r\n", self.cookie);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            let length = body.len();
            head += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        }
        let request = format!("{head}\r\n{body}");
        stream.write_all(request.as_bytes()).expect("sent");
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let n = stream.read(&mut piece).expect("an answer");
            bytes.extend_from_slice(&piece[..n]);
            let text = String::from_utf8_lossy(&bytes);
            let is_event = text.contains("text/event-stream") && text.contains("\n\n");
            if n == 0 || is_event {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.into(),
            body: body.into(),
        }
    }
}
