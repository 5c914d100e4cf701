//! What lies in the directories of outputs and of the lake.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, blocking, payloads};
use crate::options::Root;
use crate::roots;

/// Which directory or file is asked for.
#[derive(Deserialize)]
pub struct Place {
    /// The name of the root; without it the roots are listed.
    root: Option<String>,
    /// The path below it.
    #[serde(default)]
    path: String,
}

/// The directories of outputs, or what lies in one of them.
pub async fn outputs(State(app): State<Arc<App>>, Query(place): Query<Place>) -> Answer {
    list(app, place, |app| &app.options.outputs).await
}

/// The directories of the lake, or what lies in one of them.
pub async fn lake(State(app): State<Arc<App>>, Query(place): Query<Place>) -> Answer {
    list(app, place, |app| &app.options.lake).await
}

async fn list(app: Arc<App>, place: Place, roots_of: fn(&App) -> &[Root]) -> Answer {
    let Some(root) = place.root else {
        let roots = roots_of(&app).iter();
        let roots: Vec<_> = roots
            .map(|root| json!({ "name": root.name, "path": root.path.to_string_lossy() }))
            .collect();
        return Ok(Json(json!({ "roots": roots })).into_response());
    };
    let listed = blocking(move || {
        let root = roots::root(roots_of(&app), &root)?;
        roots::list(root, &place.path)
    });
    Ok(Json(listed.await??).into_response())
}

/// A file that an output wrote.
pub async fn output(State(app): State<Arc<App>>, Query(place): Query<Place>) -> Answer<Response> {
    let path = place.path.clone();
    let bytes = blocking(move || {
        let root = place.root.unwrap_or_default();
        let root = roots::root(&app.options.outputs, &root)?;
        roots::read(root, &place.path)
    })
    .await??;
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let kind = name.rsplit('.').next().unwrap_or_default().to_owned();
    Ok(payloads::shown(&name, &kind, bytes))
}
