//! Everything that can be asked for, with the role it needs; no handler is reached in another way.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};

use crate::access::{Caller, Role, sessions};
use crate::api::{self, App, Problem};
use crate::assets;
use crate::server::Peer;

/// The largest body of a request, bytes: a plugin's source and configuration as JSON.
const BODY_MAX: usize = 2 << 20;

/// One thing that can be asked for.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path; parts in braces stand for anything.
    pub path: &'static str,
    /// Who may.
    pub needs: Role,
    make: fn() -> MethodRouter<Arc<App>>,
}

macro_rules! routes {
    ($($method:literal $path:literal $needs:ident $make:expr;)*) => {
        &[$(Route { method: $method, path: $path, needs: Role::$needs, make: || $make },)*]
    };
}

/// The list.
pub const ROUTES: &[Route] = routes! {
    "GET" "/" Anyone get(assets::index);
    "GET" "/assets/{name}" Anyone get(assets::asset);
    "GET" "/dashboard_output/graphs/{name}" Anyone get(assets::dashboard_graph);
    "GET" "/dashboard_output/{name}" Anyone get(assets::dashboard);
    "GET" "/api/v1/openapi.json" Anyone get(api::openapi);
    "GET" "/api/v1/me" Anyone get(api::session::me);
    "POST" "/api/v1/login" Anyone post(api::session::login);
    "POST" "/api/v1/logout" Anyone post(api::session::logout);
    "GET" "/api/v1/overview" Viewer get(api::overview::overview);
    "GET" "/api/v1/events" Viewer get(api::events::events);
    "GET" "/api/v1/alerts" Viewer get(api::overview::alerts);
    "GET" "/api/v1/alerts/state" Viewer get(api::alerting::state);
    "POST" "/api/v1/alerts/test" Operator post(api::alerting::test);
    "GET" "/api/v1/silences" Viewer get(api::alerting::silences);
    "POST" "/api/v1/silences/begin" Operator post(api::alerting::silence);
    "POST" "/api/v1/silences/end" Operator post(api::alerting::end_silence);
    "GET" "/api/v1/history" Viewer get(api::overview::history);
    "GET" "/api/v1/payloads" Viewer get(api::payloads::list);
    "GET" "/api/v1/payload" Viewer get(api::payloads::payload);
    "GET" "/api/v1/graph" Viewer get(api::payloads::graph);
    "GET" "/api/v1/graph/past" Viewer get(api::payloads::past);
    "GET" "/api/v1/graph.csv" Viewer get(api::payloads::csv);
    "GET" "/api/v1/plugins" Viewer get(api::plugins::list);
    "GET" "/api/v1/plugins/{name}" Viewer get(api::plugins::one);
    "POST" "/api/v1/plugins/{name}/stop" Author post(api::plugins::stop);
    "POST" "/api/v1/plugins/{name}/restart" Author post(api::plugins::restart);
    "POST" "/api/v1/trial" Author post(api::plugins::trial);
    "POST" "/api/v1/deploy" Author post(api::plugins::deploy);
    "GET" "/api/v1/matcher" Viewer get(api::matcher::describe);
    "GET" "/api/v1/messages" Viewer get(api::matcher::recorded);
    "GET" "/api/v1/watch" Viewer get(api::matcher::watch);
    "GET" "/api/v1/outputs" Viewer get(api::files::outputs);
    "GET" "/api/v1/outputs/file" Viewer get(api::files::output);
    "GET" "/api/v1/lake" Viewer get(api::files::lake);
    "GET" "/api/v1/audit" Operator get(api::session::audit);
    "GET" "/metrics" Viewer get(api::metrics);
};

/// The list as a service.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guard = middleware::from_fn_with_state((Arc::clone(&app), route.needs), guard);
        router = router.route(route.path, (route.make)().route_layer(guard));
    }
    router
        .fallback(api::nothing)
        .layer(middleware::from_fn_with_state(
            app.options.tls.is_some(),
            headers,
        ))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(app)
}

/// Finds out who asks, and lets them through if they may.
async fn guard(
    State((app, needs)): State<(Arc<App>, Role)>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let known = match metrics_reader(&app, &request) {
        true => Ok(Caller {
            name: "metrics".into(),
            role: Role::Viewer,
            token: String::new(),
            address: peer,
        }),
        false => app.access.identify(headers, peer),
    };
    let permitted = known.and_then(|caller| {
        let permitted = app.access.permit(&caller, needs, request.method(), headers);
        permitted.map(|()| caller)
    });
    match permitted {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => Problem::new(denied.status(), denied).into_response(),
    }
}

/// Whether this is a scraper that shows the token for it.
fn metrics_reader(app: &App, request: &Request) -> bool {
    let sent = bearer(request.headers());
    let wanted = app.options.metrics_token.as_deref();
    let is_right = sent
        .zip(wanted)
        .is_some_and(|(sent, wanted)| sessions::equal(sent, wanted));
    is_right && request.uri().path() == "/metrics"
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

/// What the pages may load and do; a payload brings a stricter rule of its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts the headers on every answer that keep browsers from doing more than they should.
async fn headers(State(is_tls): State<bool>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let fields = answer.headers_mut();
    let fixed = HeaderValue::from_static;
    fields
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(fixed(POLICY));
    fields
        .entry(header::CACHE_CONTROL)
        .or_insert(fixed("no-store"));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    fields.insert(header::REFERRER_POLICY, fixed("no-referrer"));
    fields.insert("cross-origin-opener-policy", fixed("same-origin"));
    fields.insert("cross-origin-resource-policy", fixed("same-origin"));
    if is_tls {
        let always = fixed("max-age=31536000");
        fields.insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    answer
}
