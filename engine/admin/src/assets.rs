//! The pages: files built from `web/` and compiled into the program.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::text;

/// Each file by name; listed by the build script.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The page when the program was built without pages.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Foresight</title>\
    <h1>The pages were not built</h1>\
    <p>This program was compiled without its web pages. Build them, then the program again:</p>\
    <pre>make web build</pre>\
    <p>The API works without them: see <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></html>";

/// The page; which of its views is shown is a matter of the part behind the `#`.
pub async fn index(headers: HeaderMap) -> Response {
    match find("index.html") {
        Some(bytes) => file("index.html", bytes, &headers),
        None => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], NOT_BUILT).into_response()
        }
    }
}

/// One of the files that the page needs.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match find(&name) {
        Some(bytes) => file(&name, bytes, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Where alerts say that a graph is shown (`get_dashboard_uri`): the page finds it, after a login if there must be one.
pub async fn dashboard_graph(Path(name): Path<String>) -> Response {
    to_page(&["dashboard", "graphs", &name])
}

/// Where alerts say that another payload is shown.
pub async fn dashboard(Path(name): Path<String>) -> Response {
    to_page(&["dashboard", &name])
}

/// Leads to the part of the page that this path names.
fn to_page(path: &[&str]) -> Response {
    let path: Vec<String> = path
        .iter()
        .map(|part| text::escaped(part.as_bytes()))
        .collect();
    match HeaderValue::from_str(&format!("/#/{}", path.join("/"))) {
        Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn find(name: &str) -> Option<&'static [u8]> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, bytes)| *bytes)
}

fn file(name: &str, bytes: &'static [u8], headers: &HeaderMap) -> Response {
    let tag = tag(bytes);
    let asked = headers.get(header::IF_NONE_MATCH);
    if asked.is_some_and(|asked| asked.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let mut answer = Response::new(Body::from(bytes));
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // The browser asks each time whether it has the newest: after an update nothing old is left.
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        fields.insert(header::ETAG, tag);
    }
    answer
}

/// Tells two versions of a file apart: FNV-1a, 64 bits.
fn tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}
