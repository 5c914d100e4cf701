//! Mirrors a share of the submissions to other backends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE};
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;

use super::settings::TeeTarget;

/// Carries the time of receipt to a backend that gets the submission later: nanoseconds since 1970.
const RECEIVED: HeaderName = HeaderName::from_static("x-pipeline-proxy");

/// Headers that belong to one connection and are not passed on.
const OF_CONNECTION: &[HeaderName] = &[CONNECTION, TE, TRANSFER_ENCODING, UPGRADE, HOST];

/// The backends of one listener.
pub struct Tee {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    targets: Vec<Arc<Target>>,
}

struct Target {
    settings: TeeTarget,
    in_flight: Arc<Semaphore>,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Tee {
    /// A tee to these backends.
    ///
    /// # Errors
    /// When a backend speaks TLS and the system has no root certificates.
    pub fn new(targets: &[TeeTarget]) -> std::io::Result<Tee> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .build();
        let target = |settings: &TeeTarget| {
            Arc::new(Target {
                settings: settings.clone(),
                in_flight: Arc::new(Semaphore::new(settings.in_flight_max)),
                failed: AtomicU64::new(0),
                dropped: AtomicU64::new(0),
            })
        };
        Ok(Tee {
            client: Client::builder(TokioExecutor::new()).build(connector),
            targets: targets.iter().map(target).collect(),
        })
    }

    /// Sends the submission to the backends whose share it falls into; `chance` gives numbers from 0 to 1. False when a
    /// backend that is waited for did not take it.
    pub async fn send(&self, parts: &Parts, content: &[Bytes], chance: impl Fn() -> f64) -> bool {
        let mut all_taken = true;
        let content = match content {
            [one] => one.clone(),
            pieces => Bytes::from(pieces.concat()),
        };
        for target in &self.targets {
            if chance() >= target.settings.share {
                continue;
            }
            let request = request(&target.settings, parts, content.clone());
            let sending = send(self.client.clone(), Arc::clone(target), request);
            if target.settings.wait {
                all_taken &= sending.await;
            } else {
                tokio::spawn(sending);
            }
        }
        all_taken
    }

    /// A line for each backend: how many submissions failed and how many were dropped.
    pub fn report(&self) -> impl Iterator<Item = String> + '_ {
        self.targets.iter().map(|target| {
            let (failed, dropped) = (&target.failed, &target.dropped);
            format!(
                "tee {}: {} failed, {} dropped",
                target.settings.url,
                failed.load(Ordering::Relaxed),
                dropped.load(Ordering::Relaxed)
            )
        })
    }
}

async fn send(
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    target: Arc<Target>,
    request: Option<Request<Full<Bytes>>>,
) -> bool {
    let in_flight = Arc::clone(&target.in_flight);
    let place = match target.settings.wait {
        true => in_flight.acquire_owned().await.ok(),
        false => in_flight.try_acquire_owned().ok(),
    };
    let (Some(_place), Some(request)) = (place, request) else {
        target.dropped.fetch_add(1, Ordering::Relaxed);
        return false;
    };
    let answer = tokio::time::timeout(target.settings.timeout, client.request(request)).await;
    let taken = matches!(answer, Ok(Ok(answer)) if answer.status().is_success());
    if !taken {
        target.failed.fetch_add(1, Ordering::Relaxed);
    }
    taken
}

/// The submission as it goes to the backend.
fn request(target: &TeeTarget, parts: &Parts, content: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut uri = target.url.clone().into_parts();
    uri.path_and_query = parts
        .uri
        .path_and_query()
        .cloned()
        .or(Some(PathAndQuery::from_static("/")));
    let mut request = Request::new(Full::new(content));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = Uri::from_parts(uri).ok()?;
    let headers = request.headers_mut();
    for (name, value) in &parts.headers {
        if !OF_CONNECTION.contains(name) {
            headers.append(name, value.clone());
        }
    }
    if !headers.contains_key(&RECEIVED) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ns = since.map_or(0, |since| since.as_nanos() as u64);
        headers.insert(RECEIVED, HeaderValue::from(ns));
    }
    Some(request)
}
