//! What becomes of alerts: their state, silences, and a test of the way to people.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use schemas::message::{Field, Message};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Problem, blocking};
use crate::access::Caller;
use crate::silences::{Silence, Wanted};
use crate::text;

/// Alert outputs whose state is shown.
const OUTPUTS_MAX: usize = 16;

/// Largest file with a state, bytes.
const FILE_MAX: u64 = 2 << 20;

/// The states that alert outputs have written, by their names.
pub async fn state(State(app): State<Arc<App>>) -> Answer {
    let dir = app.options.state.join("alerting");
    let outputs = blocking(move || states(&dir)).await?;
    Ok(Json(json!({ "at_ms": text::now_ms(), "outputs": outputs })).into_response())
}

fn states(dir: &Path) -> Vec<Value> {
    // Without an alert output there is no such folder.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    paths.truncate(OUTPUTS_MAX);
    let read = |path: &std::path::PathBuf| {
        let size = fs::metadata(path).ok()?.len();
        let text = fs::read(path).ok().filter(|_| size <= FILE_MAX)?;
        serde_json::from_slice(&text).ok()
    };
    paths.iter().filter_map(read).collect()
}

/// All silences, the newest first.
pub async fn silences(State(app): State<Arc<App>>) -> Response {
    let list: Vec<Silence> = app.silences.list();
    Json(json!({ "silences": list, "at_ms": text::now_ms() })).into_response()
}

/// Begins a silence.
pub async fn silence(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Json(wanted): Json<Wanted>,
) -> Answer {
    let object = format!("{wanted:?}");
    let (shared, author) = (Arc::clone(&app), caller.name.clone());
    let outcome = blocking(move || shared.silences.begin(wanted, &author)).await?;
    let noted = outcome.as_ref().map(drop).map_err(String::clone);
    app.audit.note(&caller, "silence", &object, noted);
    Ok(Json(outcome.map_err(Problem::wrong)?).into_response())
}

/// Which silence.
#[derive(Deserialize)]
pub struct Which {
    id: String,
}

/// Ends a silence before its time.
pub async fn end_silence(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Json(which): Json<Which>,
) -> Answer {
    let (shared, id) = (Arc::clone(&app), which.id.clone());
    let outcome = blocking(move || shared.silences.end(&id)).await?;
    app.audit
        .note(&caller, "end silence", &which.id, outcome.clone());
    outcome.map_err(Problem::wrong)?;
    Ok(Json(json!({})).into_response())
}

/// Sends a test alert the way of all alerts.
pub async fn test(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Answer {
    let message = test_alert(&caller.name);
    let engine = Arc::clone(&app.engine);
    let outcome = blocking(move || engine.inject(message)).await?;
    let noted = outcome.clone().map_err(|refusal| refusal.to_string());
    app.audit.note(&caller, "test alert", "", noted);
    outcome?;
    Ok(Json(json!({})).into_response())
}

fn test_alert(user: &str) -> Message {
    let mut random = [0; 16];
    // Without randomness two tests look alike, and nothing else.
    let _ = getrandom::fill(&mut random);
    let mut message = Message::new(
        schemas::uuid::v4(random),
        text::now_ms().saturating_mul(1_000_000),
    );
    message.type_ = Some(b"alert".to_vec());
    message.logger = Some(b"admin".to_vec());
    message.severity = Some(6);
    message.payload =
        Some(format!("{user} tests from the web UI whether alerts arrive.\n").into_bytes());
    message.fields = vec![
        Field::string("id", "test"),
        Field::string("summary", "a test of the way that alerts go"),
        Field::string("alert.state", "test"),
    ];
    message
}
