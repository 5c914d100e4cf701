//! Plugins: what they do, their files, and changing them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use matcher::Matcher;
use serde::Deserialize;
use serde_json::{Value, json};

use super::matcher::{message_json, search};
use super::{Answer, App, Problem, blocking, json_text};
use crate::access::{Caller, Role};
use crate::engine::{
    CONFIG_MAX, Command, Deployment, Queue, Refusal, SOURCE_MAX, TRIAL_MESSAGES_MAX, Trial,
    TrialReport,
};

/// Longest time that a trial waits for live messages.
const LIVE_MAX: Duration = Duration::from_secs(10);

/// Messages of a trial when the page does not say how many.
const TRIAL_MESSAGES: usize = 100;

/// Longest name of a plugin, bytes.
const NAME_MAX: usize = 96;

/// All plugins.
pub async fn list(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Response {
    let snapshot = app.feed.snapshot();
    let plugins = snapshot.plugins.iter().map(|plugin| {
        let mut json = json!(plugin);
        json["may_change"] = json!(caller.may_change(plugin.owner.as_deref()));
        json
    });
    let plugins: Vec<Value> = plugins.collect();
    Json(json!({ "at_ms": snapshot.at_ms, "plugins": plugins })).into_response()
}

/// One plugin with its files.
pub async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Answer {
    let owner = app.owners.of(&name);
    let may_change = caller.may_change(owner.as_deref());
    let state = app.feed.snapshot().plugin(&name).cloned();
    let (engine, asked) = (Arc::clone(&app.engine), name.clone());
    let files = blocking(move || engine.files(&asked, may_change)).await??;
    Ok(Json(json!({
        "name": name,
        "owner": owner,
        "may_change": may_change,
        "state": state,
        "files": files,
    }))
    .into_response())
}

/// Turns a plugin off.
pub async fn stop(app: State<Arc<App>>, caller: Extension<Caller>, name: Path<String>) -> Answer {
    command(app, caller, name, Command::Stop, "stop").await
}

/// Starts a plugin again.
pub async fn restart(
    app: State<Arc<App>>,
    caller: Extension<Caller>,
    name: Path<String>,
) -> Answer {
    command(app, caller, name, Command::Restart, "restart").await
}

async fn command(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    command: Command,
    word: &str,
) -> Answer {
    let outcome = match caller.may_change(app.owners.of(&name).as_deref()) {
        true => {
            let (engine, name) = (Arc::clone(&app.engine), name.clone());
            blocking(move || engine.command(&name, command)).await?
        }
        false => Err(Refusal::Forbidden(format!("{name} is not your plugin"))),
    };
    let noted = outcome.clone().map_err(|refusal| refusal.to_string());
    app.audit.note(&caller, word, &name, noted);
    outcome?;
    Ok(Json(json!({})).into_response())
}

/// A plugin to be tried.
#[derive(Deserialize)]
pub struct TrialAsked {
    #[serde(flatten)]
    plugin: Deployment,
    /// Wait for new messages rather than take recorded ones.
    #[serde(default)]
    live: bool,
    /// At most so many.
    limit: Option<usize>,
}

/// Runs an analysis plugin on messages, apart from the engine.
pub async fn trial(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Json(asked): Json<TrialAsked>,
) -> Answer {
    let TrialAsked {
        plugin,
        live,
        limit,
    } = asked;
    let plugin = permitted(&app, &caller, plugin)?;
    if plugin.kind != "analysis" {
        let text = "only analysis plugins can be tried: inputs and outputs act on the world";
        return Err(Refusal::Unable(text.into()).into());
    }
    let (engine, checked) = (Arc::clone(&app.engine), plugin.clone());
    blocking(move || engine.check(&checked)).await??;
    let limit = limit.unwrap_or(TRIAL_MESSAGES).clamp(1, TRIAL_MESSAGES_MAX);
    // The plugin's own expression chooses later; that it is one was checked.
    let all = || Matcher::parse("TRUE").map_err(Problem::wrong);
    let messages = match live {
        true => live_messages(&app, all()?, limit).await?,
        false => {
            let (app, all) = (Arc::clone(&app), all()?);
            blocking(move || search(&app, Queue::Input, &all, limit))
                .await??
                .0
        }
    };
    let n_messages = messages.len();
    let trial = Trial { plugin, messages };
    let engine = Arc::clone(&app.engine);
    let report = blocking(move || engine.trial(&trial)).await??;
    Ok(report_json(&report, n_messages))
}

fn report_json(report: &TrialReport, n_messages: usize) -> Response {
    let mut json = json!(report);
    json["offered"] = json!(n_messages);
    let injected: Vec<String> = report.messages.iter().map(|m| message_json(m)).collect();
    // The messages are JSON text already, which must keep its integers.
    let mut text = json.to_string();
    text.pop();
    json_text(format!("{text},\"messages\":[{}]}}", injected.join(",")))
}

async fn live_messages(app: &App, matcher: Matcher, limit: usize) -> Answer<Vec<Vec<u8>>> {
    let watch = app.feed.watches.begin(Queue::Input, matcher);
    let mut watch = watch.ok_or_else(|| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many pages watch messages already",
        )
    })?;
    let mut messages = Vec::new();
    let gather = async {
        while messages.len() < limit {
            let left = limit - messages.len();
            if watch.messages.recv_many(&mut messages, left).await == 0 {
                break;
            }
        }
    };
    let _what_came = tokio::time::timeout(LIVE_MAX, gather).await;
    tracing::debug!(target: "admin", "a trial saw {} messages", watch.counts.seen.load(Ordering::Relaxed));
    Ok(messages)
}

/// Puts a plugin into the load directory, where the engine takes it from.
pub async fn deploy(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Json(plugin): Json<Deployment>,
) -> Answer {
    let name = format!("{}.{}", plugin.kind, plugin.name);
    let outcome = match permitted(&app, &caller, plugin) {
        Ok(plugin) => {
            let (engine, owners) = (Arc::clone(&app.engine), Arc::clone(&app.owners));
            let (user, name) = (caller.name.clone(), name.clone());
            let work = move || {
                engine.check(&plugin)?;
                if owners.of(&name).is_none() {
                    let set = owners.set(&name, &user);
                    set.map_err(|error| Refusal::Unable(format!("noting the owner: {error}")))?;
                }
                engine.deploy(&plugin)
            };
            blocking(work).await?
        }
        Err(refusal) => Err(refusal),
    };
    let noted = outcome.clone().map_err(|refusal| refusal.to_string());
    app.audit.note(&caller, "deploy", &name, noted);
    outcome?;
    Ok(Json(json!({ "name": name })).into_response())
}

/// Whether the caller may deploy this.
fn permitted(app: &App, caller: &Caller, plugin: Deployment) -> Result<Deployment, Refusal> {
    if !is_name(&plugin.name) {
        let text = "a plugin's name has 1 to 96 letters, digits, dots, dashes and underscores, and begins with a letter";
        return Err(Refusal::Wrong(text.into()));
    }
    let is_long = plugin.config.len() > CONFIG_MAX
        || plugin
            .source
            .as_ref()
            .is_some_and(|source| source.len() > SOURCE_MAX);
    if is_long {
        let text = format!("a configuration has at most {CONFIG_MAX} bytes, a source {SOURCE_MAX}");
        return Err(Refusal::Wrong(text));
    }
    let is_operator = caller.role == Role::Operator;
    if plugin.kind != "analysis" && !is_operator {
        let text = "inputs and outputs reach files and networks: only operators deploy them";
        return Err(Refusal::Forbidden(text.into()));
    }
    let name = format!("{}.{}", plugin.kind, plugin.name);
    let owner = app.owners.of(&name);
    let is_new = app.feed.snapshot().plugin(&name).is_none() && owner.is_none();
    if !is_new && !caller.may_change(owner.as_deref()) {
        return Err(Refusal::Forbidden(format!("{name} is not your plugin")));
    }
    Ok(Deployment {
        unrestricted: is_operator,
        ..plugin
    })
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(plain)
}
