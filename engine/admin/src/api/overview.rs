//! The engine at a glance, alerts, and use over time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::App;
use crate::alerts;
use crate::feed::Feed;
use crate::history::ENGINE;
use crate::snapshot::{Condition, QueueState, ReaderState, Snapshot};

/// Readers and plugins that are named in an overview.
const NAMED_MAX: usize = 12;

/// Longest error that is shown in an overview, bytes.
const ERROR_MAX: usize = 300;

/// The engine at a glance.
#[derive(Debug, Serialize)]
pub struct Overview {
    at_ms: i64,
    started_ms: i64,
    hostname: String,
    /// Messages a second that inputs injected.
    in_per_s: f64,
    /// Their bytes.
    in_bytes_per_s: f64,
    /// Messages a second that analysis plugins looked into.
    analysed_per_s: f64,
    /// Messages a second that outputs took.
    out_per_s: f64,
    /// Calls that failed, all together.
    failures: u64,
    running: usize,
    stopped: usize,
    ended: usize,
    terminated: usize,
    queues: Vec<QueueState>,
    /// Plugins that an error has ended, with the reason.
    errors: Vec<(String, String)>,
    alerts: u64,
    payloads: usize,
}

/// Makes an overview of the last two snapshots.
pub fn of(feed: &Feed) -> Overview {
    let (before, now) = feed.last_two();
    let count = |condition| {
        let plugins = now.plugins.iter();
        plugins
            .filter(|plugin| plugin.condition == condition)
            .count()
    };
    let terminated = now
        .plugins
        .iter()
        .filter(|plugin| plugin.condition == Condition::Terminated);
    let errors = terminated.take(NAMED_MAX).map(|plugin| {
        let error = plugin.error.as_deref().unwrap_or_default();
        (
            plugin.name.clone(),
            crate::text::cut(error.as_bytes(), ERROR_MAX),
        )
    });
    let rate = |kind, value: fn(&crate::snapshot::PluginState) -> u64| {
        let elapsed = (now.at_ms - before.at_ms).max(1) as f64 / 1e3;
        let sum = |snapshot: &Snapshot| -> u64 {
            let plugins = snapshot.plugins.iter();
            plugins
                .filter(|plugin| plugin.kind == kind)
                .map(value)
                .sum()
        };
        sum(&now).saturating_sub(sum(&before)) as f64 / elapsed
    };
    Overview {
        at_ms: now.at_ms,
        started_ms: now.started_ms,
        hostname: now.hostname.clone(),
        in_per_s: rate("input", |plugin| plugin.injects),
        in_bytes_per_s: rate("input", |plugin| plugin.inject_bytes),
        analysed_per_s: rate("analysis", |plugin| plugin.messages),
        out_per_s: rate("output", |plugin| plugin.messages),
        failures: now.plugins.iter().map(|plugin| plugin.failures).sum(),
        running: count(Condition::Running),
        stopped: count(Condition::Stopped),
        ended: count(Condition::Ended),
        terminated: count(Condition::Terminated),
        queues: now.queues.iter().map(slowest).collect(),
        errors: errors.collect(),
        alerts: feed.alerts.last(),
        payloads: feed.payloads.len(),
    }
}

/// A queue with its slowest readers only.
fn slowest(queue: &QueueState) -> QueueState {
    let mut readers: Vec<ReaderState> = queue.readers.clone();
    readers.sort_by(|a, b| b.lag_bytes.cmp(&a.lag_bytes).then(a.name.cmp(&b.name)));
    readers.truncate(NAMED_MAX);
    QueueState {
        readers,
        ..queue.clone()
    }
}

/// The engine at a glance.
pub async fn overview(State(app): State<Arc<App>>) -> Response {
    Json(of(&app.feed)).into_response()
}

/// Which alerts are asked for.
#[derive(Deserialize)]
pub struct Which {
    /// Only later ones than this.
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

/// The last alerts, newest first.
pub async fn alerts(State(app): State<Arc<App>>, Query(which): Query<Which>) -> Response {
    let limit = which.limit.unwrap_or(100).min(alerts::KEPT);
    let list = app.feed.alerts.list(which.after, limit);
    Json(json!({ "alerts": list, "last": app.feed.alerts.last() })).into_response()
}

/// Which samples are asked for.
#[derive(Deserialize)]
pub struct Span {
    /// `week` for the coarse ones.
    #[serde(default)]
    span: String,
    /// Only this plugin; without it all of them.
    plugin: Option<String>,
}

/// What the engine and its plugins used over time.
pub async fn history(State(app): State<Arc<App>>, Query(span): Query<Span>) -> Response {
    let wanted = |name: &str| match &span.plugin {
        Some(plugin) => name == plugin,
        None => true,
    };
    let series = app.feed.history.series(span.span != "week", wanted);
    Json(json!({ "engine": ENGINE, "series": series })).into_response()
}
