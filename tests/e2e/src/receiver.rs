//! A small server of HTTP, or of HTTPS, that takes what is posted, and leaves out what it has already.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Certificates;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The head, as it came, in small letters.
    pub head: String,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(found, _)| *found == name);
        found.next().map(|(_, value)| value)
    }
}

/// What is answered: a status line, and further lines of the head.
pub type Answer = &'static str;

/// Everything is well.
pub const OK: Answer = "200 OK\r\n";

/// What the receiver was sent.
#[derive(Default)]
pub struct Seen {
    /// Bodies that were taken, by the keys of their requests, or by their numbers where they have none.
    pub taken: BTreeMap<String, Vec<u8>>,
    /// How many requests came.
    pub n_requests: usize,
}

/// A receiver; its threads end with the process.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    /// A receiver that answers as `answer` says; the number of earlier requests goes along.
    pub fn start(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Receiver {
        Receiver::start_with(None, answer)
    }

    /// The same over TLS, with the leaf's certificate.
    pub fn start_tls(
        certificates: &Certificates,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Receiver {
        let settings = tls::Settings {
            certificate: Some(certificates.path("leaf.pem")),
            key: Some(certificates.path("leaf.key")),
            ..tls::Settings::default()
        };
        let config = tls::server(&settings).expect("the files are good");
        Receiver::start_with(Some(Arc::new(config)), answer)
    }

    fn start_with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shared, answer) = (seen.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, answer, tls) = (shared.clone(), answer.clone(), tls.clone());
                std::thread::spawn(move || {
                    let mut stream = secured(stream, tls);
                    while serve(&mut *stream, &shared, &*answer).is_some() {}
                });
            }
        });
        Receiver { address, seen }
    }

    /// Looks at what came.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection, plain or not.
trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

/// The handshake comes with the first bytes that are read.
fn secured(stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> Box<dyn Connection> {
    match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(config).expect("the configuration is good");
            Box::new(StreamOwned::new(connection, stream))
        }
    }
}

/// Serves one request; none when the other side has closed.
fn serve(
    stream: &mut dyn Connection,
    seen: &Mutex<Seen>,
    answer: &(dyn Fn(&Request, usize) -> Answer + Sync),
) -> Option<()> {
    let request = read(&mut BufReader::new(&mut *stream))?;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = answer(&request, seen.n_requests);
    seen.n_requests += 1;
    if answer == OK {
        let key = match request.header("idempotency-key") {
            Some(key) => key.to_owned(),
            None => seen.n_requests.to_string(),
        };
        let before = seen.taken.insert(key.clone(), request.body.clone());
        assert!(
            before.is_none_or(|before| before == request.body),
            "{key} is something else"
        );
    }
    drop(seen);
    let text = format!("HTTP/1.1 {answer}Content-Length: 2\r\n\r\nOK");
    stream.write_all(text.as_bytes()).ok()?;
    stream.flush().ok()
}

/// The client waits for each answer, so nothing of the next request is read with this one.
fn read(stream: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request {
        head: head.to_ascii_lowercase(),
        body: Vec::new(),
    };
    let len: usize = request.header("content-length")?.parse().ok()?;
    request.body.resize(len, 0);
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}
