//! A bad network before a server: connections that are cut, answers that are errors, come late, or not at all.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stdx::seed::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Bytes that are passed on at once.
const BLOCK: usize = 16 * 1024;

/// The longest silence before an answer goes on; clients wait longer.
const SILENCE: Duration = Duration::from_millis(300);

/// Of the bytes of a request so many may pass before a cut.
const CUT_MAX: u64 = 200_000;

/// What a server says: a status, and S3's code for it.
pub type Refusal = (&'static str, &'static str);

/// What S3 itself would say.
pub const S3_ERRORS: &[Refusal] = &[
    ("500 Internal Server Error", "InternalError"),
    ("503 Slow Down", "SlowDown"),
    ("400 Bad Request", "ExpiredToken"),
    ("403 Forbidden", "InvalidAccessKeyId"),
];

/// What goes wrong.
#[derive(Debug)]
pub struct Faults {
    /// What the proxy says instead of the server; nothing for protocols that are not HTTP.
    errors: &'static [Refusal],
    /// One connection in so many has a fault; 0 for none.
    one_in: AtomicU64,
    /// Whether nothing gets through at all.
    is_down: AtomicBool,
    n_faults: AtomicU64,
    random: Mutex<Random>,
}

impl Faults {
    /// One connection in so many has a fault from now on; 0 for none.
    pub fn set_one_in(&self, n: u64) {
        self.one_in.store(n, Ordering::Relaxed);
    }

    /// Cuts the network, or mends it.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// How many faults there were.
    pub fn count(&self) -> u64 {
        self.n_faults.load(Ordering::Relaxed)
    }

    fn below(&self, limit: u64) -> u64 {
        self.random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .below(limit)
    }

    fn pick(&self) -> Fault {
        let one_in = self.one_in.load(Ordering::Relaxed);
        if self.is_down.load(Ordering::Relaxed) {
            return Fault::Cut(0);
        }
        if one_in == 0 || self.below(one_in) != 0 {
            return Fault::None;
        }
        self.n_faults.fetch_add(1, Ordering::Relaxed);
        match self.below(4) {
            0 => Fault::Cut(self.below(CUT_MAX)),
            1 if self.errors.is_empty() => Fault::Cut(0),
            1 => Fault::Error(self.errors[self.below(self.errors.len() as u64) as usize]),
            2 => Fault::LostAnswer,
            _ => Fault::Slow,
        }
    }
}

enum Fault {
    None,
    /// After so many bytes of requests.
    Cut(u64),
    /// The server never hears of it.
    Error(Refusal),
    /// The server does it, but nobody hears of that.
    LostAnswer,
    /// The answer comes after a silence.
    Slow,
}

/// A proxy with faults; it ends with the value.
pub struct Proxy {
    /// What goes wrong.
    pub faults: Arc<Faults>,
    address: SocketAddr,
    _runtime: Runtime,
}

impl Proxy {
    /// A proxy before a server of S3, on a free port, without faults yet.
    ///
    /// # Errors
    /// The system's.
    pub fn start(server: SocketAddr, seed: u64) -> io::Result<Proxy> {
        Proxy::with_errors(server, seed, S3_ERRORS)
    }

    /// A proxy before any server, with what it may say in its place.
    ///
    /// # Errors
    /// The system's.
    pub fn with_errors(
        server: SocketAddr,
        seed: u64,
        errors: &'static [Refusal],
    ) -> io::Result<Proxy> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let faults = Arc::new(Faults {
            errors,
            one_in: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            n_faults: AtomicU64::new(0),
            random: Mutex::new(Random::from_seed(seed)),
        });
        let shared = Arc::clone(&faults);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let faults = Arc::clone(&shared);
                // Whatever breaks here is a fault of the network, too.
                tokio::spawn(async move { pass(client, server, &faults).await });
            }
        });
        Ok(Proxy {
            faults,
            address,
            _runtime: runtime,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// One connection, whose fault is chosen anew for each request that is seen to begin.
async fn pass(mut client: TcpStream, server: SocketAddr, faults: &Faults) -> io::Result<()> {
    let mut upstream = TcpStream::connect(server).await?;
    let (mut request, mut answer) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut fault = Fault::None;
    let mut is_answering = true;
    loop {
        tokio::select! {
            n = client.read(&mut request) => {
                let n = n?;
                if n == 0 {
                    return Ok(());
                }
                if std::mem::replace(&mut is_answering, false) {
                    fault = faults.pick();
                }
                match &mut fault {
                    Fault::Cut(left) if (*left as usize) < n => return Ok(()),
                    Fault::Cut(left) => *left -= n as u64,
                    Fault::Error(refusal) => return refuse(&mut client, *refusal).await,
                    _ => {}
                }
                upstream.write_all(&request[..n]).await?;
            }
            n = upstream.read(&mut answer) => {
                let n = n?;
                if n == 0 {
                    return Ok(());
                }
                // An interim answer asks for the body.
                is_answering = !answer.starts_with(b"HTTP/1.1 100");
                match fault {
                    Fault::LostAnswer if is_answering => return Ok(()),
                    Fault::Slow => tokio::time::sleep(SILENCE).await,
                    _ => {}
                }
                client.write_all(&answer[..n]).await?;
            }
        }
    }
}

async fn refuse(client: &mut TcpStream, refusal: Refusal) -> io::Result<()> {
    let (status, code) = refusal;
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>a fault of the tests</Message></Error>"
    );
    let len = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(body.as_bytes()).await?;
    client.shutdown().await
}
