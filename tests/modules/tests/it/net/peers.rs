//! The other side: a server whose every connection is served by a script, and certificates.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use modules::{Plugin, Setup};
use sandbox::Kind;

/// What the other side said, line by line or as the script noted it.
pub type Heard = Arc<Mutex<Vec<String>>>;

/// Serves each connection by `script`, which gets its number from 0; the port.
pub fn serve(script: impl Fn(usize, TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().flatten().enumerate() {
            script(n, stream);
        }
    });
    port
}

/// Reads a request's line and headers.
pub fn read_head(reader: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            break;
        }
    }
    head
}

/// Serves each HTTP request with the bytes that `answer` gives for its head; what was heard.
pub fn serve_http(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (u16, Heard) {
    let heard = Heard::default();
    let noted = Arc::clone(&heard);
    let port = serve(move |_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
        let mut said = read_head(&mut reader);
        let reply = answer(&said);
        said.push_str(&read_body(&said, &mut reader));
        noted.lock().expect("no panic").push(said);
        // The plugin may have gone away for a good reason.
        let _ = stream.write_all(&reply);
    });
    (port, heard)
}

fn read_body(head: &str, reader: &mut impl BufRead) -> String {
    let small = head.to_lowercase();
    let length = small.split("content-length: ").nth(1);
    if let Some(length) = length.and_then(|rest| rest.lines().next()?.parse().ok()) {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a whole body");
        return String::from_utf8_lossy(&body).into_owned();
    }
    let mut body = String::new();
    while small.contains("transfer-encoding: chunked") && !body.ends_with("0\r\n\r\n") {
        if reader.read_line(&mut body).unwrap_or(0) == 0 {
            break;
        }
    }
    body
}

/// Runs Lua code as an input plugin, with `PORT` replaced.
pub fn run(port: u16, code: &str) -> Result<Plugin, String> {
    let prelude = "require 'string'; require 'table'; local socket = require 'socket'\n";
    let code = format!("{prelude}{}", code.replace("PORT", &port.to_string()));
    Setup::new(Kind::Input).run(&code)
}

/// As [`run`], for code that must not fail.
pub fn check(port: u16, code: &str) -> Plugin {
    run(port, code).unwrap_or_else(|error| panic!("{error}"))
}
