//! Posts files or lines as submissions: for producers, and to put a load on an edge.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use stdx::backoff::{Backoff, Schedule};
use tokio::sync::mpsc;

/// Longest body, in bytes, before compression.
const BODY_MAX: u64 = 256 << 20;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(1);
/// What stands in the URL for a new random document id in each submission.
const ID: &str = "{id}";

/// A header line of a request.
pub type Header = (HeaderName, HeaderValue);

/// Parses `Name: value`.
///
/// # Errors
/// Says what was expected.
pub fn header(text: &str) -> Result<Header, String> {
    let expected = || format!("expected 'Name: value', found '{text}'");
    let (name, value) = text.split_once(':').ok_or_else(expected)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| expected())?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| expected())?;
    Ok((name, value))
}

/// What is sent, where to, and how.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The URL; `{id}` in it becomes a new UUID in each submission.
    pub url: String,
    /// The files, `-` for the standard input.
    pub files: Vec<PathBuf>,
    /// Each line of a file is a submission, not each file.
    pub lines: bool,
    /// Bodies are gzipped.
    pub gzip: bool,
    /// Further headers.
    pub headers: Vec<Header>,
    /// Submissions a second; `None` for as many as go.
    pub rate: Option<f64>,
    /// Submissions under way at once.
    pub concurrency: usize,
    /// How often everything is sent.
    pub repeat: u64,
    /// How often a submission is tried that gets no answer or one of 429 and from 500 on.
    pub attempts: u32,
    /// The longest time for one answer.
    pub timeout: Duration,
    /// Whether rates are told on the standard error.
    pub progress: bool,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Submissions by their final answer; 0 stands for none.
    pub by_status: BTreeMap<u16, u64>,
    /// Bytes of the bodies as they were sent.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// The times to the final answer, in microseconds, sorted.
    pub times_us: Vec<u32>,
}

impl Outcome {
    /// Whether every submission was taken.
    pub fn all_taken(&self) -> bool {
        self.by_status
            .keys()
            .all(|status| (200..300).contains(status))
    }

    /// Submissions in all.
    pub fn count(&self) -> u64 {
        self.by_status.values().sum()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.took.as_secs_f64().max(1e-9);
        let n = self.count();
        write!(
            f,
            "{n} submissions in {seconds:.1} s: {:.0}/s, {:.1} MB/s",
            n as f64 / seconds,
            self.bytes as f64 / 1e6 / seconds
        )?;
        let at = |share: f64| {
            let last = self.times_us.len().saturating_sub(1);
            self.times_us
                .get((last as f64 * share) as usize)
                .map_or(0.0, |us| f64::from(*us) / 1_000.0)
        };
        writeln!(f, "; answers p50 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.99))?;
        for (status, n) in &self.by_status {
            match status {
                0 => writeln!(f, "no answer: {n}")?,
                status => writeln!(f, "{status}: {n}")?,
            }
        }
        Ok(())
    }
}

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What the tasks share.
struct Shared {
    sender: Sender,
    client: HttpClient,
    /// Guards what came of the submissions so far.
    outcome: Mutex<Outcome>,
    n_done: AtomicU64,
}

impl Sender {
    /// Sends everything.
    ///
    /// # Errors
    /// When a file cannot be read, or the URL is none.
    pub fn run(self) -> Result<Outcome, String> {
        self.uri(&mut ChaCha12Rng::from_seed([0; 32]))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| format!("no root certificates: {error}"))?
            .https_or_http()
            .enable_http1()
            .build();
        let (bodies, waiting) = mpsc::channel(self.concurrency.max(1) * 2);
        let started = Instant::now();
        let n_tasks = self.concurrency.max(1);
        let shared = Arc::new(Shared {
            client: Client::builder(TokioExecutor::new()).build(connector),
            sender: self,
            outcome: Mutex::default(),
            n_done: AtomicU64::new(0),
        });
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let tasks: Vec<_> = (0..n_tasks)
            .map(|_| runtime.spawn(post_all(Arc::clone(&shared), Arc::clone(&waiting))))
            .collect();
        let watch = runtime.spawn(tell(Arc::clone(&shared)));
        // Reading may wait for a disk or a pipe, so it has this thread for itself.
        let read = shared.sender.read(&bodies);
        drop(bodies);
        for task in tasks {
            runtime.block_on(task).map_err(|error| error.to_string())?;
        }
        watch.abort();
        read?;
        let mut outcome = std::mem::take(
            &mut *shared
                .outcome
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        outcome.took = started.elapsed();
        outcome.times_us.sort_unstable();
        Ok(outcome)
    }

    /// Hands out every body, at the rate that is wanted.
    fn read(&self, bodies: &mpsc::Sender<Bytes>) -> Result<(), String> {
        let mut pace = Pace::new(self.rate);
        let mut hand_out = |body: Vec<u8>| {
            pace.wait();
            // Tasks only end when there are no bodies any more.
            let _sent = bodies.blocking_send(self.pack(body));
        };
        for _ in 0..self.repeat.max(1) {
            for path in &self.files {
                let fail = |error: std::io::Error| format!("{}: {error}", path.display());
                let mut file: Box<dyn Read> = match path.to_str() {
                    Some("-") => Box::new(std::io::stdin()),
                    _ => Box::new(std::fs::File::open(path).map_err(fail)?),
                };
                if !self.lines {
                    let mut body = Vec::new();
                    file.take(BODY_MAX).read_to_end(&mut body).map_err(fail)?;
                    hand_out(body);
                    continue;
                }
                let mut file = BufReader::new(&mut *file);
                loop {
                    let mut line = Vec::new();
                    let mut limited = (&mut file).take(BODY_MAX);
                    if limited.read_until(b'\n', &mut line).map_err(fail)? == 0 {
                        break;
                    }
                    if line.last() == Some(&b'\n') {
                        line.pop();
                    }
                    if !line.is_empty() {
                        hand_out(line);
                    }
                }
            }
        }
        Ok(())
    }

    fn pack(&self, body: Vec<u8>) -> Bytes {
        if !self.gzip {
            return body.into();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&body).and_then(|()| encoder.finish());
        packed.expect("writing to memory does not fail").into()
    }

    fn uri(&self, random: &mut ChaCha12Rng) -> Result<Uri, String> {
        let url = self.url.replace(ID, &uuid(random));
        url.parse::<Uri>()
            .ok()
            .filter(|uri| uri.authority().is_some() && uri.scheme().is_some())
            .ok_or_else(|| format!("'{}' is no URL: expected http://host:port/path", self.url))
    }

    fn request(&self, uri: Uri, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.extend(self.headers.iter().cloned());
        if self.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        request
    }
}

/// A random UUID: RFC 9562, version 4, as text.
fn uuid(random: &mut ChaCha12Rng) -> String {
    let (a, b) = (random.next_u64(), random.next_u64());
    let (a, b) = (a & !0xF000 | 0x4000, b & !(0b11 << 62) | 0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        a >> 16 & 0xFFFF,
        a & 0xFFFF,
        b >> 48,
        b & 0xFFFF_FFFF_FFFF
    )
}

/// Keeps to a rate: the n-th goes out when its time has come.
struct Pace {
    rate: Option<f64>,
    started: Instant,
    n: u64,
}

impl Pace {
    fn new(rate: Option<f64>) -> Pace {
        Pace {
            rate,
            started: Instant::now(),
            n: 0,
        }
    }

    fn wait(&mut self) {
        if let Some(rate) = self.rate {
            let due = Duration::try_from_secs_f64(self.n as f64 / rate).unwrap_or(Duration::MAX);
            std::thread::sleep(due.saturating_sub(self.started.elapsed()));
        }
        self.n += 1;
    }
}

async fn post_all(shared: Arc<Shared>, bodies: Arc<tokio::sync::Mutex<mpsc::Receiver<Bytes>>>) {
    let mut random = ChaCha12Rng::from_os_rng();
    loop {
        let body = bodies.lock().await.recv().await;
        let Some(body) = body else { return };
        let (started, len) = (Instant::now(), body.len() as u64);
        let status = post(&shared, body, &mut random).await;
        shared.n_done.fetch_add(1, Ordering::Relaxed);
        let mut outcome = shared
            .outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *outcome.by_status.entry(status).or_default() += 1;
        outcome.bytes += len;
        let took = started.elapsed().as_micros();
        outcome
            .times_us
            .push(u32::try_from(took).unwrap_or(u32::MAX));
    }
}

/// Posts one body, again where that may help; the final status, 0 when there was no answer.
async fn post(shared: &Shared, body: Bytes, random: &mut ChaCha12Rng) -> u16 {
    let sender = &shared.sender;
    let uri = sender
        .uri(random)
        .expect("the URL was parsed before the first submission");
    let mut backoff = Backoff::new(Schedule {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(10),
        attempts: Some(sender.attempts.saturating_sub(1)),
    });
    loop {
        let request = sender.request(uri.clone(), body.clone());
        let status =
            match tokio::time::timeout(sender.timeout, answer(&shared.client, request)).await {
                Ok(Some(status)) => status,
                Ok(None) | Err(_) => 0,
            };
        if !matches!(status, 0 | 429 | 500..) {
            return status;
        }
        match backoff.next_wait() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return status,
        }
    }
}

async fn answer(client: &HttpClient, request: Request<Full<Bytes>>) -> Option<u16> {
    let answer = client.request(request).await.ok()?;
    let status = answer.status().as_u16();
    // The connection is used again only when the answer was read.
    let _body = answer.into_body().collect().await;
    Some(status)
}

async fn tell(shared: Arc<Shared>) {
    if !shared.sender.progress {
        return;
    }
    let mut before = 0;
    loop {
        tokio::time::sleep(PROGRESS).await;
        let now = shared.n_done.load(Ordering::Relaxed);
        let _nobody_reads = writeln!(std::io::stderr(), "{now} sent, {}/s", now - before);
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_4() {
        let mut random = ChaCha12Rng::from_seed([1; 32]);
        let (a, b) = (uuid(&mut random), uuid(&mut random));
        assert_ne!(a, b);
        assert_eq!(a.len(), 36);
        assert_eq!(&a[14..15], "4");
        assert!("89ab".contains(&a[19..20]), "{a}");
    }

    #[test]
    fn outcomes_tell_rates_and_answers() {
        let outcome = Outcome {
            by_status: BTreeMap::from([(0, 1), (200, 3)]),
            bytes: 2_000_000,
            took: Duration::from_secs(2),
            times_us: vec![1_000, 2_000, 3_000, 9_000],
        };
        assert!(!outcome.all_taken());
        assert_eq!(
            outcome.to_string(),
            "4 submissions in 2.0 s: 2/s, 1.0 MB/s; answers p50 2.0 ms, p99 3.0 ms\nno answer: 1\n200: 3\n"
        );
    }
}
