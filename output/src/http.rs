//! A server of HTTP as a destination: each piece of data is the body of a request of its own.
//!
//! The key goes along as `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), so that a server which has taken a
//! request, but whose answer was lost, can leave out the next one.

mod failure;
mod settings;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::destination::{Body, Destination, Failure, Work, causes};
use failure::told;

pub use settings::{Authorization, Settings};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that nobody uses are closed after so long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Of an answer so many bytes are looked at; beyond, its connection is closed.
const ANSWER_MAX: usize = 64 * 1024;

/// Carries the key.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A server, and what it is told with each request.
pub struct Endpoint {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    settings: Settings,
    /// Scheme, host and path, for the log: a query may hold a secret.
    shown: String,
}

impl Endpoint {
    /// A client; nothing is asked of the server yet.
    ///
    /// # Errors
    /// What is wrong with the settings of TLS.
    pub fn open(settings: Settings) -> Result<Endpoint, String> {
        let tls = tls::client(&settings.tls).map_err(|error| error.to_string())?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT.min(settings.timeout)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Ok(Endpoint {
            client,
            shown: settings.shown(),
            settings,
        })
    }

    fn request(&self, key: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.settings.method.clone();
        *request.uri_mut() = self.settings.url.clone();
        let headers = request.headers_mut();
        headers.clone_from(&self.settings.headers);
        if let Some(encoding) = self.settings.packing.content_encoding() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        // A text in quotes, as the draft wants it.
        let key = HeaderValue::from_str(&format!("\"{key}\""))
            .map_err(|_| Failure::refused("the key cannot be a header"))?;
        headers.insert(IDEMPOTENCY_KEY, key);
        for (name, secret) in &self.settings.secret_headers {
            headers.insert(name, secret_value(name, secret.read())?);
        }
        if let Some(authorization) = &self.settings.authorization {
            headers.insert(
                AUTHORIZATION,
                secret_value(&AUTHORIZATION, authorization.read())?,
            );
        }
        Ok(request)
    }

    async fn send(&self, key: &str, body: &Body) -> Result<(), Failure> {
        let request = self.request(key, bytes_of(body)?)?;
        let answering = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| Failure::passing(causes(&error)))?;
            if answer.status().is_success() {
                // Read to its end, so that the connection can be used again.
                begin_of(answer).await;
                return Ok(());
            }
            let (status, headers) = (answer.status(), answer.headers().clone());
            let text = begin_of(answer).await;
            Err(told(status, &headers, &text, &self.settings.refused))
        };
        match tokio::time::timeout(self.settings.timeout, answering).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::passing(format!(
                "no answer within {} s",
                self.settings.timeout.as_secs_f64()
            ))),
        }
    }
}

impl Destination for Endpoint {
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        Box::pin(async move {
            let mut outcome = self.send(key, body).await;
            if let Err(failure) = &mut outcome {
                failure.reason = format!("{}: {}", self.shown, failure.reason);
            }
            outcome
        })
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Endpoint").field(&self.shown).finish()
    }
}

fn bytes_of(body: &Body) -> Result<Bytes, Failure> {
    match body {
        Body::Bytes(bytes) => Ok(Bytes::from_owner(std::sync::Arc::clone(bytes))),
        Body::File(path) => tokio::task::block_in_place(|| std::fs::read(path))
            .map(Bytes::from)
            .map_err(|error| Failure::of_file(path, &error)),
    }
}

/// A header whose value no log shows. What is missing may be put right.
fn secret_value(name: &HeaderName, value: Result<String, String>) -> Result<HeaderValue, Failure> {
    let value = value.map_err(|reason| Failure::lasting(format!("{name}: {reason}")))?;
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| Failure::lasting(format!("{name}: the secret cannot be a header")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// How an answer begins; all of it is read if it is not too long.
async fn begin_of(answer: Response<Incoming>) -> Vec<u8> {
    let mut body = answer.into_body();
    let mut begin = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else {
            continue;
        };
        begin.extend_from_slice(data);
        if begin.len() > ANSWER_MAX {
            break;
        }
    }
    begin
}
