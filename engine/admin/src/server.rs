//! The listener: connections, TLS, and the end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::access::Access;
use crate::access::audit::Audit;
use crate::access::owners::Owners;
use crate::access::users::Users;
use crate::api::App;
use crate::archive::{Archive, Keeper};
use crate::engine::Engine;
use crate::feed::Feed;
use crate::options::Options;
use crate::routes;
use crate::silences::Silences;

/// Connections at once; each page holds one for its events.
const CONNECTIONS_MAX: usize = 256;

/// Threads that serve pages; they mostly wait.
const THREADS: usize = 2;

/// The head of a request must have come by then.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// Largest head of a request, bytes: matchers stand in the address.
const HEAD_MAX: usize = 64 << 10;

/// How long to wait after the system has refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// A running server; it ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    is_tls: bool,
    /// Ended without waiting for connections that have no end by themselves.
    runtime: Option<Runtime>,
    /// Ends with this, after it has kept what is new.
    _keeper: Keeper,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// The options are not safe, a file cannot be used, or the address is taken.
    pub fn start(
        options: Options,
        feed: Arc<Feed>,
        engine: Arc<dyn Engine>,
        owners: Arc<Owners>,
    ) -> Result<Server, String> {
        options.check()?;
        let users = Users::open(options.users.as_deref())?;
        let acceptor = acceptor(&options)?;
        let options = Arc::new(options);
        let archive = Arc::new(Archive::open(
            &options.state.join("graphs"),
            options.history,
        ));
        let app = Arc::new(App {
            access: Access::new(Arc::clone(&options), users),
            owners,
            audit: Audit::new(&options.state.join("audit.log")),
            silences: Silences::open(&options.state.join("silences.json")),
            options: Arc::clone(&options),
            archive: Arc::clone(&archive),
            feed: Arc::clone(&feed),
            engine,
            hashing: Semaphore::new(1),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("admin")
            .enable_all()
            .build()
            .map_err(|error| format!("starting the threads of the web UI: {error}"))?;
        let listen = options.listen;
        let socket = runtime
            .block_on(TcpListener::bind(listen))
            .map_err(|error| format!("listening on {listen}: {error}"))?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        let is_tls = acceptor.is_some();
        let keeper = Keeper::start(archive, feed)
            .map_err(|error| format!("starting a thread of the web UI: {error}"))?;
        runtime.spawn(listen_on(socket, acceptor, routes::router(app)));
        Ok(Server {
            address,
            is_tls,
            runtime: Some(runtime),
            _keeper: keeper,
        })
    }

    /// Where it listens, as an address for browsers.
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn acceptor(options: &Options) -> Result<Option<TlsAcceptor>, String> {
    let Some((certificate, key)) = &options.tls else {
        return Ok(None);
    };
    let settings = tls::Settings {
        certificate: Some(certificate.clone()),
        key: Some(key.clone()),
        alpn: vec![b"http/1.1".to_vec()],
        ..tls::Settings::default()
    };
    let config = tls::server(&settings).map_err(|error| error.to_string())?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

async fn listen_on(socket: TcpListener, acceptor: Option<TlsAcceptor>, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let (Ok(place), Ok((stream, peer))) = (place, socket.accept().await) else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let _it_is_only_slower = stream.set_nodelay(true);
        let peer = Peer(peer.ip().to_canonical());
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let _place = place;
            match acceptor {
                None => speak(stream, router, peer).await,
                Some(acceptor) => {
                    let handshake = tokio::time::timeout(HEADER_TIME, acceptor.accept(stream));
                    if let Ok(Ok(stream)) = handshake.await {
                        speak(stream, router, peer).await;
                    }
                }
            }
        });
    }
}

/// Speaks HTTP until the connection ends.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    peer: Peer,
) {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEAD_MAX);
    // Whoever breaks off has seen enough.
    let _ended = http.serve_connection(TokioIo::new(stream), service).await;
}
