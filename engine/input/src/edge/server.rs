//! One listener: connections, requests, answers, and the graceful end.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sandbox::{InjectError, Intake, Place};
use schemas::frame::FrameBuf;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::certificates::Certificates;
use super::commit::Committer;
use super::counters::Counters;
use super::rate::Limiter;
use super::settings::Settings;
use super::submission::{self, Accepted, Origin, Refusal, Submission};
use super::tee::Tee;

/// How long to wait after the system has refused a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long to wait before asking a queue again that takes nothing.
const QUEUE_PAUSE: Duration = Duration::from_millis(5);
/// How much of a refused body is read, and how long that may take.
const DRAINED_MAX: usize = 1 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// A buffer that has grown beyond this is not kept.
const BUFFER_KEPT: usize = 1 << 20;

/// Everything the connections of one listener share.
pub struct Server {
    /// What the operator set.
    pub settings: Settings,
    /// What is the same in all messages.
    pub origin: Origin,
    /// The way into the queue.
    pub intake: Arc<dyn Intake>,
    /// Waits for the queue.
    pub committer: Arc<Committer>,
    /// Rates.
    pub limiter: Limiter,
    /// Other backends.
    pub tee: Option<Tee>,
    /// TLS.
    pub tls: Option<Certificates>,
    /// A permit for each byte of a body in memory.
    pub buffered: Semaphore,
    /// What was answered.
    pub counters: Counters,
}

type Answer = Response<Full<Bytes>>;

thread_local! {
    /// The message being built, and where its Uuid comes from; each thread has its own.
    static WORKSHOP: RefCell<(FrameBuf, ChaCha12Rng)> =
        RefCell::new((FrameBuf::new(), ChaCha12Rng::from_os_rng()));
}

/// Takes connections until `stop` becomes true, then lets the submissions under way end.
pub async fn serve(server: Arc<Server>, socket: TcpListener, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(server.settings.max_connections));
    let mut stopped = pin!(async move {
        // The sender goes away only with the plugin.
        let _gone = stop.wait_for(|stop| *stop).await;
    });
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, socket.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut stopped => break,
            next = next => next,
        };
        match (place, accepted) {
            (Ok(place), Ok((stream, peer))) => {
                let connection = connection(Arc::clone(&server), stream, peer, place);
                connection_task(connection, graceful.watcher());
            }
            _ => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(socket);
    let patience = server.settings.drain_timeout;
    let _those_left_are_cut = tokio::time::timeout(patience, graceful.shutdown()).await;
}

type Watcher = hyper_util::server::graceful::Watcher;

/// A connection whose TLS handshake is yet to come.
struct Connection {
    server: Arc<Server>,
    stream: TcpStream,
    peer: IpAddr,
    place: OwnedSemaphorePermit,
}

fn connection(
    server: Arc<Server>,
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
) -> Connection {
    // Answers are small: none should wait for more bytes to send.
    let _it_is_only_slower = stream.set_nodelay(true);
    let peer = peer.ip().to_canonical();
    Connection {
        server,
        stream,
        peer,
        place,
    }
}

fn connection_task(connection: Connection, watcher: Watcher) {
    tokio::spawn(async move {
        let Connection {
            server,
            stream,
            peer,
            place: _place,
        } = connection;
        match server.tls.as_ref().map(Certificates::acceptor) {
            None => speak(server, stream, peer, watcher).await,
            Some(acceptor) => {
                let patience = server.settings.header_timeout;
                let handshake = tokio::time::timeout(patience, acceptor.accept(stream)).await;
                if let Ok(Ok(stream)) = handshake {
                    speak(server, stream, peer, watcher).await;
                }
            }
        }
    });
}

/// Speaks HTTP until the connection ends.
async fn speak(
    server: Arc<Server>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    watcher: Watcher,
) {
    let settings = &server.settings;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_headers(settings.max_headers)
        .max_buf_size(settings.max_header_size);
    let answering = Arc::clone(&server);
    let service = service_fn(move |request| {
        let server = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(answer(&server, peer, request).await) }
    });
    let connection = http.serve_connection(TokioIo::new(stream), service);
    // A client that breaks off or speaks no HTTP has had its answer from hyper.
    let _ended = watcher.watch(connection).await;
}

async fn answer(server: &Server, peer: IpAddr, request: Request<Incoming>) -> Answer {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return look(server, request.uri().path()).await;
    }
    let (parts, mut body) = request.into_parts();
    let outcome = take(server, peer, &parts, &mut body).await;
    server.counters.count(outcome.as_ref().err().copied());
    if outcome.is_err() {
        drain(&mut body).await;
    }
    match outcome {
        Ok(()) => text(StatusCode::OK, "OK"),
        Err(refusal) => {
            let mut answer = text(refusal.status(&server.settings), refusal.text());
            if matches!(refusal, Refusal::Busy | Refusal::TooMany) {
                answer
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            answer
        }
    }
}

/// Reads on for a moment: a client that is still sending when the connection closes loses the answer.
async fn drain(body: &mut Incoming) {
    let reading = async {
        let mut n_read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            n_read += frame.data_ref().map_or(0, Bytes::len);
            if n_read > DRAINED_MAX {
                break;
            }
        }
    };
    let _whatever_came = tokio::time::timeout(DRAIN_TIME, reading).await;
}

/// What load balancers and people ask.
async fn look(server: &Server, path: &str) -> Answer {
    match path {
        "/status" | "/__lbheartbeat__" => text(StatusCode::OK, "OK"),
        "/__heartbeat__" => {
            let patience = server.settings.commit_timeout;
            if server.committer.safe(Place::default(), patience).await {
                text(StatusCode::OK, "OK")
            } else {
                text(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the queue does not answer",
                )
            }
        }
        "/__version__" => {
            let version = concat!(
                "{\"name\":\"foresight\",\"version\":\"",
                env!("CARGO_PKG_VERSION"),
                "\"}"
            );
            let mut answer = text(StatusCode::OK, version);
            answer
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

fn text(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

/// Takes one submission: it is safe when this returns `Ok`.
async fn take(
    server: &Server,
    peer: IpAddr,
    parts: &Parts,
    body: &mut Incoming,
) -> Result<(), Refusal> {
    let settings = &server.settings;
    let accepted = submission::check(parts, body.size_hint().exact(), settings)?;
    let client = submission::client(peer, &parts.headers, settings.client_ip_from);
    if !server.limiter.allows(client) {
        return Err(Refusal::TooMany);
    }
    let reading = read(server, body, &accepted);
    let (content, _permits) = tokio::time::timeout(settings.body_timeout, reading)
        .await
        .map_err(|_| Refusal::Slow)??;
    let until = Instant::now() + settings.commit_timeout;
    let place = append(server, peer, parts, &accepted, &content, until).await?;
    let safe = server
        .committer
        .safe(place, until.saturating_duration_since(Instant::now()));
    match &server.tee {
        None => safe.await.then_some(()).ok_or(Refusal::Busy),
        Some(tee) => {
            let sending = tee.send(parts, &content, chance);
            match tokio::join!(safe, sending) {
                (false, _) => Err(Refusal::Busy),
                (true, false) => Err(Refusal::Backend),
                (true, true) => Ok(()),
            }
        }
    }
}

/// Reads the body in the pieces in which it comes. Each piece is paid for while it is in memory.
async fn read<'s>(
    server: &'s Server,
    body: &mut Incoming,
    accepted: &Accepted,
) -> Result<(Vec<Bytes>, Vec<tokio::sync::SemaphorePermit<'s>>), Refusal> {
    let (mut pieces, mut permits) = (Vec::new(), Vec::new());
    let mut n_read = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Bad("the body broke off"))?;
        if let Ok(piece) = frame.into_data() {
            n_read += piece.len() as u64;
            let n = u32::try_from(piece.len()).map_err(|_| Refusal::ContentTooLong)?;
            let permit = server.buffered.acquire_many(n).await;
            permits.push(permit.map_err(|_| Refusal::Busy)?);
            pieces.push(piece);
        }
    }
    if n_read == accepted.content_length {
        Ok((pieces, permits))
    } else {
        Err(Refusal::Bad("the body broke off"))
    }
}

/// Appends the message to the queue; its place there. Waits while the queue takes nothing, until the time is over.
async fn append(
    server: &Server,
    peer: IpAddr,
    parts: &Parts,
    accepted: &Accepted,
    content: &[Bytes],
    until: Instant,
) -> Result<Place, Refusal> {
    let submission = Submission {
        peer,
        parts,
        path: &accepted.path,
        content,
    };
    loop {
        match WORKSHOP.with_borrow_mut(|workshop| append_once(server, &submission, workshop)) {
            Ok(Some(place)) => return Ok(place),
            Ok(None) if Instant::now() < until => tokio::time::sleep(QUEUE_PAUSE).await,
            Ok(None) | Err(InjectError::Stopped) => return Err(Refusal::Busy),
            Err(InjectError::Rejected(_)) => return Err(Refusal::ContentTooLong),
        }
    }
}

fn append_once(
    server: &Server,
    submission: &Submission<'_>,
    (frame, random): &mut (FrameBuf, ChaCha12Rng),
) -> Result<Option<Place>, InjectError> {
    let uuid = uuid(random);
    submission::encode(frame, submission, &server.settings, &server.origin, &uuid);
    let outcome = server.intake.append(frame.finish());
    frame.shrink_to(BUFFER_KEPT);
    outcome
}

/// A random UUID: RFC 9562, version 4.
fn uuid(random: &mut ChaCha12Rng) -> [u8; 16] {
    let mut uuid = [0; 16];
    random.fill_bytes(&mut uuid);
    uuid[6] = uuid[6] & 0x0F | 0x40;
    uuid[8] = uuid[8] & 0x3F | 0x80;
    uuid
}

/// A number from 0 to 1.
fn chance() -> f64 {
    WORKSHOP.with_borrow_mut(|(_, random)| random.next_u32() as f64 / (f64::from(u32::MAX) + 1.0))
}
