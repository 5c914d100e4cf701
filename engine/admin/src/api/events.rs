//! Live data by server-sent events: the overview, which payloads are new, alerts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream;
use serde_json::json;

use super::{App, event, event_stream, overview};

/// How often events are sent.
const EVERY: Duration = Duration::from_secs(1);

/// A stream ends after this; the browser comes back, and whether it still may is asked anew.
pub const STREAM_TIME: Duration = Duration::from_secs(600);

/// Payloads and alerts that one event names.
const NAMED_MAX: usize = 500;

struct Progress {
    app: Arc<App>,
    until: Instant,
    generation: u64,
    alerts: u64,
    is_first: bool,
}

/// Begins with everything, then sends what is new once a second.
pub async fn events(State(app): State<Arc<App>>) -> Response {
    let state = Progress {
        generation: app.feed.payloads.generation(),
        alerts: app.feed.alerts.last(),
        until: Instant::now() + STREAM_TIME,
        is_first: true,
        app,
    };
    event_stream(stream::unfold(state, next))
}

async fn next(mut state: Progress) -> Option<(Result<Bytes, std::convert::Infallible>, Progress)> {
    if !state.is_first {
        tokio::time::sleep(EVERY).await;
    }
    if Instant::now() > state.until {
        return None;
    }
    state.is_first = false;
    let feed = &state.app.feed;
    let overview = serde_json::to_string(&overview::of(feed)).unwrap_or_default();
    let mut text = event("overview", &overview);
    let renewed = feed.payloads.list_since(state.generation);
    if let Some(newest) = renewed.iter().map(|listed| listed.generation).max() {
        state.generation = newest;
        let named = &renewed[..renewed.len().min(NAMED_MAX)];
        let is_cut = named.len() < renewed.len();
        let json = json!({ "payloads": named, "is_cut": is_cut });
        text.push_str(&event("payloads", &json.to_string()));
    }
    let alerts = feed.alerts.list(state.alerts, NAMED_MAX);
    if let Some(newest) = alerts.first() {
        state.alerts = newest.number;
        text.push_str(&event("alerts", &json!({ "alerts": alerts }).to_string()));
    }
    Some((Ok(Bytes::from(text)), state))
}
