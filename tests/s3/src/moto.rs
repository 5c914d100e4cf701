//! moto, a server of S3 in Python that others wrote, with the bucket `lake`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{ACCESS_KEY, SECRET_KEY};

/// Nothing takes this long but a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often it is asked whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running server; it is killed with the value.
pub struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Moto {
    /// A server on a free port of the loopback, with an empty bucket.
    ///
    /// # Panics
    /// When there is no Python, or no moto.
    pub fn start() -> Moto {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let address = listener.local_addr().expect("it has one");
        drop(listener);
        let port = address.port().to_string();
        let mut command = Command::new("python3");
        command
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port])
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = started.expect("python3 is there; `sh .ci/needs` installs what is missing");
        let mut moto = Moto { child, address };
        let until = Instant::now() + DEADLINE;
        while !moto.ask("PUT", "/lake").starts_with("HTTP/1.1 200") {
            let ended = moto.child.try_wait().expect("a child can be waited for");
            assert!(
                ended.is_none(),
                "moto has ended; `sh .ci/needs` installs it"
            );
            assert!(Instant::now() < until, "moto does not answer");
            std::thread::sleep(LOOK_EVERY);
        }
        moto
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The answer to a request of our own, which moto takes unsigned; empty if there is none.
    pub fn ask(&self, method: &str, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return String::new();
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: AWS4-HMAC-SHA256 Credential=x/20261124/us-east-1/s3/aws4_request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let mut answer = String::new();
        let asked = stream
            .write_all(request.as_bytes())
            .and_then(|()| stream.read_to_string(&mut answer));
        asked.map(|_| answer).unwrap_or_default()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Fails only when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
