//! Logging in and out, who one is, and who did what.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, Problem, blocking};
use crate::access::users::LoginError;
use crate::access::{Caller, Role, cookie, session_of};

/// Entries of the audit log that are shown at most.
const AUDIT_MAX: usize = 500;

/// Who asks, what they may do, and what their pages must send with changes.
pub async fn me(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Response {
    let snapshot = app.feed.snapshot();
    let is_known = caller.role >= Role::Viewer;
    Json(json!({
        "name": caller.name,
        "role": caller.role,
        "token": caller.token,
        "can_log_out": !app.access.is_open() && app.options.proxy_header.is_none(),
        "hostname": is_known.then_some(&snapshot.hostname),
        "can_load": is_known && snapshot.can_load,
        "version": env!("CARGO_PKG_VERSION"),
    }))
    .into_response()
}

/// What a login sends.
#[derive(Deserialize)]
pub struct Login {
    name: String,
    password: String,
}

/// Begins a session.
pub async fn login(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Json(login): Json<Login>,
) -> Answer {
    let permit = app.hashing.acquire().await.map_err(Problem::wrong)?;
    let (shared, name) = (Arc::clone(&app), login.name.clone());
    let outcome = blocking(move || {
        shared
            .access
            .users
            .log_in(&name, &login.password, caller.address)
    })
    .await?;
    drop(permit);
    let noted = outcome.map(|_| ()).map_err(|error| error.to_string());
    app.audit.note(&caller, "login", &login.name, noted);
    outcome.map_err(|error| {
        let status = match error {
            LoginError::Wrong => StatusCode::UNAUTHORIZED,
            LoginError::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        };
        Problem::new(status, error)
    })?;
    let id = app.access.sessions.begin(&login.name);
    Ok(with_cookie(&app, Some(&id)))
}

/// Ends the session.
pub async fn logout(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    if let Some(id) = session_of(&headers) {
        app.access.sessions.end(id);
        app.audit.note(&caller, "logout", &caller.name, Ok(()));
    }
    with_cookie(&app, None)
}

fn with_cookie(app: &App, id: Option<&str>) -> Response {
    let mut answer = Json(json!({})).into_response();
    let cookie = HeaderValue::from_str(&cookie(id, app.options.tls.is_some()));
    let cookie = cookie.expect("ids are plain text");
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    answer
}

/// How much is asked for.
#[derive(Deserialize)]
pub struct Limit {
    limit: Option<usize>,
}

/// The last entries of the audit log, newest first.
pub async fn audit(State(app): State<Arc<App>>, Query(query): Query<Limit>) -> Answer {
    let limit = query.limit.unwrap_or(100).min(AUDIT_MAX);
    let entries = blocking(move || app.audit.list(limit)).await?;
    Ok(Json(json!({ "entries": entries })).into_response())
}
