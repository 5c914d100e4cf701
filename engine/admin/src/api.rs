//! The handlers: from a request to JSON.

pub mod alerting;
pub mod events;
pub mod files;
pub mod matcher;
pub mod overview;
pub mod payloads;
pub mod plugins;
pub mod session;

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use tokio::sync::Semaphore;

use crate::access::Access;
use crate::access::audit::Audit;
use crate::access::owners::Owners;
use crate::archive::Archive;
use crate::engine::{Engine, Refusal};
use crate::feed::Feed;
use crate::metrics as prometheus_text;
use crate::options::Options;
use crate::silences::Silences;

/// The description of the API; a test holds it against the routes.
const OPENAPI: &str = include_str!("../openapi.json");

/// What the handlers share.
pub struct App {
    /// What the operator set.
    pub options: Arc<Options>,
    /// Who may do what.
    pub access: Access,
    /// Whose plugin is whose.
    pub owners: Arc<Owners>,
    /// Who did what.
    pub audit: Audit,
    /// Which alerts are kept back.
    pub silences: Silences,
    /// The past of graphs.
    pub archive: Arc<Archive>,
    /// What came from the engine.
    pub feed: Arc<Feed>,
    /// The engine itself.
    pub engine: Arc<dyn Engine>,
    /// Passwords are compared one after the other, as each takes much memory.
    pub hashing: Semaphore,
}

/// What a handler answers.
pub type Answer<T = Response> = Result<T, Problem>;

/// Why a request has no better answer: a status and `{"error": "..."}`.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    text: String,
}

impl Problem {
    /// With this status and text.
    pub fn new(status: StatusCode, text: impl Display) -> Problem {
        Problem {
            status,
            text: text.to_string(),
        }
    }

    /// The request is wrong.
    pub fn wrong(text: impl Display) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, text)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(serde_json::json!({ "error": self.text }));
        (self.status, body).into_response()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let status = match refusal {
            Refusal::Missing(_) => StatusCode::NOT_FOUND,
            Refusal::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Forbidden(_) => StatusCode::FORBIDDEN,
            Refusal::Unable(_) => StatusCode::CONFLICT,
            Refusal::Elsewhere(_) => StatusCode::BAD_GATEWAY,
        };
        Problem::new(status, refusal)
    }
}

/// Runs what may wait for the disk or the processor on a thread for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the work has failed; see the log",
        )
    })
}

/// JSON text that is there already.
fn json_text(text: impl Into<Body>) -> Response {
    let mut answer = Response::new(text.into());
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// An answer that goes on: server-sent events.
fn event_stream(
    events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Response {
    let mut answer = Response::new(Body::from_stream(events));
    let kind = HeaderValue::from_static("text/event-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    // Proxies would else gather events.
    let now = HeaderValue::from_static("no");
    answer.headers_mut().insert("x-accel-buffering", now);
    answer
}

/// One event with JSON, which has no line ends.
fn event(name: &str, json: &str) -> String {
    format!("event: {name}\ndata: {json}\n\n")
}

/// The description of the API.
pub async fn openapi() -> Response {
    json_text(OPENAPI)
}

/// What is asked for does not exist.
pub async fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing here")
}

/// The figures for Prometheus.
pub async fn metrics(State(app): State<Arc<App>>) -> Answer {
    let text = blocking(move || prometheus_text::text(&app.feed)).await?;
    let text = text.map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let kind = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
