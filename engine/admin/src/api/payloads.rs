//! What plugins have injected as payloads: lists, graphs, and the bytes themselves.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, Problem, blocking, json_text};
use crate::cbuf::Graph;
use crate::payloads::{GraphError, file_name};
use crate::text;

/// What html of plugins may do: be seen. The frame it is shown in says so too.
const HTML_POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

/// Which payload is asked for.
#[derive(Deserialize)]
pub struct Which {
    id: String,
    /// Of a graph only rows from this time on, seconds since 1970.
    since: Option<i64>,
}

/// All payloads.
pub async fn list(State(app): State<Arc<App>>) -> Response {
    Json(json!({ "payloads": app.feed.payloads.list() })).into_response()
}

/// The bytes of a payload.
pub async fn payload(State(app): State<Arc<App>>, Query(which): Query<Which>) -> Answer {
    let found = app.feed.payloads.get(&which.id);
    let (listed, bytes) = found.ok_or_else(|| Problem::from(GraphError::Missing))?;
    Ok(shown(
        &file_name(&listed),
        &listed.kind,
        bytes.as_ref().clone(),
    ))
}

/// Bytes of a plugin, as what they are, in a way that no browser takes for more than that.
pub fn shown(name: &str, kind: &str, bytes: Vec<u8>) -> Response {
    let (media, policy) = match kind {
        "html" | "htm" => ("text/html; charset=utf-8", HTML_POLICY),
        "json" => ("application/json", "sandbox; default-src 'none'"),
        _ => ("text/plain; charset=utf-8", "sandbox; default-src 'none'"),
    };
    let mut answer = bytes.into_response();
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    fields.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    if let Ok(disposition) = HeaderValue::from_str(&format!("inline; filename=\"{name}\"")) {
        fields.insert(header::CONTENT_DISPOSITION, disposition);
    }
    answer
}

/// A circular buffer as numbers.
pub async fn graph(State(app): State<Arc<App>>, Query(which): Query<Which>) -> Answer {
    let text = blocking(move || {
        let (generation, graph) = app.feed.payloads.graph(&which.id)?;
        let body = graph.to_json(which.since);
        // The generation goes in front of the graph's own members.
        Ok::<_, GraphError>(format!("{{\"generation\":{generation},{}", &body[1..]))
    });
    Ok(json_text(text.await??))
}

/// Which part of the past is asked for.
#[derive(Deserialize)]
pub struct When {
    id: String,
    /// Seconds since 1970.
    from: i64,
    /// Seconds since 1970; this one is left out.
    until: i64,
}

/// What is kept of the past of a graph, also when there is no payload of it now.
pub async fn past(State(app): State<Arc<App>>, Query(when): Query<When>) -> Answer {
    let text = blocking(move || {
        let past = app.archive.past(&when.id, when.from, when.until);
        past.to_json(None)
    });
    Ok(json_text(text.await?))
}

/// A circular buffer as comma-separated values.
pub async fn csv(State(app): State<Arc<App>>, Query(which): Query<Which>) -> Answer {
    let (name, text) = blocking(move || {
        let (_, graph) = app.feed.payloads.graph(&which.id)?;
        let listed = app.feed.payloads.get(&which.id);
        let name = listed.map_or_else(|| "graph".into(), |(listed, _)| file_name(&listed));
        Ok::<_, GraphError>((name, csv_of(&graph)))
    })
    .await??;
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let disposition = HeaderValue::from_str(&disposition).map_err(Problem::wrong)?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let fields = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((fields, text).into_response())
}

fn csv_of(graph: &Graph) -> String {
    let mut out = String::from("time");
    for column in &graph.columns {
        let name = format!("{} ({})", column.name, column.unit);
        write!(out, ",{}", cell(&name)).expect("a String takes any text");
    }
    out.push('\n');
    let width = graph.columns.len();
    for (row, cells) in graph.cells.chunks(width.max(1)).enumerate() {
        let time = graph.time + row as i64 * graph.seconds_per_row;
        out.push_str(&text::time(time.saturating_mul(1000)));
        for number in cells {
            match number.is_nan() {
                true => out.push(','),
                false => write!(out, ",{number}").expect("a String takes any text"),
            }
        }
        out.push('\n');
    }
    out
}

/// A text of a plugin as one cell. What spreadsheets would take for a formula gets a quote in front.
fn cell(text: &str) -> String {
    let quote = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{quote}{}\"", text.replace('"', "\"\""))
}

impl From<GraphError> for Problem {
    fn from(error: GraphError) -> Problem {
        let status = match error {
            GraphError::Missing => StatusCode::NOT_FOUND,
            GraphError::NoGraph | GraphError::Damaged(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Problem::new(status, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_plugins_are_harmless_in_a_spreadsheet() {
        let text = br#"{"time":0,"rows":2,"columns":1,"seconds_per_row":60,"column_info":[{"name":"=cmd|\"x\"","unit":"n"}]}
1
nan
"#;
        let graph = crate::cbuf::parse(text).expect("a graph");
        assert_eq!(
            csv_of(&graph),
            "time,\"'=cmd|\"\"x\"\" (n)\"\n1970-01-01T00:00:00.000Z,1\n1970-01-01T00:01:00.000Z,\n"
        );
    }
}
