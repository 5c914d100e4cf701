//! A small HTTP client for tests: sends bytes as they are, reads one answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take before a test counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest answer that is read.
const ANSWER_MAX: u64 = 1 << 20;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Such as 200.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: String,
}

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this machine; `None` while nobody listens.
    pub fn connect(port: u16) -> Option<Client> {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a socket takes a timeout");
        Some(Client {
            stream: BufReader::new(stream),
        })
    }

    /// Sends bytes as they are; false when the other side has closed.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// Reads one answer; `None` when the connection ended before.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut head = String::new();
        loop {
            let n = self.stream.read_line(&mut head).ok()?;
            if n == 0 {
                return None;
            }
            if head.ends_with("\r\n\r\n") {
                break;
            }
        }
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let mut body = String::new();
        let mut limited = (&mut self.stream).take(ANSWER_MAX.min(length));
        limited.read_to_string(&mut body).ok()?;
        Some(Answer { status, head, body })
    }

    /// Posts a body and reads the answer.
    pub fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
        let n = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: edge\r\n{headers}Content-Length: {n}\r\n\r\n");
        self.send(head.as_bytes());
        self.send(body);
        self.answer()
    }

    /// Whether the other side closes without another byte.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte), Ok(0) | Err(_))
    }
}
