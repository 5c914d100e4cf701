//! What lies in the directories of outputs and of the lake.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, blocking, payloads};
use crate::access::Caller;
use crate::engine::{Refusal, Store};
use crate::options::Root;
use crate::roots;

/// Which directory or file is asked for.
#[derive(Deserialize)]
pub struct Place {
    /// The name of the root; without it, and without a store, the roots are listed.
    root: Option<String>,
    /// Of the lake: the name of a store.
    store: Option<String>,
    /// The path below it.
    #[serde(default)]
    path: String,
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
}

/// The directories of outputs, or what lies in one of them.
pub async fn outputs(State(app): State<Arc<App>>, Query(place): Query<Place>) -> Answer {
    list(app, place, |app| &app.options.outputs).await
}

/// The directories of the lake and the stores that plugins have open, or what lies in one of them. A store with an owner is
/// shown to the owner and to operators, unless it is public.
pub async fn lake(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(place): Query<Place>,
) -> Answer {
    let may_look = |store: &Store| {
        let owner = store.owner.clone().or_else(|| app.owners.of(&store.plugin));
        caller.may_look(owner.as_deref(), store.is_public)
    };
    let Some(store) = place.store else {
        if place.root.is_some() {
            return list(app, place, |app| &app.options.lake).await;
        }
        let (roots, mut stores) = (named(&app.options.lake), app.engine.stores());
        stores.retain(may_look);
        return Ok(Json(json!({ "roots": roots, "stores": stores })).into_response());
    };
    let is_hidden = |one: &Store| one.name == store && !may_look(one);
    if app.engine.stores().iter().any(is_hidden) {
        return Err(Refusal::Missing(format!("no store {store} is open to you")).into());
    }
    let listed = blocking(move || app.engine.store(&store, &place.path, &place.after));
    Ok(Json(listed.await??).into_response())
}

async fn list(app: Arc<App>, place: Place, roots_of: fn(&App) -> &[Root]) -> Answer {
    let Some(root) = place.root else {
        return Ok(Json(json!({ "roots": named(roots_of(&app)) })).into_response());
    };
    let listed = blocking(move || {
        let root = roots::root(roots_of(&app), &root)?;
        roots::list(root, &place.path, &place.after)
    });
    Ok(Json(listed.await??).into_response())
}

fn named(roots: &[Root]) -> Vec<serde_json::Value> {
    let named = |root: &Root| json!({ "name": root.name, "path": root.path.to_string_lossy() });
    roots.iter().map(named).collect()
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
